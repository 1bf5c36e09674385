"""The one writer: a unit's fault is its own, many units are one commit, and every caller is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.engine.store import base, events, journal, runs, settings, writer
from soloist.engine.store.store import Store
from soloist.engine.store.tables import tokens
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput, StoreTrouble
from tests.engine.store import databases
from tests.engine.store.conftest import Opener


def _put(key: str) -> Callable[[Tx], None]:
    return lambda tx: settings.put(tx, key, "yes")


def _kept(store: Store, *keys: str) -> list[str]:
    return [key for key in keys if store.read_now(lambda c, key=key: settings.value(c, key))]  # type: ignore[misc]


def _fail(tx: Tx) -> None:
    settings.put(tx, "bad", "yes")
    tx.append("thing.done", subject="bad")
    tx.start("flow:bad", "flow", "bad")
    raise ValueError("this unit is wrong")


@contextmanager
def held(store: Store) -> Iterator[None]:
    """Keeps the writer busy, so that what is submitted meanwhile shares one commit."""
    inside, go = threading.Event(), threading.Event()

    def wait(_tx: Tx) -> None:
        inside.set()
        go.wait(10)

    blocked = store.writer.submit(wait)
    inside.wait(10)
    yield
    go.set()
    blocked.result(10)


def _commits(store: Store) -> list[int]:
    """Grows by one with each commit of the writer."""
    seen: list[int] = []
    for engine in (store._full, store._normal):
        sa.event.listen(engine, "commit", lambda _conn: seen.append(1))
    return seen


def test_failing_unit_does_not_hurt_its_neighbours(store: Store) -> None:
    with held(store):
        futures = [store.writer.submit(work) for work in (_put("a"), _fail, _put("b"))]
    assert isinstance(futures[1].exception(10), ValueError)
    assert _kept(store, "a", "bad", "b") == ["a", "b"]


def test_events_and_starts_of_a_failing_unit_vanish(store: Store) -> None:
    announced: list[list[str]] = []
    store.writer.on_starts = announced.append
    with held(store):
        store.writer.submit(_fail)
        store.writer.submit(lambda tx: tx.start("flow:good", "flow", "good")).add_done_callback(lambda _f: None)
    store.write_now(_put("later"))
    assert announced == [["flow:good"]]
    assert store.read_now(runs.pending_runs) == ["flow:good"]
    assert store.read_now(journal.head) == 0


def test_waiting_units_share_one_commit(store: Store) -> None:
    commits = _commits(store)
    with held(store):
        futures = [store.writer.submit(_put(f"key {n}")) for n in range(100)]
    assert [f.result(10) for f in futures] == [None] * 100
    assert len(commits) == 2  # the one that was held, and one for all hundred


def test_group_stops_at_its_limit(store: Store) -> None:
    commits = _commits(store)
    with held(store):
        futures = [store.writer.submit(_put("key")) for _ in range(300)]
    for future in futures:
        future.result(10)
    assert len(commits) == 3  # held, 256, 44


@pytest.mark.parametrize("full", [True, False])
def test_one_full_unit_makes_the_whole_commit_full(store: Store, full: bool) -> None:
    used: list[bool] = []
    sa.event.listen(store._full, "commit", lambda _conn: used.append(True))
    sa.event.listen(store._normal, "commit", lambda _conn: used.append(False))
    with held(store):
        futures = [store.writer.submit(_put("a"), full=False), store.writer.submit(_put("b"), full=full)]
    for future in futures:
        future.result(10)
    assert used[-1] is full


@pytest.mark.usefixtures("disk")
def test_two_classes_of_durability(store: Store) -> None:
    """FULL and NORMAL on SQLite; a local synchronous_commit on Postgres."""
    ask = "PRAGMA synchronous" if base.is_sqlite(store.url) else "SHOW synchronous_commit"
    seen = [store.write_now(lambda tx: tx.conn.exec_driver_sql(ask).scalar(), full=full) for full in (True, False)]
    assert seen == ([2, 1] if base.is_sqlite(store.url) else ["on", "off"])


def test_cancelled_unit_is_not_done(store: Store) -> None:
    with held(store):
        cancelled, kept = store.writer.submit(_put("cancelled")), store.writer.submit(_put("kept"))
        assert cancelled.cancel()
    kept.result(10)
    with pytest.raises(CancelledError):
        cancelled.result(10)
    assert _kept(store, "cancelled", "kept") == ["kept"]


async def test_write_from_an_event_loop_answers_there(store: Store) -> None:
    assert await store.write(lambda tx: len(tx.now)) == 27
    assert await store.read(lambda c: settings.value(c, "nothing")) == ""
    with pytest.raises(ValueError, match="wrong"):
        await store.write(_fail)


def test_failing_commit_answers_everyone(opener: Opener) -> None:
    def broken(_data: bytes) -> bytes:
        raise OSError("the key is gone")

    store = opener(sign=broken)
    with held(store):
        futures = [store.writer.submit(lambda tx: tx.append("thing.done")) for _ in range(3)]
    assert [str(f.exception(10)) for f in futures] == ["the key is gone"] * 3
    assert store.read_now(journal.head) == 0
    store.write_now(_put("a"))  # the writer lives on, and what needs no signature passes


def test_only_the_unit_that_spoils_the_journal_is_refused(store: Store) -> None:
    """The chain is written for all at once; a body that cannot be stored must not take the others with it."""
    with held(store):
        good = store.writer.submit(lambda tx: tx.append("thing.done", payload={"text": "good"}))
        bad = store.writer.submit(lambda tx: tx.append("thing.done", payload={"text": "\ud800"}))
        also = store.writer.submit(lambda tx: tx.append("thing.done", payload={"text": "also good"}))
    assert isinstance(bad.exception(10), BadInput)
    assert {good.result(10).seq, also.result(10).seq} == {1, 2}
    assert store.read_now(journal.head) == 2


def test_text_that_the_database_refuses_hurts_nobody_else(store: Store) -> None:
    with held(store):
        bad, good = store.writer.submit(lambda tx: settings.put(tx, "a", "\ud800")), store.writer.submit(_put("b"))
    assert bad.exception(10) is not None
    good.result(10)
    assert _kept(store, "a", "b") == ["b"]


def test_two_processes_that_insert_the_same_row_both_get_an_answer(opener: Opener) -> None:
    """Looking and then inserting is not safe against another process; the loser looks once more."""
    one, other = opener(), opener()
    first = threading.Event()

    def look_and_insert(tx: Tx) -> str:
        if tx.conn.execute(sa.select(tokens.c.id).where(tokens.c.name == "n8n")).first() is not None:
            return "there already"
        if not first.is_set():
            first.set()
            if not base.is_sqlite(one.url):  # SQLite lets nobody in between
                other.write_now(look_and_insert)
        tx.run(tokens.insert(), {"id": tx.new_id(), "name": "n8n"})
        return "inserted"

    answers = [one.write_now(look_and_insert), other.write_now(look_and_insert)]
    assert sorted(set(answers)) in (["inserted", "there already"], ["there already"])
    assert one.read_now(lambda c: c.execute(sa.select(sa.func.count()).select_from(tokens)).scalar()) == 1


class Deadlock(Exception):
    """As the library of Postgres tells it."""

    sqlstate = "40P01"


def test_a_unit_that_postgres_ends_again_and_again_comes_through(store: Store) -> None:
    """Each time another process waited for what this one had; whoever asked hears nothing of it."""
    left = [sa.exc.OperationalError("x", {}, Deadlock()) for _ in range(writer.RACES)]

    def work(tx: Tx) -> None:
        if left:
            raise left.pop()
        settings.put(tx, "through", "1")

    store.write_now(work)
    assert _kept(store, "through") == ["through"]


def test_fault_that_stays_is_told_as_it_is(store: Store) -> None:
    """A row that is there and stays there is the caller's fault, not a race."""
    store.write_now(lambda tx: tx.run(tokens.insert(), {"id": "1", "name": "n8n"}) and None)
    with pytest.raises(sa.exc.IntegrityError):
        store.write_now(lambda tx: tx.run(tokens.insert(), {"id": "2", "name": "n8n"}) and None)


