"""Services that answer badly, each with the row of its effect: unknown with evidence, never done; the rest goes on."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App

JSON = "Content-Type: application/json\r\n"


def says(status: int, body: bytes = b"{}", headers: str = JSON) -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


BAD = {
    "html": says(200, b"<html>please sign in</html>", "Content-Type: text/html\r\n"),
    "cut": says(200, b'{"id": "x", "amou'),
    "short": says(200, b"x" * 99)[:-90],
    "huge": says(200, b'{"id": "' + b"x" * 8 * 1024 * 1024 + b'"}'),
    "moved": says(302, b"", "Location: http://169.254.169.254/latest/\r\n"),
    "nothing": b"",
    "down": says(503, b"<h1>back soon</h1>", "Content-Type: text/html\r\n"),
}
GOOD = says(200, b'{"id": "ch_1"}')
SHOP = """
[connectors.{name}]
kind = "http"
base_url = "http://127.0.0.1:{port}/{name}"
allow_private_network = true
[connectors.{name}.operations.notify]
method = "POST"
path = "/notes"
class = "C"
timeout = "2s"
[connectors.{name}.operations.charge]
method = "POST"
path = "/charges"
class = "A"
key_header = "Idempotency-Key"
"""


class Street:
    """One server that plays every service by the first part of the path."""

    def __init__(self) -> None:
        self.port, self.calls = 0, list[str]()
        self.slow: list[float] = []
        """When not empty: the first call after it is asked to come back in two seconds; holds the instants."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(h[15:]) for h in head.lower().split("\r\n") if h.startswith("content-length:")), 0)
        await reader.readexactly(length)
        name = head.split("/")[1]
        self.calls.append(name)
        limited = len(self.slow) == 1
        self.slow += [time.monotonic()] if self.slow else []
        try:
            writer.write(says(429, headers="Retry-After: 2\r\n") if limited else BAD.get(name, GOOD))
            await writer.drain()
        except ConnectionError:
            pass
        writer.close()


@pytest.fixture
async def shop() -> AsyncIterator[Street]:
    made = Street()
    server = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


@pytest.fixture
def app(tmp_path: Path, shop: Street, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    shops = [SHOP.format(name=name, port=shop.port) for name in (*BAD, "good")]
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "soloist.toml").write_text("".join([*shops, SHOP.format(name="dead", port=9)]))
    made = App(tmp_path / "home")
    yield made
    made.close()


async def approved(http: Any, connector: str, operation: str = "notify") -> None:
    """A proposal that a person said yes to."""
    given = {"connector": connector, "operation": operation, "payload": {"amount": 1}, "reason": "asked"}
    made = (await http.post("/proposals", json={**given, "source_ref": f"{connector}-{operation}"})).json()
    said = {"decision": "approve", "payload_hash": made["payload_hash"]}
    assert (await http.post(f"/proposals/{made['id']}/approval", json=said)).status_code == 200


def states(page: Any) -> dict[str, str]:
    return {row["connector"]: row["state"] for row in page["items"]}


async def test_bad_answers_are_unknown_with_evidence_and_never_done(
    http: Any, running: Any, shop: Any, eventually: Any
) -> None:
    for name in BAD:
        await approved(http, name)
    page = await eventually("/effects", lambda page: states(page) == dict.fromkeys(BAD, "needs_human"))
    assert sorted(shop.calls) == sorted(BAD)
    for row in page["items"]:
        log = (await http.get(f"/effects/{row['id']}")).json()["attempt_log"]
        assert [attempt["outcome"] for attempt in log] == ["unknown"]
        assert 0 < len(log[0]["evidence"]) < 1000
    cards = (await http.get("/cards?limit=50")).json()["items"]
    assert len([card for card in cards if card["type"] == "unknown_outcome"]) == len(BAD)


async def test_when_one_is_dead_the_rest_answers(http: Any, running: Any, shop: Any, eventually: Any) -> None:
    await approved(http, "dead", "charge")
    await eventually("/effects", lambda page: page["items"] and states(page)["dead"] == "intended")
    await approved(http, "good")
    page = await eventually("/effects", lambda page: states(page).get("good") == "succeeded")
    assert states(page)["dead"] == "intended"
    event = {"source": "s", "external_id": "1", "kind": "note", "payload": {"text": "hello"}}
    assert (await http.post("/events", json=event)).status_code == 202
    for path in ("/cards", "/runs", "/operations", "/connectors", "/agents", "/effects"):
        assert (await http.get(path)).status_code == 200, path
    assert shop.calls == ["good"]


async def test_a_429_is_obeyed_to_the_second_and_not_counted(
    http: Any, running: Any, shop: Any, eventually: Any
) -> None:
    shop.slow = [time.monotonic()]
    await approved(http, "good", "charge")
    page = await eventually("/effects", lambda page: states(page).get("good") == "succeeded")
    first, second = shop.slow[1:]
    assert 2.0 <= second - first < 30
    log = (await http.get(f"/effects/{page['items'][0]['id']}")).json()
    assert [attempt["outcome"] for attempt in log["attempt_log"]] == ["slowed", "succeeded"]
