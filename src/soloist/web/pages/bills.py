"""Bills: what is due, what is owed, payments that name no invoice; an account is confirmed here by a person."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from soloist.kernel.errors import SoloistError
from soloist.web.pages.edge import door, who
from soloist.web.render import page

HERE = "/bills"


def routes() -> list[BaseRoute]:
    """The routes of this page."""
    return [
        Route(HERE, show, name="bills"),
        Route(f"{HERE}/accounts", confirm, methods=["POST"]),
        Route(f"{HERE}/payments/{{payment}}", give, methods=["POST"]),
    ]


async def show(request: Request, fault: str = "") -> Response:
    """GET /bills."""
    frame, view = await door(request).frame(), await door(request).bills.page()
    return page(request, "bills.html", frame, status=422 if fault else 200, view=view, fault=fault)


async def confirm(request: Request) -> Response:
    """POST /bills/accounts: an account is a supplier's, on the operator's word."""
    form = await request.form()
    try:
        await door(request).bills.confirm(str(form.get("supplier", "")), str(form.get("account", "")), who(request))
    except SoloistError as error:
        return await show(request, error.detail)
    return RedirectResponse(HERE, status_code=303)


async def give(request: Request) -> Response:
    """POST /bills/payments/{payment}: what a payment pays."""
    form = await request.form()
    try:
        await door(request).bills.give(request.path_params["payment"], str(form.get("invoice", "")), who(request))
    except SoloistError as error:
        return await show(request, error.detail)
    return RedirectResponse(HERE, status_code=303)
