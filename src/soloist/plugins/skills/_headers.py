"""Header values of a mail in plain Unicode: words, addresses, dates, ids; no bodies, and nothing is raised."""

from __future__ import annotations

import binascii
import codecs
import contextlib
import re
from collections.abc import Iterator
from datetime import UTC
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_to_datetime

from soloist.kernel.message import Address

MAX_REFERENCES = 50
MAX_ADDRESSES = 200
MAX_PARAMETERS = 4096  # characters of a Content-Type line that are looked at; the standard parser is quadratic in them

_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "iso-2022-jp": "iso2022_jp_3",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
}
_NOT_TEXT = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "unicode_escape"}
_UNSURE = {"", "us-ascii", "ascii", "ansi_x3.4-1968", "utf-8", "utf8", "unknown-8bit", "x-unknown", "8bit", "binary"}

_WORD = re.compile(r"=\?([^?\s]{1,75})\?([bBqQ])\?([^?]*)\?=")
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
    name = _ALIASES.get(name, name)
    try:
        found = codecs.lookup(name).name
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
    """A header value with its encoded words decoded, on one line; broken words stay as they are written."""
    if "=?" not in text:
        return line(text)
    out: list[str] = []
    for charset, chunk in _runs(text):
        out.append(chunk if isinstance(chunk, str) else decode(chunk, charset)[0])
    return line("".join(out))


def _runs(text: str) -> Iterator[tuple[str, str | bytes]]:
    """Plain pieces and decoded words; neighbours of one charset are joined, since senders cut inside a character."""
    position, charset, pending = 0, "", b""
    for match in _WORD.finditer(text):
        between = text[position : match.start()]
        data = _word_bytes(match[2], match[3])
        if data is None:
            continue
        name = match[1].partition("*")[0].lower()
        if pending and (between.strip() or name != charset):
            yield charset, pending
            pending = b""
        if between.strip() or (between and position == 0):
            yield "", between
        charset, pending, position = name, pending + data, match.end()
    if pending:
        yield charset, pending
    yield "", text[position:]


def _word_bytes(encoding: str, payload: str) -> bytes | None:
    """The bytes of one encoded word, None when it cannot be read."""
    if encoding in "qQ":
        return binascii.a2b_qp(payload.replace(" ", "_").encode("utf-8", "replace"), header=True)
    letters = re.sub(r"[^A-Za-z0-9+/]", "", payload)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    try:
        return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))
    except binascii.Error:
        return None


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


def parameters(value: str) -> dict[str, str]:
    """The parameters of a Content-Type or Content-Disposition value (lower-case names); what is broken is left out."""
    holder = Message()
    holder["content-type"] = value[:MAX_PARAMETERS]
    try:
        pairs = holder.get_params(failobj=[])
        return {name.lower(): collapse_rfc2231_value(given) for name, given in pairs[1:]}
    except (ValueError, LookupError, TypeError, IndexError):
        return {
            name.lower(): given for name, given in re.findall(r';\s*([\w-]{1,40})="?([^";]*)', value[:MAX_PARAMETERS])
        }


def file_name(value: str) -> str:
    """The last component of a file name as a sender wrote it, safe to show and to offer for download; may be empty."""
    with contextlib.suppress(UnicodeEncodeError):  # already decoded, from a charset parameter
        value = decode(value.encode("latin-1"))[0]
    name = _BIDI.sub("", words(value)).replace("\\", "/").rpartition("/")[2].strip(" .")
    return name if len(name) <= 150 else name[:100] + name[-50:]
