"""Strict: requests are refused before they are parsed when they are too large, not JSON, or JSON nobody could store."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, NoReturn

from fastapi import HTTPException
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

MAX_BODY = 1024 * 1024
"""Bytes of the body of one API request."""

DEEPEST = 64
"""Levels of nesting in a JSON body."""

_LARGEST = 2**63
_BODIES = frozenset({"POST", "PUT", "PATCH"})


class StrictRequest(Request):
    """A request whose body is bounded while it streams in and parsed without the holes of JSON parsers."""

    most = MAX_BODY

    async def body(self) -> bytes:
        """The whole body; 413 as soon as it is longer than ``most``."""
        if not hasattr(self, "_body"):
            parts, size = [], 0
            async for part in self.stream():
                size += len(part)
                if size > self.most:
                    _too_large(self.most)
                parts.append(part)
            self._body = b"".join(parts)
        return self._body

    async def json(self) -> Any:
        """The parsed body; 400 when it is not JSON, 422 when it holds what cannot be stored exactly."""
        return parse(await self.body())


class StrictRoute(APIRoute):
    """A route that knows its query parameters and takes JSON only, of at most ``most`` bytes."""

    most: ClassVar[int] = MAX_BODY

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler behind the checks."""
        handle = super().get_route_handler()
        known = sorted(str(field.alias) for field in self.dependant.query_params)
        takes_body = self.body_field is not None
        optional = takes_body and not self.body_field.field_info.is_required()  # type: ignore[union-attr]  # not None

        async def checked(request: Request) -> Response:
            _check_address(request, known)
            if takes_body and not (optional and _without_body(request)):
                _check_headers(request, self.most)
            taken = StrictRequest(request.scope, request.receive)
            taken.most = self.most
            try:
                return await handle(taken)
            except ClientDisconnect:
                raise HTTPException(400, "The request ended before its body was whole; nothing was stored.") from None

        return checked


class WideRoute(StrictRoute):
    """A route that takes many items at once."""

    most = 32 * MAX_BODY


def _check_address(request: Request, known: list[str]) -> None:
    """Refuse unknown query parameters and characters that no id has."""
    if "\x00" in request.scope["path"] or b"%00" in request.scope.get("query_string", b""):
        raise HTTPException(400, "The address holds a NUL character.")
    for name in request.query_params:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise _Field(422, f"{name[:60]}: there is no such parameter here; known: {listed}.", name[:60])


def _without_body(request: Request) -> bool:
    """Whether a request brings no body at all."""
    names = request.headers
    return names.get("content-length", "0") == "0" and not {"transfer-encoding", "content-type"} & set(names)


def _check_headers(request: Request, most: int) -> None:
    """JSON or nothing, and not announced as too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, f"Send the body as application/json, not as {kind[:60] or 'nothing named'}.")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) > 15 or int(length) > most:
        _too_large(most)


def _too_large(most: int) -> NoReturn:
    raise HTTPException(413, f"A body may have {most} bytes. Nothing was stored.")


class _Field(HTTPException):
    """A refusal that names the field it is about."""

    def __init__(self, status: int, detail: str, field: str) -> None:
        super().__init__(status, detail)
        self.field = field


def parse(body: bytes) -> Any:
    """A JSON value from UTF-8 bytes: finite numbers, integers of 64 bits, whole characters, ``DEEPEST`` levels."""
    try:
        value = json.loads(body.decode(), parse_constant=_constant, parse_float=_real, parse_int=_integer)
    except RecursionError:
        raise HTTPException(400, f"The body is nested deeper than {DEEPEST} levels.") from None
    except UnicodeDecodeError:
        raise HTTPException(400, "The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise HTTPException(400, f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    if body.count(b"{") + body.count(b"[") > DEEPEST and not _shallow(value):
        raise HTTPException(400, f"The body is nested deeper than {DEEPEST} levels.")
    if b"\\u" in body:
        _whole_characters(value)
    return value


def _constant(name: str) -> NoReturn:
    raise HTTPException(400, f"The body is not JSON: {name} is not a number in JSON.")


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise HTTPException(422, f"The number {text[:40]} is too large to be stored.")
    return number


def _integer(text: str) -> int:
    if len(text) > 20 or not -_LARGEST <= int(text) < _LARGEST:
        raise HTTPException(422, f"The number {text[:40]} does not fit into 64 bits; send it as text.")
    return int(text)


def _shallow(value: Any) -> bool:
    """Whether a value has at most ``DEEPEST`` levels."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return not any(isinstance(inner, dict | list) for inner in level)


def _whole_characters(value: Any) -> None:
    """Refuse half of a character pair: it cannot be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise HTTPException(422, "The body holds half a character (a lone surrogate).") from None
