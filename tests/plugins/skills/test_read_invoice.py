"""Invoices from XML, from PDF with XML and from words: values with their places, checks, and the signs of fraud."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soloist.plugins.skills._invoice import minor
from soloist.plugins.skills.read_invoice import read_invoice
from tests.plugins.skills.papers import UBL, pdf

OURS = "DE89370400440532013000"
OTHER = "ES9121000418450200051332"
PAPER = [
    (50, 800, "Rechnung Nr. RE-7"),
    (50, 780, "Rechnungsdatum:"),
    (200, 780, "05.03.2026"),
    (50, 700, "Nettobetrag"),
    (300, 700, "100,00 EUR"),
    (50, 685, "MwSt. 19 %"),
    (300, 685, "19,00 EUR"),
    (50, 670, "Gesamtbetrag"),
    (300, 670, "119,00 EUR"),
]


def places(value: Any):
    """Every source in an output."""
    if isinstance(value, dict):
        if "said" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from places(part)


def verbatim(found: dict[str, Any]) -> bool:
    shown = [one for one in places(found) if one["where"] == "text"]
    return all(found["text"][one["start"] : one["end"]] == one["said"] != "" for one in shown)


def read(blob: bytes = b"", text: str = "") -> dict[str, Any]:
    return read_invoice.call({"text": text}, blob)


def test_the_xml_in_a_pdf_is_read_and_agrees_with_the_paper():
    found = read(pdf([*PAPER, (50, 100, f"IBAN {OURS}")], {"factur-x.xml": UBL.format(iban=OURS).encode()}))
    assert found["invoice"]["number"]["value"] == "RE-7"
    assert found["invoice"]["gross"]["minor"] == 11900
    assert found["conflicts"] == []
    assert all(check["passed"] for check in found["checks"])


def test_another_account_on_the_paper_than_in_the_data_is_said():
    found = read(pdf([*PAPER, (50, 100, f"IBAN {OTHER}")], {"factur-x.xml": UBL.format(iban=OURS).encode()}))
    assert [one["field"] for one in found["conflicts"]] == ["iban"]
    assert OTHER in found["conflicts"][0]["words"]
    assert OURS in found["conflicts"][0]["words"]
    assert verbatim(found)


def test_a_total_that_is_not_on_the_paper_is_said():
    xml = UBL.format(iban=OURS).replace("119.00", "911.00").encode()
    found = read(pdf(PAPER, {"factur-x.xml": xml}))
    assert [one["field"] for one in found["conflicts"]] == ["gross"]
    assert [check["name"] for check in found["checks"] if not check["passed"]] == ["gross"]


def test_the_due_day_of_terms_is_computed_and_says_so():
    due = read(UBL.format(iban=OURS).encode())["invoice"]["due"]
    assert (due["value"], due["computed"], due["source"]["said"]) == ("2026-03-19", True, "Zahlbar innerhalb 14 Tagen")


def test_wrong_check_digits_of_an_account_are_a_failed_check():
    found = read(UBL.format(iban="DE89370400440532013001").encode())
    assert [check["name"] for check in found["checks"] if not check["passed"]] == ["iban"]


def test_a_paper_without_xml_is_read_by_rules_with_verbatim_places():
    found = read(pdf([*PAPER, (50, 100, f"IBAN {OURS}")]))
    invoice = found["invoice"]
    assert (invoice["format"], invoice["number"]["value"], invoice["issued"]["value"]) == ("text", "RE-7", "2026-03-05")
    assert (invoice["net"]["minor"], invoice["tax"]["minor"], invoice["gross"]["minor"]) == (10000, 1900, 11900)
    assert invoice["accounts"][0]["iban"]["value"] == OURS
    assert verbatim(found)


def test_a_scan_is_called_a_scan():
    found = read(pdf([]))
    assert found["invoice"]["format"] == "none"
    assert "no text layer" in found["faults"][0]


@pytest.mark.parametrize(
    "blob",
    [
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Invoice>&x;</Invoice>',
        b"<Invoice>" * 3000,
        b"<Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'/>",
        b"<Invoice xmlns='urn:somebody:else'/>",
        b"<?xml version='1.0' encoding='nonsense'?><Invoice/>",
        b"%PDF-1.7 nothing behind",
        b"\x00\x01\x02",
        b"",
    ],
)
def test_what_cannot_be_read_says_why(blob):
    found = read(blob)
    assert found["invoice"]["format"] == "none"
    assert found["faults"][0].endswith(".")


def test_an_amount_finer_than_a_cent_is_no_amount():
    assert [minor("10.005", "EUR"), minor("10.50", "JPY"), minor("10", "JPY"), minor("1.234", "KWD")] == [
        None,
        None,
        10,
        1234,
    ]
    assert [minor(bad, "EUR") for bad in ("", "NaN", "Infinity", "1e99", "1,5", "x")] == [None] * 6


def test_a_date_that_can_be_read_in_two_ways_is_said():
    found = read(text="Invoice number: A-17\nInvoice date: 03/04/2026\nTotal: 12.00 EUR")
    assert "two ways" in found["faults"][0]
    assert found["invoice"]["issued"]["value"] == "2026-04-03"


def test_another_date_of_the_paper_tells_which_way():
    found = read(text="Invoice number: A-17\nInvoice date: 03/04/2026\nDue date: 03/25/2026\nTotal: $12.00")
    assert found["invoice"]["issued"]["value"] == "2026-03-04"
    assert found["faults"] == []


def test_a_reminder_is_no_invoice():
    text = "Zahlungserinnerung\nRechnungsnummer: RE-7\nRechnungsdatum: 05.03.2026\nOffener Betrag: 119,00 EUR"
    invoice = read(text=text)["invoice"]
    assert (invoice["kind"], invoice["payable"]["minor"]) == ("reminder", 11900)


WORDS = st.sampled_from(
    ["Rechnung", "Invoice no:", "19 %", "119,00 €", "100.00", "19.00", "05.03.2026", "2/3/26", "IBAN", OURS,
     "net 30", "Bill to:", "GmbH", "   ", "\n", "\t", "Total", "USt-IdNr. DE136695976", "zahlbar bis 31.02.2026", "-",
     "€"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=60).map(" ".join)))
@settings(max_examples=150)
def test_any_text_is_read_without_raising_and_places_are_verbatim(text):
    assert verbatim(read(text=text))


@given(st.binary(max_size=300), st.sampled_from([b"", b"%PDF-1.4\n", b"<?xml version='1.0'?>", b"<a>"]))
@settings(max_examples=150)
def test_any_bytes_are_read_without_raising(data, head):
    assert read(head + data)["invoice"]["format"] in ("none", "text")


@given(st.data())
@settings(max_examples=60)
def test_damaged_xml_and_pdf_are_read_without_raising(data):
    whole = data.draw(st.sampled_from([UBL.format(iban=OURS).encode(), pdf(PAPER, {"factur-x.xml": b"<x/>"})]))
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + data.draw(st.integers(0, 6)) :]
    assert verbatim(read(broken))


@pytest.mark.parametrize(
    "text",
    ["1234 " * 12_000, " " * 60_000 + "x", "\n" * 60_000, "a@b.c " * 10_000, "ABCDEFGH " * 6_600, "X GmbH\n" * 8_500,
     "a   b   1,00 €\n" * 4_000, "Menge   Preis   Betrag\nxxx   1   1,00\n" * 1_400, "a" * 60_000, "a · b · " * 7_500,
     "Total 119,00 EUR\nNetto 100,00\nMwSt 19,00\n" * 1_400, "innerhalb 14 Tagen 2 % Skonto zahlbar " * 1_500],
    ids=range(12),
)  # fmt: skip
def test_text_made_to_take_long_stays_quick(text):
    started = time.process_time()
    read(text=text)
    assert time.process_time() - started < 1.5
