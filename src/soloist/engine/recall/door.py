"""The door to the index: opened at the first question, in step with the store at each; it ranks nothing.

numpy and the index are loaded at the first question, so that a process that asks nothing stays small.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soloist.engine.recall.legs import Legs, Mask, Question
from soloist.engine.store import asof
from soloist.engine.store.base import Connection
from soloist.engine.store.clock import from_iso

if TYPE_CHECKING:
    from soloist.engine.recall.index import Index, Moment


@dataclass
class Ask:
    """Asks the index one question; ``figures`` (rows, words and vectors of the mask) are there afterwards."""

    moment: Moment
    mask: Mask
    model: str
    vector: Any
    upto: int
    figures: dict[str, int] = field(default_factory=dict)

    def __call__(self, question: Question) -> Legs:
        """The candidates."""
        from soloist.engine.recall import index

        legs, figures = index.answer(self.moment, question, micros(self.mask.at), self.upto)
        self.figures = vars(figures)
        return legs


def micros(instant: str) -> int:
    """Millionths of a second since 1970 of an ISO instant."""
    moment = from_iso(instant)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


class Recall:
    """The index of one process."""

    def __init__(self, folder: Path) -> None:
        """``folder`` keeps what the next start need not make anew."""
        self._folder = folder
        self._index: Index | None = None
        self._opening = threading.Lock()

    @property
    def opened(self) -> bool:
        """Whether anything was asked yet."""
        return self._index is not None

    def asking(self, conn: Connection, mask: Mask, *, as_of: str = "", model: str = "", vector: bytes = b"") -> Ask:
        """How to ask about what is there now, or was ``as_of`` a sequence or instant (BadInput: there is no such).

        ``mask`` brings the filters and ``at``; sequence and newest row are filled in from the connection's snapshot.
        """
        index = self.follow(conn, model)
        whole = replace(mask, seq=asof.sequence(conn, as_of), newest=index.newest)
        return self._ask(index, whole, model, vector, upto=None)

    def asking_again(self, conn: Connection, mask: Mask, *, model: str, vector: bytes, upto: int) -> Ask:
        """How to ask what was asked before, with the mask and the vectors of then."""
        return self._ask(self.follow(conn, model), mask, model, vector, upto=upto)

    def _ask(self, index: Index, mask: Mask, model: str, vector: bytes, *, upto: int | None) -> Ask:
        import numpy as np

        numbers = np.frombuffer(vector, "<i2").astype(np.int16) if vector and model else None
        with index.lock:
            moment = index.moment(model)
        if upto is None:
            upto = moment.vectors.upto if moment.vectors else 0
        return Ask(moment, mask, model if numbers is not None else "", numbers, upto)

    def writers(self, conn: Connection, scopes: Sequence[str]) -> list[str]:
        """Names of those who wrote in some scopes; no scopes are all."""
        index = self.follow(conn, "")
        with index.lock:
            return index.writers(scopes)

    def follow(self, conn: Connection, model: str) -> Index:
        """The index, in step with the store; a vector that a retired model needs is read from the store."""
        from soloist.engine.recall import following

        with self._opening:
            index = self._index or self._open(conn)
            with index.lock:
                following.catch_up(index, conn, model)
            self._index = index
        return index

    def _open(self, conn: Connection) -> Index:
        """What the sidecar holds, else an empty index that the store will fill."""
        from soloist.engine.recall.index import Index

        return Index()

    @property
    def nbytes(self) -> int:
        """Bytes that the index holds in memory, names not counted."""
        return self._index.nbytes if self._index else 0
