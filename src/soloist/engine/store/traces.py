"""Traces: the texts a person leaves behind, found in any writing of them and struck out; it knows no table.

An address, a number, a full name or a text the operator gave is looked for without case, over line breaks, with any
separators, as JSON escapes it, and in bytes as mails encode it. A single common word is never a trace by itself.
"""

from __future__ import annotations

import base64
import binascii
import functools
import quopri
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

ERASED = "[erased]"
CORE = 8
"""Digits of a phone number that must be there; what stands before them is struck out with them."""
SHORTEST = 5
"""Characters below which a text could be anybody's."""
_CHUNK = 8 * 1024 * 1024
_GAP = r"[\s()/.\-]{0,2}"
_ESCAPED = r"(?<=\\[nrt])"
"""A line end as JSON writes it, just before a name."""
_BLOCK64 = re.compile(rb"(?:[A-Za-z0-9+/]{32,}={0,2}(?:\r?\n|\\r\\n|\\n)?)+")
_SOFT = re.compile(rb"=\r?\n")
Kind = Literal["address", "phone", "name", "text"]


@dataclass(frozen=True, order=True)
class Trace:
    """One text and what it is."""

    kind: Kind
    text: str

    @property
    def plain(self) -> str:
        """The one form under which two writings of it are the same."""
        if self.kind == "phone":
            return digits(self.text)[-CORE:]
        return " ".join(unicodedata.normalize("NFC", self.text).casefold().split())


def digits(text: str) -> str:
    """The digits of a number."""
    return "".join(c for c in text if c.isdecimal())


def usable(traces: Iterable[Trace]) -> list[Trace]:
    """Those that point at one person: long enough, a name of two words at least; each once."""
    found: dict[tuple[str, str], Trace] = {}
    for trace in traces:
        fits = {
            "phone": len(digits(trace.text)) >= CORE,
            "name": len(trace.text.split()) > 1 and len(trace.text) >= SHORTEST,
        }.get(trace.kind, len(trace.text.strip()) >= SHORTEST)
        if fits:
            found.setdefault((trace.kind, trace.plain), trace)
    return sorted(found.values())


