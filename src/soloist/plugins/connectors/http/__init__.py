"""HTTP: operations that the operator declares in soloist.toml, for any service with a JSON interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from soloist.kernel.errors import SoloistError
from soloist.kernel.hashing import canonical
from soloist.plugins.connectors.http import answers, lookup, rendering
from soloist.plugins.connectors.http.rendering import Values
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
    Unknown,
)
from soloist.sdk.connector import EffectClass, Http
from soloist.sdk.durations import seconds

UNDO = ".undo"
"""Ending of the name of an operation that takes another one back."""
NOT_REACHED = 5.0
"""Seconds to wait after a service could not be reached."""
OWN_SHARE = 0.9
"""Part of an operation's time limit a request may use, so that it ends by itself and can say whether it left."""


class MissingSecret(NotSent):
    """A secret the headers name is not in the vault; waiting does not help, the operator does."""


class HttpConnector(Base):
    """The adapter; everything it knows of a service stands in its settings."""

    kind = "http"
    manifest = Manifest(title="Any HTTP service", urls=("base_url",), quality="silver")

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        """The declared operations."""
        return {name: _operation(name, part) for name, part in ctx.settings.get("operations", {}).items()}

    async def check(self, ctx: Ctx) -> Health:
        """Whether the host answers at all; a GET of the base URL, which writes nothing."""
        try:
            answer = await self._send(ctx, _read_request(ctx, "GET", ctx.settings["base_url"]), 10.0)
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
        body = None if part["method"] == "DELETE" else canonical(dict(payload)).decode()
        templates = {**ctx.settings.get("headers", {}), **part.get("headers", {})}
        if part.get("key_header"):
            templates[part["key_header"]] = "{key}"
        data = _request(ctx, part["method"], part["path"], templates, values=values, body=body)
        if part.get("find"):
            data |= _find_data(ctx, part["find"], values)
        preview = f"{data['method']} {data['url']}" + ("" if body is None else f"\n{body}")
        return Plan(_operation(operation, part), key, rendering.request_bytes(data), preview, data)

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        """Send once and judge the answer."""
        try:
            answer = await self._send(ctx, plan.data, plan.operation.timeout * OWN_SHARE)
        except MissingSecret as error:
            return Refused(str(error), auth=True)
        except NotSent as error:
            return Refused(str(error), retry_after=NOT_REACHED)
        except MaybeSent as error:
            return Unknown(str(error), str(error))
        if plan.operation.name.endswith(UNDO) and plan.data["method"] == "DELETE" and answer.status in {404, 410}:
            return Done(Receipt(plan.key, f"{answer.status}: it is gone"))
        outcome = answers.judge(answer, key=plan.key, effect_class=plan.operation.effect_class)
        return _without_secrets(outcome, _used_secrets(ctx, plan.data))

    async def find(self, ctx: Ctx, plan: Plan) -> Lookup:
        """Ask the declared look-up; a failure of the line is "cannot tell"."""
        if "find_url" not in plan.data:
            return CannotTell("this operation declares no look-up")
        request = _read_request(ctx, plan.data["find_method"], plan.data["find_url"])
        try:
            answer = await self._send(ctx, request, plan.operation.timeout * OWN_SHARE)
        except (NotSent, MaybeSent) as error:
            return CannotTell(str(error))
        seen = lookup.judge(answer, plan.data["found"], plan.data["absent"], key=plan.key)
        if not plan.operation.name.endswith(UNDO):
            return seen
        # undoing has happened when the thing is gone
        if isinstance(seen, Absent):
            return Found(Receipt(plan.key, seen.proof))
        return Absent("the thing is still there") if isinstance(seen, Found) else seen

    def undo(self, ctx: Ctx, plan: Plan, receipt: Receipt) -> Plan | None:
        """The declared way back: ``{key}`` is the key of what is undone, ``{ref}`` the provider's id for it."""
        part = ctx.settings.get("operations", {}).get(plan.operation.name, {})
        back = part.get("undo")
        if not back:
            return None
        payload = answers.parse_json(plan.data["body"].encode()) if plan.data["body"] is not None else {}
        values = Values(plan.key, payload, receipt.provider_ref)
        body = None if back.get("body") is None else rendering.json_text(back["body"], values)
        own_key = f"{plan.key}{UNDO}"
        templates = dict(ctx.settings.get("headers", {}))
        if part.get("key_header"):
            templates[part["key_header"]] = own_key
        data = _request(ctx, back["method"], back["path"], templates, values=values, body=body)
        data |= {name: plan.data[name] for name in ("find_method", "find_url", "found", "absent") if name in plan.data}
        operation = replace(plan.operation, name=plan.operation.name + UNDO, undo="none", hold=0.0)
        return Plan(operation, own_key, rendering.request_bytes(data), f"{data['method']} {data['url']}", data)

    async def _send(self, ctx: Ctx, data: Mapping[str, Any], limit: float) -> HttpAnswer:
        """The one place where secrets are put in and a request leaves."""
        if ctx.http is None:
            raise NotSent("No way out was granted to this connector; nothing was sent.")
        try:
            headers = rendering.with_secrets(data["headers"], ctx.secrets)
        except (KeyError, SoloistError) as error:
            raise MissingSecret(f"A secret is not there ({error}); nothing was sent.") from error
        body = None if data["body"] is None else data["body"].encode()
        http: Http = ctx.http
        return await http.send(data["method"], data["url"], headers=headers, body=body, timeout=limit)


def _operation(name: str, part: Mapping[str, Any]) -> Operation:
    """A declaration as the core knows it."""
    way_back = f"{part['undo']['method']} {part['undo']['path']}" if part.get("undo") else "cannot be undone"
    return Operation(
        name,
        cast(EffectClass, part["class"]),
        risk=part.get("risk", "irreversible"),
        undo="none" if not part.get("undo") else "exact" if part.get("risk") != "financial" else "offset",
        way_back=way_back,
        key_window=seconds(part.get("key_window", "24h")) if part["class"] == "A" else 0.0,
        lookup_lag=seconds(part["find"]["lag"]) if part.get("find") else 0.0,
        timeout=seconds(part.get("timeout", "30s")),
        hold=seconds(part.get("hold", "0s")),
        summary=f"{part['method']} {part['path']}",
    )


def _request(
    ctx: Ctx, method: str, path: str, templates: Mapping[str, str], *, values: Values, body: str | None
) -> dict[str, Any]:
    """Everything that will be sent, with secrets still as placeholders."""
    ours = {"Accept": "application/json"} | ({} if body is None else {"Content-Type": "application/json"})
    given = {name.lower() for name in templates}
    merged = {**{name: text for name, text in ours.items() if name.lower() not in given}, **templates}
    return {
        "method": method,
        "url": rendering.url(ctx.settings["base_url"], path, values),
        "headers": rendering.headers(merged, values),
        "body": body,
    }


def _find_data(ctx: Ctx, part: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """The look-up, rendered with the same values; a wrong expression is found now, not when it is needed."""
    for name in ("found", "absent"):
        try:
            lookup.compiled(part[name])
        except ValueError as error:
            raise ValueError(f"find.{name}: {error}") from error
    url = rendering.url(ctx.settings["base_url"], part["path"], values)
    return {"find_method": part["method"], "find_url": url, "found": part["found"], "absent": part["absent"]}


def _read_request(ctx: Ctx, method: str, url: str) -> dict[str, Any]:
    """A reading request with the connector's own headers (those that need no payload)."""
    plain = {name: text for name, text in ctx.settings.get("headers", {}).items() if "{payload." not in text}
    return {"method": method, "url": url, "headers": {"Accept": "application/json", **plain}, "body": None}


def _used_secrets(ctx: Ctx, data: Mapping[str, Any]) -> list[str]:
    """The secrets that were in the headers of this request."""
    return [
        ctx.secrets[name] for name in ctx.secrets if any(f"{{secret.{name}}}" in t for t in data["headers"].values())
    ]


def _without_secrets(outcome: Outcome, used: list[str]) -> Outcome:
    if isinstance(outcome, Done):
        receipt = outcome.receipt
        return Done(replace(receipt, detail=answers.without(receipt.detail, used)))
    return replace(outcome, evidence=answers.without(outcome.evidence, used))


CONNECTOR = HttpConnector()
