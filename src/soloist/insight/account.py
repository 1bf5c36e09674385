"""Account: everything stored about one action as data, for programs; the Why page tells the same in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import events, reading
from soloist.engine.store.reading import Connection
from soloist.insight import api, explanation
from soloist.kernel.errors import NotFound

Row = dict[str, Any]


def explain(conn: Connection, ident: str) -> Row:
    """What happened and why, for a proposal, effect, card, message, event or run id (NotFound).

    Facts that do not apply are None or empty; ``happened`` is one sentence, everything else are stored rows.
    """
    try:
        told = explanation.page(conn, ident)
    except NotFound:
        return _of_run(conn, ident)
    base = {"id": ident, "title": told.title, "happened": told.happened, "at": told.at}
    proposal = explanation.proposal_of(conn, ident)
    if proposal:
        return {**base, "about": "proposal", **_of_proposal(conn, proposal, told.can_undo)}
    message = api.row_of(conn, "messages", told.id)
    event = message["event"] if message else told.id
    return {
        **base,
        "about": "message" if message else "event",
        "trigger": _trigger(conn, event),
        "evidence": dict((message or {}).get("understanding") or {}),
        "history": api.stories(conn, [told.id, event]),
    }


def _of_run(conn: Connection, ident: str) -> Row:
    """A run that made no proposal (NotFound when there is none of this id either)."""
    try:
        run = api.run(conn, ident)
    except NotFound:
        raise NotFound(f"There is nothing with the id {ident}.") from None
    note = f": {run['note']}" if run["note"] else ""
    return {
        "id": ident,
        "about": "run",
        "title": f"{run['flow']} of {run['subject'] or run['input']}",
        "happened": f"The run of {run['flow']} is {run['state']}{note}.",
        "at": run["ended"] or run["started"],
        "trigger": _trigger(conn, run["subject"]),
        "run": run,
        "history": api.stories(conn, [ident, run["subject"]]),
    }


def _trigger(conn: Connection, event: str) -> Row | None:
    """The event that began it, or None."""
    return {"kind": "event", "event": events.get(conn, event)} if api.row_of(conn, "events", event) else None


def _of_proposal(conn: Connection, ident: str, can_undo: bool) -> Row:
    """Everything that hangs on a proposal."""
    proposal = api.proposal(conn, ident)
    hanging = ("versions", "verdicts", "approvals", "effects")
    made = [api.effect(conn, row["id"]) for row in proposal["effects"]]
    run = api.row_of(conn, "runs", proposal["run"])
    card = api.row_of(conn, "tasks", _card(conn, ident))
    return {
        "trigger": _trigger_of(conn, proposal, run),
        "agent": _agent(proposal),
        "context": dict(api.row_of(conn, "contexts", proposal["context"]) or {}) or None,
        "evidence": dict(proposal["evidence"] or {}),
        "questions": proposal["questions"] or [],
        "proposal": {name: value for name, value in proposal.items() if name not in hanging},
        "card": dict(card) if card else None,
        "verdicts": proposal["verdicts"],
        "approvals": [_approval(said, proposal) for said in proposal["approvals"]],
        "effects": made,
        "way_back": {"kind": proposal["undo"], "sentence": proposal["way_back"], "possible_now": can_undo},
        "history": api.stories(conn, [ident, _card(conn, ident), *(row["id"] for row in made)]),
    }


def _card(conn: Connection, proposal: str) -> str:
    """The id of the newest card about a proposal, "" for none."""
    found = reading.card_about(conn, proposal)
    return str(found["id"]) if found else ""


def _trigger_of(conn: Connection, proposal: Row, run: Mapping[str, Any] | None) -> Row:
    """Who or what asked for a proposal: an event, or a program with its own reference."""
    found = None
    if run:
        message = api.row_of(conn, "messages", run["subject"])
        found = _trigger(conn, message["event"] if message else run["input"])
    return found or {"kind": proposal["source"], "source_ref": proposal["source_ref"]}


def _agent(proposal: Row) -> Row:
    """Who made a proposal and why."""
    evidence = proposal["evidence"] or {}
    return {
        "name": proposal["agent"] or proposal["source"],
        "reason": proposal["reason"],
        "run": proposal["run"],
        "template": evidence.get("template", ""),
        "cost_micro": proposal["cost_micro"],
    }


def _approval(said: Row, proposal: Row) -> Row:
    """One decision with what an edit changed: every field that was edited, before and after."""
    before, after = proposal["versions"][0]["payload"], {}
    for version in proposal["versions"]:
        if version["payload_hash"] == said["payload_hash"]:
            after = version["payload"]
    changed = [name for name in sorted({**before, **after}) if after and before.get(name) != after.get(name)]
    edited = [{"field": name, "before": before.get(name), "after": after.get(name)} for name in changed]
    shown = {name: value for name, value in said.items() if name != "seal"}
    return {**shown, "changed": edited if said["edits"] else []}
