"""The API over a real App on a fresh home, with a shop on loopback behind the http connector."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from soloist.app import App
from soloist.kernel.access import parse_scopes
from soloist.web import api
from soloist.web.security import SecurityMiddleware
from tests.engine.store import databases

TOML = """
[business]
name = "Studio Linde"
owner = "Mara Linde"
email = "mara@studio-linde.example"
timezone = "Europe/Berlin"

[connectors.shop]
kind = "http"
base_url = "http://127.0.0.1:{port}"
allow_private_network = true
[connectors.shop.operations.create_charge]
method = "POST"
path = "/charges"
class = "A"
key_header = "Idempotency-Key"
risk = "financial"
[connectors.shop.operations.put_event]
method = "PUT"
path = "/events/{{key}}"
class = "B"
risk = "reversible"
find = {{ method = "GET", path = "/events/{{key}}", lag = "50ms" }}
undo = {{ method = "DELETE", path = "/events/{{key}}" }}
[connectors.shop.operations.notify]
method = "POST"
path = "/notes"
class = "C"
timeout = "500ms"

[[policy.rules]]
name = "reminders may go out alone"
when = 'proposal.connector == "shop" && proposal.operation == "put_event"'
then = "allow"
mode = "audit"
"""


@dataclass
class Shop:
    """A provider that counts what it was asked; ``silent`` makes it hang up without an answer."""

    port: int = 0
    seen: list[tuple[str, str, Any, str]] = field(default_factory=list)
    silent: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, _ = head.split(" ", 2)
        fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head.split("\r\n")[1:])}
        body = await reader.readexactly(int(fields.get("content-length") or 0))
        self.seen.append((method, path, json.loads(body) if body else None, fields.get("idempotency-key", "")))
        if not self.silent:
            answer = b'{"id": "ch_1"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(answer) + answer)
            await writer.drain()
        writer.close()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


@pytest.fixture
def app(tmp_path: Path, shop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "soloist.toml").write_text(TOML.format(port=shop.port))
    made = App(databases.home(tmp_path / "home"))
    yield made
    made.close()


Clients = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def clients(app: App) -> AsyncIterator[Clients]:
    """Makes a client whose token has the given scopes."""
    routes = Starlette(routes=[Mount("/api/v1", api.create(app))])
    door = SecurityMiddleware(routes, app.access, app.settings.server)
    opened: list[httpx.AsyncClient] = []

    def client(scopes: str = "read,propose,approve", name: str = "test") -> httpx.AsyncClient:
        token = app.access.issue_token(name, parse_scopes(scopes.split(",")), None)
        transport = httpx.ASGITransport(app=door, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", headers=headers))
        return opened[-1]

    yield client
    for each in opened:
        await each.aclose()


@pytest.fixture
def http(clients: Clients) -> httpx.AsyncClient:
    return clients()


@pytest.fixture
async def running(app: App) -> AsyncIterator[App]:
    """The App with its engine, so that approved things leave."""
    await app.start()
    yield app
    await app.stop()


@pytest.fixture
def eventually(http: httpx.AsyncClient) -> Any:
    """Asks an address until its answer fits, for a minute and more."""

    async def ask(path: str, fits: Callable[[Any], bool]) -> Any:
        for _ in range(1500):
            answer = (await http.get(path)).json()
            if fits(answer):
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} still says {answer}")

    return ask
