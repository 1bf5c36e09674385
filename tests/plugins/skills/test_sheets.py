"""Spreadsheets in the reading process: hostile ones first, then what people keep in theirs."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from soloist.engine.worker import Worker
from soloist.kernel.errors import BadInput
from soloist.plugins.skills import _sheets
from soloist.plugins.skills.read_import import FileIn, FileOut, kind_of, read_import

HEAD = ["Name", "E-Mail", "PLZ", "Seit"]
ADA = ["Ada Okafor", "ada@okafor-ceramics.example", 20095, date(2026, 3, 1)]


def book(**sheets: list[list[Any]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def changed(blob: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """The same file with other bytes in one part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(blob)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            data = given.read(name)
            assert name != part or old in data
            made.writestr(name, data.replace(old, new, 1) if name == part else data)
    return out.getvalue()


def read(blob: bytes, **more: Any) -> FileOut:
    return read_import.run(FileIn(**more), blob)  # type: ignore[no-any-return]


# ----- what is none


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("blob", "said"),
    [
        (b"PK\x03\x04rest", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "password"),
        (archive(mimetype=b"application/vnd.oasis", **{"content.xml": b"<x/>"}), "OpenDocument"),
        (archive(**{"word/document.xml": b"<x/>", "[Content_Types].xml": b"<x/>"}), "no spreadsheet"),
        (archive(**{"xl/workbook.xml": b"<x/>", "[Content_Types].xml": b"<x/>"}), "cannot be read"),
        (book(Leer=[]), "no row"),
    ],
)
def test_what_is_no_spreadsheet_says_what_it_is(blob: bytes, said: str):
    with pytest.raises(BadInput, match=said):
        read(blob)


def test_declarations_are_refused():
    bomb = changed(book(A=[HEAD, ADA]), "xl/workbook.xml", b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook')
    with pytest.raises(BadInput, match="declarations"):
        read(bomb)


def test_two_cells_at_the_corners_cost_nothing():
    """A reader that lays out the rectangle between them needs 500 GB."""
    data = b'<row r="1048576"><c r="XFD1048576" t="n"><v>2</v></c></row></sheetData>'
    found = read(changed(book(A=[HEAD, ADA]), "xl/worksheets/sheet1.xml", b"</sheetData>", data))
    assert [row.cells[0] for row in found.rows] == ["Ada Okafor"]


def test_too_many_cells_and_columns_and_too_large_parts(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(BadInput, match="columns"):
        read(book(A=[[f"c{n}" for n in range(_sheets.WIDE + 1)]]))
    monkeypatch.setattr(_sheets, "CELLS", 20)
    with pytest.raises(BadInput, match="more than 20 cells"):
        read(book(A=[HEAD, *[ADA] * 10]))
    monkeypatch.setattr(_sheets, "STREAMED", 100)
    with pytest.raises(BadInput, match="too large"):
        read(book(A=[HEAD, ADA]))


def test_a_sheet_that_is_not_there():
    with pytest.raises(BadInput, match="There are: A, B"):
        read(book(A=[HEAD], B=[HEAD]), sheet="C")


# ----- what people keep


def test_values_as_a_person_would_type_them():
    (row,) = read(book(A=[HEAD, ADA])).rows
    assert row.cells == ["Ada Okafor", "ada@okafor-ceramics.example", "20095", "2026-03-01"]
    assert row.line == 2


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "1"),
        (1190.5, "1190.5"),
        (12.345, "12.3450"),
        (1e15, "1000000000000000"),
        (True, "yes"),
        (None, ""),
        ("#REF!", ""),
        (float("nan"), ""),
        (datetime(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 10, 30), "2026-03-01 10:30:00"),
    ],
)
def test_one_value(value: Any, said: str):
    assert _sheets.text(value) == said


def test_a_formula_gives_its_stored_value_and_is_never_calculated():
    cell = b'<c r="E2"><f>1+1</f><v>41</v></c></row></sheetData>'
    blob = changed(book(A=[[*HEAD, "Summe"], ADA]), "xl/worksheets/sheet1.xml", b"</row></sheetData>", cell)
    assert read(blob).rows[0].cells[4] == "41"
    assert read(book(A=[[*HEAD, "Summe"], [*ADA, "=1+1"]])).rows[0].cells[4] == ""


def test_the_first_sheet_with_rows_unless_one_is_chosen():
    blob = book(Deckblatt=[], Kunden=[HEAD, ADA], Alt=[["Name", "Ort"], ["Jonas", "Bremen"]])
    found = read(blob)
    assert (found.sheet, found.sheets, found.format) == ("Kunden", ["Deckblatt", "Kunden", "Alt"], "xlsx")
    assert read(blob, sheet="Alt").columns == ["Name", "Ort"]


def test_a_title_above_the_table_is_no_head():
    found = read(book(A=[["Meine Kunden 2026"], [], HEAD, ADA]))
    assert (found.columns, found.rows[0].line) == (HEAD, 4)


def test_it_is_known_by_its_first_bytes():
    assert kind_of(book(A=[HEAD])) == "xlsx"


async def test_it_is_read_in_the_limited_process():
    worker = Worker(memory=512 * 1024 * 1024)
    try:
        found = await worker.call("read_import", {}, book(A=[HEAD, ADA]), timeout=60.0)
    finally:
        worker.close()
    assert found["rows"] == [{"line": 2, "cells": ["Ada Okafor", "ada@okafor-ceramics.example", "20095", "2026-03-01"]}]
