"""A second look: the texts of the best hits are read, and what they share with others counts; pure, reads no store.

The words that the best hits have in common lead to rows which the question's own words do not reach (a second hop).
A row that answers is told from one that asks, a question for a time likes rows that name one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from soloist.engine.recall import words
from soloist.engine.recall.legs import MILLION, Legs, Question
from soloist.stages.memory.asking import Asked

if TYPE_CHECKING:
    Ints = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]

LEADING = 24
"""Words of the best hits that lead on."""
MOST = 4_000
"""Characters of a text that are read."""
COMMON = 2
"""A word in more than one of so many texts tells nothing about one of them."""
_SILENT = frozenset(words.stem(word, name) for name, said in words.STOP.items() for word in said)
_ASKS = re.compile(r"\?[\s\"'”»)]*(?:\[[^\]]*\]\s*)?$")
_TIMES = re.compile(
    r"\b(?:(?:19|20)\d\d|\d{1,2}[:.]\d\d|\d{1,2}(?:st|nd|rd|th)|yesterday|today|tonight|tomorrow|last|next|ago|since"
    r"|weeks?|months?|years?|weekend|recently|mon|tues|wednes|thurs|fri|satur|sun)(?:day)?\b"
    r"|\b(?:gestern|heute|morgen|letzte\w*|nachste\w*|seit|woche\w*|monat\w*|jahr\w*|montag|dienstag|mittwoch|donnerstag"
    r"|freitag|samstag|sonntag|hier|demain|semaine|mois|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|ayer|manana"
    r"|semana|mes|lunes|martes|miercoles|jueves|viernes|sabado|domingo)\b"
    r"|\b(?:"
    + "|".join(name for names in words.MONTHS.values() for name in names if name not in {"may", "mars"})
    + r")\b"
)
_COUNTS = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|once|twice|several|ein\w*|zwei|drei|vier|funf|sechs|sieben"
    r"|acht|neun|zehn|einmal|zweimal|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|dos|tres|cuatro|cinco|seis|siete|ocho"
    r"|nueve|diez)\b"
)

_CHANGES = re.compile(
    r"\b(?:correction|instead|no longer|not \w+ any ?more|rather than|moved|postpone\w*|resched\w*|new date|new time"
    r"|small change|changed (?:our|the|from|to|my mind)|is now|are now|now at|now on|up from|since"
    r"|korrektur|berichtig\w*|statt|nun doch|doch noch|verschieb\w*|verschoben|verlegt|nicht mehr|ab jetzt|geandert\w*"
    r"|neue[rns]? (?:termin|adresse|nummer|zeit)|gewechselt|herabgesetzt|erhoht|steigt|nun am|jetzt am"
    r"|au lieu de|ne \w+ plus|modifie\w*|rectifi\w*|reportee?|desormais|change de"
    r"|ya no|corregid\w*|en lugar de|en vez de|cambio|cambiado|aplaza\w*|ahora es)\b"
)
_YEAR = re.compile(r"(?:19|20)\d\d")


def asks(text: str) -> bool:
    """Whether a text ends in a question (what stands in brackets at its end does not count)."""
    return bool(_ASKS.search(text))


def names_a_time(text: str) -> bool:
    """Whether a text says when: a day, a month, a year, or a word such as "yesterday"."""
    return bool(_TIMES.search(words.fold(text)))


def counts(text: str) -> bool:
    """Whether a text holds a number or the word for one."""
    return bool(_COUNTS.search(words.fold(text)))


def says_a_change(text: str) -> bool:
    """Whether a text says that something is otherwise than before ("instead", "verschoben", "au lieu de", "ya no")."""
    return bool(_CHANGES.search(words.fold(text)))


@lru_cache(maxsize=4_096)
def _stems(text: str) -> frozenset[str]:
    """The telling stems of the beginning of a text."""
    return frozenset(words.stems(text)) - _SILENT


def overtaken(texts: Sequence[str], when: Sequence[tuple[int, int]], about: Sequence[frozenset[int]]) -> dict[int, int]:
    """Which texts a newer one corrects: the place of each by the place of the newest that does.

    The newer says a change, is about one of the same things (``about``: threads, records), and repeats a number and a
    telling word of the older, or two telling words. ``when`` orders them.
    """
    first: dict[int, tuple[int, int]] = {}
    for place, things in enumerate(about):
        first |= {thing: min(when[place], first.get(thing, when[place])) for thing in things}
    later = [place for place, things in enumerate(about) if any(first[thing] < when[place] for thing in things)]
    newer = [place for place in later if says_a_change(texts[place])]
    if not newer:
        return {}
    told = [_stems(text) for text in texts]
    often: dict[str, int] = {}
    for stem in (stem for stems in told for stem in stems):
        often[stem] = often.get(stem, 0) + 1
    numbers = [{s for s in stems if s[0].isdigit() and not _YEAR.fullmatch(s)} for stems in told]
    rare = max(len(texts) // COMMON, 3)
    telling = [{s for s in stems if not s[0].isdigit() and len(s) > 2 and often[s] <= rare} for stems in told]
    found: dict[int, int] = {}
    for new in sorted(newer, key=lambda place: when[place]):
        for old in range(len(texts)):
            if when[old] < when[new] and about[old] & about[new]:
                same = len(telling[old] & telling[new])
                if same > 1 or (same and numbers[old] & numbers[new]):
                    found[old] = new
    return found


def shared(texts: Sequence[str], worth: Sequence[int], asked: Asked, silent: frozenset[str]) -> dict[str, int]:
    """Stems that the texts hold beside the question's own, each with the worth of the texts that hold it.

    The heaviest ``LEADING``; ``silent`` are words that lead nowhere, such as the names of writers.
    """
    own = {stem for word in asked.words for stem in word.stems}
    found: dict[str, int] = {}
    for text, value in zip(texts, worth, strict=True):
        for stem in _stems(text) - own:
            if len(stem) > 2 and stem not in silent:
                found[stem] = found.get(stem, 0) + value
    best = sorted(found, key=lambda stem: (-found[stem], -len(stem), stem))[:LEADING]
    return {stem: found[stem] for stem in best}


def hop(ask: Callable[[Question], Legs], question: Question, stems: dict[str, int], rows: Ints) -> Ints:
    """What words alone say of ``rows`` (numbers, ascending) for other stems, over the best of them, in millionths."""
    if not stems:
        return np.zeros(len(rows), np.int64)
    most = max(max(stems.values()), 1)
    weighed = tuple((stem, value * MILLION // most) for stem, value in stems.items())
    legs = ask(Question(weighed, None, question.mask, question.wide, rows))
    place = np.minimum(np.searchsorted(legs.n, rows), max(len(legs.n) - 1, 0))
    if not len(legs.n):
        return np.zeros(len(rows), np.int64)
    found = np.where(legs.n[place] == rows, legs.words[place], 0)
    return found * MILLION // max(int(found.max(initial=0)), 1)
