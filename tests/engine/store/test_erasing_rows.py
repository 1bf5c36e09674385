"""The rows of an erasure on both stores: what is theirs goes, what names them elsewhere is struck, the chain holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.store import conversations, effects, erased, erasing, journal, memories, records, snapshots
from soloist.engine.store.store import Store
from soloist.engine.store.tables import effects as effect_rows
from soloist.engine.store.tables import events, messages, proposals
from soloist.engine.store.tables import records as record_rows
from soloist.engine.store.tables_memory import memories as memory_rows
from soloist.engine.store.traces import Trace
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.memory import NewMemory

NAME, ADDRESS = "Zebulon Quartzmire", "zeb@quartzmire.example"
SECRET = b"k" * 32


@pytest.fixture
def people(store: Store) -> dict[str, str]:
    """Zebulon, and Ada whose row names him."""

    def work(tx: Any) -> dict[str, str]:
        zeb = records.create(tx, "custom", "x", {}, why="x")
        tx.run(record_rows.update().values(kind="person", title=NAME, body={"emails": [ADDRESS]}))
        ada = records.create(tx, "other", f"Ada, not {NAME}", {"note": f"met\n{NAME}", "left": "tea"}, why="x")
        records.link(tx, "email", ADDRESS, zeb, rule="email", evidence={})
        thread = conversations.open_new(tx, "mail", "hello")
        row = {"conversation": thread, "event": "", "direction": "in", "at": tx.now, "sender": ADDRESS.upper()}
        message = conversations.add(tx, {**row, "text": f"I am {NAME}"})
        tx.append("message.received", subject=message, payload={"from": ADDRESS}, external_id=f"<1@{ADDRESS}>")
        memories.add(tx, [NewMemory(f"{NAME} pays late", record=zeb), NewMemory(f"Ada saw {NAME}")], actor="x")
        return {"zeb": zeb, "ada": ada, "message": message}

    return store.write_now(work)


def take(store: Store, asked: str, folder: Path) -> erasing.Subject:
    """One erasure as far as the database goes."""
    who = store.read_now(lambda conn: erasing.subject(conn, asked))

    def work(tx: Any) -> None:
        erased.begin(tx, "e1", who="operator", why="", keys=erased.keys(who.traces, SECRET), records=who.records)
        done = erasing.take_out(tx, who, erasure="e1", keyed="k", actor="operator", folder=folder)
        erased.took(tx, "e1", done, sealed="", subject="k")

    store.write_now(work)
    return who


def everything(conn: Any) -> str:
    """Every text of every table of ours but the row of the erasure."""
    found = []
    for table in record_rows.metadata.sorted_tables:
        found += [str(row) for row in conn.execute(sa.select(table))]
    return "\n".join(found)


def test_nothing_is_left_in_any_table(store: Store, people: dict[str, str], tmp_path: Path) -> None:
    take(store, ADDRESS, tmp_path)
    text = store.read_now(everything).lower()
    assert NAME.lower() not in text
    assert ADDRESS not in text
    ada = store.read_now(lambda conn: records.get(conn, people["ada"]))
    assert (ada["title"], ada["body"]) == ("Ada, not [erased]", {"note": "met\n[erased]", "left": "tea"})
    kept = store.read_now(lambda conn: conn.execute(sa.select(memory_rows.c.text)).scalars().all())
    assert kept == ["Ada saw [erased]"]


def test_the_chain_holds_and_a_later_change_shows(store: Store, people: dict[str, str], tmp_path: Path) -> None:
    take(store, NAME, tmp_path)
    check = lambda: store.read_now(lambda conn: journal.verify(conn, lambda *_: True))  # noqa: E731
    assert check().faults == []
    assert check().erased >= 2
    store.write_now(lambda tx: tx.run(events.update().where(events.c.external_id.like("%erased%")).values(actor="eve")))
    assert any("another one than after its erasure" in fault for fault in check().faults)


def test_what_is_on_its_way_out_hinders(store: Store, people: dict[str, str], tmp_path: Path) -> None:
    def work(tx: Any) -> None:
        tx.run(
            proposals.insert(), {"id": "p", "record": people["zeb"], "state": "approved", "payload": {"to": ADDRESS}}
        )
        tx.run(effect_rows.insert(), {"id": "f", "proposal": "p", "group": "all", "state": "attempting"})

    store.write_now(work)
    with pytest.raises(Conflict, match="attempting"):
        take(store, ADDRESS, tmp_path)
    assert store.read_now(lambda conn: records.get(conn, people["zeb"]))["title"] == NAME
    store.write_now(lambda tx: tx.run(effect_rows.update().values(state="succeeded")))
    take(store, ADDRESS, tmp_path)
    assert store.read_now(lambda conn: effects.get(conn, "f"))["state"] == "succeeded"
    row = store.read_now(lambda conn: conn.execute(sa.select(proposals.c.payload)).scalar())
    assert row == {"erased": True}


def test_they_are_known_again_by_hashes(store: Store, people: dict[str, str], tmp_path: Path) -> None:
    given = [Trace("name", NAME), Trace("address", ADDRESS), Trace("text", "pays late")]
    line = {"records": [], "keys": erased.keys(given, SECRET)}
    found = store.read_now(lambda conn: erased.derived(conn, line, SECRET))
    assert {trace.plain for trace in found.traces} == {NAME.lower(), ADDRESS, "pays late"}
    assert store.read_now(lambda conn: erased.derived(conn, line, b"other" * 8)).traces == []


def test_only_people_are_erased(store: Store, people: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="of the kind other"):
        take(store, people["ada"], tmp_path)


def test_others_in_the_thread_keep_their_messages(store: Store, people: dict[str, str], tmp_path: Path) -> None:
    def work(tx: Any) -> str:
        thread = conversations.message(tx.conn, people["message"])["conversation"]
        tx.run(conversations.conversations.update().values(record=people["zeb"]))
        row = {"conversation": thread, "event": "", "direction": "in", "at": tx.now, "sender": "ben@other.example"}
        return conversations.add(tx, {**row, "text": f"{NAME} asked me to write"})

    bens = store.write_now(work)
    take(store, ADDRESS, tmp_path)
    query = sa.select(messages.c.id, messages.c.text)
    texts = {row.id: row.text for row in store.read_now(lambda conn: conn.execute(query).all())}
    assert texts == {people["message"]: "", bens: "[erased] asked me to write"}


def test_a_snapshot_says_that_something_was_erased(store: Store, people: dict[str, str], tmp_path: Path) -> None:
    made = store.write_now(lambda tx: snapshots.make(tx, "before", actor="operator"))
    take(store, ADDRESS, tmp_path)
    found = store.read_now(lambda conn: snapshots.verify(conn, made["id"]))
    assert (found["same"], found["gone"]["erasures"]) == (False, 1)
