"""Handed: the few values of the house that a skill of others declared and was granted; it looks up nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from soloist.kernel.errors import NotAllowed
from soloist.kernel.package import SCRATCH

_values: dict[str, str] = {}


def handed(name: str) -> str:
    """A value that skill.toml lists under ``needs``, like ``today`` (YYYY-MM-DD) or ``business.currency`` (ISO 4217).

    NotAllowed when it was not declared, or declared and not granted.
    """
    if name not in _values:
        raise NotAllowed(
            f"The value {name!r} was not handed in: it is not declared under `needs` in skill.toml, or not granted."
        )
    return _values[name]


def scratch() -> Path:
    """An empty folder for the time of one call (NotAllowed unless ``scratch`` was declared and granted)."""
    return Path(handed(SCRATCH))


def hand(values: Mapping[str, str]) -> None:
    """What the process that runs a skill gives it; other values are gone."""
    _values.clear()
    _values.update(values)
