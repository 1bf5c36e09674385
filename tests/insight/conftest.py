"""A home of Studio Linde with one message of Ada Okafor in it; opened, not started."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import conversations
from soloist.kernel.proposal import NewProposal
from tests.engine.store import databases

TOML = """
[business]
name = "Studio Linde"
owner = "Mara Linde"
email = "mara@studio-linde.example"
timezone = "Europe/Berlin"
currency = "EUR"
"""
BODY = "Dear Ada,\n\na shop starts at EUR 3,800.\n\nMara Linde"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    (tmp_path / "soloist.toml").write_text(TOML)
    opened = App(databases.home(tmp_path))
    opened.store.writer.send = lambda *_: None  # no engine runs here, so there is nobody to wake
    yield opened
    opened.close()


def add_message(tx: Any, **values: Any) -> dict[str, str]:
    conversation = conversations.open_new(tx, "mail-in", "new shop")
    row = {
        "conversation": conversation,
        "event": tx.append("mail.received", source="mail-in", external_id="1", actor="outside").id,
        "direction": "in",
        "sender": "ada@okafor-ceramics.example",
        "sender_name": "Ada Okafor",
        "subject": "New shop",
        "text": "Can you build it?\n> earlier words",
        "at": tx.now,
        "understanding": {"own_text": "Can you build it?", "quoted": "> earlier words", "kind_rule": "asks"},
        "attachments": [{"name": "pieces.pdf"}],
    }
    return {"conversation": conversation, "message": conversations.add(tx, {**row, **values})}


@pytest.fixture
async def reply(app: App) -> dict[str, str]:
    """A reply that waits: {id, card, hash, conversation, message}."""
    thread = await app.store.write(add_message)
    new = NewProposal(
        id="9d3f6a30-0000-5000-8000-000000000001",
        connector="mail",
        operation="mail.send",
        payload={"to": ["ada@okafor-ceramics.example"], "subject": "Re: New shop", "body": BODY},
        reason="This reads as an enquiry.",
        source="agent:intake",
        agent="intake@1",
        title="Reply to Ada Okafor: New shop",
        conversation=thread["conversation"],
        thread_head=thread["message"],
        value_minor=450000,
        currency="EUR",
        evidence={"answers": [{"criterion": "minimum_budget", "answer": "not_met", "wanted": "2000 EUR", "words": []}]},
    )
    facts = app.desk.facts("mail", "mail.send")
    made = await app.store.write(lambda tx: app.desk.approvals.propose(tx, new, facts, actor="intake@1"))
    card = await app.store.read(lambda conn: _card(conn, made["id"]))
    return {**thread, "id": made["id"], "card": card, "hash": made["payload_hash"]}


def _card(conn: Any, proposal: str) -> str:
    from soloist.engine.store import tasks

    found = tasks.open_for(conn, proposal)
    assert found is not None
    return str(found["id"])
