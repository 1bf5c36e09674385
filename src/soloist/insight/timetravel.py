"""Time travel: what was known at an instant, and the snapshots that name one; it reads and changes nothing."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import asof, snapshots
from soloist.engine.store.reading import Connection


def record_at(conn: Connection, ident: str, as_of: str) -> dict[str, Any]:
    """A record as it was (BadInput for a time before the first event, NotFound when it was not there yet)."""
    seq = asof.sequence(conn, as_of)
    return {**asof.record(conn, ident, seq), "as_of": seq}


def about_at(conn: Connection, ident: str, as_of: str) -> dict[str, Any]:
    """A record with its facts and memories as they were: {as_of, at, record, facts, memories}."""
    seq = asof.sequence(conn, as_of)
    return {
        "as_of": seq,
        "at": asof.instant(conn, seq),
        "record": asof.record(conn, ident, seq),
        "facts": asof.facts_of(conn, ident, seq),
        "memories": asof.memories_at(conn, seq, record_id=ident),
    }


def known(conn: Connection, before: tuple[str, str] | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Snapshots, the newest first."""
    return snapshots.listed(conn, before=before, limit=limit)


def verified(conn: Connection, ident: str) -> dict[str, Any]:
    """A snapshot compared with what the store holds now, with a sentence about it."""
    found = snapshots.verify(conn, ident)
    return {**found, "said": _said(found)}


def _said(found: dict[str, Any]) -> str:
    """The result of a comparison in words."""
    if found["same"]:
        return "Everything that was known then is still here, unchanged."
    gone = found["gone"]
    if gone.get("erasures") or gone.get("collections"):
        return (
            f"Part of what was known then has been taken away since, on purpose: {gone['collections']} collections, "
            f"{gone['erasures']} erasures. The rest cannot be compared as a whole."
        )
    return "What the store holds now differs from what was known then, and nothing was taken away on purpose."
