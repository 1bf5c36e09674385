"""Requests: a declared operation as the core knows it, and its requests as plain data; nothing is sent here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from soloist.plugins.connectors.http import expressions, rendering
from soloist.plugins.connectors.http.rendering import Values
from soloist.sdk import Ctx, Operation
from soloist.sdk.connector import EffectClass, Primitive, Undo
from soloist.sdk.durations import seconds

UNDO = ".undo"
"""Ending of the name of an operation that takes another one back."""
_PRIMITIVES: Mapping[str, Primitive] = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "act"}
_FIELD = re.compile(r"\{payload\.([A-Za-z0-9_.-]+)(\??)\}")
_FORM = "application/x-www-form-urlencoded"


def operation(name: str, part: Mapping[str, Any]) -> Operation:
    """A declaration as the core knows it; without a class it is C and irreversible."""
    effect_class = cast(EffectClass, part.get("class") or "C")
    back, find = part.get("undo"), part.get("find")
    return Operation(
        name,
        effect_class,
        risk=part.get("risk") or "irreversible",
        undo=_kind(part),
        way_back=f"{back['method']} {back['path']}" if back else "cannot be undone",
        key_window=seconds(part.get("key_window") or "24h") if effect_class == "A" else 0.0,
        lookup_lag=seconds(find.get("lag") or "2s") if find else 0.0,
        timeout=seconds(part.get("timeout") or "30s"),
        hold=seconds(part.get("hold") or "0s"),
        summary=part.get("summary") or f"{part['method']} {part['path']}",
        primitive=part.get("primitive") or _PRIMITIVES[part["method"]],
        audience=part.get("audience") or "",
        amount=part.get("amount") or "amount",
        currency=part.get("currency") or "currency",
        recipients=tuple(part["recipients"] if part.get("recipients") is not None else ("to", "cc")),
        control=dict(part.get("control") or {}),
        words=tuple(part.get("words") or ()),
    )


def _kind(part: Mapping[str, Any]) -> Undo:
    """How an operation is undone: as declared, else an offset where money moved, else exactly."""
    back = part.get("undo")
    if not back:
        return "none"
    return cast(Undo, back.get("kind") or ("offset" if part.get("risk") == "financial" else "exact"))


def way_back(forward: Operation, part: Mapping[str, Any]) -> Operation:
    """The operation that takes another one back; it is looked up by its own look-up, or by the thing being gone."""
    own = part["undo"].get("find")
    effect_class: EffectClass = forward.effect_class
    if effect_class == "B" and own is None and forward.undo != "exact":
        effect_class = "C"  # that the first thing is still there says nothing about a second one that makes up for it
    if effect_class == "A" and not _keyed(part):
        effect_class = "B" if own else "C"
    lag = seconds(own["lag"]) if own else forward.lookup_lag
    return replace(forward, name=forward.name + UNDO, effect_class=effect_class, undo="none", hold=0.0, lookup_lag=lag)


def _keyed(part: Mapping[str, Any]) -> bool:
    """Whether the way back carries a key of its own: in the key's header, or where it names it."""
    return bool(part.get("key_header")) or "{undo_key}" in str(part["undo"])


