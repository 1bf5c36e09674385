"""The sentences that say most of a text, verbatim; it writes none of its own. A model's summary is judged, not made."""

from __future__ import annotations

from pydantic import Field

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills._telling import How, best, pieces, spoken, verbatim
from soloist.sdk import skill


class In(Frozen):
    """A text or transcript of which at most ``most`` sentences are wanted; ``language`` "" to tell it from the text."""

    text: str
    language: str = ""
    most: int = Field(default=3, ge=1, le=12)


class Out(Frozen):
    """Sentences in the order of the text, their lines (from 1), and how they were chosen."""

    sentences: list[Span]
    lines: list[int]
    how: How
    language: str


@skill("summary", version="1")
def summary(value: In) -> Out:
    """Take the sentences that say most of a text, word by word."""
    language = spoken(value.text, value.language)
    chosen, how = best(value.text, pieces(value.text), value.most, language)
    spans = [verbatim(value.text, one) for one in chosen]
    return Out(sentences=spans, lines=[one.line for one in chosen], how=how, language=language)
