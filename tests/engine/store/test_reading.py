"""Pages and counts of the read side: the same rows in the same order on both stores, none twice, none left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from soloist.engine.store import proposals as proposal_rows
from soloist.engine.store import reading, records, runs, tabling, tasks
from soloist.engine.store.store import Store
from soloist.engine.store.tabling import Asked
from tests.engine.store.conftest import Opener

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(opener: Opener) -> Iterator[Store]:
    """Every second commit falls into the same instant as the one before."""
    ticks = iter(range(10_000))
    return opener(clock=lambda: START + timedelta(seconds=next(ticks) // 2))


def pages(store: Store, ask: Any, mark: Any, start: Any) -> list[str]:
    """All ids, three at a time."""
    found: list[str] = []
    at = start
    while rows := store.read_now(lambda c, at=at: ask(c, at)):  # type: ignore[misc]
        found += [row["id"] for row in rows]
        at = mark(rows[-1])
    return found


def test_records_by_pages(store: Store) -> None:
    made = [store.write_now(lambda tx: records.create(tx, "person", "Ada", {}, why="test")) for _ in range(10)]
    found = pages(
        store, lambda c, at: records.listed(c, "person", before=at, limit=3), lambda r: (r["updated"], r["id"]), None
    )
    assert (len(found), set(found)) == (10, set(made))
    assert store.read_now(lambda c: records.listed(c, "company", before=None, limit=3)) == []


def test_cards_by_pages(store: Store) -> None:
    for n in range(10):
        store.write_now(lambda tx, n=n: tasks.open_card(tx, f"card {n}", "approval", "Send?"))  # type: ignore[misc]
    found = pages(
        store, lambda c, at: tasks.cards(c, "open", after=at, limit=3), lambda r: (r["created"], r["id"]), ("", "")
    )
    assert found == [f"card {n}" for n in range(10)]


def test_runs_by_pages(store: Store) -> None:
    for n in range(10):
        store.write_now(lambda tx, n=n: tx.start(f"run {n}", "flow", str(n), parent="run 0" if n else ""))  # type: ignore[misc]
    found = pages(store, lambda c, at: runs.listed(c, before=at, limit=3), lambda r: (r["started"], r["id"]), None)
    assert found == [f"run {n}" for n in range(9, -1, -1)]
    assert len(store.read_now(lambda c: reading.children(c, "run 0"))) == 9


def test_proposals_by_pages(store: Store) -> None:
    row = {
        "connector": "mail",
        "operation": "mail.send",
        "payload": {},
        "payload_hash": "h",
        "reason": "r",
        "run": "r1",
    }
    for n in range(7):
        store.write_now(lambda tx, n=n: proposal_rows.insert(tx, {**row, "id": f"p{n}"}, actor="test"))  # type: ignore[misc]
    found = pages(
        store,
        lambda c, at: proposal_rows.listed(c, "waiting", after=at, limit=3),
        lambda r: (r["created"], r["id"]),
        ("", ""),
    )
    assert found == [f"p{n}" for n in range(7)]
    assert [p["id"] for p in store.read_now(lambda c: reading.proposals_of_run(c, "r1"))] == found


def test_events_before_a_place(store: Store) -> None:
    for n in range(9):
        store.write_now(lambda tx, n=n: tx.append(("a.b", "c.d", "e.f")[n % 3], payload={"n": n}))  # type: ignore[misc]

    def seqs(*args: Any) -> list[int]:
        return [event["seq"] for event in store.read_now(lambda c: reading.before(c, *args))]

    assert seqs(0, 3) == [9, 8, 7]
    assert seqs(7, 3) == [6, 5, 4]
    assert seqs(0, 4, ["a.b", "c.d"]) == [8, 7, 5, 4]
    assert store.read_now(lambda c: reading.counts_since(c, ("a.b", "none"), 1)) == {"a.b": 2, "none": 0}
    assert store.read_now(reading.last_seq) == 9


@pytest.mark.parametrize(
    ("text", "found"), [("OKAFOR", 1), ("ökologisch", 1), ("100%", 1), ("_", 0), ("%", 1), ("\\", 0), ("nothing", 0)]
)
def test_search_takes_the_text_as_it_is(store: Store, text: str, found: int) -> None:
    for title in ("Ada Okafor", "Ökologische Keramik", "Rabatt 100%"):
        store.write_now(lambda tx, t=title: records.create(tx, "person", t, {}, why="test"))  # type: ignore[misc]
    rows = store.read_now(lambda c: tabling.rows(c, Asked("person", text), after=None, limit=9))
    assert len(rows) == found


@pytest.mark.parametrize(
    ("text", "found"), [("grüße", [1]), ("GRÜSSE", []), ("50% off", [2]), ("50_ off", []), ("outside", [1, 2])]
)
def test_search_in_the_activity(store: Store, text: str, found: list[int]) -> None:
    for words in ("Schöne Grüße", "50% off"):
        store.write_now(lambda tx, w=words: tx.append("message.received", payload={"text": w}, actor="outside"))  # type: ignore[misc]
    rows = store.read_now(lambda c: reading.searched(c, text, 0, 9))
    assert sorted(row["seq"] for row in rows) == found


def test_sleeping_cards_do_not_wait(store: Store) -> None:
    for ident, until in (
        ("awake", ""),
        ("slept", "2026-11-21T08:00:00.000000Z"),
        ("asleep", "2026-11-22T08:00:00.000000Z"),
    ):
        store.write_now(lambda tx, i=ident, u=until: tasks.open_card(tx, i, "approval", "Send?", snoozed_until=u))  # type: ignore[misc]
    now = "2026-11-21T09:00:00.000000Z"
    assert [card["id"] for card in store.read_now(lambda c: reading.waiting(c, now))] == ["awake", "slept"]
    assert store.read_now(lambda c: reading.waiting_count(c, now)) == 2


def test_counts_stop_at_their_cap(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CAP", 5)
    store.write_now(lambda tx: [tx.append("a.b") for _ in range(8)] and None)
    assert store.read_now(lambda c: reading.counts_since(c, ("a.b",), 0)) == {"a.b": 5}


@pytest.mark.parametrize("noun", sorted(reading._NOUNS))
def test_every_noun_can_be_named(store: Store, noun: str) -> None:
    assert store.read_now(lambda c: reading.named(c, noun, ["nothing"])) == {}
    assert store.read_now(lambda c: reading.named(c, noun, [])) == {}


def test_what_came_after_a_place_and_who_sleeps_until_when(store: Store) -> None:
    for ident, until in (("a", ""), ("b", "2026-11-23T08:00:00.000000Z"), ("c", "2026-11-22T08:00:00.000000Z")):
        store.write_now(lambda tx, i=ident: tasks.open_card(tx, i, "question", "What is this?"))  # type: ignore[misc]
        if until:
            store.write_now(lambda tx, i=ident, u=until: tasks.snooze(tx, i, u, actor="operator"))  # type: ignore[misc]
    newest, kinds = store.read_now(lambda c: reading.kinds_after(c, 0))
    assert (newest, kinds.count("card.opened"), kinds.count("card.deferred")) == (5, 3, 2)
    assert store.read_now(lambda c: reading.kinds_after(c, newest)) == (newest, [])
    assert store.read_now(lambda c: reading.kinds_after(c, 0, limit=2))[0] == newest
    assert store.read_now(lambda c: tasks.next_awake(c, "2026-11-21T09:00:00.000000Z")).startswith("2026-11-22")
    assert store.read_now(lambda c: tasks.next_awake(c, "2026-11-24T09:00:00.000000Z")) == ""
