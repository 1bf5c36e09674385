"""``soloist confidence`` and ``soloist intents`` on a real home, in this process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as commands


def run(home: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(commands, [*words, "--home", str(home)])
    assert done.exit_code == code, done.output
    return done.output


def test_intents_are_set_listed_and_removed(tmp_path: Path) -> None:
    App(tmp_path).close()
    examples = tmp_path / "move.txt"
    examples.write_text("Can we move our appointment?\n\nAnother day would be better.\n")
    assert "There are none" in run(tmp_path, "intents")
    run(tmp_path, "intents", "set", "move", "way:scheduling", str(examples), "--title", "Another day")
    assert "leads to the usual way of: scheduling; 2 examples" in run(tmp_path, "intents")
    assert "out of use" in run(tmp_path, "intents", "remove", "move")
    assert "Nothing was decided yet" in run(tmp_path, "confidence")
