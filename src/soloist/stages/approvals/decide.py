"""Pure decisions of approvals: the row and card of a proposal, the facts policy judges, what a decision means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.kernel.proposal import NewProposal, OperationFacts, amount, at, recipients

AT_EXPIRY = "Nothing is sent. You are told that it was not answered."
"""The stated outcome of every time box: never to carry something out."""

ESTIMATE = {"effect": 60, "change": 20}
"""Seconds a person is expected to need for a card, by noun."""


def row(new: NewProposal, facts: OperationFacts, *, expires: str) -> dict[str, Any]:
    """The stored form of a new proposal."""
    return {
        "id": new.id,
        "noun": new.noun,
        "source": new.source,
        "source_ref": new.source_ref,
        "run": new.run,
        "agent": new.agent,
        "connector": new.connector,
        "operation": new.operation,
        "payload": dict(new.payload),
        "payload_hash": new.hash,
        "assets": [],
        "class": facts.effect_class,
        "risk": facts.risk,
        "undo": facts.undo,
        "way_back": facts.way_back,
        "reason": new.reason,
        "evidence": dict(new.evidence),
        "questions": [dict(question) for question in new.questions],
        "confidence": "low" if new.questions else "",
        "cost_micro": 0,
        "record": new.record,
        "conversation": new.conversation,
        "thread_head": new.thread_head,
        "context": new.context,
        "expires": expires,
        "hold_ms": int(facts.hold * 1000),
        "primitive": facts.primitive,
        "audience": facts.audience,
        "bundle": new.bundle,
        "place": new.place,
        **figures(new.payload, facts),
    }


def figures(payload: Mapping[str, Any], facts: OperationFacts) -> dict[str, Any]:
    """Amount, currency and recipients of a payload, at the places its operation declares; kept for the history."""
    minor, currency = amount(payload, facts.amount, facts.currency)
    whole = abs(minor) < 2**63
    return {
        "amount_minor": minor if whole else 0,
        "currency": currency,
        "recipients": recipients(payload, facts.recipients),
    }


def facts_for_policy(
    proposal: Mapping[str, Any], payload: Mapping[str, Any], declared: OperationFacts | None = None
) -> dict[str, Any]:
    """What a rule may look at, from the stored row and the payload about to be judged.

    ``declared`` is what the connector says about the operation now; without it the row's own words count. A program
    counts as the agent "api:<name of its token>".
    """
    evidence = proposal.get("evidence") or {}
    stored = OperationFacts(
        proposal["class"],
        proposal["risk"],
        proposal["undo"],
        proposal["way_back"],
        primitive=proposal.get("primitive") or "act",
        audience=proposal.get("audience") or "",
    )
    now = declared or stored
    found = figures(payload, now)
    fields = payload.get("fields") if proposal["noun"] == "change" else None
    return {
        "connector": proposal["connector"],
        "operation": proposal["operation"],
        "effect_class": now.effect_class,
        "risk": now.risk,
        "undo": now.undo,
        "primitive": now.primitive,
        "audience": now.audience,
        "held": proposal["hold_ms"] > 0,
        "payload": dict(payload),
        "recipients": found["recipients"],
        "new_recipient": bool(evidence.get("new_recipient", True)),
        "thread_known": bool(evidence.get("thread_known", False)),
        "template": str(evidence.get("template") or ""),
        "unsure": bool(proposal.get("questions")),
        "unshown": evidence.get("large") == "held",
        "amount_minor": found["amount_minor"],
        "currency": found["currency"],
        "odd_amount": _odd(at(payload, now.amount)),
        "source": proposal["source"].partition(":")[0],
        "agent": agent_of(proposal),
        "kind": proposal["noun"],
        "fields": sorted(fields) if isinstance(fields, Mapping) else [],
    }


def agent_of(proposal: Mapping[str, Any]) -> str:
    """Who proposed: the agent, or "api:<name of its token>" for a program."""
    source = str(proposal["source"])
    return str(proposal["agent"]) or (source if source.startswith("api:") else "")


def _odd(value: Any) -> bool:
    """Whether an amount is named that is not a whole number of cents the rules can count with."""
    if value is None or value == "":
        return False
    return isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63


def card_values(proposal: Mapping[str, Any], new: NewProposal, reason: str) -> dict[str, Any]:
    """The card of a proposal that policy asks about."""
    return {
        "subject": proposal["id"],
        "subject_kind": "proposal",
        "record": proposal["record"],
        "conversation": proposal["conversation"],
        "run": proposal["run"],
        "bundle": proposal.get("bundle") or "",
        "why": f"{new.reason} {reason}".strip(),
        "options": [
            {"name": "approve", "label": "Approve", "consequence": f"Runs {proposal['operation']} once."},
            {"name": "reject", "label": "Reject", "consequence": "Nothing is sent; your reason is kept."},
            {"name": "defer", "label": "Later", "consequence": "The card comes back tomorrow morning."},
        ],
        "estimate": ESTIMATE[proposal["noun"]],
        "value_minor": new.value_minor,
        "currency": new.currency,
        "judgement": 1 if new.questions or proposal["risk"] != "reversible" else 0,
        "deadline": proposal["expires"],
        "at_expiry": AT_EXPIRY,
    }


def audit_card(proposal: Mapping[str, Any], verdict: Mapping[str, Any], title: str) -> dict[str, Any]:
    """The card about something unusual that went alone, after the fact."""
    words = " ".join(flag["words"] for flag in verdict["flags"])
    options = [{"name": "fine", "label": "Fine", "consequence": "The card is closed; nothing changes."}]
    if proposal["undo"] in ("exact", "offset") or proposal["hold_ms"]:
        again = "while it is held nothing is sent; afterwards " if proposal["hold_ms"] else ""
        way = proposal["way_back"] or "it cannot be taken back"
        options.append({"name": "undo", "label": "Take it back", "consequence": f"Undoes it: {again}{way}."})
    ends = "The grant ends." if verdict["grant"] else f"A new rule asks when {title} is unusual in this way."
    options.append({"name": "ask", "label": "Ask next time", "consequence": ends})
    return {
        "subject": proposal["id"],
        "subject_kind": "proposal",
        "record": proposal["record"],
        "conversation": proposal["conversation"],
        "run": proposal["run"],
        "why": f"{words} {verdict['reason']}",
        "options": options,
        "estimate": 30,
        "at_expiry": "The card is closed; nothing changes.",
    }


def held_for(row: Mapping[str, Any], verdict: Mapping[str, Any]) -> int:
    """Milliseconds an effect waits before it leaves: a rule that promises a way back holds what cannot be undone."""
    promised = verdict["answer"] == "allow" and verdict["mode"] == "revert" and row["undo"] != "exact"
    return max(int(row["hold_ms"]), int(verdict["window"] * 1000)) if promised else int(row["hold_ms"])


def for_one(payload: Mapping[str, Any], recipient: str) -> dict[str, Any]:
    """A mail for one of its recipients alone; the headers say so too."""
    return {**payload, "to": [recipient], **({"cc": []} if "cc" in payload else {})}


EDITED = "your edit"
"""The source of a value that a person put into a proposal."""


def steered(
    origin: Mapping[str, Any] | None, verdict: Mapping[str, Any], edits: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The origin of an edited proposal: what the person changed has them as its source."""
    if origin is None:
        return None
    control = [
        {**one, "source": EDITED}
        if one["place"].partition(".")[0] in {name.partition(".")[0] for name in edits}
        else one
        for one in verdict.get("control") or ()
    ]
    return {**origin, "control": control}
