"""A sitting as pages: how long, one card after the other, and at its end what can wait until when."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import proposals
from soloist.kernel.ids import derived
from soloist.kernel.proposal import NewProposal


def propose(app: App, name: str) -> str:
    payload = {"to": [f"{name}@okafor-ceramics.example"], "subject": "Your shop", "body": f"Dear {name}"}
    ident = derived("review", name)
    new = NewProposal(ident, "mail", "mail.send", payload, "A test.", "agent:intake", title=f"Reply to {name}")
    facts = app.desk.facts("mail", "mail.send")
    app.store.write_now(lambda tx: app.desk.approvals.propose(tx, new, facts, actor="intake@1"))
    return ident


def test_the_lengths_say_how_many_cards_fit(console: TestClient) -> None:
    text = console.get("/review").text
    assert "15 minutes: 5 of 5" in text
    assert "These cannot wait" in text


def test_every_link_and_form_of_a_card_stays_in_the_sitting(console: TestClient) -> None:
    text = console.get("/review?sitting=115").text
    assert "2 decided, 3 to go" in text
    assert "/review?sitting=115&amp;card=c1&amp;mode=edit#draft" in text
    forms = re.findall(r'<form[^>]*action="/cards/c1/decision".*?</form>', text, re.DOTALL)
    assert forms
    assert all('name="sitting" value="115"' in form for form in forms)


def test_a_decision_leads_to_the_next_card(console: TestClient, fake) -> None:
    form = {"option": "approve", "payload_hash": fake.sheets["c1"].payload_hash, "sitting": "115"}
    answer = console.post("/cards/c1/decision", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/review?sitting=115&done=c1")


def test_a_stale_card_stays_in_the_sitting_and_says_what_changed(console: TestClient, fake) -> None:
    answer = console.post("/cards/c1/decision", data={"option": "approve", "payload_hash": "old", "sitting": "115"})
    assert answer.status_code == 409
    assert "nothing was approved" in answer.text
    assert "2 decided, 3 to go" in answer.text


def test_at_the_end_it_says_what_can_wait_until_when(console: TestClient) -> None:
    text = console.get("/review?sitting=105").text
    assert "4 cards decided in 5 min" in text
    assert "1 card can wait" in text
    assert "until" in text.split("1 card can wait")[1]


def test_an_unknown_sitting_is_not_found(console: TestClient) -> None:
    assert console.get("/review?sitting=99").status_code == 404
    assert console.get("/review?sitting=x").status_code == 200


def test_a_real_sitting_from_its_beginning_to_its_end(app: App, real_console: TestClient) -> None:
    idents = [propose(app, name) for name in ("ada", "jo")]
    address = real_console.post("/review", data={"minutes": "5"}).headers["location"]
    for n in range(2):
        text = real_console.get(address).text
        assert f"{n} decided, {2 - n} to go" in text
        card = re.search(r'data-card="([^"]+)"', text)
        digest = re.search(r'name="payload_hash" value="([^"]+)"', text)
        assert card is not None
        assert digest is not None
        form = {"option": "approve", "payload_hash": digest[1], "sitting": address.partition("=")[2]}
        real_console.post(f"/cards/{card[1]}/decision", data=form)
    assert "2 cards decided" in real_console.get(address).text
    states = [app.store.read_now(lambda conn, i=i: proposals.get(conn, i))["state"] for i in idents]
    assert states == ["approved", "approved"]
    assert 'soloist_attention_decisions{days="7"} 2' in real_console.get("/metrics").text
