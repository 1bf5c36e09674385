"""Totals and spreadsheets: sums by currency, a semicolon where it is wanted, nothing retired, nothing calculated."""

from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import records
from soloist.insight import records as tables


@pytest.fixture
def conn_of(app: App) -> Any:
    def fill(tx: Any) -> None:
        rows = [("1", 119000, "EUR", "sent"), ("2", 1050, "EUR", "paid"), ("3", -500, "CHF", "sent")]
        for number, minor, code, state in [*rows, ("4", 99, "EUR", "retired")]:
            body = {"number": number, "amount": {"minor": minor, "currency": code}}
            records.create(tx, "invoice", f"=No;{number}", body, state=state if state != "retired" else "", why="t")
            if state == "retired":
                last = records.listed(tx.conn, "invoice", before=None, limit=10)
                four = next(row for row in last if row["body"]["number"] == "4")
                records.write(tx, four["id"], 1, {}, why="t", state="retired", restored=True)

    app.store.write_now(fill)
    return app.store.read_now


def test_amounts_are_summed_by_currency_and_only_what_is_shown(conn_of):
    page = conn_of(lambda conn: tables.page(conn, kind="invoice"))
    assert page.totals.startswith("3 invoices: 1 paid, 2 sent; Amount ")
    assert "1,200.50" in page.totals
    assert "CHF -5" in page.totals
    sent = conn_of(lambda conn: tables.page(conn, kind="invoice", state="sent"))
    assert "EUR 1,190" in sent.totals


def test_retired_ones_are_listed_when_they_are_asked_for(conn_of):
    page = conn_of(lambda conn: tables.page(conn, kind="invoice", state="retired"))
    assert [row.cells[0] for row in page.rows] == ["=No;4"]


def test_a_spreadsheet_that_wants_semicolons_gets_them_and_calculates_nothing(conn_of):
    text = "".join(conn_of(lambda conn: list(tables.csv_pieces(conn, "invoice", separator=";", sort="title"))))
    assert text.startswith('\ufeffName;State;Amount;Due;Changed\r\n"\'=No;1";sent;')
