"""Quality of memory: conversations with questions are remembered and asked the product's way; figures with intervals.

Data as the development conversations have it (JSON Lines: conv_id, docs, queries): SOLOIST_BENCH_CONVERSATIONS names
files, else those under SOLOIST_CORPORA. No language model takes part. The weights were chosen on the development
conversations, so their figures are no promise for others; ``folds`` in the notes are each conversation's own.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import world
from bench.figures import Figure, Stopwatch, quantile
from soloist.config import Home, Settings
from soloist.engine.local.embedder import MODEL_SHA256, VOCABULARY_SHA256, Embedder
from soloist.engine.recall.legs import Mask, Question
from soloist.engine.recall.vectors import whole_numbers
from soloist.engine.store import embeddings, memories
from soloist.flows.embedding import Embedding
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import Memory, Search, asking
from tests.stages.memory import labelled

CORPORA = Path(os.environ.get("SOLOIST_CORPORA", "../shared/data"))
RRF, EACH = 60, 100
"""Reciprocal ranks, the textbook's way to join two lists, and how many of each."""
DRAWS = 1_000


@dataclass(frozen=True)
class Asked:
    """One question and what came of it: row ids, best first."""

    conversation: str
    category: str
    gold: frozenset[str]
    got: list[str]
    cpu: float = 0.0

    def recall(self, k: int) -> float:
        """The share of the evidence among the first ``k``."""
        return len(self.gold & {*self.got[:k]}) / len(self.gold)

    @property
    def reciprocal(self) -> float:
        """One over the place of the first piece of evidence, 0 beyond 20."""
        return next((1 / place for place, one in enumerate(self.got[:20], 1) if one in self.gold), 0.0)


MEASURES: dict[str, Callable[[Asked], float]] = {
    "recall@5": lambda a: a.recall(5),
    "recall@10": lambda a: a.recall(10),
    "recall@20": lambda a: a.recall(20),
    "MRR": lambda a: a.reciprocal,
}
TARGETS = {
    "with the model": {"recall@10": ">= 0.80", "recall@20": ">= 0.82", "MRR": ">= 0.56"},
    "words only": {"recall@10": ">= 0.70"},
}


def run() -> list[Figure]:
    """The invented memories with the model, then the conversations when there are any."""
    embed = Embedder()
    found = _own(embed)
    files = data()
    if not files:
        print(f"There are no conversations under {CORPORA / 'memory'}; name files in SOLOIST_BENCH_CONVERSATIONS.")
        return found
    with world.folder() as place:
        return found + asyncio.run(_conversations(Talks(place, conversations(files), embed)))


def data() -> list[Path]:
    """The files to measure on."""
    if named := os.environ.get("SOLOIST_BENCH_CONVERSATIONS"):
        return [Path(name) for name in named.split(",")]
    return sorted((CORPORA / "memory").glob("*.jsonl"))


