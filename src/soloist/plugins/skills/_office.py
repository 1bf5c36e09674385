"""Text of office files (DOCX, ODT, XLSX) out of their zip, with bounds on size and ratio; it runs no macro."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from soloist.plugins.skills import _xmltree
from soloist.plugins.skills._xmltree import Element

MOST_UNPACKED = 80_000_000
MOST_RATIO = 200
MOST_PARTS = 5_000
MOST_CELLS = 400_000
_BROKEN = (NotImplementedError, RuntimeError, EOFError, OSError, ValueError, KeyError, zlib.error, struct.error)
"""What zipfile raises for a damaged or locked archive."""
_DATE_FORMATS = {*range(14, 23), *range(45, 48)}
_WORD_BREAKS = {"p", "tr", "h", "table-row", "br", "line-break", "cr"}


class Unfit(ValueError):
    """The file cannot be read; its words say why."""


@dataclass
class Sheets:
    """Named texts: one for a text document, one for each sheet of a workbook."""

    kind: str
    texts: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read(blob: bytes) -> Sheets:
    """The text of an office file. Unfit for anything else, a locked file, and what unpacks to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as packed:
            names = _checked(packed, len(blob))
            if "word/document.xml" in names:
                return Sheets("docx", [("", _flow(_part(packed, "word/document.xml")))], _macros(names))
            if "xl/workbook.xml" in names:
                return _workbook(packed, names)
            if "content.xml" in names:
                body = _part(packed, "content.xml")
                sheets = body.every("body/spreadsheet/table")
                if sheets:
                    found = [(one.attributes.get("name", ""), _ods(one)) for one in sheets[:200]]
                    return Sheets("ods", found, _macros(names))
                return Sheets("odt", [("", _flow(body))], _macros(names))
    except zipfile.BadZipFile as error:
        raise Unfit(f"The file is broken ({str(error)[:80]}).") from error
    except _xmltree.Refused as error:
        raise Unfit(str(error)) from error
    except Unfit:
        raise
    except _BROKEN as error:
        raise Unfit(f"The file is locked or packed in a way that is not read ({str(error)[:80]}).") from error
    raise Unfit("The archive holds no text document and no workbook that is known here.")


