"""What is said about caps: on cards, in refusals and alerts; it decides nothing."""

from __future__ import annotations

from typing import Any

from soloist.kernel.spend import MICRO, Cap, Payer
from soloist.stages.spend.decide import Held, Refusal

SPANS = {
    "call": "for one call",
    "run": "for one run",
    "day": "for a day",
    "month": "for a month",
    "total": "altogether",
}
ENDS = {"day": "Tomorrow it goes on by itself.", "month": "Next month it goes on by itself."}


def amount(measure: str, value: int, currency: str) -> str:
    """A sum in words: "1.50 EUR", "200,000 tokens"; money below a cent with the digits it needs."""
    if measure != "money":
        return f"{value:,} {measure}"
    if abs(value) < MICRO // 100 and value:
        return f"{value / MICRO:.4f} {currency}"
    return f"{value / MICRO:,.2f} {currency}"


def whose(cap: Cap, subject: str) -> str:
    """Whom a cap is for."""
    named = {"agent": f"the agent {subject}", "flow": f"the flow {subject}", "client": f"the client {subject}"}
    named |= {"run": "this run", "task": "this task", "house": "the whole house"}
    return named[cap.scope]


def title(cap: Cap, subject: str) -> str:
    """A cap in words: what it bounds, for whom, in which span."""
    span = "" if cap.scope in ("run", "task") else f" {SPANS[cap.span]}"
    return f"{amount(cap.measure, cap.most, cap.currency)}{span} for {whose(cap, subject)}"


def reached(found: Refusal, payer: Payer) -> str:
    """Why a call was not made."""
    cap, subject = found.held.cap, found.held.subject
    said = {kind: amount(cap.measure, value, cap.currency) for kind, value in
            (("used", found.used), ("more", found.needed - found.used), ("most", found.most))}  # fmt: skip
    by = f" by {payer.agent}" if payer.agent else ""
    if found.held.key is None:
        return f"A call{by} could come to {said['more']}, and one call may use {said['most']}. Nothing was asked."
    wider = "" if found.most == cap.most else f", {said['most']} with its extension,"
    return (
        f"The cap of {title(cap, subject)}{wider} would be passed: {said['used']} are used or held back, and a "
        f"call{by} could come to {said['more']}. Nothing was asked."
    )


def stopped(cap: Cap | None, subject: str) -> str:
    """Why nothing more is asked since a cap was reached."""
    what = title(cap, subject) if cap else "a cap that is no longer written down"
    return f"The cap of {what} is reached, so no model is asked. Extend it on its card, or with: soloist budget extend"


def card(found: Refusal, payer: Payer, percent: int) -> dict[str, Any]:
    """The card of a cap that is reached, with what each answer leads to."""
    cap, subject = found.held.cap, found.held.subject
    wider = max(1, -(-cap.most * percent // 100), found.needed - found.most)
    more = amount(cap.measure, wider, cap.currency)
    off = f"Until then nothing asks a model for {whose(cap, subject)}."
    ends = ENDS.get(cap.span, "It stays so until you say otherwise.")
    who = f"Agent {payer.agent} is stopped. " if payer.agent and cap.scope not in ("run", "task") else ""
    return {
        "title": f"A cap is reached: {title(cap, subject)}",
        "subject_kind": "cap",
        "why": f"{who}{reached(found, payer)} {ends}",
        "run": payer.run,
        "detail": {"cap": title(cap, subject), "used": found.used, "most": found.most, "more": wider},
        "options": [
            {
                "name": "extend",
                "label": f"Allow {more} more",
                "consequence": f"It goes on at once, with {more} more until the period of this cap is over.",
            },
            {"name": "keep", "label": "Keep the cap", "consequence": f"{off} {ends}"},
            {
                "name": "off",
                "label": "No cap until then",
                "consequence": "This cap does not count until its period is over; the other caps do.",
            },
        ],
        "estimate": 30,
        "judgement": 1,
        "at_expiry": "The cap stays as it is.",
    }


def alert(held: Held, used: tuple[int, int, int]) -> dict[str, Any]:
    """The card of an alert; ``used`` is (share, used, most)."""
    cap, (share, sum_, most) = held.cap, used
    said = f"{amount(cap.measure, sum_, cap.currency)} of {amount(cap.measure, most, cap.currency)}"
    return {
        "title": f"{share} % of a cap are used: {title(cap, held.subject)}",
        "subject_kind": "cap",
        "why": f"{said} are used or held back for calls that run. At the cap no model is asked any more.",
        "detail": {"cap": title(cap, held.subject), "share": share, "used": sum_, "most": most},
        "options": [
            {"name": "keep", "label": "Fine", "consequence": "Nothing changes; you are told again at the next share."},
            {"name": "extend", "label": "Extend the cap", "consequence": "It is wider until its period is over."},
        ],
        "estimate": 15,
        "judgement": 0,
        "at_expiry": "Nothing changes.",
    }
