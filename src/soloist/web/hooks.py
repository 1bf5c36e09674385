"""Webhooks in: POST /hooks/{connector}, verified over the raw bytes, committed, then answered."""

from __future__ import annotations

import json
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from soloist.app import App
from soloist.config import ConnectorPart
from soloist.kernel.errors import BadInput, SoloistError
from soloist.kernel.inbound import MESSAGE
from soloist.web.security import problem
from soloist.web.signatures import verified

MOST = 1024 * 1024
"""Largest body of a webhook, in bytes."""


def routes() -> list[Route]:
    """The route to mount at the root."""
    return [Route("/hooks/{connector}", receive, methods=["POST"])]


async def receive(request: Request) -> Response:
    """202 with the event after its commit, 200 when this delivery came before; refusals say nothing of secrets."""
    app: App = request.app.state.app
    name = request.path_params["connector"]
    part = app.settings.connectors.get(name)
    if part is None or not part.webhook_secret:
        return problem(404, "Not found", "No webhook is taken here.")
    body = await _body(request)
    if body is None:
        return problem(413, "Too large", f"A webhook may have {MOST} bytes.")
    headers = {key.lower(): value for key, value in request.headers.items()}
    try:
        secrets = (await run_in_threadpool(app.keyring.secret, part.webhook_secret)).splitlines()
    except SoloistError:
        return problem(401, "Not verified", "The signature of this delivery could not be checked.")
    delivery = verified(part.webhook_scheme, [s for s in secrets if s], headers, body, now=time.time())
    if not delivery:
        return problem(401, "Not verified", "The signature does not fit these bytes, or its time is over.")
    return await _accept(app, name, part, delivery=delivery, body=body, headers=headers)


async def _accept(
    app: App, name: str, part: ConnectorPart, *, delivery: str, body: bytes, headers: dict[str, str]
) -> Response:
    """Commit one verified delivery."""
    try:
        payload = json.loads(body)
        if not isinstance(payload, dict):
            raise BadInput("The body: a JSON object.")
        delivery = str(payload.get("id") or delivery) if part.webhook_scheme == "stripe" else delivery
        kind, payload = _event(part, payload, headers)
        event, new = await app.desk.intake.accept(f"hook:{name}", delivery, kind, payload, actor="outside")
    except (ValueError, RecursionError):
        return problem(400, "Not JSON", "The body: a JSON object.")
    except SoloistError as error:
        return problem(error.status, "Not accepted", error.detail, field=error.field)
    return JSONResponse({"id": event.id, "seq": event.seq}, status_code=202 if new else 200)


def _event(part: ConnectorPart, payload: dict[str, Any], headers: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Kind and payload: a message when the operator said which fields make one, else what the provider calls it."""
    if part.webhook_message:
        message = {field: _dotted(payload, path) for field, path in part.webhook_message.items()}
        return MESSAGE, {key: value for key, value in message.items() if value}
    said = payload.get("type") or headers.get("x-github-event") or "hook.received"
    kind = str(said).strip().lower().replace(" ", ".")[:90]
    return (kind if not kind.startswith("soloist") else f"hook.{kind}"), payload


def _dotted(payload: Any, path: str) -> str:
    """A field by its dotted path as text, "" when it is not there."""
    for part in path.split("."):
        payload = payload.get(part) if isinstance(payload, dict) else None
    return payload if isinstance(payload, str) else "" if payload is None else str(payload)


async def _body(request: Request) -> bytes | None:
    """The raw bytes, None when there are too many; what is too long is not read to its end."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST:
            return None
        parts.append(chunk)
    return b"".join(parts)
