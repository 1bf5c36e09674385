"""The console over a real App: a decision by form reaches the store, bound to what was shown."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import proposals
from soloist.insight import inbox
from soloist.kernel.access import Session
from soloist.kernel.proposal import NewProposal
from soloist.web.console import Console

PAYLOAD = {"to": ["ada@okafor-ceramics.example"], "subject": "Re: New shop", "body": "Dear Ada,\nyes.\nMara"}


@pytest.fixture
def console(real_console: TestClient) -> TestClient:
    return real_console


@pytest.fixture
def card(app: App, console: TestClient) -> str:
    new = NewProposal("p" * 36, "mail", "mail.send", PAYLOAD, "A test.", "agent:intake", title="Reply to Ada")
    facts = app.desk.facts("mail", "mail.send")
    app.store.write_now(lambda tx: app.desk.approvals.propose(tx, new, facts, actor="intake@1"))
    found = re.search(r"/\?card=([0-9a-f-]{36})", console.get("/").text)
    assert found is not None
    return found[1]


def form_of(console: TestClient, card: str) -> dict[str, str]:
    text = console.get(f"/?card={card}").text
    digest = re.search(r'name="payload_hash" value="([^"]+)"', text)
    assert digest is not None
    return {"option": "approve", "payload_hash": digest[1]}


def state(app: App) -> dict[str, Any]:
    return app.store.read_now(lambda conn: proposals.get(conn, "p" * 36))


def test_an_approval_reaches_the_store(app, console, card):
    answer = console.post(f"/cards/{card}/decision", data=form_of(console, card))
    assert answer.status_code == 303
    assert state(app)["state"] == "approved"
    assert "Approved. Runs in" in console.get(answer.headers["location"]).text


def test_an_edit_is_approved_as_edited(app, console, card):
    form = form_of(console, card) | {"edit.body": "Dear Ada,\r\nno.\r\nMara", "was.body": PAYLOAD["body"]}
    console.post(f"/cards/{card}/decision", data=form)
    assert state(app)["payload"]["body"] == "Dear Ada,\nno.\nMara"


def test_a_stale_form_approves_nothing(app, console, card):
    answer = console.post(f"/cards/{card}/decision", data={"option": "approve", "payload_hash": "0" * 64})
    assert answer.status_code == 409
    assert state(app)["state"] == "waiting"


def test_a_decided_card_is_not_decided_again(app, console, card):
    form = form_of(console, card)
    console.post(f"/cards/{card}/decision", data=form)
    answer = console.post(f"/cards/{card}/decision", data=form | {"option": "reject"})
    assert answer.status_code == 409
    assert state(app)["state"] == "approved"


def test_undo_in_the_hold_brings_the_card_back(app, console, card):
    console.post(f"/cards/{card}/decision", data=form_of(console, card))
    console.post(f"/cards/{card}/undo")
    assert "Taken back. Nothing was sent" in console.get(f"/?done={card}").text
    assert "1 thing needs you" in console.get("/").text


def test_a_rejection_keeps_the_reason(app, console, card):
    form = form_of(console, card) | {"option": "reject", "reason": "Too early"}
    console.post(f"/cards/{card}/decision", data=form)
    said = app.store.read_now(lambda conn: proposals.approvals_of(conn, "p" * 36))
    assert [(a["decision"], a["reason"]) for a in said] == [("reject", "Too early")]


@pytest.mark.parametrize("path", ["/activity", "/records", "/runs", "/settings", f"/runs/proposal:{'p' * 36}"])
def test_every_list_opens(console, card, path):
    assert console.get(path).status_code == 200


def test_the_stop_button_is_kept(app, console, card):
    console.post("/stop", data={"on": "1"})
    assert "Everything outbound is stopped" in console.get("/settings").text


def test_a_card_is_put_off_and_taken_up_again(app, console, card):
    form = form_of(console, card) | {"option": "defer", "until": "tomorrow"}
    answer = console.post(f"/cards/{card}/decision", data=form)
    assert "Put off. It comes back tomorrow 08:00." in console.get(answer.headers["location"]).text
    assert "Nothing needs you" in console.get("/").text
    console.post(f"/cards/{card}/undo")
    assert "1 thing needs you" in console.get("/").text


def test_a_mailbox_that_only_reads_offers_no_approval(app, console, card, monkeypatch):
    monkeypatch.setattr(type(app.desk), "observe_only", lambda _, name: name == "mail")
    text = console.get(f"/?card={card}").text
    assert "This mailbox only reads for now" in text
    assert 'value="approve"' not in text


def test_a_page_can_ask_whether_it_may_listen(console):
    assert console.get("/live?probe=1").status_code == 204


def test_a_look_is_kept(app, console, card):
    console.post("/looked", data={"seq": "1"})
    kept = app.store.read_now(lambda conn: inbox.seen(conn))
    assert kept.look_seq == 1


async def test_a_stream_ends_with_its_session(app):
    session = Session("s" * 64, time.time(), time.time())
    await app.access.create_session(session)
    stream = Console(app).live(session.id_hash, 0)
    assert "settings" in (await anext(stream)).topics
    await app.access.revoke(session.id_hash)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(stream), 60)
