"""The words of cards about effects: what happened, where was looked, what each answer does. Pure; it opens no card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from soloist.kernel.money import plain
from soloist.kernel.proposal import recipients
from soloist.stages.effects.decide import ABSENT, FAILED

MAIL_OPERATION = "mail.send"
CONFLICT = ("409", "412")
"""First word of the evidence of a refusal because something moved on the other side."""
_LONGEST = 300

Card = dict[str, Any]


def unknown(
    effect: Mapping[str, Any],
    proposal: Mapping[str, Any],
    attempts: Sequence[Mapping[str, Any]],
    *,
    why: str,
    zone: tzinfo,
    page: str = "",
) -> Card:
    """The card of an uncertain outcome: what, to whom, when, what broke, where was looked, what each mistake costs.

    ``page`` is the provider's own page about it, "" when the connector names none.
    """
    last = attempts[-1] if attempts else {"started": effect["updated"], "evidence": ""}
    people = _people(effect, proposal)
    looked = looks(effect, zone)
    twice, never = _costs(effect, proposal, people)
    lines = [
        f"We may have {_deed(effect, proposal)}{_to(people)} at {local(last['started'], zone)}.",
        f"{_sentence(last['evidence'])}",
        f"{_sentence(why)}",
        f"We looked for it at {', '.join(looked)} and did not find it." if looked else "",
        f"If it arrived and you send it again, {twice}. If it did not and you leave it, {never}.",
        f"See for yourself: {page}" if page else "",
    ]
    return {
        "title": f"Did this {'come back' if effect['undoes'] else 'arrive'}? {short(proposal)}"[:160],
        "why": " ".join(dict.fromkeys(line for line in lines if line)),
        "detail": {"looked": looked, "page": page, "answer": last["evidence"], "tried": local(last["started"], zone)},
        "options": _answers(effect, proposal, people, twice),
        "estimate": 90,
        "judgement": 2,
    }


def _answers(effect: Mapping[str, Any], proposal: Mapping[str, Any], people: str, twice: str) -> list[Card]:
    """It arrived; send again; leave it; and for a mail, a letter that is true in both cases."""
    found = [
        option("happened", "It arrived", "It is marked as done. Nothing is sent."),
        option("send_again", "It did not: send again", f"It is sent once more. If it did arrive, {twice}."),
        option("did_not_happen", "Leave it", "Nothing is sent. It is listed as not done."),
    ]
    if proposal["operation"] == MAIL_OPERATION and not effect["undoes"]:
        says = f"A short mail{f' to {people}' if people else ''} comes as a card; it is true whether the first arrived."
        found.append(option("follow_up", "Write a follow-up", says))
    return found


def failed(
    effect: Mapping[str, Any], proposal: Mapping[str, Any], why: str, *, answer: str = "", rest: int = 0
) -> Card:
    """The card of a refusal: certainly nothing was done; the exact input and what can be done now.

    ``answer`` is what the other side said, ``rest`` how many later parts of its bundle did not start.
    """
    moved = answer.startswith(CONFLICT)
    lines = [
        f"It changed on the other side meanwhile, so {effect['connector']} refused {effect['operation']}."
        if moved
        else f"{effect['connector']} refused {effect['operation']}: {_sentence(why)}",
        "Nothing was done.",
        f"They answered: {answer[:_LONGEST]}" if answer and answer not in why else "",
        f"{rest} later part{'s' if rest > 1 else ''} of its bundle did not start." if rest else "",
    ]
    again = "It comes back as a card; look at what holds now before you approve." if moved else ""
    choices = [
        option("again", "Propose it again", again or "It comes back as a card you can edit."),
        option("leave", "Leave it", f"Nothing is sent{', nor the later parts' if rest else ''}; this card is closed."),
    ]
    if rest or proposal.get("bundle"):
        does = "What the bundle did is taken back, the last part first; the later parts are not sent."
        choices.append(option("take_back", "Take the bundle back", does))
    return {
        "title": f"Not done: {short(proposal)}",
        "why": " ".join(line for line in lines if line),
        "detail": {"input": proposal["payload"], "answer": answer, "kind": "conflict" if moved else "refused"},
        "options": choices,
        "estimate": 60,
        "judgement": 1,
    }


def sign_in(connector: str, why: str) -> Card:
    """The one card of a connector that no longer takes our sign-in."""
    return {
        "title": f"{connector} does not let us in",
        "why": f"{_sentence(why)} Nothing more is tried, so that the account is not locked; what is to leave by "
        f"{connector} waits and nothing of it was sent. Renew the sign-in first: soloist connect {connector}, or store "
        "the secret again. The card closes by itself when it works.",
        "options": [
            option("try_again", "Try again", "One waiting effect goes first; when it gets through, the others follow."),
            option("give_up", "Give up", "What waits is not sent and is listed as not done."),
        ],
        "estimate": 120,
        "judgement": 1,
    }


def not_taken_back(effect: Mapping[str, Any], proposal: Mapping[str, Any], why: str, parts: Mapping[str, Any]) -> Card:
    """The card of a way back that failed; ``parts`` lists what is done, not done and not known."""
    return {
        "title": f"Could not be taken back: {short(proposal)}"[:160],
        "why": f"{_sentence(why)} {parts_said(parts)}".strip(),
        "detail": dict(parts),
        "options": [
            option("try_again", "Try again", "The way back is tried once more, as an effect of its own."),
            option("by_hand", "I took it back by hand", "It is marked as taken back. Nothing is sent."),
            option("leave", "Leave it", "It stays as it is; this card is closed."),
        ],
        "estimate": 120,
        "judgement": 2,
    }


def parts_said(parts: Mapping[str, Any]) -> str:
    """What is done, not done and not known, in sentences; empty kinds are left out."""
    heads = (("done", "Taken back"), ("not_done", "Not taken back"), ("not_known", "Not known"))
    return " ".join(f"{head}: {'; '.join(parts[name])}." for name, head in heads if parts.get(name))


def option(name: str, label: str, consequence: str) -> Card:
    """One way to answer a card."""
    return {"name": name, "label": label, "consequence": consequence}


def looks(effect: Mapping[str, Any], zone: tzinfo) -> list[str]:
    """When we looked for an effect since its last attempt, in the operator's time."""
    found: list[str] = []
    for note in effect["evidence"] or []:
        if note["state"] == "attempting":
            found = []
        elif note["note"].startswith((ABSENT, FAILED)):
            found.append(local(note["at"], zone))
    return found


