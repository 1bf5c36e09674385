"""The conformance suite of failures: every one is of the closed set and says whether anything left; it asserts only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from soloist.sdk.connector import Absent, CannotTell, Ctx, Found, HttpAnswer, Refused, Trouble, Unknown
from soloist.sdk.faults import ADVICE, FAULTS, fault_of
from soloist.sdk.testing.conformance import AT, KEY, Case

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
ANSWERS = {
    **{f"{status}": HttpAnswer(status, {"content-type": "application/json"}, b"{}") for status in (401, 403, 429, 500)},
    "503 with a pause": HttpAnswer(503, {"retry-after": "5"}, b""),
    "409": HttpAnswer(409, {}, b""),
    "422": HttpAnswer(422, {}, b'{"error": "amount"}'),
    "html": HttpAnswer(200, {"content-type": "text/html"}, b"<html>sign in</html>"),
    "cut": HttpAnswer(200, {"content-type": "application/json"}, b'{"id": '),
    "moved": HttpAnswer(302, {"location": "http://169.254.169.254/"}, b""),
    "nothing": HttpAnswer(200, {}, b""),
}
"""Answers of a service in trouble."""


@dataclass(frozen=True)
class Broken:
    """A world that is broken in one way; ``reached`` is False when certainly nothing can have left."""

    name: str
    ctx: Callable[[], Ctx]
    reached: bool = True
    seen: list[str] = field(default_factory=list)


async def check_failures(case: Case, broken: Broken) -> None:
    """Everything the adapter says in a broken world; AssertionError names what does not hold."""
    plan = case.connector.prepare(case.ctx(), case.operation, case.payload, KEY, AT)
    outcome = await case.connector.execute(broken.ctx(), plan)
    assert isinstance(outcome, Refused | Unknown), f"{broken.name}: a broken world gives no {outcome}"
    fault, sent = fault_of(outcome) or ("", "")
    assert fault in FAULTS, f"{broken.name}: {fault!r} is not one of the closed set"
    assert sent == ("maybe" if isinstance(outcome, Unknown) else "no"), f"{broken.name}: sent is {sent!r}"
    assert broken.reached or sent == "no", f"{broken.name}: nothing can have left, but it says {sent!r}"
    assert outcome.reason, f"{broken.name}: a person needs a reason"
    broken.seen.append(fault)
    await _looking(case, broken)


async def _looking(case: Case, broken: Broken) -> None:
    """The look-up, the check and the list of the same broken world: none of them proves anything or writes."""
    plan = case.connector.prepare(case.ctx(), case.operation, case.payload, KEY, AT)
    found = await case.connector.find(broken.ctx(), plan)
    assert isinstance(found, CannotTell | Absent | Found), f"{broken.name}: the look-up gave {found}"
    if not broken.reached:
        assert isinstance(found, CannotTell), f"{broken.name}: a line that is down proves nothing, not {found}"
    health = await case.connector.check(broken.ctx())
    assert health.state in ("ok", "degraded", "auth", "down"), f"{broken.name}: the check gave {health}"
    if trouble := await _listing(case, broken):
        assert trouble.fault in ADVICE, f"{broken.name}: {trouble.fault!r} is not one of the closed set"
        assert trouble.sent == "no", f"{broken.name}: listing sends nothing"
        broken.seen.append(trouble.fault)


async def _listing(case: Case, broken: Broken) -> Trouble | None:
    """What listing in a broken world fails with."""
    try:
        async for _thing in case.connector.inventory(broken.ctx(), case.operation, SINCE):
            pass
    except Trouble as trouble:
        return trouble
    return None
