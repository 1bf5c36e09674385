"""Memory at size: how fast it takes rows, answers, filters and replays, what its index holds, and that replays hold.

10,000 and 100,000 rows; SOLOIST_BENCH_ROWS=1000000 chooses another size, SOLOIST_BENCH_REPLAYS=10000 more replays.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import world
from bench.figures import Figure, Stopwatch, quantile
from soloist.config import Home, Settings
from soloist.engine.local.embedder import Embedder
from soloist.engine.local.serve import shipped_lines
from soloist.engine.recall import index as recall
from soloist.engine.recall.legs import Mask, Question
from soloist.engine.recall.vectors import whole_numbers
from soloist.engine.store import base, embeddings, memories, retrievals
from soloist.engine.store.store import Store
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import Memory, Search

SIZES = [int(size) for size in os.environ.get("SOLOIST_BENCH_ROWS", "10000,100000").split(",")]
REPLAYS = int(os.environ.get("SOLOIST_BENCH_REPLAYS", "1000"))
CLUSTERS, SEEDS, ASKED, QUERIES, EXACT, PIECE, SINGLE = 2_000, 20_000, 400, 200, 60, 5_000, 1_000
REAL = 700
"""Sentences whose real vectors are mixed to any size for a second look at how near the nearest are."""
SHARES: tuple[tuple[str, tuple[str, ...]], ...] = (("all", ()), ("10 %", ("s0",)), ("1 %", ("s1",)))
MODEL = {"id": "bench", "name": "mixed", "sha256": "bench", "tokenizer": "bench", "rule": "text", "size": 384}


def run() -> list[Figure]:
    """Each size on a store of its own; replays on the smallest."""
    texts, vectors = _seeds()
    found = [_flush()]
    for size in SIZES:
        with world.folder() as place:
            found += _measure(World(place, size, texts, vectors))
    real = Embedder()(list(dict.fromkeys(texts))[:REAL])
    for size in SIZES:
        found += _mixed(size, real)
    return found


def _seeds() -> tuple[list[str], Any]:
    """Sentences of the shipped examples, and vectors in the clusters that memories of one house lie in."""
    lines = [line["text"] for line in shipped_lines()]
    texts = [part.strip() for text in lines for part in re.split(r"(?<=[.!?])\s+|\n", text) if len(part) > 20]
    random.Random(7).shuffle(texts)
    numbers = np.random.default_rng(5)
    middles = _unit(numbers.standard_normal((CLUSTERS, 384)).astype(np.float32))
    spread = numbers.standard_normal((SEEDS, 384)).astype(np.float32) * 0.05
    return texts, _unit(middles[numbers.integers(0, CLUSTERS, SEEDS)] + spread)


def _unit(vectors: Any) -> Any:
    """At length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _flush() -> Figure:
    """How long this disk takes to say that something is written."""
    with world.folder() as place, (place / "x").open("wb") as file:
        taken = []
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return Figure("the disk's own flush, p50", quantile(taken, 0.5), "ms", "", "what one acknowledgement waits for")


def mixture(numbers: Any, seeds: Any, size: int) -> Any:
    """Vectors of length 1: two of the seeds in some share, and a little noise."""
    found = np.empty((size, 384), np.float32)
    for start in range(0, size, 50_000):
        end = min(size, start + 50_000)
        one, other = numbers.integers(0, len(seeds), (2, end - start))
        share = numbers.uniform(0.5, 1, (end - start, 1)).astype(np.float32)
        noise = numbers.standard_normal((end - start, 384)).astype(np.float32) * 0.02
        found[start:end] = _unit(share * seeds[one] + (1 - share) * seeds[other] + noise)
    return found


