"""Erasures as people see them: what was taken out, what proves it, what is left; never who it was."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import erased
from soloist.engine.store.reading import Connection

_SHOWN = ("id", "state", "created", "done", "who", "why", "seq", "proof")


def rows(conn: Connection, limit: int = 100, before: tuple[str, str] | None = None) -> list[dict[str, Any]]:
    """Erasures, the newest first."""
    return [_plain(row) for row in erased.listed(conn, limit, before)]


def row(conn: Connection, ident: str) -> dict[str, Any]:
    """One erasure (NotFound)."""
    return _plain(erased.get(conn, ident))


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in _SHOWN}