def test_trouble_below_is_one_sentence_and_the_writer_lives_on(store: Store) -> None:
    """A full disk on SQLite; on Postgres the server ends the writer's connection."""
    (_full_disk if base.is_sqlite(store.url) else _lost_connection)(store)
    store.write_now(_put("small"))
    assert _kept(store, "lost", "small") == ["small"]


def _full_disk(store: Store) -> None:
    pages = store.write_now(lambda tx: tx.conn.exec_driver_sql("PRAGMA page_count").scalar())
    store.write_now(lambda tx: tx.conn.exec_driver_sql(f"PRAGMA max_page_count={pages}") and None)
    with pytest.raises(StoreTrouble, match=r"disk is full.*Nothing was written; free some space"):
        store.write_now(lambda tx: settings.put(tx, "lost", "x" * 1_000_000))
    store.write_now(lambda tx: tx.conn.exec_driver_sql("PRAGMA max_page_count=1000000") and None)


def _lost_connection(store: Store) -> None:
    def cut(tx: Tx) -> None:
        settings.put(tx, "lost", "x")
        tx.conn.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(StoreTrouble, match="Nothing was written"):
        store.write_now(cut)


def test_close_finishes_what_is_queued_and_refuses_the_rest(store: Store) -> None:
    with held(store):
        futures = [store.writer.submit(_put(f"key {n}")) for n in range(5)]
        closing = threading.Thread(target=store.writer.close)
        closing.start()
        while not store.writer._closed:
            pass
        late = store.writer.submit(_put("late"))
    closing.join(60)
    assert [f.result(60) for f in futures] == [None] * 5
    assert isinstance(late.exception(60), StoreTrouble)
    assert _kept(store, "key 4", "late") == ["key 4"]


