"""Small text tools of the reading skills: spans, sentences, limits; they decide nothing about a message."""

from __future__ import annotations

import re
from collections.abc import Iterator

from soloist.kernel.message import Span

LIMIT = 20_000
"""Characters of a message that rules look at; what stands later is kept, but not interpreted."""

_MONTH = r"(?:Jan|Jän|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)[a-zäöü]*\b"
_BREAK = re.compile(
    rf"(?<=[.!?…])[\"'”»)]*\s+(?!(?<=\d\.\s){_MONTH})(?=[^\W\d_a-zß-öø-ÿ]|[¿¡\"“«(])"
    r"|\n\s*\n|\n(?=\s*[-*•])|(?<=[?!])\n"
)
"""German writes "am 25. November": a full stop between a number and a month ends no sentence."""

_ABBREVIATED = re.compile(
    r"(?<!\w)(?:max|min|ca|approx|inkl|incl|exkl|excl|zzgl|bzw|ggf|evtl|usw|nr|no|st|dr|prof|hr|fr|mr|mrs|ms|mme|sr|sra"
    r"|env|tel|tél|vs|etc|u\.a|z\.b|d\.h|e\.g|i\.e)\.\Z",
    re.IGNORECASE,
)
"""A full stop that ends no sentence."""


def span(text: str, start: int, end: int) -> Span:
    """The words ``text[start:end]`` without white space at their ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(text=text[start:end], start=start, end=end)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end offsets of the sentences in the first ``LIMIT`` characters."""
    text = text[:LIMIT]
    start = 0
    for found in _BREAK.finditer(text):
        if _ABBREVIATED.search(text, max(0, found.start() - 8), found.start()) and found[0].count("\n") < 2:
            continue
        if found.start() > start:
            yield start, found.start()
        start = found.end()
    if start < len(text):
        yield start, len(text)


def sentence_at(text: str, position: int) -> tuple[int, int]:
    """Offsets of the sentence that holds ``position``."""
    for start, end in sentences(text):
        if start <= position < end:
            return start, end
    return 0, len(text)
