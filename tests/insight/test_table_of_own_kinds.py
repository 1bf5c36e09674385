"""Tables of the operator's own kinds and fields: what the page shows is what the CSV holds, and no cell calculates."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import kinds
from soloist.engine.store import records as rows
from soloist.flows import usable
from soloist.insight import records
from soloist.kernel.kind import Field, Kind

FIELDS = {
    "name": Field("name"),
    "rent": Field("rent", "money", label="Rent a month"),
    "rooms": Field("rooms", "number"),
    "seen_on": Field("seen_on", "date"),
    "owner_of_it": Field("owner_of_it", "record", to=("person",)),
    "remark": Field("remark", "long_text"),
    "tags": Field("tags", "list", of="text"),
}
PROPERTY = Kind("property", fields=FIELDS, custom=True)
HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(1)", "\t=1", "＝1+1", 'a";=1;"', "Hof\n=1"]


@pytest.fixture
def own(app: App) -> App:
    known = app.store.read_now(lambda conn: kinds.everything(conn))
    size = Field("shoe_size", "number", custom=True)
    wider = [replace(one, fields={**one.fields, "shoe_size": size}) if one.name == "person" else one for one in known]

    def work(tx: Any) -> None:
        kinds.declare(tx, [*wider, PROPERTY])
        for n, name in enumerate(HOSTILE):
            body = {"name": name, "rent": {"minor": 95000 + n, "currency": "EUR"}, "rooms": n, "tags": [name, "quiet"]}
            rows.create(tx, "property", name, body, why="test")
        rows.create(tx, "person", "Ada", {"name": "Ada", "shoe_size": 38}, why="test")

    app.store.write_now(work)
    return app


def parsed(app: App, kind: str, separator: str = ",") -> list[list[str]]:
    text = app.store.read_now(lambda conn: "".join(records.csv_pieces(conn, kind, separator=separator)))
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator))


@pytest.mark.parametrize("separator", [",", ";"])
def test_the_csv_of_an_own_kind_equals_its_table(own: App, separator: str):
    page = own.store.read_now(lambda conn: records.page(conn, kind="property"))
    found = parsed(own, "property", separator)
    assert found[0] == ["Name", "State", "Rent a month", "Rooms", "Seen on", "Tags", "Changed"]
    assert [[cell.removeprefix("'") for cell in row[:-1]] for row in found[1:]] == [
        list(row.cells) for row in page.rows
    ]
    assert "Rent a month" in page.totals


def test_a_field_added_to_a_shipped_kind_is_a_column(own: App):
    assert parsed(own, "person")[0][-2:] == ["Shoe size", "Changed"]
    assert parsed(own, "person")[1][-2] == "38"


def test_no_cell_begins_as_a_formula(own: App):
    cells = [cell for row in parsed(own, "property") for cell in row]
    whole = own.store.read_now(lambda conn: rows.listed(conn, "property", before=None, limit=50))
    text = b"".join(usable.csv_lines(PROPERTY, whole)).decode("utf-8-sig")
    cells += [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    beginning = [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@", "＝")]
    assert set(beginning) <= {"+1"}  # a number
    assert 'a";=1;"' in cells


def test_the_whole_export_holds_every_field(own: App):
    whole = own.store.read_now(lambda conn: rows.listed(conn, "property", before=None, limit=50))
    text = b"".join(usable.csv_lines(PROPERTY, whole)).decode("utf-8-sig")
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert set(FIELDS) < set(table[0])
    assert {row["rent"] for row in table} == {f"950.{n:02} EUR" for n in range(len(HOSTILE))}
