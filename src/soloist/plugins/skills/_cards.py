"""vCards of every version (2.1, 3.0, 4.0) read leniently: what a card says is taken, what it misspells is left out."""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator

COLUMNS = (
    "name",
    "first name",
    "last name",
    "email",
    "phone",
    "company",
    "job title",
    "address",
    "website",
    "birthday",
    "note",
    "tags",
    "uid",
)
RAW = 2_000
_BEGIN = re.compile(r"^[ \t]*BEGIN:VCARD[ \t]*$", re.IGNORECASE | re.MULTILINE)
_END = re.compile(r"^[ \t]*END:VCARD[ \t]*$", re.IGNORECASE | re.MULTILINE)
_SIMPLE = {
    "TITLE": "job title",
    "URL": "website",
    "BDAY": "birthday",
    "NOTE": "note",
    "UID": "uid",
    "NICKNAME": "nickname",
    "X-ABSHOWAS": "shown as",
    "KIND": "shown as",
}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MOST = 20
"""Values of one property that are kept."""


def cards(text: str) -> Iterator[tuple[int, dict[str, str], str, str]]:
    """(line, fields, why it cannot be read or "", raw) of every card in a file."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    starts = [found.start() for found in _BEGIN.finditer(text)]
    line, counted = 1, 0
    for number, start in enumerate(starts):
        line, counted = line + text.count("\n", counted, start), start
        until = starts[number + 1] if number + 1 < len(starts) else len(text)
        block = text[start:until]
        if not (end := _END.search(block)):
            yield line, {}, "The card has no end.", block[:RAW]
            continue
        found = card(block[: end.start()])
        why = "" if any(found.get(key) for key in ("name", "email", "phone", "company")) else "The card names nobody."
        yield line, found, why, block[:RAW]


def card(block: str) -> dict[str, str]:
    """The fields of one card; several values of a field stand on lines of their own."""
    values: dict[str, list[str]] = {}
    for name, parameters, value in _properties(block):
        for key, text in _read(name, parameters, value):
            known = values.setdefault(key, [])
            if text and text not in known and len(known) < _MOST:
                known.append(text)
    found = {key: "\n".join(texts) for key, texts in values.items() if texts}
    whole = " ".join(part for part in (found.get("first name", ""), found.get("last name", "")) if part)
    found["name"] = found.get("name", "").split("\n")[0] or whole or found.pop("nickname", "")
    found.pop("nickname", None)
    if found.pop("shown as", "").upper() in ("COMPANY", "ORG"):  # the card of a company, under its name
        found["company"] = found.get("company") or found["name"]
        found |= {"name": "", "first name": "", "last name": ""}
    return {key: text for key, text in found.items() if text}


def _properties(block: str) -> Iterator[tuple[str, dict[str, list[str]], str]]:
    """(name, parameters, decoded value) of every line, unfolded."""
    lines: list[str] = []
    for raw in block.split("\n"):
        if lines and (raw[:1] in (" ", "\t")):
            lines[-1] += raw[1:]
        elif lines and lines[-1].endswith("=") and "QUOTED-PRINTABLE" in lines[-1].partition(":")[0].upper():
            lines[-1] = lines[-1][:-1] + raw
        else:
            lines.append(raw)
    for line in lines:
        head, colon, value = _split(line)
        if colon:
            name, *rest = head.split(";")
            parameters: dict[str, list[str]] = {}
            for part in rest:
                key, equals, text = part.partition("=")
                parameters.setdefault(key.upper() if equals else "TYPE", []).extend(
                    (text if equals else key).strip('"').upper().split(",")
                )
            yield name.rpartition(".")[2].strip().upper(), parameters, _decoded(value, parameters)


def _split(line: str) -> tuple[str, str, str]:
    """Head and value: the first colon that stands in no quotes parts them."""
    quoted = False
    for place, letter in enumerate(line[:2000]):
        if letter == '"':
            quoted = not quoted
        elif letter == ":" and not quoted:
            return line[:place], ":", line[place + 1 :]
    return line.partition(":")


def _decoded(value: str, parameters: dict[str, list[str]]) -> str:
    """The value without its transfer encoding; one that does not decode stays as it is."""
    ways = {*parameters.get("ENCODING", ()), *parameters.get("TYPE", ())}
    if "QUOTED-PRINTABLE" not in ways:
        return value
    charset = (parameters.get("CHARSET") or ["utf-8"])[0]
    try:
        return quopri.decodestring(value.encode("latin-1", "replace")).decode(charset, "replace")
    except (LookupError, binascii.Error, ValueError):
        return value


def _read(name: str, parameters: dict[str, list[str]], value: str) -> Iterator[tuple[str, str]]:
    """The fields that one property gives."""
    if name == "FN":
        yield "name", _plain(value)
    elif name == "N":
        parts = [_plain(part) for part in _parts(value)]
        yield "last name", parts[0]
        yield "first name", " ".join(part for part in parts[1:3] if part)
    elif name == "EMAIL":
        yield "email", _plain(value).removeprefix("mailto:").strip()
    elif name == "TEL":
        yield "phone", "" if "FAX" in parameters.get("TYPE", ()) else _plain(value).removeprefix("tel:").strip()
    elif name == "ORG":
        yield "company", _plain(_parts(value)[0])
    elif name == "ADR":
        parts = [_plain(part).replace("\n", ", ") for part in _parts(value)]
        street, city, region, code, country = (parts + [""] * 7)[2:7]
        yield "address", ", ".join(part for part in (street, f"{code} {city}".strip(), region, country) if part)
    elif name == "CATEGORIES":
        yield "tags", ", ".join(_plain(part) for part in re.split(r"(?<!\\),", value))
    elif name in _SIMPLE:
        yield _SIMPLE[name], _plain(value)


def _parts(value: str) -> list[str]:
    return re.split(r"(?<!\\);", value)


def _plain(value: str) -> str:
    """Without escapes, zeros and white space at the ends."""
    found = _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)
    return found.replace("\x00", "").strip()[:5000]
