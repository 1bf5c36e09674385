"""Budgets and models: what models may cost and did cost, caps set and extended, which models there are."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE, MODELS = "/budgets", "/models"
CASES = 20
"""Cases of each skill that a trial of a model has at the most."""


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, budgets, name="budgets"),
        Route(HERE, set_cap, methods=["POST"]),
        Route(HERE + "/{key}/extension", extend, methods=["POST"]),
        Route(HERE + "/{key}/end", remove, methods=["POST"]),
        Route(MODELS, models, name="models"),
        Route(MODELS + "/{name}/check", check, methods=["POST"]),
        Route(MODELS + "/{name}/try", attempt, methods=["POST"]),
    ]


async def budgets(request: Request) -> Response:
    """GET /budgets."""
    return await _budgets(request)


async def set_cap(request: Request) -> Response:
    """POST /budgets: put a cap in force."""
    form = await request.form()
    given = {name: str(form.get(name, "")).strip() for name in ("most", "span", "scope", "subject")}
    named = {given["scope"]: given["subject"] or "*"} if given["scope"] in ("agent", "flow", "client") else {}
    try:
        wanted = {"most": given["most"], "span": given["span"], **named}
        await door(request).spending.set_cap(wanted, who(request), "set on the page of the budgets")
    except SoloistError as error:
        return await _budgets(request, given=given, fault=error.detail, status=422)
    return RedirectResponse(HERE, status_code=303)


async def extend(request: Request) -> Response:
    """POST /budgets/{key}/extension."""
    await door(request).spending.extend(request.path_params["key"], who(request))
    return RedirectResponse(HERE, status_code=303)


async def remove(request: Request) -> Response:
    """POST /budgets/{key}/end: take a cap that was set here out."""
    await door(request).spending.remove(request.path_params["key"], who(request))
    return RedirectResponse(HERE, status_code=303)


async def models(request: Request) -> Response:
    """GET /models."""
    return await _models(request)


async def check(request: Request) -> Response:
    """POST /models/{name}/check: ask it for one word."""
    try:
        told = await door(request).spending.check(request.path_params["name"])
    except SoloistError as error:
        return await _models(request, fault=error.detail, status=error.status)
    return await _models(request, told=told)


async def attempt(request: Request) -> Response:
    """POST /models/{name}/try: say what a trial would cost; with ``yes`` begin it."""
    name, form = request.path_params["name"], await request.form()
    try:
        if not form.get("yes"):
            return await _models(request, plan=await door(request).spending.plan(name))
        await door(request).spending.attempt(name, "", CASES, who(request))
    except SoloistError as error:
        return await _models(request, fault=error.detail, status=error.status)
    return RedirectResponse(f"{MODELS}#trials", status_code=303)


async def _budgets(request: Request, *, status: int = 200, **more: object) -> Response:
    view = await door(request).spending.page()
    context = {"given": {}, "fault": "", **more}
    return page(request, "budgets.html", await door(request).frame(), status=status, view=view, **context)


async def _models(request: Request, *, status: int = 200, **more: object) -> Response:
    lines = await door(request).spending.models()
    view = await door(request).spending.page()
    context = {"told": "", "fault": "", "plan": None, "trials": await door(request).spending.trials(), **more}
    return page(request, "models.html", await door(request).frame(), status=status, lines=lines, view=view, **context)
