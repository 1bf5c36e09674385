"""Invoices that arrive with real mail are read, entered once, and doubtful accounts go to the operator."""

from __future__ import annotations

import json
from email.message import EmailMessage
from typing import Any

from tests.flows.conftest import House, Open, mail
from tests.plugins.skills.papers import UBL

IBAN, OTHER = "DE89 3704 0044 0532 0130 00", "DE02 1203 0000 0000 2020 51"
PAPER = """Papier Voss GmbH - Speicherstadt 4 - 20457 Hamburg
Studio Linde
Mara Linde

Rechnung

Rechnungsnummer:   {number}
Rechnungsdatum:    05.11.2026

Pos.   Bezeichnung                Menge   Preis      Betrag
1      Karton, 300 g, A3          20      {price} €     {net} €

Nettobetrag                                          {net} €
zzgl. 19 % MwSt.                                      {tax} €
Gesamtbetrag                                         {gross} €

Zahlbar innerhalb von 14 Tagen ohne Abzug.
Papier Voss GmbH   IBAN {iban}   USt-IdNr. DE136695976
"""
SUMS = {"price": "5,00", "net": "100,00", "tax": "19,00", "gross": "119,00"}


def paper(number: str = "RE-2026-0117", iban: str = IBAN, **sums: str) -> str:
    return PAPER.format(number=number, iban=iban, **{**SUMS, **sums})


def invoice(
    text: str = "", *, ident: str = "v1@papier-voss.example", name: str = "Rechnung.txt", body: str = "", **more: str
) -> EmailMessage:
    """A mail of the paper mill with its invoice as a file."""
    told = {"sender": "Papier Voss <rechnung@papier-voss.example>", "subject": "Ihre Rechnung RE-2026-0117", **more}
    message = mail(body or "Guten Tag,\n\nanbei erhalten Sie unsere Rechnung.\n\nPapier Voss\n", ident=ident, **told)
    message.add_attachment((text or paper()).encode(), maintype="text", subtype="plain", filename=name)
    return message


def bills(home: House) -> list[dict[str, Any]]:
    return home.rows("records", kind="invoice")


async def test_an_invoice_is_entered_once_with_the_place_of_each_value(house: Open):
    home = await house()
    run = await home.take_in(invoice())
    assert run["state"] == "done", run["error"]
    (bill,) = bills(home)
    body = bill["body"]
    assert (bill["state"], body["direction"], body["number"]) == ("received", "received", "RE-2026-0117")
    assert (body["amount"], body["due"]) == ({"minor": 11900, "currency": "EUR"}, "2026-11-19")
    assert body["read"]["amount"]["said"] == "119,00 €"
    assert body["read"]["due"]["computed"]
    assert {check["name"] for check in body["checks"] if check["passed"]} >= {"iban", "seller vat", "gross", "days"}
    assert (body["printed_account"], "pay_to" in body) == ("DE89370400440532013000", False)
    (supplier,) = [row for row in home.rows("records", kind="company") if row["id"] == body["supplier"]]
    assert (supplier["state"], supplier["body"]["vat_id"], "accounts" in supplier["body"]) == (
        "supplier", "DE136695976", False,
    )  # fmt: skip
    assert (home.card(), home.rows("proposals")) == (None, [])

    await home.take_in(invoice(ident="v2@papier-voss.example", subject="Erinnerung", name="Kopie.txt"))
    (bill,) = bills(home)
    assert home.card() is None
    assert [row["payload"]["verdict"] for row in events(home, "invoice.came_again")] == ["same"]
    assert any("came again" in row["body"] for row in home.rows("notes", object=bill["id"]))

    sums = {"price": "10,00", "net": "200,00", "tax": "38,00", "gross": "238,00"}
    await home.take_in(invoice(paper(**sums), ident="v3@papier-voss.example"))
    card = home.card(type="question")
    assert card and "23800" in card["why"]
    assert bills(home)[0]["body"]["amount"]["minor"] == 11900
    await home.choose(card, "take")
    assert bills(home)[0]["body"]["amount"]["minor"] == 23800


async def test_another_account_is_a_warning_and_taken_over_on_your_word_only(house: Open):
    home = await house()
    machine = {"sender": "no-reply@papier-voss.example", "Auto_Submitted": "auto-generated"}
    await home.take_in(invoice(**machine))
    assert [row["body"]["number"] for row in bills(home)] == ["RE-2026-0117"]
    await home.take_in(invoice(paper("RE-2026-0130", OTHER), ident="v2@papier-voss.example"))
    await home.choose(home.card(type="question") or {}, "wrong")
    assert states(home) == {"RE-2026-0117": "received", "RE-2026-0130": "cancelled"}
    await home.take_in(invoice(paper("RE-2026-0140", OTHER), ident="v3@papier-voss.example"))
    card = home.card(type="question")
    assert card and "another account" in card["title"]
    second = next(row for row in bills(home) if row["body"]["number"] == "RE-2026-0140")
    assert "pay_to" not in second["body"]
    assert not next(check for check in second["body"]["checks"] if check["name"] == "account")["passed"]
    await home.choose(card, "right")
    second = next(row for row in bills(home) if row["id"] == second["id"])
    assert (second["body"]["pay_to"], second["owners"]["pay_to"]) == (OTHER.replace(" ", ""), "operator")
    (supplier,) = home.rows("records", id=second["body"]["supplier"])
    assert supplier["body"]["accounts"] == [OTHER.replace(" ", "")]


async def test_your_own_invoice_is_none_you_received_and_an_electronic_one_is_read_from_its_data(house: Open):
    home = await house()
    own = paper().replace("Papier Voss GmbH", "Studio Linde").replace("DE136695976", "")
    await home.take_in(invoice(own, sender="Jonas Brandt <jonas@brandt-physio.example>"))
    assert bills(home) == []
    message = mail("Our invoice is attached.\n", sender="billing@lieferant.example", subject="Invoice")
    blob = UBL.format(iban=IBAN.replace(" ", "")).encode()
    message.add_attachment(blob, maintype="application", subtype="xml", filename="xrechnung.xml")
    await home.take_in(message)
    (bill,) = bills(home)
    assert (bill["body"]["number"], bill["body"]["amount"]["minor"]) == ("RE-7", 11900)
    assert bill["body"]["read"]["amount"]["path"]


def states(home: House) -> dict[str, str]:
    return {row["body"]["number"]: row["state"] for row in bills(home)}


def events(home: House, kind: str) -> list[dict[str, Any]]:
    return [{**row, "payload": json.loads(row["body"])} for row in home.rows("events", kind=kind)]
