"""Facts on two clocks: what supersedes, what is kept beside, what was known when, on either store."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soloist.engine.store import facts, gathering, journal, records
from soloist.engine.store.store import Store
from soloist.kernel.errors import BadInput
from soloist.kernel.fact import NewFact

DAYS = [f"2026-03-{day:02d}" for day in range(1, 29)]


def person(store: Store) -> str:
    made = lambda tx: records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor"}, why="a test")  # noqa: E731
    return store.write_now(made)


def say(store: Store, record: str, value: Any, begin: str = "2026-03-01", **more: Any) -> facts.Stated:
    new = NewFact(**{"record": record, "attribute": "budget", "value": value, "valid_from": begin, **more})
    return store.write_now(lambda tx: facts.state(tx, new))


def seq(store: Store) -> int:
    return store.read_now(journal.head)


def known(store: Store, record: str, **asked: Any) -> list[Any]:
    found = store.read_now(lambda conn: facts.known(conn, [record], **asked))
    return [row["value"] for row in found if row["state"] == "held"]


ADA = {"actor": "ada@okafor-ceramics.example"}


def test_a_newer_statement_of_the_same_voice_supersedes_and_the_older_time_stays_true(store: Store):
    ada = person(store)
    say(store, ada, "3,000 EUR", **ADA)
    before = seq(store)
    done = say(store, ada, "5,000 EUR", "2026-03-10", **ADA)
    assert done.replaced
    assert known(store, ada, at="2026-03-12") == ["5,000 EUR"]
    assert known(store, ada, at="2026-03-05") == ["3,000 EUR"]
    assert known(store, ada, at="2026-03-12", seq=before) == ["3,000 EUR"]


def test_the_same_statement_twice_is_one(store: Store):
    ada = person(store)
    first = say(store, ada, "3,000 EUR", **ADA)
    at = seq(store)
    again = say(store, ada, " 3,000  eur", "2026-03-09", **ADA)
    assert (again.id, again.new) == (first.id, False)
    assert seq(store) == at


def test_an_older_statement_that_arrives_late_holds_until_the_next_one(store: Store):
    ada = person(store)
    say(store, ada, "5,000 EUR", "2026-03-10", **ADA)
    say(store, ada, "3,000 EUR", "2026-03-02", **ADA)
    assert known(store, ada, at="2026-03-12") == ["5,000 EUR"]
    assert known(store, ada, at="2026-03-03") == ["3,000 EUR"]


def test_a_stranger_cannot_overwrite_what_you_confirmed(store: Store):
    ada = person(store)
    mine = say(store, ada, "3,000 EUR", trust="confirmed", actor="operator")
    theirs = say(store, ada, "90,000 EUR", "2026-03-20", actor="victor@quick-offers.example")
    assert (theirs.state, theirs.against) == ("disputed", (mine.id,))
    assert known(store, ada, at="2026-03-25") == ["3,000 EUR"]


def test_confirming_the_disputed_one_makes_it_hold_and_the_other_past(store: Store):
    ada = person(store)
    say(store, ada, "3,000 EUR", trust="confirmed", actor="operator")
    theirs = say(store, ada, "5,000 EUR", "2026-03-20", **ADA)
    done = store.write_now(lambda tx: facts.confirm(tx, theirs.id, actor="operator"))
    assert known(store, ada, at="2026-03-25") == ["5,000 EUR"]
    assert known(store, ada, at="2026-03-10") == ["3,000 EUR"]
    row = store.read_now(lambda conn: facts.get(conn, done.id))
    assert (row["trust"], row["state"]) == ("confirmed", "held")


def test_two_voices_outside_stand_side_by_side(store: Store):
    ada = person(store)
    say(store, ada, "3,000 EUR", **ADA)
    other = say(store, ada, "4,000 EUR", "2026-03-05", actor="ben@okafor-ceramics.example")
    assert other.state == "disputed"
    live = store.read_now(lambda conn: facts.live(conn, ada, "budget"))
    assert [row["value"] for row in live] == ["3,000 EUR", "4,000 EUR"]


def test_several_phones_do_not_contradict(store: Store):
    ada = person(store)
    for number in ("+4940111", "+4940222"):
        say(store, ada, number, attribute="phone", **ADA)
    assert known(store, ada) == ["+4940111", "+4940222"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("attribute", {"attribute": ""}),
        ("record", {"record": "nobody"}),
        ("confidence", {"confidence": "97 %"}),
        ("value", {"value": "x" * 5000}),
        ("valid_to", {"valid_to": "2026-02-01"}),
    ],
)
def test_what_cannot_be_a_fact_is_refused_by_its_field(store: Store, field: str, wrong: dict[str, Any]):
    ada = person(store)
    at = seq(store)
    with pytest.raises(BadInput) as refused:
        say(store, ada, **{"value": "x", **wrong}) if "record" not in wrong else say(store, "nobody", "x")
    assert refused.value.field == field
    assert seq(store) == at


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.sampled_from(DAYS), min_size=1, max_size=6))
def test_both_clocks_answer_as_a_plain_list_of_statements_does(store: Store, said: list[str]):
    """At any place of the journal, an instant's value is the last statement made by then that began before it."""
    ada, heads = person(store), []
    for number, begin in enumerate(said):
        say(store, ada, f"value {number}", begin, **ADA)
        heads.append(seq(store))
    for place, head in enumerate(heads):
        by_then = list(enumerate(said[: place + 1]))
        for day in DAYS[::3]:
            best = max(((begin, number) for number, begin in by_then if begin <= day), default=None)
            assert known(store, ada, seq=head, at=day) == ([f"value {best[1]}"] if best else [])


def test_no_address_stands_where_it_could_not_be_erased(store: Store):
    ada = person(store)
    say(store, ada, "3,000 EUR", **ADA)
    rows = store.read_now(lambda conn: gathering.after(conn, 0, 50))
    assert [row["actor"] for row in rows if row["kind"] == facts.STATED] == ["outside"]
