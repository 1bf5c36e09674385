"""Pure decisions of the runtime: what an agent is given, and the proposal that its draft becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.config import Qualification, Settings
from soloist.kernel import money
from soloist.kernel.message import Budget, Criterion, Draft, Qualified, Span, Understanding
from soloist.kernel.work import Worked, WorkItem
from soloist.stages.runtime import kinds
from soloist.stages.runtime.replying import Words

THREAD = 12
"""Newest messages of a thread that a draft may rest on."""
SET_ASIDE = frozenset({"bulk", "automatic", "spam"})
"""Kinds that never get an answer and make no card."""


def criteria(wanted: Qualification) -> list[Criterion]:
    """What the operator asks of an enquiry; what they left empty is not asked."""
    found: list[Criterion] = []
    if wanted.services:
        found.append(Criterion(name="services", wanted=", ".join(wanted.services)))
    if wanted.minimum_budget:
        found.append(Criterion(name="minimum_budget", wanted=wanted.minimum_budget))
    if wanted.regions:
        found.append(Criterion(name="regions", wanted=", ".join(wanted.regions)))
    if wanted.earliest_start:
        found.append(Criterion(name="earliest_start", wanted=wanted.earliest_start))
    return found


def understand_input(message: Mapping[str, Any], settings: Settings, *, known: bool, thread: bool) -> dict[str, Any]:
    """What the skill ``understand`` is given."""
    business = settings.business
    return {
        "subject": message["subject"],
        "text": message["text"],
        "sender_name": message["sender_name"],
        "sender_address": message["sender"],
        "automatic": None if kinds.soft(message["automatic"]) else message["automatic"],
        "known_client": known,
        "thread_known": thread,
        "attachments": [{"name": a["name"], "mime": a["mime"]} for a in message["attachments"] or []],
        "now": message["at"],
        "timezone": business.timezone,
        "currency": business.currency,
        "phone_region": business.phone_region,
        "default_language": business.language,
    }


def facts(message: Mapping[str, Any], *, known: bool, thread: bool) -> kinds.Facts:
    """What is known around a message."""
    return kinds.Facts(known=known, thread=thread, newsletter=kinds.soft(message["automatic"]))


def classify_input(message: Mapping[str, Any], found: Understanding, model: str) -> dict[str, Any]:
    """What the local model is given: the sender's own words, without what they quote."""
    return {
        "subject": message["subject"],
        "text": found.own_text,
        "signature": found.signature,
        "language": found.language,
        "model": model,
    }


def reply_payload(
    message: Mapping[str, Any], draft: Draft, references: Sequence[str], recipient: str
) -> dict[str, Any]:
    """The mail that a draft becomes: to the person who wrote, on their thread."""
    return {
        "to": [recipient],
        "subject": draft.subject,
        "body": draft.body,
        "in_reply_to": message["message_id"],
        "references": list(references)[-20:],
    }


def thread_words(thread: Sequence[Mapping[str, Any]], message: Mapping[str, Any]) -> tuple[Words, ...]:
    """What stands on a thread beside a message, oldest first; what we wrote there is ours."""
    others = [one for one in thread if one["id"] != message["id"] and one["text"]]
    return tuple(Words(f"{one['at'][:10]}", str(one["text"]), ours=one["direction"] == "out") for one in others)


def why(understanding: Understanding, answers: Sequence[Qualified], known: bool) -> str:
    """Why the operator sees this card, in one sentence."""
    who = "someone you know" if known else "someone new"
    missing = [a.criterion.replace("_", " ") for a in answers if a.answer == "not_met"]
    open_ = [a.criterion.replace("_", " ") for a in answers if a.answer == "unknown"]
    said = f"This reads as {_article(understanding.kind)} from {who}."
    if missing:
        said += f" Not met: {', '.join(missing)}."
    if open_:
        said += f" Not said: {', '.join(open_)}."
    return said + " Mail to clients waits for your word."


def _article(kind: str) -> str:
    """The kind of a message with its article."""
    names = {
        "enquiry": "an enquiry",
        "client": "a client's message",
        "support": "a request for help",
        "billing": "a message about money",
        "scheduling": "a message about a date",
    }
    return names.get(kind, "a message")


def evidence(understanding: Understanding, answers: Sequence[Qualified], draft: Draft) -> dict[str, Any]:
    """What the card shows beside the draft: the words each claim rests on."""
    return {
        "kind": understanding.kind,
        "kind_rule": understanding.kind_rule,
        "kind_words": [span.text for span in understanding.kind_words],
        "answers": [answer.model_dump() for answer in answers],
        "citations": [citation.model_dump() for citation in draft.citations],
        "notes": draft.notes,
        "template": draft.template,
        "language": draft.language,
    }


def recollected(
    understanding: Understanding, sender: str, stated: Sequence[Mapping[str, Any]]
) -> tuple[Understanding, str]:
    """An enquiry that names no budget, with the one its sender named before, and a note that says so ("" for none).

    Only what the same address said, or what the operator confirmed, and nothing that is disputed.
    """
    if understanding.kind != "enquiry" or understanding.budgets:
        return understanding, ""
    for fact in stated:
        value = fact["value"]
        theirs = fact["trust"] == "confirmed" or str(fact["actor"]).casefold() == sender.casefold()
        whole = isinstance(value, Mapping) and all(money.is_amount(value.get(end)) for end in ("low", "high"))
        if fact["attribute"] == "budget" and fact["state"] == "held" and theirs and whole and fact["quote"]:
            words = Span(text=fact["quote"], start=0, end=len(fact["quote"]))
            budget = Budget.model_validate({"low": value["low"], "high": value["high"], "span": words})
            note = f'This mail names no budget; what they wrote on {fact["valid_from"][:10]} counts: "{words.text}"'
            return understanding.model_copy(update={"budgets": [budget]}), note
    return understanding, ""


def written(work: Sequence[tuple[WorkItem, Worked]], author: str) -> dict[str, Any]:
    """Who wrote a draft, why it is as it is, and what the work on it came to; for the card."""
    spent = sum(int(worked.cost["micro"]) for _, worked in work)
    first = work[0][1] if work else None
    found: dict[str, Any] = {"author": author, "rationale": first.rationale if first else ""}
    if first is not None and first.large:
        found["large"] = first.large
    return {**found, "cost_micro": spent} if spent else found


def value_of(understanding: Understanding) -> tuple[int, str]:
    """The highest budget named, in minor units, with its currency; (0, "") when none is."""
    best = max(understanding.budgets, key=lambda budget: budget.high.minor, default=None)
    return (best.high.minor, best.high.currency) if best else (0, "")
