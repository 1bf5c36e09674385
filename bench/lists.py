"""Server time of the lists in the console at 100,000 events, 10,000 records and 150 open cards."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from bench import world
from bench.figures import Figure, both
from soloist.app import App
from soloist.engine.store import journal, records
from soloist.engine.store.tx import Tx
from soloist.kernel.access import Session, secret_hash
from soloist.web import server
from soloist.web.security import cookie_name

EVENTS, RECORDS, CARDS = 100_000, 10_000, 150
PAGES = {"inbox": "/", "activity": "/activity", "records": "/records", "people": "/records?kind=person"}
TIMES = 60
KINDS = ("mail.received", "message.read", "effect.succeeded", "record.changed", "identity.attached")


def run() -> list[Figure]:
    """A full home, its pages asked for one after the other in process, signed in as a browser is."""
    with world.home() as app:
        return asyncio.run(_measure(app))


async def _measure(app: App) -> list[Figure]:
    """Fill, check that the home is what the name of this benchmark says, ask."""
    begun = time.perf_counter()
    await _fill(app)
    filled = time.perf_counter() - begun
    events = await app.store.read(journal.head)
    whole = not app.verify_journal().faults
    transport = httpx.ASGITransport(server.create(app, start=False))
    await app.access.create_session(Session(secret_hash("bench"), time.time(), time.time()))
    cookies = {cookie_name("http"): "bench"}
    figures: list[Figure] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", cookies=cookies) as client:
        for name, path in PAGES.items():
            figures += both(f"page {name}", await _ask(client, path), p50="< 50", p95="< 50")
    note = f"filled in {filled:.0f} s; journal {'whole' if whole else 'BROKEN'}"
    return [Figure("events behind the pages", events, "events", "", note), *figures]


async def _ask(client: httpx.AsyncClient, path: str) -> list[float]:
    """Milliseconds of each answer, after three that warm up."""
    spent = []
    for _ in range(TIMES + 3):
        begun = time.perf_counter()
        answer = await client.get(path)
        spent.append((time.perf_counter() - begun) * 1e3)
        answer.raise_for_status()
        if answer.status_code != 200:
            raise ValueError(f"{path} answered {answer.status_code}")
    return spent[3:]


async def _fill(app: App) -> None:
    """Records and cards the way they are made in earnest, then plain events about them, 2,000 in a commit."""
    made: list[str] = []
    for first in range(0, RECORDS, 1000):
        made += await app.store.write(lambda tx, first=first: _people(tx, first, first + 1000), full=False)
    for number in range(CARDS):
        await app.desk.propose_over_api(world.mail_proposal(number), actor="token:bench")
    missing = EVENTS - await app.store.read(journal.head)
    for first in range(0, missing, 2000):
        count = min(2000, missing - first)
        await app.store.write(lambda tx, count=count: _events(tx, made, count), full=False)


def _people(tx: Tx, first: int, last: int) -> list[str]:
    """Records of people; answers their ids."""
    made = []
    for number in range(first, last):
        body = {"name": f"Client {number}", "email": f"client{number}@okafor-ceramics.example"}
        made.append(records.create(tx, "person", body["name"], body, why="first message"))
    return made


def _events(tx: Tx, about: list[str], count: int) -> None:
    """Events of the kinds that a journal is mostly made of."""
    for number in range(count):
        payload: dict[str, Any] = {"conversation": about[-1], "event": about[number % len(about)], "changed": ["name"]}
        tx.append(KINDS[number % len(KINDS)], subject=about[number % len(about)], payload=payload)
