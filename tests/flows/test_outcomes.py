"""What a person can say when an effect went wrong, through the desk of a real home that is not started."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import effects, events, proposals, tables, tasks, workers
from soloist.flows.late import arrived
from soloist.kernel.errors import StaleHash
from soloist.kernel.proposal import NewProposal
from soloist.sdk import Done, Outcome, Receipt, Refused, Unknown
from soloist.stages.approvals import Decision

ADA = "ada@okafor-ceramics.example"
TEXT = "Hello Ada, the invoice is attached."


class Desk:
    """Proposes, approves and carries out mails; ``answers`` is what the outside says next."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.desk, self.answer, self.calls = app, app.desk, Done(Receipt("m1")), 0
        monkeypatch.setattr(app.desk.effects._door, "execute", self._execute)
        row = {"kind": "server", "executor": "test", "host": "here", "pid": 1}
        app.store.write_now(lambda tx: workers.begin(tx, app.boot, row))

    async def _execute(self, _connector: str, _plan: Any, **_named: Any) -> Outcome:
        self.calls += 1
        return self.answer

    def read(self, query: Any) -> Any:
        return self.app.store.read_now(query)

    def mail(self, number: int = 1, **more: Any) -> str:
        """A mail that was approved; its effect."""
        payload = {"to": [ADA], "subject": "Invoice 2026-041", "body": TEXT}
        new = NewProposal(f"letter-{number}", "mail", "mail.send", payload, "test", "api:test", **more)
        made = asyncio.run(self.desk.propose_over_api(new, actor="token:test"))
        said = Decision("approve", made["payload_hash"], "operator", "test")
        asyncio.run(self.desk.approvals.decide(new.id, said))
        asyncio.run(self.desk.effects.intend(f"proposal:{new.id}", new.id))
        return str(self.read(lambda conn: effects.of_proposal(conn, new.id))[0]["id"])

    def go(self, effect: str, answer: Outcome | None = None) -> dict[str, Any]:
        """One turn of its run; its row afterwards."""
        self.answer = answer or Done(Receipt("m1"))
        move = asyncio.run(self.desk.effects.look("run", effect))
        if move["do"] == "attempt":
            asyncio.run(self.desk.effects.attempt("run", effect))
        elif move["do"] == "ask":
            asyncio.run(self.desk.effects.ask("run", effect, move["why"]))
        return self.row(effect)

    def row(self, effect: str) -> dict[str, Any]:
        return dict(self.read(lambda conn: effects.get(conn, effect)))

    def card(self, subject: str) -> dict[str, Any]:
        return dict(self.read(lambda conn: tasks.open_for(conn, subject)))

    def choose(self, card: dict[str, Any], option: str, digest: str = "") -> dict[str, Any]:
        return asyncio.run(self.desk.decide_card(card["id"], option, digest=digest, who="operator", via="test"))

    def proposal(self, ident: str) -> dict[str, Any]:
        return dict(self.read(lambda conn: proposals.get(conn, ident)))


