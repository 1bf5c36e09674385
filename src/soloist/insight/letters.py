"""Letters: cards as plain text for a mail, so that a decision by mail rests on the whole content; words only.

Content is indented behind a bar so that it cannot pass for words of the letter, hidden characters are named, and
addresses of the web are written so that no mail program makes a link of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from soloist.insight import lookalike, sheets, words

LONGEST = 6000
"""Characters of content that a mail may show; what is longer is decided in the console, where it can be read."""
WORDS: Mapping[str, tuple[str, ...]] = {
    "approve": ("approve", "approved", "freigeben", "approuver", "aprobar"),
    "reject": ("reject", "rejected", "ablehnen", "refuser", "rechazar"),
    "defer": ("later", "später", "spaeter", "reporter", "luego"),
}
"""The words a person may answer with, by the option they mean; any other option is called by its own name."""


@dataclass(frozen=True)
class Choice:
    """One way to answer: its name, its label, what happens then."""

    name: str
    label: str
    consequence: str


@dataclass(frozen=True)
class Shown:
    """A card as a letter or a page without sign-in shows it: every word that would leave, nothing to load."""

    title: str
    why: str
    content: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...]
    until: str
    at_expiry: str
    way_back: str
    risk: str
    deadline: str = ""
    """When the card itself ends, which is what ``at_expiry`` speaks of; ``until`` is the end of the code or link."""

    @property
    def long(self) -> bool:
        """Whether it is too long to be read in a mail."""
        return sum(len(value) for _, value in self.content) > LONGEST


def shown(
    card: Mapping[str, Any], proposal: Mapping[str, Any] | None, risk: str, options: Sequence[str], *, until: str
) -> Shown:
    """What a person must see before an answer; ``until`` (UTC ISO 8601) is when the code or link ends."""
    given = {str(choice["name"]): choice for choice in card["options"] or []}
    choices = [
        Choice(name, str(given[name].get("label", name)), str(given[name].get("consequence", "")))
        for name in options
        if name in given
    ]
    return Shown(
        title=str(card["title"]),
        why=str(card["why"]),
        content=tuple(_content(proposal["payload"] if proposal else {})),
        choices=tuple(choices),
        until=until,
        at_expiry=str(card["at_expiry"]) or "Nothing is done; the card stays in the console.",
        way_back=sheets.way_back(proposal) if proposal else "",
        risk=risk,
        deadline=str(card["deadline"] or ""),
    )


def _content(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every field of a payload as label and text: recipients first, then subject, then the words."""
    order = {"to": 0, "cc": 1, "from": 2, "subject": 3, "body": 9}
    labels = {"to": "To", "cc": "Copy", "body": "Text"}
    found = []
    for name in sorted(payload, key=lambda name: (order.get(name, 5), name)):
        value = payload[name]
        if name in ("in_reply_to", "references") or value in (None, "", []):
            continue
        found.append((labels.get(name, name.replace("_", " ").capitalize()), _text(value)))
    return found


def _text(value: Any) -> str:
    """One value in words; structures as indented JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, indent=1)


def quoted(text: str) -> list[str]:
    """Foreign text as lines behind a bar: hidden characters named, links broken."""
    plain = "".join(f"[{part}]" if name else part for part, name in lookalike.parts(text.replace("\r\n", "\n")))
    safe = plain.replace("://", "[:]//").replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n")
    return [f"  | {line}" for line in safe.split("\n")]


def line(text: str) -> str:
    """Foreign text inside one line of a letter."""
    return " ".join(part.strip() for part in (row[4:] for row in quoted(text)))[:300]


def section(found: Shown, zone: str, *, code: str, link: str) -> list[str]:
    """A card with its content, its choices, its end, and how to answer; ``link`` may be ""."""
    lines = [line(found.title), *([line(found.why)] if found.why else []), ""]
    for label, value in found.content:
        lines += [f"{label}:", *quoted(value)]
    for text in filter(None, (lookalike.address_warning(to) for to in _addresses(found))):
        lines.append(f"Look twice: {text}")
    lines.append("")
    for choice in found.choices:
        lines.append(f"{word(choice.name).capitalize()}: {line(choice.consequence)}")
    if found.way_back:
        lines.append(f"Way back: {line(found.way_back)}")
    lines += ["", f"Your code for this one: {code}"]
    if link:
        lines.append(f"Or open this page and press a button there: {link}")
    lines.append(f"{'Both end' if link else 'It ends'} {when(found.until, zone)}.")
    return [*lines, outcome(found, zone)]


def outcome(found: Shown, zone: str) -> str:
    """What happens when nobody decides: always nothing, said with its day."""
    until = f" until {when(found.deadline, zone)}" if found.deadline else ""
    return f"If nobody decides{until}: {line(found.at_expiry)}"


def _addresses(found: Shown) -> list[str]:
    return [part.strip() for label, value in found.content if label in ("To", "Copy") for part in value.split(",")]


def how(choices: Sequence[str]) -> list[str]:
    """How a letter is answered; word and code never stand in one line, so that a quoted letter decides nothing."""
    names = [word(name) for name in choices]
    listed = ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]
    return [
        f"To decide by mail, answer this mail with one line: the word {listed}, then the code.",
        "After the code you may give a reason. Only you should know the code: do not pass this mail on.",
    ]


def word(option: str) -> str:
    """The word a person answers with for an option."""
    return WORDS[option][0] if option in WORDS else option


def known(said: str) -> bool:
    """Whether a word is one that every letter names."""
    return any(said.casefold() in spoken for spoken in WORDS.values())


def option_of(said: str, options: Sequence[str]) -> str:
    """The option a word means, "" for another word."""
    plain = said.casefold()
    for name, spoken in WORDS.items():
        if name in options and plain in spoken:
            return name
    return next((name for name in options if name.casefold() == plain), "")


def when(instant: str, zone: str) -> str:
    """An instant as a day and a time of the operator's."""
    at = words.instant(instant)
    return f"{at.astimezone(ZoneInfo(zone)):%A %Y-%m-%d at %H:%M}" if at else "soon"
