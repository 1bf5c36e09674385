"""Whatever is written before and while two records are merged, taking it back leaves what each alone would be."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soloist.engine.store import records
from soloist.engine.store.store import Store
from soloist.engine.store.tables import record_versions
from soloist.engine.store.tables import records as rows
from soloist.stages.records import merging

VALUES = st.one_of(st.text(max_size=8), st.lists(st.text(max_size=5), max_size=3), st.integers(0, 9), st.none())
FIELDS = st.dictionaries(st.sampled_from(["note", "tags_x", "n_x", "more_x"]), VALUES, min_size=1, max_size=3)
EDITS = st.lists(st.tuples(st.sampled_from([0, 1]), FIELDS), max_size=5)


def stored(store: Store, ident: str) -> tuple[Any, ...]:
    """The raw bytes of a record's row and of its history, without what the pointer itself is."""

    def read(conn: Any) -> tuple[Any, ...]:
        row = conn.execute(rows.select().where(rows.c.id == ident)).mappings().one()
        old = conn.execute(record_versions.select().where(record_versions.c.record == ident).order_by("version"))
        return dict(row), [dict(one) for one in old.mappings()]

    return store.read_now(read)


def edit(store: Store, ident: str, fields: dict[str, Any]) -> None:
    def work(tx: Any) -> None:
        now = records.get(tx.conn, ident)
        records.write(tx, ident, now["version"], fields, why="edit", actor="operator")

    store.write_now(work, full=False)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=EDITS, during=EDITS)
def test_both_are_byte_for_byte_what_they_were(store: Store, before: Any, during: Any) -> None:
    body = {"name": "Ada Okafor"}
    pair = [store.write_now(lambda tx: records.create(tx, "note_x", "Ada", body, why="test")) for _ in "ab"]
    for which, fields in before:
        edit(store, pair[which], fields)
    kept, other = (stored(store, ident) for ident in pair)
    row = store.write_now(lambda tx: merging.merge(tx, *pair, {}, who="operator"))
    for _, fields in during:  # what is written while merged goes to the kept one, and stays there
        edit(store, pair[0], fields)
    after = stored(store, pair[0])
    store.write_now(lambda tx: merging.unmerge(tx, row["id"], who="operator"))
    assert stored(store, pair[1]) == other
    assert stored(store, pair[0]) == after
    assert stored(store, pair[0])[1][: len(kept[1])] == kept[1]
    assert during or stored(store, pair[0]) == kept
