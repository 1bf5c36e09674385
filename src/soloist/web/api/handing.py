"""Handing over: whom a card is with, as one resource of the card."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from soloist.flows.delegating import USUAL, Delegating
from soloist.web.api.asking import Approver, Id, TheDesk
from soloist.web.api.shapes import Name, Taken
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)


class HandOver(Taken):
    """To whom, by the short name in soloist.toml, and for how long."""

    to: Name
    until: str = Field(default=USUAL, max_length=20, description="a time like 2d")


class Handed(Taken):
    """Whom a card is with, and until when."""

    card: str
    to: str
    name: str
    until: str


@router.put("/cards/{ident}/delegate", response_model=Handed)
async def put_delegate(who: Approver, desk: TheDesk, ident: Id, body: HandOver) -> Any:
    """Hand a card to a person; the letter to her leaves by this word. Low and medium risk only."""
    given = {"until": body.until, "who": who.actor, "via": "api"}
    found = await Delegating(desk).hand_over(ident, body.to, **given)
    return {"card": found.card, "to": found.to, "name": found.name, "until": found.until}


@router.delete("/cards/{ident}/delegate", status_code=204)
async def delete_delegate(who: Approver, desk: TheDesk, ident: Id) -> None:
    """Take a card back; her code and link end."""
    await Delegating(desk).take_back(ident, who=who.actor)
