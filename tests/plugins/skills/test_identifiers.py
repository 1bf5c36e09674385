"""Numbers, telephone numbers, due days and duplicates: found with verbatim places, checked, never raising."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soloist.plugins.skills import _papers, _terms
from soloist.plugins.skills.due_dates import due_dates
from soloist.plugins.skills.duplicates import duplicates
from soloist.plugins.skills.identifiers import identifiers
from soloist.plugins.skills.phones import phones

PIECES = st.sampled_from(
    ["DE89 3704 0044 0532 0130 00", "IBAN", "4111 1111 1111 1111", "+49 40 302010", "USt-IdNr.", "DE136695976",
     "net 30", "innerhalb 14 Tagen", "2 % Skonto", "zahlbar bis 31.12.2026", "1Z999AA10123456784", "\n",
     "BIC COBADEFFXXX", " ", "€", "12.03.2026", "1.234,56 EUR", "Mar 3, 2026", "00", "fin de mois"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map(" ".join))


def found(text):
    return identifiers.call({"text": text})["identifiers"]


@given(TEXTS)
@settings(max_examples=150)
def test_places_of_numbers_are_verbatim_and_never_a_whole_card(text):
    for one in found(text):
        span = one["span"]
        assert text[span["start"] : span["end"]] == span["text"] != ""
        assert one["kind"] != "card" or len(one["value"]) == 4


@given(TEXTS)
@settings(max_examples=100)
def test_places_of_telephone_numbers_and_terms_are_verbatim(text):
    told = [*phones.call({"text": text})["phones"], *due_dates.call({"text": text, "issued": "2026-03-05"})["terms"]]
    for one in told:
        assert text[one["span"]["start"] : one["span"]["end"]] == one["span"]["text"] != ""


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("BTW NL810433941B01", "vat", "NL810433941B01"),
        ("IBANNL50INGB0683251309", "iban", "NL50INGB0683251309"),
        ("UStId DE 232 446 240", "vat", "DE232446240"),
        ("CHE-116.281.710 MWST", "vat", "CHE116281710MWST"),
        ("Sendungsnummer: 00340434161094042557", "tracking", "00340434161094042557"),
        ("Order ID: OD304175096047380001", "order", "OD304175096047380001"),
    ],
)
def test_a_number_is_found(text, kind, value):
    assert [(one["kind"], one["value"]) for one in found(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text", ["RECHNUNG LIEFERUNG", "DE12", "4111 1111 1111 1112", "Order no: 12.03.2026", "1Z999AA10123456785"]
)
def test_what_only_looks_like_a_number_is_left(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("zahlbar innerhalb von zwei Wochen", "2026-03-19"),
        ("Zahlungsziel 1 Monat", "2026-04-05"),
        ("due on receipt", "2026-03-05"),
        ("payable within 14 days", "2026-03-19"),
        ("30 days EOM payment", "2026-04-30"),
        ("Règlement sous 45 jours", "2026-04-19"),
        ("paiement comptant", "2026-03-05"),
        ("Pago a 30 días", "2026-04-04"),
        ("Zahlbar bis 04.04.2026, 3% Skonto bis 15.03.2026", "2026-04-04"),
        ("Late payment: 9 % interest after 30 days", ""),
        ("offer valid 14 days", ""),
        ("bitte", ""),
    ],
)
def test_words_about_paying_become_days(text, day):
    assert due_dates.call({"text": text, "issued": "2026-03-05"})["due"] == day


def test_a_month_later_stays_in_the_month():
    (term,) = _terms.find("Zahlungsziel 1 Monat", date(2026, 1, 31))
    assert term.day == "2026-02-28"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("7. Mai 2014", "2014-05-07"),
        ("3 mars 2026", "2026-03-03"),
        ("August 3 , 2014", "2014-08-03"),
        ("1 de enero de 2026", "2026-01-01"),
        ("2026-02-30", ""),
    ],
)
def test_dates_of_papers(text, day):
    assert "".join(one.day.isoformat() for one in _papers.days(text)) == day


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1.234,56 €", 123456),
        ("$1,234.56", 123456),
        ("12,00-", -1200),
        ("-12.00", -1200),
        ("1 234,56 EUR", 123456),
        ("CHF 1'000.00", 100000),
        ("147 €", 14700),
    ],
)
def test_amounts_of_papers(text, minor):
    assert [one.minor for one in _papers.amounts(text)] == [minor]


@pytest.mark.parametrize("text", ["12.03.2026", "19 %", "Pos. 3", "10.000/2", "v1.23.4"])
def test_what_is_no_amount(text):
    assert list(_papers.amounts(text)) == []


def test_nothing_known_has_no_duplicates_and_itself_is_none():
    one = {"ref": "a", "fields": {"number": "1", "seller": "X", "gross": "5"}}
    assert duplicates.call({"kind": "invoice", "new": one})["matches"] == []
    assert duplicates.call({"kind": "invoice", "new": one, "known": [one]})["matches"] == []


@given(
    st.dictionaries(st.sampled_from(["number", "text", "name", "issued", "phone"]), st.text(max_size=20)),
    st.sampled_from(["invoice", "message", "person"]),
)
@settings(max_examples=100)
def test_any_fields_are_compared_without_raising(fields, kind):
    known = {"ref": "old", "fields": fields}
    matches = duplicates.call({"kind": kind, "new": {"ref": "new", "fields": fields}, "known": [known]})["matches"]
    assert all(item["relation"] == "same" for match in matches for item in match["evidence"])
