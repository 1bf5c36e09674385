"""Give an agent work: a form made of its contract, what it is likely to cost, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.flows.giving import Asked
from soloist.insight.picking import Choice
from soloist.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/agents/{name}/work"
LARGEST = 400_000
UNCLEAR = "More than one fits what you typed. Choose which is meant; nothing was begun yet."


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, show, name="give"),
        Route(HERE, give, methods=["POST"]),
        Route(HERE + "/{run}", one, name="given"),
    ]


async def show(request: Request) -> Response:
    """GET /agents/{name}/work: the form, with fields filled from the address, and the work it was given."""
    return await _page(request, dict(request.query_params))


async def give(request: Request) -> Response:
    """POST /agents/{name}/work: look what it costs, or begin it; what is wrong is said above what was typed."""
    form, name = await request.form(max_files=1), request.path_params["name"]
    typed = {key: str(value)[:LARGEST] for key, value in form.items() if isinstance(value, str)}
    upload = form.get("file")
    if upload is not None and not isinstance(upload, str) and (data := await upload.read(LARGEST)):
        typed["input" if typed.get("skill") else "in.text"] = data.decode("utf-8", "replace")
    picked: dict[str, list[str]] = {}
    for key, value in form.multi_items():
        if key.startswith("pick.") and isinstance(value, str):
            picked.setdefault(key.removeprefix("pick."), []).append(value[:200])
    handing = door(request).handing
    try:
        given = handing.typed(name, typed.get("skill", ""), typed)
        if not typed.get("skill"):
            given, unclear = await handing.meant(name, given, picked)
            if unclear:
                return await _page(request, typed, fault=UNCLEAR, found=unclear, status=422)
        asked = Asked(
            agent=name,
            skill=typed.get("skill", ""),
            input=given,
            lane="morning" if typed.get("lane") == "morning" else "now",
        )
        if typed.get("act") == "look":
            typed |= {f"in.{field}": "\n".join(idents) for field, idents in picked.items()}
            return await _page(request, typed, estimate=(await handing.look(asked))["said"])
        made = await handing.give(asked, who=who(request))
    except (BadInput, NotAllowed, NotFound, Conflict) as error:
        return await _page(request, typed, fault=error.detail, status=422)
    return RedirectResponse(f"/agents/{quote(name)}/work/{quote(made['id'])}", status_code=303)


async def one(request: Request) -> Response:
    """GET /agents/{name}/work/{run}: what was given, what it was to cost, what came of it."""
    view = await door(request).handing.one(request.path_params["name"], request.path_params["run"])
    whole = json.dumps(view.json, ensure_ascii=False, indent=2)
    frame = await door(request).frame()
    return page(request, "given.html", frame, view=view, whole=whole, name=request.path_params["name"])


async def _page(
    request: Request,
    typed: dict[str, str],
    *,
    fault: str = "",
    estimate: str = "",
    status: int = 200,
    found: Mapping[str, Sequence[Choice]] | None = None,
) -> Response:
    typed = {"lane": "", "skill": "", "input": "", **typed}
    view = await door(request).handing.page(request.path_params["name"])
    among = found or {}
    fields = tuple(
        replace(
            field,
            typed=typed.get(f"in.{field.name}", "") if field.name not in among or field.box == "pick" else "",
            found=tuple(among.get(field.name, ())),
        )
        for field in view.fields
    )
    given: dict[str, Any] = {"view": replace(view, fields=fields), "typed": typed, "fault": fault, "estimate": estimate}
    return page(request, "give.html", await door(request).frame(), status=status, **given)
