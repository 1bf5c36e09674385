"""Files from elsewhere in the worker: whatever the bytes are, rows or a plain sentence come out."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from soloist.kernel.errors import BadInput
from soloist.plugins.skills import _cards, _tables, read_import
from soloist.sdk import calendars

BLOBS = st.binary(max_size=400)
WINDOW = {"start": "2026-01-01T00:00:00Z", "end": "2026-12-31T00:00:00Z", "zone": "Europe/Berlin"}
CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00\r\n"), max_size=12)


def read(data: bytes, **given_: str) -> dict:
    return read_import.read_import.call(given_, data)


@given(BLOBS)
@example(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n")
@example(b'"\n' * 300)
@example(b"\xff\xfe\x00")
@example(b"BEGIN:VCARD\nEND:VCARD\n" * 2)
@rules(max_examples=150)
def test_any_bytes_give_rows_or_a_sentence(data: bytes):
    for kind in ("", "csv", "vcard", "ics"):
        found = tried(data, kind)
        assert all(len(row["cells"]) == len(found["columns"]) for row in found["rows"])
        assert all(fault["why"] for fault in found["faults"])


def tried(data: bytes, kind: str) -> dict:
    """What was read; nothing for a file that was refused in a sentence."""
    try:
        return read(data, format=kind)
    except BadInput as error:
        said = error.detail
    assert said.endswith("Nothing was taken over.")
    return {"rows": [], "columns": [], "faults": []}


@given(st.text(max_size=300))
@rules(max_examples=80)
def test_any_event_gives_events_or_says_why(text: str):
    body = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    found = read_import.read_event.call(WINDOW, body.encode("utf-8", "replace"))
    assert found["events"] or found["faults"]


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from(",;\t|"))
@rules(max_examples=80)
def test_a_table_comes_out_as_it_was_written(rows: list[list[str]], delimiter: str):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["First name", "Last name", "Note"])
    writer.writerows(rows)
    found = read(out.getvalue().encode(), delimiter=delimiter)
    assert found["faults"] == []
    wanted = [[cell.strip() for cell in row] for row in rows]
    assert [row["cells"] for row in found["rows"]] == [row for row in wanted if any(row)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp850"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_common_encodings_and_delimiters_are_found(encoding: str, delimiter: str):
    names = ["Jürgen Müller", "Zoë Groß", "André Béranger", "Anna Schäfer", "Köln"]
    lines = [delimiter.join(("Name", "Ort", "Land"))] + [delimiter.join((name, "Köln", "DE")) for name in names]
    found = read("\r\n".join(lines).encode(encoding))
    assert found["delimiter"] == delimiter
    assert [row["cells"][0] for row in found["rows"]] == names


def test_a_quote_that_is_never_closed_costs_one_line():
    lines = ['"open,x', *(f"name {n},{n}" for n in range(500))]
    found = read("\n".join(["Name,N", *lines]).encode())
    assert (len(found["rows"]), found["faults"][0]["raw"]) == (500, '"open,x')


def test_a_cell_with_many_lines_is_one_cell():
    found = read(b'Name,Note\nAda,"one\ntwo\n\nthree"\nJonas,x\n')
    assert [(row["line"], row["cells"][1]) for row in found["rows"]] == [(2, "one\ntwo\n\nthree"), (6, "x")]


def test_heads_without_a_name_or_twice_the_same_are_told_apart():
    found = read(b"Mail;Mail;;Ort\na;b;c;d\n")
    assert found["columns"] == ["Mail", "Mail (2)", "Column 3", "Ort"]


def test_a_table_without_heads_keeps_its_first_row():
    found = read(b"Ada,ada@okafor-ceramics.example\nJonas,jonas@brandt-physio.example\n")
    assert (found["columns"], len(found["rows"])) == (["Column 1", "Column 2"], 2)


def test_the_line_that_spreadsheets_put_first_is_obeyed():
    assert read(b"sep=|\nA|B\n1|2\n")["rows"] == [{"line": 3, "cells": ["1", "2"]}]


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_cards_with_every_line_end(ends: str):
    text = ends.join(["BEGIN:VCARD", "VERSION:3.0", "FN:Ada", "EMAIL:a@b.example", "END:VCARD", ""])
    ((line, found, why, _raw),) = _cards.cards(text)
    assert (line, found["name"], why) == (1, "Ada", "")


def test_a_card_without_an_end_costs_its_neighbours_nothing():
    text = "BEGIN:VCARD\nFN:Broken\nBEGIN:VCARD\nFN:Ada\nEND:VCARD\n"
    assert [(why, found.get("name")) for _, found, why, _ in _cards.cards(text)] == [
        ("The card has no end.", None),
        ("", "Ada"),
    ]


def test_a_fax_is_no_phone_and_an_escaped_comma_is_a_comma():
    found = _cards.card("FN:Ada\nTEL;TYPE=FAX:1\nTEL:2\nNOTE:a\\, b\\;c\nCATEGORIES:one,two\\, three")
    assert (found["phone"], found["note"], found["tags"]) == ("2", "a, b;c", "one, two, three")


def test_thousands_of_cards_do_not_take_long():
    text = "BEGIN:VCARD\nFN:Ada\nEND:VCARD\n" * 5000
    assert sum(1 for _ in _cards.cards(text)) == 5000


def test_too_many_events_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(calendars, "MOST_OBJECTS", 2)
    events = "".join(f"BEGIN:VEVENT\nUID:{n}\nEND:VEVENT\n" for n in range(4))
    with pytest.raises(BadInput, match="more than 2 events"):
        read(f"BEGIN:VCALENDAR\n{events}END:VCALENDAR\n".encode())


def test_too_many_rows_are_refused():
    with pytest.raises(ValueError, match="more than 3 rows"):
        _tables.read(b"A,B\n" + b"1,2\n" * 10, most=3)
