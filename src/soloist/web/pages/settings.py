"""Settings: what is set, who has access, the stop button, and how a form is put on a site."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from soloist.kernel.errors import NotFound
from soloist.web.pages.edge import door, who
from soloist.web.render import page


async def show(request: Request) -> Response:
    """GET /settings."""
    principal = getattr(request.state, "principal", None)
    view = await door(request).settings(principal.session if principal else "")
    return page(request, "settings.html", await door(request).frame(), view=view)


async def end(request: Request) -> Response:
    """POST /sessions/{ident}/end and /tokens/{ident}/end: it works no longer."""
    what = request.url.path.split("/")[1]
    await door(request).end_access(what, request.path_params["ident"])
    return RedirectResponse("/settings", status_code=303)


async def form(request: Request) -> Response:
    """GET /settings/forms/{name}: the address and the snippet to embed."""
    found = [line for line in (await door(request).settings()).forms if line.name == request.path_params["name"]]
    if not found:
        raise NotFound("There is no form of this name in soloist.toml.")
    return page(request, "embed.html", await door(request).frame(), view=found[0])


async def stop(request: Request) -> Response:
    """POST /stop: halt everything outbound (on=1) or let it go on (on=0), then back to where the button was."""
    on = (await request.form()).get("on") == "1"
    await door(request).stop(on, who(request))
    return RedirectResponse("/" if on else "/settings", status_code=303)
