"""Header values of a mail in plain Unicode: words, addresses, dates, ids; no bodies, and nothing is raised."""

from __future__ import annotations

import codecs
import re
from datetime import UTC
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_to_datetime

from soloist.kernel.message import Address

MAX_REFERENCES = 50
MAX_ADDRESSES = 200
MAX_WORDS = 10_000  # characters in which encoded words are looked for; open ones take time squared in them

_UNKNOWN = {"x-gbk": "gb18030", "x-sjis": "cp932", "unicode-1-1-utf-7": "utf-7", "x-mac-roman": "mac-roman"}
_UNKNOWN |= {"iso-8859-8-i": "iso-8859-8"}
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "euc_kr": "cp949", "shift_jis": "cp932"}
_WIDER |= {"iso2022_jp": "iso2022_jp_3"}  # what mail programs write under the narrower names
_NOT_TEXT = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "unicode_escape"}
_UNSURE = {"", "us-ascii", "ascii", "ansi_x3.4-1968", "utf-8", "utf8", "unknown-8bit", "x-unknown", "8bit", "binary"}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BIDI = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ID = re.compile(r"<\s*([^<>\s]{1,995})\s*>")
_ADDRESS = re.compile(r"[^\s<>,;:\"'()\[\]@]{1,64}@[^\s<>,;:\"'()@]{1,255}")


def clean(text: str) -> str:
    """Text without NUL, control characters and lone surrogates; line ends become a single newline."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


def line(text: str) -> str:
    """Text on one line, so that a decoded word can never start another header."""
    return " ".join(clean(text).split())


def decode(data: bytes, charset: str = "") -> tuple[str, bool]:
    """Bytes as text and whether every byte fitted; else UTF-8 or Windows-1252 is tried."""
    name = charset.strip().strip("\"'").lower()
    if name not in _UNSURE:
        known = _codec(name)
        if known:
            return _strict_or_replaced(data, known)
        return _guess(data)[0], False
    text, sure = _guess(data)
    return text, sure or name not in {"utf-8", "utf8"}


def _codec(name: str) -> str:
    """A text codec Python has for this charset, or nothing."""
    try:
        found = codecs.lookup(_UNKNOWN.get(name, name)).name
        found = _WIDER.get(found, found)
        b"x".decode(found, "replace")  # of no bytes any codec would do, also one that is not for text
    except (LookupError, ValueError, UnicodeError):
        return ""
    return "" if found in _NOT_TEXT else found


def _strict_or_replaced(data: bytes, codec: str) -> tuple[str, bool]:
    try:
        return data.decode(codec), True
    except (UnicodeError, ValueError):
        return data.decode(codec, "replace"), False


def _guess(data: bytes) -> tuple[str, bool]:
    """Text of bytes without a usable charset, and whether they were whole UTF-8 (or ISO-2022-JP)."""
    if b"\x1b$" in data or b"\x1b(" in data:
        text, sure = _strict_or_replaced(data, "iso2022_jp_3")
        if sure:
            return text, True
    try:
        return data.decode("utf-8"), True
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    # A UTF-8 text cut in the middle has few broken places; a Windows-1252 text has nothing but broken places.
    good = sum(1 for character in text if character > "\x7f" and character != "\ufffd")
    if good > text.count("\ufffd"):
        return text, False
    return data.decode("cp1252", "replace"), False


def words(text: str) -> str:
    """A header value with its encoded words decoded, on one line; when one is broken it stays as it is written."""
    if "=?" not in text:
        return line(text)
    try:
        pieces = decode_header(text[:MAX_WORDS])
    except (HeaderParseError, ValueError):
        return line(text)
    return line("".join(_piece(data, charset) for data, charset in pieces) + text[MAX_WORDS:])


def _piece(data: bytes | str, charset: str | None) -> str:
    if isinstance(data, str):
        return data
    if charset is None:  # as the standard library writes what stands between encoded words
        return data.decode("raw-unicode-escape", "replace")
    return decode(data, charset.partition("*")[0])[0]


def addresses(value: str) -> list[Address]:
    """Mailboxes of an address header, groups flattened; entries without a usable address are left out."""
    try:
        pairs = getaddresses([value])[:MAX_ADDRESSES]
    except (RecursionError, ValueError, IndexError, TypeError):
        pairs = [("", found) for found in _ADDRESS.findall(value)[:MAX_ADDRESSES]]
    good = [Address(name=words(name), address=line(spec)) for name, spec in pairs if _usable(spec)]
    if good or "@" not in value:
        return good
    return [Address(address=line(found)) for found in _ADDRESS.findall(value)[:MAX_ADDRESSES]]


def _usable(spec: str) -> bool:
    local, at, domain = spec.rpartition("@")
    return bool(at and local and domain) and len(spec) <= 320 and not re.search(r"[\s\x00-\x1f<>]|=\?", spec)


def ids(value: str) -> list[str]:
    """Message ids without their angle brackets; the first (the root of the thread) and the latest are kept."""
    found = [_SURROGATE.sub("\ufffd", one) for one in _ID.findall(clean(value))]
    if not found:
        found = [word.strip("<>") for word in line(value).split() if "@" in word and len(word) < 995]
    found = list(dict.fromkeys(found))
    return found if len(found) <= MAX_REFERENCES else [found[0], *found[-(MAX_REFERENCES - 1) :]]


def date(value: str) -> str:
    """A date header as ISO 8601 with offset; empty when it is not a date."""
    try:
        when = parsedate_to_datetime(line(value))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def parameter(headers: Message, name: str) -> str:
    """A parameter of the Content-Type; empty when there is none that can be read."""
    try:
        return collapse_rfc2231_value(headers.get_param(name, "")).strip()
    except (ValueError, LookupError, TypeError):
        return ""


def file_name(value: str) -> str:
    """The last component of a file name as a sender wrote it, safe to show and to offer for download; may be empty."""
    name = _BIDI.sub("", words(value)).replace("\\", "/").rpartition("/")[2].strip(" .")
    return name if len(name) <= 150 else name[:100] + name[-50:]
