"""Promises: sentences in which the writer says what they will do, by the verbs of four languages; it judges nothing."""

from __future__ import annotations

import re

from pydantic import Field

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills._dates import find_dates, local_day
from soloist.plugins.skills._split import split
from soloist.plugins.skills._text import sentences, span

_PATTERNS = {
    "en": (
        r"\b(?:i|we)(?:['’]ll| will| am going to| are going to|['’]m going to|['’]re going to)\s+(?:\w+\s+){0,2}?"
        r"(?:send|get back|let you know|share|prepare|call|come back|deliver|provide|forward|draft|write|finish|"
        r"update|fix|check|confirm|follow up|have (?:it|this|that|the))\b"
        r"|\byou(?:['’]ll| will) (?:get|have|receive|hear)\b"
    ),
    "de": (
        r"\b(?:schicke|sende|melde|liefere|bereite|erstelle|rufe|gebe|maile|kläre|prüfe|reiche)\s+(?:ich|wir|mich)\b"
        r"|\b(?:ich|wir)\s+(?:schicken?|senden?|melden?|liefern?|bereiten?|erstellen?|rufen?|mailen?|klären?|prüfen?|"
        r"reichen?|kümmern?)\b"
        r"|\b(?:werde|werden)\b[^!?\n]{1,80}\b(?:schicken|senden|melden|liefern|erstellen|anrufen|zusenden|prüfen|"
        r"klären|nachreichen|vorbereiten|kümmern)\b"
        r"|\b(?:bekommen|erhalten|bekommst|erhältst|hören|hörst)\s+(?:sie|du|ihr)\b"
    ),
    "fr": (
        r"\b(?:je|nous)\s+(?:vous\s+|te\s+|t['’]|me\s+|nous\s+|le\s+|la\s+|les\s+)*"
        r"(?:envoie|enverrai|envoyons|enverrons|transmets|transmettrai|transmettrons|rappelle|rappellerai|prépare|"
        r"préparerai|reviens|reviendrai|reviendrons|ferai|ferons|tiens|tiendrai|confirme|confirmerai|livrerai)\b"
        r"|\bje vais\b[^.!?\n]{1,60}\b(?:envoyer|préparer|transmettre|rappeler|revenir|vérifier)\b"
        r"|\bvous (?:recevrez|aurez)\b"
    ),
    "es": (
        r"\b(?:le|te|os|les|se lo|se la)\s+(?:envío|enviaré|enviaremos|mando|mandaré|mandaremos|llamo|llamaré|"
        r"preparo|prepararé|confirmo|confirmaré|paso|pasaré|digo|diré|aviso|avisaré|respondo|responderé)\b"
        r"|\b(?:voy|vamos) a\s+(?:\w+\s+)?(?:enviar|mandar|preparar|llamar|revisar|pasar)(?:le|te|os|les)?\b"
        r"|\bme pondré en contacto\b|\brecibirá[sn]?\b"
    ),
}
_RULES = {language: re.compile(pattern, re.IGNORECASE) for language, pattern in _PATTERNS.items()}
_CONDITION = re.compile(r"^\s*(?:if|when|should|falls|wenn|sobald|si|cuando|once)\b", re.IGNORECASE)
LONGEST = 400
"""Characters of a sentence; longer ones are boilerplate."""


class Promise(Frozen):
    """One sentence that promises something, verbatim, and the day it names (ISO 8601, "" for none)."""

    words: Span
    day: str = ""


class In(Frozen):
    """A message the operator sent. ``now`` is when, ISO 8601 with offset; ``timezone`` an IANA name."""

    text: str
    now: str
    timezone: str = "UTC"
    language: str = ""


class Out(Frozen):
    """The promises, in the order of the text; offsets point into the writer's own words, given as ``own_text``."""

    own_text: str
    promises: list[Promise] = Field(default=[])


def find(value: In) -> Out:
    """The promises of one message; what depends on an answer ("if you send the photos") is none."""
    own = split(value.text, "").own_text
    today = local_day(value.now, value.timezone)
    languages = [value.language] if value.language in _RULES else list(_RULES)
    found: list[Promise] = []
    for start, end in sentences(own):
        part = span(own, start, end)
        if len(part.text) > LONGEST or part.text.rstrip().endswith("?") or _CONDITION.match(part.text):
            continue
        language = next((name for name in languages if _RULES[name].search(part.text)), "")
        if language:
            days = find_dates(part.text, today, language)
            found.append(Promise(words=part, day=days[0].day if days else ""))
    return Out(own_text=own, promises=found[:5])
