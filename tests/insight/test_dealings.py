"""The business with one client: what is owed, planned, promised and preferred, over merged records too."""

from __future__ import annotations

import pytest

from soloist.engine.store import facts, records, tasks
from soloist.engine.store.tables import records as table
from soloist.insight import client, dealings
from soloist.kernel.fact import NewFact

NOW = "2026-11-21T12:00:00.000000Z"


def eur(minor):
    return {"minor": minor, "currency": "EUR"}


@pytest.fixture
def make(app):
    """A record that points at others: make(kind, title, body, state) -> id."""

    def made(kind, title, body, state=""):
        return app.store.write_now(lambda tx: records.create(tx, kind, title, body, state=state, why="test"))

    return made


@pytest.fixture
def ada(make):
    return make("person", "Ada Okafor", {"name": "Ada Okafor"})


def look(app, ident):
    found = app.store.read_now(lambda c: client.page(c, ident, now=NOW)).business
    assert found is not None
    return found


def test_what_came_in_another_currency_pays_nothing_off(app, make, ada):
    bill = make("invoice", "1", {"number": "1", "client": ada, "amount": eur(100000)}, "sent")
    dollars = {"minor": 40000, "currency": "USD"}
    make("payment", "part", {"invoice": bill, "amount": dollars, "direction": "in", "on": "2026-10-20"}, "received")
    assert look(app, ada).figures[0].value == "EUR 1,000"


def test_what_is_owed_is_what_is_billed_without_what_came(app, make, ada):
    bill = {"number": "1", "client": ada, "amount": eur(100000), "issued": "2026-10-01", "due": "2026-10-15"}
    first = make("invoice", "1", bill, "sent")
    make("invoice", "2", {**bill, "amount": eur(5000), "due": "2026-12-01"}, "sent")
    make("invoice", "3", {**bill, "amount": eur(7000)}, "paid")
    make("payment", "part", {"invoice": first, "amount": eur(40000), "direction": "in", "on": "2026-10-20"}, "received")
    found = look(app, ada)
    assert [(n.label, n.value, n.note) for n in found.figures] == [("Open", "EUR 650", "1 invoice overdue")]
    bills = next(s for s in found.sections if s.kind == "invoice").lines
    assert (bills[0].text, bills[0].state, bills[0].amount) == ("1", "overdue", "EUR 600 of EUR 1,000 open")
    assert {b.state for b in bills} == {"overdue", "sent", "paid"}
    assert [s.title for s in found.sections] == ["Invoices", "Payments"]
    assert bills[0].day == "1 Oct 2026"


def test_appointments_are_past_or_next(app, make, ada):
    for name, at, state in [
        ("Kick-off", "2026-10-01T09:00:00Z", "done"),
        ("Review", "2026-12-01T09:00:00Z", "confirmed"),
        ("Handover", "2026-11-25T09:00:00Z", "proposed"),
        ("Off", "2026-11-26T09:00:00Z", "cancelled"),
    ]:
        make("appointment", name, {"subject": name, "client": ada, "begins": at}, state)
    found = look(app, ada)
    assert [line.text for line in found.next] == ["Handover", "Review"]
    assert [line.text for line in found.past] == ["Kick-off"]
    assert found.figures[-1].value == "2026-11-25T09:00:00Z"


def test_a_long_list_folds_away(app, make, ada):
    for n in range(12):
        make("offer", f"Offer {n}", {"subject": str(n), "client": ada, "issued": f"2026-01-{n + 1:02}"}, "sent")
    (offers,) = look(app, ada).sections
    assert (len(offers.lines), len(offers.rest), offers.total) == (8, 4, "12 offers")
    assert offers.lines[0].text == "Offer 11"


def test_the_page_of_a_kept_record_holds_what_the_merged_one_had(app, make, ada):
    other = make("person", "A. Okafor", {"name": "A. Okafor"})
    make("offer", "Old offer", {"subject": "x", "client": other}, "sent")
    app.store.write_now(lambda tx: tx.run(table.update().where(table.c.id == other).values(merged_into=ada)))
    assert [s.lines[0].text for s in look(app, ada).sections] == ["Old offer"]
    assert app.store.read_now(lambda c: client.page(c, other, now=NOW)).merged == ada


def test_curated_facts_stand_first_and_promises_apart(app, ada):
    for attribute, value in [
        ("budget", "EUR 4,000"),
        ("preference", "calls before noon"),
        ("payment terms", "14 days"),
        ("promise", "send the pictures"),
    ]:
        new = NewFact(ada, attribute, value, source="mail", actor="ada@okafor-ceramics.example")
        app.store.write_now(lambda tx, new=new: facts.state(tx, new))
    found = look(app, ada)
    assert [(title, [f.value for f in some]) for title, some in found.facts] == [
        ("Preferences", ["calls before noon"]),
        ("Terms", ["14 days"]),
        ("Other facts", ["EUR 4,000"]),
    ]
    assert [(p.text, p.ours, p.state) for p in found.promises] == [("send the pictures", False, "open")]


@pytest.mark.parametrize("body", [{"amount": "x"}, {"amount": {"minor": "1", "currency": "EUR"}}, {"due": 7}, {}])
def test_odd_bodies_are_no_fault(app, make, ada, body):
    ident = make("invoice", "odd", {"number": "1", "client": ada, "amount": eur(1)}, "sent")
    app.store.write_now(lambda tx: tx.run(table.update().where(table.c.id == ident).values(body=body)))
    assert look(app, ada).sections[0].lines[0].text == "odd"


@pytest.mark.parametrize(
    ("attribute", "group"),
    [("Prefers", "preference"), ("contract until", "contract"), ("hourly rate", "terms"), ("budget", "")],
)
def test_groups_of_facts(attribute, group):
    assert dealings.group_of(attribute) == group


@pytest.mark.parametrize(("option", "state"), [("", "open"), ("done", "kept"), ("drop", "dropped")])
def test_what_the_operator_promised_is_open_or_kept(app, ada, option, state):
    def work(tx):
        tasks.open_card(
            tx, "c1", "task", "You promised: the logo by Friday", record=ada, deadline="2026-11-27T00:00:00Z"
        )
        if option:
            tasks.close(tx, "c1", "done", {"option": option}, actor="operator")

    app.store.write_now(work)
    (promise,) = look(app, ada).promises
    assert (promise.text, promise.ours, promise.due, promise.state) == ("the logo by Friday", True, "2026-11-27", state)
