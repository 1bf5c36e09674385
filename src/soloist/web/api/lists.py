"""Lists: everything the API reads, each list by key and each object by id; nothing is written here."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter

from soloist.insight import account
from soloist.insight import api as rows
from soloist.web.api import shapes
from soloist.web.api.asking import After, Id, Limit, Reader, TheDesk, cursor, key, ordinal, page, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
CardState = Literal["open", "done", "expired", "withdrawn"]
RunState = Literal["", "pending", "running", "waiting", "done", "failed"]
ProposalState = Literal["", "waiting", "approved", "rejected", "denied", "expired", "withdrawn", "superseded"]


@router.get("/events", response_model=shapes.Tail[shapes.EventRow])
async def list_events(_: Reader, desk: TheDesk, after: After = "", limit: Limit = 100) -> Any:
    """The journal in order; ``after`` is a sequence number or the ``next`` of a page."""
    place = ordinal("events", after)
    found = await read(desk, lambda conn: rows.event_rows(conn, place, limit))
    return {"items": found, "next": cursor("events", found[-1]["seq"] if found else place)}


@router.get("/runs", response_model=shapes.Page[shapes.RunRow])
async def list_runs(_: Reader, desk: TheDesk, state: RunState = "", after: After = "", limit: Limit = 100) -> Any:
    """Runs, newest first."""
    place = key("runs", after)
    return page("runs", await read(desk, lambda c: rows.run_rows(c, place, limit + 1, state)), limit, "started")


@router.get("/runs/{ident}", response_model=shapes.RunWithSteps)
async def get_run(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One run with its steps."""
    return await read(desk, lambda conn: rows.run(conn, ident))


@router.get("/cards", response_model=shapes.Page[shapes.CardRow])
async def list_cards(_: Reader, desk: TheDesk, state: CardState = "open", after: After = "", limit: Limit = 100) -> Any:
    """Cards, oldest first; the inbox is the open ones."""
    place = key("cards", after) or ("", "")
    return page("cards", await read(desk, lambda c: rows.card_rows(c, place, limit + 1, state)), limit, "created")


@router.get("/cards/{ident}", response_model=shapes.CardRow)
async def get_card(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One card."""
    return await read(desk, lambda conn: rows.card(conn, ident))


@router.get("/proposals", response_model=shapes.Page[shapes.ProposalRow])
async def list_proposals(
    _: Reader, desk: TheDesk, state: ProposalState = "", after: After = "", limit: Limit = 100
) -> Any:
    """Proposals, oldest first."""
    place = key("proposals", after) or ("", "")
    found = await read(desk, lambda conn: rows.proposal_rows(conn, place, limit + 1, state))
    return page("proposals", found, limit, "created")


@router.get("/proposals/{ident}", response_model=shapes.ProposalWhole)
async def get_proposal(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One proposal with its versions, verdicts, approvals and effects."""
    return await read(desk, lambda conn: rows.proposal(conn, ident))


@router.get("/effects", response_model=shapes.Tail[shapes.EffectRow])
async def list_effects(_: Reader, desk: TheDesk, after: After = "", limit: Limit = 100) -> Any:
    """Effects in the order they were intended."""
    place = ordinal("effects", after)
    found = await read(desk, lambda conn: rows.effect_rows(conn, place, limit))
    return {"items": [row for _n, row in found], "next": cursor("effects", found[-1][0] if found else place)}


@router.get("/effects/{ident}", response_model=shapes.EffectWhole)
async def get_effect(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """One effect with its evidence and every attempt."""
    return await read(desk, lambda conn: rows.effect(conn, ident))


@router.get("/stop", response_model=shapes.StopState)
async def get_stop(_: Reader, desk: TheDesk) -> Any:
    """Whether everything outbound is halted."""
    return await read(desk, lambda conn: rows.stop_state(conn, desk.effects.halt))


@router.get("/explanations/{ident}", response_model=shapes.Explanation)
async def get_explanation(_: Reader, desk: TheDesk, ident: Id) -> Any:
    """What happened and why, for the id of any proposal, effect, card, message, event or run."""
    return await read(desk, lambda conn: account.explain(conn, ident))