def _checked(packed: zipfile.ZipFile, size: int) -> set[str]:
    """The names of the parts; Unfit when there are too many or they unpack to too much."""
    parts = packed.infolist()
    unpacked = sum(one.file_size for one in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or unpacked > max(size, 10_000) * MOST_RATIO:
        raise Unfit(f"The file unpacks from {size} to {unpacked} bytes in {len(parts)} parts; that is not read.")
    return {one.filename for one in parts}


def _macros(names: set[str]) -> list[str]:
    held = any(name.endswith("vbaProject.bin") or name.startswith("Basic/") for name in names)
    return ["The file holds macros; they were not run."] if held else []


def _part(packed: zipfile.ZipFile, name: str) -> Element:
    """One part as a tree; what it says of its size is not believed."""
    with packed.open(name) as stream:
        data = stream.read(_xmltree.MOST_BYTES + 1)
    return _xmltree.parse(data)


def _flow(root: Element) -> str:
    """The text of a word processor's body: paragraphs as lines, cells of a table three blanks apart."""
    parts: list[str] = []

    def walk(one: Element) -> None:
        if one.name in ("t", "span", "a") or (one.name in ("p", "h") and "text" in one.space):
            parts.append(one.text)
        elif one.name in ("tab", "s"):
            parts.append("   " if one.name == "tab" else " ")
        elif one.name in ("delText", "instrText", "tracked-changes", "annotation", "annotation-end"):
            return
        for child in one.children:
            walk(child)
        if one.name in ("tc", "table-cell"):
            parts.append("   ")
        elif one.name in _WORD_BREAKS:
            parts.append("\n")

    walk(root)
    lines = [line.rstrip() for line in re.sub(r"\n(?=   )", "", "".join(parts)).split("\n")]
    kept = [line for before, line in zip(["", *lines], lines, strict=False) if line or before]
    return "\n".join(kept).strip()


def _workbook(packed: zipfile.ZipFile, names: set[str]) -> Sheets:
    """Every sheet as lines of cells with tabs between."""
    shared = []
    if "xl/sharedStrings.xml" in names:
        shared = [_runs(one) for one in _part(packed, "xl/sharedStrings.xml").every("si")]
    dated = _dated(packed, names)
    rooms = {}
    if "xl/_rels/workbook.xml.rels" in names:
        for one in _part(packed, "xl/_rels/workbook.xml.rels").every("Relationship"):
            rooms[one.attributes.get("Id", "")] = "xl/" + one.attributes.get("Target", "").removeprefix("/xl/")
    found = Sheets("xlsx", faults=_macros(names))
    left = MOST_CELLS
    for index, sheet in enumerate(_part(packed, "xl/workbook.xml").every("sheets/sheet")[:200], 1):
        name = rooms.get(sheet.attributes.get("id", ""), f"xl/worksheets/sheet{index}.xml")
        if name not in names:
            found.faults.append(f"The sheet {sheet.attributes.get('name', '')} is not in the file.")
            continue
        rows = []
        for row in _part(packed, name).every("sheetData/row"):
            cells = row.every("c")
            left -= len(cells)
            if left < 0:
                found.faults.append(f"Only the first {MOST_CELLS} cells were read.")
                break
            rows.append(_row(cells, shared, dated))
        found.texts.append((sheet.attributes.get("name", ""), "\n".join(rows).rstrip()))
        if left < 0:
            break
    return found


def _row(cells: list[Element], shared: list[str], dated: set[int]) -> str:
    values: list[str] = []
    for cell in cells:
        letters = re.match(r"[A-Z]{1,3}", cell.attributes.get("r", ""))
        column = 0
        for letter in letters[0] if letters else "":
            column = column * 26 + ord(letter) - 64
        values += [""] * min(200, max(0, column - 1 - len(values)))
        values.append(_cell(cell, shared, dated))
    return "\t".join(values).rstrip()


def _cell(cell: Element, shared: list[str], dated: set[int]) -> str:
    kind, value = cell.attributes.get("t", "n"), cell.value("v")
    if kind == "inlineStr":
        return " ".join(_runs(one) for one in cell.every("is"))
    if kind == "s":
        return shared[int(value)] if value.isdigit() and int(value) < len(shared) else ""
    if kind == "n" and int(cell.attributes.get("s", "0") or 0) in dated and re.fullmatch(r"\d{1,6}(?:\.\d+)?", value):
        day = datetime(1899, 12, 30) + timedelta(days=float(value))
        return day.strftime("%Y-%m-%d" if float(value).is_integer() else "%Y-%m-%d %H:%M")
    return {"1": "yes", "0": "no"}.get(value, value) if kind == "b" else value


def _runs(one: Element) -> str:
    """The text of a string that may have several formats."""
    direct = one.value("t")
    return direct or "".join(run.text for run in one.every("r/t"))


def _dated(packed: zipfile.ZipFile, names: set[str]) -> set[int]:
    """The styles that show a number as a date."""
    if "xl/styles.xml" not in names:
        return set()
    styles = _part(packed, "xl/styles.xml")
    own = set()
    for one in styles.every("numFmts/numFmt"):
        code = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", one.attributes.get("formatCode", ""))
        if re.search(r"[dyDY]", code) and one.attributes.get("numFmtId", "").isdigit():
            own.add(int(one.attributes["numFmtId"]))
    ids = [one.attributes.get("numFmtId", "0") for one in styles.every("cellXfs/xf")]
    return {index for index, one in enumerate(ids) if one.isdigit() and int(one) in _DATE_FORMATS | own}


def _ods(sheet: Element) -> str:
    """A sheet of an ODS workbook as lines with tabs between."""
    lines = []
    for row in sheet.every("table-row")[:20_000]:
        values = [" ".join(_flow(child) for child in cell.children) for cell in row.every("table-cell")]
        lines.append("\t".join(values).rstrip())
    return "\n".join(lines).rstrip()
