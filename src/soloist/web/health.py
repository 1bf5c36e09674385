"""Health: what /healthz and /readyz answer, for a watcher outside; it repairs nothing.

/healthz says that the process answers. /readyz answers 503 with the reasons while work cannot be done; a source in
trouble is listed and tried again by itself, so it counts only with ``?strict=1``, which is what a dead-man ping asks.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from soloist.app import App
from soloist.engine.waking import Waking
from soloist.insight import reconcile, watching
from soloist.kernel.errors import SoloistError
from soloist.web.security import is_loopback

DATABASE_WITHIN = 5.0
"""Seconds the database has for an empty commit."""
SETTLE = 3.0
"""Seconds that sources have after a sleep before what became due meanwhile is looked at."""


async def healthz(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"ok": True})


async def readyz(request: Request) -> Response:
    """Whether work can be done now: {ok}; on this machine also why not: engine, database, sources, reasons."""
    app: App = request.app.state.app
    found: dict[str, Any] = {
        "engine": app.engine is not None,
        "database": await _database(app),
        "sources": dict(app.sources.troubles),
        "stopped_since": "",
        "mismatches": {"open": 0, "oldest": ""},
    }
    if found["database"]:
        halt = app.desk.effects.halt
        found["stopped_since"] = await app.store.read(lambda conn: watching.halted_since(conn, halt))
        found["mismatches"] = await app.store.read(reconcile.standing)
    reasons = _reasons(found, strict=request.query_params.get("strict") == "1")
    answer: dict[str, Any] = {"ok": not reasons}
    if request.client is not None and is_loopback(request.client.host):  # names of mailboxes are nobody else's business
        answer |= {**found, "reasons": reasons}
    return JSONResponse(answer, status_code=503 if reasons else 200)


def _reasons(found: dict[str, Any], *, strict: bool) -> list[str]:
    """What keeps work from being done, one sentence each."""
    reasons = []
    if not found["engine"]:
        reasons.append("The engine is not running yet.")
    if not found["database"]:
        reasons.append(f"The database took no write within {DATABASE_WITHIN:.0f} s.")
    if strict:
        reasons += [f"{name} cannot be read: {trouble}" for name, trouble in sorted(found["sources"].items())]
    if strict and found["stopped_since"]:
        reasons.append(f"Everything outbound is stopped since {found['stopped_since']}.")
    return reasons


async def _database(app: App) -> bool:
    """Whether an empty commit goes through."""
    try:
        await asyncio.wait_for(app.store.write(lambda tx: None, full=False), DATABASE_WITHIN)
    except (SoloistError, TimeoutError):
        return False
    return True


def watch_of(app: App) -> Waking:
    """The watch for sleep: sources first, so that a client's new word is in before anything held goes out."""

    async def sources(_slept: float) -> None:
        app.sources.wake()
        await asyncio.sleep(SETTLE)

    async def deadlines(slept: float) -> None:
        if app.engine is not None:  # it is loaded behind the first page, so not imported above
            await importlib.import_module("soloist.engine.durable.rechecking").recheck(slept)

    return Waking(app.store, [sources, deadlines])
