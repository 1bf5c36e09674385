"""The door to the index: opened at the first question, in step with the store at each; it ranks nothing.

numpy and the index are loaded at the first question, so that a process that asks nothing stays small.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soloist.engine.lock import ServerLock
from soloist.engine.recall.legs import Legs, Mask, Question
from soloist.engine.store import asof, embeddings, memories
from soloist.engine.store.base import Connection
from soloist.engine.store.clock import from_iso
from soloist.kernel.errors import StoreTrouble

if TYPE_CHECKING:
    from soloist.engine.recall.index import Index, Moment, View
    from soloist.engine.recall.vectors import Vectors
    from soloist.engine.recall.views import Views

MOST_SCOPES = 64
"""Choices of scopes whose writers are kept."""


@dataclass(frozen=True)
class Ask:
    """Asks the index about what a mask shows of one moment; several questions may be asked."""

    moment: Moment
    shown: View
    mask: Mask
    model: str
    vector: Any
    upto: int

    @property
    def figures(self) -> dict[str, int]:
        """How many rows, words and vectors the mask shows."""
        return vars(self.shown.figures)

    def __call__(self, question: Question) -> Legs:
        """The candidates."""
        from soloist.engine.recall import index

        return index.answer(self.moment, question, self.shown)


def micros(instant: str) -> int:
    """Millionths of a second since 1970 of an ISO instant."""
    moment = from_iso(instant)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _sequence(conn: Connection, as_of: str) -> int:
    """The place in the journal that is meant, the newest for ""."""
    return asof.sequence(conn, as_of) if as_of else memories.head(conn)


class Recall:
    """The index of one process."""

    def __init__(self, folder: Path) -> None:
        """``folder`` keeps what the next start need not make anew."""
        self._folder = folder
        self._index: Index | None = None
        self._opening = threading.Lock()
        self._saving = threading.Lock()
        self._lock: ServerLock | None = None
        self._saved = (0, 0)
        self._unclean = False
        self._views: Views | None = None
        self._writers: dict[tuple[str, ...], tuple[int, list[str]]] = {}
        self.rebuilt = ""
        """Why the index was made anew when it was opened, "" when it was there."""

    @property
    def opened(self) -> bool:
        """Whether anything was asked yet."""
        return self._index is not None

    def asking(self, conn: Connection, mask: Mask, *, as_of: str = "", model: str = "", vector: bytes = b"") -> Ask:
        """How to ask about what is there now, or was ``as_of`` a sequence or instant (BadInput: there is no such).

        ``mask`` brings the filters and ``at``; sequence and newest row are filled in from the connection's snapshot.
        """
        index = self.follow(conn, model)
        whole = replace(mask, seq=_sequence(conn, as_of), newest=index.newest)
        return self._ask(index, whole, model, vector, upto=None)

    def asking_again(self, conn: Connection, mask: Mask, *, model: str, vector: bytes, upto: int) -> Ask:
        """How to ask what was asked before, with the mask and the vectors of then."""
        return self._ask(self.follow(conn, model), mask, model, vector, upto=upto)

    def _ask(self, index: Index, mask: Mask, model: str, vector: bytes, *, upto: int | None) -> Ask:
        import numpy as np

        from soloist.engine.recall import views

        numbers = np.frombuffer(vector, "<i2").astype(np.int16) if vector and model else None
        with index.lock:
            moment = index.moment(model)
            self._views = kept = self._views or views.Views()
        if upto is None:
            upto = moment.vectors.upto if moment.vectors else 0
        shown = kept.view(moment, mask, micros(mask.at), upto)
        return Ask(moment, shown, mask, model if numbers is not None else "", numbers, upto)

    def writers(self, conn: Connection, scopes: Sequence[str], as_of: str = "") -> list[str]:
        """Names of those who had written in some scopes; no scopes are all (BadInput: as of no time there was).

        The same list as before when nobody new has written.
        """
        index, seq, chosen = self.follow(conn, ""), _sequence(conn, as_of), tuple(scopes)
        with index.lock:
            if seq < index.seq:
                return index.writers(scopes, seq)
            known = self._writers.get(chosen)
            if known is None or known[0] != index.spoken:
                if len(self._writers) >= MOST_SCOPES:
                    self._writers.clear()
                known = self._writers[chosen] = index.spoken, index.writers(scopes, seq)
            return known[1]

    def follow(self, conn: Connection, model: str) -> Index:
        """The index, in step with the store on this connection's snapshot, with the vectors of a model."""
        from soloist.engine.recall import following

        with self._opening:
            index = self._index or self._open(conn)
            with index.lock:
                if following.catch_up(index, conn, model, self._spill):
                    self._unclean, self._views = True, None
                    self._writers.clear()
            self._index = index
        return index

    def _spill(self, room: Vectors) -> None:
        """Write full blocks and map them, where this process may write."""
        from soloist.engine.recall import sidecar

        with contextlib.suppress(OSError):  # no room on the disk: they stay in memory
            if self._may_write():
                sidecar.spill(room, self._folder)

    def _open(self, conn: Connection) -> Index:
        """What the sidecar holds when it is of this journal, else an empty index that the store will fill."""
        from soloist.engine.recall import sidecar
        from soloist.engine.recall.index import Index

        found = sidecar.load(self._folder)
        if found is not None and memories.mark(conn, found[0].seq) == found[1]:
            self._saved = (found[0].newest, found[0].seq)
            return found[0]
        self.rebuilt = "its sidecar is of another journal" if found else "there was no sidecar that could be trusted"
        return Index()

    def save(self, conn: Connection, *, now: bool = False) -> bool:
        """Write the sidecar when much is new since it was written, rows have left, or ``now``; whether it was.

        One process of a home writes; what cannot be written is made anew at the next start.
        """
        from soloist.engine.recall import sidecar

        active = embeddings.in_state(conn, "active")
        index = self.follow(conn, active["id"] if active else "")
        if not (now or self._unclean or self._due(index)) or not self._may_write():
            return False
        with self._saving:
            self._unclean = False
            self._saved = (index.newest, index.seq)
            with contextlib.suppress(OSError):
                sidecar.save(index, self._folder, memories.mark(conn, index.seq))
                return True
        return False

    def _due(self, index: Index) -> bool:
        """Whether making anew what is not on disk would take more than some tenths of a second."""
        from soloist.engine.recall.vectors import MOST_BLOCKS

        blocks = max((len(room.changed) for room in index.vectors.values()), default=0)
        return index.newest - self._saved[0] > max(5_000, index.columns["n"].count // 8) or blocks > MOST_BLOCKS

    def _may_write(self) -> bool:
        """Whether this process holds the folder, or can take it."""
        if self._lock is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = ServerLock(self._folder / "lock", "sqlite:")
            try:
                lock.take()
            except StoreTrouble:
                return False
            self._lock = lock
        return True

    def cleansed(self, conn: Connection) -> None:
        """After rows left the store: nothing of them stays in memory or in the sidecar."""
        from soloist.engine.recall import sidecar

        if self._index is None and not (self._folder / sidecar.NAME).exists():
            sidecar.remove(self._folder)  # blocks that were written and never named
            return
        self.follow(conn, "")
        sidecar.remove(self._folder)
        self.save(conn, now=True)

    def close(self) -> None:
        """Let another process write the sidecar."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def nbytes(self) -> int:
        """Bytes that the index holds in memory, names not counted."""
        return self._index.nbytes if self._index else 0
