"""The mail of the morning: when it is due, what it says, that it leaves once and comes back to nobody's inbox."""

from datetime import UTC, datetime

import pytest

from soloist.engine.store import settings
from soloist.flows.briefing import Briefing, due
from soloist.insight import morning
from soloist.kernel.proposal import BRIEF, NewProposal
from tests.flows.conftest import House, Open

NOON = "2026-11-21T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 21, 6, 29, tzinfo=UTC), ""),
        (datetime(2026, 11, 21, 6, 30, tzinfo=UTC), "2026-11-21"),
        (datetime(2026, 11, 21, 18, 59, tzinfo=UTC), "2026-11-21"),
        (datetime(2026, 11, 21, 19, 0, tzinfo=UTC), ""),
        (datetime(2026, 3, 29, 5, 30, tzinfo=UTC), "2026-03-29"),  # summer time began in the night
        (datetime(2026, 10, 25, 5, 59, tzinfo=UTC), ""),  # and ended
        (datetime(2026, 10, 25, 6, 30, tzinfo=UTC), "2026-10-25"),
    ],
)
def test_it_is_due_by_the_clock_on_the_wall(now: datetime, day: str):
    assert due(now, "Europe/Berlin", "07:30") == day


def card(title: str, value: int = 0) -> dict:
    return {
        "id": title, "title": title, "value_minor": value, "currency": "EUR", "deadline": "2026-11-22T08:00:00.000000Z",
        "judgement": 0, "estimate": 60, "created": NOON,
    }  # fmt: skip


def written(language: str, **state) -> morning.Letter | None:
    found = morning.State(**{"cards": [], "counts": {}, "troubles": [], **state})
    return morning.letter(found, now=NOON, zone="Europe/Berlin", language=language, address="http://localhost:8787/")


def test_nothing_to_tell_is_no_mail():
    assert written("en", counts={"message.read": 0}) is None


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "nl"])
def test_it_names_what_waits_in_the_operators_language(language: str):
    letter = written(language, cards=[card(f"Reply {n}", 400_000) for n in range(9)], troubles=["mailbox: no answer"])
    assert letter
    assert "9" in letter.subject
    assert "1. Reply 0" in letter.body
    assert "Reply 7" not in letter.body
    assert "2026-11-22 09:00" in letter.body
    assert "mailbox: no answer" in letter.body


async def began_yesterday(house: Open) -> House:
    home = await house()
    await home.proposed()
    home.app.store.write_now(lambda tx: settings.put(tx, "brief.sent", "2026-11-20T06:30:00.000000Z"))
    return home


async def test_the_day_a_home_is_made_has_no_brief(house: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("soloist.flows.briefing.due", lambda *_: "2020-01-01")
    home = await house()
    await home.proposed()
    assert await Briefing(home.desk).ask() is False
    assert home.rows("runs", flow="brief") == []


async def test_it_leaves_once_without_a_card(house: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("soloist.flows.briefing.due", lambda *_: "2026-11-21")
    home = await began_yesterday(house)
    asked = [await Briefing(home.desk).ask() for _ in range(3)]
    assert asked == [True, False, False]
    await home.until(lambda: home.rows("effects", state="succeeded"))
    (left,) = home.sent()
    assert left["To"] == "mara@studio-linde.example"
    assert "Reply to Emily Carter" in left.get_content()
    assert len(home.rows("tasks", state="open")) == 1


async def test_it_is_no_enquiry_when_it_comes_back(house: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("soloist.flows.briefing.due", lambda *_: "2026-11-21")
    home = await began_yesterday(house)
    await Briefing(home.desk).ask()
    await home.until(lambda: home.rows("effects", state="succeeded"))
    before = len(home.rows("messages"))
    await home.take_in(home.sent()[0])
    assert len(home.rows("messages")) == before


@pytest.mark.parametrize(
    ("source", "to"),
    [("api:x", ["mara@studio-linde.example"]), (BRIEF, ["mara@studio-linde.example", "x@y.example"])],
)
async def test_nobody_else_can_borrow_the_grant(house: Open, source: str, to: list[str]):
    home = await house()
    payload = {"to": to, "subject": "x", "body": "x"}
    new = NewProposal("p1", "mail", "mail.send", payload, "x", source, new_recipient=False)
    facts = home.desk.facts("mail", "mail.send")
    made = home.app.store.write_now(lambda tx: home.desk.approvals.propose(tx, new, facts, actor="soloist"))
    assert made["state"] == "waiting"


async def test_a_mailbox_that_only_reads_sends_no_brief(house: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("soloist.flows.briefing.due", lambda *_: "2026-11-21")
    home = await house()
    monkeypatch.setattr(type(home.desk), "observe_only", lambda self, name: True)
    assert await Briefing(home.desk).ask() is False


def test_the_brief_carries_the_signed_end_of_the_journal() -> None:
    mark = "soloist-checkpoint 7 ab 2026-11-21T09:00:00Z cd"
    found = written("de", troubles=["post: refused"], mark=mark)
    assert found is not None
    assert found.body.rstrip().endswith(mark)
