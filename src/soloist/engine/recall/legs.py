"""Legs: what the index hands to ranking: a question in numbers, and the rows that may answer it as integer columns.

Every figure is a whole number, so that the same question on the same rows gives the same order on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Ints = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]

MILLION = 1_000_000
"""One, in scores."""


@dataclass(frozen=True)
class Mask:
    """Which rows may be seen. ``seq`` is the journal's sequence the answer is as of, ``newest`` the last row there was.

    ``scopes``/``tiers``/``kinds``/``records``/``threads`` empty means all. ``at`` (ISO, "" for now) hides what had
    expired by then.
    """

    seq: int
    newest: int
    at: str = ""
    scopes: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """Stems with their weights (millionths), the question's vector (384 int16, None without a model), and the mask.

    ``wide`` is how many of the best rows of each leg become candidates; a mask with fewer rows gives all of them.
    """

    stems: tuple[tuple[str, int], ...]
    vector: Any
    mask: Mask
    wide: int = 400
    among: Any = None
    """Row numbers, ascending, that were candidates before; of these only ``n``, ``words`` and ``held`` are told."""


@dataclass(frozen=True)
class Legs:
    """Candidates, ascending by ``n``; all columns have one length.

    ``words`` BM25 and ``meaning`` cosine in millionths (0 where there is none; ``has_vector`` says where there is),
    ``held`` a bit for each stem of the question that the row holds, ``thread``/``actor``/``record`` numbers into the
    lists of the same name (-1 none), ``at`` seconds since 1970 (0 unknown), ``length`` words. Neighbours in a thread
    of a candidate are candidates too. ``whole`` says that every row of the mask is here.
    """

    n: Ints
    words: Ints
    meaning: Ints
    has_vector: Ints
    held: Ints
    thread: Ints
    ordinal: Ints
    actor: Ints
    record: Ints
    at: Ints
    length: Ints
    actors: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    whole: bool = True
    rows: int = 0
    """Rows that the mask lets through."""
    document_frequency: dict[str, int] = field(default_factory=dict)
