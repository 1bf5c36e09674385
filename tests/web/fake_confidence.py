"""Thresholds, samples and intents of Studio Linde, as the pages show them; nothing is learned here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.insight.confidence import ConfidencePage, Line, Sample
from soloist.insight.intents import IntentLine, IntentsPage, LanguageLine, MessageLine

AT = "2026-11-20T08:00:00Z"
LINES = (
    Line(
        "kind",
        "en",
        "aside",
        "Setting messages aside in English",
        "alone",
        "proved",
        "58 of 58 were right.",
        400,
        380,
        58,
        58,
        95.5,
        71.0,
        0,
        0.95,
        5,
        5,
        AT,
    ),
    Line(
        "draft_reply",
        "de",
        "enquiry",
        "Replies (enquiry) in German",
        "uncalibrated",
        "not proved yet",
        "9 of 10 were right so far. 42 more decisions, all right, until it is proved (95%).",
        12,
        0,
        10,
        9,
        66.1,
        0.0,
        42,
        0.95,
    ),
    Line(
        "kind",
        "fr",
        "aside",
        "Setting messages aside in French",
        "asks",
        "asks you",
        "20 of 31 were right. It asks you.",
        90,
        60,
        31,
        20,
        49.7,
        0.0,
        180,
        0.95,
        6,
        2,
        AT,
    ),
)
SAMPLES = (
    Sample(
        "s1",
        "m1",
        "kind",
        "spam",
        "en",
        "Links for your website",
        "Victor Kane",
        "We bring your site to the first page.",
        AT,
        (("right", "Rightly set aside"), ("enquiry", "It is an enquiry"), ("client", "It is from a client")),
    ),
)
INTENTS = (
    IntentLine(
        "move",
        "Another day for an appointment",
        "way",
        "scheduling",
        "the usual way of: scheduling",
        ("Can we move our appointment?",),
        4,
        "operator",
        AT,
    ),
    IntentLine(
        "hours",
        "When the studio is open",
        "reply",
        "hours",
        "a reply by your template hours, which waits for you",
        (),
        0,
        "operator",
        AT,
    ),
)


class FakeProved:
    """Judgements in a list."""

    def __init__(self) -> None:
        self.judged: list[tuple[str, str]] = []

    async def page(self) -> ConfidencePage:
        return ConfidencePage(LINES, SAMPLES, 0.95, 5, 0.02)

    async def judge(self, ident: str, said: str, _who: str) -> dict[str, Any]:
        self.judged.append((ident, said))
        return {"id": ident, "outcome": said}


class FakeWanted:
    """Two intents; what is kept is remembered."""

    def __init__(self) -> None:
        self.kept: list[Mapping[str, Any]] = []

    async def page(self) -> IntentsPage:
        languages = (LanguageLine("en", "English", "meaning", 92.0, 40, "92% of your examples were right."),)
        lately = (MessageLine("m1", "Our appointment", "Ada Okafor", "Could we meet on Friday?", AT, "move", 88.0, ""),)
        targets = (("way", ("enquiry", "aside")), ("reply", ("hours",)), ("agent", ("scheduler",)))
        return IntentsPage(INTENTS, languages, lately, targets, due=True)

    async def keep(self, given: Mapping[str, Any], _who: str) -> str:
        self.kept.append(given)
        return str(given["name"])