def conversations(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Every conversation of some files; ids are made unlike over files."""
    found = []
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            talk = json.loads(line)
            found.append({**talk, "conv_id": f"{file.stem}/{talk['conv_id']}"})
    return found


def _own(embed: Embedder) -> list[Figure]:
    """The set that every test run asks by words, here with the model; both halves."""
    answers = labelled.answers(embed)
    found = []
    for half in ("development", "held out"):
        seen = labelled.figures(answers, half)
        note = f"{seen['questions']:.0f} questions about invented memories"
        found += [
            Figure(f"own set, {half}: recall@5", seen["recall@5"], "", ">= 0.92", note),
            Figure(f"own set, {half}: not known told rightly", seen["not known"], "", ">= 0.95"),
            Figure(f"own set, {half}: known told rightly", seen["known"], ""),
            Figure(f"own set, {half}: overtaken given as current", seen["overtaken"], "", "< 1"),
        ]
    return found


class Talks:
    """All conversations in one home, a scope each; it answers as the worker, with the model in this process."""

    def __init__(self, place: Path, talks: list[dict[str, Any]], embed: Callable[[Sequence[str]], Any]) -> None:
        """Nothing is remembered yet."""
        self.talks, self._embed = talks, embed
        self.store = world.new_store(place / "soloist.db")
        self.memory = Memory(self.store, Home(place), Settings(), self)  # type: ignore[arg-type]  # it answers as a worker
        self.modelled = 0.0
        """CPU seconds that the model took for the last question."""
        self.row: dict[str, tuple[str, str]] = {}

    async def call(self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 0) -> Any:
        """Vectors as the worker gives them; the CPU they take is kept apart."""
        begun = time.process_time()
        rows = whole_numbers(self._embed(value["texts"])).astype("<i2") if value["texts"] else []
        self.modelled += time.process_time() - begun
        told = {"name": "all-MiniLM-L6-v2", "size": 384, "sha256": MODEL_SHA256, "tokenizer": VOCABULARY_SHA256}
        return {"vectors": [base64.b64encode(row.tobytes()).decode() for row in rows], "trouble": "", **told}

    async def remember(self) -> Figure:
        """Keep every turn, a commit each, as it would come in; then their vectors."""
        items = [(talk["conv_id"], doc, _item(talk["conv_id"], doc)) for talk in self.talks for doc in talk["docs"]]
        with Stopwatch() as watch:
            for conversation, doc, item in items:
                [ident] = await self.memory.remember([item], actor="bench")
                self.row[ident] = conversation, doc["id"]
        embedding = Embedding(self.store, self.memory)
        while await embedding.turn():
            pass
        if embedding.trouble:
            print(f"There are no vectors: {embedding.trouble}")
        return Figure("turns remembered, one a commit", len(items) / watch.wall, "rows/s", "", f"{len(items):,} turns")

    async def ask(self, *, meaning: bool) -> list[Asked]:
        """Every question once."""
        found = []
        for talk in self.talks:
            for query in talk["queries"]:
                given = Search(
                    query["text"], k=20, scopes=(talk["conv_id"],), at=_instant(query["asked_at"]), meaning=meaning
                )
                self.modelled = 0.0
                with Stopwatch() as watch:
                    answer = await self.memory.search(given)
                got = [self.row[item["id"]][1] for item in answer.items]
                found.append(_asked(talk, query, got, watch.cpu - self.modelled))
        return found

    def reciprocal_ranks(self) -> list[Asked]:
        """The same questions answered by joining the ranks of plain BM25 and plain cosine."""
        return self.store.read_now(lambda conn: [self._joined(conn, t, q) for t in self.talks for q in t["queries"]])

    def _joined(self, conn: Any, talk: dict[str, Any], query: dict[str, Any]) -> Asked:
        """One of them."""
        model = embeddings.in_state(conn, "active")["id"]
        vector = whole_numbers(self._embed([query["text"]]))[0].astype("<i2").tobytes()
        mask = Mask(0, 0, _instant(query["asked_at"]), scopes=(talk["conv_id"],))
        ask = self.memory.recalling.asking(conn, mask, model=model, vector=vector)
        legs = ask(Question(asking.read(query["text"]).stems, ask.vector, ask.mask))
        worth = np.zeros(len(legs.n))
        for leg in (legs.words, legs.meaning):
            best = np.lexsort((legs.n, -leg))[:EACH]
            best = best[leg[best] > 0]
            worth[best] += 1 / (RRF + 1 + np.arange(len(best)))
        order = legs.n[np.lexsort((legs.n, -worth))[:20]].tolist()
        rows = memories.by_number(conn, order)
        return _asked(talk, query, [self.row[rows[n]["id"]][1] for n in order], 0.0)


def _instant(text: str) -> str:
    """As the house writes instants."""
    return text if text.endswith("Z") else f"{text}.000000Z"


def _item(conversation: str, doc: dict[str, Any]) -> NewMemory:
    """A turn as it is remembered."""
    return NewMemory(
        text=doc["text"],
        tier="canonical",
        scope=conversation,
        source="bench",
        ref=f"{conversation}/{doc['id']}",
        at=_instant(doc["ts"]),
        actor=doc["speaker"],
        thread=f"{conversation}/{doc['session']}",
        ordinal=doc["ord"],
    )


def _asked(talk: dict[str, Any], query: dict[str, Any], got: list[str], cpu: float) -> Asked:
    return Asked(talk["conv_id"], query["cat"], frozenset(query["gold"]), got, cpu * 1000)


async def _conversations(talks: Talks) -> list[Figure]:
    """Everything about the conversations."""
    found = [await talks.remember()]
    asked = {"with the model": await talks.ask(meaning=True), "words only": await talks.ask(meaning=False)}
    plain = talks.reciprocal_ranks()
    for name, some in asked.items():
        found += told(name, some, TARGETS[name])
        found += [
            Figure(f"{name}: search, CPU p50", quantile([a.cpu for a in some], 0.5), "ms", "", "with its log row")
        ]
    found += told("reciprocal ranks", plain, {})
    for measure in ("recall@10", "MRR"):
        low, middle, high = difference(asked["with the model"], plain, measure)
        note = f"95 % {low:+.3f} to {high:+.3f}, paired"
        found.append(Figure(f"with the model over reciprocal ranks, {measure}", middle, "", ">= 0.0", note))
    talks.memory.close()
    talks.store.close()
    return found


def answerable(some: Sequence[Asked]) -> list[Asked]:
    """All but the questions that name the wrong person on purpose."""
    return [asked for asked in some if asked.category != "adversarial"]


def told(name: str, some: Sequence[Asked], targets: dict[str, str]) -> list[Figure]:
    """Every measure with its interval, recall@10 by kind of question and by conversation."""
    found, kept = [], answerable(some)
    for measure, value in MEASURES.items():
        values = [value(asked) for asked in kept]
        low, high = interval(values)
        note = f"{len(values)} questions, 95 % {low:.3f} to {high:.3f}"
        if measure == "recall@10":
            note += "; folds " + " ".join(f"{mean([a.recall(10) for a in part]):.3f}" for part in _parts(kept))
        found.append(Figure(f"{name}: {measure}", mean(values), "", targets.get(measure, ""), note))
    for category in sorted({asked.category for asked in some}):
        values = [asked.recall(10) for asked in some if asked.category == category]
        target = ">= 0.50" if category == "multi-hop" and name == "with the model" else ""
        found.append(Figure(f"{name}: recall@10, {category}", mean(values), "", target, f"{len(values)} questions"))
    return found


def _parts(some: Sequence[Asked]) -> list[list[Asked]]:
    """By conversation, in their order."""
    return [[a for a in some if a.conversation == name] for name in dict.fromkeys(a.conversation for a in some)]


def mean(values: Sequence[float]) -> float:
    """The mean, 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Where the mean lies in 95 of 100 draws."""
    chance = random.Random(1)
    means = sorted(mean(chance.choices(values, k=len(values))) for _ in range(DRAWS))
    return means[int(0.025 * DRAWS)], means[int(0.975 * DRAWS)]


def difference(some: Sequence[Asked], other: Sequence[Asked], measure: str) -> tuple[float, float, float]:
    """How much better, question by question: lower end, mean, upper end."""
    pairs = zip(answerable(some), answerable(other), strict=True)
    values = [MEASURES[measure](one) - MEASURES[measure](two) for one, two in pairs]
    low, high = interval(values)
    return low, mean(values), high


if __name__ == "__main__":
    if "--data" in sys.argv:
        os.environ["SOLOIST_BENCH_CONVERSATIONS"] = ",".join(sys.argv[sys.argv.index("--data") + 1 :])
    for figure in run():
        print(
            f"{figure.name:<60}{figure.value:>10.3f} {figure.unit:<8}{figure.target:>8} {figure.met:<3}  {figure.note}"
        )
