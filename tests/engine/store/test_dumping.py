"""Every table out and in again, also from one database to the other."""

from pathlib import Path
from typing import Any

import pytest

from soloist.engine.store import assets, dumping, imports, journal, migrate, records, tasks
from soloist.engine.store.store import Store
from soloist.kernel.errors import BadInput, Conflict, NotFound
from tests.engine.store import databases


def fill(store: Store) -> None:
    """Rows of many kinds, with odd letters, null, numbers, bytes and a value that looks like bytes."""
    odd = {"name": "Zoë 'Q'\n\u2028", "tags": ["b", "A"], "note": '{"base64": "QQ=="}'}

    def work(tx: Any) -> None:
        for title in ("b", "A", "ä", "_x"):
            ident = records.create(tx, "person", title, {**odd, "website": "https://x.example"}, why="test")
            records.link(tx, "email", f"{title}@x.example", ident, rule="t", evidence={"base64": "QQ=="})
        assets.keep(tx, b"\x00\xff", "image/png", "")
        tasks.open_card(tx, "card", "task", "Look", subject="x", detail=None, options=[tasks.LATER])
        imports.create(tx, {"state": "reading", "format": "", "kind": "", "name": "n", "asset": ""}, who="operator")

    store.write_now(work)


def dumped(store: Store) -> dict[str, bytes]:
    def read(conn: Any) -> dict[str, bytes]:
        return {name: b"".join(map(dumping.line, dumping.rows(conn, name))) for name in dumping.names()}

    return store.read_now(read)


def rows(store: Store) -> list[tuple[str, Any]]:
    names = dumping.names()
    found = store.read_now(lambda conn: {name: list(dumping.rows(conn, name)) for name in names})
    return [(name, iter(found[name])) for name in names]


@pytest.mark.parametrize("other", databases.KINDS)
def test_the_same_bytes_come_out_of_either_database(store: Store, other: str, tmp_path: Path):
    fill(store)
    url = databases.empty(other, tmp_path)
    count = dumping.fill(url, migrate.HEAD, rows(store))
    again = Store(url)
    assert dumped(again) == dumped(store)
    assert count == sum(text.count(b"\n") for text in dumped(store).values())
    assert again.read_now(lambda conn: journal.verify(conn, lambda *_: True)).faults == []
    again.close()


def test_a_table_or_column_nobody_knows_is_refused_and_nothing_is_written(kind: str, tmp_path: Path):
    for wrong in ([("secrets", iter([]))], [("nonsense", iter([]))], [("meta", iter([{"key": "a", "evil": 1}]))]):
        with pytest.raises(BadInput, match="Nothing was taken in"):
            dumping.fill(databases.migrated(kind, tmp_path), migrate.HEAD, wrong)


def test_secrets_and_what_belongs_to_a_machine_are_not_dumped():
    assert not {"secrets", "tokens", "sessions", "operators", "links", "decision_codes"} & set(dumping.names())


def test_rows_of_an_import_in_both_directions(store: Store):
    values = {"state": "reading", "format": "csv", "kind": "person", "name": "n", "asset": ""}
    ident = store.write_now(lambda tx: imports.create(tx, values, who="operator"))
    lines = [{"n": n, "given": {"line": n}, "outcome": "new" if n % 2 else "read"} for n in range(1, 6)]
    store.write_now(lambda tx: imports.put_rows(tx, ident, lines))
    store.write_now(lambda tx: imports.put_rows(tx, ident, lines[:2]))
    found = store.read_now(lambda conn: imports.rows(conn, ident, outcomes=["new"], backwards=True))
    assert [row["n"] for row in found] == [5, 3, 1]
    assert store.read_now(lambda conn: imports.counts(conn, ident)) == {"new": 3, "read": 2}
    assert [row["n"] for row in store.read_now(lambda conn: imports.rows(conn, ident, after=3))] == [4, 5]


def test_an_import_in_another_state_is_left_alone(store: Store):
    values = {"state": "done", "format": "csv", "kind": "person", "name": "n", "asset": ""}
    ident = store.write_now(lambda tx: imports.create(tx, values, who="operator"))
    with pytest.raises(Conflict, match="is done by now"):
        store.write_now(lambda tx: imports.hold(tx, ident, "taking"))
    for read in (lambda conn: imports.get(conn, "none"), lambda conn: imports.row(conn, ident, 1)):
        with pytest.raises(NotFound):
            store.read_now(read)


def test_names_are_found_without_case_and_never_the_retired(store: Store):
    def work(tx: Any) -> str:
        records.create(tx, "company", "Gone GmbH", {"name": "Gone GmbH"}, state="retired", why="t")
        return records.create(tx, "company", "Okafor Ceramics", {"name": "Okafor Ceramics"}, why="t")

    ident = store.write_now(work)
    found = store.read_now(lambda conn: imports.named(conn, "company", ["OKAFOR ceramics", "gone gmbh", "none", ""]))
    assert found == {"okafor ceramics": [ident]}
