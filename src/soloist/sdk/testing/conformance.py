"""The conformance suites: what every connector that writes or reads must do; they assert, they repair nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, cast

from soloist.sdk.connector import (
    Absent,
    Arrival,
    CannotTell,
    Connector,
    Ctx,
    Done,
    Found,
    HttpAnswer,
    MaybeSent,
    NotSent,
    Page,
    Refused,
    Unknown,
)
from soloist.sdk.testing.fakes import BrokenHttp, FakeHttp

KEY = "k2f7q0a9example"
OTHER_KEY = "k9z1other7example"
AT = "2026-11-21T09:30:00+00:00"


@dataclass(frozen=True)
class Case:
    """One operation with a payload that is right; ``ctx`` makes a fresh Ctx against a world where nothing happened.

    ``proves_absence``: class B says Absent before the write; without it, it may only say that it cannot tell.
    """

    connector: Connector
    operation: str
    payload: Mapping[str, Any]
    ctx: Callable[[], Ctx]
    secret: str = ""
    proves_absence: bool = True


@dataclass(frozen=True)
class StreamCase:
    """A stream with mails waiting on several pages; ``ctx`` makes a fresh Ctx against a world in that same state.

    ``start`` is the cursor to begin with, ``count`` how many arrivals there are in all.
    """

    connector: Connector
    stream: str
    ctx: Callable[[], Ctx]
    count: int
    start: str = ""


async def check_connector(case: Case) -> None:
    """Every check that applies to the case; AssertionError names what does not hold."""
    _operation_is_honest(case)
    _prepare_is_pure(case)
    _wrong_payloads_are_value_errors(case)
    await _write_then_find(case)
    ctx = case.ctx()
    if ctx.http is not None and ctx.dial is None:  # one that dials writes over its own line, HTTP only lets it in
        await _broken_lines_are_told_apart(case)
        await _unclear_answers_are_unknown(case)


def _operation_is_honest(case: Case) -> None:
    operation = case.connector.operations(case.ctx())[case.operation]
    assert operation.timeout > 0, "an operation needs a time limit"
    assert operation.effect_class != "A" or operation.key_window > 0, "class A needs the window of its key"
    assert operation.undo == "none" or operation.way_back, "an undo needs a sentence"


def _prepare_is_pure(case: Case) -> None:
    def prepared(key: str = KEY) -> Any:
        return case.connector.prepare(case.ctx(), case.operation, case.payload, key, AT)

    assert prepared().request == prepared().request, "the same payload, key and time must give the same bytes"
    assert prepared().request != prepared(OTHER_KEY).request, "the key must be part of the request"
    assert prepared().preview, "a person needs something to read"
    if case.secret:
        assert case.secret not in f"{prepared()}", "a plan must not hold a secret"


def _wrong_payloads_are_value_errors(case: Case) -> None:
    for wrong in ("no such operation", "../x"):
        try:
            case.connector.prepare(case.ctx(), wrong, case.payload, KEY, AT)
        except ValueError:
            continue
        raise AssertionError(f"an operation {wrong!r} must be a ValueError")


async def _write_then_find(case: Case) -> None:
    """Doing it is Done with a reference; class B finds it afterwards, and only under its own key."""
    ctx = case.ctx()
    plan = case.connector.prepare(ctx, case.operation, case.payload, KEY, AT)
    before = await case.connector.find(ctx, plan)
    outcome = await case.connector.execute(ctx, plan)
    assert isinstance(outcome, Done), f"a working world must give Done, not {outcome}"
    assert outcome.receipt.provider_ref, "a receipt needs the provider's id"
    if plan.operation.effect_class != "B":
        return
    nothing = Absent if case.proves_absence else CannotTell
    assert isinstance(before, nothing), f"before the write the look-up must say {nothing.__name__}, not {before}"
    assert isinstance(await case.connector.find(ctx, plan), Found), "after the write the look-up must say Found"
    other = case.connector.prepare(ctx, case.operation, case.payload, OTHER_KEY, AT)
    assert isinstance(await case.connector.find(ctx, other), nothing), "another key must not be found"


async def _broken_lines_are_told_apart(case: Case) -> None:
    for error, wanted in ((NotSent("no connection"), Refused), (MaybeSent("cut"), Unknown)):
        ctx = replace(case.ctx(), http=BrokenHttp(error))
        plan = case.connector.prepare(ctx, case.operation, case.payload, KEY, AT)
        outcome = await case.connector.execute(ctx, plan)
        assert isinstance(outcome, wanted), f"{type(error).__name__} must become {wanted.__name__}, not {outcome}"
        assert isinstance(await case.connector.find(ctx, plan), CannotTell), "a broken look-up is not absence"


async def _unclear_answers_are_unknown(case: Case) -> None:
    unclear = (
        HttpAnswer(500, {}, b"boom"),
        HttpAnswer(302, {"location": "https://elsewhere.example/"}, b""),
        HttpAnswer(200, {"content-type": "text/html"}, b"<html>please sign in</html>"),
        HttpAnswer(200, {"content-type": "application/json"}, b'{"id": '),
    )
    for answer in unclear:
        http = FakeHttp(lambda method, url, body, answer=answer: answer)  # type: ignore[misc]  # bound early
        ctx = replace(case.ctx(), http=http)
        plan = case.connector.prepare(ctx, case.operation, case.payload, KEY, AT)
        outcome = await case.connector.execute(ctx, plan)
        assert isinstance(outcome, Unknown), f"an answer {answer.status} {answer.body!r} is unknown, not {outcome}"
        assert len(http.sent) == 1, "an adapter never tries again by itself"


PATIENCE = 5.0
"""Seconds a watch has to end after it is told to."""


async def check_stream(case: StreamCase) -> None:
    """Every check of a stream; AssertionError names what does not hold.

    Arrivals are put aside with ``done_with`` after their page, as the core does.
    """
    pages = await _to_the_end(case)
    _pages_are_whole(case, pages)
    await _looking_changes_nothing(case)
    for cut in range(1, len(pages)):
        await _goes_on_after(case, cut)
    await _the_end_stays_the_end(case)
    await _watching_ends(case)


async def _to_the_end(case: StreamCase) -> list[Page]:
    return await _committed(case, case.ctx(), case.start)


async def _committed(case: StreamCase, ctx: Ctx, cursor: str, pages: int = 0) -> list[Page]:
    """Pages, each put aside as after its commit; only the first ``pages`` when that is not 0."""
    found: list[Page] = []
    async with aclosing(cast(Any, case.connector.pull(ctx, case.stream, cursor))) as source:
        async for page in source:
            found.append(page)
            for arrival in page.arrivals:
                case.connector.done_with(ctx, arrival)
            if len(found) == pages:
                break
    return found


def _taken(pages: list[Page]) -> list[Arrival]:
    return [arrival for page in pages for arrival in page.arrivals]


def _pages_are_whole(case: StreamCase, pages: list[Page]) -> None:
    taken = _taken(pages)
    names = {arrival.external_id for arrival in taken}
    assert len(pages) > 1, "the case needs more than one page, or it shows nothing"
    assert len(taken) == case.count, f"{case.count} arrivals wait, {len(taken)} came"
    assert len(names) == case.count, "every arrival needs an id of its own"
    assert all(arrival.raw and arrival.kind for arrival in taken), "an arrival needs its bytes and its kind"
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True], "only the last page is complete"
    assert pages[-1].total in (None, case.count), "a total that is known must be right"


async def _looking_changes_nothing(case: StreamCase) -> None:
    """Two pulls from one cursor, without a commit between them, see the same."""
    ctx = case.ctx()
    first, second = [await _first(case, ctx) for _ in range(2)]
    assert first.arrivals == second.arrivals, "the same cursor must give the same page again"


async def _first(case: StreamCase, ctx: Ctx) -> Page:
    async with aclosing(cast(Any, case.connector.pull(ctx, case.stream, case.start))) as source:
        return cast(Page, await anext(cast(AsyncIterator[Page], source)))


async def _goes_on_after(case: StreamCase, cut: int) -> None:
    """Stopped after some pages and begun anew from the last cursor: nothing twice, nothing lost."""
    ctx = case.ctx()
    before = await _committed(case, ctx, case.start, cut)
    after = await _committed(case, ctx, before[-1].cursor)
    names = [arrival.external_id for arrival in _taken(before) + _taken(after)]
    assert len(names) == len(set(names)), f"after page {cut} something came twice"
    assert len(names) == case.count, f"after page {cut} {case.count - len(names)} arrivals were lost"


async def _the_end_stays_the_end(case: StreamCase) -> None:
    ctx = case.ctx()
    pages = await _committed(case, ctx, case.start)
    again = await _committed(case, ctx, pages[-1].cursor)
    assert not _taken(again), "after the last page nothing waits"
    assert all(page.complete for page in again), "a page with nothing after it is complete"


async def _watching_ends(case: StreamCase) -> None:
    """A watch that is cancelled ends soon, whatever it waits for."""

    async def watch() -> None:
        async for _hint in case.connector.watch(case.ctx(), case.stream):
            pass

    task = asyncio.create_task(watch())
    await asyncio.sleep(0.2)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=PATIENCE)
    assert done, "a cancelled watch must end"
    with contextlib.suppress(asyncio.CancelledError):
        task.result()
