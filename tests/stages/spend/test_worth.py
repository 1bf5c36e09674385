"""What calls led to and what was in vain: sums per outcome, and a line of advice for each waste."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from soloist.engine.store import records
from soloist.engine.store.clock import iso
from soloist.engine.store.store import Store
from soloist.engine.store.tables import proposals
from soloist.engine.store.tables_agents import corrections
from soloist.engine.store.tables_spend import model_calls
from soloist.insight import worth
from tests.engine.store import databases


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(databases.migrated("sqlite", tmp_path))
    yield opened
    opened.close()


_numbers = iter(range(10_000))


def call(store: Store, **more: Any) -> None:
    n = next(_numbers)
    row = {"id": f"c{n}", "run": f"r{n}", "step": "s", "attempt": 0, "state": "answered", "cost_micro": 1000}
    row |= {"provider": "small", "model": "tiny", "skill": "draft_reply", "agent": "writer@1", "flow": "reply"}
    row |= {"tokens_in": 100, "tokens_out": 50, "created": iso(store.clock()), "key": f"k{n}", **more}
    store.write_now(lambda tx: (tx.run(model_calls.insert(), row), None)[1])


def letter(store: Store, run: str, state: str, **more: Any) -> str:
    row = {"id": f"p{next(_numbers)}", "run": run, "state": state, "source": "agent:intake", "noun": "mail", **more}
    store.write_now(lambda tx: (tx.run(proposals.insert(), {**row, "created": tx.now}), None)[1])
    return str(row["id"])


def corrected(store: Store, letter: str, distance: int) -> None:
    row = {"id": f"k{letter}", "object": letter, "event": "e", "kind": "edit", "state": "kept", "distance": distance}
    store.write_now(lambda tx: (tx.run(corrections.insert(), row), None)[1])


def test_a_tier_is_worth_what_its_letters_need_less_changing(store: Store) -> None:
    mail = {"operation": "mail.send", "agent": "writer@1"}
    for n in range(10):
        plain = letter(store, f"a{n}", "approved", evidence={"kind": "enquiry", "template": "enquiry.en"}, **mail)
        corrected(store, plain, 300)
        call(store, run=f"b{n}", tier=3)
        letter(store, f"b{n}", "approved", evidence={"kind": "enquiry", "template": ""}, **mail)
    rules, small = store.read_now(lambda conn: worth.tiers(conn, iso(store.clock())))
    assert (rules.tier, rules.many, rules.as_was, rules.far, rules.each) == (0, 10, 0, 30.0, 0)
    assert (small.tier, small.as_was, small.far, small.each) == (3, 10, 0.0, 1000)
    assert "30 % of a text less to change than with rules, 100 of a hundred more go as they are" in small.said


def test_a_tier_on_other_kinds_of_letters_or_on_few_says_so(store: Store) -> None:
    mail = {"operation": "mail.send", "agent": "writer@1"}
    plain = letter(store, "a", "rejected", evidence={"kind": "client", "template": "x.en"}, **mail)
    corrected(store, plain, 1000)
    call(store, run="b", tier=4)
    letter(store, "b", "approved", evidence={"kind": "enquiry"}, **mail)
    rules, large = store.read_now(lambda conn: worth.tiers(conn, iso(store.clock())))
    assert (rules.far, large.name) == (100.0, "hosted large model")
    assert large.said.startswith("Too few letters of the same kind")


def found(store: Store) -> tuple[dict[str, tuple[int, int]], list[worth.Waste]]:
    now = iso(store.clock())
    costs, spare = store.read_now(lambda conn: (worth.outcomes(conn, now), worth.waste(conn, now)))
    return {one.name: (one.many, one.each) for one in costs}, spare


def test_nothing_asked_is_nothing_said(store: Store) -> None:
    assert found(store) == ({}, [])


def test_what_was_rejected_is_carried_by_what_was_accepted(store: Store) -> None:
    for run, state in (("a", "approved"), ("b", "approved"), ("c", "rejected")):
        call(store, run=run)
        letter(store, run, state)
    store.write_now(lambda tx: records.create(tx, "lead", "x", {}, why="x"))
    costs, spare = found(store)
    assert costs == {"accepted reply": (2, 1500), "enquiry": (1, 3000)}
    assert [(one.what, one.cost_micro) for one in spare] == [("1 prepared letters were never used", 1000)]


def test_the_same_question_paid_twice_and_answers_of_no_use(store: Store) -> None:
    for _ in range(3):
        call(store, key="same")
    call(store, state="failed", fault="malformed", cost_micro=5000)
    _, spare = found(store)
    assert [(one.cost_micro, one.do[:12]) for one in spare] == [(5000, "Try another "), (2000, "The recordin")]
    assert "could not be used (malformed)" in spare[0].what


def test_questions_that_grew(store: Store) -> None:
    old = iso(store.clock() - timedelta(days=20))
    for _ in range(5):
        call(store, created=old)
        call(store, tokens_in=400, created=iso(store.clock() - timedelta(days=1)))
    _, spare = found(store)
    assert spare[0].what == "Questions of draft_reply grew from 100 to 400 tokens"
    assert spare[0].cost_micro == 3750
