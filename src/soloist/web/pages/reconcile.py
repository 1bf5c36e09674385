"""Reconcile: inside and outside side by side, a winner for each field, and the page of consistency domains."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/reconcile"
FIELD = "field:"
"""Begins the name of a radio group; the rest is the field."""


def routes() -> list[BaseRoute]:
    """The two pages and what can be done on them."""
    return [
        Route(HERE, show, name="reconcile"),
        Route(f"{HERE}/domains", domains),
        Route(f"{HERE}/compare", compare, methods=["POST"]),
        Route(f"{HERE}/{{ident}}", decide, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """GET /reconcile."""
    view, frame = await door(request).reconcile.page(), await door(request).frame()
    done, asked, about = (request.query_params.get(name, "") for name in ("done", "asked", "about"))
    return page(request, "reconcile.html", frame, view=view, done=done, asked=asked, about=about)


async def domains(request: Request) -> Response:
    """GET /reconcile/domains."""
    view = await door(request).reconcile.domains()
    return page(request, "domains.html", await door(request).frame(), view=view)


async def compare(request: Request) -> Response:
    """POST /reconcile/compare: ask for a comparison, then back to the page, which says so."""
    name = str((await request.form()).get("connector", ""))
    await door(request).reconcile.compare(name, who(request))
    return RedirectResponse(f"{HERE}?asked={quote(name)}", status_code=303)


async def decide(request: Request) -> Response:
    """POST /reconcile/{ident}: carry out an option, then back to where it stood."""
    ident, sent = request.path_params["ident"], await request.form()
    option = str(sent.get("option", ""))
    fields = {name.removeprefix(FIELD): str(value) for name, value in sent.items() if name.startswith(FIELD)}
    chosen = fields if option == "choose" else {}
    made = await door(request).reconcile.decide(ident, option, chosen, who(request))
    about = made["card"] or next(iter(made["proposals"]), "")
    return RedirectResponse(
        f"{HERE}?done={quote(made['state'])}&about={quote(about)}#m-{quote(ident)}", status_code=303
    )
