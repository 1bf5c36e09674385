"""Files of each kind as text: what is read, what is refused, and that nothing raises or grows without bound."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soloist.engine.worker import Worker
from soloist.plugins.skills import _office, _pdf, _xmltree
from soloist.plugins.skills.read_document import read_document
from tests.plugins.skills.papers import UBL, packed, pdf

WORD = '<w:document xmlns:w="urn:w"><w:body><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:body></w:document>'
ODT = (
    '<o:document-content xmlns:o="urn:oasis:o" xmlns:text="urn:oasis:text"><o:body><o:text>'
    "<text:h>Titel</text:h><text:p>Ein Absatz</text:p></o:text></o:body></o:document-content>"
)


def read(blob, **value):
    return read_document.call(value, blob)


def test_columns_of_a_page_stand_side_by_side_in_layout():
    blob = pdf([(50, 800, "Betrag"), (300, 800, "119,00"), (50, 780, "Summe")])
    lines = read(blob, layout=True)["text"].split("\n")
    assert lines[0].split() == ["Betrag", "119,00"]
    assert "   " in lines[0].strip()
    assert lines[1].strip() == "Summe"


def test_pages_are_bounded_and_it_is_said():
    found = _pdf.read(pdf([(50, 800, "eins")]), layout=False, most_pages=0)
    assert found.truncated
    assert "Only the first 0 of 1 pages" in found.faults[0]


def test_attached_files_are_named():
    assert read(pdf([(50, 800, "x")], {"factur-x.xml": b"<a/>"}))["attached"] == ["factur-x.xml"]


def test_an_odt_is_read():
    found = read(packed({"content.xml": ODT}))
    assert (found["kind"], found["text"]) == ("odt", "Titel\nEin Absatz")


def test_a_deleted_word_is_not_read_from_a_docx():
    xml = WORD.format("stays</w:t><w:delText>gone</w:delText><w:t>")
    assert read(packed({"word/document.xml": xml}))["text"] == "stays"


def test_macros_are_named_and_not_run():
    found = read(packed({"word/document.xml": WORD.format("x"), "word/vbaProject.bin": b"x"}))
    assert found["faults"] == ["The file holds macros; they were not run."]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"word/document.xml": WORD.format("a" * 9_000_000)}, "unpacks from"),
        ({"word/document.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "declares"),
        ({"word/document.xml": "<a>" * 200}, "nested deeper"),
        ({"readme.txt": "x"}, "no text document"),
    ],
)
def test_a_bomb_or_a_lie_is_refused(parts, said):
    found = read(packed(parts))
    assert not found["readable"]
    assert said in found["faults"][0]


@pytest.mark.parametrize(
    "blob", [b"", b"\x89PNG\r\n\x1a\n\x00\x00", b"\xd0\xcf\x11\xe0 old", b"PK\x03\x04broken", b"%PDF-9 x"]
)
def test_what_is_not_read_says_why(blob):
    found = read(blob)
    assert (found["readable"], found["text"]) == (False, "")
    assert found["faults"][0].endswith(".")


def test_text_in_an_old_encoding_is_read():
    assert read("Grüße aus Köln".encode("cp1252"))["text"] == "Grüße aus Köln"


@given(st.binary(max_size=400), st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"\xff\xfe"]))
@settings(max_examples=150)
def test_any_bytes_are_read_without_raising(data, head):
    found = read(head + data)
    assert found["readable"] or found["faults"]
    assert all(0 <= part["start"] <= part["end"] <= len(found["text"]) for part in found["parts"])


@given(st.data())
@settings(max_examples=80)
def test_damaged_files_are_read_without_raising(data):
    whole = data.draw(st.sampled_from([packed({"word/document.xml": WORD.format("x")}), pdf([(50, 800, "eins")])]))
    at = data.draw(st.integers(0, len(whole) - 1))
    read(whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + data.draw(st.integers(0, 6)) :])


@given(st.binary(max_size=200).map(lambda data: b"<a>" + data + b"</a>"))
@settings(max_examples=100)
def test_a_tree_is_built_or_refused(data):
    try:
        name = _xmltree.parse(data).name
    except _xmltree.Refused as refused:
        name = str(refused)[-1]
    assert name in ("a", ".")


def test_a_workbook_names_its_missing_sheet():
    xml = '<workbook><sheets><sheet name="A" id="r1"/></sheets></workbook>'
    assert _office.read(packed({"xl/workbook.xml": xml})).faults == ["The sheet A is not in the file."]


async def test_the_limited_process_reads_a_pdf_and_its_xml():
    blob = pdf([(50, 800, "Rechnung RE-7")], {"factur-x.xml": UBL.format(iban="DE89370400440532013000").encode()})
    worker = Worker()
    try:
        text = await worker.call("read_document", {}, blob)
        invoice = await worker.call("read_invoice", {}, blob)
    finally:
        worker.close()
    assert text["text"].strip() == "Rechnung RE-7"
    assert invoice["invoice"]["gross"]["minor"] == 11900


def test_a_document_of_empty_paragraphs_is_read_quickly():
    xml = WORD.format("x")
    started = time.process_time()
    found = read(packed({"word/document.xml": xml.replace("</w:body>", "<w:p/>" * 60_000 + "</w:body>")}))
    assert found["text"] == "x"
    assert time.process_time() - started < 3
