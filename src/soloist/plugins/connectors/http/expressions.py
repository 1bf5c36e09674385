"""Expressions of the operator over an answer: CEL over status, body, headers and key; one that fails is not true."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from soloist.sdk import HttpAnswer


def facts(answer: HttpAnswer, body: Any, key: str) -> dict[str, Any]:
    """What an expression may look at; header names are in lower case."""
    return {"status": answer.status, "body": body, "headers": dict(answer.headers), "key": key}


@lru_cache(maxsize=1)
def _environment() -> Any:
    # start-up time: only homes with an expression pay for it
    from cel_expr_python import cel

    text, any_value = cel.Type.STRING, cel.Type.DYN
    return cel.NewEnv(variables={"status": cel.Type.INT, "body": any_value, "headers": any_value, "key": text})


@lru_cache(maxsize=256)
def compiled(expression: str, kinds: frozenset[str] = frozenset({"BOOL"})) -> Any:
    """A checked expression; ValueError with line and column when it is wrong or gives another kind of value."""
    try:
        ready = _environment().compile(expression)
    except RuntimeError as error:
        raise ValueError(f"{expression!r} cannot be used: {str(error).partition('[INVALID')[0].strip()}") from error
    if ready.return_type().name() not in {"DYN", *kinds}:
        wanted = "true or false" if "BOOL" in kinds else "a text"
        raise ValueError(f"{expression!r} gives {ready.return_type().name()}, but {wanted} is needed")
    return ready


def holds(expression: str, known: Mapping[str, Any]) -> bool:
    """Whether the expression is true; one that fails on this answer (a missing field) is not."""
    return compiled(expression).eval(data=dict(known)).plain_value() is True


def text(expression: str, known: Mapping[str, Any]) -> str:
    """The text or number an expression gives, "" when it fails."""
    value = compiled(expression, frozenset({"STRING", "INT"})).eval(data=dict(known))
    plain = value.plain_value() if value.type().name() in ("STRING", "INT") else ""
    return str(plain)[:200] if isinstance(plain, str | int) else ""


def place(value: Any, where: str) -> Any:
    """What stands at a dotted place of a JSON value, None when nothing does; numbers count into lists."""
    for part in where.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.lstrip("-").isdigit() and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
