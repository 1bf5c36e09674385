"""What is new on a card since this operator last looked: the draft, the thread, the deadline, news from outside."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import proposals, tasks
from soloist.engine.store.clock import later
from soloist.insight import seeing
from soloist.kernel.hashing import payload_hash

NOW = "2026-11-21T12:00:00.000000Z"


async def looked(app: Any, card: str, who: str = "operator") -> str:
    """Look at the card and keep the look; what is new in words."""
    now = app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    changed, _ = await app.store.read(lambda conn: seeing.changes(conn, card, who, now))
    await app.store.write(lambda tx: seeing.look(tx, card, who))
    return changed.text if changed else ""


async def edit(app: Any, reply: dict[str, str], body: str) -> None:
    def work(tx: Any) -> None:
        row = proposals.get(tx.conn, reply["id"])
        payload = {**row["payload"], "body": body}
        proposals.edit(tx, row, payload, payload_hash("mail", "mail.send", payload), actor="other")

    await app.store.write(work)


async def test_the_first_look_shows_nothing_and_is_the_beginning_of_the_decision(app, reply):
    assert await looked(app, reply["card"]) == ""
    card = await app.store.read(lambda conn: tasks.get(conn, reply["card"]))
    await looked(app, reply["card"])
    again = await app.store.read(lambda conn: tasks.get(conn, reply["card"]))
    assert card["shown"] == again["shown"] != ""


async def test_an_edited_draft_is_shown_as_a_comparison_for_the_whole_visit(app, reply):
    await looked(app, reply["card"])
    await edit(app, reply, "Dear Ada, no.")
    now = app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    changed, _ = await app.store.read(lambda conn: seeing.changes(conn, reply["card"], "operator", now))
    assert changed is not None
    assert [(field.label, field.after) for field in changed.fields] == [("Body", "Dear Ada, no.")]
    assert [await looked(app, reply["card"]) for _ in range(2)] == [
        "Since you last looked: the draft is another one."
    ] * 2


async def test_a_new_message_and_a_nearer_deadline_are_said(app, reply):
    from soloist.engine.store import conversations

    await looked(app, reply["card"])

    def work(tx: Any) -> None:
        row = {
            "conversation": reply["conversation"],
            "event": "e2",
            "direction": "in",
            "sender": "ada@x.example",
            "at": tx.now,
        }
        conversations.add(tx, {**row, "sender_name": "Ada Okafor", "subject": "One more thing"})
        tasks.reopen(tx, reply["card"], deadline=later(tx.now, 60))

    await app.store.write(work)
    said = await looked(app, reply["card"])
    assert "a new message on the thread, from Ada Okafor" in said
    assert "the deadline is nearer" in said


async def test_each_operator_has_looks_of_their_own(app, reply):
    await looked(app, reply["card"], "mara")
    await edit(app, reply, "Dear Ada, no.")
    assert await looked(app, reply["card"], "jo") == ""
    assert await looked(app, reply["card"], "mara") != ""


def test_the_next_visit_compares_with_what_the_last_one_ended_with():
    first, second = ({"hash": name} for name in "ab")
    kept = seeing.after_look(seeing.after_look({}, first, NOW), second, later(NOW, 60))
    assert (kept["base"], seeing.after_look(kept, second, later(NOW, 3600))["base"]) == (first, second)


async def test_a_closed_card_has_no_news(app, reply):
    await looked(app, reply["card"])
    await app.desk.decide_card(reply["card"], "reject", digest=reply["hash"], who="operator", via="test")
    assert await looked(app, reply["card"]) == ""
