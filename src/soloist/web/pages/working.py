"""Working sessions: what one is about, how it ends; and which way of working led where."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, NotFound
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/memory/work"
_EMPTY = {"title": "", "objectives": "", "expectations": ""}


def routes() -> list[BaseRoute]:
    """The routes of this page; they come before those that take any name below /memory."""
    return [
        Route(HERE, show, name="work"),
        Route(HERE, begin, methods=["POST"]),
        Route(f"{HERE}/{{ident}}/{{how}}", end, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET /memory/work: sessions, ways of working, results."""
    return await _page(request)


async def begin(request: Request) -> Response:
    """POST /memory/work: open a session; what is wrong is said above the form, which keeps what was typed."""
    form = await request.form()
    given = {"title": _text(form, "title"), "scope": _text(form, "scope")}
    lines = {name: _lines(form, name) for name in ("objectives", "expectations")}
    try:
        await door(request).work.begin({**given, **lines}, who(request))
    except (BadInput, NotFound) as error:
        typed = {name: _text(form, name) for name in _EMPTY}
        return await _page(request, fault=error.detail, typed=typed, status=422)
    return RedirectResponse(HERE, status_code=303)


async def end(request: Request) -> Response:
    """POST /memory/work/{session}/closed or /carried: end a session."""
    given = request.path_params
    if given["how"] not in ("closed", "carried"):
        raise HTTPException(404)
    await door(request).work.end(given["ident"], given["how"], who(request))
    return RedirectResponse(HERE, status_code=303)


async def _page(
    request: Request, *, fault: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> Response:
    frame, view = await door(request).frame(), await door(request).work.page()
    return page(request, "memory_work.html", frame, status=status, view=view, fault=fault, typed=_EMPTY | (typed or {}))


def _text(form: FormData, name: str) -> str:
    return str(form.get(name, "")).strip()


def _lines(form: FormData, name: str) -> list[str]:
    return [line.strip() for line in _text(form, name).splitlines() if line.strip()]
