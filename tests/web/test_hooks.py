"""Webhooks against a real home: signatures over raw bytes, once each, messages when the operator says so."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from soloist.app import App
from soloist.engine.store import events, runs
from soloist.web import server
from soloist.web.signatures import verified

SECRET = "whsec_" + "c29sb2lzdCB0ZXN0IHNlY3JldCBrZXkgMDE="
TOML = """
[connectors.shop]
kind = "http"
base_url = "https://shop.example"
webhook_secret = "shop"
[connectors.tally]
kind = "http"
base_url = "https://tally.example"
webhook_secret = "tally"
webhook_scheme = "github"
webhook_message = { from = "data.email", text = "data.message", name = "data.name" }
[connectors.silent]
kind = "http"
base_url = "https://silent.example"
"""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A sender of webhooks to a home with two secrets."""
    (tmp_path / "soloist.toml").write_text(TOML)
    app = App(tmp_path)
    app.keyring.put("shop", f"whsec_b2xk\n{SECRET}")
    app.keyring.put("tally", "tally-secret")
    transport = httpx.ASGITransport(server.create(app, hosts=("testserver",), start=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as sender:
        sender.app = app  # type: ignore[attr-defined]  # what was stored is looked at through it
        yield sender
    app.close()


def signed(body: bytes, name: str = "msg_1", at: float | None = None) -> dict[str, str]:
    """Standard Webhooks headers."""
    stamp = int(at if at is not None else time.time())
    signature = Webhook(SECRET).sign(name, datetime.fromtimestamp(stamp, UTC), body.decode())
    return {"webhook-id": name, "webhook-timestamp": str(stamp), "webhook-signature": f"v1,AAAA {signature}"}


async def test_a_delivery_is_one_event_however_often_it_comes(client: httpx.AsyncClient) -> None:
    body = json.dumps({"type": "Order.Paid", "n": 1}).encode()
    first = await client.post("/hooks/shop", content=body, headers=signed(body))
    second = await client.post("/hooks/shop", content=body, headers=signed(body))
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json() == second.json()


async def test_the_same_delivery_with_other_bytes_is_a_conflict(client: httpx.AsyncClient) -> None:
    for n, code in ((1, 202), (2, 409)):
        body = json.dumps({"type": "order.paid", "n": n}).encode()
        assert (await client.post("/hooks/shop", content=body, headers=signed(body))).status_code == code


@pytest.mark.parametrize("change", ["old", "altered", "unsigned", "garbled"])
async def test_what_is_not_signed_right_is_refused(client: httpx.AsyncClient, change: str) -> None:
    body = b'{"type":"order.paid"}'
    headers = signed(body, at=time.time() - 301) if change == "old" else signed(body)
    headers = {} if change == "unsigned" else headers
    headers |= {"webhook-signature": "v1,%%%"} if change == "garbled" else {}
    sent = body + b" " if change == "altered" else body
    answer = await client.post("/hooks/shop", content=sent, headers=headers)
    assert answer.status_code == 401
    assert SECRET not in answer.text


async def test_unknown_and_silent_connectors_say_the_same(client: httpx.AsyncClient) -> None:
    answers = [await client.post(f"/hooks/{name}", content=b"{}") for name in ("nobody", "silent")]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].text == answers[1].text


async def test_a_form_provider_becomes_a_message_with_its_intake(client: httpx.AsyncClient) -> None:
    body = json.dumps({"data": {"email": "jo@brandt.example", "message": "A new site, please", "name": "Jo"}}).encode()
    seal = hmac.new(b"tally-secret", body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={seal}", "x-github-delivery": "d1"}
    assert (await client.post("/hooks/tally", content=body, headers=headers)).status_code == 202
    store = client.app.store  # type: ignore[attr-defined]  # set by the fixture
    (event,) = await store.read(lambda conn: events.after(conn, 0, 10, kind="message.received"))
    assert event["payload"] == {"from": "jo@brandt.example", "text": "A new site, please", "name": "Jo"}
    assert await store.read(runs.pending_runs) == [f"intake:{event['id']}"]


async def test_limits_and_shapes_get_a_sentence(client: httpx.AsyncClient) -> None:
    big = b'{"a":"' + b"a" * (1024 * 1024) + b'"}'
    assert (await client.post("/hooks/shop", content=big, headers=signed(big))).status_code == 413
    assert (await client.post("/hooks/shop", content=b"[1]", headers=signed(b"[1]"))).status_code == 422
    assert (await client.post("/hooks/shop", content=b"{", headers=signed(b"{", "msg_2"))).status_code == 400


def test_stripe_takes_any_of_several_signatures_and_no_second_time() -> None:
    body, now = b'{"id":"evt_1"}', 1_760_000_000.0
    good = hmac.new(b"s", b"1760000000." + body, hashlib.sha256).hexdigest()
    headers = {"stripe-signature": f"t=1760000000,v1={'0' * 64},v1={good}"}
    assert verified("stripe", ["old", "s"], headers, body, now=now)
    twice = {"stripe-signature": f"t=1760000000,t=1,v1={good}"}
    assert not verified("stripe", ["s"], twice, body, now=now)


async def test_a_replay_under_another_unsigned_name_is_the_same_event(client: httpx.AsyncClient) -> None:
    body = json.dumps({"data": {"email": "jo@brandt.example", "message": "A new site"}}).encode()
    seal = hmac.new(b"tally-secret", body, hashlib.sha256).hexdigest()
    codes = [
        (
            await client.post(
                "/hooks/tally",
                content=body,
                headers={"x-hub-signature-256": f"sha256={seal}", "x-github-delivery": name},
            )
        ).status_code
        for name in ("a", "b")
    ]
    assert codes == [202, 200]


async def test_a_number_too_long_to_read_is_refused(client: httpx.AsyncClient) -> None:
    body = b'{"n":' + b"1" * 5000 + b"}"
    assert (await client.post("/hooks/shop", content=body, headers=signed(body))).status_code == 400
