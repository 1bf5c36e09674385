"""Acts: what programs may set going through the API; each one is one call of the desk or of a stage."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from soloist.flows import safety, snoozing
from soloist.insight import api as rows
from soloist.kernel.access import Principal
from soloist.kernel.errors import BadInput, NotFound
from soloist.kernel.origin import OUTSIDE, OWN
from soloist.kernel.proposal import NewProposal, api_proposal_id
from soloist.stages.approvals import Decision
from soloist.web.api import shapes
from soloist.web.api.asking import Approver, Id, Proposer, TheDesk, read
from soloist.web.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute)
VIA = "api"


@router.post(
    "/events",
    status_code=202,
    response_model=shapes.EventId,
    responses={200: {"model": shapes.EventId, "description": "Received before; the same id"}},
)
async def post_event(who: Proposer, desk: TheDesk, body: shapes.NewEvent) -> Any:
    """Keep an event; answered after it is on the disk. The same source and external_id again is the same event."""
    event, new = await desk.intake.accept(body.source, body.external_id, body.kind, body.payload, actor=who.actor)
    return JSONResponse({"id": event.id, "seq": event.seq}, 202 if new else 200)


@router.post(
    "/proposals",
    status_code=202,
    response_model=shapes.ApprovalAnswer,
    responses={200: {"model": shapes.ApprovalAnswer, "description": "Proposed before; the same id"}},
)
async def post_proposal(who: Proposer, desk: TheDesk, body: shapes.NewProposalBody, response: Response) -> Any:
    """Propose an outside change; policy answers at once, a card is made where it asks for the operator's word."""
    name = _name(who)
    new = NewProposal(
        id=api_proposal_id(name, body.source_ref),
        connector=body.connector,
        operation=body.operation,
        payload=body.payload,
        reason=body.reason,
        source=f"api:{name}",
        source_ref=body.source_ref,
        bundle=f"{name}/{body.bundle}" if body.bundle else "",
        place=body.place,
        origin=OUTSIDE if body.written_from == "outside" else OWN,
    )
    try:
        made = await desk.propose_over_api(new, actor=who.actor)
    except NotFound as error:  # what the body names is not there: the body is wrong, not the address
        raise BadInput(f"{error.field}: {error.detail}", field=error.field) from error
    except BadInput as error:
        raise BadInput(error.detail, field=error.field or "payload", **error.extra) from error
    response.status_code = 202 if made["new"] else 200
    return made


def _name(who: Principal) -> str:
    """The name a program proposes under; the operator's own session has one that no token can have."""
    kind, _, name = who.actor.partition(":")
    return name if kind == "token" and name else f":{who.actor}"


@router.post("/proposals/{ident}/approval", response_model=shapes.ApprovalAnswer)
async def post_approval(who: Approver, desk: TheDesk, ident: Id, body: shapes.ApprovalBody) -> Any:
    """Decide on the exact payload that was looked at; 409 when it has changed. Answers the hash that holds now."""
    said = Decision(body.decision, body.payload_hash, who.actor, VIA, body.edits or None, body.reason)
    if body.decision == "defer":
        return await snoozing.defer_proposal(desk, ident, said)
    return await desk.approvals.decide(ident, said)


@router.post("/cards/{ident}/decision", response_model=shapes.Decided, response_model_exclude_none=True)
async def post_card_decision(who: Approver, desk: TheDesk, ident: Id, body: shapes.CardDecision) -> Any:
    """Choose an option of a card."""
    if body.payload_hash is None:
        card = await read(desk, lambda conn: rows.card(conn, ident))
        if card["payload_hash"]:
            raise BadInput(
                "payload_hash: needed here; send the payload_hash that the card shows.", field="payload_hash"
            )
    if body.option == "defer":
        return await snoozing.snooze(desk, ident, digest=body.payload_hash or "", who=who.actor, via=VIA)
    return await desk.decide_card(
        ident,
        body.option,
        digest=body.payload_hash or "",
        who=who.actor,
        via=VIA,
        edits=body.edits or None,
        reason=body.reason,
    )


@router.post("/effects/{ident}/resolution", response_model=shapes.EffectState, response_model_exclude_none=True)
async def post_resolution(who: Approver, desk: TheDesk, ident: Id, body: shapes.Resolution) -> Any:
    """Say what became of an effect of unknown outcome."""
    return await desk.effects.resolve(ident, body.outcome, body.payload_hash, who=who.actor)


@router.post("/effects/{ident}/undo", response_model=shapes.EffectState, response_model_exclude_none=True)
async def post_undo(who: Approver, desk: TheDesk, ident: Id, body: shapes.UndoBody | None = None) -> Any:
    """Take an effect back: while it is held nothing leaves, afterwards by its declared way back.

    ``proposal`` in the answer is what needs a word of its own: a counter-entry, or a letter. With ``bundle``,
    everything it was proposed together with is taken back, the last part first.
    """
    return await desk.undo(ident, who=who.actor, bundle=bool(body and body.bundle))


@router.put("/stop", response_model=shapes.StopState)
async def put_stop(who: Approver, desk: TheDesk) -> Any:
    """Halt everything outbound until it is released; survives a restart."""
    await safety.press(desk, who=who.actor, way="API")
    return await read(desk, lambda conn: rows.stop_state(conn, desk.effects.halt))


@router.delete("/stop", response_model=shapes.StopState)
async def delete_stop(who: Approver, desk: TheDesk) -> Any:
    """Let what is outbound go on."""
    await safety.release(desk, who=who.actor)
    return await read(desk, lambda conn: rows.stop_state(conn, desk.effects.halt))
