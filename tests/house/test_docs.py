"""The pages hold what they say: links lead somewhere, settings parse, examples run, targets and pages exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from soloist import config
from soloist.cli.main import app as command
from soloist.sdk import Registry

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_make_target_on_a_page_exists() -> None:
    named = {t for page in PAGES for t in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)}
    assert {"run", "test"} <= named
    assert {target for target in named if f"\n{target}:" not in MAKEFILE} == set()


SETTINGS = [(page.name, text) for page in PAGES for text in blocks(page, "toml")]


@pytest.mark.parametrize(("name", "text"), SETTINGS, ids=[name for name, _ in SETTINGS])
def test_every_example_of_settings_is_accepted(name: str, text: str) -> None:
    assert config.parse(tomllib.loads(text), name).model_fields_set


def test_the_example_of_a_skill_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = blocks(ROOT / "docs" / "how-to" / "write-a-skill.md", "python")
    (tmp_path / "greeting_from_the_page.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import greeting_from_the_page

    registry = Registry()
    greeting_from_the_page.register(registry)
    assert registry.skills["greet"].call({"name": "Ada"}) == {"text": "Hello Ada"}


def test_the_reference_is_what_the_code_says() -> None:
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(ROOT / "bin" / "reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda p: p.name)
def test_a_decision_fits_on_a_page(page: Path) -> None:
    assert re.match(r"\d{4}-[a-z0-9-]+\.md\Z", page.name)
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 40


def test_every_command_on_a_page_exists() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = sorted(set(re.findall(r"(?:`|bin/)soloist ([a-z][a-z-]*)", text)))
    assert {"init", "up", "verify"} <= set(named)
    done = {name: CliRunner().invoke(command, [name, "--help"]).exit_code for name in named}
    assert [name for name, code in done.items() if code] == []