def contract(part: Mapping[str, Any], headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The payload fields that the templates of an operation name, each with where it goes and whether it must be there.

    Without a template for the body every field of the payload is part of it.
    """
    back = part.get("undo") or {}
    places = {
        "path": part.get("path"),
        "query": part.get("query"),
        "headers": {**headers, **(part.get("headers") or {})},
        "body": part.get("body"),
        "look-up": part.get("find"),
        "undo": [back.get("path"), back.get("query"), back.get("body")],
    }
    found: dict[str, dict[str, Any]] = {}
    for place, template in places.items():
        for name, optional in _FIELD.findall(str(template)):
            known = found.setdefault(name, {"field": name, "place": place, "needed": False})
            known["needed"] = known["needed"] or not optional
    whole = part.get("body") is None and part.get("method") != "DELETE"
    return [*found.values(), *([{"field": "*", "place": "every field is the body", "needed": False}] if whole else [])]


def write(
    ctx: Ctx, part: Mapping[str, Any], values: Values, payload: Mapping[str, Any] | None, *, key_header: str, key: str
) -> dict[str, Any]:
    """Everything that will be sent, with secrets still as placeholders; ValueError names the field at fault.

    ``payload`` is the body where none is declared; None for an undo, which then has none.
    """
    body = _body(part, values, payload)
    templates = {**ctx.settings.get("headers", {}), **part.get("headers", {})}
    if key_header:
        templates[key_header] = key
    ours = {"Accept": "application/json"}
    if body is not None:
        ours["Content-Type"] = _FORM if part.get("encoding") == "form" else "application/json"
    given = {name.lower() for name in templates}
    merged = {**{name: text for name, text in ours.items() if name.lower() not in given}, **templates}
    for name in ("done", "refused"):
        _checked(part.get(name, ""), name)
    return {
        "method": part["method"],
        "url": rendering.url(ctx.settings["base_url"], part["path"], values, part.get("query")),
        "headers": rendering.headers(merged, values),
        "body": body,
        "auth": _auth(ctx),
        "payload": dict(values.payload),
        "terms": {name: part.get(name) or "" for name in ("done", "refused", "ref")},
    }


def _body(part: Mapping[str, Any], values: Values, payload: Mapping[str, Any] | None) -> str | None:
    """The body's text: the declared template filled, else the payload; a DELETE without a template has none."""
    template = part.get("body")
    if template is None and (payload is None or part["method"] == "DELETE"):
        return None
    value = dict(payload or {}) if template is None else rendering.filled(template, values)
    return rendering.form_text(value) if part.get("encoding") == "form" else rendering.json_text(value)


def undo(ctx: Ctx, part: Mapping[str, Any], values: Values, key: str) -> dict[str, Any]:
    """The request that takes an operation back and its look-up; before there is an id, one stands for it."""
    known = values if values.undo_key else replace(values, ref="0", undo_key=key)
    back = part["undo"]
    call = {**back, "encoding": part.get("encoding", "json"), "refused": part.get("refused", "")}
    data = write(ctx, call, known, None, key_header=part.get("key_header", ""), key=key)
    how = back.get("find") or part.get("find")
    return data | look_up(ctx, how, known, own=part.get("ref", ""), gone=not back.get("find"))


def look_up(
    ctx: Ctx, part: Mapping[str, Any] | None, values: Values, *, own: str = "", gone: bool = False
) -> dict[str, Any]:
    """The look-up, rendered with the same values; a wrong expression is found now, not when it is needed.

    One that needs the provider's id, while that is not known, is none. ``gone``: absence is what is looked for.
    """
    if not part:
        return {}
    for name in ("found", "absent"):
        _checked(part[name], f"find.{name}")
    _checked(part.get("ref", ""), "find.ref", frozenset({"STRING", "INT"}))
    texts = (part["path"], *part.get("query", {}).values())
    if values.ref is None and any("{ref}" in text for text in texts):
        return {}
    url = rendering.url(ctx.settings["base_url"], part["path"], values, part.get("query"))
    kept = {name: part[name] for name in ("method", "found", "absent")}
    return {"find": {**kept, "url": url, "key": values.key, "ref": part.get("ref", ""), "own": own, "gone": gone}}


def _checked(expression: str, place: str, kinds: frozenset[str] = frozenset({"BOOL"})) -> None:
    try:
        if expression:
            expressions.compiled(expression, kinds)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def read(ctx: Ctx, method: str, url: str) -> dict[str, Any]:
    """A reading request with the connector's own headers (those that need no payload)."""
    plain = {name: text for name, text in ctx.settings.get("headers", {}).items() if "{payload." not in text}
    headers = {"Accept": "application/json", **plain}
    return {"method": method, "url": url, "headers": headers, "body": None, "auth": _auth(ctx)}


def _auth(ctx: Ctx) -> dict[str, Any] | None:
    """How the connector signs in, None when its headers say it all."""
    auth = ctx.settings.get("auth")
    return dict(auth) if isinstance(auth, Mapping) else None


def shown(data: Mapping[str, Any]) -> str:
    """What a person reads before deciding."""
    return f"{data['method']} {data['url']}" + ("" if data["body"] is None else f"\n{data['body']}")
