"""Answers are logged and found again bit for bit: after a restart, later writes, another model, a collection."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from soloist.engine.recall import index
from soloist.engine.store import embeddings, memories, retrievals
from soloist.engine.store.store import Store
from soloist.flows.embedding import PLAIN, Embedding
from soloist.kernel.errors import BadInput, TooLarge
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import Memory, Search
from tests.stages.memory.small_memory import Model, embedded, memory

WORDS = "kiln glaze invoice Friday offer logo Hamburg paid late studio photo call meeting clay draft".split()
QUESTIONS = ("Who paid the invoice?", "Mara's meeting about the logo", "late glaze", '"kiln glaze"', "call in March")


def some(chance: random.Random, count: int) -> list[NewMemory]:
    return [
        NewMemory(
            text=" ".join(chance.choices(WORDS, k=chance.randint(1, 9))),
            scope=chance.choice(("one", "two")),
            tier=chance.choice(("session", "canonical", "working")),
            actor=chance.choice(("Mara", "Ada", "")),
            thread=f"t{chance.randint(1, 5)}",
            ordinal=chance.randint(0, 9),
            at=f"2026-{chance.randint(1, 9):02}-11T08:00:00.000000Z",
        )
        for _ in range(count)
    ]


async def history(store: Store, opened: Memory, seed: int, steps: int = 12) -> list[tuple[Search, Any]]:
    """Writes, ends and questions in turn; the questions with what was answered."""
    chance, ids, told = random.Random(seed), [], []
    for _ in range(steps):
        ids += await opened.remember(some(chance, chance.randint(1, 20)), actor="test")
        gone = chance.sample(ids, min(len(ids), chance.randint(0, 3)))
        await store.write(lambda tx, gone=gone: memories.end(tx, gone, why="test", actor="test"))
        await embedded(store, opened)
        scopes = chance.choice(((), ("one",), ("one", "two")))
        search = Search(chance.choice(QUESTIONS), k=8, scopes=scopes, tiers=chance.choice(((), ("session",))))
        told.append((search, await opened.search(search)))
    return told


def shown(found: Any) -> list[tuple[Any, ...]]:
    return [(item["id"], item["version"], item["score"], item["parts"]) for item in found.items]


@pytest.fixture(params=["whole", "candidates"])
def ranked(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small masks are ranked whole; with the limit at nothing every question takes the way of a large memory."""
    if request.param == "candidates":
        monkeypatch.setattr(index, "ALL_ROWS", 0)


async def replayed(opened: Memory, told: list[tuple[Search, Any]]) -> set[tuple[bool, str]]:
    answers = [await opened.replay(found.id) for _, found in told]
    return {(answer["identical"], answer["how"]) for answer in answers}


async def test_replays_find_the_same_again(store: Store, tmp_path: Path, ranked: None) -> None:
    model = Model()
    opened = memory(store, tmp_path, model)
    told = await history(store, opened, 1)
    assert any(len(found.items) == 8 for _, found in told)
    assert {found.mode for _, found in told} == {"words and meaning"}
    assert await replayed(opened, told) == {(True, "recomputed")}
    await opened.remember(some(random.Random(5), 300), actor="test")
    await embedded(store, opened)
    assert await replayed(opened, told) == {(True, "recomputed")}
    assert await replayed(memory(store, tmp_path, model), told) == {(True, "recomputed")}


async def test_as_of_answers_what_was_answered_then(store: Store, tmp_path: Path, ranked: None) -> None:
    opened = memory(store, tmp_path, Model())
    told = await history(store, opened, 2)
    for search, found in told:
        row = await opened.retrieval(found.id)
        then = Search(**{**vars(search), "as_of": str(found.seq), "at": row["at"]})
        assert shown(await opened.search(then)) == shown(found)


async def test_another_model_takes_over_and_old_answers_stay(store: Store, tmp_path: Path) -> None:
    opened = memory(store, tmp_path, Model())
    told = await history(store, opened, 3, steps=5)
    work = Embedding(store, opened)
    made = await work.begin(PLAIN, actor="operator")
    assert made["state"] == "building"
    between = await opened.search(told[0][0])
    await embedded(store, opened)
    states = {row["rule"]: row["state"] for row in await work.generations()}
    assert states == {"speaker: text": "retired", "text": "active"}
    after = await opened.search(told[0][0])
    models = [(await opened.retrieval(found.id))["model"] for found in (between, after)]
    assert models[0] != models[1] == made["id"]
    kinds = await store.read(lambda conn: [row["kind"] for row in _events(conn)])
    assert kinds.count(embeddings.SWITCHED) == 1
    assert await replayed(opened, [*told, (told[0][0], between), (told[0][0], after)]) == {(True, "recomputed")}
    assert await store.write(embeddings.prune) == 0


def _events(conn: Any) -> list[dict[str, Any]]:
    from soloist.engine.store import events

    return events.after(conn, 0, 1_000)


