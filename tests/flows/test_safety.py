"""The stop button and its file, backups by the clock, checkpoints that leave the house, and doubt after a restore."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.config import Backup
from soloist.engine import stopping
from soloist.engine.store import events, settings, tables
from soloist.flows import holding, safety
from soloist.flows.backups import DRILLED, LAST, Backups
from soloist.flows.checkpoints import Marks, read, verified
from soloist.flows.restoring import Restoring
from soloist.kernel.errors import BadInput, Conflict


def pressed(app: App) -> str:
    return app.store.read_now(app.desk.effects.halt.pressed)


def kinds(app: App) -> list[str]:
    return [row["kind"] for row in app.store.read_now(lambda conn: events.after(conn, 0, 100))]


async def test_button_and_file_hold_each_by_itself(app: App, tmp_path: Path) -> None:
    await safety.press(app.desk, who="operator", way="console")
    (tmp_path / "STOP").touch()
    found = app.store.read_now(lambda conn: stopping.standing(conn, app.desk.effects.halt))
    assert next((one.way, one.by) for one in found) == ("button", "console")
    await app.desk.effects.stop(False, who="operator")
    assert "file STOP" in pressed(app)
    await safety.release(app.desk, who="operator")
    assert (pressed(app), (tmp_path / "STOP").exists()) == ("", False)


async def test_a_press_holds_before_its_row_is_written(app: App) -> None:
    app.desk.effects.halt.pressing()
    assert app.desk.effects.halt.at_once() == "The stop button is pressed."
    app.desk.effects.halt.pressed_down()
    assert app.desk.effects.halt.at_once() == ""


async def test_the_file_is_noted_once_and_its_going_wakes(app: App, tmp_path: Path) -> None:
    watch = safety.StopFile(app.desk)
    (tmp_path / "STOP").write_text("please")
    for _ in range(4):
        await watch.look()
    (tmp_path / "STOP").unlink()
    for _ in range(3):
        await watch.look()
    told = [kind for kind in kinds(app) if kind.startswith("outbound")]
    assert told == ["outbound.stopped", "outbound.released"]


async def test_a_file_that_went_while_the_server_was_off_is_noticed(app: App, tmp_path: Path) -> None:
    before = safety.StopFile(app.desk)
    (tmp_path / "STOP").touch()
    await before.look()
    await before.look()
    (tmp_path / "STOP").unlink()
    await safety.StopFile(app.desk).look()
    assert kinds(app)[-1] == "outbound.released"


# ----- backups


def backups(app: App, **chosen: Any) -> Backups:
    return Backups(app.store, app.home, app.settings.model_copy(update={"backup": Backup(**chosen)}))


def kept(app: App, key: str) -> dict[str, Any]:
    return dict(json.loads(app.store.read_now(lambda conn: settings.value(conn, key))))


async def test_what_is_due_is_made_then_tried_then_nothing(app: App, tmp_path: Path) -> None:
    made = backups(app, to=str(tmp_path / "second"))
    assert [await made.look() for _ in range(3)] == ["made", "tried", ""]
    assert len(list((tmp_path / "second").glob("*.backup"))) == 1
    assert (kept(app, DRILLED)["ok"], kept(app, LAST)["fault"]) == (True, "")


async def test_a_second_folder_that_cannot_be_written_is_told(app: App, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("no folder")
    told = await backups(app, to=str(tmp_path / "full" / "deeper")).make()
    assert "could not be written" in told["fault"]
    assert told["size"] > 0


async def test_none_is_made_when_that_is_turned_off(app: App) -> None:
    assert await backups(app, every="0s", drill="0s").look() == ""


# ----- checkpoints


async def test_checkpoints_leave_once_and_find_a_cut_journal(app: App, tmp_path: Path) -> None:
    app.store.write_now(lambda tx: tx.append("thing.done"))
    marks = Marks(app.desk)
    assert [await marks.export(), await marks.export(), await Marks(app.desk).export()] == [1, 0, 0]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mail.txt").write_text("> " + (tmp_path / "checkpoints.log").read_text())
    report = verified(app.store, app.home, app.vault.verify, elsewhere)
    assert (report.faults, report.exported) == ([], 2)
    (elsewhere / "mail.txt").write_text(read(elsewhere)[0].line().replace(" 1 ", " 2 "))
    assert "not signed by this home" in verified(app.store, app.home, app.vault.verify, elsewhere).faults[0]
    with pytest.raises(BadInput, match="no checkpoints"):
        verified(app.store, app.home, app.vault.verify, tmp_path / "nothing")


# ----- after a restore


async def test_a_home_that_was_never_restored_asks_once_and_goes_on(app: App) -> None:
    async def attempt(run: str, effect: str) -> dict[str, Any]:
        return {"state": effect}

    careful = Restoring(app.desk).unless_doubtful(attempt)
    assert await careful("run", "succeeded") == {"state": "succeeded"}


async def test_safe_mode_holds_and_ends_once(app: App) -> None:
    app.store.write_now(lambda tx: stopping.note_cut(tx, {"cut_seq": 1, "cut_at": tx.now}))
    assert "safe mode" in pressed(app)
    await Restoring(app.desk).leave(who="operator")
    assert (pressed(app), app.store.read_now(stopping.cut)["cut_seq"]) == ("", 1)
    with pytest.raises(Conflict, match="not in safe mode"):
        await Restoring(app.desk).leave(who="operator")


async def test_the_stop_file_needs_no_database(tmp_path: Path) -> None:
    halt = stopping.Halt(tmp_path)
    assert not halt.at_once()
    os.mkfifo(tmp_path / "STOP")  # whatever it is, it stops
    assert halt.at_once()


async def test_a_payload_changed_behind_our_back_after_the_word_does_not_leave(house: Any) -> None:
    home = await house()
    proposal = await home.proposed()
    await holding.hold(home.desk, f"proposal:{proposal['id']}", who="operator", why="a look first")
    await home.say(proposal, "approve")
    await home.until(lambda: home.rows("effects", state="intended"))
    other, table = {**proposal["payload"], "to": ["victor@quick-offers.example"]}, tables.proposals
    changed = table.update().where(table.c.id == proposal["id"]).values(payload=other)
    home.app.store.write_now(lambda tx: tx.run(changed) and None)
    await holding.release(home.desk, f"proposal:{proposal['id']}", who="operator")
    (effect,) = await home.until(lambda: [row for row in home.rows("effects") if row["state"] != "intended"])
    assert (effect["state"], effect["attempts"], home.sent()) == ("resolved_not_done", 0, [])