class Traces:
    """A set of traces, ready to look for."""

    def __init__(self, traces: Iterable[Trace]) -> None:
        """``traces`` should have passed ``usable``."""
        self.all = tuple(traces)
        self._found = re.compile("|".join(map(_pattern, self.all)) or r"(?!)", re.IGNORECASE)

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.all)

    def likes(self) -> list[str]:
        """Patterns of SQL's LIKE (escape: backslash) that let at least every text through that holds a trace."""
        return sorted({f"%{_like(trace)}%" for trace in self.all})

    def inside(self, text: str) -> list[str]:
        """Every writing of a trace in a text, as it stands there."""
        return [match[0] for match in self._found.finditer(text)]

    def struck(self, text: str) -> str:
        """The text without them."""
        return self._found.sub(ERASED, text)

    def struck_value(self, value: Any) -> Any:
        """A JSON value without them, in keys too."""
        if isinstance(value, str):
            return self.struck(value)
        if isinstance(value, Mapping):
            return {self.struck(str(key)): self.struck_value(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.struck_value(inner) for inner in value]
        return value

    def in_bytes(self, data: bytes) -> bool:
        """Whether bytes hold a trace: as they are, as quoted-printable, in base64, in UTF-16."""
        return any(self._found.search(text) for text in _readings(data))

    def struck_bytes(self, data: bytes) -> bytes:
        """Plain text in bytes without them; what is encoded stays."""
        return self._found.sub(ERASED, data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _readings(data: bytes) -> Iterator[str]:
    """Every way the bytes can be read as text."""
    yield data.decode("utf-8", "replace")
    if b"=" in data:
        unfolded = _SOFT.sub(b"", data)
        yield quopri.decodestring(unfolded).decode("utf-8", "replace")
    if b"\x00" in data[:2000]:
        yield data.decode("utf-16-le", "replace")
        yield data[1:].decode("utf-16-le", "replace")
    for block in _BLOCK64.findall(data):
        packed = re.sub(rb"[^A-Za-z0-9+/]", b"", block.replace(b"\\r", b"").replace(b"\\n", b""))
        try:
            plain = base64.b64decode(packed[: len(packed) // 4 * 4] or b"")
        except (binascii.Error, ValueError):
            continue
        yield plain.decode("utf-8", "replace")
        if b"\x00" in plain[:200]:
            yield plain.decode("utf-16-le", "replace")


def _pattern(trace: Trace) -> str:
    """The regular expression of one trace."""
    if trace.kind == "phone":
        core = digits(trace.text)[-CORE:]
        return rf"(?<![\dA-Fa-f-])\+?(?:\d{_GAP}){{0,6}}{_GAP.join(core)}(?!\d)"
    words = [re.escape(word) if word.isascii() else "".join(map(_letter, word)) for word in trace.text.split()]
    joined = r"(?:\s|\\r|\\n|\\t|=20)+".join(words)
    if trace.kind == "address":
        return rf"(?:(?<![\w.+-])|{_ESCAPED})(?:mailto:)?{joined}(?![\w-]|\.\w)"
    return rf"(?:(?<!\w)|{_ESCAPED}){joined}(?!\w)"


def _letter(letter: str) -> str:
    """One letter in every writing of it: composed, decomposed, escaped."""
    if letter.isascii():
        return re.escape(letter)
    forms = {unicodedata.normalize(form, case) for form in ("NFC", "NFD") for case in (letter, letter.swapcase())}
    escaped = {rf"\\u{ord(case):04x}" for case in (letter, letter.swapcase()) if len(case) == 1}
    return f"(?:{'|'.join([*map(re.escape, sorted(forms)), *sorted(escaped)])})"


def _like(trace: Trace) -> str:
    """What SQL looks for: anything may stand between the words, or between the digits of a number."""
    if trace.kind == "phone":
        return "%".join(digits(trace.text)[-CORE:])
    plain = "".join(c if c.isascii() else "%" for c in "%".join(trace.text.split()))
    return re.sub(r"%+", "%", plain.replace("\\", "%").replace("_", "\\_"))


# ----- bytes of files


def needles(texts: Iterable[str]) -> dict[bytes, str]:
    """Lower-case bytes to look for in lower-cased files: each text as UTF-8, UTF-16, escaped for JSON and for links."""
    found: dict[bytes, str] = {}
    for text in texts:
        low = text.lower()
        forms = {low.encode(), low.encode("utf-16-le")[:-1], quote(low).lower().encode()}
        if not low.isascii():
            forms.add(low.encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00"))
            forms.add(unicodedata.normalize("NFD", low).encode())
            forms.add(quopri.encodestring(low.encode()).lower())
        for form in forms:
            found.setdefault(form, text)
    return found


def packed(texts: Iterable[str]) -> dict[bytes, str]:
    """Pieces of base64 that stand for a text wherever it begins; as given and in lower case."""
    found: dict[bytes, str] = {}
    for text in texts:
        for form in {text, text.lower()}:
            data = form.encode()
            for shift in range(3):
                piece = base64.b64encode(b"\x00" * shift + data)
                start = (0, 2, 3)[shift]
                end = len(piece) - (4 if (len(data) + shift) % 3 else 0)
                if end - start >= SHORTEST + 3:
                    found.setdefault(piece[start:end], text)
    return found


def in_file(path: Path, low: Mapping[bytes, str], raw: Mapping[bytes, str]) -> tuple[int, dict[str, int]]:
    """(bytes read, how often each text was found) in a file; OSError when it cannot be read."""
    overlap = max([len(piece) for piece in (*low, *raw)], default=1) - 1
    counts: dict[str, int] = {}
    size, tail = 0, b""
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            size += len(block)
            window = tail + block
            for pieces, data in ((low, window.lower()), (raw, window)):
                for text, count in _counts(data, pieces, len(tail)):
                    counts[text] = counts.get(text, 0) + count
            tail = window[-overlap:] if overlap else b""
    return size, counts


def _counts(data: bytes, pieces: Mapping[bytes, str], tail: int) -> Iterator[tuple[str, int]]:
    """Hits of each text; the shortest pieces come first, since what holds one that is not there is not there either."""
    absent: list[bytes] = []
    for piece in sorted(pieces, key=len):
        if any(part in piece for part in absent):
            continue
        at = data.find(piece)
        if at < 0:
            absent.append(piece)
        elif count := _count(data, piece, at, tail):
            yield pieces[piece], count


def _count(data: bytes, piece: bytes, at: int, tail: int) -> int:
    """Hits from a first one on that do not lie in the part looked at before, and are no part of a longer word."""
    count = 0
    while at >= 0:
        whole = at + len(piece) > tail
        before, after = data[at - 1 : at], data[at + len(piece) : at + len(piece) + 1]
        escaped = data[at - 2 : at] in _LINE_ENDS
        count += whole and not ((_word(before) and not escaped) or _word(after))
        at = data.find(piece, at + 1)
    return count


_LINE_ENDS = (b"\\n", b"\\r", b"\\t")
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")


def _word(byte: bytes) -> bool:
    return bool(byte) and byte[0] in _WORD


@functools.cache
def _split() -> re.Pattern[str]:
    return re.compile(r"[^\W\d_]{4,}")


def words(traces: Sequence[Trace]) -> list[str]:
    """The single words of names and addresses: what an index may hold of them by themselves."""
    found = {word.casefold() for trace in traces if trace.kind != "phone" for word in _split().findall(trace.text)}
    common = {"mail", "example", "gmail", "info", "outlook", "posteo", "mailbox", "yahoo", "icloud", "googlemail"}
    return sorted(found - common)
