"""Records: every write names the version it read, identities are live once, and history keeps every version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from soloist.engine.store import assets, conversations, proposals, records, secrets
from soloist.engine.store.store import Store
from soloist.engine.store.tables import assets as asset_rows
from soloist.kernel.errors import Conflict, NotFound, StaleVersion
from tests.engine.store import databases


def create(store: Store, body: dict[str, Any]) -> str:
    return store.write_now(lambda tx: records.create(tx, "person", "Ada Okafor", body, why="test"))


def write(store: Store, ident: str, version: int, body: dict[str, Any]) -> dict[str, Any]:
    return store.write_now(lambda tx: records.write(tx, ident, version, body, why="test"))


def test_a_stale_write_carries_both_versions_and_changes_nothing(store: Store) -> None:
    ident = create(store, {"city": "Lagos"})
    write(store, ident, 1, {"city": "Hamburg"})
    with pytest.raises(StaleVersion) as caught:
        write(store, ident, 1, {"city": "Berlin"})
    assert (caught.value.extra["current"]["version"], caught.value.extra["expected"]) == (2, 1)
    assert store.read_now(lambda conn: records.get(conn, ident))["body"] == {"city": "Hamburg"}


def test_history_keeps_every_version_newest_first(store: Store) -> None:
    ident = create(store, {"n": 0})
    for version in (1, 2, 3):
        write(store, ident, version, {"n": version})
    history = store.read_now(lambda conn: records.history(conn, ident))
    assert [(row["version"], row["body"]["n"]) for row in history] == [(4, 3), (3, 2), (2, 1), (1, 0)]


def test_lists_go_on_after_the_last_one_seen(store: Store) -> None:
    for n in range(5):
        create(store, {"n": n})
    first = store.read_now(lambda conn: records.listed(conn, "person", before=None, limit=3))
    mark = (first[-1]["updated"], first[-1]["id"])
    rest = store.read_now(lambda conn: records.listed(conn, "person", before=mark, limit=3))
    assert len({row["id"] for row in (*first, *rest)}) == 5


def test_an_identifier_that_is_taken_stays_where_it_is(store: Store) -> None:
    one, two = create(store, {}), create(store, {})
    for record in (one, two):
        store.write_now(lambda tx, r=record: records.link(tx, "email", "ada@okafor", r, rule="email", evidence={}))
    assert store.read_now(lambda conn: records.identified(conn, "email", "ada@okafor")) == one


def test_threads_are_found_by_ids_then_by_sender_and_subject(store: Store) -> None:
    message = {"direction": "in", "at": "2026-11-21T09:00:00.000000Z", "sender": "ada@o.example", "text_hash": "h"}

    def work(tx: Any) -> str:
        talk = conversations.open_new(tx, "mail", "logo")
        conversations.add(tx, {**message, "conversation": talk, "message_id": "m1"})
        return talk

    talk = store.write_now(work)

    def found(conn: Any) -> list[str | None]:
        return [
            conversations.by_message_ids(conn, ["x", "m1"]),
            conversations.by_message_ids(conn, ["x"]),
            conversations.by_sender_and_subject(conn, "ada@o.example", "logo", "2026-11-20"),
            conversations.by_sender_and_subject(conn, "ada@o.example", "logo", "2026-11-22"),
        ]

    assert store.read_now(found) == [talk, None, talk, None]
    assert store.read_now(lambda conn: conversations.duplicate(conn, "m1", "h")) is not None
    assert store.read_now(lambda conn: conversations.duplicate(conn, "", "h")) is None


@pytest.mark.parametrize("size", [10, assets.IN_ROW + 1])
def test_an_asset_that_was_changed_outside_is_not_used(store: Store, tmp_path: Path, size: int) -> None:
    data = b"x" * size
    path = assets.write_file(tmp_path, data)
    digest = store.write_now(lambda tx: assets.keep(tx, data, "text/plain", path))
    assert store.read_now(lambda conn: assets.load(conn, tmp_path, digest)) == data
    if path:
        (tmp_path / path).write_bytes(b"y" * size)
    else:
        store.write_now(lambda tx: tx.run(asset_rows.update().values(bytes=b"y" * size)) and None)
    with pytest.raises(NotFound, match="changed outside"):
        store.read_now(lambda conn: assets.load(conn, tmp_path, digest))


def test_a_secret_is_replaced_and_never_in_the_journal(store: Store) -> None:
    for sealed in (b"one", b"two"):
        store.write_now(lambda tx, s=sealed: secrets.put(tx, "shop", s))
    assert store.read_now(lambda conn: secrets.get(conn, "shop")) == b"two"
    with pytest.raises(NotFound, match="soloist secret set"):
        store.read_now(lambda conn: secrets.get(conn, "bank"))


def test_a_proposal_moves_only_along_its_life(store: Store) -> None:
    row = {"id": "p", "connector": "mail", "operation": "mail.send", "payload": {}, "payload_hash": "h", "reason": "r"}
    store.write_now(lambda tx: proposals.insert(tx, row, actor="test"))
    store.write_now(lambda tx: proposals.move(tx, "p", "rejected", actor="operator"))
    with pytest.raises(Conflict, match="cannot become approved"):
        store.write_now(lambda tx: proposals.move(tx, "p", "approved", actor="operator"))


class Writers(RuleBasedStateMachine):
    """Several writers with views of different age: a write succeeds exactly when it names the newest version."""

    folder: Path
    kind = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(databases.migrated(self.kind, self.folder))
        self.ident = create(self.store, {"n": 0})
        self.truth, self.seen = [0], [1, 1, 1, 1]

    @rule(who=st.integers(0, 3))
    def look(self, who: int) -> None:
        self.seen[who] = self.store.read_now(lambda conn: records.get(conn, self.ident))["version"]

    @rule(who=st.integers(0, 3), value=st.integers())
    def write(self, who: int, value: int) -> None:
        if self.seen[who] == len(self.truth):
            self.seen[who] = write(self.store, self.ident, self.seen[who], {"n": value})["version"]
            self.truth.append(value)
        else:
            with pytest.raises(StaleVersion):
                write(self.store, self.ident, self.seen[who], {"n": value})

    @invariant()
    def the_newest_write_is_read(self) -> None:
        row = self.store.read_now(lambda conn: records.get(conn, self.ident))
        assert (row["version"], row["body"]["n"]) == (len(self.truth), self.truth[-1])

    def teardown(self) -> None:
        self.store.close()


def test_no_update_is_lost(tmp_path: Path, kind: str) -> None:
    Writers.folder, Writers.kind = tmp_path, kind
    Writers.TestCase.settings = settings(max_examples=8, stateful_step_count=25)
    Writers.TestCase("runTest").debug()
