"""What changed on a card since an operator last looked at it; it compares and renders, and decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from soloist.engine.store import attention, conversations, effects, proposals, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.engine.store.tx import Tx
from soloist.insight import sheets, views
from soloist.kernel.errors import NotFound

VISIT = 600.0
"""Seconds without a look after which the next one begins a new visit; within one, the comparison stays."""

State = dict[str, str]
"""What a card said at a moment: payload hash, head of its thread, deadline, verdict, and news from outside."""


def state_of(conn: Connection, card: Mapping[str, Any]) -> State:
    """What a card says now, as short as it can be compared."""
    effect = effects.get(conn, card["subject"]) if card["subject_kind"] == "effect" else None
    proposal = proposals.find(conn, effect["proposal"] if effect else card["subject"])
    said = proposals.verdicts_of(conn, proposal["id"])[-1:] if proposal else []
    return {
        "hash": str((effect or proposal or {}).get("payload_hash", "")),
        "head": _head(conn, str(card["conversation"] or "")),
        "deadline": str(card["deadline"] or ""),
        "verdict": f"{said[0]['answer']}: {said[0]['reason']}" if said else "",
        "outside": _digest([effect["state"], effect["evidence"]]) if effect else "",
        "why": _digest([card["title"], card["why"], card["options"]]),
    }


def _head(conn: Connection, conversation: str) -> str:
    try:
        return str(conversations.get(conn, conversation)["head"]) if conversation else ""
    except NotFound:
        return ""


def _digest(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def after_look(before: Mapping[str, Any], state: State, now: str) -> dict[str, Any]:
    """What is kept of an operator's looks: ``base`` (what they knew when this visit began), ``last``, ``at``."""
    if not before:
        return {"base": state, "last": state, "at": now}
    visit_over = later(str(before["at"]), VISIT) <= now
    return {"base": before["last"] if visit_over else before["base"], "last": state, "at": now}


def changes(conn: Connection, ident: str, who: str, now: str) -> tuple[views.Changed | None, bool]:
    """What is new on a card for this operator, and whether the look is worth keeping (NotFound)."""
    card = tasks.get(conn, ident)
    before = (card["seen"] or {}).get(who) or {}
    state = state_of(conn, card)
    kept = after_look(before, state, now)
    worth = card["state"] == "open" and (not before or before["last"] != state or later(str(before["at"]), 60.0) <= now)
    return (_told(conn, card, kept["base"], state) if card["state"] == "open" else None), worth


def look(tx: Tx, ident: str, who: str) -> None:
    """Keep that an operator looked at an open card just now (NotFound)."""
    card = tasks.get(tx.conn, ident)
    if card["state"] == "open":
        seen = dict(card["seen"] or {})
        seen[who] = after_look(seen.get(who) or {}, state_of(tx.conn, card), tx.now)
        attention.saw(tx, ident, seen)


def look_at_all(tx: Tx, idents: Iterable[str], who: str) -> None:
    """The same for every card of a page."""
    for ident in idents:
        look(tx, ident, who)


def _told(conn: Connection, card: Mapping[str, Any], base: State, state: State) -> views.Changed | None:
    """The differences in words; None when there are none."""
    said = []
    fields: tuple[views.FieldDiff, ...] = ()
    if base["hash"] != state["hash"]:
        fields = _draft(conn, str(card["subject"]), base["hash"], state["hash"])
        said.append("the draft is another one")
    if base["head"] != state["head"]:
        said.append(_new_message(conn, state["head"]))
    if base["deadline"] != state["deadline"]:
        nearer = bool(state["deadline"]) and (not base["deadline"] or state["deadline"] < base["deadline"])
        said.append("the deadline is nearer" if nearer else "the deadline is later")
    if base["verdict"] != state["verdict"]:
        said.append(f"policy says now: {state['verdict'].rstrip('.')}")
    if base["outside"] != state["outside"]:
        said.append("there is news about what happened outside")
    if base["why"] != state["why"]:
        said.append("what it asks is worded anew")
    return views.Changed(f"Since you last looked: {'; '.join(said)}.", fields) if said else None


def _new_message(conn: Connection, head: str) -> str:
    try:
        message = conversations.message(conn, head)
    except NotFound:
        return "the thread moved on"
    who = message["sender_name"] or message["sender"]
    return (
        f"a new message on the thread, from {who}"
        if message["direction"] == "in"
        else "something was sent on the thread"
    )


def _draft(conn: Connection, proposal: str, old: str, new: str) -> tuple[views.FieldDiff, ...]:
    """The fields of two versions of a payload that differ, word by word."""
    found = {row["payload_hash"]: row["payload"] for row in proposals.versions(conn, proposal)}
    before, after = found.get(old), found.get(new)
    if before is None or after is None:
        return ()
    names = sorted({*before, *after})
    return tuple(
        sheets.field_diff(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )
