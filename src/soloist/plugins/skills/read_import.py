"""Skills read_import and read_event: files somebody takes over from elsewhere as rows, and calendar objects as events.

They run in the limited worker process; what cannot be read is listed with its line and its raw text.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field

from soloist.kernel.errors import BadInput
from soloist.plugins.skills import _cards, _events, _sheets, _tables
from soloist.sdk import calendars, skill

EVENT_COLUMNS = ("title", "start", "end", "all day", "place", "attendees", "state", "text", "link", "uid")
MOST = 200_000


class FileIn(BaseModel):
    """What is known of a file; an empty ``format``, ``delimiter`` or ``encoding`` is found out."""

    format: str = Field(default="", description="csv, xlsx, vcard or ics")
    sheet: str = Field(default="", max_length=200, description="the sheet of a spreadsheet; empty: the first with rows")
    delimiter: str = Field(default="", max_length=1)
    encoding: str = Field(default="", max_length=40)
    start: str = Field(default="1990-01-01T00:00:00+00:00", description="from when events are taken, ISO")
    end: str = Field(default="2100-01-01T00:00:00+00:00", description="until when events are taken, ISO")
    zone: str = "UTC"


class Row(BaseModel):
    """One row: the line it began on and its cells in the order of the columns."""

    line: int
    cells: list[str]


class Unread(BaseModel):
    """A row that could not be read: its line, why, and the raw text."""

    line: int
    why: str
    raw: str


class FileOut(BaseModel):
    """A file as rows."""

    format: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: list[str] = Field(default_factory=list)
    columns: list[str]
    rows: list[Row]
    faults: list[Unread]


class EventIn(BaseModel):
    """The window, as ISO instants, and the zone of times that name none."""

    start: str
    end: str
    zone: str = "UTC"


class EventOut(BaseModel):
    """What happens in the window, and what could not be read as it was meant."""

    events: list[dict[str, Any]]
    faults: list[str]


@skill("read_import", version="1")
def read_import(value: FileIn, blob: bytes) -> FileOut:
    """Read a CSV, spreadsheet, vCard or calendar file as rows; BadInput in plain words when it is none of these."""
    try:
        kind = value.format or kind_of(blob)
        if kind == "vcard":
            return _contacts(blob, value)
        if kind == "xlsx":
            return _sheet(blob, value)
        return _calendar(blob, value) if kind == "ics" else _table(blob, value)
    except ValueError as error:
        raise BadInput(f"{error} Nothing was taken over.", field="file") from error


@skill("read_event", version="1")
def read_event(value: EventIn, blob: bytes) -> EventOut:
    """One calendar object as the events in a window; broken ones give no events and say why."""
    return _event(value, blob)


def _event(value: EventIn, blob: bytes) -> EventOut:
    window = _window(value)
    try:
        found = _events.occurrences(blob.decode("utf-8", "replace"), window)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # the edge to outside bytes: libraries raise anything on a broken event
        return EventOut(events=[], faults=[f"The event cannot be read ({type(error).__name__}: {str(error)[:200]})."])
    return EventOut(events=found, faults=window.faults[:20])


def kind_of(blob: bytes) -> str:
    """The format by the first words of a file."""
    if _sheets.is_one(blob):
        return "xlsx"
    head = blob[:400].decode("utf-8", "replace").replace("\x00", "").lstrip("\ufeff\ufffd \t\r\n").upper()
    if head.startswith("BEGIN:VCARD"):
        return "vcard"
    return "ics" if head.startswith("BEGIN:VCALENDAR") else "csv"


def _table(blob: bytes, value: FileIn) -> FileOut:
    if re.match(rb"\s*(<!doctype html|<html|%PDF-|\{)", blob[:200], re.IGNORECASE):
        raise ValueError("This is no table: it begins like a web page or a document.")
    return _rows("csv", _tables.read(blob, delimiter=value.delimiter, encoding=value.encoding, most=MOST))


def _sheet(blob: bytes, value: FileIn) -> FileOut:
    found, sheet, sheets = _sheets.read(blob, sheet=value.sheet, most=MOST)
    return _rows("xlsx", found).model_copy(update={"sheet": sheet, "sheets": sheets})


def _rows(format_: str, found: _tables.Table) -> FileOut:
    return FileOut(
        format=format_,
        encoding=found.encoding,
        delimiter=found.delimiter,
        columns=found.columns,
        rows=[Row(line=line, cells=cells) for line, cells in found.rows],
        faults=[Unread(line=line, why=why, raw=raw) for line, why, raw in found.faults],
    )


def _contacts(blob: bytes, value: FileIn) -> FileOut:
    text, encoding = _tables.decoded(blob, value.encoding)
    out = FileOut(format="vcard", encoding=encoding, columns=[*_cards.COLUMNS], rows=[], faults=[])
    for line, found, why, raw in _cards.cards(text):
        if why:
            out.faults.append(Unread(line=line, why=why, raw=raw))
        else:
            out.rows.append(Row(line=line, cells=[found.get(name, "") for name in _cards.COLUMNS]))
        if len(out.rows) > MOST:
            raise ValueError(f"There are more than {MOST} cards; split the file.")
    if not out.rows and not out.faults:
        raise ValueError("There is no card in this file.")
    return out


def _calendar(blob: bytes, value: FileIn) -> FileOut:
    text, encoding = _tables.decoded(blob, value.encoding)
    cut = calendars.cut(text)
    out = FileOut(format="ics", encoding=encoding, columns=[*EVENT_COLUMNS], rows=[], faults=[])
    out.faults += [Unread(line=line, why=why, raw=raw) for line, why, raw in cut.faults]
    asked = EventIn(start=value.start, end=value.end, zone=value.zone)
    for one in cut.objects.values():
        small = cut.alone(one)
        found = _event(asked, small.encode())
        out.rows += [Row(line=one.line, cells=_cells(one.uid, event)) for event in found.events]
        if not found.events and found.faults:
            out.faults.append(Unread(line=one.line, why=" ".join(found.faults), raw="\n".join(one.parts)[:2000]))
    return out


def _cells(uid: str, event: dict[str, Any]) -> list[str]:
    people = "\n".join(one["address"] for one in event["attendees"])
    whole = "yes" if event["all_day"] else ""
    name = f"{uid}#{event['occurrence']}" if event["occurrence"] else uid
    start, end = event["day"] or event["start"], event["end"]
    return [
        event["title"],
        start,
        end,
        whole,
        event["place"],
        people,
        event["state"],
        event["text"],
        event["link"],
        name,
    ]


def _window(value: EventIn) -> _events.Window:
    try:
        zone = ZoneInfo(value.zone)
        return _events.Window(datetime.fromisoformat(value.start), datetime.fromisoformat(value.end), zone)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise BadInput(f"start, end, zone: {error}", field="start") from error
