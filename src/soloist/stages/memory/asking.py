"""Asking: a question as what can be looked for: words with weights, names, months and days, quoted phrases; pure.

Nothing here understands a question. It drops the words that say nothing, and notes what a person would note down.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from soloist.engine.recall import words
from soloist.engine.recall.legs import MILLION, Mask, Question

MOST_WORDS = 30
"""Words of a question that count; the rarest of a long one are not known here, so the first do."""
MOST_LETTERS = 4_000
STEMS = 62
"""Stems of a question at most: a bit each."""

GENERAL = frozenset(
    """
    kind type sort many much name names called thing things way ways get gets got go goes going gone went long often big
    ask asks asked asking tell tells told write writes wrote written mention mentions mentioned answer answered
    say says said want wants wanted need needs like give gave give take took make made happen happened cost costs price
    reply replied fragt fragte gefragt schreibt schrieb geschrieben erwahnt erwahnte antwortet antwortete
    lautet heisst heissen name viel viele wieviel lange oft gross hoch wollte mochte will bekommt bekommen bekam gibt
    geben frau herr herrn dr kostet kosten preis passiert sagt sagte braucht brauchen geht ging kam kommt
    demande demandait demander ecrit ecrivait repond repondu
    nom combien appelle coute coutent prix monsieur madame mme veut voulait faut fait faire dit
    pregunta pregunto preguntado escribe escribio responde respondio
    nombre llama cuesta cuestan precio quiere queria necesita dice dijo hace hacer senor senora
    """.split()
)
"""Words that are asked for and seldom said where the answer stands."""
SMALL = MILLION // 2
"""Weight of a general word."""

_ADDRESS = frozenset(
    "com org net de fr es eu io uk at ch example mail info office hello contact www invalid test".split()
)
_MONTH = {
    **{words.stem(name, lang): number for lang, names in words.MONTHS.items() for name, number in names.items()},
    **{name: number for names in words.MONTHS.values() for name, number in names.items()},
}
_SHORT = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)} | {"sept": 9}
_ALSO = {"may", "mars", "mar", "march"}
"""Names of months that are other words too: they count beside a number or after "in"."""
_BEFORE = frozenset("in im since seit until bis of en du de early late mid anfang ende mitte fin debut".split())
_QUOTED = re.compile(r"[\"“„«]([^\"”“»]{3,80})[\"”“»]")
_NAME = re.compile(r"[^\W\d_][\w'’-]*")
_DAY = 86_400
_WHEN = re.compile(
    r"\b(?:when|wann|quand|cuando)\b|\b(?:what|which|welche\w*|quel\w*|cual) (?:date|day|month|year|datum|tag)"
)
_MANY = re.compile(r"\bhow (?:many|much|long|often|old)\b|\bwie (?:viele?|lange|oft|alt)\b|\bcombien\b|\bcuant[oa]s?\b")


@dataclass(frozen=True)
class Word:
    """A word of the question: as it was folded, the stems that count as it, its weight in millionths."""

    text: str
    stems: tuple[str, ...]
    weight: int


@dataclass(frozen=True)
class Asked:
    """What a question asks for.

    ``meant`` is the text whose vector stands for the question; ``names`` are folded words that look like names,
    ``months``/``years``/``days`` numbers that were named, ``spans`` seconds since 1970 from and to; ``phrases`` what
    stood in quotation marks, as folded words; ``codes`` words with digits that a right answer would hold.
    """

    text: str
    language: str
    words: tuple[Word, ...]
    tokens: frozenset[str]
    meant: str
    names: tuple[str, ...] = ()
    months: tuple[int, ...] = ()
    years: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    phrases: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    when: bool = False
    """Whether it asks for a time."""
    many: bool = False
    """Whether it asks for a number."""

    @property
    def stems(self) -> tuple[tuple[str, int], ...]:
        """Every stem once with its weight; at most ``STEMS``."""
        found: dict[str, int] = {}
        for word in self.words:
            for stem in word.stems:
                found.setdefault(stem, word.weight)
        return tuple(found.items())[:STEMS]

    def question(self, vector: Any, mask: Mask, wide: int = 400) -> Question:
        """The same as the index takes it."""
        return Question(self.stems, vector, mask, wide)


def read(text: str, at: str = "", actors: Collection[str] = ()) -> Asked:
    """Read a question asked at an instant (ISO; "" leaves words like "yesterday" alone).

    ``actors`` are folded words of the names of those who wrote what may be found. They choose rows by their writer, so
    as words they weigh nothing, unless nothing else is left.
    """
    text = text[:MOST_LETTERS]
    tokens = words.tokens(text)
    name = words.language(text)
    stop = words.STOP[name] | words.STOP["en"]
    kept = list(dict.fromkeys(t for t in tokens if t not in stop)) or list(dict.fromkeys(tokens))
    telling = [t for t in kept if t not in actors] or kept
    said = tuple(_word(t, name, telling=t in telling) for t in kept[:MOST_WORDS])
    months, years, days = _dates(tokens)
    folded = words.fold(text)
    return Asked(
        text=text,
        language=name,
        words=said,
        tokens=frozenset(tokens),
        meant=_meant(text, {*stop, *actors}),
        names=_names(text, stop),
        months=months,
        years=years,
        days=days,
        spans=_spans(folded, at),
        phrases=tuple(" ".join(words.tokens(found)) for found in _QUOTED.findall(text)),
        codes=tuple(t for t in kept if any(c.isdigit() for c in t) and len(t) > 2 and t not in map(str, years)),
        when=bool(_WHEN.search(folded)),
        many=bool(_MANY.search(folded)),
    )


@lru_cache(maxsize=16_384)
def of_actor(actor: str) -> frozenset[str]:
    """The folded words by which a question may name somebody: parts of a name, or of an address."""
    return frozenset(t for t in words.tokens(actor) if len(t) > 1 and t not in _ADDRESS and not t.isdigit())


def _word(token: str, name: str, *, telling: bool) -> Word:
    """A word with its stems in the language of the question and in English."""
    found = tuple(dict.fromkeys((words.stem(token, name), words.stem(token, "en"))))
    return Word(token, found, 0 if not telling else SMALL if token in GENERAL else MILLION)


def _meant(text: str, silent: Collection[str]) -> str:
    """The words that say something, as they were written: what a small model compares best."""
    said = re.findall(r"[\w'’+.@-]*\w", text)
    kept = [w for w in said if not {words.fold(w), words.fold(re.split("['’]", w)[0])} & {*silent}]
    return " ".join(kept) or text


def _names(text: str, stop: Collection[str]) -> tuple[str, ...]:
    """Words with a capital letter that do not begin a sentence, folded. In German every noun is one: see ``rank``."""
    found = []
    for match in _NAME.finditer(text):
        before = text[: match.start()].rstrip()
        if match[0][0].isupper() and before and before[-1] not in ".?!:" and words.fold(match[0]) not in stop:
            found += words.tokens(re.sub(r"['’]s$", "", match[0]))
    return tuple(dict.fromkeys(found))


def _dates(tokens: list[str]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Months, years and days of a month that are named; days only beside a month."""
    months = []
    for place, token in enumerate(tokens):
        beside = tokens[max(0, place - 1) : place] + tokens[place + 1 : place + 2]
        number = any(other.isdigit() for other in beside)
        if token in _SHORT and token not in _MONTH and number:
            months.append(_SHORT[token])
        elif token in _MONTH and (token not in _ALSO or number or (place and tokens[place - 1] in _BEFORE)):
            months.append(_MONTH[token])
    years = [int(t) for t in tokens if re.fullmatch(r"(?:19|20)\d\d", t)]
    days = [int(t) for t in tokens if t.isdigit() and 0 < int(t) < 32] if months else []
    return tuple(dict.fromkeys(months)), tuple(dict.fromkeys(years)), tuple(dict.fromkeys(days))


_BACK = (
    (r"\b(?:yesterday|gestern|hier|ayer)\b", 1, 1),
    (r"\b(?:today|heute|aujourd hui|aujourd'hui|hoy)\b", 0, 1),
    (r"\b(?:last week|letzte[nr]? woche|vorige[nr]? woche|la semaine derniere|la semana pasada)\b", 7, 7),
    (r"\b(?:last month|letzten monat|vorigen monat|le mois dernier|el mes pasado)\b", 31, 31),
)
"""Words for a time before now: how many days back the day or the span begins, and how long it is."""


def _spans(folded: str, at: str) -> tuple[tuple[int, int], ...]:
    """Times named in relation to now, in seconds."""
    if not at:
        return ()
    now = datetime.fromisoformat(at.replace("Z", "+00:00"))
    day = (now if now.tzinfo else now.replace(tzinfo=UTC)).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    for pattern, back, long in _BACK:
        if re.search(pattern, folded):
            begins = int((day - timedelta(days=back)).timestamp())
            found.append((begins, begins + long * _DAY))
    return tuple(found)
