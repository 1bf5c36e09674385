"""Origin: where a text comes from, and what a run that has read it may not do alone; labels only grow by union."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Label = Literal["operator", "own", "contact", "outside", "model"]
LABELS: tuple[Label, ...] = ("operator", "own", "contact", "outside", "model")
"""The operator's own words; our own system; a confirmed contact; anybody else; made by a model."""
UNTRUSTED: frozenset[str] = frozenset({"contact", "outside"})
"""Whoever wrote these is data, never instruction; a contact's letter may hold somebody else's words."""

Sort = Literal["recipient", "account", "amount", "url", "path", "tool", "thread", "id", "time", "value"]
SORTS: tuple[Sort, ...] = ("recipient", "account", "amount", "url", "path", "tool", "thread", "id", "time", "value")
"""What a control argument steers; "value" is anything that was not declared. ``thread`` is the id of a message."""

SOURCES = 50
"""Ids of sources that are kept with a value; the labels are always whole."""


@dataclass(frozen=True)
class Origin:
    """Labels and the ids of the sources; what is derived takes the union of all it was derived from."""

    labels: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    def __or__(self, other: Origin) -> Origin:
        """Of both."""
        return Origin(self.labels | other.labels, self.sources | other.sources)

    @property
    def tainted(self) -> bool:
        """Whether anything in it came from outside, or nobody said where it came from."""
        return bool(self.labels & UNTRUSTED) or not self.labels - {"model"}

    def told(self) -> dict[str, Any]:
        """As JSON: {labels, sources}, both sorted."""
        return {"labels": sorted(self.labels), "sources": sorted(self.sources)[:SOURCES]}


NOBODY = Origin()
"""Of nothing; what is still so when it is used counts as outside."""
OPERATOR, OWN, OUTSIDE, MODEL = (Origin(frozenset({label})) for label in ("operator", "own", "outside", "model"))


def of(told: Mapping[str, Any] | None) -> Origin:
    """An origin from its JSON; what was never labelled, or with a word that is no label, counts as outside."""
    labels = frozenset(str(label) for label in (told or {}).get("labels") or ())
    if not told or not labels or not labels <= frozenset(LABELS):
        return Origin(frozenset({"outside"}) | (labels & frozenset(LABELS)))
    return Origin(labels, frozenset(str(source) for source in told.get("sources") or ()))


def union(origins: Iterable[Origin]) -> Origin:
    """Of all of them."""
    found = Origin()
    for origin in origins:
        found |= origin
    return found


def of_words(words: Iterable[str], source: str = "") -> Origin:
    """The origin of an item of memory from the words it keeps ("operator", "rule", "outside:..."); no word is outside.

    ``source`` is the id of the item: addresses stay where they are kept already.
    """
    known = {"operator": "operator", "rule": "own", "soloist": "own", "model": "model"}
    labels = frozenset(known.get(word.partition(":")[0], "outside") for word in words) or frozenset({"outside"})
    return Origin(labels, frozenset({source} if source else ()))
