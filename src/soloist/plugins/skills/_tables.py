"""Tables as text (CSV and its relatives): which encoding, which delimiter, which rows; it knows nothing of contacts."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 200_000
"""Bytes that the encoding is guessed from."""
LOOKED_AT = 60
"""Records that the delimiter is chosen by."""
MOST_LINES = 200
"""Lines one record may have; a quote that is never closed swallows no more than these."""
MOST_CELL = 10_000
RAW = 2_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = re.compile(r"ascii|cp125[0247]|latin|iso8859|cp437|cp85\d|mac|cp1140|hp_roman|cp037|cp500|cp273|cp77\d")
_DATA = re.compile(r"@|\A[\d.,/:+\- ]{4,}\Z|https?://")


@dataclass
class Table:
    """What was read: cells are aligned to ``columns``; a fault is (line, why, the raw line)."""

    encoding: str = ""
    delimiter: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)


def read(data: bytes, *, delimiter: str = "", encoding: str = "", most: int = 200_000) -> Table:
    """A whole table; ValueError in plain words when it is none."""
    found = Table()
    text, found.encoding = decoded(data, encoding)
    told = re.match(r"\s*sep=(.)\r?\n", text)
    text = text[told.end() :] if told else text
    found.delimiter = delimiter or (told[1] if told else "") or chosen(text)
    for line, cells, why, raw in records(text, found.delimiter):
        line += bool(told)
        if why:
            found.faults.append((line, why, raw[:RAW]))
        else:
            add(found, line, cells, raw)
        if len(found.rows) + len(found.faults) > most:
            raise ValueError(f"There are more than {most} rows; split the file.")
    if not found.columns:
        raise ValueError("There is no row in this file that can be read.")
    return found


def add(found: Table, line: int, cells: list[str], raw: str) -> None:
    """One more row: the first names the columns, empty ones are left out."""
    if not found.columns:
        _head(found, line, cells)
    elif any(cells):
        _row(found, line, cells, raw)


def _head(found: Table, line: int, cells: list[str]) -> None:
    """The first row names the columns, unless it looks like data."""
    if not any(cells):
        return
    while cells and not cells[-1]:
        cells = cells[:-1]
    if any(_DATA.search(cell) for cell in cells):
        found.columns = [f"Column {number}" for number in range(1, len(cells) + 1)]
        found.rows.append((line, cells))
        return
    seen: Counter[str] = Counter()
    for number, cell in enumerate(cells, 1):
        name = cell[:120] or f"Column {number}"
        seen[name] += 1
        found.columns.append(name if seen[name] == 1 else f"{name} ({seen[name]})")


def _row(found: Table, line: int, cells: list[str], raw: str) -> None:
    """A row as wide as the head; spreadsheets leave out empty cells at the end."""
    width = len(found.columns)
    if any(cells[width:]):
        why = f"It has {len(cells)} cells where the first row has {width}."
        found.faults.append((line, why, raw[:RAW]))
    elif any(len(cell) > MOST_CELL for cell in cells):
        found.faults.append((line, f"A cell has more than {MOST_CELL} characters.", raw[:RAW]))
    else:
        found.rows.append((line, (cells + [""] * width)[:width]))


def decoded(data: bytes, encoding: str = "") -> tuple[str, str]:
    """The text and the encoding it was in; ValueError for what is no text, LookupError never."""
    if not data.strip():
        raise ValueError("The file is empty.")
    if encoding:
        try:
            return data.decode(encoding).replace("\x00", ""), encoding
        except (LookupError, UnicodeError) as error:
            raise ValueError(f"It cannot be read as {encoding[:40]!r}: {error}") from error
    named = next((name for mark, name in _MARKS if data.startswith(mark)), "") or _nulls(data)
    for name in (named, "utf-8"):
        try:
            if name:
                return data.decode(name).replace("\x00", ""), name.replace("-sig", "")
        except UnicodeDecodeError:
            continue
    name = guessed(data[:SAMPLE])
    return data.decode(name, "replace").replace("\x00", ""), name


def _nulls(data: bytes) -> str:
    """Text of two bytes a letter without a mark shows by its zeros."""
    some = data[:2000]
    if some.count(0) * 3 < len(some):
        return ""
    return "utf-16-le" if some[1::2].count(0) > some[::2].count(0) else "utf-16-be"


def guessed(sample: bytes) -> str:
    """The encoding of text that is not UTF-8: the common western one, unless the letters speak clearly for another."""
    import charset_normalizer

    best = charset_normalizer.from_bytes(sample).best()
    name = best.encoding if best else "cp1252"
    if not _WESTERN.match(name):
        return name
    # The western code pages differ in a few letters, and statistics over a short list of names mix them up.
    high = sum(byte >= 0x80 for byte in sample)
    odd = sum(byte in b"\x80\x81\x84\x87\x94\x99\x9a\xe1" for byte in sample)
    letters = sum(byte in b"\xe4\xf6\xfc\xc4\xd6\xdc\xdf\xe9\xe8\xe0\xf1\xe7" for byte in sample)
    return "cp850" if high and odd > letters and odd * 2 >= high else "cp1252"


def chosen(text: str) -> str:
    """The delimiter by which most of the first records have the same number of cells."""
    sample = text[:SAMPLE]
    scored = []
    for place, delimiter in enumerate(DELIMITERS):
        widths = []
        for _line, cells, why, _raw in records(sample, delimiter):
            if not why and any(cells):
                widths.append(len(cells))
            if len(widths) >= LOOKED_AT:
                break
        width, often = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if width > 1:
            scored.append((often / len(widths), width, -place, delimiter))
    if scored:
        return max(scored)[3]
    try:
        found = csv.Sniffer().sniff(sample[:20_000]).delimiter
    except csv.Error:
        return ","
    return found if found in ":^~!#\x1f" else ","


def records(text: str, delimiter: str) -> Iterator[tuple[int, list[str], str, str]]:
    """(line, cells, why it cannot be read or "", raw); a record that cannot be read costs one line, never the rest."""
    csv.field_size_limit(1_000_000)
    lines = [part for part in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text) if part]
    place = 0
    while place < len(lines):
        reader = csv.reader(iter(lines[place : place + MOST_LINES]), delimiter=delimiter, strict=True)
        taken, before = 0, 0
        try:
            for cells in reader:
                taken = reader.line_num
                raw = "".join(lines[place + before : place + taken]).rstrip("\r\n")
                yield place + before + 1, [cell.strip() for cell in cells], "", raw
                before = taken
        except csv.Error as error:
            if not before:  # else it is looked at again with all its lines
                yield place + 1, [], _why(str(error)), lines[place].rstrip("\r\n")
        place += max(before, 1)


def _why(said: str) -> str:
    if "end of data" in said:
        return "A quotation mark is opened and not closed."
    if "larger than field limit" in said:
        return "A cell is far too long."
    if "expected after" in said:
        return "There is text after a closing quotation mark."
    return f"It cannot be taken apart ({said[:80]})."
