"""Clients: one page for each person or company, notes on it, and the files of their messages as downloads."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door, who
from soloist.web.render import page

ADDED = "added"


def routes() -> list[BaseRoute]:
    """The routes of these pages."""
    return [
        Route("/clients/{ident}", show, name="client"),
        Route("/clients/{ident}/notes", note, methods=["POST"]),
        Route("/clients/{ident}/files/{message}/{part:int}", download),
    ]


async def show(request: Request) -> Response:
    """GET /clients/{ident}: everything with a person or a company; ``before`` leads to older messages."""
    query = request.query_params
    found = await door(request).library.client(request.path_params["ident"], query.get("before", ""))
    added = query.get("note") == ADDED
    return page(request, "client.html", await door(request).frame(), view=found, added=added)


async def note(request: Request) -> Response:
    """POST /clients/{ident}/notes: keep a note."""
    ident, form = request.path_params["ident"], await request.form()
    text = form.get("text", "")
    await door(request).library.note(ident, text if isinstance(text, str) else "", who(request))
    return RedirectResponse(f"/clients/{quote(ident)}?note={ADDED}#notes", status_code=303)


async def download(request: Request) -> Response:
    """GET /clients/{ident}/files/{message}/{part}: a file as a download, whatever it says it is; never shown here."""
    given = request.path_params
    name, data = await door(request).library.file(given["ident"], given["message"], given["part"])
    plain = "".join(c if c.isascii() else "_" for c in name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(data, media_type="application/octet-stream", headers=headers)
