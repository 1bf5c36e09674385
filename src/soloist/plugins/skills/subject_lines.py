"""Subject lines cut from the words of a text; it writes none, and each says from where it was taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills._telling import Piece, best, pieces, spoken, verbatim
from soloist.plugins.skills._text import span
from soloist.sdk import skill
from soloist.sdk.asking import GUARD, Ask, marked

_OPENING = re.compile(
    r"^(?:(?:and|but|so|also|then|well|please|just|und|aber|also|dann|bitte|nun|et|mais|donc|alors|y|pero"
    r"|entonces)\b[,\s]*"
    r"|(?:i|we) (?:am|are) (?:writing|contacting you) (?:to|because|about)\s+|(?:i|we) (?:would|['’]d) like to\s+"
    r"|(?:ich|wir) (?:möchten?|würden?) (?:gerne? )?|je (?:voudrais|souhaite|vous écris pour)\s+|(?:me )?gustaría\s+)+",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?:hi|hello|dear|hallo|liebe[rs]?|sehr geehrte[rs]?|guten (?:tag|morgen)|moin|bonjour|bonsoir|hola|buen[oa]s"
    r"|estimad[oa]s?|thank|thanks|danke|vielen dank|merci|gracias|(?:best|kind) regards|viele grüße|cordialement"
    r"|un saludo|saludos|mit freundlichen)\b",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"\s*(?:[;:–—(]|,\s|\s(?:because|which|that|so that|weil|dass|damit|parce que|pour que|porque|para que)\s)"
)


class In(Frozen):
    """The text of a mail; ``subject`` is that of the conversation ("" for a new one), ``longest`` in characters.

    ``answer`` is what a model said to ``ask`` of an earlier call.
    """

    text: str
    subject: str = ""
    language: str = ""
    most: int = Field(default=3, ge=1, le=6)
    longest: int = Field(default=60, ge=20, le=120)
    answer: dict[str, object] | None = None


class Line(Frozen):
    """A subject line; ``words`` are where it stands in the text (or, for ``how`` "reply", in the old subject)."""

    text: str
    how: Literal["reply", "sentence", "cut", "model"]
    words: Span | None = None


class Out(Frozen):
    """Lines, best first. ``note`` says where they are from; ``ask`` is what a model may be asked for better ones."""

    lines: list[Line]
    note: str
    language: str
    ask: Ask | None = None


@skill("subject_lines", version="1")
def subject_lines(value: In) -> Out:
    """Cut subject lines from the words of a text."""
    language = spoken(value.text, value.language)
    lines: dict[str, Line] = {}
    for one in (*_of_model(value), *_of_thread(value), *_of_text(value, language)):
        lines.setdefault(one.text.casefold(), one)
    kept = list(lines.values())[: value.most]
    by_model = any(one.how == "model" for one in kept)
    note = "A model wrote some of them." if by_model else "Cut from the text; no model wrote them."
    return Out(lines=kept, note=note, language=language, ask=None if value.answer else _ask(value, language))


def _of_thread(value: In) -> Iterator[Line]:
    """The subject of the conversation with one "Re:"."""
    bare = re.sub(
        r"^(?:\s*(?:re|aw|sv|antw|fwd?|wg|tr|rv)\s*(?:\[\d+\])?:\s*)+", "", value.subject, flags=re.IGNORECASE
    )
    bare = " ".join(bare.split())
    if bare:
        yield Line(text=f"Re: {bare}"[: max(value.longest, 120)], how="reply")


def _of_text(value: In, language: str) -> Iterator[Line]:
    """The sentences that say most, without their opening words, whole or cut where a part ends."""
    parts = [one for one in pieces(value.text) if not _GREETING.match(value.text[one.start : one.end])]
    for one in best(value.text, parts, value.most + 1, language)[0]:
        line = _shortened(value, one)
        if line:
            yield line


def _shortened(value: In, one: Piece) -> Line | None:
    """A sentence as a subject line; None when nothing short enough is left of it."""
    part = verbatim(value.text, one)
    opening = _OPENING.match(part.text)
    start, end = part.start + (opening.end() if opening else 0), part.end
    while end > start and value.text[end - 1] in ".!,;: \n":
        end -= 1
    whole = end - start <= value.longest
    if not whole:
        cuts = [hit.start() for hit in _CUT.finditer(value.text, start + 15, start + value.longest)]
        space = value.text.rfind(" ", start + 15, start + value.longest)
        end = cuts[-1] if cuts else space
    words = span(value.text, start, end)
    if end <= start or len(words.text) < 8 or "\n" in words.text:
        return None
    return Line(text=words.text[0].upper() + words.text[1:], how="sentence" if whole else "cut", words=words)


def _ask(value: In, language: str) -> Ask:
    """What a model is asked; only lines that hold no figure and no name the text lacks are kept."""
    return Ask(
        instructions=f"Write {value.most} subject lines in the language {language}, each at most {value.longest} "
        f"characters, for the mail below. Use only what it says. {GUARD}",
        given=marked(value.text[:8000]),
        answer_schema={
            "type": "object",
            "properties": {"lines": {"type": "array", "items": {"type": "string"}, "maxItems": value.most}},
            "required": ["lines"],
            "additionalProperties": False,
        },
        checks=["at most the length asked for", "one line", "every figure and capitalised word stands in the text"],
    )


def _of_model(value: In) -> Iterator[Line]:
    """Lines a model wrote that hold nothing the text does not."""
    given = (value.answer or {}).get("lines")
    there = set(re.findall(r"[\w’'-]+", value.text.casefold()))
    for line in given if isinstance(given, list) else []:
        text = " ".join(str(line).split())
        claims = re.findall(r"\d[\w.,-]*|(?<=\s)[^\W\d_a-zß-öø-ÿ][\w’'-]*", text)
        if 3 <= len(text) <= value.longest and all(word.casefold().rstrip(".,") in there for word in claims):
            yield Line(text=text, how="model")
