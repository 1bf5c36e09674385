"""Several cards on one page: every one shown whole, one tick each, one act; nothing is approved unseen."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import BadInput, Conflict
from soloist.web.pages.edge import door, who
from soloist.web.render import page


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [Route("/together/{card}", show, name="together"), Route("/together/{card}", decide, methods=["POST"])]


async def show(request: Request) -> Response:
    """GET /together/{card}: the cards that can be decided with this one."""
    return await _page(request)


async def decide(request: Request) -> Response:
    """POST /together/{card}: decide what was ticked; the form carries the hash of everything that was shown."""
    form = await request.form()
    ticked = dict.fromkeys(str(item) for item in form.getlist("item"))
    shown = {ident: str(form.get(f"hash.{ident}", "")) for ident in ticked}
    option, whole = str(form.get("option", "")), form.get("whole") == "1"
    if not shown:
        return await _page(request, fault="Nothing was ticked, so nothing was decided.", status=422)
    reason = str(form.get("reason", ""))[:500].strip()
    try:
        said = await door(request).time.decide(shown, option, whole=whole, who=who(request), reason=reason)
    except (BadInput, Conflict) as error:
        return await _page(request, fault=error.detail, status=error.status)
    frame = await door(request).frame()
    return page(request, "decided.html", frame, said=said, option=option)


async def _page(request: Request, *, fault: str = "", status: int = 200) -> Response:
    card = request.path_params["card"]
    frame, group = await door(request).frame(), await door(request).time.group(card, who(request))
    return page(request, "together.html", frame, status=status, group=group, fault=fault)
