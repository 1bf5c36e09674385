"""Reach: whether a contract lists what something needs to be read; pure, it knows no record."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def lacking(listed: Collection[str], places: Iterable[str]) -> str:
    """The first of some places (kind or kind.field) that a list does not name, "" when it names them all.

    A kind that is listed holds each of its fields; a single field never holds its kind.
    """
    return next((one for one in places if one not in listed and one.partition(".")[0] not in listed), "")
