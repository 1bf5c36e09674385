"""N-grams: a text as weights of its words and letter groups, hashed into a fixed number of columns, in any language."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from itertools import pairwise
from zlib import crc32

COLUMNS = 1 << 15
READ = 1_200
"""Characters that are read of a text."""

_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"\b(?:https?://|www\.)\S+|\b[a-z][\w-]+\.[a-z]{2,12}(?:\.[a-z]{2,3})?\b(?:/\S*)?")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W_]+|[€$£%!?]")


def columns(subject: str, text: str) -> dict[int, float]:
    """Column numbers with 1 + log(count): words, pairs of words, letter groups of 2 to 5, words of the subject."""
    counts: Counter[str] = Counter()
    title, words = _words(subject[:200]), _words(text[:READ])
    counts.update(f"s {word}" for word in title)
    for line in (title, words):
        counts.update(line)
        counts.update(f"{first} {second}" for first, second in pairwise(line))
    for word, times in Counter(title + words).items():
        for group in _letters(f" {word} "):
            counts[group] += times
    hashed: Counter[int] = Counter()
    for gram, times in counts.items():
        hashed[crc32(gram.encode()) % COLUMNS] += times
    return {column: 1 + math.log(times) for column, times in hashed.items()}


def _letters(word: str) -> list[str]:
    """Letter groups inside one word, whose ends are marked by spaces."""
    return [f"#{word[start : start + size]}" for size in range(2, 6) for start in range(len(word) - size + 1)]


def _words(text: str) -> list[str]:
    """Words in plain letters; an address, a link and a number are one word each, whatever they say."""
    plain = _ADDRESS.sub(" xmail ", text.casefold())
    plain = _NUMBER.sub("0", _LINK.sub(" xlink ", plain))
    letters = unicodedata.normalize("NFKD", plain)
    return _WORD.findall("".join(char for char in letters if not unicodedata.combining(char)))
