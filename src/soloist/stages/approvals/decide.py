"""Pure decisions of approvals: the row and card of a proposal, the facts policy judges, what a decision means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.kernel.proposal import NewProposal, OperationFacts, amount, recipients

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
        "confidence": "",
        "cost_micro": 0,
        "record": new.record,
        "conversation": new.conversation,
        "thread_head": new.thread_head,
        "context": new.context,
        "expires": expires,
        "hold_ms": int(facts.hold * 1000),
    }


def facts_for_policy(proposal: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule may look at, from the stored row and the payload about to be judged."""
    minor, currency = amount(payload)
    evidence = proposal.get("evidence") or {}
    return {
        "connector": proposal["connector"],
        "operation": proposal["operation"],
        "effect_class": proposal["class"],
        "risk": proposal["risk"],
        "undo": proposal["undo"],
        "held": proposal["hold_ms"] > 0,
        "payload": dict(payload),
        "recipients": recipients(payload),
        "new_recipient": bool(evidence.get("new_recipient", True)),
        "thread_known": bool(evidence.get("thread_known", False)),
        "amount_minor": minor,
        "currency": currency,
        "source": proposal["source"].partition(":")[0],
        "agent": proposal["agent"],
        "kind": proposal["noun"],
    }


def card_values(proposal: Mapping[str, Any], new: NewProposal, reason: str) -> dict[str, Any]:
    """The card of a proposal that policy asks about."""
    return {
        "subject": proposal["id"],
        "subject_kind": "proposal",
        "record": proposal["record"],
        "conversation": proposal["conversation"],
        "run": proposal["run"],
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


def seal_text(proposal: str, digest: str, decision: str, at: str) -> str:
    """What the server's seal on an approval covers."""
    return f"{proposal}\x1f{digest}\x1f{decision}\x1f{at}"


def held_for(row: Mapping[str, Any], verdict: Mapping[str, Any]) -> int:
    """Milliseconds an effect waits before it leaves: a rule that promises a way back holds what cannot be undone."""
    promised = verdict["answer"] == "allow" and verdict["mode"] == "revert" and row["undo"] != "exact"
    return max(int(row["hold_ms"]), int(verdict["window"] * 1000)) if promised else int(row["hold_ms"])


def for_one(payload: Mapping[str, Any], recipient: str) -> dict[str, Any]:
    """A mail for one of its recipients alone; the headers say so too."""
    return {**payload, "to": [recipient], **({"cc": []} if "cc" in payload else {})}
