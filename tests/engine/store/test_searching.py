"""The full-text index: both stores find the same, nothing typed is an error, the index follows the journal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soloist.engine.store import conversations, records, searching, settings, tasks
from soloist.engine.store.store import Store
from tests.engine.store import databases


def index(store: Store) -> int:
    """Bring the index up to date; how many turns it took."""
    turns = 0
    while turn := store.read_now(lambda c: searching.gather(c, "2026-11-21T09:00:00.000000Z")):
        assert store.write_now(lambda tx, t=turn: searching.keep(tx, t))  # type: ignore[misc]
        turns += 1
    return turns


def found(store: Store, text: str, group: str = "messages") -> list[str]:
    query = searching.parsed(text)
    return [ref for _, ref in store.read_now(lambda c: searching.find(c, query, {group: 50})[group])]


def message(store: Store, text: str, *, at: str = "2026-11-20T08:00:00.000000Z", **more: Any) -> str:
    def work(tx: Any) -> str:
        conversation = conversations.open_new(tx, "mail", "subject")
        event = tx.append("mail.seen", source="mail", actor="outside")
        row = {"conversation": conversation, "event": event.id, "direction": "in", "at": at, "text": text}
        return conversations.add_past(tx, {**row, "sender": "ada@okafor-ceramics.example", **more})

    return store.write_now(work)


TEXT = "Wir möchten einen Online-Shop für unsere Töpferei, Straße 5. 東京で新しいサイト"
FINDS = ["möchten", "MOCHTEN", "topf", "Töpfe", "strasse", "STRAẞE", '"online shop"', "online-shop", "ada okafor", "5"]
FINDS += [
    "ceramics.example",
    "ada@okafor-ceramics.example",
    "新しい",
    "東京",
    "shop wir",
    '"online shop',
    "x' OR wir"[6:],
]
MISSES = [
    '"shop online"',
    "töpfern",
    '"topf"',
    "wir nicht",
    "京東",
    "NOT wir",
    "wir OR nothing",
    "messages",
    "_messages",
]


def test_what_is_found_and_what_is_not(store: Store) -> None:
    ident = message(store, TEXT, subject="Angebot")
    index(store)
    assert [text for text in FINDS if found(store, text) != [ident]] == []
    assert [text for text in MISSES if found(store, text)] == []


ODD = [
    '"',
    '""',
    "'",
    "(",
    "a AND",
    "NEAR(a b)",
    "*",
    "a*",
    "-a",
    "a:b",
    "^a",
    "{a}: b",
    "\\",
    "%",
    "\x00",
    "a\x00b",
    "💶",
]
ODD += ["x" * 10_000, '"' * 10_000, "a " * 5_000, "' OR 1=1 --", "words:a", "a & b | !c", "'a':*", "é" * 5_000, " ", ""]


@pytest.mark.parametrize("text", ODD)
def test_odd_input_is_no_error(store: Store, text: str) -> None:
    message(store, "a b c")
    index(store)
    found(store, text)
    store.read_now(lambda c: searching.count(c, searching.parsed(text), ["messages", "people"]))


@given(st.text(max_size=40), st.text(max_size=200))
def test_every_word_of_a_text_finds_it_again(text: str, more: str) -> None:
    for word in searching.words_of(text):
        assert searching.parsed(word).holds(word)
        assert word in searching.words_of(f"{text} {more}")


def test_a_change_replaces_what_was_indexed(store: Store) -> None:
    ident = store.write_now(lambda tx: records.create(tx, "person", "Ada", {"emails": ["a@old.example"]}, why="t"))
    index(store)
    store.write_now(lambda tx: records.write(tx, ident, 1, {"emails": ["a@new.example"]}, why="t"))
    index(store)
    assert (found(store, "old", "people"), found(store, "new", "people")) == ([], [ident])


def test_newest_first_and_by_pages(store: Store) -> None:
    made = [message(store, "site", at=f"2026-11-{day:02}T08:00:00.000000Z") for day in (3, 9, 1, 9, 5)]
    index(store)
    query = searching.parsed("site")
    first = store.read_now(lambda c: searching.find(c, query, {"messages": 3})["messages"])
    rest = store.read_now(lambda c: searching.find(c, query, {"messages": 3}, before=first[-1][0])["messages"])
    order = [made[n] for n in (1, 3, 4, 0, 2)]
    refs = [ref for _, ref in (*first, *rest)]
    assert (sorted(refs[:2]), refs[2:]) == (sorted(order[:2]), order[2:])


def test_a_card_and_a_lead_are_in_their_groups(store: Store) -> None:
    card = store.write_now(lambda tx: tasks.open_card(tx, "c1", "question", "What is this?", why="Nobody knows."))
    lead = store.write_now(lambda tx: records.create(tx, "lead", "Ada", {"questions": ["How long?"]}, why="t"))
    index(store)
    assert (found(store, "nobody", "cards"), found(store, "long", "leads")) == ([card], [lead])


def test_many_turns_leave_nothing_out_and_a_second_process_writes_nothing_twice(store: Store) -> None:
    for n in range(2 * searching.TURN + 20):
        store.write_now(lambda tx, n=n: records.create(tx, "person", f"Person {n}", {}, why="t"), full=False)  # type: ignore[misc]
    turn = store.read_now(lambda c: searching.gather(c, "2026-11-21T09:00:00.000000Z"))
    assert turn is not None
    assert index(store) == 3
    assert not store.write_now(lambda tx: searching.keep(tx, turn))
    assert store.read_now(lambda c: searching.count(c, searching.parsed("person"), ["people"])) == {"people": 420}
    assert store.read_now(searching.behind) == 0


def test_words_and_rows_stay_together(store: Store, url: str) -> None:
    ident = store.write_now(lambda tx: records.create(tx, "person", "Ada", {}, why="t"))
    index(store)
    for n in range(1, 4):
        store.write_now(lambda tx, n=n: records.write(tx, ident, n, {"note": f"word{n}"}, why="t"))  # type: ignore[misc]
        index(store)
    with databases.engine(url).connect() as conn:
        rows = conn.exec_driver_sql("SELECT count(*) FROM search_rows").scalar()
        words = conn.exec_driver_sql("SELECT count(*) FROM search_words").scalar()
    assert (rows, words) == (1, 1)


def test_a_home_without_a_mark_is_indexed_from_its_beginning(store: Store) -> None:
    ident = message(store, "from long ago")
    assert store.read_now(lambda c: settings.value(c, searching.MARK)) == ""
    index(store)
    assert found(store, "long ago") == [ident]
