"""``soloist playbook`` on a real home, in this process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from soloist.cli.main import app as commands
from tests.engine.store import databases
from tests.flows.test_playbooks import book


def run(home: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(commands, ["playbook", *words, "--home", str(home)])
    assert done.exit_code == code, done.output
    return done.output


def test_a_playbook_is_checked_published_run_and_rolled_back(tmp_path: Path) -> None:
    databases.home(tmp_path)
    file = tmp_path / "digest.toml"
    file.write_text(book().replace('agent = "operator"', 'agent = "operater"'))
    assert "did you mean 'operator'" in run(tmp_path, "check", str(file), code=1)
    file.write_text(book())
    assert "digest@1 is sound: 3 tasks." in run(tmp_path, "check", str(file))
    assert "Published: digest@1, in use" in run(tmp_path, "publish", str(file))
    assert "text is missing" in run(tmp_path, "run", "digest", code=1)
    assert "is not like name=text" in run(tmp_path, "run", "digest", "--value", "text", code=1)
    assert "digest@1 began" in run(tmp_path, "run", "digest", "--value", "text=Hello", "--ref", "a")
    assert "digest@1 had begun" in run(tmp_path, "run", "digest", "--value", "text=Hello", "--ref", "a")
    assert "not begun" in run(tmp_path, "plan", "plan:digest:a")
    file.write_text(book("2"))
    run(tmp_path, "publish", str(file), "--why", "shorter")
    said = run(tmp_path, "history", "digest")
    assert "1 run: 0 carried out straight, 1 under way" in said and "cannot be compared yet" in said
    assert "In use: digest@1, pinned" in run(tmp_path, "back", "digest")
    assert "points" in run(tmp_path, "show", "digest") and "digest@1" in run(tmp_path, "list")
