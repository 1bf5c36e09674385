"""Model: what kind a message is, learned from examples: fits a small file, reads it back and answers with evidence.

Two sets of weights over the same kinds: ``any`` (words, letter groups and the scores of the word rules, every language)
and ``en`` (the same and the embedding, English only). Each has its own temperature and its own gate.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from soloist.engine.local import ngrams, regress
from soloist.engine.local.signs import NAMES, signs
from soloist.kernel.errors import BadConfig
from soloist.kernel.message import MESSAGE_KINDS as KINDS

Array: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[Any]]
Embed: TypeAlias = Callable[[Sequence[str]], Array]

RULES = ("enquiry", "pitch", "scam", "notice", "bulk", "billing", "scheduling", "support")
FORMAT = 2
KEPT_IN_SCOPE = 0.95
_PENALTY = 3e-4
_COUNTS = {"votes": 0.16, "signs": 0.3, "meaning": 1.0}
"""How much the scores of the word rules, the signs and the embedding weigh beside the n-grams of a text."""
_EVEN = 0.7
"""How far kinds with many examples are held back: 0 not at all, 1 until every kind weighs the same."""
_BLOCK = 4096


@dataclass(frozen=True)
class Example:
    """A message whose kind is known. ``scores`` are those of the word rules; ``weight`` is how often it counts."""

    label: str
    subject: str
    text: str
    lang: str
    scores: Mapping[str, int]
    weight: float = 1.0
    own: bool = False
    made: bool = False
    """Put together from parts that others share: it teaches, but what is measured leaves it out."""


def key_of(examples: Sequence[Example]) -> str:
    """sha256 of everything the fit rests on."""
    rows = [[e.label, e.subject, e.text, e.lang, sorted(e.scores.items()), e.weight] for e in examples]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def key_of_lines(lines: Sequence[Mapping[str, Any]]) -> str:
    """sha256 of lines of example files."""
    rows = [[line["label"], line["subject"], line["text"], line["lang"]] for line in lines]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def as_read(subject: str, text: str) -> str:
    """What the embedder is given of a message."""
    return f"{subject}\n{text[:1500]}"


def fit(examples: Sequence[Example], embed: Embed | None, embedder: str = "") -> bytes:
    """The file of a model; ``embedder`` is the sha256 of what ``embed`` runs, without ``embed`` there is no ``en``."""
    labels = np.array([KINDS.index(example.label) for example in examples])
    weights = _evened(labels, np.array([example.weight for example in examples]))
    measured = np.array([not example.made for example in examples])
    rows, idf = _rows([ngrams.columns(example.subject, example.text) for example in examples])
    votes = np.stack([_votes(example.scores) for example in examples])
    seen = np.stack([np.array(signs(example.subject, example.text)) for example in examples])
    likeness = _products(rows) + _COUNTS["votes"] * votes @ votes.T + _COUNTS["signs"] * seen @ seen.T
    parts: dict[str, Array] = {"idf": idf.astype(np.float16)}
    meta: dict[str, Any] = {"format": FORMAT, "kinds": KINDS, "rules": RULES, "signs": NAMES, "examples": len(examples)}
    meta["lines"] = key_of_lines([vars(example) for example in examples if not example.own])
    meta |= {"own": sum(e.own for e in examples), "data": key_of(examples), "embedder": embedder if embed else ""}
    dense = {"votes": votes, "signs": seen}
    meta["any"] = _fit_part(parts, "any", likeness, rows, dense=dense, facts=(labels, weights, measured))
    english = np.array([index for index, example in enumerate(examples) if example.lang == "en"])
    if embed is not None and len(english):
        meaning = embed([as_read(examples[i].subject, examples[i].text) for i in english])
        likeness = likeness[np.ix_(english, english)] + _COUNTS["meaning"] * meaning @ meaning.T
        more = {"votes": votes[english], "signs": seen[english], "meaning": meaning}
        some = [rows[index] for index in english]
        facts = labels[english], weights[english], measured[english]
        meta["en"] = _fit_part(parts, "en", likeness, some, dense=more, facts=facts)
        parts["meanings"] = meaning.astype(np.float16)
        meta["shown"] = [[_shown(examples[i]), examples[i].label, examples[i].own] for i in english]
    return _packed(parts, meta)


def _fit_part(
    parts: dict[str, Array],
    name: str,
    likeness: Array,
    rows: list[tuple[Array, Array]],
    *,
    dense: Mapping[str, Array],
    facts: tuple[Array, Array, Array],
) -> dict[str, float]:
    """Fit one set of weights into ``parts``; its temperature and gate come from rows that were left out of a fit.

    ``facts`` are the kind, the weight, and whether it is measured, of each row.
    """
    labels, weights, measured = facts
    places = regress.coordinates(likeness)
    left_out, evidence = np.zeros((len(labels), len(KINDS))), np.zeros(len(labels))
    fold = regress.folds(labels)
    for number in range(int(fold.max()) + 1):
        learn = fold != number
        matrix, offset = regress.fit(places[learn], labels[learn], len(KINDS), penalty=_PENALTY, weights=weights[learn])
        left_out[~learn] = places[~learn] @ matrix + offset
        evidence[~learn] = (places[~learn] @ matrix).max(1)
    matrix, offset = regress.fit(places, labels, len(KINDS), penalty=_PENALTY, weights=weights)
    # places = rows @ basis, so what is fitted in places is spread back over the columns by the rows' own shares
    shares = places @ (matrix / (places**2).sum(0)[:, None])
    spread = np.zeros((ngrams.COLUMNS, len(KINDS)))
    for (columns, values), share in zip(rows, shares, strict=True):
        spread[columns] += values[:, None] * share
    parts[f"{name}.columns"] = spread.astype(np.float16)
    parts[f"{name}.offset"] = offset.astype(np.float32)
    for kind, block in dense.items():
        parts[f"{name}.{kind}"] = (_COUNTS[kind] * block.T @ shares).astype(np.float32)
    told, left_out = labels[measured], left_out[measured]
    right = float((left_out.argmax(1) == told).mean())
    gate = float(np.quantile(evidence[measured], 1 - KEPT_IN_SCOPE))
    return {"temperature": regress.temperature(left_out, told), "gate": gate, "right": round(right, 4)}


def _evened(labels: Array, weights: Array) -> Array:
    """Weights with which a kind counts less the more examples it has."""
    whole = np.array([weights[labels == number].sum() for number in range(len(KINDS))])
    return np.asarray(weights * (whole.mean() / np.maximum(whole, 1.0)[labels]) ** _EVEN)


def _rows(counted: Sequence[Mapping[int, float]]) -> tuple[list[tuple[Array, Array]], Array]:
    """Columns and values of each text at length 1, and how much a column counts: rare ones count more."""
    seen = np.zeros(ngrams.COLUMNS)
    for columns in counted:
        seen[list(columns)] += 1
    idf = np.log((1 + len(counted)) / (1 + seen)) + 1
    idf = idf.astype(np.float16).astype(np.float64)  # as the file keeps it
    return [_row(columns, idf) for columns in counted], idf


def _row(counted: Mapping[int, float], idf: Array) -> tuple[Array, Array]:
    columns = np.fromiter(counted, int, len(counted))
    values = np.fromiter(counted.values(), float, len(counted)) * idf[columns]
    length = float(np.sqrt((values**2).sum())) or 1.0
    return columns, values / length


def _products(rows: Sequence[tuple[Array, Array]]) -> Array:
    """Every row times every row, some columns at a time so that little memory is needed."""
    out = np.zeros((len(rows), len(rows)))
    for start in range(0, ngrams.COLUMNS, _BLOCK):
        block = np.zeros((len(rows), _BLOCK), np.float32)
        for index, (columns, values) in enumerate(rows):
            inside = (columns >= start) & (columns < start + _BLOCK)
            block[index, columns[inside] - start] = values[inside]
        out += block @ block.T
    return out


def _votes(scores: Mapping[str, int]) -> Array:
    """The scores of the word rules between 0 and 1."""
    return np.array([min(scores.get(group, 0), 6) / 6 for group in RULES])


def _shown(example: Example) -> str:
    """The start of an example, as a card can show it."""
    words = " ".join(f"{example.subject}: {example.text}".strip(": ").split())
    return words[:100]


def _packed(parts: Mapping[str, Array], meta: Mapping[str, Any]) -> bytes:
    """An npz without a single pickled object."""
    stream = io.BytesIO()
    text = np.frombuffer(json.dumps(meta, ensure_ascii=False, sort_keys=True).encode(), np.uint8)
    np.savez_compressed(stream, allow_pickle=False, meta=text, **dict(parts))
    return stream.getvalue()


class Model:
    """A fitted file, read."""

    def __init__(self, data: bytes) -> None:
        """BadConfig when the bytes are no model of this format."""
        self.sha256 = hashlib.sha256(data).hexdigest()
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                self._parts = {name: file[name] for name in file.files}
            self.meta: dict[str, Any] = json.loads(self._parts.pop("meta").tobytes())
        except Exception as error:  # a damaged file fails in a dozen ways, all meaning the same
            raise BadConfig(f"This is no model: {type(error).__name__}: {error}.") from error
        if self.meta.get("format") != FORMAT or (*self.meta["kinds"], *self.meta["signs"]) != (*KINDS, *NAMES):
            raise BadConfig("This model was fitted by another version of Soloist; fit it again.")

    @property
    def name(self) -> str:
        """How an understanding names it."""
        return f"kind@{self.sha256[:8]}"

    def predict(
        self, subject: str, text: str, *, scores: Mapping[str, int], meaning: Array | None = None
    ) -> dict[str, Any]:
        """Probabilities by kind, whether the message is like the examples at all, and what the answer rests on.

        ``meaning`` is the embedding of an English message; without it the weights for any language decide.
        """
        part = "en" if meaning is not None and "en" in self.meta else "any"
        weights = self._parts[f"{part}.columns"]
        columns, values = _row(ngrams.columns(subject, text), self._parts["idf"].astype(np.float64))
        evidence = values @ weights[columns].astype(np.float64) + _votes(scores) @ self._parts[f"{part}.votes"]
        evidence = evidence + np.array(signs(subject, text)) @ self._parts[f"{part}.signs"]
        if part == "en" and meaning is not None:
            evidence = evidence + meaning @ self._parts["en.meaning"]
        logits = evidence + self._parts[f"{part}.offset"]
        chances = regress.softmax(logits[None] / self.meta[part]["temperature"])[0]
        return {
            "model": self.name,
            "part": part,
            "probabilities": {kind: round(float(chance), 6) for kind, chance in zip(KINDS, chances, strict=True)},
            "in_scope": bool(evidence.max() >= self.meta[part]["gate"]),
            "nearest": self._nearest(meaning) if part == "en" and meaning is not None else None,
        }

    def _nearest(self, meaning: Array) -> dict[str, Any]:
        """The example that is closest in meaning."""
        near = self._parts["meanings"].astype(np.float32) @ meaning
        best = int(near.argmax())
        text, label, own = self.meta["shown"][best]
        return {"text": text, "label": label, "own": own, "likeness": round(float(near[best]), 3)}
