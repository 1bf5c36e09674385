"""The sidecar: what is loaded answers as what was saved; what is damaged or of another journal is made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soloist.engine.recall import sidecar, vectors
from soloist.engine.recall.door import Recall
from soloist.engine.recall.legs import Mask, Question
from soloist.engine.store import embeddings, memories
from soloist.engine.store.store import Store
from soloist.kernel.memory import NewMemory
from tests.engine.store import databases

MODEL = {"id": "m1", "name": "made up", "sha256": "a", "tokenizer": "b", "rule": "text", "size": 384}
AT = "2026-11-21T09:00:00.000000Z"


def vector(n: int) -> bytes:
    made = np.random.default_rng(n).standard_normal(384)
    return np.rint(made / np.linalg.norm(made) * 32767).astype("<i2").tobytes()


def fill(store: Store, first: int, count: int) -> None:
    items = [
        NewMemory(text=f"note {n} about {'kiln' if n % 3 else 'glaze'}", actor=f"a{n % 2}", thread="t", ordinal=n)
        for n in range(first, first + count)
    ]
    store.write_now(lambda tx: memories.add(tx, items, actor="test"))

    def embed(tx: Any) -> None:
        if embeddings.in_state(tx.conn, "active") is None:
            embeddings.begin(tx, MODEL, actor="test")
        before, rows = embeddings.waiting(tx.conn, "m1", 1_000)
        embeddings.keep(tx, "m1", before, [(row.n, vector(row.n), "") for row in rows])

    store.write_now(embed)


def legs(store: Store, recall: Recall) -> dict[str, Any]:
    def ask(conn: Any) -> Any:
        asked = recall.asking(conn, Mask(0, 0, AT), model="m1", vector=vector(5))
        return asked(Question((("kiln", 1_000_000), ("note", 500_000)), asked.vector, asked.mask, 10))

    found = vars(store.read_now(ask))
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store(databases.migrated("sqlite", tmp_path))
    fill(opened, 1, 50)
    yield opened
    opened.close()


def saved(store: Store, folder: Path) -> dict[str, Any]:
    recall = Recall(folder)
    found = legs(store, recall)
    assert store.read_now(lambda conn: recall.save(conn, now=True))
    recall.close()
    return found


def test_what_is_loaded_answers_as_what_was_saved(store: Store, tmp_path: Path) -> None:
    before = saved(store, tmp_path / "r")
    again = Recall(tmp_path / "r")
    assert legs(store, again) == before
    assert again.rebuilt == ""
    fill(store, 51, 20)
    assert legs(store, again) == legs(store, Recall(tmp_path / "none"))


@pytest.mark.parametrize("name", ["index.bin", "*.i16"])
def test_a_damaged_file_is_never_served(store: Store, tmp_path: Path, name: str) -> None:
    before = saved(store, tmp_path / "r")
    path = next((tmp_path / "r").glob(name))
    data = bytearray(path.read_bytes())
    data[len(data) // 50] ^= 1
    path.write_bytes(data)
    assert legs(store, Recall(tmp_path / "r")) == before


def test_a_sidecar_of_another_journal_is_made_anew(store: Store, tmp_path: Path) -> None:
    saved(store, tmp_path / "r")
    (tmp_path / "other").mkdir()
    other = Store(databases.migrated("sqlite", tmp_path / "other"))
    fill(other, 500, 60)
    recall = Recall(tmp_path / "r")
    assert legs(other, recall) == legs(other, Recall(tmp_path / "none"))
    assert "another journal" in recall.rebuilt
    other.close()


def test_a_second_process_reads_and_does_not_write(store: Store, tmp_path: Path) -> None:
    first, second = Recall(tmp_path / "r"), Recall(tmp_path / "r")
    assert store.read_now(lambda conn: first.save(conn, now=True))
    assert not store.read_now(lambda conn: second.save(conn, now=True))
    assert legs(store, second) == legs(store, first)


def test_nothing_of_erased_rows_stays_in_the_files(store: Store, tmp_path: Path) -> None:
    secret = NewMemory(text="Zebulon Quartermaine called", actor="Zebulon", thread="zq-thread")
    store.write_now(lambda tx: memories.add(tx, [secret], actor="test"))
    recall = Recall(tmp_path / "r")
    store.read_now(lambda conn: recall.save(conn, now=True))
    whole = b"".join(path.read_bytes() for path in (tmp_path / "r").iterdir())
    assert b"zebulon" in whole.lower()

    def erase(tx: Any) -> None:
        tx.run(memories.memories.delete().where(memories.memories.c.n == 51))
        tx.append("memory.erased", payload={})

    store.write_now(erase)
    store.read_now(recall.cleansed)
    whole = b"".join(path.read_bytes() for path in (tmp_path / "r").iterdir()).lower()
    assert b"zebulon" not in whole
    assert b"quartermain" not in whole
    assert b"zq-thread" not in whole
    assert legs(store, recall) == legs(store, Recall(tmp_path / "none"))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (vectors, sidecar):
        monkeypatch.setattr(module, "BLOCK", 8)


@pytest.mark.usefixtures("small_blocks")
def test_full_blocks_are_written_while_the_index_is_made(store: Store, tmp_path: Path) -> None:
    recall = Recall(tmp_path / "r")
    found = legs(store, recall)
    room = store.read_now(lambda conn: recall.follow(conn, "m1")).vectors["m1"]
    assert [number for number, block in room.blocks.items() if isinstance(block, np.memmap)] == [*range(6)]
    recall.close()
    assert found == legs(store, Recall(tmp_path / "r")) == saved(store, tmp_path / "other")


@pytest.mark.usefixtures("small_blocks")
def test_after_an_erasure_the_next_start_still_has_the_vectors(store: Store, tmp_path: Path) -> None:
    saved(store, tmp_path / "r")
    recall = Recall(tmp_path / "r")
    legs(store, recall)
    store.write_now(lambda tx: tx.append("memory.erased", payload={}))
    store.read_now(recall.cleansed)
    recall.close()
    found = sidecar.load(tmp_path / "r")
    assert found is not None and [*found[0].vectors] == ["m1"]


def test_blocks_that_nothing_names_go_with_erased_rows(store: Store, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "left.i16").write_bytes(b"x")
    store.read_now(Recall(tmp_path / "r").cleansed)
    assert not [*(tmp_path / "r").iterdir()]
