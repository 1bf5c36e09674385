"""Exports of common programs by the headers they really have, with invented rows: nothing has to be chosen by hand."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from soloist.app import App
from soloist.flows import import_maps, import_values
from soloist.flows.importing import kinds_of
from soloist.kernel.kind import Kind
from soloist.plugins.skills.read_import import read_import

HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Last Activity Date (GMT+1),Lead Status,"
    "Marketing contact status,Create Date (GMT+1),Associated Company\n"
    "151,Ada,Okafor,ada@okafor-ceramics.example,+49 40 1234,Mara Linde,2026-01-02 10:00,OPEN,Non-marketing contact,"
    "2025-03-01 09:00,Okafor Ceramics\n"
)
PIPEDRIVE = (
    "Person - Name,Person - Label,Person - Organization,Person - Email - Work,Person - Email - Home,"
    "Person - Email - Other,Person - Phone - Work,Person - Phone - Home,Person - Phone - Mobile,Person - Phone - Other,"
    "Person - Closed deals,Person - Open deals,Person - Owner,Person - ID\n"
    "Ada Okafor,Customer,Okafor Ceramics,ada@okafor-ceramics.example,ada@home.example,,+49 40 1234,,+49 170 1,,0,1,"
    "Mara Linde,7\n"
)
GOOGLE = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,Name Prefix,"
    "Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,Photo,"
    "Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,"
    "Address 1 - Label,Address 1 - Formatted,Website 1 - Label,Website 1 - Value\n"
    "Ada,,Okafor,,,,,,,,Okafor Ceramics,Owner,,1985-02-03,Likes blue,,* myContacts ::: client,* Work,"
    'ada@okafor-ceramics.example,Home,ada@home.example,Mobile,+49 40 1234,Work,"Hafenweg 3\n20095 Hamburg",,\n'
)
OUTLOOK = (
    "First Name,Middle Name,Last Name,Title,Suffix,Nickname,Given Yomi,Surname Yomi,E-mail Address,E-mail 2 Address,"
    "E-mail 3 Address,Home Phone,Home Phone 2,Business Phone,Business Phone 2,Mobile Phone,Car Phone,Other Phone,"
    "Primary Phone,Pager,Business Fax,Home Fax,Other Fax,Job Title,Department,Company,Business Street,Business City,"
    "Business State,Business Postal Code,Business Country/Region,Web Page,Birthday,Notes\n"
    "Ada,,Okafor,,,,,,ada@okafor-ceramics.example,ada@home.example,,,,+49 40 1234,,,,,,,+49 40 99,,,Owner,,"
    "Okafor Ceramics,Hafenweg 3,Hamburg,,20095,Germany,okafor-ceramics.example,0/0/00,\n"
)
LEXOFFICE = (
    "Kundennummer;Firmenname;Anrede;Vorname;Nachname;Straße 1;PLZ 1;Ort 1;Land 1;Telefon 1;E-Mail 1\n"
    "10001;Okafor Ceramics;Frau;Ada;Okafor;Hafenweg 3;20095;Hamburg;DE;+49 40 1234;ada@okafor-ceramics.example\n"
    "10002;Brandt Physiotherapie;;;;Weg 1;20095;Hamburg;DE;;praxis@brandt-physio.example\n"
)
SEVDESK = (
    "Kunden-Nr.;Anrede;Titel;Nachname;Vorname;Organisation;Namenszusatz;Position;Kategorie;IBAN;BIC;Umsatzsteuer-ID;"
    "Strasse;PLZ;Ort;Land;Adress-Kategorie;Telefon;Telefon-Kategorie;Mobil;Fax;E-Mail;E-Mail-Kategorie;Webseite;"
    "Webseiten-Kategorie;Beschreibung;Geburtstag;Tags;Debitoren/Kreditoren-Nr.\n"
    "1001;Frau;;Okafor;Ada;Okafor Ceramics;;Owner;Kunde;;;;Hafenweg 3;20095;Hamburg;Deutschland;Arbeit;+49 40 1234;"
    "Arbeit;;+49 40 99;ada@okafor-ceramics.example;Arbeit;;;;03.02.1985;;10001\n"
    "1000;;;;;Brandt Physiotherapie;;;Kunde;;;DE123456788;Weg 1;20095;Hamburg;Deutschland;;;;;;;;;;;;;\n"
)
APPLE = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//macOS 14.4//EN\r\nN:Okafor;Ada;;;\r\nFN:Ada Okafor\r\n"
    "ORG:Okafor Ceramics;\r\nEMAIL;type=INTERNET;type=WORK;type=pref:ada@okafor-ceramics.example\r\n"
    "item1.EMAIL;type=INTERNET:ada@home.example\r\nitem1.X-ABLabel:_$!<Other>!$_\r\n"
    "TEL;type=CELL;type=VOICE:+49 40 1234\r\n"
    "TEL;type=WORK;type=FAX:+49 40 99\r\nPHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\r\n SkZJRg==\r\nEND:VCARD\r\n"
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:;;;;\r\nFN:Brandt Physiotherapie\r\nORG:Brandt Physiotherapie;\r\n"
    "X-ABShowAs:COMPANY\r\nEND:VCARD\r\n"
)
CARD4 = (
    "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada Okafor\r\nN:Okafor;Ada;;;\r\nORG:Okafor Ceramics\r\n"
    "EMAIL;PREF=1;TYPE=work:ada@okafor-ceramics.example\r\nEMAIL;TYPE=home:ada@home.example\r\n"
    'TEL;VALUE=uri;TYPE="voice,work":tel:+49-40-1234\r\nEND:VCARD\r\n'
    "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:org\r\nFN:Brandt Physiotherapie\r\nEND:VCARD\r\n"
)
SOURCES = {
    "HubSpot contacts": HUBSPOT,
    "Pipedrive people": PIPEDRIVE,
    "Google Contacts": GOOGLE,
    "Outlook contacts": OUTLOOK,
    "Lexware Office (lexoffice) contacts": LEXOFFICE,
    "sevDesk contacts": SEVDESK,
    "vCard": APPLE,
    "vCard of version 4": CARD4,
}


@pytest.fixture
def kinds(app: App) -> dict[str, Kind]:
    return app.store.read_now(kinds_of)


def bodies(text: str, kinds: dict[str, Kind]) -> tuple[str, list[tuple[Kind, import_values.Read]]]:
    """The source a file seems to be from, and its rows as fields."""
    found = read_import.call({}, text.encode())
    guess = import_maps.guess(found["columns"], found["format"], kinds)
    terms = import_values.Terms(ZoneInfo("Europe/Berlin"), heads=tuple(found["columns"]))
    rows = []
    for row in found["rows"]:
        kind, read = kinds[guess.kind], import_values.read(kinds[guess.kind], guess.columns, row["cells"], terms)
        other = import_values.as_company(read, kinds["company"]) if guess.kind == "person" else None
        rows.append((kinds["company"], other) if other else (kind, read))
    return guess.source, rows


@pytest.mark.parametrize("name", SOURCES)
def test_its_people_are_understood_without_asking(name: str, kinds: dict[str, Kind]):
    source, rows = bodies(SOURCES[name], kinds)
    kind, ada = rows[0]
    assert source == name.removesuffix(" of version 4")
    assert (kind.name, ada.body["name"], ada.body["company_name"]) == ("person", "Ada Okafor", "Okafor Ceramics")
    assert ada.body["emails"][0] == "ada@okafor-ceramics.example"
    assert ada.body["phones"][0].replace("-", " ") == "+49 40 1234"
    assert "+49 40 99" not in ada.body["phones"]


@pytest.mark.parametrize(
    "name", ["Pipedrive people", "Google Contacts", "Outlook contacts", "vCard", "vCard of version 4"]
)
def test_every_address_of_a_person_is_taken(name: str, kinds: dict[str, Kind]):
    _, rows = bodies(SOURCES[name], kinds)
    assert rows[0][1].body["emails"] == ["ada@okafor-ceramics.example", "ada@home.example"]


@pytest.mark.parametrize(
    "name", ["Lexware Office (lexoffice) contacts", "sevDesk contacts", "vCard", "vCard of version 4"]
)
def test_a_row_that_names_only_a_company_is_one(name: str, kinds: dict[str, Kind]):
    _, rows = bodies(SOURCES[name], kinds)
    kind, brandt = rows[1]
    assert (kind.name, brandt.body["name"]) == ("company", "Brandt Physiotherapie")


def test_what_has_no_field_stands_in_the_note_with_its_name(kinds: dict[str, Kind]):
    _, rows = bodies(SEVDESK, kinds)
    assert rows[1][1].body["note"] == "Kunden-Nr.: 1000\nUmsatzsteuer-ID: DE123456788"


@pytest.mark.parametrize(
    ("text", "source", "kind", "body"),
    [
        (
            "Record ID,Company name,Company owner,Create Date,Phone Number,City,Country/Region,Industry\n"
            "9,Okafor Ceramics,Mara Linde,2025-01-01,+49 40 1,Hamburg,Germany,Crafts\n",
            "HubSpot companies",
            "company",
            {"name": "Okafor Ceramics", "phones": ["+49 40 1"], "address": "Hamburg, Germany", "industry": "Crafts"},
        ),
        (
            "Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount\n"
            "4,New website,Proposal,2026-05-01,Mara,1200\n",
            "HubSpot deals",
            "lead",
            {"subject": "New website", "value": {"minor": 120000, "currency": "EUR"}},
        ),
        (
            "Organization - Name,Organization - Label,Organization - Address,Organization - People,Organization - ID\n"
            "Okafor Ceramics,,Hafenweg 3,1,12\n",
            "Pipedrive organizations",
            "company",
            {"name": "Okafor Ceramics", "address": "Hafenweg 3"},
        ),
    ],
)
def test_companies_and_deals(text: str, source: str, kind: str, body: dict[str, Any], kinds: dict[str, Kind]):
    found, rows = bodies(text, kinds)
    assert (found, rows[0][0].name) == (source, kind)
    assert rows[0][1].body == body
