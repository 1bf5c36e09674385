"""A credit went to the wrong invoice: it is recorded, nothing is retried blindly, and the whole is taken back in order.

Everything goes through the API, as an agent outside would do it; the billing service counts outside the product.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from soloist.kernel.access import parse_scopes
from soloist.web import api
from soloist.web.security import SecurityMiddleware
from tests.flows.conftest import House, Open

BILLING = """
[connectors.billing]
kind = "http"
base_url = "http://127.0.0.1:{port}"
allow_private_network = true
[connectors.billing.late.misapplied]
kind = "credit.misapplied"
ref = "credit_note"
says = "The credit note was booked on the invoice of another client."
means = "wrong"
[connectors.billing.operations.credit]
method = "POST"
path = "/credit-notes"
class = "A"
key_header = "Idempotency-Key"
risk = "financial"
undo = {{ method = "POST", path = "/credit-notes/{{ref}}/void", body = {{ reason = "wrong invoice" }} }}
"""
WRONG = {"invoice": "2026-014", "meant": "2026-041", "amount": 24000, "currency": "EUR"}
LETTER = {"to": ["ada@okafor-ceramics.example"], "subject": "Your credit", "body": "240 EUR are credited."}


@dataclass
class Billing:
    """Counts what it really did; ``deaf`` hangs up without an answer."""

    port: int = 0
    did: list[tuple[str, str]] = field(default_factory=list)
    deaf: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head.split("\r\n")[1:])}
        await reader.readexactly(int(fields.get("content-length") or 0))
        method, path, _ = head.split(" ", 2)
        self.did.append((method, path))
        if not self.deaf:
            body = json.dumps({"id": "cn_7"}).encode()
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nConnection: close\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()


class Office:
    """An agent and an operator at the API of one home."""

    def __init__(self, house: House, http: httpx.AsyncClient, billing: Billing) -> None:
        self.house, self.http, self.billing = house, http, billing

    async def propose(self, place: int, connector: str, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One part of the bundle, approved on exactly what it says."""
        body = {"connector": connector, "operation": operation, "payload": payload, "reason": "credit for Ada"}
        body |= {"source_ref": f"credit-{place}", "bundle": "credit", "place": place}
        made = await self.http.post("/proposals", json=body)
        assert made.status_code == 202, made.text
        return dict(made.json())

    async def approve(self, proposal: str) -> None:
        digest = (await self.http.get(f"/proposals/{proposal}")).json()["payload_hash"]
        said = {"decision": "approve", "payload_hash": digest}
        done = await self.http.post(f"/proposals/{proposal}/approval", json=said)
        assert done.status_code == 200, done.text

    async def choose(self, card: dict[str, Any], option: str) -> dict[str, Any]:
        done = await self.http.post(f"/cards/{card['id']}/decision", json={"option": option})
        assert done.status_code == 200, done.text
        return dict(done.json())

    async def state(self, proposal: str, state: str) -> dict[str, Any]:
        """The effect of a proposal, once it is in this state."""
        found = lambda: self.house.rows("effects", proposal=proposal, state=state)  # noqa: E731
        return dict((await self.house.until(found))[0])

    async def card(self, **wanted: Any) -> dict[str, Any]:
        return dict(await self.house.until(lambda: self.house.card(**wanted)))

    def person(self) -> dict[str, Any]:
        (found,) = self.house.rows("records", kind="person")
        return found

    async def credit(self) -> list[str]:
        """The whole bundle: a note on Ada's record, the credit note, the letter. Their proposals in this order."""
        person = self.house.app.store.write_now(
            lambda tx: self.house.desk.records.known_client(
                tx, {"address": "ada@okafor-ceramics.example", "name": "Ada Okafor"}, actor="operator"
            )
        )[-1]
        version = self.house.rows("records", id=person)[0]["version"]
        change = {"record": person, "version": version, "fields": {"note": "240 EUR"}, "title": "Ada Okafor"}
        parts = [("records", "record.change", change), ("billing", "credit", WRONG), ("mail", "mail.send", LETTER)]
        made = [await self.propose(place, *part) for place, part in enumerate(parts, 1)]
        for row in reversed(made):
            if row["state"] == "waiting":
                await self.approve(row["id"])
        return [str(row["id"]) for row in made]


@pytest.fixture
async def office(house: Open) -> AsyncIterator[Office]:
    billing = Billing()
    server = await asyncio.start_server(billing.serve, "127.0.0.1", 0)
    billing.port = server.sockets[0].getsockname()[1]
    async with server:
        opened = await house(BILLING.format(port=billing.port))
        routes = Starlette(routes=[Mount("/api/v1", api.create(opened.app))])
        door = SecurityMiddleware(routes, opened.app.access, opened.app.settings.server)
        token = opened.app.access.issue_token("billing-agent", parse_scopes(["read", "propose", "approve"]), None)
        headers = {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app=door, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost/api/v1", headers=headers
        ) as client:
            yield Office(opened, client, billing)


