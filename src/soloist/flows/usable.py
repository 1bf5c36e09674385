"""Records in the forms other programs read: CSV, vCard, calendar, mailbox; pure, the same bytes each time."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from soloist.kernel import money
from soloist.kernel.kind import Kind

CALENDAR_BEGINS = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Soloist//export//EN\r\n"
CALENDAR_ENDS = b"END:VCALENDAR\r\n"
_CALCULATES = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?\Z")
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


def cell(value: Any) -> str:
    """A value as the text of a cell; amounts as "1234.50 EUR", lists with semicolons."""
    if isinstance(value, list):
        return "; ".join(cell(one) for one in value)
    if isinstance(value, Mapping):
        if money.is_amount(value):
            return f"{money.plain(value['minor'], value['currency'])} {value['currency']}"
        return "; ".join(f"{key}: {cell(one)}" for key, one in sorted(value.items()))
    return "" if value is None else str(value)


def guarded(text: str) -> str:
    """A cell that a spreadsheet would calculate gets an apostrophe; plain numbers stay numbers."""
    return f"'{text}" if _CALCULATES.match(text) and not _NUMBER.match(text) else text


def csv_lines(kind: Kind, rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> Iterator[bytes]:
    """Records of a kind as a table (RFC 4180, UTF-8 with its mark)."""
    names = list(kind.fields)
    yield b"\xef\xbb\xbf" + _csv(["id", "title", "state", *names, "created", "updated"], delimiter)
    for row in rows:
        values = [cell(row["body"].get(name)) for name in names]
        yield _csv([row["id"], row["title"], row["state"], *values, row["created"], row["updated"]], delimiter)


def _csv(cells: Iterable[str], delimiter: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow([guarded(one) for one in cells])
    return out.getvalue().encode()


def vcard(row: Mapping[str, Any]) -> bytes:
    """A person as a vCard 3.0."""
    body = row["body"]
    name = str(body.get("name") or row["title"])
    given, _, family = name.rpartition(" ")
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:{row['id']}",
        f"FN:{_said(name)}",
        f"N:{_said(family)};{_said(given)};;;",
    ]
    lines += [f"EMAIL:{_said(one)}" for one in body.get("emails") or []]
    lines += [f"TEL:{_said(one)}" for one in body.get("phones") or []]
    for key, label in (
        ("company_name", "ORG"),
        ("role", "TITLE"),
        ("website", "URL"),
        ("birthday", "BDAY"),
        ("note", "NOTE"),
    ):
        lines += [f"{label}:{_said(body[key])}"] if body.get(key) else []
    lines += [f"ADR:;;{_said(body['address'])};;;;"] if body.get("address") else []
    lines += [f"CATEGORIES:{','.join(_said(one) for one in body['tags'])}"] if body.get("tags") else []
    return _folded([*lines, f"REV:{row['updated']}", "END:VCARD"])


def event(row: Mapping[str, Any]) -> bytes:
    """An appointment as an event of a calendar; one without a beginning is left out."""
    body = row["body"]
    if not body.get("begins"):
        return b""
    lines = ["BEGIN:VEVENT", f"UID:{row['id']}", f"DTSTAMP:{_utc(row['updated'])}", f"DTSTART:{_utc(body['begins'])}"]
    lines += [f"DTEND:{_utc(body['ends'])}"] if body.get("ends") else []
    for key, label in (("subject", "SUMMARY"), ("place", "LOCATION"), ("note", "DESCRIPTION")):
        lines += [f"{label}:{_said(body[key])}"] if body.get(key) else []
    lines += ["STATUS:CANCELLED"] if row["state"] == "cancelled" else []
    return _folded([*lines, "END:VEVENT"])


def mbox(raw: bytes, sender: str, at: str) -> Iterator[bytes]:
    """A mail as it stands in a mailbox file (mboxrd)."""
    who = re.sub(r"[^\x21-\x7e]", "", sender) or "MAILER-DAEMON"
    yield f"From {who} {datetime.fromisoformat(at):%a %b %d %H:%M:%S %Y}\n".encode()
    yield _FROM.sub(rb">\1", raw.replace(b"\r\n", b"\n")).rstrip(b"\n") + b"\n\n"


def _utc(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y%m%dT%H%M%SZ}"


def _said(value: Any) -> str:
    """A text as a value of vCard and iCalendar."""
    text = str(value).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return re.sub(r"\r\n|\r|\n", r"\\n", text)


def _folded(lines: Iterable[str]) -> bytes:
    """Lines of at most 75 bytes, further ones begin with a space; no letter is cut in two."""
    out = []
    for line in lines:
        part, size = "", 0
        for letter in line:
            width = len(letter.encode())
            if size + width > 74:
                out.append(part)
                part, size = " ", 1
            part, size = part + letter, size + width
        out.append(part)
    return ("\r\n".join(out) + "\r\n").encode()
