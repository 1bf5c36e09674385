"""Problems: every refusal as an RFC 9457 document that names the field and what would be right; never a trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from soloist.kernel.errors import SoloistError

TITLES = {
    400: "Not readable",
    401: "Sign in",
    403: "Not allowed",
    404: "There is nothing here",
    405: "Not possible here",
    409: "Conflict",
    412: "It has changed in the meantime",
    413: "Too large",
    415: "Wrong content type",
    422: "Not acceptable as it is",
    428: "Say which version you read",
    429: "Too many",
    500: "Something went wrong",
    503: "Not ready",
}
MEDIA = "application/problem+json"


class Problem(BaseModel):
    """What is wrong, in RFC 9457 form; ``field`` names the part of the request, further members are facts."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Refused: a problem document",
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the form of a problem and the bearer token added."""
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {}).setdefault("Problem", Problem.model_json_schema())
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}]
    return schema


def problem(
    status: int,
    detail: str,
    *,
    field: str | None = None,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document."""
    body: dict[str, Any] = {
        **(extra or {}),
        "type": "about:blank",
        "title": TITLES.get(status, "Refused"),
        "status": status,
        "detail": detail,
    }
    if field is not None:
        body["field"] = field
    return Response(json.dumps(body, default=str), status, headers, media_type=MEDIA)


def exception_handlers() -> dict[int | type[Exception], Callable[[Request, Any], Any]]:
    """One handler for each kind of fault, as FastAPI takes them."""
    return {
        SoloistError: _ours,
        HTTPException: _http,
        RequestValidationError: _invalid,
        Exception: _unexpected,
    }


async def _ours(_: Request, error: SoloistError) -> Response:
    """Our own errors carry status, sentence, field and facts."""
    return problem(error.status, error.detail, field=error.field, extra=error.extra)


async def _http(_: Request, error: HTTPException) -> Response:
    """What routing and the strict reading refuse."""
    sentences = {404: "This address does not exist in the API.", 405: "This address does not take this method."}
    plain = error.detail in ("Not Found", "Method Not Allowed")
    detail = sentences.get(error.status_code, error.detail) if plain else error.detail
    return problem(error.status_code, detail, field=getattr(error, "field", None), headers=error.headers)


async def _invalid(_: Request, error: RequestValidationError) -> Response:
    """A body or parameter that does not fit: each fault with its field, the first one as the sentence."""
    faults = [_fault(one) for one in error.errors()]
    return problem(422, faults[0]["message"], field=faults[0]["field"], extra={"errors": faults[:20]})


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    """One fault of validation in plain words."""
    place = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]]
    field = "".join(place[1:] if len(place) > 1 else place).removeprefix(".")[:200]
    kind, said = str(error["type"]), str(error["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        said = "is needed and was not sent."
    elif kind == "extra_forbidden":
        said = "is not a known field here; leave it out."
    return {"field": field, "message": f"{field}: {said}"}


async def _unexpected(_: Request, error: Exception) -> Response:
    """A fault of ours: said without its trace, which is in the log."""
    return problem(500, "The server met an error; it is in the log. Look at the resource before you try again.")