def test_start_is_once_and_shows_in_its_own_transaction(store: Store) -> None:
    def twice(tx: Tx) -> list[bool]:
        return [tx.start("flow:1", "flow", "1", subject="s", parent="p"), tx.start("flow:1", "flow", "1")]

    assert store.write_now(twice) == [True, False]
    assert store.write_now(twice) == [False, False]
    row = store.read_now(lambda c: runs.get(c, "flow:1"))
    assert (row["flow"], row["input"], row["subject"], row["parent"], row["state"]) == (
        "flow",
        "1",
        "s",
        "p",
        "pending",
    )


def test_starts_are_announced_after_the_commit(store: Store) -> None:
    seen: list[Any] = []
    store.writer.on_starts = lambda found: seen.append((found, store.read_now(runs.pending_runs)))
    store.write_now(lambda tx: tx.start("flow:1", "flow", "1"))
    store.write_now(_put("after"))
    assert seen == [(["flow:1"], ["flow:1"])]


def test_starter_that_is_gone_does_not_stop_the_writer(store: Store) -> None:
    def gone(_runs: list[str]) -> None:
        raise RuntimeError("Event loop is closed")

    store.writer.on_starts = gone
    store.write_now(lambda tx: tx.start("flow:1", "flow", "1"))
    store.write_now(_put("after"))
    assert _kept(store, "after") == ["after"]


def test_message_is_part_of_the_transaction(store: Store) -> None:
    """The sender gets the open connection, so that a failing unit sends nothing."""
    store.writer.send = lambda conn, run, topic, message: conn.execute(
        tokens.insert(), {"id": run, "name": topic, "scopes": [message]}
    )

    def fail(tx: Tx) -> None:
        tx.send("run 1", "decided", "p1")
        raise ValueError("no")

    with held(store):
        bad, good = store.writer.submit(fail), store.writer.submit(lambda tx: tx.send("run 2", "decided", "p2"))
    assert bad.exception(10) is not None
    good.result(10)
    assert store.read_now(lambda c: c.execute(sa.select(tokens.c.id)).scalars().all()) == ["run 2"]


def test_reader_sees_one_snapshot(store: Store) -> None:
    store.write_now(_put("a"))

    def look(conn: sa.Connection) -> list[str]:
        before = settings.value(conn, "b")
        store.write_now(_put("b"))
        return [before, settings.value(conn, "b")]

    assert store.read_now(look) == ["", ""]
    assert _kept(store, "b") == ["b"]


def test_reader_cannot_write(store: Store) -> None:
    if base.is_sqlite(store.url):
        with pytest.raises(sa.exc.DBAPIError, match="readonly"):
            store.read_now(lambda c: c.execute(tokens.insert(), {"id": "1", "name": "n"}))
    else:
        store.read_now(lambda c: c.execute(tokens.insert(), {"id": "1", "name": "n"}))  # never committed
    assert store.read_now(lambda c: c.execute(sa.select(tokens.c.id)).first()) is None


def test_append_fills_place_and_hash_at_the_commit(store: Store) -> None:
    event = store.write_now(
        lambda tx: tx.append("thing.done", subject="s", payload={"b": 1, "a": "ä"}, actor="operator")
    )
    stored = store.read_now(lambda c: events.get(c, event.id))
    assert (event.seq, len(event.hash)) == (1, 64)
    assert (stored["hash"], stored["payload"], stored["actor"]) == (event.hash, {"a": "ä", "b": 1}, "operator")


@pytest.mark.usefixtures("disk")
def test_log_of_a_file_has_its_room_before_it_is_needed(tmp_path: Path) -> None:
    """It is as long as it will get after a few commits, also when somebody has emptied it; nothing is in the room."""
    store = Store(databases.migrated("sqlite", tmp_path))
    file = str(sa.make_url(store.url).database)
    log, other = Path(f"{file}-wal"), base.sqlite_module().connect(file)
    for _ in range(2):
        for n in range(writer.ROOM_EVERY):
            store.write_now(_put(f"key {n}"))
        store.write_now(_put("after"))
        assert log.stat().st_size >= 1000 * 4096
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall() == [(0, 0, 0)]
    assert not store.read_now(lambda c: sa.inspect(c).has_table("room"))
    assert _kept(store, "key 15", "after") == ["key 15", "after"]
    other.close()
    store.close()
