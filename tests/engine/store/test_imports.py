"""Imports and their rows on both stores: many at once, whom keys stand for, what was chosen before."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import imports, merges, records
from soloist.engine.store.store import Store

CHOSEN = {"columns": ["Wer", "Hund"], "fields": {"0": "name"}, "chosen": True}


def begun(store: Store, **values: Any) -> str:
    given = {"state": "mapping", "format": "csv", "kind": "person", "name": "a.csv", "asset": "", **values}
    return store.write_now(lambda tx: imports.create(tx, given, who="operator"))


@pytest.fixture
def ident(store: Store) -> str:
    """An import of four rows, two of which filled Ada."""
    made = begun(store)
    rows = [
        {"n": n, "given": {"line": n}, "outcome": outcome, "record": record, "version": n}
        for n, outcome, record in ((1, "made", "ada"), (2, "filled", "ada"), (3, "made", "jonas"), (4, "review", ""))
    ]
    store.write_now(lambda tx: imports.put_rows(tx, made, rows))
    return made


def test_many_rows_are_marked_at_once_each_with_its_own(store: Store, ident: str):
    marks = [
        {"n": 1, "outcome": "undone"},
        {"n": 3, "outcome": "kept"},
        {"n": 4, "outcome": "new", "detail": {"a": [1]}},
    ]
    store.write_now(lambda tx: imports.mark_many(tx, ident, marks))
    store.write_now(lambda tx: imports.mark_many(tx, ident, []))
    found = store.read_now(lambda conn: imports.rows(conn, ident))
    assert [row["outcome"] for row in found] == ["undone", "filled", "kept", "new"]
    assert (found[3]["detail"], found[0]["record"]) == ({"a": [1]}, "ada")


def test_rows_in_both_directions_and_by_their_numbers(store: Store, ident: str):
    def read(conn: Any) -> list[list[int]]:
        back = imports.rows(conn, ident, after=3, backwards=True)
        on = imports.rows(conn, ident, after=3)
        last = imports.rows(conn, ident, backwards=True, limit=1)
        return [[row["n"] for row in part] for part in (back, on, last)]

    assert store.read_now(read) == [[2, 1], [4], [4]]
    assert store.read_now(lambda conn: imports.met(conn, ident)) == {"ada": [1, 2]}
    assert [row["n"] for row in store.read_now(lambda c: imports.numbered(c, ident, "review", [1, 4, 9]))] == [4]


def test_whom_identifiers_stand_for_also_after_a_merge_and_nobody_once_they_ended(store: Store):
    def fill(tx: Any) -> tuple[str, str]:
        one, two = (records.create(tx, "person", name, {"name": name}, why="test") for name in ("Ada", "A. Okafor"))
        event = tx.append("identity.linked", subject=one)
        links = [
            {"scheme": "email", "value": f"{n}@a.example", "record": record, "event": event.id, "evidence": {"n": n}}
            for n, record in ((1, one), (2, two))
        ]
        imports.link_many(tx, links)
        imports.link_many(tx, [])
        merges.point(tx, two, one)
        return one, two

    one, two = store.write_now(fill)
    keys = [("email", "1@a.example"), ("email", "2@a.example"), ("domain", "a.example")]
    found = store.read_now(lambda conn: imports.identified(conn, keys))
    assert found == {keys[0]: (one, "person"), keys[1]: (one, "person")}
    store.write_now(lambda tx: imports.unlink(tx, [one], "taken back"))
    assert store.read_now(lambda conn: imports.identified(conn, keys[:1])) == {}
    assert set(store.read_now(lambda conn: imports.raw_many(conn, [one, two, "none"]))) == {one, two}


def test_the_newest_mapping_that_a_person_chose_for_the_same_columns(store: Store):
    first, second = (begun(store, mapping=CHOSEN, name=name) for name in ("a.csv", "b.csv"))
    begun(store, mapping={**CHOSEN, "chosen": False})
    begun(store, mapping={**CHOSEN, "columns": ["Wer"]})
    here = store.read_now(lambda conn: imports.chosen_before(conn, "", CHOSEN["columns"]))
    assert here is not None
    assert here["id"] == second
    other = store.read_now(lambda conn: imports.chosen_before(conn, second, CHOSEN["columns"]))
    assert other is not None
    assert other["id"] == first
    assert store.read_now(lambda conn: imports.chosen_before(conn, "", ["Katze"])) is None


def test_a_list_goes_on_after_the_last_one_seen(store: Store):
    made = [begun(store, name=f"{n}.csv") for n in range(3)]
    first = store.read_now(lambda conn: imports.listed(conn, 2))
    place = (first[-1]["created"], first[-1]["id"])
    rest = store.read_now(lambda conn: imports.listed(conn, 2, place))
    assert [row["id"] for row in [*first, *rest]] == made[::-1]
