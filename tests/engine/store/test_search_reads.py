"""The reads of a search on both stores: texts and rows by number, the generation in use, what waits for a vector."""

from soloist.engine.store import asof, embeddings, memories
from soloist.engine.store.store import Store
from soloist.kernel.memory import NewMemory

MODEL = {"id": "m", "name": "m", "sha256": "s", "tokenizer": "t", "rule": "text", "size": 384}


def written(store: Store, count: int) -> None:
    items = [NewMemory(text=f"text {n}", tier="session") for n in range(1, count + 1)]
    store.write_now(lambda tx: memories.add(tx, items, actor="x"))


def test_texts_and_rows_by_number(store: Store) -> None:
    written(store, 150)
    texts = store.read_now(lambda conn: memories.texts_of(conn, [*range(1, 140), 500]))
    assert texts == {n: f"text {n}" for n in range(1, 140)}
    rows = store.read_now(lambda conn: memories.shown(conn, [2, 149]))
    assert [rows[n]["text"] for n in (2, 149)] == ["text 2", "text 149"]
    assert memories.version(rows[2]) == memories.version(store.read_now(lambda c: memories.by_number(c, [2])[2]))
    assert store.read_now(lambda conn: memories.texts_of(conn, [])) == {}


def test_the_newest_place_of_the_journal(store: Store) -> None:
    assert store.read_now(memories.head) == store.read_now(lambda conn: asof.sequence(conn, ""))
    written(store, 1)
    assert store.read_now(memories.head) == store.read_now(lambda conn: asof.sequence(conn, "")) > 0


def test_generations_and_what_waits(store: Store) -> None:
    assert store.read_now(lambda conn: embeddings.in_state(conn, "active")) is None
    written(store, 5)
    row = store.write_now(lambda tx: embeddings.begin(tx, MODEL, actor="x"))
    assert store.read_now(lambda conn: embeddings.in_state(conn, "active")) == row
    assert store.read_now(lambda conn: embeddings.behind(conn, "m")) == 5
    some = [(n, bytes([n]) * 768, "") for n in (1, 2)]
    assert store.write_now(lambda tx: embeddings.keep(tx, "m", 0, some))
    assert store.read_now(lambda conn: embeddings.behind(conn, "m")) == 3
    found = store.read_now(lambda conn: [*embeddings.after(conn, "m", 0, 1)])
    assert [(n, bytes(vector)) for rows in found for n, vector in rows] == [(n, said) for n, said, _ in some]
    assert [row.n for row in store.read_now(lambda conn: embeddings.waiting(conn, "m", 9))[1]] == [3, 4, 5]


def test_reads_of_a_search_are_of_one_snapshot(store: Store) -> None:
    with store._read_engine.connect() as conn:
        before = memories.head(conn)
        written(store, 1)
        assert (memories.head(conn), memories.texts_of(conn, [1])) == (before, {})