async def test_the_parts_go_in_their_order(office: Office) -> None:
    change, credit, letter = await office.credit()
    await office.state(letter, "succeeded")
    assert office.person()["body"]["note"] == "240 EUR"
    first, second = (office.house.rows("effects", proposal=one)[0] for one in (credit, letter))
    assert first["updated"] <= second["first_attempt"]
    assert office.house.rows("proposals", id=change)[0]["state"] == "approved"


async def test_news_of_the_wrong_invoice_is_recorded_and_asked_about(office: Office) -> None:
    _, credit, letter = await office.credit()
    await office.state(letter, "succeeded")
    event = {"source": "billing", "external_id": "n1", "kind": "credit.misapplied"}
    payload = {"credit_note": "cn_7", "booked_on": "2026-014", "belongs_to": "2026-041"}
    assert (await office.http.post("/events", json={**event, "payload": payload})).status_code == 202
    card = await office.card(type="failure")
    assert "240.00 EUR" in card["why"]
    assert "another client" in card["why"]
    assert (card["detail"]["did"]["invoice"], card["detail"]["told"]["belongs_to"]) == ("2026-014", "2026-041")
    assert 2 <= len(card["options"]) <= 4
    assert all(choice["consequence"] for choice in card["options"])
    assert office.house.rows("events", kind="credit.misapplied")
    assert office.house.rows("effects", proposal=credit)[0]["state"] == "succeeded"
    assert [path for _, path in office.billing.did] == ["/credit-notes"]


async def test_the_bundle_is_taken_back_in_reverse_and_money_needs_its_own_word(office: Office) -> None:
    _, credit, letter = await office.credit()
    sent = await office.state(letter, "succeeded")
    asked = await office.http.post(f"/effects/{sent['id']}/undo", json={"bundle": True})
    assert asked.status_code == 200, asked.text
    await office.house.until(lambda: len(office.house.rows("proposals", state="waiting")) == 2)
    rows = {row["source"]: row for row in office.house.rows("proposals", state="waiting")}
    assert "240 EUR are credited" not in rows["soloist:letter"]["payload"]["body"]
    counter = rows["soloist:undo"]
    assert (counter["amount_minor"], counter["operation"]) == (24000, "credit.undo")
    assert office.person()["body"]["note"] == "240 EUR"  # the part before it waits for the money
    await office.approve(counter["id"])
    await office.state(credit, "compensated")
    await office.house.until(lambda: "note" not in office.person()["body"])
    assert [path for _, path in office.billing.did] == ["/credit-notes", "/credit-notes/cn_7/void"]
    (saga,) = office.house.rows("sagas")
    assert [step["state"] for step in saga["steps"]] == ["said", "done", "done"]


async def test_a_way_back_that_is_refused_stops_and_says_what_is_not_done(office: Office) -> None:
    _, credit, letter = await office.credit()
    sent = await office.state(letter, "succeeded")
    await office.http.post(f"/effects/{sent['id']}/undo", json={"bundle": True})
    await office.house.until(lambda: office.house.rows("proposals", source="soloist:undo", state="waiting"))
    (counter,) = office.house.rows("proposals", source="soloist:undo")
    said = {"decision": "reject", "payload_hash": counter["payload_hash"]}
    await office.http.post(f"/proposals/{counter['id']}/approval", json=said)
    office.house.app.store.write_now(lambda tx: tx.send(f"saga:{office.house.rows('sagas')[0]['id']}:0", "bundle", {}))
    card = await office.card(subject_kind="saga")
    assert card["detail"]["done"]
    assert len(card["detail"]["not_done"]) == 2
    await office.choose(card, "by_hand")
    await office.house.until(lambda: office.house.rows("sagas", state="done"))
    assert "note" not in office.person()["body"]
    assert office.house.rows("effects", proposal=credit)[0]["state"] == "succeeded"


async def test_an_unclear_credit_is_never_sent_twice_and_holds_the_letter_back(office: Office) -> None:
    office.billing.deaf = True
    _, credit, letter = await office.credit()
    effect = await office.state(credit, "unknown")
    await asyncio.sleep(1.0)
    assert office.house.rows("effects", proposal=letter)[0]["state"] == "intended"
    keys = {row["key"] for row in office.house.rows("effects", proposal=credit)}
    assert keys == {effect["key"]}
