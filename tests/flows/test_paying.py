"""Payments find their invoices, reminders are proposed once a stage and withdrawn when it is paid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from soloist.engine.store import records, tables
from soloist.flows.paying import Paying
from soloist.insight import bills
from tests.flows.policy_rig import Rig


class Books:
    """A home without an engine, with a client."""

    def __init__(self, rig: Rig) -> None:
        self.app, self.rig = rig.app, rig
        rig.moment = datetime(2026, 11, 21, 10, tzinfo=UTC)
        self.paying = Paying(self.app.desk)
        body = {"name": "Jonas Brandt", "emails": ["jonas@brandt-physio.example"], "language": "de"}
        self.client = self.add("person", body, "client")

    def add(self, kind: str, body: dict[str, Any], state: str = "") -> str:
        self.rig.later(minutes=1)
        return self.app.store.write_now(
            lambda tx: records.create(tx, kind, "", body, state=state, why="by hand", actor="operator")
        )

    def invoice(self, number: str = "2026-031", due: str = "2026-11-15", minor: int = 119000, **more: Any) -> str:
        body = {"number": number, "amount": {"minor": minor, "currency": "EUR"}, "due": due, "issued": "2026-11-01"}
        state = "received" if more.get("direction") == "received" else "sent"
        return self.add("invoice", {**body, "client": self.client, **more}, state)

    def payment(self, reference: str, minor: int, **more: Any) -> str:
        body = {"reference": reference, "amount": {"minor": minor, "currency": "EUR"}, "on": "2026-11-20"}
        return self.add("payment", {**body, "direction": "in", **more}, "received")

    def of(self, ident: str) -> dict[str, Any]:
        return self.app.store.read_now(lambda conn: records.get(conn, ident))

    def proposals(self) -> list[dict[str, Any]]:
        query = tables.proposals.select().order_by(tables.proposals.c.created)
        return [dict(row) for row in self.app.store.read_now(lambda conn: conn.execute(query).mappings().all())]


@pytest.fixture
def books(rig: Callable[..., Rig]) -> Books:
    return Books(rig())


async def test_a_payment_that_names_number_and_sum_closes_the_invoice(books: Books):
    bill, other = books.invoice(due="2026-12-15"), books.invoice("2026-032", due="2026-12-15", minor=50000)
    row, loose = books.payment("Rechnung 2026-031 vielen Dank", 119000), books.payment("ohne Nummer", 50000)
    done = await books.paying.look()
    assert (done["matched"], done["paid"], done["proposed"]) == ([row], [bill], [])
    assert (books.of(bill)["state"], books.of(bill)["body"]["paid_on"]) == ("paid", "2026-11-20")
    assert (books.of(row)["body"]["client"], books.of(other)["state"]) == (books.client, "sent")
    assert "invoice" not in books.of(loose)["body"]
    assert await books.paying.look() == {}


async def test_a_part_is_noted_and_the_rest_stays_open(books: Books):
    bill = books.invoice(due="2026-12-15")
    row = books.payment("2026-031 Anzahlung", 19000)
    assert (await books.paying.look())["matched"] == [row]
    assert books.of(bill)["state"] == "sent"
    books.payment("2026-031", 100000)
    await books.paying.look()
    assert books.of(bill)["state"] == "paid"


async def test_one_reminder_a_stage_with_figures_of_the_record_in_the_clients_language(books: Books):
    bill = books.invoice()
    await books.paying.look()
    await Paying(books.app.desk).look()
    (first,) = books.proposals()
    assert (first["state"], first["payload"]["to"], first["record"]) == (
        "waiting", ["jonas@brandt-physio.example"], books.client,
    )  # fmt: skip
    assert "Rechnung 2026-031 vom 1. November 2026 über 1.190,00 EUR" in first["payload"]["body"]
    assert first["evidence"]["reminder"]["invoice"] == bill
    assert "faults" not in first["evidence"]
    books.payment("2026-031", 119000)
    assert (await books.paying.look())["withdrawn"] == [first["id"]]
    assert [row["state"] for row in books.proposals()] == ["withdrawn"]


async def test_the_next_stage_waits_for_its_day_and_announced_money_holds_it(books: Books):
    bill = books.invoice()
    await books.paying.look()
    (first,) = books.proposals()
    books.app.store.write_now(lambda tx: books.app.desk.approvals.withdraw(tx, first["id"], actor="operator", why="no"))
    await Paying(books.app.desk).look()
    assert len(books.proposals()) == 1
    books.rig.moment = datetime(2026, 11, 30, 10, tzinfo=UTC)
    money = {"reference": "2026-031", "amount": {"minor": 119000, "currency": "EUR"}, "on": "2026-11-29"}
    announced = books.add("payment", {**money, "direction": "in", "invoice": bill}, "expected")
    await books.paying.look()
    assert len(books.proposals()) == 1
    books.rig.moment = datetime(2026, 12, 8, 10, tzinfo=UTC)
    await books.paying.look()
    assert [row["evidence"]["reminder"]["stage"] for row in books.proposals()] == [1, 2]
    row = books.payment("2026-031", 119000)
    await books.paying.look()
    assert books.of(bill)["state"] == "paid"
    assert books.of(announced)["merged_into"] == row


async def test_nobody_is_reminded_of_what_is_old_or_has_no_address(books: Books):
    books.invoice("2020-001", due="2020-01-01")
    books.invoice("2026-040", client="")
    for number in range(7):
        books.invoice(f"2026-05{number}", due="2026-11-10")
    await books.paying.look()
    assert len(books.proposals()) == 5


async def test_an_invoice_we_received_is_paid_by_money_that_went_out(books: Books):
    bill = books.invoice("RE-77", direction="received", client="")
    books.payment("RE-77", 119000)
    row = books.payment("RE-77", 119000, direction="out")
    done = await books.paying.look()
    assert (done["matched"], done["paid"]) == ([row], [bill])


async def test_the_page_and_the_line_of_the_morning_say_what_is_due(books: Books):
    late = books.invoice()
    due = {"direction": "received", "client": "", "printed_account": "DE89370400440532013000"}
    bill = books.invoice("RE-77", due="2026-11-25", minor=11900, **due)
    books.invoice("RE-78", due="2027-02-25", minor=5000, **due)
    loose = books.payment("no number", 119000)
    page = books.app.store.read_now(lambda conn: bills.page(conn, "2026-11-21"))
    assert [(line.number, line.tone) for line in page.to_pay] == [("RE-77", "warn"), ("RE-78", "")]
    assert [line.id for line in page.owed] == [late]
    assert [(line.id, [ident for ident, _ in line.could_be]) for line in page.loose] == [(loose, [late])]
    assert page.line == books.app.store.read_now(lambda conn: bills.line(conn, "2026-11-21"))
    assert "RE-77" in page.line and "RE-78" not in page.line
    await books.paying.give_by_hand(loose, late, who="operator")
    assert (books.of(late)["state"], books.of(bill)["state"]) == ("paid", "received")