def _mixed(size: int, real: Any) -> list[Figure]:
    """The index alone on mixtures of real sentence vectors, which lie closer together than the invented clusters."""
    seeds, asked = real[: -REAL // 4], real[-REAL // 4 :][:EXACT]
    vectors = mixture(np.random.default_rng(7), seeds, size)
    index = recall.Index()
    for start in range(0, size, PIECE):
        place = range(start, min(start + PIECE, size))
        index.add([_bare(n) for n in place])
        index.embed("bench", np.array(place) + 1, whole_numbers(vectors[start : start + PIECE]))
    moment, found = index.moment("bench"), []
    for name, scopes in SHARES:
        mask = Mask(1, size, scopes=scopes)
        rows = np.array([n for n in range(size) if not scopes or made_scope(n) == scopes[0]])
        hits = []
        with Stopwatch() as spent:
            shown = recall.view(moment, mask, 0, size)
            answers = [recall.answer(moment, Question((), whole_numbers(v[None])[0], mask), shown) for v in asked]
        for vector, legs in zip(asked, answers, strict=True):
            best = legs.n[np.lexsort((legs.n, -legs.meaning))][:10] - 1
            edge = np.sort(vectors[rows] @ vector)[-10] - 2e-5
            hits.append(float(np.mean(vectors[best] @ vector >= edge)))
        said = f"{spent.cpu * 1000 / len(asked):.1f} ms CPU in the index"
        target = ">= 0.995" if not scopes else ">= 0.99"
        label = f"{size:,}: recall@10, real sentences mixed, {name}"
        found.append(Figure(label, sum(hits) / len(hits), "", target, said))
    return found


def _bare(n: int) -> recall.Row:
    """A row without words."""
    row = {"tier": "canonical", "scope": made_scope(n), "kind": "", "text": "", "hash": "", "at": 0, "actor": ""}
    return recall.Row(n=n + 1, begun=1, ended=recall.FOREVER, thread="", ordinal=0, record="", expires=2**62, **row)


class World:
    """One store with its rows, their vectors, and a memory over it."""

    def __init__(self, place: Path, size: int, texts: list[str], seeds: Any) -> None:
        """Nothing is written yet."""
        self.size, self.place, self._texts = size, place, texts
        self.chance, numbers = random.Random(11), np.random.default_rng(7)
        kept, self.questions = seeds[:-ASKED], seeds[-ASKED:]
        self.vectors = mixture(numbers, kept, size)
        self.store = world.new_store(place / "soloist.db")

    def opened(self) -> Memory:
        """A memory as another process would open it."""
        return Memory(self.store, Home(self.place), Settings(), self)  # type: ignore[arg-type]  # it answers as a worker

    async def call(self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 0) -> Any:
        """A question's vector at once: the bench leaves the time of the model out."""
        vectors = [self.vector(text) for text in value["texts"]]
        told = {"sha256": "bench", "tokenizer": "bench", "trouble": ""}
        return {"vectors": [base64.b64encode(vector).decode() for vector in vectors], **told}

    def vector(self, text: str) -> bytes:
        """One of the vectors that were kept for questions, by the text."""
        row = self.questions[sum(text.encode()) % len(self.questions)]
        return whole_numbers(row[None, :])[0].astype("<i2").tobytes()

    def items(self, first: int, count: int) -> list[NewMemory]:
        """Rows as mail and chat make them; scope s0 has a tenth of them, s1 a hundredth."""
        return [self._item(n) for n in range(first, first + count)]

    def _item(self, n: int) -> NewMemory:
        text = f"{self.chance.choice(self._texts)} {self.chance.choice(self._texts)[:60]} {n % 977}"
        place = n % 100
        return NewMemory(
            text=text,
            scope="s0" if place < 10 else "s1" if place == 10 else f"s{2 + n % 7}",
            tier="canonical",
            source="bench",
            ref=f"r{n}",
            actor=f"Client{n % 40}",
            thread=f"t{n // 20}",
            ordinal=n % 20,
            at=f"2025-{1 + n % 12:02}-{1 + n % 28:02}T09:00:00.000000Z",
        )

    def ask(self, **filters: Any) -> Search:
        """A question of some words of a text."""
        words = self.chance.choice(self._texts).split()
        return Search(" ".join(words[:8]) + " ok", k=10, **filters)


def _measure(made: World) -> list[Figure]:
    """All figures of one size."""
    label = f"{made.size:,}"
    found = _ingest(made, label)
    memory = made.opened()
    with Stopwatch() as first:
        asyncio.run(memory.search(made.ask()))
    found.append(Figure(f"{label}: index made from the store", first.wall, "s", "", f"{first.cpu:.1f} s CPU"))
    plain = asyncio.run(_timed(memory, [made.ask() for _ in range(QUERIES)]))
    limit = {100_000: "< 20", 1_000_000: "< 100"}.get(made.size, "")
    found += _times(f"{label}: search with its log row", plain, limit)
    for share, scope in (("10 %", "s0"), ("1 %", "s1")):
        times = asyncio.run(_timed(memory, [made.ask(scopes=(scope,)) for _ in range(QUERIES)]))
        target = f"< {quantile([wall for wall, _ in plain], 0.5):.2f}"
        found.append(Figure(f"{label}: filtered {share}, p50", _wall(times, 0.5), "ms", target, "the unfiltered p50"))
    found += _recalls(made, memory, label)
    memory.close()
    found += _restarted(made, label)
    if made.size == min(SIZES):
        found += asyncio.run(_replays(made, label))
    made.store.close()
    return found


def _ingest(made: World, label: str) -> list[Figure]:
    """Rows in batches of 100, one by one, then their vectors."""
    batches = [made.items(n, 100) for n in range(0, made.size - SINGLE, 100)]
    single = [made.items(n, 1) for n in range(made.size - SINGLE, made.size)]
    with Stopwatch() as many:
        for batch in batches:
            made.store.write_now(lambda tx, batch=batch: memories.add(tx, batch, actor="bench"))
    with Stopwatch() as one:
        for item in single:
            made.store.write_now(lambda tx, item=item: memories.add(tx, item, actor="bench"))
    made.store.write_now(lambda tx: embeddings.begin(tx, MODEL, actor="bench"))
    with Stopwatch() as vectors:
        for start in range(0, made.size, PIECE):
            rows = whole_numbers(made.vectors[start : start + PIECE]).astype("<i2")
            some = [(start + 1 + place, row.tobytes(), "") for place, row in enumerate(rows)]
            made.store.write_now(lambda tx, some=some, before=start: embeddings.keep(tx, "bench", before, some))
    rates = (made.size - SINGLE) / many.wall, SINGLE / one.wall
    cpu = (made.size - SINGLE) / many.cpu
    return [
        Figure(f"{label}: rows acknowledged, batches of 100", rates[0], "rows/s", ">= 10000", f"{cpu:,.0f} by CPU"),
        Figure(f"{label}: rows acknowledged, one a commit", rates[1], "rows/s", ">= 1500"),
        Figure(f"{label}: vectors written", made.size / vectors.wall, "rows/s"),
    ]


async def _timed(memory: Memory, searches: Sequence[Search]) -> list[tuple[float, float]]:
    """Wall and CPU milliseconds of each, after some that warm up."""
    for search in searches[:10]:
        await memory.search(search)
    found = []
    for search in searches:
        begun, cpu = time.perf_counter(), time.process_time()
        await memory.search(search)
        found.append(((time.perf_counter() - begun) * 1000, (time.process_time() - cpu) * 1000))
    return found


def _wall(times: Sequence[tuple[float, float]], share: float) -> float:
    return quantile([wall for wall, _ in times], share)


def _times(name: str, times: Sequence[tuple[float, float]], limit: str) -> list[Figure]:
    """p50 and p99 with the CPU beside them."""
    cpu = [used for _, used in times]
    return [
        Figure(f"{name}, p50", _wall(times, 0.5), "ms", "", f"{quantile(cpu, 0.5):.1f} ms CPU"),
        Figure(f"{name}, p99", _wall(times, 0.99), "ms", limit, f"{quantile(cpu, 0.99):.1f} ms CPU"),
    ]


def _recalls(made: World, memory: Memory, label: str) -> list[Figure]:
    """The vector leg's best ten against exact products of 32-bit floats, without and with filters."""
    found = []
    for name, scopes in SHARES:
        rows = np.array([n for n in range(made.size) if not scopes or made_scope(n) == scopes[0]])
        hits = [_shared(made, memory, vector, rows, scopes) for vector in made.questions[:EXACT]]
        target = ">= 0.995" if not scopes else ">= 0.99"
        found.append(Figure(f"{label}: recall@10, invented clusters, {name}", sum(hits) / len(hits), "", target))
    return found


def made_scope(n: int) -> str:
    """The scope of the row made from a number."""
    return "s0" if n % 100 < 10 else "s1" if n % 100 == 10 else "other"


def _shared(made: World, memory: Memory, vector: Any, rows: Any, scopes: tuple[str, ...]) -> float:
    """The share of the exact best ten that are the best ten of the index; rows as near as the tenth count alike."""
    exact = made.vectors[rows] @ vector
    edge = np.sort(exact)[-10] - 2e-5
    asked = whole_numbers(vector[None, :])[0].astype("<i2").tobytes()

    def ask(conn: Any) -> Any:
        mask = Mask(0, 0, "2026-11-21T09:00:00.000000Z", scopes=scopes)
        asking = memory.recalling.asking(conn, mask, model="bench", vector=asked)
        return asking(Question((), asking.vector, asking.mask))

    legs = made.store.read_now(ask)
    best = legs.n[np.lexsort((legs.n, -legs.meaning))][:10] - 1
    return float(np.mean(made.vectors[best] @ vector >= edge))


def _restarted(made: World, label: str) -> list[Figure]:
    """A process of its own opens the sidecar: the time, and the memory that is not a mapped file."""
    command = (sys.executable, "-m", "bench.memory_scale", str(made.place))
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    seconds, megabytes, per = float(said[0]), float(said[1]), max(made.size / 100_000, 0.1)
    target = {100_000: "< 60", 1_000_000: "< 500"}.get(made.size, "")
    return [
        Figure(f"{label}: first answer from the sidecar", seconds, "s"),
        Figure(f"{label}: memory of the index", megabytes, "MB", target, f"{megabytes / per:.0f} MB per 100,000"),
    ]


def _anonymous() -> float:
    """Memory of this process that is no mapped file, in MB."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("Anonymous:")).split()[1]) / 1024


def child(place: Path) -> None:
    """Open a home that was filled and ask some questions; prints seconds and megabytes."""
    from soloist.engine.recall import index, words  # noqa: F401  # their own memory is not that of the index

    store = Store(base.sqlite_url(place / "soloist.db"))
    texts = [line["text"] for line in shipped_lines()][:QUERIES]
    vector = np.random.default_rng(3).standard_normal((1, 384))
    asked = whole_numbers(vector / np.linalg.norm(vector))[0].astype("<i2").tobytes()

    class Worker:
        async def call(self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 0) -> Any:
            told = {"sha256": "bench", "tokenizer": "bench", "trouble": ""}
            return {"vectors": [base64.b64encode(asked).decode()], **told}

    for text in texts:
        words.stems(text)
    memory = Memory(store, Home(place), Settings(), Worker())  # type: ignore[arg-type]  # as above
    before, begun = _anonymous(), time.perf_counter()
    asyncio.run(memory.search(Search(texts[0][:200])))
    seconds = time.perf_counter() - begun
    for text in texts[:20]:
        asyncio.run(memory.search(Search(text[:200])))
    print(seconds, _anonymous() - before)
    store.close()


async def _replays(made: World, label: str) -> list[Figure]:
    """Answers given again after later writes, ends, another model, a collection and a restart, all at once."""
    memory = made.opened()
    early = [row["id"] for row in made.store.read_now(lambda c: memories.recent(c, before=made.size // 2, limit=500))]
    made.store.write_now(lambda tx: memories.end(tx, early, why="bench", actor="bench"))
    made.store.write_now(_let_go)
    idents = [(await memory.search(made.ask())).id for _ in range(REPLAYS)]
    for start in range(made.size, made.size + 10_000, 1_000):
        await memory.remember(made.items(start, 1_000), actor="bench")
    newest = (await memory.watermark())["newest"]
    gone = [row["id"] for row in made.store.read_now(lambda c: memories.recent(c, before=newest - 5_000, limit=500))]
    made.store.write_now(lambda tx: memories.end(tx, gone, why="bench", actor="bench"))
    await asyncio.to_thread(_switched, made)
    collected = made.store.write_now(_collected)
    fresh = made.opened()
    with Stopwatch() as spent:
        told = [await fresh.replay(ident) for ident in idents]
    same = sum(answer["identical"] and answer["how"] == "recomputed" for answer in told)
    said = f"{same:,} of {REPLAYS:,} after a restart, 10,000 writes, 500 ends, another model and {collected} collected"
    milliseconds = spent.wall * 1000 / REPLAYS
    return [
        Figure(f"{label}: replays recomputed and identical", same / REPLAYS, "", ">= 1.0", said),
        Figure(f"{label}: rows collected before them", collected, "rows", ">= 500"),
        Figure(f"{label}: one replay", milliseconds, "ms", "", f"{spent.cpu * 1000 / REPLAYS:.1f} ms CPU"),
    ]


def _let_go(tx: Any) -> None:
    """No answer is kept that has seen the rows which ended just now: so they may be collected."""
    retrievals.drop_before(tx, f"{tx.now}~", most=1_000_000)


def _switched(made: World) -> None:
    """A second generation of vectors takes over."""
    other = {**MODEL, "id": "other", "sha256": "other"}
    made.store.write_now(lambda tx: embeddings.begin(tx, other, actor="bench"))
    for model in ("bench", "other"):
        while True:
            before, rows = made.store.read_now(lambda conn, model=model: embeddings.waiting(conn, model, PIECE))
            if not rows:
                break
            some = [(row.n, made.vector(f"{row.n} {model}"), "") for row in rows]
            made.store.write_now(lambda tx, m=model, b=before, s=some: embeddings.keep(tx, m, b, s))
    made.store.write_now(lambda tx: embeddings.switch(tx, "other", actor="bench"))


def _collected(tx: Any) -> int:
    """Rows that had ended before the first answer that is kept leave the disk, with their vectors and words."""
    start = retrievals.replayable_from(tx.conn) or 0
    gone = [n for n, seq in memories.ended_after(tx.conn, 0) if seq <= start]
    tx.run(embeddings.embeddings.delete().where(embeddings.embeddings.c.n.in_(gone)))
    tx.run(memories.memories.delete().where(memories.memories.c.n.in_(gone)))
    tx.append("memory.collected", payload={"count": len(gone)})
    return len(gone)


if __name__ == "__main__":
    child(Path(sys.argv[1]))
