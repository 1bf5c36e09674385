"""HTTP: operations that the operator declares in soloist.toml, for any service with a JSON interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from soloist.plugins.connectors.http import answers, lookup, reading, rendering, requests, signing
from soloist.plugins.connectors.http.rendering import Values
from soloist.plugins.connectors.http.requests import UNDO
from soloist.sdk import (
    Absent,
    Base,
    CannotTell,
    Ctx,
    Done,
    Found,
    Health,
    HttpAnswer,
    Lookup,
    Manifest,
    MaybeSent,
    NotSent,
    Operation,
    Outcome,
    Plan,
    Receipt,
    Refused,
    Thing,
    Trouble,
    Unknown,
)

NOT_REACHED = 5.0
"""Seconds to wait after a service could not be reached."""
OWN_SHARE = 0.9
"""Part of an operation's time limit a request may use, so that it ends by itself and can say whether it left."""
READ_WITHIN = 30.0
"""Seconds for one page of a list."""


class HttpConnector(Base):
    """The adapter; everything it knows of a service stands in its settings."""

    kind = "http"
    manifest = Manifest(title="Any HTTP service", urls=("base_url",), quality="silver")

    def __init__(self) -> None:
        """Tokens are kept for the life of the process."""
        self._signer = signing.Signer()

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        """The declared operations."""
        return {name: requests.operation(name, part) for name, part in ctx.settings.get("operations", {}).items()}

    def contract(self, ctx: Ctx, operation: str) -> list[dict[str, Any]]:
        """The payload fields an operation uses: {field, place, needed}."""
        return requests.contract(ctx.settings.get("operations", {}).get(operation, {}), ctx.settings.get("headers", {}))

    def listed(self, ctx: Ctx) -> tuple[str, ...]:
        """The operations whose results can be listed."""
        return tuple(name for name, part in ctx.settings.get("operations", {}).items() if part.get("list"))

    async def check(self, ctx: Ctx) -> Health:
        """Whether the host answers at all; a GET of the base URL, which writes nothing."""
        try:
            answer = await self._send(ctx, requests.read(ctx, "GET", ctx.settings["base_url"]), 10.0)
        except signing.NoSignIn as error:
            return Health("auth", str(error))
        except (NotSent, MaybeSent) as error:
            return Health("down", str(error))
        if answer.status in {401, 403}:
            return Health("auth", f"the service answered {answer.status}")
        return Health("degraded", f"the service answered {answer.status}") if answer.status >= 500 else Health("ok")

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        """Render the request; ValueError begins with the field or placeholder at fault."""
        part = ctx.settings.get("operations", {}).get(operation)
        if part is None:
            raise ValueError(f"operation: {ctx.name} has no operation {operation!r}")
        values = Values(key, payload)
        data = requests.write(ctx, part, values, payload, key_header=part.get("key_header", ""), key=key)
        data |= requests.look_up(ctx, part.get("find"), values, own=part.get("ref", ""))
        data |= _page(part, values)
        if part.get("undo"):
            requests.undo(ctx, part, values, key)  # what it will need to be taken back has to be in the payload now
        return Plan(requests.operation(operation, part), key, rendering.request_bytes(data), requests.shown(data), data)

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        """Send once and judge the answer."""
        try:
            answer = await self._send(ctx, plan.data, plan.operation.timeout * OWN_SHARE)
        except signing.NoSignIn as error:
            return Refused(str(error), auth=True)
        except NotSent as error:
            return Refused(str(error), retry_after=NOT_REACHED)
        except MaybeSent as error:
            return _without(Unknown(str(error), str(error)), self._signer.used(ctx, plan.data))
        used = self._signer.used(ctx, plan.data)
        if answer.status == 401 and self._signer.forget(ctx, plan.data):
            return Refused("The token was no longer accepted (401); a new one is fetched.", retry_after=1.0)
        if plan.operation.name.endswith(UNDO) and plan.data["method"] == "DELETE" and answer.status in {404, 410}:
            return Done(Receipt(plan.key, f"{answer.status}: it is gone"))
        terms = answers.Terms(**plan.data.get("terms", {}))
        return _without(
            answers.judge(answer, key=plan.key, effect_class=plan.operation.effect_class, terms=terms), used
        )

    async def find(self, ctx: Ctx, plan: Plan) -> Lookup:
        """Ask the declared look-up; a failure of the line is "cannot tell"."""
        part = plan.data.get("find")
        if not part:
            return CannotTell("this operation declares no look-up")
        request = requests.read(ctx, part["method"], part["url"])
        try:
            answer = await reading.follow(partial(self._send_for, ctx, plan), request)
        except (NotSent, MaybeSent) as error:
            return CannotTell(str(error))
        seen = lookup.judge(answer, part["found"], part["absent"], key=part["key"], ref=part["ref"], own=part["own"])
        if not part["gone"]:
            return seen
        # undoing has happened when the thing is gone
        if isinstance(seen, Absent):
            return Found(Receipt(plan.key, seen.proof))
        return Absent("the thing is still there") if isinstance(seen, Found) else seen

    def undo(self, ctx: Ctx, plan: Plan, receipt: Receipt) -> Plan | None:
        """The declared way back: ``{key}`` is the key of what is undone, ``{ref}`` the provider's id for it."""
        part = ctx.settings.get("operations", {}).get(plan.operation.name, {})
        if not part.get("undo"):
            return None
        own_key = f"{plan.key}{UNDO}"
        values = Values(plan.key, plan.data["payload"], receipt.provider_ref or None, own_key)
        data = requests.undo(ctx, part, values, own_key) | _page(part, values)
        operation = requests.way_back(plan.operation, part)
        return Plan(operation, own_key, rendering.request_bytes(data), requests.shown(data), data)

    async def inventory(self, ctx: Ctx, operation: str, since: datetime) -> AsyncIterator[Thing]:
        """What the service lists of an operation's results since an instant (Trouble)."""
        part = ctx.settings.get("operations", {}).get(operation, {}).get("list")
        if not part:
            raise Trouble("invalid", f"{ctx.name}.{operation} declares no list.")
        values = Values("", {})
        address = rendering.url(ctx.settings["base_url"], part["path"], values, part["query"])
        if part["since"]:
            text = since.astimezone(UTC)
            instant = str(int(text.timestamp())) if part["since_as"] == "unix" else text.strftime("%Y-%m-%dT%H:%M:%SZ")
            address = reading.with_parameter(address, part["since"], instant)
        send = partial(self._read, ctx)
        async for found in reading.things(send, requests.read(ctx, "GET", address), part):
            yield found

    async def _read(self, ctx: Ctx, data: Mapping[str, Any]) -> HttpAnswer:
        return await self._send(ctx, data, READ_WITHIN)

    async def _send_for(self, ctx: Ctx, plan: Plan, data: Mapping[str, Any]) -> HttpAnswer:
        return await self._send(ctx, data, plan.operation.timeout * OWN_SHARE)

    async def _send(self, ctx: Ctx, data: Mapping[str, Any], limit: float) -> HttpAnswer:
        """The one place where secrets are put in and a request leaves."""
        if ctx.http is None:
            raise NotSent("No way out was granted to this connector; nothing was sent.")
        headers = await self._signer.headers(ctx, data)
        body = None if data["body"] is None else data["body"].encode()
        return await ctx.http.send(data["method"], data["url"], headers=headers, body=body, timeout=limit)


def _page(part: Mapping[str, Any], values: Values) -> dict[str, str]:
    """The provider's page as far as it is known: whole, and with the place for an id that comes later."""
    page = rendering.page(part["page"], values) if part.get("page") else ""
    return {"page": "" if "{ref}" in page else page, "page_of": page}


def _without(outcome: Outcome, used: list[str]) -> Outcome:
    """The outcome without what was secret in the request: a service may echo it."""
    if isinstance(outcome, Done):
        receipt = outcome.receipt
        return Done(replace(receipt, detail=answers.without(receipt.detail, used)))
    reason, evidence = answers.without(outcome.reason, used), answers.without(outcome.evidence, used)
    return replace(outcome, reason=reason, evidence=evidence)


CONNECTOR = HttpConnector()
