"""Local: what a skill may ask of the models on this machine; the process that runs skills gives it, else it has none.

A skill lies below the engine and never imports it. The worker gives its own reader once; without one each skill does
what it can by words alone and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol


class Reader(Protocol):
    """Small models in this process."""

    def vectors(self, texts: Sequence[str], language: str) -> Sequence[Sequence[float]] | None:
        """One vector of length 1 a text; None when no model compares texts of that language by meaning."""

    def telling(self, text: str, language: str, most: int) -> tuple[list[tuple[int, int]], bool]:
        """Offsets of the sentences that say most of a text, in its order, and whether they were told by meaning."""

    def wants(self, text: str, language: str, model: str) -> tuple[dict[str, float], bool, str, str]:
        """Probability of each intent of the router at ``model`` (none: it does not tell this language apart), whether
        the text is like their examples, by which way ("meaning", "letters"), and what is wrong ("" no)."""

    def kinds(self, subject: str, text: str, language: str) -> tuple[dict[str, float], bool, str]:
        """Probability of each kind of message, whether the text is like anything known, and what is wrong ("" no)."""


_given: list[Reader] = []


def reader() -> Reader | None:
    """The reader of this process, None when nobody gave one."""
    return _given[-1] if _given else None


def give(one: Reader) -> None:
    """Let every skill of this process use ``one`` from now on."""
    _given[:] = [one]


@contextmanager
def given(one: Reader | None) -> Iterator[None]:
    """Use ``one`` (None: no reader at all) inside a ``with`` block."""
    before = list(_given)
    _given[:] = [one] if one is not None else []
    try:
        yield
    finally:
        _given[:] = before