@pytest.fixture
def outside(app: App, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(app, monkeypatch)


def doubtful(outside: Desk) -> str:
    """A mail of which nobody knows whether it went."""
    ident = outside.mail()
    outside.go(ident, Unknown("The line broke."))
    asyncio.run(outside.desk.effects.ask("run", ident, "It was not among the sent ones."))
    return ident


def test_a_sent_mail_is_not_unsent_but_answered_for(outside: Desk) -> None:
    ident = outside.mail()
    assert outside.go(ident)["state"] == "succeeded"
    made = asyncio.run(outside.desk.undo(ident, who="operator"))
    letter = outside.proposal(made["proposal"])
    assert (letter["state"], letter["payload"]["to"]) == ("waiting", [ADA])
    assert TEXT not in letter["payload"]["body"]
    assert outside.row(ident)["state"] == "succeeded"
    assert outside.calls == 1


def test_a_follow_up_is_a_draft_that_is_true_in_both_cases(outside: Desk) -> None:
    ident = doubtful(outside)
    card, digest = outside.card(ident), outside.row(ident)["payload_hash"]
    assert [o["name"] for o in card["options"]] == ["happened", "send_again", "did_not_happen", "follow_up"]
    made = outside.choose(card, "follow_up", digest)
    letter = outside.proposal(made["proposal"])["payload"]["body"]
    assert TEXT in letter
    assert "once more" in letter
    assert outside.row(ident)["state"] == "resolved_not_done"
    assert outside.calls == 1


def test_a_word_on_other_content_is_not_taken(outside: Desk) -> None:
    ident = doubtful(outside)
    with pytest.raises(StaleHash):
        outside.choose(outside.card(ident), "follow_up", "0" * 64)
    assert outside.row(ident)["state"] == "needs_human"


def test_the_card_of_a_closed_door_tries_again(outside: Desk) -> None:
    first, second = outside.mail(1), outside.mail(2)
    outside.go(first, Refused("The server refused our sign-in.", auth=True))
    outside.go(second)
    assert outside.calls == 1
    outside.choose(outside.card("connector:mail"), "try_again")
    assert [outside.go(ident)["state"] for ident in (first, second)] == ["succeeded", "succeeded"]


def test_giving_up_leaves_no_mail_waiting(outside: Desk) -> None:
    first, second = outside.mail(1), outside.mail(2)
    outside.go(first, Refused("The server refused our sign-in.", auth=True))
    outside.choose(outside.card("connector:mail"), "give_up")
    assert outside.row(first)["state"] == "failed"
    assert outside.go(second)["state"] == "succeeded"  # it never waited: the next call asks anew


def test_a_refusal_holds_the_later_parts_until_a_word(outside: Desk) -> None:
    first, second = outside.mail(1, bundle="b", place=1), outside.mail(2, bundle="b", place=2)
    assert outside.go(second)["state"] == "intended"
    outside.go(first, Refused("No such mailbox.", evidence="550 no"))
    card = outside.card(first)
    assert "1 later part" in card["why"]
    assert card["detail"]["input"]["to"] == [ADA]
    assert outside.go(second)["state"] == "intended"
    outside.choose(card, "leave")
    assert outside.go(second)["state"] == "resolved_not_done"
    assert outside.calls == 1


def test_another_try_of_the_first_part_lets_the_later_one_go(outside: Desk) -> None:
    first, second = outside.mail(1, bundle="b", place=1), outside.mail(2, bundle="b", place=2)
    outside.go(first, Refused("No such mailbox."))
    again = outside.choose(outside.card(first), "again")["proposal"]
    said = Decision("approve", outside.proposal(again)["payload_hash"], "operator", "test")
    asyncio.run(outside.desk.approvals.decide(again, said))
    asyncio.run(outside.desk.effects.intend("run", again))
    copy = outside.read(lambda conn: effects.of_proposal(conn, again))[0]["id"]
    assert outside.go(second)["state"] == "intended"
    assert outside.go(copy)["state"] == "succeeded"
    assert outside.go(second)["state"] == "succeeded"


def test_a_conflict_says_that_it_changed_on_the_other_side(outside: Desk) -> None:
    ident = outside.mail()
    outside.go(ident, Refused("The service refused the request (409).", evidence="409 version is 7"))
    card = outside.card(ident)
    assert "changed on the other side" in card["why"]
    assert "version is 7" in card["why"]
    assert card["detail"]["kind"] == "conflict"


@pytest.mark.parametrize(("means", "state"), [("void", "failed"), ("wrong", "succeeded")])
def test_late_news_turns_a_receipt_or_asks(outside: Desk, means: str, state: str) -> None:
    ident = outside.mail()
    outside.go(ident)

    def news(tx: Any) -> Any:
        event, _ = events.accept(tx, "mail", "d1", "charge.disputed", {"ref": "m1"}, actor="outside")
        told = {"id": event.id, "kind": event.kind, "payload": event.payload}
        return arrived(tx, "mail", "m1", "The client disputes it.", told, means=means)

    assert outside.app.store.write_now(news) == ident
    assert outside.row(ident)["state"] == state
    assert outside.row(ident)["late"]["what"] == "The client disputes it."
    assert "disputes" in outside.card(ident)["why"]
    assert 2 <= len(outside.card(ident)["options"]) <= 4


def test_news_about_nothing_of_ours_changes_nothing(outside: Desk) -> None:
    event = {"id": "e", "kind": "k", "payload": {}}
    assert outside.app.store.write_now(lambda tx: arrived(tx, "mail", "other", "x", event)) is None
    assert not outside.read(lambda conn: conn.execute(tables.tasks.select()).all())
