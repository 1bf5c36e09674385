"""Rows of corrections, kept calls, wordings and trials, on both stores."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.calls import Call
from soloist.engine.store import calls, corrections, tables, trials, wordings
from soloist.engine.store.corrections import NewCorrection
from soloist.engine.store.store import Store
from soloist.engine.store.tables_agents import call_values
from soloist.kernel.errors import Conflict, NotFound

LONG = "Studio Linde builds websites for small companies. " * 20


def kept(store: Store, run: str, text: str = LONG) -> None:
    """A run with one kept call."""
    row = {"id": run, "flow": "intake", "input": "e", "subject": "e", "state": "done", "agent": "intake@1"}
    made = [Call("draft_reply", "1", {"house_book": text, "subject": "Hi"}, "", {"body": text})]

    def work(tx: Any) -> None:
        tx.run(tables.runs.insert(), {**row, "started": tx.now, "made_with": {"agent": "intake@1"}})
        calls.keep(tx, run, "answer", made)

    store.write_now(work)


def note(store: Store, run: str, **more: Any) -> str:
    """A correction of what the run gave; its id."""
    new = NewCorrection("edit", f"p-{run}", {"body": "a"}, {"body": "b"}, 500, "operator", run=run, **more)
    return store.write_now(lambda tx: corrections.note(tx, new))


def test_a_long_value_is_kept_once_and_comes_back_whole(store: Store) -> None:
    kept(store, "r1")
    kept(store, "r2")
    rows = store.read_now(lambda conn: calls.of_run(conn, "r2"))
    assert set(rows[0]["input"]["house_book"]) == {calls.REF}
    (whole,) = store.read_now(lambda conn: calls.whole(conn, rows))
    assert whole["input"] == {"house_book": LONG, "subject": "Hi"} and whole["output"] == {"body": LONG}
    assert store.read_now(lambda conn: conn.execute(sa.select(sa.func.count()).select_from(call_values)).scalar()) == 1


def test_a_value_that_was_struck_is_said_to_be_gone(store: Store) -> None:
    kept(store, "r1")
    store.write_now(lambda tx: tx.run(call_values.update().values(value='"something else"')))
    rows = store.read_now(lambda conn: calls.of_run(conn, "r1"))
    with pytest.raises(NotFound, match="no longer kept"):
        store.read_now(lambda conn: calls.whole(conn, rows))


def test_a_correction_pins_what_it_rests_on(store: Store) -> None:
    kept(store, "r1")
    ident = note(store, "r1", agent="intake@1", skill="draft_reply", sort="enquiry", language="en")
    row = store.read_now(lambda conn: corrections.get(conn, ident))
    assert row["input"]["made_with"] == {"agent": "intake@1"} and row["input"]["calls"][0]["skill"] == "draft_reply"
    assert store.read_now(lambda conn: conn.execute(sa.select(call_values.c.pinned)).scalars().all()) == [1]
    assert store.read_now(corrections.counts) == {"edit": 1}
    assert store.read_now(lambda conn: trials.corrections_of(conn, agent="intake", most=9)) == [ident]
    assert store.read_now(lambda conn: trials.corrections_of(conn, skill="qualify", most=9)) == []


def test_a_slip_is_no_example_any_more(store: Store) -> None:
    kept(store, "r1")
    ident = note(store, "r1")
    for _ in range(2):
        store.write_now(lambda tx: corrections.drop(tx, ident, who="operator"))
    assert store.read_now(corrections.listed) == [] and not store.read_now(lambda c: corrections.about(c, "p-r1"))
    with pytest.raises(NotFound):
        store.write_now(lambda tx: corrections.drop(tx, "none", who="operator"))


def test_one_wording_holds_for_a_line(store: Store) -> None:
    given = {"skill": "draft_reply", "sort": "", "language": "en", "old": "Hi {first},", "cases": 3}

    def say(new: str) -> str:
        return store.write_now(lambda tx: wordings.add(tx, {**given, "new": new}, state="in_use", who="operator"))

    first, second = say("Hello {first},"), say("Dear {first},")
    in_use = store.read_now(lambda conn: wordings.in_use(conn, "draft_reply", "en", "enquiry"))
    assert [row["id"] for row in in_use] == [second]
    assert store.read_now(lambda conn: wordings.in_use(conn, "draft_reply", "de", "enquiry")) == []
    with pytest.raises(Conflict):
        store.write_now(lambda tx: wordings.end(tx, first, who="operator"))


def test_a_trial_goes_on_where_it_was_and_can_be_stopped(store: Store) -> None:
    given = {"kind": "run", "name": "", "candidate": "", "baseline": ""}
    ident = store.write_now(lambda tx: trials.begin(tx, given, ["run:a", "run:b"], who="operator"))
    told = [{"n": 0, "outcome": "same", "before": None, "after": None, "detail": {}}]
    store.write_now(lambda tx: trials.tell(tx, ident, told))
    assert [row["object"] for row in store.read_now(lambda conn: trials.waiting(conn, ident, 9))] == ["run:b"]
    store.write_now(lambda tx: trials.cancel(tx, ident, who="operator"))
    with pytest.raises(Conflict):
        store.write_now(lambda tx: trials.cancel(tx, ident, who="operator"))
    assert store.read_now(lambda conn: trials.get(conn, ident))["state"] == "cancelled"
