"""Deciding by standing rules: whom one is about, what it makes of a draft, whether a text keeps to it; no I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OF_ALL = ("replace", "avoid", "include", "note")
"""Sorts of wording that also hold in what goes to many at once."""
WORDING = ("replace", "avoid", "include", "sign", "greet", "note", "language")
"""Sorts about how something is written."""
POLICY = ("above", "ask", "never")
ROUTES = ("aside", "kind")
FIRM = ("replace", "avoid", "include", "sign", "greet")
"""Sorts whose keeping can be seen in a text."""
_GREETING = re.compile(r"^[^\n]{1,80}[,!:]\s*$")
_TONGUES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}
_CLOSING = 6
"""Lines that a closing with its signature may have."""


@dataclass(frozen=True)
class Rule:
    """A version in force. ``scope``: house, record, address or domain; ``subject`` names which."""

    id: str
    rule: str
    sort: str
    said: str
    scope: str = "house"
    subject: str = ""
    text: str = ""
    other: str = ""
    kind: str = ""
    language: str = ""


@dataclass(frozen=True)
class Facts:
    """Whom something is about: ids of records, and addresses."""

    records: Collection[str] = ()
    addresses: Collection[str] = ()


@dataclass(frozen=True)
class Dressed:
    """A draft as the rules would have it: what each did (version id, words), and what they could not mend."""

    body: str
    used: tuple[tuple[str, str], ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """For the card: each rule that applied, in the operator's words, with what it did."""


def of_row(row: Mapping[str, Any]) -> Rule:
    """A rule from its row."""
    reading = row["reading"]
    parts = {name: str(reading.get(name, "")) for name in ("sort", "text", "other", "kind", "language")}
    return Rule(row["id"], row["rule"], said=row["said"], scope=row["scope"], subject=row["subject"], **parts)


def fits(rule: Rule, facts: Facts) -> bool:
    """Whether a rule is about these people."""
    if rule.scope == "house":
        return True
    if rule.scope == "record":
        return rule.subject in facts.records
    addresses = [address.casefold() for address in facts.addresses]
    if rule.scope == "address":
        return rule.subject in addresses
    return any(address.endswith((f"@{rule.subject}", f".{rule.subject}")) for address in addresses)


def dress(body: str, rules: Iterable[Rule], facts: Facts) -> Dressed:
    """What the rules of wording make of a draft; each that applied is told, whatever it could not do is a fault."""
    used: list[tuple[str, str]] = []
    faults: list[str] = []
    notes: list[str] = []
    for rule in rules:
        if rule.sort not in WORDING or not fits(rule, facts):
            continue
        after, did = _one(body, rule)
        if rule.sort == "avoid" and _has(body, rule.text):
            faults.append(f"your rule {rule.rule} says never to write “{rule.text}”, and the draft has it")
        if did:
            used.append((rule.id, did))
            notes.append(f"Your rule {rule.rule}, “{rule.said}”: {did}.")
        body = after
    return Dressed(body, tuple(used), tuple(faults), tuple(notes))


def _one(body: str, rule: Rule) -> tuple[str, str]:
    """A body after one rule, and what it did in words, "" for nothing."""
    if rule.sort == "replace":
        after, times = _whole(rule.other).subn(lambda _: rule.text, body)
        return after, f"wrote “{rule.text}” instead of “{rule.other}”" if times else ""
    if rule.sort == "avoid":
        return body, f"looked for “{rule.text}”" if _has(body, rule.text) else ""
    if rule.sort == "include":
        return (body, "") if _has(body, rule.text) else (_included(body, rule.text), f"added “{rule.text}”")
    if rule.sort == "sign":
        after = _signed(body, rule.text)
        return after, f"signed as “{rule.text}”" if after != body else ""
    if rule.sort == "greet":
        after = _greeted(body, rule.text)
        return after, f"greeted with “{rule.text}”" if after != body else ""
    if rule.sort == "language":
        return body, f"answered in {_TONGUES.get(rule.language, rule.language)}"
    return body, "told to you beside the draft" if rule.sort == "note" else ""


def _whole(text: str) -> re.Pattern[str]:
    """A text as whole words, in any case."""
    before = r"(?<!\w)" if text[:1].isalnum() else ""
    behind = r"(?!\w)" if text[-1:].isalnum() else ""
    return re.compile(before + r"\s+".join(map(re.escape, text.split())) + behind, re.IGNORECASE)


def _has(body: str, text: str) -> bool:
    return bool(text) and _whole(text).search(body) is not None


def _split(body: str) -> tuple[str, str]:
    """What a mail says, and its closing with the signature; "" when it ends without one."""
    said, gap, closing = body.rstrip().rpartition("\n\n")
    if not gap or len(closing.splitlines()) > _CLOSING or len(closing) > 300:
        return body.rstrip(), ""
    return said, closing


def _included(body: str, text: str) -> str:
    said, closing = _split(body)
    if re.match(r"P\.?\s?S\b", text, re.IGNORECASE) or not closing:
        return f"{body.rstrip()}\n\n{text}\n"
    return f"{said}\n\n{text}\n\n{closing}\n"


def _signed(body: str, name: str) -> str:
    said, closing = _split(body)
    if not closing:
        return f"{body.rstrip()}\n\n{name}\n"
    first, _, rest = closing.partition("\n")
    return body if rest.strip() == name else f"{said}\n\n{first}\n{name}\n"


def _greeted(body: str, greeting: str) -> str:
    first, _, rest = body.lstrip().partition("\n")
    if first.strip() == greeting:
        return body
    return f"{greeting}\n{rest}" if _GREETING.match(first) else f"{greeting}\n\n{body.lstrip()}"


def kept(body: str, rule: Rule) -> bool | None:
    """Whether a text keeps to a rule of wording; None where that cannot be seen."""
    if rule.sort not in FIRM:
        return None
    if rule.sort == "avoid":
        return not _has(body, rule.text)
    return _one(body, rule)[0] == body


def repeated(before: str, after: str, rules: Sequence[Rule], facts: Facts) -> list[Rule]:
    """Rules about these people that a text did not keep and the operator's own edit of it does."""
    return [rule for rule in rules if fits(rule, facts) and kept(before, rule) is False and kept(after, rule) is True]


def same(reading: Mapping[str, Any], scope: str, subject: str, row: Mapping[str, Any]) -> bool:
    """Whether a rule that is said anew is one that is in force already."""

    def told(given: Mapping[str, Any]) -> list[str]:
        names = ("sort", "text", "other", "kind", "language", "amount_minor", "currency")
        return [" ".join(str(given.get(name) or "").casefold().split()) for name in names]

    return (row["scope"], row["subject"]) == (scope, subject) and told(row["reading"]) == told(reading)


def telling(rules: Iterable[Rule], facts: Facts) -> list[str]:
    """What a writer is told: the rules of wording about these people, in the operator's words."""
    return [rule.said for rule in rules if rule.sort in WORDING and fits(rule, facts)]


def route(rules: Iterable[Rule], sender: str) -> tuple[str, Rule] | None:
    """What a message is by a rule about its sender: (kind, rule); one put aside is bulk."""
    facts = Facts(addresses=[sender])
    for rule in rules:
        if rule.sort in ROUTES and rule.scope != "record" and fits(rule, facts):
            return (rule.kind or "bulk", rule)
    return None


def tongue(rules: Iterable[Rule], facts: Facts) -> Rule | None:
    """The rule that says in which language these people are answered."""
    return next((rule for rule in rules if rule.sort == "language" and fits(rule, facts)), None)
