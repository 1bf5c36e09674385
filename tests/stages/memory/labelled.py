"""Labelled: the invented memories in an index of their own, asked their questions; figures, no judgement of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from soloist.engine.recall import index
from soloist.engine.recall.legs import Mask
from soloist.stages.memory import asking, rank
from soloist.stages.memory.rank import Ranked, Verdict, Weights

HERE = Path(__file__).parents[2] / "data" / "memory"
NOW = "2026-10-01T09:00:00Z"

Embed = Callable[[Sequence[str]], Any]
"""Texts in, unit vectors out; None for words alone."""


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True)
class Answer:
    """What came of one question; ``hits`` are ids of items, best first."""

    question: dict[str, Any]
    hits: list[str]
    ranked: list[Ranked]
    verdict: Verdict

    def recall(self, k: int) -> float:
        """The share of the right items among the first ``k``."""
        gold = self.question["gold"]
        return len({*gold} & {*self.hits[:k]}) / len(gold)

    def overtaken_as_current(self, k: int) -> list[str]:
        """Items among the first ``k`` that are no longer so and do not say it."""
        old = self.question.get("overtaken", ())
        pairs = zip(self.hits[:k], self.ranked[:k], strict=True)
        return [item for item, hit in pairs if item in old and not hit.overtaken_by]


def answers(embed: Embed | None = None, weights: Weights | None = None) -> list[Answer]:
    """Every question asked once, each of its own instant."""
    items, questions, weights = _lines("items.jsonl"), _lines("questions.jsonl"), weights or Weights()
    number = {item["id"]: place for place, item in enumerate(items, 1)}
    room = _filled(items, number, embed)
    moment = room.moment("m" if embed else "")
    writers = {part for item in items for part in asking.of_actor(item.get("actor", ""))}
    asked = [
        asking.read(q["q"], q.get("as_of", NOW), sorted(writers & {*asking.words.tokens(q["q"])})) for q in questions
    ]
    vectors = _whole(embed([a.meant for a in asked])) if embed else [None] * len(asked)
    found = []
    for question, said, vector in zip(questions, asked, vectors, strict=True):
        last = max(number[item["id"]] for item in items if item["at"] <= question.get("as_of", NOW))
        hits = rank.rank(
            lambda given: index.answer(moment, given, index.view(moment, given.mask, 0, len(items))),
            said,
            said.question(vector, Mask(seq=last, newest=len(items))),
            weights,
            texts=lambda numbers: [items[n - 1]["text"] for n in numbers],
        )
        ids = [items[hit.n - 1]["id"] for hit in hits]
        found.append(Answer(question, ids, hits, rank.judge(said, hits, weights)))
    return found


def _filled(items: list[dict[str, Any]], number: dict[str, int], embed: Embed | None) -> index.Index:
    """An index of the items; one that is written again ends when its follower begins."""
    ends = {number[item["replaces"]]: number[item["id"]] for item in items if "replaces" in item}
    room = index.Index()
    room.add([_row(item, number[item["id"]], ends) for item in items])
    if embed:
        room.embed("m", np.arange(1, len(items) + 1), _whole(embed([item["text"] for item in items])))
    return room


def _row(item: dict[str, Any], n: int, ends: dict[int, int]) -> index.Row:
    at = int(datetime.fromisoformat(item["at"]).timestamp())
    given = {name: item.get(name, "") for name in ("actor", "thread", "record", "kind", "text")}
    life = {"begun": n, "ended": ends.get(n, index.FOREVER), "expires": index.FOREVER}
    return index.Row(n=n, tier="session", scope="", hash="", at=at, ordinal=item.get("ordinal", 0), **given, **life)


def _whole(vectors: Any) -> Any:
    """As the index keeps them."""
    from soloist.engine.recall.vectors import whole_numbers

    return whole_numbers(vectors)


def mean(values: Sequence[float]) -> float:
    """The mean, 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def figures(found: Sequence[Answer], half: str = "") -> dict[str, float]:
    """Recall of what can be answered, both verdicts told rightly, and how much is given as current that is not."""
    some = [a for a in found if half in ("", a.question["half"])]
    known = [a for a in some if a.question["kind"] != "unknown"]
    unknown = [a for a in some if a.question["kind"] == "unknown"]
    return {
        "recall@5": mean([a.recall(5) for a in known]),
        "recall@10": mean([a.recall(10) for a in known]),
        "not known": mean([not a.verdict.known for a in unknown]),
        "known": mean([a.verdict.known for a in known]),
        "overtaken": sum(len(a.overtaken_as_current(10)) for a in known),
        "questions": len(some),
    }
