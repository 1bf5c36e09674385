"""Merges: records that may be one side by side, what was merged with its way back, and what is known to be two."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/records/merges"


def routes() -> list[BaseRoute]:
    """The page and what can be done on it; they stand before the pages of kinds."""
    return [
        Route(HERE, show, name="merges"),
        Route(HERE, merge, methods=["POST"]),
        Route(f"{HERE}/{{ident}}", decide, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET /records/merges."""
    view, frame = await door(request).merges.page(), await door(request).frame()
    done = request.query_params.get("done", "")
    kept = request.query_params.get("kept", "")
    return page(request, "merges.html", frame, view=view, done=done, kept=kept)


async def merge(request: Request) -> Response:
    """POST /records/merges: two records, named by hand, become one."""
    sent = await request.form()
    kept, other = (str(sent.get(name, "")).strip().rpartition("/")[2] for name in ("kept", "other"))
    row = await door(request).merges.merge(kept, other, {}, who(request))
    return RedirectResponse(f"{HERE}?done=merged#p-{quote(str(row['id']))}", status_code=303)


async def decide(request: Request) -> Response:
    """POST /records/merges/{ident}: carry out an option, then back to where it stands now."""
    ident, sent = request.path_params["ident"], await request.form()
    row = await door(request).merges.decide(ident, str(sent.get("option", "")), who(request))
    return RedirectResponse(f"{HERE}?done={quote(row['state'])}#p-{quote(str(row['id']))}", status_code=303)
