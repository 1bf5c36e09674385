"""Decides by rules what a message is to the business; where rules tie or are silent it says "unsure" and never guesses.

A classifier is asked after this skill wherever neither a header nor an acquaintance decided; these scores have a vote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pydantic import Field

from soloist.kernel.message import Automatic, Frozen, MessageKind, Span
from soloist.plugins.skills._kindwords import TABLE
from soloist.plugins.skills._text import span

_ANSWER = re.compile(r"\s*(?:re|aw|rv|sv|antw|ré)\s*:", re.IGNORECASE)
_OURS = re.compile(
    r"site|seite|\bweb\b|página|link|form|page|shop|tienda|boutique|log.?in|e-?mails?\b|cms|server|domain"
    r"|wordpress|plugin|portal|datei|file|fichier|archivo",
    re.IGNORECASE,
)
_READ = 6_000
"""Characters of the own words that decide the kind."""


class In(Frozen):
    """What the rules look at; ``automatic`` as the headers told, ``known_client`` when the sender is on a record with
    earlier conversation, ``thread_known`` when the message answers one of ours."""

    subject: str = ""
    own_text: str
    signature: str = ""
    language: str = "en"
    automatic: Automatic | None = None
    known_client: bool = False
    thread_known: bool = False
    invoice_attached: bool = False


class Out(Frozen):
    """The kind, the rule that decided in plain words, the words it rests on, and the score of each group of rules."""

    kind: MessageKind
    rule: str
    words: list[Span] = Field(default=[])
    scores: dict[str, int] = Field(default={})


@dataclass
class Evidence:
    """What one group of rules found: score, names of its rules, words in the text, words in the subject."""

    score: int = 0
    rules: list[str] = field(default_factory=list)
    words: list[Span] = field(default_factory=list)
    subject: list[str] = field(default_factory=list)


def tell_kind(value: In) -> Out:
    """The same as a plain function: headers first, then unwanted mail, then the reasons people write."""
    if value.automatic is not None:
        told: MessageKind = "bulk" if value.automatic.kind in {"list", "bulk"} else "automatic"
        return Out(kind=told, rule=f"headers: {value.automatic.why}")
    found = {group: _evidence(group, value) for group in TABLE}
    choice, group, why = _decide(value, found)
    evidence = found.get(group, Evidence())
    return Out(
        kind=choice,
        rule=_sentence(choice, group, why, evidence),
        words=evidence.words[:6],
        scores={name: item.score for name, item in found.items() if item.score},
    )


def _evidence(group: str, value: In) -> Evidence:
    """Each rule counts once; opt-out and newsletter lines also count where they stand below a signature."""
    found = Evidence()
    text = value.own_text[:_READ]
    answers = bool(_ANSWER.match(value.subject))
    for name, weight, pattern in TABLE[group]:
        in_text = pattern.search(text)
        in_subject = None if answers and group == "bulk" else pattern.search(value.subject[:300])
        below = group in {"bulk", "notice", "pitch"} and pattern.search(value.signature[:3000])
        if not (in_text or in_subject or below):
            continue
        found.score += weight
        found.rules.append(name)
        if in_text and in_text[0].strip():
            found.words.append(span(text, *in_text.span()))
        elif in_subject:
            found.subject.append(in_subject[0].strip())
    return found


def _decide(value: In, found: dict[str, Evidence]) -> tuple[MessageKind, str, str]:
    """Kind, the group of rules it rests on, and a remark when there is something to add."""
    trusted = value.known_client or value.thread_known
    unwanted = _unwanted(found, trusted)
    if unwanted is not None:
        return unwanted
    return _wanted(value, found, trusted)


def _unwanted(found: dict[str, Evidence], trusted: bool) -> tuple[MessageKind, str, str] | None:
    """Machines, scams, mailings and sales pitches; None when a person with a reason of their own seems to write."""
    enquiry, pitch = found["enquiry"].score, found["pitch"].score
    if found["scam"].score >= 3 and not trusted:
        return "spam", "scam", ""
    if trusted:
        return ("automatic", "notice", "") if found["notice"].score >= 6 else None
    if found["notice"].score >= 3 and (enquiry < 5 or found["notice"].score >= 6):
        return "automatic", "notice", ""
    if found["bulk"].score >= 3 and enquiry < 5:
        return "bulk", "bulk", ""
    if pitch >= 3 and pitch > enquiry:
        return "spam", "pitch", ""
    if pitch >= 3 and pitch + 2 > enquiry:
        return "unsure", "pitch", "it reads like a sales offer and like an enquiry"
    if found["bulk"].score >= 2 and enquiry < 3:
        return "bulk", "bulk", ""
    return None


def _wanted(value: In, found: dict[str, Evidence], trusted: bool) -> tuple[MessageKind, str, str]:
    """The reason a person writes; an enquiry from a stranger may name a call or a date without being about it."""
    scores = {name: found[name].score for name in ("billing", "scheduling", "support", "enquiry")}
    if value.invoice_attached:
        scores["billing"] += 2
    if not trusted and scores["enquiry"] >= 3 and scores["enquiry"] >= scores["billing"]:
        # a stranger describes what is wrong with an old site, or proposes a call, as part of asking for work
        scores["scheduling"] = min(scores["scheduling"], scores["enquiry"] - 2)
        if scores["enquiry"] >= scores["support"]:
            scores["support"] = min(scores["support"], scores["enquiry"] - 1)
    if not trusted and not _OURS.search(f"{value.subject}\n{value.own_text[:_READ]}"):
        scores["support"] = 0
    if (trusted and scores["enquiry"] < 3) or (value.thread_known and scores["enquiry"] < 4):
        scores["enquiry"] = 0
    ranked = sorted(((score, name) for name, score in scores.items()), reverse=True)
    (best, name), (second, other) = ranked[0], ranked[1]
    if best >= 2 and best == second and not trusted and {name, other} == {"enquiry", "scheduling"}:
        return "enquiry", "enquiry", ""
    if best >= 2 and best == second:
        return "unsure", name, f"words for {name} and for {other} weigh the same"
    if best >= 2:
        kinds: dict[str, MessageKind] = {
            "billing": "billing", "scheduling": "scheduling", "support": "support", "enquiry": "enquiry",
        }  # fmt: skip
        return kinds[name], name, ""
    if trusted:
        return "client", "continues", ""
    if found["pitch"].score >= 2:
        return "unsure", "pitch", "it may be a sales offer"
    return "unsure", "none", "no rule matched"


def _sentence(choice: MessageKind, group: str, why: str, evidence: Evidence) -> str:
    """The rule's name as the operator reads it."""
    parts = [", ".join(evidence.rules) or ("the sender is a client" if choice == "client" else "")]
    if evidence.subject:
        parts.append("subject: " + "; ".join(f"“{words}”" for words in evidence.subject[:3]))
    if why:
        parts.insert(0, why)
    return f"{group}: " + " | ".join(part for part in parts if part)
