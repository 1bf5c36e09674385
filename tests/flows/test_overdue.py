"""Effects whose moment passed long ago wait for the mail of the meantime and then go one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from soloist.engine.store import effects
from soloist.engine.store.clock import iso
from soloist.flows.overdue import overdue

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def went(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, float]]]:
    """Tries effects that are late by so many seconds at once; answers which went after how long."""

    def run(*late: float, attempts: int = 0, settle: float = 0.2) -> list[tuple[str, float]]:
        rows = {str(s): {"not_before": iso(NOW - timedelta(seconds=s)), "attempts": attempts} for s in late}
        monkeypatch.setattr(effects, "get", lambda _conn, ident: rows[ident])

        async def read(query: Any) -> Any:
            return query(None)

        async def work() -> list[tuple[str, float]]:
            loop, found = asyncio.get_running_loop(), list[tuple[str, float]]()
            began = loop.time()

            async def attempt(_run: str, ident: str) -> dict[str, Any]:
                found.append((ident, loop.time() - began))
                return {"state": "succeeded"}

            store: Any = SimpleNamespace(read=read, clock=lambda: NOW)
            later = overdue(store, attempt, settle=settle, pace=0.1)
            await asyncio.gather(*(later("run", ident) for ident in rows))
            return found

        return asyncio.run(work())

    return run


def test_what_is_due_now_goes_at_once(went: Callable[..., Any]) -> None:
    ((_, after),) = went(5.0, settle=60.0)
    assert after < 30


def test_what_is_overdue_waits_and_goes_alone(went: Callable[..., Any]) -> None:
    times = [after for _, after in went(3600.0, 3601.0, 3602.0)]
    assert all(after >= 0.2 + 0.1 * turn - 0.01 for turn, after in enumerate(times, 1))


def test_a_second_try_waits_for_nothing_more(went: Callable[..., Any]) -> None:
    ((_, after),) = went(3600.0, attempts=1, settle=60.0)
    assert after < 30


def test_runs_of_two_loops_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine goes on with what a dead process left in an event loop of its own, beside the server's."""
    late = {"not_before": iso(NOW - timedelta(hours=1)), "attempts": 0}
    monkeypatch.setattr(effects, "get", lambda _conn, _ident: late)
    went: list[float] = []

    async def read(query: Any) -> Any:
        return query(None)

    async def attempt(_run: str, _ident: str) -> dict[str, Any]:
        went.append(time.monotonic())
        return {"state": "succeeded"}

    store: Any = SimpleNamespace(read=read, clock=lambda: NOW)
    later = overdue(store, attempt, settle=0.1, pace=0.1)

    async def three() -> None:
        await asyncio.gather(*(later("run", str(n)) for n in range(3)))

    began = time.monotonic()
    with ThreadPoolExecutor(2) as loops:
        for done in [loops.submit(asyncio.run, three()) for _ in range(2)]:
            done.result()
    assert len(went) == 6
    assert all(after - began >= 0.1 + 0.1 * turn - 0.01 for turn, after in enumerate(sorted(went), 1))
