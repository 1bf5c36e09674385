"""What a model is asked about a meeting, and which of its entries are kept: those whose words stand in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from soloist.kernel.message import Span
from soloist.sdk.asking import GUARD, Ask, marked

LONGEST = 60_000
"""Characters of a meeting that a model is given."""
MOST = 40
_ENTRY = {
    "type": "object",
    "properties": {"words": {"type": "string"}},
    "required": ["words"],
    "additionalProperties": False,
}
_TASK = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("words", "what", "who", "until")},
    "required": ["words", "what"],
    "additionalProperties": False,
}


class Told(NamedTuple):
    """An entry of a model whose words were found: where, and for a task the rest that holds."""

    kind: str
    words: Span
    line: int
    what: Span
    who: str = ""
    until: str = ""


def ask(text: str, language: str, people: list[str]) -> Ask:
    """The question; what the rules found is not told, so that two readings can be compared."""
    known = f" People known: {', '.join(people[:30])}." if people else ""
    return Ask(
        instructions="List what was decided, who is to do what until which day, and which questions stay open in "
        f"the meeting below (language {language}). `words` and `what` are copied letter by letter from the text, "
        "`what` from within `words`; `who` is a name as the text writes it; `until` is a day as YYYY-MM-DD or empty. "
        f"Leave out what is not said.{known} {GUARD}",
        given=marked(text[:LONGEST]),
        answer_schema={
            "type": "object",
            "properties": {
                "decisions": {"type": "array", "items": _ENTRY, "maxItems": MOST},
                "tasks": {"type": "array", "items": _TASK, "maxItems": MOST},
                "questions": {"type": "array", "items": _ENTRY, "maxItems": MOST},
            },
            "required": ["decisions", "tasks", "questions"],
            "additionalProperties": False,
        },
        least=2,
        checks=[
            "the words stand in the text letter by letter, else the entry is dropped",
            "what is to be done stands within the words, else the whole sentence is taken",
            "the name stands in the text or is one of the people, else it is left empty",
            "the day is one that the rules read in the same words, else it is left empty",
        ],
    )


def told(text: str, answer: dict[str, Any], people: list[str], days: Callable[[str], set[str]]) -> Iterator[Told]:
    """The entries of an answer that hold; ``days`` gives the days that the rules read in some words."""
    for kind in ("decisions", "tasks", "questions"):
        entries = answer.get(kind)
        for entry in entries[:MOST] if isinstance(entries, list) else []:
            words = _found(text, entry.get("words") if isinstance(entry, dict) else None, 0)
            if words is None:
                continue
            what = _found(words.text, entry.get("what"), words.start) or words
            who, until = (value if isinstance(value := entry.get(key), str) else "" for key in ("who", "until"))
            named = bool(who.strip()) and (who in people or who in text)
            line = text.count("\n", 0, words.start) + 1
            kept = until if until in days(words.text) else ""
            yield Told(kind, words, line, what, who if named else "", kept)


def _found(text: str, words: object, shift: int) -> Span | None:
    """Words as a span of the text; None when they are none or not in it."""
    if not isinstance(words, str) or len(words.strip()) < 4:
        return None
    start = text.find(words.strip())
    return None if start < 0 else Span(text=words.strip(), start=start + shift, end=start + shift + len(words.strip()))