def local(moment: str, zone: tzinfo) -> str:
    """An instant as a person reads it: the hour, with the day where it is not clear."""
    return datetime.fromisoformat(moment).astimezone(zone).strftime("%d %b %H:%M")


def short(proposal: Mapping[str, Any]) -> str:
    """The proposal in a few words."""
    payload = proposal["payload"]
    subject = payload.get("subject") if isinstance(payload.get("subject"), str) else ""
    who = ", ".join(recipients(payload)[:2])
    return f"{subject or proposal['operation']}{f' to {who}' if who else ''}"[:140]


def _deed(effect: Mapping[str, Any], proposal: Mapping[str, Any]) -> str:
    """What may have happened, after "we may have"."""
    if effect["undoes"]:
        return f"taken back {short(proposal)}"
    return "sent this mail" if proposal["operation"] == MAIL_OPERATION else f"done {_name(effect)}"


def _name(effect: Mapping[str, Any]) -> str:
    return f"{effect['connector']}.{effect['operation']}"


def _people(effect: Mapping[str, Any], proposal: Mapping[str, Any]) -> str:
    """Whom it reaches: the one of this effect when it was split, else everyone."""
    return str(effect["group"]) if "@" in effect["group"] else ", ".join(recipients(proposal["payload"]))


def _to(people: str) -> str:
    return f" to {people}" if people else ""


def _costs(effect: Mapping[str, Any], proposal: Mapping[str, Any], people: str) -> tuple[str, str]:
    """What each of the two mistakes costs: doing it twice, never doing it."""
    if proposal["operation"] == MAIL_OPERATION:
        return f"{people or 'they'} gets it twice", f"{people or 'they'} never hears of it"
    minor, currency = proposal.get("amount_minor") or 0, proposal.get("currency") or ""
    if minor:
        money = f"{plain(minor, currency, grouped=True)} {currency}".strip()
        return f"{money} moves twice", f"{money} never moves"
    return "it is done twice", "it is never done"


def _sentence(text: str) -> str:
    """Text that ends like a sentence."""
    text = str(text).strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
