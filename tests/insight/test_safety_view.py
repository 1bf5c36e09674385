"""What the page about safety says of backups: late, failed, missing; and what a terminal shows after a restore."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.app import App
from soloist.engine import stopping
from soloist.insight import safety

NOW = "2026-11-21T12:00:00.000000Z"
DAY = 86400.0


@pytest.mark.parametrize(
    ("backup", "said"),
    [
        ({}, "There is no backup yet."),
        ({"at": "2026-11-20T12:00:00.000000Z", "fault": ""}, ""),
        ({"at": "2026-11-17T12:00:00.000000Z", "fault": ""}, "The newest backup is 4.0 days old."),
        ({"at": "2026-11-21T11:00:00.000000Z", "fault": "the disk is full"}, "had trouble: the disk is full"),
    ],
)
def test_late_backups_are_told(backup: dict[str, Any], said: str) -> None:
    assert said in safety.late(backup, DAY, NOW)
    assert bool(safety.late(backup, DAY, NOW)) == bool(said)


def test_a_home_whose_backups_are_made_elsewhere_is_not_late() -> None:
    assert safety.late({"at": "2026-01-01T00:00:00.000000Z"}, 0.0, NOW) == ""


def test_a_terminal_says_what_a_restore_found(app: App) -> None:
    halt = app.desk.effects.halt
    assert "never restored" in safety.lines(app.store.read_now(lambda conn: safety.restored(conn, halt)))[0]
    app.store.write_now(lambda tx: stopping.note_cut(tx, {"cut_seq": 7, "cut_at": tx.now}))
    said = "\n".join(safety.lines(app.store.read_now(lambda conn: safety.restored(conn, halt))))
    assert "(event 7); in safe mode: nothing leaves" in said
    assert "What leaves when safe mode ends: 0" in said


def test_the_line_for_a_letter_is_the_newest_checkpoint(app: App) -> None:
    assert app.store.read_now(safety.journal_line) == ""
    app.store.write_now(lambda tx: tx.append("thing.done"))
    assert app.store.read_now(safety.journal_line).startswith("soloist-checkpoint 1 ")
