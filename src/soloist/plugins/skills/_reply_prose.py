"""What a model is asked for a reply, and what of its answer holds: prose around lines of the house book, word for word.

Greeting, closing and signature are never a model's; every line it uses must stand in its text letter for letter, and
the lines that answer the message must be among them. What does not hold is said in plain sentences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from soloist.kernel.message import Citation, Qualified
from soloist.plugins.skills._housebook import Fact
from soloist.plugins.skills._language import tell
from soloist.plugins.skills._reply_templates import tidy
from soloist.plugins.skills._reply_words import LANGUAGE_NAMES
from soloist.sdk.asking import GUARD, Ask, marked

MOST_WORDS = 180
"""Words between greeting and closing."""
MOST_LINES = 60
LONGEST = 6000
"""Characters of a message, and of what is remembered, that a model is given."""
_ASKED = {
    "scope": "what exactly they need",
    "budget": "what budget they have set aside",
    "start": "when they would like to start",
    "region": "where they are based",
}
_SIGNS_OFF = re.compile(
    r"(?im)^\s*(?:(?:kind|best|warm) regards|yours\b|sincerely|(?:viele|herzliche|beste|liebe) grüße|mit freundlichen"
    r"|(?:bien )?cordialement|un saludo|saludos cordiales)\b"
)
_GREETS = re.compile(
    r"(?i)\A\s*(?:hi|hello|dear|hallo|guten (?:tag|morgen)|liebe[rs]?|sehr geehrte[rs]?|bonjour|hola|estimad[oa]"
    r"|buen[oa]s (?:días|tardes))\b[^\n]{0,60}[,:!]\s*\n"
)


@dataclass(frozen=True)
class Plan:
    """What a reply has to say: lines that must be used, all that may be, what stays open and what is asked back."""

    language: str
    informal: bool
    must: tuple[Fact, ...]
    may: tuple[Fact, ...]
    open: tuple[str, ...]
    asks: tuple[str, ...]
    missed: tuple[Qualified, ...] = ()


def ask(plan: Plan, message: str, remembered: str = "") -> Ask:
    """The question to a model."""
    return Ask(
        instructions=" ".join((_form(plan), _content(plan), GUARD)),
        given="\n\n".join(part for part in (_message(message), _lines(plan), _open(plan), _known(remembered)) if part),
        answer_schema={
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "lines": {"type": "array", "items": {"type": "integer"}, "maxItems": MOST_LINES},
            },
            "required": ["text", "lines"],
            "additionalProperties": False,
        },
        checks=[
            "each line it names exists and stands in the text word for word",
            "the lines that answer the message are among them",
            f"no greeting, no signature, at most {MOST_WORDS} words, in the language of the message",
            "no price, date, link, name or promise that neither a line nor the message holds",
        ],
    )


def _form(plan: Plan) -> str:
    name = LANGUAGE_NAMES[plan.language]
    form = "informal" if plan.informal else "formal"
    return (
        f"Write the middle of a reply in {name}, in the {form} form of address, at most {MOST_WORDS} words. Greeting, "
        "closing and signature are put around it: write neither."
    )


def _content(plan: Plan) -> str:
    """What has to be in it."""
    wanted = (
        "Facts, prices, days and conditions are copied word for word from the numbered lines, as whole lines; name "
    )
    wanted += "the number of each line you use in `lines`. Promise nothing and name no price, day, discount, link or "
    wanted += "person that is neither in a line nor in the message."
    if plan.must:
        wanted += f" These lines must be in it: {', '.join(str(fact.line) for fact in plan.must)}."
    if plan.open:
        wanted += " Of the open questions say that the answer follows separately; do not answer them."
    if plan.asks:
        wanted += f" Ask them {' and '.join(_ASKED[one] for one in plan.asks if one in _ASKED)}."
    if plan.missed:
        wanted += f" What they want does not fit: {' '.join(one.reason for one in plan.missed)} Say so kindly."
    return wanted


def _message(message: str) -> str:
    return f"The message:\n{marked(message[:LONGEST])}"


def _lines(plan: Plan) -> str:
    lines = "\n".join(f"{fact.line}: {fact.text}" for fact in plan.may)
    return f"Lines of the house book:\n{lines}" if lines else "The house book has no line on this."


def _open(plan: Plan) -> str:
    return f"Open questions:\n{marked(chr(10).join(plan.open))}" if plan.open else ""


def _known(remembered: str) -> str:
    return f"What is remembered about them:\n{marked(remembered[:LONGEST])}" if remembered.strip() else ""


@dataclass(frozen=True)
class Prose:
    """What of an answer can be used: the middle of the body, what it cites, and what is wrong with it."""

    text: str
    citations: tuple[Citation, ...]
    faults: tuple[str, ...]


def read(plan: Plan, answer: dict[str, object], known: Sequence[Fact]) -> Prose:
    """Judge an answer; ``known`` are all lines that may be quoted."""
    text = tidy(_GREETS.sub("", str(answer.get("text") or "")))
    given = answer.get("lines")
    numbers = [one for one in given if isinstance(one, int)] if isinstance(given, list) else []
    faults = [*_wording(plan, text)]
    of = {fact.line: fact for fact in known}
    cited: list[Citation] = []
    for number in dict.fromkeys([*numbers, *(fact.line for fact in plan.must)]):
        fact = of.get(number)
        if fact is None:
            faults.append(f"The house book has no line {number} that may be quoted.")
            continue
        text, held = _verbatim(text, fact.text)
        if held:
            cited.append(Citation(line=fact.line, text=fact.text))
        elif fact in plan.must:
            faults.append(f"Line {number} must stand in the text word for word: {fact.text!r}.")
        else:
            faults.append(f"Line {number} is named, but the text does not hold its words: {fact.text!r}.")
    cited += [
        Citation(line=fact.line, text=fact.text)
        for fact in plan.may
        if fact.text in text and all(fact.line != one.line for one in cited)
    ]
    faults += _tongue(plan, text, known)
    return Prose(text, tuple(cited), tuple(faults))


def _tongue(plan: Plan, text: str, known: Sequence[Fact]) -> list[str]:
    """Whether the writer's own words are in another language; lines of the house book stand in the book's."""
    for fact in known:
        text = text.replace(fact.text, "")
    told = tell(text, plan.language)
    wrong = told.sure and told.language != plan.language
    return [f"The text is not in {LANGUAGE_NAMES[plan.language]}."] if wrong else []


def _wording(plan: Plan, text: str) -> list[str]:
    """What is wrong with the text as such."""
    if not text:
        return ["The answer holds no text."]
    faults = []
    if (words := len(text.split())) > MOST_WORDS:
        faults.append(f"The text has {words} words, more than {MOST_WORDS}.")
    if _SIGNS_OFF.search(text):
        faults.append("The text holds a closing; closing and signature are put below it by themselves.")
    return faults


def _verbatim(text: str, fact: str) -> tuple[str, bool]:
    """The text with a line as the house book writes it, and whether it holds it: line breaks and marks may differ."""
    if fact in text:
        return text, True
    words = r"\s+".join(re.escape(word) for word in fact.rstrip(".").split())
    found = re.search(words, text)
    if found is None:
        return text, False
    end = found.end() + (fact.endswith(".") and text[found.end() : found.end() + 1] == ".")
    if fact.endswith(".") and text[end - 1 : end] != ".":
        return text, False
    return text[: found.start()] + fact + text[end:], True
