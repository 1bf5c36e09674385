"""Standing rules: what is said once is tried on the past, put in force, changed and taken back."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/rules"


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route(HERE, listed, name="rules"),
        Route(HERE, say, methods=["POST"]),
        Route(HERE + "/{rule}", show),
        Route(HERE + "/{rule}", change, methods=["POST"]),
        Route(HERE + "/{rule}/trial", try_again, methods=["POST"]),
        Route(HERE + "/{rule}/release", use, methods=["POST"]),
        Route(HERE + "/{rule}/end", end, methods=["POST"]),
    ]


async def listed(request: Request) -> Response:
    """GET /rules."""
    return await _list(request)


async def say(request: Request) -> Response:
    """POST /rules: say something once."""
    return await _said(request, "")


async def show(request: Request) -> Response:
    """GET /rules/{rule}."""
    return await _show(request, request.path_params["rule"])


async def change(request: Request) -> Response:
    """POST /rules/{rule}: say it in other words."""
    return await _said(request, request.path_params["rule"])


async def try_again(request: Request) -> Response:
    """POST /rules/{rule}/trial: try it on the past as it is now."""
    rule = request.path_params["rule"]
    await door(request).rules.try_again(rule)
    return RedirectResponse(f"{HERE}/{rule}", status_code=303)


async def use(request: Request) -> Response:
    """POST /rules/{rule}/release: put it in force."""
    rule = request.path_params["rule"]
    try:
        await door(request).rules.use(rule, who(request))
    except SoloistError as error:
        return await _show(request, rule, fault=error.detail, status=error.status)
    return RedirectResponse(f"{HERE}/{rule}", status_code=303)


async def end(request: Request) -> Response:
    """POST /rules/{rule}/end: take it back."""
    rule = request.path_params["rule"]
    try:
        await door(request).rules.end(rule, who(request))
    except SoloistError as error:
        return await _show(request, rule, fault=error.detail, status=error.status)
    return RedirectResponse(HERE, status_code=303)


async def _said(request: Request, rule: str) -> Response:
    said = str((await request.form()).get("said", "")).strip()
    try:
        spoken = await door(request).rules.say(said, who(request), rule)
    except SoloistError as error:
        if rule:
            return await _show(request, rule, said=said, fault=error.detail, status=error.status)
        return await _list(request, said=said, fault=error.detail, status=error.status)
    told = "?again=1" if spoken.again else ""
    return RedirectResponse(f"{HERE}/{spoken.rule}{told}", status_code=303)


async def _list(request: Request, *, said: str = "", fault: str = "", status: int = 200) -> Response:
    view = await door(request).rules.page()
    frame = await door(request).frame()
    return page(request, "rules.html", frame, status=status, view=view, said=said, fault=fault)


async def _show(request: Request, rule: str, *, said: str = "", fault: str = "", status: int = 200) -> Response:
    view = await door(request).rules.one(rule)
    more = {"said": said or view.line.said, "fault": fault, "again": request.query_params.get("again", "")}
    return page(request, "rule.html", await door(request).frame(), status=status, view=view, **more)
