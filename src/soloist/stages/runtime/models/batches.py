"""Batches: the endpoint of a provider that answers many questions later and cheaper, as OpenAI's; it keeps no books.

What is sent is what the model library would send, and what comes back is read by it too, so that an answer of a batch
is in nothing different from one that came at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2

from soloist.config import seconds
from soloist.engine.egress import Resolver, system_resolver
from soloist.kernel.errors import BadConfig, ModelTrouble
from soloist.kernel.model_settings import ModelPart
from soloist.sdk import NotSent
from soloist.stages.runtime.models import transport, wire
from soloist.stages.runtime.models.wire import Came, Sent

PURPOSE, WINDOW, MARK = "batch", "24h", "soloist"
"""What the endpoint is told: the purpose of the file, the time it may take, and our name in the batch's metadata."""
LISTED = 100
"""Batches that are looked through for one whose sending was cut."""
_OVER = {"completed": "done", "failed": "failed", "expired": "expired", "cancelled": "cancelled"}


@dataclass(frozen=True)
class Looked:
    """A batch as it stands: what came of each question that has an answer or an error, by our own id."""

    state: Literal["runs", "done", "failed", "expired", "cancelled"]
    came: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    said: str = ""


class _Catch(httpx2.AsyncBaseTransport):
    """Keeps the request and sends nothing, or gives a known answer."""

    def __init__(self, answer: Any = None) -> None:
        self.body: dict[str, Any] = {}
        self._answer = answer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.body = json.loads(await request.aread())
        status = 200 if self._answer is not None else 400
        return httpx2.Response(status, json=self._answer or {"error": {"message": "kept"}}, request=request)


class Batches:
    """The batches of one configured model."""

    def __init__(self, part: ModelPart, name: str, secret: str, resolver: Resolver = system_resolver) -> None:
        """BadConfig when its address cannot be used."""
        self._part, self._name, self._secret = part, name, secret
        private = part.local if part.allow_private_network is None else part.allow_private_network
        try:
            self._client = transport.client(
                wire.address(part),
                allow_private=private,
                patience=seconds(part.timeout),
                ca_file=part.ca_file,
                resolver=resolver,
            )
        except (NotSent, OSError) as error:
            raise BadConfig(f"models.{name}: {error}", field=f"models.{name}") from error

    # ----- one question, in the library's words

    async def body(self, sent: Sent) -> dict[str, Any]:
        """What the library would send for a question."""
        caught = _Catch()
        await wire.request(self._model(caught), sent, seconds(self._part.timeout))
        if not caught.body:
            raise ModelTrouble("The question cannot be put into a batch.", fault="malformed")
        return caught.body

    async def came(self, sent: Sent, answer: Mapping[str, Any]) -> Came:
        """What the library makes of an answer."""
        return await wire.request(self._model(_Catch(dict(answer))), sent, seconds(self._part.timeout))

    def _model(self, way: httpx2.AsyncBaseTransport) -> Any:
        return wire.built(self._part, self._name, self._secret, httpx2.AsyncClient(transport=way))

    # ----- the endpoint

    async def send(self, group: str, bodies: Mapping[str, Mapping[str, Any]]) -> str:
        """Hand many questions in; the batch's id. ModelTrouble says in ``extra["left"]`` whether it may have begun."""
        lines = (
            {"custom_id": ident, "method": "POST", "url": "/v1/chat/completions", "body": body}
            for ident, body in bodies.items()
        )
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
        given = {"file": (f"{group}.jsonl", text.encode(), "application/jsonl")}
        file = await self._ask("POST", "/files", left=False, data={"purpose": PURPOSE}, files=given)
        wanted = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": WINDOW}
        return str((await self._ask("POST", "/batches", json={**wanted, "metadata": {MARK: group}}))["id"])

    async def found(self, group: str) -> str:
        """The batch of a group whose sending was cut, "" when there is none (ModelTrouble when nobody says)."""
        listed = await self._ask("GET", f"/batches?limit={LISTED}")
        return next((str(b["id"]) for b in listed["data"] if (b.get("metadata") or {}).get(MARK) == group), "")

    async def look(self, batch: str) -> Looked:
        """How it stands; answers only when it is over (ModelTrouble when nobody says)."""
        found = await self._ask("GET", f"/batches/{batch}")
        state: Any = _OVER.get(str(found.get("status")), "runs")
        if state == "runs":
            return Looked("runs")
        came: dict[str, dict[str, Any]] = {}
        for name in ("output_file_id", "error_file_id"):
            if found.get(name):
                came |= {str(row["custom_id"]): dict(row) for row in await self._lines(str(found[name]))}
        errors = ((found.get("errors") or {}).get("data") or [{}])[0]
        return Looked(state, came, str(errors.get("message") or ""))

    async def cancel(self, batch: str) -> None:
        """Ask it to end; what it has answered already is still paid."""
        await self._ask("POST", f"/batches/{batch}/cancel")

    async def _lines(self, file: str) -> Sequence[Mapping[str, Any]]:
        text = (await self._answered("GET", f"/files/{file}/content")).text
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    async def _ask(self, method: str, path: str, *, left: bool = True, **given: Any) -> dict[str, Any]:
        try:
            return dict((await self._answered(method, path, left=left, **given)).json())
        except ValueError as error:
            raise ModelTrouble(
                f"{self._name}: the endpoint for batches did not answer with JSON.", fault="malformed", left=left
            ) from error

    async def _answered(self, method: str, path: str, *, left: bool = True, **given: Any) -> httpx2.Response:
        url = wire.address(self._part).rstrip("/") + path
        headers = {"authorization": f"Bearer {self._secret or 'none'}"}
        try:
            answer = await self._client.request(method, url, headers=headers, **given)
        except httpx2.ConnectError as error:
            raise ModelTrouble(f"{self._name} was not reached: {error}", fault="unreachable", left=False) from error
        except httpx2.HTTPError as error:
            raise ModelTrouble(f"{self._name} did not answer: {error}", fault="transient", left=left) from error
        if answer.status_code < 400:
            return answer
        said = " ".join(answer.text.split())[:300]
        fault = "unauthorised" if answer.status_code in (401, 403, 404) else "transient"
        left = left and answer.status_code >= 500
        raise ModelTrouble(f"{self._name}: the endpoint for batches said {answer.status_code}: {said}", fault=fault,
                           left=left)  # fmt: skip
