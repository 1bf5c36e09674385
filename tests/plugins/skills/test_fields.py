"""Name, company, telephone, budget and dates of whole messages, as people write them in four languages."""

from __future__ import annotations

from datetime import date

import pytest

from soloist.plugins.skills._dates import find_dates
from soloist.plugins.skills._money import find_budgets
from soloist.plugins.skills._numerals import sums
from soloist.plugins.skills._signature import Sender
from soloist.plugins.skills.understand import understand

NOW = {"now": "2026-11-20T09:30:00+01:00", "timezone": "Europe/Berlin"}


def contact(text: str, name: str = "", address: str = "") -> dict:
    return understand.call({"text": text, "sender_name": name, "sender_address": address, **NOW})["contact"]


SIGNED = [
    ("Hi, I need a site.\n\nRuth Ade\nChair, Harbour Market", " <post@harbour.example>", "Ruth Ade / Harbour Market"),
    (
        "Hallo\n\nNils Petersen, Petersen Segelschule",
        "Nils Petersen <n@x.example>",
        "Nils Petersen / Petersen Segelschule",
    ),
    (
        "Angebot\n\nMia Dietz\nDruckerei Kolbe",
        "Druckerei Kolbe <angebote@kolbe.example>",
        "Mia Dietz / Druckerei Kolbe",
    ),
    ("Your invoice is attached.", "Cloudnest Hosting <billing@cloudnest.example>", " / Cloudnest Hosting"),
    ("Wir sind Rentner und suchen Hilfe.", "Renate Busch <r@brief.example>", "Renate Busch / "),
    ("I make pots (Fernhill Pottery).\nBen", "Ben <ben@fernhill.example>", "Ben / Fernhill Pottery"),
    ("Un devis ?\n\nMe Isabelle Morel\nMorel Avocats, Nantes", " <a@morel.example>", "Isabelle Morel / Morel Avocats"),
    ("Danke\nDr. Eva Klein\nPraxis am See", "Dr. Eva Klein <praxis@klein.example>", "Dr. Eva Klein / Praxis am See"),
    ("Nom : Roi\nPrénom : Hugo\nSociété : Roi SA\nDemande : un site", "Formulaire <f@x.example>", "Hugo Roi / Roi SA"),
]


@pytest.mark.parametrize(("text", "sender", "signed"), SIGNED)
def test_who_writes_and_for_whom(text, sender, signed):
    name, _, address = sender.rstrip(">").partition(" <")
    found = contact(text, name, address)
    assert f"{found['name']} / {found['company']}" == signed


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Call +44 7700 900142", ["+447700900142"]),  # only possible, as numbers in films are
        ("Bonjour, voici mon numéro pour le devis : 06 12 34 56 78", ["+33612345678"]),
        ("Hola, necesito una página web, mi teléfono es 612 345 678", ["+34612345678"]),
        ("0655 501042 (from abroad +49 655 501042)", ["+49655501042"]),
        ("Guten Tag\nTel: 040 555 01 77\nFax: 040 555 01 78", ["+49405550177"]),
        ("Invoice no. 2026-118 of 18.12.2026 over 4.055,00 EUR", []),
    ],
)
def test_telephones(text, numbers):
    assert [phone["e164"] for phone in contact(text)["phones"]] == numbers


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("The board has approved four thousand five hundred euros.", 4500, 4500),
        ("Ich habe etwa tausendfünfhundert Euro dafür zurückgelegt.", 1500, 1500),
        ("Dix mille euros sont prévus pour l'ensemble.", 10000, 10000),
        ("La junta ha aprobado cinco mil quinientos euros.", 5500, 5500),
        ("around 2k. start january.", 2000, 2000),
        ("Somewhere between 1,800 and 2,200 euros for photography.", 1800, 2200),
        ("Mehr als 400 Euro möchten wir nicht ausgeben.", 400, 400),
        ("Nous ne voudrions pas dépasser 900 euros.", 900, 900),
        ("De dinero, de 2.000 a 3.000 euros.", 2000, 3000),
        ("Preislich dachten wir an 5 bis 6 Tausend Euro.", 5000, 6000),
        ("Budgetrahmen: max. EUR 1.200,00 zzgl. MwSt.", 1200, 1200),
    ],
)
def test_sums_that_can_be_spent(text, low, high):
    (found,) = find_budgets(text, "EUR")
    assert (found.low.minor, found.high.minor) == (low * 100, high * 100)


@pytest.mark.parametrize(
    "text",
    [
        "Die Rechnung über 1.190,00 EUR habe ich am 12.11. überwiesen.",
        "Phone: +44 7700 900811\nBudget: to be agreed",
        "We offer business loans between 10,000 and 500,000 EUR.",
        "I paid two thousand euros for the last one, have the invoice here.",
    ],
)
def test_other_sums(text):
    assert find_budgets(text, "EUR") == []


def test_numbers_in_words_need_a_currency():
    assert list(sums("two thousand people and nine hundred chairs")) == []


@pytest.mark.parametrize(
    ("text", "language", "days"),
    [
        ("We marry on Saturday, 12 June 2027.", "en", ["2027-06-12"]),
        ("am Dienstag, den 8. Dezember, um 11 Uhr", "de", ["2026-12-08"]),
        ("Our Monday class begins on 7 December.", "en", ["2026-12-07"]),
        ("on ouvre aussi le lundi", "fr", []),
        ("los martes o jueves por la tarde", "es", []),
        ("Can you call on Tuesday afternoon?", "en", ["2026-11-24"]),
        ("Unser Rahmen liegt bei 5.000 EUR. Anfang März sollte alles stehen.", "de", ["2027-03-01"]),
        ("wird im Mai 25 Jahre alt", "de", ["2027-05-01"]),
        ("Liefertermin: 50. KW", "de", ["2026-12-07"]),
        ("tendría que ser el 30/04", "es", ["2027-04-30"]),
    ],
)
def test_days(text, language, days):
    assert [found.day for found in find_dates(text, date(2026, 11, 20), language)] == days


@pytest.mark.parametrize(
    ("name", "address", "company"),
    [
        ("Hetzel Paper", "accounts@hetzel-paper.example", True),
        ("Weber GmbH - Einkauf", "einkauf@weber-gmbh.example", True),
        ("Hannah Whitlock", "hannah@whitlock-gardens.example", False),
        ("Peter Hartwig", "info@hartwig.example", False),
        ("", "", False),
    ],
)
def test_a_display_name_is_a_company_or_a_person(name, address, company):
    assert Sender(name, address).is_company is company
