"""Handing a card to a person from its page, and taking it back; the letter to her leaves by this word."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from soloist.web.pages.edge import door, who


def routes() -> list[Route]:
    """The routes of handing over."""
    return [
        Route("/cards/{card}/delegate", hand_over, methods=["POST"]),
        Route("/cards/{card}/delegate/back", take_back, methods=["POST"]),
    ]


async def hand_over(request: Request) -> Response:
    """POST: ``to`` is a short name of soloist.toml, ``until`` a time like 2d."""
    card, form = request.path_params["card"], await request.form()
    to, until = (str(form.get(name, "")).strip() for name in ("to", "until"))
    await door(request).letters.hand_over(card, to, until=until, who=who(request), via="console")
    return RedirectResponse(f"/?card={card}", status_code=303)


async def take_back(request: Request) -> Response:
    """POST: the card is the operator's again."""
    card = request.path_params["card"]
    await door(request).letters.take_back(card, who=who(request))
    return RedirectResponse(f"/?card={card}", status_code=303)
