"""Calls: skills that are called while a step of a run is done, collected so that they are kept; it keeps none itself.

The collection belongs to the context of the step: whatever the step calls, on whatever thread, lands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from soloist.kernel.hashing import sha256

MOST = 64
"""Calls of one step that are kept; an import of thousands of rows has a report of its own."""


@dataclass(frozen=True)
class Call:
    """One skill in one version: what it was given (``blob`` is the hash of bytes beside it) and what it answered."""

    skill: str
    version: str
    input: Mapping[str, Any]
    blob: str
    output: Mapping[str, Any]


_open: ContextVar[list[Call] | None] = ContextVar("calls_of_the_step", default=None)


@contextmanager
def collecting() -> Iterator[list[Call]]:
    """The calls that are made inside, in their order."""
    made: list[Call] = []
    token = _open.set(made)
    try:
        yield made
    finally:
        _open.reset(token)


def note(skill: str, version: str, given: Mapping[str, Any], blob: bytes, answer: Mapping[str, Any]) -> None:
    """Add a call to the step it is made in; outside of a step nothing is kept."""
    made = _open.get()
    if made is not None and len(made) < MOST:
        made.append(Call(skill, version, given, sha256(blob) if blob else "", answer))


def forget() -> None:
    """Take back what this step called: it ends here and is done again from its beginning."""
    made = _open.get()
    if made is not None:
        made.clear()
