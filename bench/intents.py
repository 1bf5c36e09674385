"""How well messages are routed without a language model: public intents through the product's own router and its gates.

CLINC150 and BANKING77 (rows without those held out) teach and are asked; the figures are those of ``LocalRouter``, the
same class that stands before a language model. Vectors of texts are kept in the folder for temporary files, so that a
second run costs seconds.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import os
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_ai.models.decision import ChoiceAnswer, ChoiceQuestion, DecisionRequest

from bench.figures import Figure
from soloist.engine.local import router
from soloist.engine.local.embedder import MODEL_SHA256, Embedder
from soloist.engine.local.serve import shipped_lines
from soloist.engine.local.wants import Asked, Wants
from soloist.kernel.confidence import WHOLE, Threshold
from soloist.stages.runtime.models.router import LocalRouter, Unsure

DATA = Path(os.environ.get("SOLOIST_CORPORA", "../shared/data")) / "intents"
CACHE = Path(tempfile.gettempdir()) / f"soloist-bench-wide-{MODEL_SHA256[:8]}"
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}
OPEN = Threshold("alone", 0)
"""What is measured is the answer itself: every confidence passes, only the gate of strangers holds."""
BINS = 15
DRAWS = 3
"""How often the ten examples are drawn anew: which ten an operator has is worth more than most changes to a fit."""
Rows = Sequence[tuple[str, str]]


class Vectors:
    """The embedder with its answers kept; ``Wants`` asks it like the one of a worker."""

    def __init__(self) -> None:
        self._real: Embedder | None = None
        self._kept: dict[str, Any] = {}
        if CACHE.with_suffix(".npz").exists():
            with np.load(CACHE.with_suffix(".npz"), allow_pickle=False) as file:
                self._kept = dict(zip(file["keys"].tolist(), file["rows"], strict=True))

    def wide(self, texts: Sequence[str]) -> Any:
        """What the embedder says of texts, asked once for each."""
        keys = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._kept}
        if fresh:
            self._kept |= dict(zip(fresh, self.real.wide(list(fresh.values())), strict=True))
        return np.stack([self._kept[key] for key in keys])

    @property
    def real(self) -> Embedder:
        """The model itself, loaded when it is needed."""
        self._real = self._real or Embedder()
        return self._real

    def keep(self) -> None:
        """Write what was found to the folder for temporary files."""
        keys = np.array(list(self._kept))
        np.savez(CACHE.with_suffix(".npz"), keys=keys, rows=np.stack([self._kept[key] for key in keys.tolist()]))

    def _embeds(self) -> Any:
        return self


@dataclass(frozen=True)
class Told:
    """One message through the router: what it was taken to want, how surely, and how far above the gate."""

    label: str
    confidence: float
    margin: float
    refused: bool


def clinc() -> dict[str, list[tuple[str, str]]]:
    """Rows (text, intent) by part; strangers are "oos_test"."""
    return {name: [(t, y) for t, y in rows] for name, rows in json.loads((DATA / CLINC).read_text()).items()}


CLINC = "data_full_minus_heldout.json"


def banking(name: str) -> list[tuple[str, str]]:
    """Rows (text, intent) of "train" or "test"."""
    with (DATA / f"{name}_minus_heldout.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"].strip(), row["category"]) for row in csv.DictReader(file)]


def drawn(rows: Rows, most: int, draw: int = 0) -> list[tuple[str, str]]:
    """So many of each intent by the fixed chance of a draw: rows that follow each other in the files are alike."""
    by: dict[str, list[str]] = {}
    for text, intent in rows:
        by.setdefault(intent, []).append(text)
    chance = random.Random(draw)
    return [(text, y) for y in sorted(by) for text in chance.sample(by[y], min(most, len(by[y])))]


def taught(rows: Rows, vectors: Vectors, folder: Path) -> LocalRouter:
    """The router that these examples make, as the product fits, stores, reads and asks it."""
    examples = [router.Example(intent, text, "en") for text, intent in rows]
    data = router.fit(examples, vectors.wide, embedder=MODEL_SHA256)
    path = folder / f"intent-{hashlib.sha256(data).hexdigest()[:16]}.npz"
    path.write_bytes(data)
    wants = Wants(vectors)

    async def tells(text: str) -> Mapping[str, Any]:
        found = wants.tell(Asked(text=text, language="en", model=str(path))).model_dump()
        said.append(found)
        return found

    said: list[Mapping[str, Any]] = []
    made = LocalRouter(tells, lambda _told: OPEN)
    made.said = said  # type: ignore[attr-defined]  # the margins beside the answers
    return made


async def asked(model: LocalRouter, rows: Rows) -> list[Told]:
    """Every message through ``LocalRouter.decide``."""
    found, said = [], model.said  # type: ignore[attr-defined]  # set by ``taught``
    names: dict[str, Any] = {}
    for text, _ in rows:
        question = ChoiceQuestion(criteria=names)
        if not names:
            names |= dict.fromkeys((await model._tells(text))["probabilities"])
        request = DecisionRequest(state=text, questions={"intent": question})
        try:
            answer = (await model.decide(request, {})).answers["intent"]
            assert isinstance(answer, ChoiceAnswer)
            found.append(Told(answer.choice, answer.confidence, said[-1]["margin"], refused=False))
        except Unsure as unsure:
            one = unsure.found
            found.append(Told(one.told, one.confidence / WHOLE, said[-1]["margin"], refused=True))
    return found


def accuracy(found: Sequence[Told], rows: Rows) -> float:
    """Share of messages whose likeliest intent is theirs, whether or not a gate was shut."""
    return sum(one.label == intent for one, (_, intent) in zip(found, rows, strict=True)) / len(rows)


def calibration_error(found: Sequence[Told], rows: Rows) -> float:
    """Mean distance of confidence and share of right answers over bins of confidence."""
    sure = np.array([one.confidence for one in found])
    right = np.array([one.label == intent for one, (_, intent) in zip(found, rows, strict=True)])
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    return float(sum(abs(sure[bins == n].mean() - right[bins == n].mean()) * (bins == n).mean() for n in set(bins)))


def refused_at(found: Sequence[Told], strangers: Sequence[Told], kept: float) -> float:
    """Share of strangers below the margin above which so many messages in scope lie."""
    cut = float(np.quantile([one.margin for one in found], 1 - kept))
    return sum(one.margin < cut for one in strangers) / len(strangers)


def milliseconds(model: LocalRouter, vectors: Vectors, rows: Rows) -> float:
    """CPU of one message with the real embedder, in the middle of some."""
    vectors._kept, times = {}, []
    for text, _ in rows:
        vectors._kept.clear()
        begun = time.process_time()
        asyncio.run(asked(model, [(f"{text} ", "")]))
        times.append((time.process_time() - begun) / 2 * 1000)  # asked once for the names, once for the answer
    return sorted(times)[len(times) // 2]


def run(small: int = 0) -> list[Figure]:
    """Every figure beside its bar; ``small`` takes so many intents only."""
    if not (DATA / CLINC).exists():
        print(f"{DATA} is not there, so nothing was routed.")
        return []
    return _figures(Vectors(), small)


def _figures(vectors: Vectors, small: int) -> list[Figure]:
    data = clinc()
    chosen = set(sorted({intent for _, intent in data["test"]})[:small] if small else {y for _, y in data["test"]})
    train, test, strangers = (
        [row for row in data[name] if not small or row[1] in chosen or name == "oos_test"]
        for name in ("train", "test", "oos_test")
    )
    test, strangers = drawn(test, 15), strangers[: 100 if small else None]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        tens = [taught(drawn(train, 10, draw), vectors, folder) for draw in range(DRAWS)]
        few = [asyncio.run(asked(ten, test)) for ten in tens]
        model = taught(drawn(train, 25), vectors, folder)
        found, others = asyncio.run(asked(model, test)), asyncio.run(asked(model, strangers))
        figures = [
            _mean("intents: right, 10 examples each", [accuracy(one, test) for one in few], ">= 0.92"),
            *_banking(vectors, folder, small),
            Figure("intents: right, 25 examples each", accuracy(found, test), "", "", "CLINC150"),
            *_gates(found, others, test),
            _mean("intents: calibration error, 10 examples", [calibration_error(one, test) for one in few], "< 0.02"),
            *_languages(vectors),
        ]
        vectors.keep()
        spent = milliseconds(model, vectors, test[:40])
        return [*figures, Figure("intents: CPU", spent, "ms/message", "< 12", "embedding included")]


def _mean(name: str, of: Sequence[float], bar: str) -> Figure:
    """The mean over draws of the examples, and each of them."""
    each = ", ".join(f"{one:.4f}" for one in of)
    return Figure(name, sum(of) / len(of), "", bar, f"CLINC150, mean of {len(of)} draws: {each}")


def _languages(vectors: Vectors) -> list[Figure]:
    """Each language apart, on the shipped examples of kinds: rows that were left out of a fit, by each way."""
    rows = [one for one in shipped_lines() if not one.get("made")]
    examples = []
    for lang in LANGUAGES:
        mine = [(f"{one['subject']}\n{one['text']}", one["label"]) for one in rows if one["lang"] == lang]
        examples += [router.Example(kind, text, lang) for text, kind in drawn(mine, 25)]
    found = router.Router(router.fit(examples, vectors.wide, embedder=MODEL_SHA256)).meta
    figures = []
    for lang, name in LANGUAGES.items():
        facts = found["languages"][lang]
        ways = ", ".join(f"by {way} {one['right']:.1%}" for way, one in facts["ways"].items())
        taken = f"told by {facts['how']}" if facts["how"] else "below the bar of 80 %: to the operator"
        best = max(one["right"] for one in facts["ways"].values())
        figures.append(Figure(f"intents: right in {name}", best, "", "", f"nine kinds, 25 each; {ways}; {taken}"))
    return figures


def _gates(found: Sequence[Told], others: Sequence[Told], test: Rows) -> list[Figure]:
    """Strangers, and whether confidence means something."""
    kept = sum(not one.refused for one in found) / len(found)
    refused = sum(one.refused for one in others) / len(others)
    note = f"the product's own gate: {kept:.1%} kept, {refused:.1%} of strangers refused"
    return [
        Figure("intents: strangers refused at 90 % kept", refused_at(found, others, 0.9), "", ">= 0.93", note),
        Figure("intents: calibration error, 25 examples", calibration_error(found, test), "", "< 0.02"),
    ]


def _banking(vectors: Vectors, folder: Path, small: int) -> list[Figure]:
    train, test = drawn(banking("train"), 50), drawn(banking("test"), 20)
    if small:
        chosen = set(sorted({intent for _, intent in test})[:small])
        train, test = ([row for row in rows if row[1] in chosen] for rows in (train, test))
    found = asyncio.run(asked(taught(train, vectors, folder), test))
    return [
        Figure("intents: right, 50 examples each", accuracy(found, test), "", ">= 0.91", "BANKING77"),
        Figure("intents: calibration error, 50 examples", calibration_error(found, test), "", "< 0.02"),
    ]
