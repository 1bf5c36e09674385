"""Summary: the sentences that say most of a long text, verbatim with their offsets; it writes none of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from soloist.engine.local import ngrams
from soloist.kernel.sentences import COURTESY, TELLING, spans

Array: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[Any]]

MOST_READ = 24
"""Sentences that are compared; what stands later in a very long text is not read."""
_SHORTEST = 25
_LONGEST = 320
_ALIKE_COSTS = 0.45
"""How much likeness to a sentence already taken counts against one."""


def summarise(text: str, most: int, embed: Callable[[Sequence[str]], Array] | None) -> list[dict[str, Any]]:
    """At most ``most`` sentences as {text, start, end}, in the order of the text; without ``embed`` by their n-grams.

    The sentences nearest to what all say together, each unlike those taken before; figures and questions count more.
    """
    found = [(start, end) for start, end in spans(text) if _SHORTEST <= end - start <= _LONGEST]
    found = [pair for pair in found if not COURTESY.match(text[pair[0] : pair[1]])][:MOST_READ]
    if len(found) > most:
        parts = [text[start:end] for start, end in found]
        vectors = embed(parts) if embed else _vectors(parts)
        found = [found[index] for index in sorted(_chosen(vectors, parts, most))]
    return [{"text": text[start:end], "start": start, "end": end} for start, end in found]


def _chosen(vectors: Array, parts: Sequence[str], most: int) -> list[int]:
    """Indexes by maximal marginal relevance to the mean of all."""
    middle = vectors.mean(0)
    worth = vectors @ (middle / (np.linalg.norm(middle) or 1.0))
    worth = worth + np.array([0.12 if TELLING.search(part) else 0.0 for part in parts])
    worth[0] += 0.08  # the first sentence mostly says what a message is about
    alike = vectors @ vectors.T
    taken: list[int] = []
    while len(taken) < most:
        cost = alike[:, taken].max(1) if taken else np.zeros(len(parts))
        score = worth - _ALIKE_COSTS * cost
        score[taken] = -np.inf
        taken.append(int(score.argmax()))
    return taken


def _vectors(parts: Sequence[str]) -> Array:
    """Rows of length 1 from n-grams, those that many sentences share counting less."""
    counted = [ngrams.columns("", part) for part in parts]
    names = sorted(set().union(*counted))
    place = {name: index for index, name in enumerate(names)}
    rows = np.zeros((len(parts), len(names)))
    for index, columns in enumerate(counted):
        rows[index, [place[name] for name in columns]] = list(columns.values())
    rows *= np.log(1 + len(parts) / (rows > 0).sum(0))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
