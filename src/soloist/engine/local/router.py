"""Router: what a message wants, by the operator's own examples: fits a small file, reads it back, answers with odds.

Every language stands alone: English by meaning (the embedding, and what the middle of its model says) or by letters
(character n-grams), the others by letters, whichever gets more of the examples right that were left out of a fit. By
meaning, the words of an intent's name are one more example of it, and what differs among messages that want the same
counts less than what differs between intents. A language that gets fewer right than the bar is not told apart at all.
Each has one temperature and a gate of its own on the highest logit.
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
from soloist.kernel.errors import BadConfig

Array: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[Any]]
Embed: TypeAlias = Callable[[Sequence[str]], Array]

FORMAT = 2
STRENGTH = 20.0
"""How closely the weights follow the examples: the penalty is 1 / (STRENGTH * examples)."""
KEPT_IN_SCOPE = 0.9
"""Share of messages that want something known and pass the gate; of strangers few pass."""
FEWEST = 3
"""Examples of an intent from which on some of them can be left out to measure it."""
NEIGHBOURS = 30
"""Examples of an intent from which on nearly every message has one like it; below, a temperature is measured on rows
whose like were left out as well. With 10 and 25 examples of CLINC150 that is right, with 50 of BANKING77 it is not."""
MANY = 1_000
"""Examples from which on English is told by meaning alone: letters would take minutes to fit and are no better then."""
MEANING, LETTERS = "meaning", "letters"
_WIDE = 1 << 13
MIDDLE = 0.5
"""How much what the middle of the model says counts beside the meaning (both in squares): chosen on rows left out of
fits, where it brought 1.5 points; it tells apart what means nearly the same in other words."""

EVEN = 7.0
"""How many rows a column the guess counts for that messages of one intent differ alike in every direction; the examples
say otherwise the more of them there are. Chosen on rows left out of fits (decision 0025)."""


@dataclass(frozen=True)
class Example:
    """A message whose intent is known."""

    label: str
    text: str
    lang: str


def key_of(examples: Sequence[Example]) -> str:
    """sha256 of everything a fit rests on."""
    rows = [[one.label, one.text, one.lang] for one in examples]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def fit(examples: Sequence[Example], embed: Embed | None, *, embedder: str = "", bar: float = 0.8) -> bytes:
    """The file of a router; without ``embed`` (two vectors a text, side by side) there is no way by meaning."""
    parts: dict[str, Array] = {}
    meta: dict[str, Any] = {"format": FORMAT, "data": key_of(examples), "embedder": embedder if embed else ""}
    meta["bar"], meta["languages"] = bar, {}
    for lang in sorted({one.lang for one in examples}):
        mine = [one for one in examples if one.lang == lang]
        meta["languages"][lang] = _language(parts, lang, mine, embed if lang == "en" else None, bar)
    stream = io.BytesIO()
    text = np.frombuffer(json.dumps(meta, ensure_ascii=False, sort_keys=True).encode(), np.uint8)
    np.savez_compressed(stream, allow_pickle=False, meta=text, **parts)
    return stream.getvalue()


def _language(
    parts: dict[str, Array], lang: str, examples: Sequence[Example], embed: Embed | None, bar: float
) -> dict[str, Any]:
    """Fit one language in every way there is; ``how`` names the best one that meets the bar, "" for none."""
    names = sorted({one.label for one in examples})
    labels = np.array([names.index(one.label) for one in examples])
    ways: dict[str, Array] = {}
    named: dict[str, Array] = {}
    if embed is not None:
        told = embed([one.text for one in examples]).astype(np.float64)
        centre = parts[f"{lang}.centre"] = told[:, told.shape[1] // 2 :].mean(0).astype(np.float32)
        ways[MEANING] = by_meaning(told, centre)
        named[MEANING] = by_meaning(embed([spoken(name) for name in names]).astype(np.float64), centre)
    if embed is None or len(examples) <= MANY:
        ways[LETTERS] = by_letters([one.text for one in examples])
    found: dict[str, Any] = {"labels": names, "examples": len(examples), "how": "", "ways": {}}
    best = 0.0
    for way in (MEANING, LETTERS):  # at the same figure meaning is taken: it knows words that no example has
        if way not in ways or len(names) < 2:
            continue
        part, facts = _way(ways[way], labels, len(names), named.get(way))
        found["ways"][way] = facts
        if facts["right"] >= bar and facts["right"] > best:
            best, found["how"] = facts["right"], way
            parts |= {f"{lang}.weights": part[0], f"{lang}.offset": part[1]}
    return found


def _way(
    rows: Array, labels: Array, count: int, named: Array | None = None
) -> tuple[tuple[Array, Array], dict[str, Any]]:
    """Weights of one way, and its temperature, gate and share of right answers on rows that were left out of a fit.

    ``named`` has one row for the name of each intent; with it the fit is evened out (``learned``).
    """
    enough = np.bincount(labels, minlength=count)[labels] >= FEWEST
    basis, places = _narrow(rows)
    weights, offset = learned(places, labels, count, named)
    whole = (basis @ weights if basis is not None else weights, offset)
    facts: dict[str, Any] = {"right": 0.0, "measured": int(enough.sum()), "temperature": 1.0, "gate": 0.0}
    if enough.any():
        logits = left_out(places, labels, count, regress.folds(labels), named)[enough]
        facts["right"] = round(float((logits.argmax(1) == labels[enough]).mean()), 4)
        facts["gate"] = float(np.quantile(logits.max(1), 1 - KEPT_IN_SCOPE))
        if len(rows) < NEIGHBOURS * count:
            logits = left_out(places, labels, count, regress.blocks(places, labels), named)[enough]
        facts["temperature"] = regress.temperature(logits, labels[enough])
    return (whole[0].astype(np.float32), whole[1].astype(np.float32)), facts


def left_out(rows: Array, labels: Array, count: int, fold: Array, named: Array | None = None) -> Array:
    """Logits of every row by a fit that did not see it nor any other row of its fold."""
    out = np.zeros((len(rows), count))
    for number in range(int(fold.max()) + 1):
        learn = fold != number
        weights, offset = learned(rows[learn], labels[learn], count, named)
        out[~learn] = rows[~learn] @ weights + offset
    return out


def learned(rows: Array, labels: Array, count: int, named: Array | None = None) -> tuple[Array, Array]:
    """Weights and offsets of one fit; with ``named`` each name is a row too, and the rows are evened out before."""
    if named is None:
        return regress.fit(rows, labels, count, penalty=1 / (STRENGTH * len(rows)))
    even = evened(rows, labels, count)
    every, wanted = np.vstack([rows, named]) @ even, np.concatenate([labels, np.arange(count)])
    weights, offset = regress.fit(every.astype(np.float32), wanted, count, penalty=1 / (STRENGTH * len(every)))
    return even @ weights, offset  # a message is told by its own row: this costs it nothing


def evened(rows: Array, labels: Array, count: int) -> Array:
    """A map (columns x columns) after which messages of one intent differ about alike in every direction.

    The inverse root of how they differ within intents, drawn towards "alike in every direction" (``EVEN``), at the same
    size on the whole. With one example of each intent nothing is known of it, and the map changes nothing.
    """
    size = rows.shape[1]
    sums = np.zeros((count, size))
    np.add.at(sums, labels, rows)
    many = np.bincount(labels, minlength=count)
    apart = rows - sums[labels] / many[labels][:, None]
    free = len(rows) - int((many > 0).sum())
    usual = float((apart**2).sum()) / size  # of one column, over all rows
    if free <= 0 or usual < 1e-9:
        return np.eye(size)
    # both in units of the usual difference, so that the trace of the whole stays that of "alike in every direction"
    share = free / (free + EVEN * size)
    values, vectors = np.linalg.eigh(share * (apart.T @ apart) / usual + (1 - share) * np.eye(size))
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def spoken(name: str) -> str:
    """The name of an intent as words."""
    return " ".join(name.replace("_", " ").replace("-", " ").split())


def _narrow(rows: Array) -> tuple[Array | None, Array]:
    """Rows with as many columns as there are rows at most, and what leads back: the fitted weights are the same."""
    if rows.shape[1] <= len(rows) or rows.shape[1] <= 1024:
        return None, rows
    places = regress.coordinates(rows @ rows.T)
    # rows @ basis == places: what is fitted in places is spread back over the columns by the rows' own shares
    basis = rows.T @ (places / (places**2).sum(0))
    return basis, places


def by_meaning(told: Array, centre: Array) -> Array:
    """Meanings beside what the middle of the model says without what it says of every text (``centre``)."""
    half = told.shape[1] // 2
    rest = told[:, half:] - centre
    rest = rest * (MIDDLE**0.5 / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-12))
    return np.hstack([told[:, :half], rest])


def by_letters(texts: Sequence[str]) -> Array:
    """Words and letter groups of texts, one row each, at length 1."""
    rows = np.zeros((len(texts), _WIDE))
    for row, text in zip(rows, texts, strict=True):
        for column, value in ngrams.columns("", text).items():
            row[column % _WIDE] += value
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))


class Router:
    """A fitted file, read."""

    def __init__(self, data: bytes) -> None:
        """BadConfig when the bytes are no router of this format."""
        self.sha256 = hashlib.sha256(data).hexdigest()
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                parts = {name: file[name] for name in file.files}
            self.meta: dict[str, Any] = json.loads(parts.pop("meta").tobytes())
        except Exception as error:  # a damaged file fails in a dozen ways, all meaning the same
            raise BadConfig(f"This is no router: {type(error).__name__}: {error}.") from error
        if self.meta.get("format") != FORMAT:
            raise BadConfig("This router was fitted by another version of Soloist; fit it again.")
        self._parts = {name: part.astype(np.float64) for name, part in parts.items()}

    @property
    def name(self) -> str:
        """How a decision names it."""
        return f"intent@{self.sha256[:8]}"

    def how(self, lang: str) -> str:
        """By which way a language is told apart, "" when it is not."""
        return str(self.meta["languages"].get(lang, {}).get("how", ""))

    def tell(self, text: str, lang: str, embed: Embed | None) -> dict[str, Any]:
        """Calibrated probabilities by intent, and whether the message is like the examples at all.

        {model, how, probabilities, in_scope, margin}; no probabilities for a language that is not told apart.
        """
        way = self.how(lang)
        if not way or (way == MEANING and embed is None):
            return {"model": self.name, "how": "", "probabilities": {}, "in_scope": False}
        if way == MEANING and embed is not None:
            row = by_meaning(np.asarray(embed([text]), np.float64), self._parts[f"{lang}.centre"])[0]
        else:
            row = by_letters([text])[0]
        return self.told(row, lang)

    def told(self, row: Array, lang: str) -> dict[str, Any]:
        """The same of a text that is a row of numbers already."""
        known: Mapping[str, Any] = self.meta["languages"][lang]
        facts = known["ways"][known["how"]]
        logits = row @ self._parts[f"{lang}.weights"] + self._parts[f"{lang}.offset"]
        chances = regress.softmax(logits[None] / facts["temperature"])[0]
        return {
            "model": self.name,
            "how": known["how"],
            "probabilities": {
                name: round(float(chance), 6) for name, chance in zip(known["labels"], chances, strict=True)
            },
            "in_scope": bool(logits.max() >= facts["gate"]),
            "margin": round(float(logits.max() - facts["gate"]), 4),
        }
