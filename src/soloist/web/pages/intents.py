"""What messages want: intents of the operator's own, their examples, where each leads, and messages to be told."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/intents"


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [
        Route(HERE, show, name="intents"),
        Route(HERE, keep, methods=["POST"]),
        Route(HERE + "/fit", fit, methods=["POST"]),
        Route(HERE + "/{name}/end", end, methods=["POST"]),
        Route(HERE + "/messages/{message}", tell, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET /intents."""
    return await _shown(request)


async def keep(request: Request) -> Response:
    """POST /intents: keep one, new or changed."""
    form = await request.form()
    given = {name: str(form.get(name, "")).strip() for name in ("name", "title", "leads", "examples")}
    lead, _, target = given["leads"].partition(":")
    row = {**given, "lead": lead, "target": target, "examples": given["examples"].splitlines()}
    try:
        await door(request).wanted.keep(row, who(request))
    except SoloistError as error:
        return await _shown(request, given=given, fault=error.detail, status=422)
    return RedirectResponse(HERE, status_code=303)


async def fit(request: Request) -> Response:
    """POST /intents/fit: learn the examples now."""
    await door(request).wanted.fit()
    return RedirectResponse(HERE, status_code=303)


async def end(request: Request) -> Response:
    """POST /intents/{name}/end."""
    await door(request).wanted.end(request.path_params["name"], who(request))
    return RedirectResponse(HERE, status_code=303)


async def tell(request: Request) -> Response:
    """POST /intents/messages/{message}: what a message wants."""
    form = await request.form()
    if name := str(form.get("intent", "")):
        await door(request).wanted.tell(request.path_params["message"], name, who(request))
    return RedirectResponse(HERE + "#lately", status_code=303)


async def _shown(request: Request, *, status: int = 200, **more: object) -> Response:
    frame, view = await door(request).frame(), await door(request).wanted.page()
    return page(request, "intents.html", frame, status=status, view=view, **{"given": {}, "fault": "", **more})
