"""Working sessions, outcomes, contexts and what the follower reads, on either store."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import contexts, conversations, facts, gathering, memories, outcomes, records, sessions
from soloist.engine.store.store import Store
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory

LATE = "9999-01-01T00:00:00.000000Z"


def write(store: Store, work: Any) -> Any:
    return store.write_now(work)


def test_a_session_ends_once_and_is_listed_by_state(store: Store):
    given = {"title": "Spring", "objectives": ["three offers"]}
    ident = write(store, lambda tx: sessions.begin(tx, given, who="operator"))
    assert [row["id"] for row in store.read_now(lambda conn: sessions.idle(conn, LATE))] == [ident]
    write(store, lambda tx: sessions.end(tx, ident, sessions.CLOSED, who="operator", summary="done"))
    with pytest.raises(Conflict):
        write(store, lambda tx: sessions.end(tx, ident, sessions.CLOSED, who="operator"))
    (row,) = store.read_now(lambda conn: sessions.listed(conn, "closed"))
    assert (row["objectives"], row["summary"]) == (["three offers"], "done")
    assert store.read_now(lambda conn: sessions.listed(conn, "open")) == []


def test_an_outcome_is_noted_once_and_another_figure_is_refused(store: Store):
    given = {"object": "p1", "kind": "reply", "metric": "answered", "value": "2.0", "ref": "m1"}
    first = write(store, lambda tx: outcomes.note(tx, given, actor="soloist"))
    again = write(store, lambda tx: outcomes.note(tx, given, actor="soloist"))
    assert (first[1], again) == (True, (first[0], False))
    with pytest.raises(BadInput):
        write(store, lambda tx: outcomes.note(tx, {**given, "value": "3.0"}, actor="soloist"))
    assert [row["value"] for row in store.read_now(lambda conn: outcomes.of(conn, ["p1"]))] == ["2.0"]


def test_a_context_keeps_its_slices_in_order_with_what_they_say_now(store: Store):
    (ident,) = write(store, lambda tx: memories.add(tx, [NewMemory("The logo is blue.")], actor="soloist"))
    piece = {"retrieval": "r", "rank": 1, "n": 1, "memory": ident, "hash": "h", "part": "span", "span_to": 8}
    row = {"run": "run:1", "records": [], "messages": [], "house_book": "", "parameters": {}, "hash": "x"}
    packed = {"tokens": 3, "whole": 40}
    slices = [{**piece, "part": "fact", "memory": ""}, piece]
    made = write(store, lambda tx: contexts.add(tx, {**row, "packed": packed}, slices))
    found = store.read_now(lambda conn: contexts.slices(conn, made))
    assert [(one["part"], one["text"]) for one in found] == [("fact", None), ("span", "The logo is blue.")]
    assert store.read_now(lambda conn: contexts.used_in(conn, ident)) == [made]
    assert [one["packed"] for one in store.read_now(contexts.cost)] == [packed]


def test_a_thread_is_quiet_once_and_its_place_goes_on(store: Store):
    def work(tx: Any) -> str:
        talk = conversations.open_new(tx, "mail", "kiln")
        row = {"conversation": talk, "direction": "in", "at": "2026-01-02T00:00:00.000000Z", "text": "hello"}
        conversations.add(tx, row)
        return talk

    talk = write(store, work)
    (row,) = store.read_now(lambda conn: sessions.quiet(conn, LATE, ("", "")))
    assert (row["id"], row["last"]) == (talk, "2026-01-02T00:00:00.000000Z")
    assert store.read_now(lambda conn: sessions.quiet(conn, LATE, (row["last"], row["id"]))) == []
    told = NewMemory("sum", kind="summary", thread=talk, at=row["last"])
    write(store, lambda tx: memories.add(tx, [told], actor="soloist"))
    assert store.read_now(lambda conn: sessions.quiet(conn, LATE, ("", ""))) == []


def test_facts_of_merged_records_are_weighed_and_read_together(store: Store):
    def two(tx: Any) -> tuple[str, str]:
        made = [records.create(tx, "person", name, {"name": name}, why="a test") for name in ("Ada", "A. Okafor")]
        tx.run(records.records.update().where(records.records.c.id == made[1]).values(merged_into=made[0]))
        return made[0], made[1]

    kept, other = write(store, two)
    said = {"attribute": "budget", "actor": "ada@okafor-ceramics.example"}
    write(store, lambda tx: facts.state(tx, NewFact(other, value="1", valid_from="2026-01-01", **said)))
    write(store, lambda tx: facts.state(tx, NewFact(kept, value="2", valid_from="2026-02-01", **said)))
    family = store.read_now(lambda conn: facts.family(conn, kept))
    assert set(family) == {kept, other}
    known = store.read_now(lambda conn: contexts.held(conn, family, "2026-03-01"))
    assert [row["value"] for row in known] == ["2"]
    assert store.read_now(lambda conn: facts.listed(conn, record=kept, at="2026-03-01"))[0]["value"] == "2"


def test_versions_carry_what_was_before(store: Store):
    def work(tx: Any) -> None:
        ident = records.create(tx, "person", "Ada", {"name": "Ada"}, why="a test")
        records.write(tx, ident, 1, {"name": "Ada Okafor"}, why="a test", actor="operator")

    write(store, work)
    happened = [row["id"] for row in store.read_now(lambda conn: gathering.after(conn, 0, 50))]
    versions = store.read_now(lambda conn: gathering.versions_of(conn, happened))
    assert [(row["before"], row["body"]["name"]) for row in versions] == [
        (None, "Ada"),
        ({"name": "Ada"}, "Ada Okafor"),
    ]
