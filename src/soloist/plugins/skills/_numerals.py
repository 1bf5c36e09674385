"""Reads sums written in words ("four thousand five hundred euros") in four languages; digits are left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

_UNITS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
    "ein": 1, "eine": 1, "eins": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8,
    "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12, "dreizehn": 13, "vierzehn": 14, "fünfzehn": 15, "sechzehn": 16,
    "siebzehn": 17, "achtzehn": 18, "neunzehn": 19, "zwanzig": 20, "dreißig": 30, "dreissig": 30, "vierzig": 40,
    "fünfzig": 50, "sechzig": 60, "siebzig": 70, "achtzig": 80, "neunzig": 90,
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7, "huit": 8, "neuf": 9, "dix": 10,
    "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16, "vingt": 20, "vingts": 20,
    "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70, "huitante": 80, "nonante": 90,
    "uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9,
    "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciséis": 16, "diecisiete": 17,
    "dieciocho": 18, "diecinueve": 19, "veinte": 20, "veinticinco": 25, "treinta": 30, "cuarenta": 40, "cincuenta": 50,
    "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90, "quinientos": 500, "setecientos": 700,
    "novecientos": 900, "cien": 100, "ciento": 100,
}  # fmt: skip
_HUNDRED = frozenset({"hundred", "hundert", "cent", "cents", "cientos", "cientas"})
_THOUSAND = frozenset({"thousand", "tausend", "mille", "mil", "grand"})
_AND = frozenset({"and", "und", "et", "y", "a"})
_NO_START = _AND | {"un", "una", "une", "ein", "eine"}
_HALF = frozenset({"half", "einhalb"})
_KNOWN = sorted({*_UNITS, *_HUNDRED, *_THOUSAND, *_HALF, *(_AND - {"a"})}, key=len, reverse=True)
_PIECE = re.compile("|".join(_KNOWN))
_CURRENCY = r"(?:euros?|eur|€|dollars?|dólares|pounds?|quid|franken|francs|francos|chf|usd|gbp)"
_WORDS = re.compile(rf"(?<!\w)((?:[^\W\d_]+[ \t\n-]{{1,2}}){{1,9}})({_CURRENCY})(?!\w)", re.IGNORECASE)


def sums(text: str) -> Iterator[tuple[int, int, int, str]]:
    """(start, end, whole amount, currency as written) of every sum in words with its currency behind it."""
    for match in islice(_WORDS.finditer(text), 100):
        words = [(found.group().casefold(), found.start()) for found in re.finditer(r"[^\W\d_]+", match[1])]
        first = len(words)
        while first and _pieces(words[first - 1][0]) is not None:
            first -= 1
        while first < len(words) and words[first][0] in _NO_START:
            first += 1
        value = value_of([word for word, _ in words[first:]])
        before = text[: match.start() + (words[first][1] if first < len(words) else 0)]
        if value >= 50 and not re.search(r"\d\s*\Z", before[-4:]):
            yield match.start() + words[first][1], match.end(), value, match[2]


def value_of(words: list[str]) -> int:
    """The number that words say, 0 for none: ["four", "thousand", "five", "hundred"] is 4500."""
    total, current = 0, 0.0
    for piece in [piece for word in words for piece in _pieces(word) or []]:
        if piece in _THOUSAND:
            total, current = total + int(max(current, 1) * 1000), 0
        elif piece in _HUNDRED:
            current = max(current, 1) * 100 if current < 20 else current + 100
        elif piece in _HALF:
            total += 500 if total and not current else 0
            current += 0.5 if current and not total else 0
        elif piece not in _AND:
            current = current * 20 if piece in {"vingt", "vingts"} and current == 4 else current + _UNITS[piece]
    return int(total + current)


def _pieces(word: str) -> list[str] | None:
    """Number words that a word is made of ("tausendfünfhundert"), None when anything else is in it."""
    if word in _UNITS or word in _AND:
        return [word]
    for ending in _HUNDRED:  # "cuatrocientos"
        if word.endswith(ending) and word[: -len(ending)] in _UNITS:
            return [word[: -len(ending)], ending]
    found, at = [], 0
    while at < len(word):
        piece = _PIECE.match(word, at)
        if piece is None:
            return None
        found.append(piece.group())
        at = piece.end()
    return found
