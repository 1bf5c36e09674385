"""The conformance suite: what every writing connector must do, whatever it talks to; it asserts, it repairs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from soloist.sdk.connector import (
    Absent,
    CannotTell,
    Connector,
    Ctx,
    Done,
    Found,
    HttpAnswer,
    MaybeSent,
    NotSent,
    Refused,
    Unknown,
)
from soloist.sdk.testing.fakes import BrokenHttp, FakeHttp

KEY = "k2f7q0a9example"
OTHER_KEY = "k9z1other7example"
AT = "2026-11-21T09:30:00+00:00"


@dataclass(frozen=True)
class Case:
    """One operation with a payload that is right; ``ctx`` makes a fresh Ctx against a world where nothing happened."""

    connector: Connector
    operation: str
    payload: Mapping[str, Any]
    ctx: Callable[[], Ctx]
    secret: str = ""


async def check_connector(case: Case) -> None:
    """Every check that applies to the case; AssertionError names what does not hold."""
    _operation_is_honest(case)
    _prepare_is_pure(case)
    _wrong_payloads_are_value_errors(case)
    await _write_then_find(case)
    if case.ctx().http is not None:
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
    assert isinstance(before, Absent), f"before the write the look-up must say Absent, not {before}"
    assert isinstance(await case.connector.find(ctx, plan), Found), "after the write the look-up must say Found"
    other = case.connector.prepare(ctx, case.operation, case.payload, OTHER_KEY, AT)
    assert isinstance(await case.connector.find(ctx, other), Absent), "another key must not be found"


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
