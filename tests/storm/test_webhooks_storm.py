"""Webhooks while the server is killed: each is sent three times and until it is answered, and is one event."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from soloist.app import App
from tests.acceptance.driving import Served, until
from tests.acceptance.nursery import Nursery
from tests.storm.size import scale
from tests.storm.storming import Store

pytestmark = pytest.mark.storm
DELIVERIES, TIMES, SEED = scale(10_000, 200), 3, 20261121
KILL_EVERY = scale(20.0, 2.0)
SENDERS = 4
SECRET = "whsec_" + "c29sb2lzdCB0ZXN0IHNlY3JldCBrZXkgMDE="
TOML = """
[connectors.shop]
kind = "http"
base_url = "https://shop.example"
webhook_secret = "shop"
"""


class Sender:
    """Sends as providers do: again until there is an answer 2xx, each delivery three times, in any order."""

    def __init__(self, served: Served) -> None:
        self.served, self.chance = served, random.Random(SEED)
        self.events: dict[str, set[str]] = {}
        self.refused: dict[int, int] = {}
        self.lock = threading.Lock()
        self.todo = [f"msg-{n}" for n in range(DELIVERIES)] * TIMES
        self.chance.shuffle(self.todo)

    def work(self) -> None:
        """Deliveries until none is left; every hundredth comes with a wrong one beside it."""
        with httpx.Client(timeout=20) as client:
            while True:
                with self.lock:
                    if not self.todo:
                        return
                    name, left = self.todo.pop(), len(self.todo)
                event = self.deliver(client, name)
                with self.lock:
                    self.events.setdefault(name, set()).add(event)
                if left % 100 == 0:
                    self.forge(client, name, left // 100)

    def deliver(self, client: httpx.Client, name: str) -> str:
        """The id of the event that the answer names."""
        body = json.dumps({"type": "order.paid", "data": {"number": name}}).encode()
        while True:
            try:
                answer = client.post(self.url, content=body, headers=signed(body, name))
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code in (200, 202):
                return str(answer.json()["id"])
            assert answer.status_code >= 500 or answer.status_code == 429, answer.text
            time.sleep(0.1)

    def forge(self, client: httpx.Client, name: str, which: int) -> None:
        """One that is old, altered, signed by somebody else, or a replay under another name."""
        body = b'{"type":"order.paid"}'
        headers = signed(body, f"forged-{name}", time.time() - (301 if which % 4 == 0 else 0))
        other = Webhook("whsec_b3RoZXI=").sign(headers["webhook-id"], datetime.now(UTC), body.decode())
        headers |= {"webhook-signature": other} if which % 4 == 1 else {}
        headers |= {"webhook-id": "another-name"} if which % 4 == 2 else {}
        sent = body + b" " if which % 4 == 3 else body
        code = 503
        while code >= 500:  # over any number of deaths
            try:
                code = client.post(self.url, content=sent, headers=headers).status_code
            except httpx.TransportError:
                time.sleep(0.05)
        with self.lock:
            self.refused[code] = self.refused.get(code, 0) + 1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.served.port}/hooks/shop"


def signed(body: bytes, name: str, at: float | None = None) -> dict[str, str]:
    """Standard Webhooks headers."""
    stamp = int(at if at is not None else time.time())
    signature = Webhook(SECRET).sign(name, datetime.fromtimestamp(stamp, UTC), body.decode())
    return {"webhook-id": name, "webhook-timestamp": str(stamp), "webhook-signature": signature}


@pytest.fixture
def served(tmp_path: Path, nursery: Nursery) -> Iterator[Served]:
    """A server that knows the secret."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "soloist.toml").write_text(TOML)
    app = App(home)
    app.keyring.put("shop", SECRET)
    app.close()
    made = Served(home, nursery=nursery)
    made.start()
    yield made
    made.kill()


def test_each_delivery_is_one_event_over_kills(served: Served) -> None:
    sender, kills = Sender(served), 0
    hands = [threading.Thread(target=sender.work, daemon=True) for _ in range(SENDERS)]
    for hand in hands:
        hand.start()
    while any(hand.is_alive() for hand in hands):
        until(served.is_ready, what="ready")  # else a busy machine would only ever start
        hands[0].join(KILL_EVERY)
        if any(hand.is_alive() for hand in hands):
            served.kill()
            served.start(ready=False)
            kills += 1
    store = Store(f"sqlite:///{served.home / 'soloist.db'}")
    kept = dict(store.ask("SELECT id, external_id FROM events WHERE source='hook:shop'"))
    store.end()
    lost = [name for name, ids in sender.events.items() if not ids <= set(kept)]
    twice = [name for name, ids in sender.events.items() if len(ids) != 1]
    print(f"P6: {DELIVERIES} webhooks sent {TIMES} times each in any order (seed {SEED}), {kills} kills -9:", end=" ")
    print(f"{len(kept)} events, {len(lost)} lost, {len(twice)} doubled;", end=" ")
    print(f"{sum(sender.refused.values())} old, forged, renamed or altered ones, answered {set(sender.refused)}")
    assert (lost, twice, len(kept)) == ([], [], DELIVERIES)
    assert set(sender.refused) == {401}
