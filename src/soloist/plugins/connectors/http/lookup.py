"""The look-up of a write: two CEL expressions over status, body and key; what neither proves is "cannot tell"."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from soloist.plugins.connectors.http.answers import excerpt, parse_json
from soloist.sdk import Absent, CannotTell, Found, HttpAnswer, Lookup, Receipt


@lru_cache(maxsize=1)
def _environment() -> Any:
    # start-up time: only homes with a look-up pay for it
    from cel_expr_python import cel

    return cel.NewEnv(variables={"status": cel.Type.INT, "body": cel.Type.DYN, "key": cel.Type.STRING})


@lru_cache(maxsize=256)
def compiled(expression: str) -> Any:
    """A checked expression; ValueError with line and column when it is wrong or does not give true or false."""
    try:
        ready = _environment().compile(expression)
    except RuntimeError as error:
        raise ValueError(f"{expression!r} cannot be used: {str(error).partition('[INVALID')[0].strip()}") from error
    if ready.return_type().name() not in {"BOOL", "DYN"}:
        raise ValueError(f"{expression!r} gives {ready.return_type().name()}, but true or false is needed")
    return ready


def judge(answer: HttpAnswer, found: str, absent: str, *, key: str) -> Lookup:
    """Found or Absent when exactly one expression holds. A failing server proves nothing, whatever they say."""
    status = answer.status
    if status in {401, 403, 408, 425, 429} or status >= 500 or 300 <= status < 400:
        return CannotTell(f"the look-up was answered with {status}, which proves nothing")
    try:
        body = parse_json(answer.body) if answer.body.strip() else None
    except ValueError:
        body = None
    facts = {"status": status, "body": body, "key": key}
    is_found, is_absent = _holds(found, facts), _holds(absent, facts)
    if is_found and not is_absent:
        ref = body.get("id") if isinstance(body, dict) else None
        return Found(Receipt(str(ref)[:200] if isinstance(ref, str | int) else key, excerpt(answer)))
    if is_absent and not is_found:
        return Absent(f"the look-up answered {status}")
    return CannotTell(f"the look-up answered {status}, which proves neither presence nor absence")


def _holds(expression: str, facts: dict[str, Any]) -> bool:
    """Whether the expression is true; one that fails on this answer (a missing field) is not."""
    return compiled(expression).eval(data=facts).plain_value() is True
