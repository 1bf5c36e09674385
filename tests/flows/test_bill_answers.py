"""Mail about invoices of ours: answered from the record, to whose it is, and never by taking an account over."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import records
from soloist.flows.paying import Paying
from tests.flows.conftest import House, Open, mail

JONAS = "Jonas Brandt <jonas@brandt-physio.example>"


def enter(home: House, kind: str, body: dict[str, Any], state: str) -> str:
    return home.app.store.write_now(
        lambda tx: records.create(tx, kind, "", body, state=state, why="by hand", actor="operator")
    )


def client(home: House) -> str:
    """Jonas with one invoice that is open, known by his address."""
    person = enter(home, "person", {"name": "Jonas Brandt", "emails": ["jonas@brandt-physio.example"]}, "client")
    home.app.store.write_now(
        lambda tx: records.link(tx, "email", "jonas@brandt-physio.example", person, rule="email", evidence={})
    )
    money = {"minor": 119000, "currency": "EUR"}
    body = {"number": "2026-031", "amount": money, "issued": "2026-11-01", "due": "2099-11-15", "client": person}
    enter(home, "invoice", body, "sent")
    enter(home, "invoice", {**body, "number": "2026-032", "client": ""}, "sent")
    return person


async def test_a_client_asks_tells_and_is_answered_from_the_record(house: Open):
    home = await house()
    person = client(home)
    asks = "Hello Mara,\n\nwhen is your invoice 2026-031 due, and is it still open?\n\nBest regards\nJonas Brandt\n"
    await home.take_in(mail(asks, sender=JONAS, subject="Invoice 2026-031", ident="q1@brandt-physio.example"))
    proposal = home.waiting()
    assert proposal["source"] == "agent:billing"
    assert "Invoice 2026-031 over 1,190.00 EUR: open; it is due on 15 November 2099." in proposal["payload"]["body"]
    (run,) = [row for row in home.rows("runs", flow="intake") if row["agent"].startswith("billing@")]
    assert "draft_bill" in run["made_with"]["skills"]
    told = "Hello Mara,\n\nwe have transferred 1,190.00 EUR for invoice 2026-031 today.\n\nBest regards\nJonas\n"
    await home.take_in(
        mail(told, sender=JONAS, subject="Payment of invoice 2026-031", ident="q2@brandt-physio.example")
    )
    (payment,) = home.rows("records", kind="payment")
    assert (payment["state"], payment["body"]["amount"]["minor"]) == ("expected", 119000)
    assert payment["body"]["client"] == person
    await Paying(home.desk).look()
    assert {row["state"] for row in home.rows("records", kind="invoice")} == {"sent"}


async def test_nobody_learns_of_an_invoice_that_is_not_theirs(house: Open):
    home = await house()
    client(home)
    asks = "Hello,\n\nhas the invoice 2026-032 been paid, and how much was it?\n\nJonas Brandt\n"
    await home.take_in(mail(asks, sender=JONAS, subject="Invoice 2026-032", ident="q1@brandt-physio.example"))
    assert all("1,190" not in row["payload"].get("body", "") for row in home.rows("proposals"))
    assert all(row["source"] != "agent:billing" for row in home.rows("proposals"))


async def test_the_words_of_a_file_are_remembered_with_their_origin_and_a_broken_one_leaves_a_note(house: Open):
    home = await house()
    client(home)
    message = mail("Hello Mara,\n\nthe briefing is attached.\n\nJonas Brandt\n", sender=JONAS, subject="Briefing")
    message.add_attachment(b"The kiln room opens at nine.", maintype="text", subtype="plain", filename="briefing.txt")
    message.add_attachment(b"%PDF-1.7 broken", maintype="application", subtype="pdf", filename="plan.pdf")
    run = await home.take_in(message)
    assert run["state"] == "done", run["error"]
    (kept,) = home.rows("messages", direction="in")
    notes = {file["name"]: file["read"] for file in kept["attachments"]}
    assert (notes["briefing.txt"]["characters"], bool(notes["plan.pdf"]["note"])) == (28, True)
    found = [row for row in home.rows("memories") if "kiln room" in row["text"]]
    assert {row["kind"] for row in found} == {"document", "chunk"}
    assert all(row["origin"] == ["outside:jonas@brandt-physio.example"] for row in found)
    assert {row["trust"] for row in found} == {"unverified"}