async def test_a_collection_that_asks_first_changes_no_replay(store: Store, tmp_path: Path, ranked: None) -> None:
    opened = memory(store, tmp_path, Model())
    told = await history(store, opened, 4)
    assert await store.write(lambda tx: retrievals.drop_before(tx, told[6][1].id and _created(tx, told[6][1].id))) == 6

    def collect(tx: Any) -> int:
        start = retrievals.replayable_from(tx.conn)
        gone = [n for n, seq in memories.ended_after(tx.conn, 0) if seq <= start]
        tx.run(memories.memories.delete().where(memories.memories.c.n.in_(gone)))
        tx.append("memory.collected", payload={"count": len(gone)})
        return len(gone)

    assert await store.write(collect) > 0
    assert await replayed(opened, told[6:]) == {(True, "recomputed")}
    assert await replayed(memory(store, tmp_path, Model()), told[6:]) == {(True, "recomputed")}


def _created(tx: Any, ident: str) -> str:
    return str(retrievals.get(tx.conn, ident)["created"])


async def test_after_an_erasure_the_log_shows_the_order_by_its_parts(store: Store, tmp_path: Path) -> None:
    opened = memory(store, tmp_path, Model())
    told = await history(store, opened, 6, steps=3)
    gone = told[-1][1].items[0]["n"]

    def erase(tx: Any) -> None:
        tx.run(memories.memories.delete().where(memories.memories.c.n == gone))
        tx.append("memory.erased", payload={})

    await store.write(erase)
    answer = await opened.replay(told[-1][1].id)
    assert (answer["identical"], answer["how"]) == (True, "stored parts")
    assert gone not in [item["n"] for item in (await opened.search(told[-1][0])).items]


async def test_words_only_when_the_model_is_missing_altered_or_slow(store: Store, tmp_path: Path) -> None:
    model = Model()
    opened = memory(store, tmp_path, model)
    await opened.remember(some(random.Random(1), 30), actor="test")
    first = await opened.search(Search("invoice"))
    assert (first.mode, first.items != []) == ("words only", True)
    await embedded(store, opened)
    assert (await opened.search(Search("invoice"))).mode == "words and meaning"
    model.name = "altered"
    altered = await opened.search(Search("late invoice"))
    assert (altered.mode, "another model" in altered.notes[0]) == ("words only", True)
    model.missing = "The model file is not there."
    missing = await opened.search(Search("paid invoice"))
    assert (missing.mode, "not there" in missing.notes[0]) == ("words only", True)
    await opened.remember(some(random.Random(2), 3), actor="test")
    await embedded(store, opened)
    assert (await opened.watermark())["behind"] == 3


async def test_a_text_that_kills_the_worker_has_its_turn(store: Store, tmp_path: Path) -> None:
    model = Model()
    opened = memory(store, tmp_path, model)
    await opened.remember([NewMemory(text=f"note {n}") for n in range(5)], actor="test")
    model.broken = "note 2"
    await embedded(store, opened)
    assert (await opened.watermark())["behind"] == 0
    found = await opened.search(Search("note", k=10))
    assert sum("meaning" in item["parts"] for item in found.items) == 4


async def test_rows_of_another_process_are_found_at_once(opener: Any, tmp_path: Path) -> None:
    first, second = opener(), opener()
    here, there = memory(first, tmp_path), memory(second, tmp_path)
    assert (await there.search(Search("clay"))).items == []
    (ident,) = await here.remember([NewMemory(text="more clay")], actor="test")
    assert [item["id"] for item in (await there.search(Search("clay"))).items] == [ident]
    await first.write(lambda tx: memories.end(tx, [ident], why="over", actor="test"))
    assert (await there.search(Search("clay"))).items == []


async def test_what_expired_by_then_is_hidden(store: Store, tmp_path: Path) -> None:
    opened = memory(store, tmp_path)
    await opened.remember([NewMemory(text="clay", expires="2030-01-01T00:00:00.000000Z")], actor="test")
    assert len((await opened.search(Search("clay", at="2029-12-31T00:00:00.000000Z"))).items) == 1
    assert (await opened.search(Search("clay", at="2030-01-01T00:00:00.000000Z"))).items == []


async def test_what_cannot_be_asked_or_kept(store: Store, tmp_path: Path) -> None:
    opened = memory(store, tmp_path)
    for search in (Search("…"), Search("x", k=0), Search("x", tiers=("eternal",)), Search("x", as_of="99")):
        with pytest.raises(BadInput):
            await opened.search(search)
    with pytest.raises(TooLarge, match="document"):
        await opened.remember([NewMemory(text="x" * 70_000)], actor="test")
    with pytest.raises(BadInput) as wrong:
        await opened.remember([NewMemory(text="x"), NewMemory(text="x", tier="eternal")], actor="test")
    assert wrong.value.field == "items[1].tier"
