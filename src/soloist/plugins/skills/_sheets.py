"""Spreadsheets (.xlsx) as rows of text: one sheet, stored values only, within bounds; nothing in them is calculated.

Sheets are streamed. A reader that lays a sheet out in memory by its two outermost cells can be killed by a file of two
kilobytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from typing import Any

from soloist.plugins.skills import _tables
from soloist.plugins.skills._tables import Table

PARTS = 2_000
"""Files that a spreadsheet may be made of."""
WHOLE = 64 * 1024 * 1024
"""Bytes of a part that is read as a whole: shared texts, formats, the list of sheets."""
STREAMED = 400 * 1024 * 1024
"""Bytes of all parts together, unpacked."""
CELLS = 4_000_000
"""Cells that are looked at, empty ones counted too."""
BLANK = 20_000
"""Empty rows after which a sheet is taken to have ended; formats often reach down to its last row."""
WIDE = 500
TITLES = 10
"""Rows above the head of a table that may say something else, such as its name."""
_XML = b"<!DOCTYPE"
_NOT = {
    b"\xd0\xcf\x11\xe0": "This is an old spreadsheet (.xls) or one with a password. Save it as .xlsx or CSV without a "
    "password, then take that file.",
}


def is_one(blob: bytes) -> bool:
    """Whether a file begins like a spreadsheet of any sort."""
    return blob[:4] == b"PK\x03\x04" or blob[:4] in _NOT


def read(blob: bytes, *, sheet: str = "", most: int = 200_000) -> tuple[Table, str, list[str]]:
    """One sheet as a table, its name, and the names of all that hold something; ValueError in plain words.

    Without a name the first one that has rows is read.
    """
    if why := _NOT.get(blob[:4]):
        raise ValueError(why)
    _bounded(blob)
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(blob), read_only=True, data_only=True, keep_links=False)
    except MemoryError:
        raise
    except Exception as error:  # the edge to outside bytes: the library raises anything
        raise ValueError(f"This spreadsheet cannot be read ({type(error).__name__}: {str(error)[:120]}).") from error
    with closing(book):
        sheets = [one for one in book.worksheets if one.sheet_state == "visible"] or book.worksheets
        names = [str(one.title) for one in sheets]
        if sheet and sheet not in names:
            raise ValueError(f"There is no sheet {sheet[:60]!r}. There are: {', '.join(names)[:400]}.")
        for one in sheets:
            if not sheet or one.title == sheet:
                found = _read(one, most)
                if found.columns:
                    return found, str(one.title), names
    raise ValueError("There is no row in this spreadsheet." if not sheet else f"There is no row in the sheet {sheet}.")


def _bounded(blob: bytes) -> None:
    """Refuse what is no such file, and what would be too much, before anything of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as packed:
            parts = packed.infolist()
            names = {part.filename for part in parts}
            if "mimetype" in names and "content.xml" in names:
                raise ValueError("This is an OpenDocument file. Save it as .xlsx or CSV, then take that file.")
            if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
                raise ValueError("This is no spreadsheet: it is an archive of something else.")
            streamed = re.compile(r"xl/(worksheets/|media/)")
            large = [p for p in parts if p.file_size > WHOLE and not streamed.match(p.filename)]
            if len(parts) > PARTS or large or sum(part.file_size for part in parts) > STREAMED:
                raise ValueError("This spreadsheet is too large when unpacked; save the sheet as CSV.")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with packed.open(part) as file:
                        if _XML in file.read(4096):
                            raise ValueError("This spreadsheet holds declarations that none has; it is not read.")
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"This spreadsheet is damaged or has a password ({str(error)[:80]}).") from error


def _read(sheet: Any, most: int) -> Table:
    """A sheet as a table; the head is the first row that is about as wide as those below it."""
    found = Table(encoding="", delimiter="")
    above: list[tuple[int, list[str]]] = []
    for line, cells in _rows(sheet):
        if not found.columns and len(above) < TITLES:
            above.append((line, cells))
            continue
        _add(found, above)
        above = []
        _tables.add(found, line, cells, _raw(cells))
        if len(found.rows) + len(found.faults) > most:
            raise ValueError(f"There are more than {most} rows; split the sheet.")
    _add(found, above)
    return found


def _add(found: Table, above: Sequence[tuple[int, list[str]]]) -> None:
    """The first rows, without those above the head."""
    widths = [sum(1 for cell in cells if cell) for _, cells in above]
    wide = max(widths, default=0)
    first = next((place for place, width in enumerate(widths) if width * 2 >= wide), 0)
    for line, cells in above[first:]:
        if len(cells) > WIDE:
            raise ValueError(f"There are {len(cells)} columns; at most {WIDE} can be taken.")
        _tables.add(found, line, cells, _raw(cells))


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that holds something; ValueError when there is too much or the sheet is damaged."""
    sheet.reset_dimensions()  # what a file says of its own size is not always so
    looked, blank = 0, 0
    try:
        for line, row in enumerate(sheet.iter_rows(values_only=True), 1):
            looked += len(row) + 1
            if looked > CELLS:
                raise ValueError(f"There are more than {CELLS} cells; save what is needed as CSV.")
            cells = [text(value) for value in row]
            while cells and not cells[-1]:
                cells.pop()
            blank = 0 if cells else blank + 1
            if blank > BLANK:
                return
            if cells:
                yield line, cells
    except (MemoryError, ValueError):
        raise
    except Exception as error:  # the edge to outside bytes: the library raises anything
        raise ValueError(f"The sheet {sheet.title} is damaged ({type(error).__name__}).") from error


def text(value: Any) -> str:
    """A stored value as a person would type it: whole numbers without a point, days as 2026-03-01; errors are empty."""
    if value is None or isinstance(value, timedelta):
        return "" if value is None else str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if midnight else value.replace(microsecond=0).isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    found = str(value).replace("_x000D_", "").strip()
    return "" if re.fullmatch(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)", found) else found


def _number(value: float) -> str:
    """Without an exponent; three decimals get a fourth, so that nobody takes the point for one that parts thousands."""
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    if value == int(value):
        return str(int(value))
    said = f"{value:.10f}".rstrip("0")
    return f"{said}0" if len(said.partition(".")[2]) == 3 else said


def _raw(cells: Sequence[str]) -> str:
    return " | ".join(cells)
