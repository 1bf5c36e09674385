"""A run that is tried again goes on where the first one stopped: what was committed is there once and leaves once."""

from __future__ import annotations

import asyncio
import email
import email.policy
from pathlib import Path
from typing import Any

import pytest

from soloist.cli import sample
from soloist.engine.store import runs, tables
from soloist.engine.store.tx import Tx
from soloist.flows import following, troubles
from soloist.flows.roles import giving
from soloist.flows.tending import Tending
from soloist.insight import runs as insight
from soloist.kernel.errors import Conflict
from tests.flows.conftest import House, Open, mail

ONCE = ("proposals", "effects", "records", "messages", "conversations", "tasks", "corrections", "facts", "labels")
OVER = ("done", "failed")


def story(home: House) -> dict[str, Any]:
    """Everything that must not be there twice, and the mails that left."""
    return {**{table: len(home.rows(table)) for table in ONCE}, "sent": len(home.sent())}


async def quiet(home: House) -> None:
    """Until no run can do anything more by itself."""

    def over() -> bool:
        parked = {"proposal", "followup"}
        return all(row["state"] in OVER or row["flow"] in parked for row in home.rows("runs"))

    await home.until(over, 60)


async def again(home: House, run: str) -> None:
    """Try a run again as the supervisor does, as if its end had failed, and wait for the end of the try."""
    row = tables.metadata.tables["runs"]
    home.app.store.write_now(lambda tx: tx.run(row.update().where(row.c.id == run).values(state="failed")))
    ident = home.app.store.write_now(lambda tx: troubles.run_again(tx, run))
    await home.until(lambda: home.rows("runs", id=ident)[0]["state"] in OVER, 60)
    assert home.rows("runs", id=ident)[0]["state"] == "done", home.rows("runs", id=ident)[0]["error"]


@pytest.fixture
def roles_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who follows the journal looks when a test says so, so that nothing else happens between two counts."""

    async def never(*_given: Any, **_more: Any) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(following, "follow", never)
    monkeypatch.setattr(Tending, "by_the_clock", never)


async def look_around(home: House) -> None:
    """What the roles do by themselves, to its end."""
    tending = Tending(home.desk, giving(home.desk))
    while await tending.turn() or any(row["state"] == "pending" for row in home.rows("runs")):
        await quiet(home)
    await quiet(home)


@pytest.mark.usefixtures("roles_by_hand")
async def test_every_run_of_a_day_tried_again_does_nothing_twice(house: Open) -> None:
    home = await house()
    await look_around(home)  # the first look only takes its place in the journal
    for path in sorted((Path(sample.HERE) / "mail").glob("*.eml")):
        await home.take_in(email.message_from_bytes(path.read_bytes(), policy=email.policy.default))
    for row in home.rows("proposals", state="waiting")[::2]:
        await home.say(row, "approve")
    left = len(home.rows("proposals", state="approved", operation="mail.send"))
    assert left > 2
    await home.has_sent(left)
    await look_around(home)
    before = story(home)
    ended = [row["id"] for row in home.rows("runs") if row["state"] == "done" and row["flow"] != "takeover"]
    assert {"intake", "proposal", "effect", "work"} <= {row["flow"] for row in home.rows("runs") if row["id"] in ended}
    for run in ended:
        await again(home, run)
    await look_around(home)
    assert story(home) == before


async def test_a_reply_that_failed_after_it_was_proposed_leaves_once(
    house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the run is what fails, as when memory is short: its proposal stands and is approved meanwhile."""
    home = await house()
    done, failures = troubles.Troubles._done, []

    def short(self: Any, tx: Tx, run: str) -> None:
        if run.startswith("intake:") and not failures:
            failures.append(run)
            raise MemoryError
        done(self, tx, run)

    monkeypatch.setattr(troubles.Troubles, "_done", short)
    folder = home.root / "mail/in"
    (folder / "tmp/1.eml").write_bytes(mail().as_bytes())
    (folder / "tmp/1.eml").rename(folder / "new/1.eml")
    await home.until(lambda: failures and home.rows("proposals", state="waiting"))
    await home.say(home.waiting(), "approve")
    await home.has_sent()
    await again(home, failures[0])
    assert len(home.rows("proposals")) == 1 and len(home.sent()) == 1


async def test_what_was_deleted_meanwhile_is_not_tried_again(house: Open) -> None:
    home = await house()
    run = await home.take_in(mail())
    failed = runs.runs.update().where(runs.runs.c.id == run["id"]).values(state="failed")
    home.app.store.write_now(lambda tx: tx.run(failed))
    emptied = runs.run_steps.update().where(runs.run_steps.c.run == run["id"]).values(output=runs.ERASED)
    home.app.store.write_now(lambda tx: tx.run(emptied))
    with pytest.raises(Conflict, match="is deleted"):
        home.app.store.write_now(lambda tx: troubles.run_again(tx, run["id"]))
    assert len(home.rows("runs", flow="intake")) == 1


async def test_two_cards_of_one_run_begin_one_try(house: Open) -> None:
    home = await house()
    run = (await home.take_in(mail()))["id"]
    row = runs.runs

    def fail(tx: Tx, ident: str) -> None:
        tx.run(row.update().where(row.c.id == ident).values(state="failed"))

    def twice(tx: Tx) -> tuple[str, str]:
        fail(tx, run)
        return troubles.run_again(tx, run), troubles.run_again(tx, run)

    one, two = home.app.store.write_now(twice)
    assert one == two
    await home.until(lambda: home.rows("runs", id=one)[0]["state"] == "done")
    assert home.app.store.write_now(lambda tx: troubles.run_again(tx, run)) == one  # it has worked
    home.app.store.write_now(lambda tx: fail(tx, one))
    third = home.app.store.write_now(lambda tx: troubles.run_again(tx, run))
    await home.until(lambda: home.rows("runs", id=third)[0]["state"] == "done")
    assert len({run, one, third}) == 3 and len(home.rows("proposals")) == 1
    shown = home.app.store.read_now(lambda conn: [insight.run(conn, ident).steps for ident in (run, third)])
    told = [[step.name.endswith("(in an earlier try)") for step in steps] for steps in shown]
    assert told == [[False] * len(shown[0]), [True] * len(shown[0])]


async def test_a_decision_reaches_the_try_that_waits_for_it(house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run of a proposal failed before it waited and is tried again: the try hears the word that comes."""
    home = await house()
    wait = home.desk.approvals.await_state

    async def broken(*_given: Any) -> Any:
        raise ValueError("no room to write this down")

    monkeypatch.setattr(home.desk.approvals, "await_state", broken)
    waits = await home.proposed()
    run = f"proposal:{waits['id']}"
    await home.until(lambda: home.rows("runs", id=run)[0]["state"] == "failed")
    monkeypatch.setattr(home.desk.approvals, "await_state", wait)
    newest = home.app.store.write_now(lambda tx: troubles.run_again(tx, run))
    await home.until(lambda: home.rows("runs", id=newest)[0]["state"] == "waiting")
    await home.say(waits, "approve")
    await home.has_sent()
    await home.until(lambda: home.rows("runs", id=newest)[0]["state"] == "done")
