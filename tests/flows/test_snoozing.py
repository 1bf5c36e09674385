"""Putting a card off: until a morning of the operator's own, never past its time, durable, and taken back."""

from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import reading, tasks
from soloist.engine.store.clock import iso, later
from soloist.flows import snoozing
from soloist.kernel.errors import BadInput, Conflict, StaleHash
from soloist.kernel.proposal import NewProposal
from soloist.stages.approvals import Decision

FRIDAY = "2026-11-20T21:30:00.000000Z"
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("choice", "back"), [("tomorrow", "2026-11-21T07"), ("3days", "2026-11-23T07"), ("week", "2026-11-23T07")]
)
def test_a_choice_is_eight_in_the_morning_of_the_operator(choice: str, back: str) -> None:
    assert snoozing.morning(choice, FRIDAY, BERLIN) == f"{back}:00:00.000000Z"


def test_tomorrow_is_the_operators_tomorrow_and_knows_summer_time() -> None:
    assert snoozing.morning("tomorrow", "2026-11-20T23:30:00.000000Z", BERLIN).startswith("2026-11-22T07")
    assert snoozing.morning("tomorrow", "2026-03-28T12:00:00.000000Z", BERLIN).startswith("2026-03-29T06")


def test_a_card_comes_back_two_hours_before_its_time_ends() -> None:
    end = later(FRIDAY, 6 * 3600)
    assert snoozing.until({"deadline": end}, "week", FRIDAY, BERLIN) == later(end, -7200)
    assert snoozing.offered(end, FRIDAY, BERLIN) == [("tomorrow", "Two hours before its time ends")]
    assert [name for name, _ in snoozing.offered("", FRIDAY, BERLIN)] == ["tomorrow", "3days", "week"]


def test_what_ends_soon_and_what_is_no_choice_is_refused() -> None:
    with pytest.raises(Conflict, match="cannot wait"):
        snoozing.until({"deadline": later(FRIDAY, 3600)}, "tomorrow", FRIDAY, BERLIN)
    with pytest.raises(BadInput, match="tomorrow, 3days, week"):
        snoozing.morning("never", FRIDAY, BERLIN)


@pytest.fixture
def card(app: App) -> dict[str, Any]:
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": "Re: New shop", "body": "Dear Ada, yes."}
    new = NewProposal("p" * 36, "mail", "mail.send", payload, "A test.", "agent:intake", expires_in=30 * 86400.0)
    facts = app.desk.facts("mail", "mail.send")
    app.store.write_now(lambda tx: app.desk.approvals.propose(tx, new, facts, actor="intake@1"))
    found = app.store.read_now(lambda conn: tasks.open_for(conn, new.id))
    return {**(found or {}), "hash": new.hash}


def waiting(app: App, now: str = "") -> int:
    return app.store.read_now(lambda conn: reading.waiting_count(conn, now or iso(app.store.clock())))


async def test_a_card_sleeps_over_a_restart_and_comes_back(app: App, card: dict[str, Any]) -> None:
    await snoozing.snooze(app.desk, card["id"], "week", digest=card["hash"], who="operator", via="console")
    back = app.store.read_now(lambda conn: tasks.next_awake(conn, iso(app.store.clock())))
    again = App(app.home.root)
    assert (waiting(again), waiting(again, later(back, 1))) == (0, 1)
    again.close()


async def test_a_stale_card_is_not_put_off(app: App, card: dict[str, Any]) -> None:
    with pytest.raises(StaleHash):
        await snoozing.snooze(app.desk, card["id"], digest="0" * 64, who="operator", via="console")
    assert waiting(app) == 1


async def test_a_question_can_be_put_off_and_taken_up_again(app: App) -> None:
    await app.store.write(lambda tx: tasks.open_card(tx, "q1", "question", "What is this?") and None)
    await snoozing.snooze(app.desk, "q1", "3days", who="operator", via="console")
    assert waiting(app) == 0
    assert await snoozing.wake(app.desk, "q1", who="operator")
    assert (waiting(app), await snoozing.wake(app.desk, "q1", who="operator")) == (1, False)


async def test_an_outcome_nobody_knows_is_not_put_off(app: App) -> None:
    await app.store.write(lambda tx: tasks.open_card(tx, "u1", "unknown_outcome", "Charged?") and None)
    with pytest.raises(Conflict):
        await snoozing.snooze(app.desk, "u1", who="operator", via="console")


async def test_programs_put_off_to_the_same_morning(app: App, card: dict[str, Any]) -> None:
    said = Decision("defer", card["hash"], "token:laptop", "api")
    assert (await snoozing.defer_proposal(app.desk, "p" * 36, said))["state"] == "waiting"
    kept = app.store.read_now(lambda conn: tasks.get(conn, card["id"]))["snoozed_until"]
    zone = app.settings.business.timezone
    assert kept == snoozing.morning("tomorrow", iso(app.store.clock()), zone)
