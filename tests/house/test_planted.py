"""Proof that the contracts bite: each violation is planted in a copy of the source and must be named with its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.figures import beyond, measure

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "soloist"

IMPORTS = {
    "a stage imports its sibling": ("stages/intake/planted.py", "from soloist.stages import policy", "stages.policy"),
    "a door imports the store": ("web/planted.py", "from soloist.engine import store", "engine.store"),
    "the command line imports the store": ("cli/planted.py", "import soloist.engine.store", "engine.store"),
    "a door imports a plugin": ("web/planted2.py", "from soloist.plugins import skills", "plugins.skills"),
    "dbos outside engine.durable": ("flows/planted.py", "import dbos", "dbos"),
    "the model library outside stages.runtime": ("stages/intake/planted2.py", "import pydantic_ai", "pydantic_ai"),
    "SQL outside engine.store": ("stages/policy/planted.py", "import sqlalchemy", "sqlalchemy"),
    "expressions outside their two rooms": ("web/planted3.py", "import cel_expr_python", "cel_expr_python"),
    "the writing door outside stages.effects": ("flows/planted2.py", "from soloist.engine import outbound", "outbound"),
    "an import upwards for typing only": (
        "stages/intake/planted3.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from soloist.flows import planted2",
        "flows",
    ),
    "an import upwards inside a function": (
        "engine/store/planted.py",
        "def f() -> None:\n    from soloist.stages import intake",
        "stages.intake",
    ),
    "the standard library's sqlite3": ("engine/store/planted2.py", "import sqlite3", "sqlite3"),
    "a stage imports a plugin": (
        "stages/policy/planted2.py",
        "from soloist.plugins import connectors",
        "plugins.connectors",
    ),
    "the kernel looks up": ("kernel/planted.py", "import soloist.config", "soloist.config"),
}


def lint(folder: Path) -> str:
    """What lint-imports says about the copy in ``folder``."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    surroundings = {**os.environ, "PYTHONPATH": "src", "COLUMNS": "400"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=surroundings)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One run over a copy of the source with every violation planted at once, and a room nobody wrote down."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", folder)
    source = folder / "src" / "soloist"
    for place, text, _ in IMPORTS.values():
        (source / place).write_text(f'"""Planted."""\n{text}\n', encoding="utf-8")
    for room in ("helpers", "stages/oddity", "engine/oddity"):
        (source / room).mkdir()
        (source / room / "__init__.py").write_text('"""Planted."""\n', encoding="utf-8")
    for one, other in (("a", "b"), ("b", "a")):
        (source / "sdk" / f"planted_{one}.py").write_text(f"import soloist.sdk.planted_{other}\n", encoding="utf-8")
    return lint(folder)


@pytest.mark.parametrize("name", IMPORTS)
def test_a_planted_import_is_named(report: str, name: str) -> None:
    place, _, target = IMPORTS[name]
    importer = "soloist." + place.removesuffix(".py").replace("/", ".")
    assert [line for line in report.splitlines() if f"{importer} -> " in line and target in line], report


@pytest.mark.parametrize("room", ["soloist.helpers", "soloist.stages.oddity", "soloist.engine.oddity"])
def test_a_room_nobody_wrote_down_is_named(report: str, room: str) -> None:
    assert f"- {room}\n" in report


def test_a_planted_circle_is_named(report: str) -> None:
    assert "planted_a" in report
    assert "planted_b" in report


def test_the_source_as_it_is_keeps_every_contract() -> None:
    said = lint(ROOT)
    assert " 0 broken" in said, said


PLACES = {
    "def f() -> None:\n" + "    print()\n" * 95: "the ceiling is 90",
    "def f(a: int, b: int, c: int, d: int, e: int, g: int) -> None: ...": "positional parameters",
    "def f(a) -> None: ...": "not fully annotated",
    "x = 1  # type: ignore": "without a code and a reason",
    "x = 1  # type: ignore[misc]": "without a code and a reason",
    "try:\n    pass\nexcept Exception:  # noqa: BLE001\n    pass": "without a reason",
    "class MailManager:\n    '''Manages.'''": "noun of the trade",
    "class Bare: ...": "have a docstring",
    "def f() -> None:\n    import json": "imports inside a function",
    "x = 1\n" * 700: "the ceiling is 600",
}


@pytest.mark.parametrize("text", PLACES, ids=PLACES.values())
def test_a_planted_budget_fault_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "planted.py").write_text(f'"""Planted."""\n{text}\n', encoding="utf-8")
    assert any(PLACES[text] in fault for fault in beyond(measure(tmp_path)))


def test_a_missing_module_docstring_is_named(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("x = 1\n", encoding="utf-8")
    assert beyond(measure(tmp_path)) == ["planted.py: no module docstring"]


def test_code_within_the_budgets_has_no_fault(tmp_path: Path) -> None:
    text = '"""Planted."""\n\n\ndef f(a: int) -> int:\n    return a  # type: ignore[misc]  # a reason\n'
    (tmp_path / "fine.py").write_text(text, encoding="utf-8")
    assert beyond(measure(tmp_path)) == []


MORE = {
    "runtime": {
        "again.py",
        "agents.py",
        "contracts.py",
        "kinds.py",
        "learning.py",
        "replying.py",
        "roster.py",
        "routing.py",
        "telling.py",
        "wording.py",
        "working.py",
    },
    "policy": {
        "facts.py",
        "gates.py",
        "grants.py",
        "ladder.py",
        "links.py",
        "looked.py",
        "replay.py",
        "rulebook.py",
        "sentences.py",
        "taint.py",
        "unusual.py",
    },
    "memory": {
        "asking.py",
        "facts.py",
        "looking.py",
        "packing.py",
        "rank.py",
        "reach.py",
        "retaining.py",
        "second.py",
        "summing.py",
        "writing.py",
    },
    "effects": {"cards.py", "ends.py", "undoing.py", "waiting.py"},
    "spend": {"large.py", "words.py"},
    "records": {"drifting.py", "kinds.py", "matching.py", "merging.py", "owners.py", "threeway.py"},
}
"""Runtime: agents as data, the decision about a message's kind, what the local model learns from. Policy: the parts
of one judgement, each pure. Effects: what is on its cards, and how an effect ends, waits and is taken back."""


def test_every_stage_has_the_same_files() -> None:
    """Public names and pure decisions always; steps where something is committed. Three have rooms more."""
    stages = {p.parent.name: {f.name for f in p.parent.glob("*.py")} for p in SOURCE.glob("stages/*/__init__.py")}
    assert stages
    for name, files in stages.items():
        assert {"__init__.py", "decide.py"} <= files, name
        assert files <= {"__init__.py", "decide.py", "steps.py"} | MORE.get(name, set()), name
