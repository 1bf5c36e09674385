"""Intents as a page and as rows: where each leads, its examples, what is told apart by language; it tells none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import conversations, intents, samples, settings
from soloist.engine.store.reading import Connection
from soloist.insight.confidence import NAMES

LANGUAGES = "model.intent.languages"
LATELY = 20


@dataclass(frozen=True)
class IntentLine:
    """One intent, its own examples, and how many messages were told to want it."""

    name: str
    title: str
    lead: str
    target: str
    leads_to: str
    examples: tuple[str, ...]
    told: int
    who: str
    at: str


@dataclass(frozen=True)
class LanguageLine:
    """What a language gets right of examples that were left out; ``how`` is meaning, letters or "" (not told apart)."""

    language: str
    name: str
    how: str
    right: float
    examples: int
    said: str


@dataclass(frozen=True)
class MessageLine:
    """A message that came lately, and what it was taken to want ("" nothing)."""

    id: str
    subject: str
    sender: str
    text: str
    at: str
    told: str
    confidence: float
    wanted: str


@dataclass(frozen=True)
class IntentsPage:
    """Everything about intents; ``targets`` are where each lead can lead to."""

    intents: tuple[IntentLine, ...]
    languages: tuple[LanguageLine, ...]
    lately: tuple[MessageLine, ...]
    targets: tuple[tuple[str, tuple[str, ...]], ...]
    due: bool = False


def lines(conn: Connection) -> list[IntentLine]:
    """Every intent in use."""
    rows = intents.listed(conn)
    told: dict[str, int] = {}
    for one in intents.told(conn, [row["name"] for row in rows], 5000):
        told[one["label"]] = told.get(one["label"], 0) + 1
    return [_line(row, told.get(row["name"], 0)) for row in rows]


def _line(row: Any, told: int) -> IntentLine:
    examples = tuple(str(one["text"]) for one in row["examples"] or [])
    facts = (row["name"], row["title"], row["lead"], row["target"], leads_to(row["lead"], row["target"]))
    return IntentLine(*facts, examples, told, row["who"], row["at"])


def leads_to(lead: str, target: str) -> str:
    """Where an intent leads, in words."""
    if lead == "agent":
        return f"a piece of work for the agent {target}"
    if lead == "playbook":
        return f"a plan of your playbook {target}"
    if lead == "operation":
        return f"a proposal of {target}, which waits for you"
    if lead == "reply":
        return f"a reply by your template {target}, which waits for you"
    return {"aside": "set aside", "ask": "a question to you"}.get(target, f"the usual way of: {target}")


def languages(conn: Connection) -> list[LanguageLine]:
    """What was measured at the last fit, language by language."""
    found = json.loads(settings.value(conn, LANGUAGES) or "{}")
    return [_language(name, one) for name, one in sorted(found.items())]


def _language(lang: str, one: Any) -> LanguageLine:
    best = max((way["right"] for way in one["ways"].values()), default=0.0)
    right = one["ways"].get(one["how"], {}).get("right", best)
    by = {"meaning": "by meaning", "letters": "by words and letters"}.get(one["how"], "")
    said = f"{right:.0%} of your examples were right when they were left out; told apart {by}."
    if not by:
        said = f"{right:.0%} of your examples were right when they were left out; that is too few, so it asks you."
    return LanguageLine(lang, NAMES.get(lang, lang), one["how"], round(100 * right, 1), one["examples"], said)


def lately(conn: Connection) -> list[MessageLine]:
    """Messages that came last, with what was told of them."""
    return [_message(conn, row) for row in conversations.newest_inbound(conn, LATELY)]


def _message(conn: Connection, row: Any) -> MessageLine:
    told = samples.find(conn, row["id"], "intent") or {}
    text = " ".join(str((row["understanding"] or {}).get("own_text") or row["text"]).split())[:200]
    return MessageLine(
        row["id"],
        str(row["subject"]),
        str(row["sender_name"] or row["sender"]),
        text,
        row["at"],
        str(told.get("label", "")),
        int(told.get("confidence", 0)) / 100,
        str(told.get("wanted", "")),
    )
