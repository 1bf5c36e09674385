"""Sentences: where they begin and end in a text, and which only greet or tell much; it chooses none."""

from __future__ import annotations

import re
from collections.abc import Iterator

TELLING = re.compile(r"\d|[€$£?]")
"""Figures, money and questions: what a reader looks for first."""
COURTESY = re.compile(
    r"^\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|day)|hallo|liebe[rs]?|sehr geehrte|guten (?:tag|morgen)|moin"
    r"|bonjour|bonsoir|madame|monsieur|hola|buen[oa]s|estimad[oa]|thanks|thank you|danke|vielen dank|merci|gracias"
    r"|(?:kind|best|warm) regards|viele grüße|mit freundlichen|cordialement|un saludo|i hope (?:you|this)"
    r"|ich hoffe|j'espère|espero)\b",
    re.IGNORECASE,
)
"""How a sentence begins that greets, thanks or wishes."""
_BREAK = re.compile(r"(?<=[.!?…])[\"'”»)]*\s+(?=[^\W_a-zß-öø-ÿ]|[¿¡\"“«(])|\n\s*\n|\n(?=\s*[-*•–])|(?<=[?!:])\n")


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Offsets of the sentences, without white space at their ends."""
    start = 0
    for cut in [*_BREAK.finditer(text), None]:
        end = cut.start() if cut else len(text)
        part = text[start:end]
        if part.strip():
            yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
        start = cut.end() if cut else end
