"""From an accepted event to the first line of its flow, and from an enquiry over the API to its card."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import sqlalchemy as sa

from bench import world
from bench.figures import Figure, both
from soloist.app import App
from soloist.engine.store.tables import tasks
from soloist.web import server

EVENTS = 100
ENQUIRIES = 40


def run() -> list[Figure]:
    """Both ways, one message at a time, on a home with a running engine."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    """The cold enquiry comes first, before anything in this process is warm."""
    async with world.running() as app:
        transport = httpx.ASGITransport(server.create(app, start=False))
        token = app.access.issue_token("bench", frozenset({"read", "propose"}), None)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
            cold = await _until_card(app, client, 0)
            warm = [await _until_card(app, client, number) for number in range(1, ENQUIRIES + 1)]
        return [
            *await _until_flow(app),
            Figure("enquiry to card, the first one", cold, "ms", "", "loads the skills and starts the worker"),
            *both("enquiry to card", warm, p95="< 500"),
        ]


async def _until_card(app: App, client: httpx.AsyncClient, waiting: int) -> float:
    """Milliseconds from POST /api/v1/events until one more card is committed, looked for every 2 ms."""
    name, payload = world.enquiry()
    body = {"source": "bench", "external_id": name, "kind": "message.received", "payload": payload}
    begun = time.perf_counter()
    answer = await client.post("/api/v1/events", json=body)
    answer.raise_for_status()
    count = sa.select(sa.func.count()).select_from(tasks)
    while await app.store.read(lambda conn: conn.execute(count).scalar() or 0) <= waiting:
        await asyncio.sleep(0.002)
        if time.perf_counter() - begun > 60:
            raise TimeoutError("no card came within a minute")
    return (time.perf_counter() - begun) * 1e3


async def _until_flow(app: App) -> list[Figure]:
    """From the answer of ``accept`` and from its call until the flow's first step is entered."""
    from_call, from_answer = [], []
    entered: asyncio.Queue[float] = asyncio.Queue()
    receive = app.desk.intake.receive

    async def noted(*args: Any) -> Any:
        entered.put_nowait(time.perf_counter())
        return await receive(*args)

    app.desk.intake.receive = noted  # type: ignore[method-assign]  # the flow's first line is a step that calls this
    for _ in range(EVENTS):
        name, payload = world.enquiry()
        begun = time.perf_counter()
        await app.desk.intake.accept("bench", name, "message.received", payload, actor="token:bench")
        accepted = time.perf_counter()
        at = await asyncio.wait_for(entered.get(), 30)
        from_call.append((at - begun) * 1e3)
        from_answer.append((at - accepted) * 1e3)
        await asyncio.sleep(0.15)  # the rest of this flow is not to be in the way of the next
    return [
        *both("accepted event to the first line of its flow", from_answer, p50="< 10"),
        *both("the same with the commit of the event", from_call),
    ]
