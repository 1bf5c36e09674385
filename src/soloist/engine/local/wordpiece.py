"""Wordpieces: cuts text into the numbered pieces that the embedder was trained on; it knows nothing of meaning.

The uncased BERT scheme: control characters out, lower case without accents, words and single punctuation marks, then
the longest known piece from the left. The vocabulary is a gzipped text, one piece a line, the line number is the id.
"""

from __future__ import annotations

import gzip
import unicodedata
from functools import lru_cache
from pathlib import Path

CLS, SEP, UNKNOWN = 101, 102, 100
_LONGEST = 100
"""Characters of a word; a longer one is unknown as a whole."""


class WordPieces:
    """Ids of a text: [CLS] pieces [SEP]."""

    def __init__(self, vocabulary: Path) -> None:
        """OSError when the file cannot be read."""
        lines = gzip.decompress(vocabulary.read_bytes()).decode().split("\n")
        self._ids = {piece: number for number, piece in enumerate(lines[:-1])}
        self._of = lru_cache(maxsize=8192)(self._pieces)

    def __call__(self, text: str, most: int) -> list[int]:
        """At most ``most`` ids, the two marks included."""
        ids = [CLS]
        for word in _words(text[: most * 12]):
            ids += self._of(word)
            if len(ids) >= most - 1:
                break
        return [*ids[: most - 1], SEP]

    def _pieces(self, word: str) -> list[int]:
        """Ids of one word."""
        if len(word) > _LONGEST:
            return [UNKNOWN]
        found, start = [], 0
        while start < len(word):
            end = len(word)
            while end > start:
                piece = word[start:end] if start == 0 else f"##{word[start:end]}"
                if piece in self._ids:
                    found.append(self._ids[piece])
                    break
                end -= 1
            else:
                return [UNKNOWN]
            start = end
        return found


def _words(text: str) -> list[str]:
    """Words in lower case without accents; each punctuation mark and each Chinese character is a word."""
    plain = unicodedata.normalize("NFD", text.lower())
    out = []
    for char in plain:
        if char.isascii():
            if char.isalnum() or char in " \t\n\r":
                out.append(char)
            elif char.isprintable():
                out.append(f" {char} ")
            continue
        category = unicodedata.category(char)
        if category == "Mn" or char == "\ufffd" or category in {"Cc", "Cf", "Co"}:
            continue
        out.append(f" {char} " if category[0] == "P" or _chinese(ord(char)) else " " if category == "Zs" else char)
    return "".join(out).split()


def _chinese(code: int) -> bool:
    """Whether it is one of the ideographs, which are written without spaces."""
    return (
        0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0x20000 <= code <= 0x2CEAF or 0xF900 <= code <= 0xFAFF
    )
