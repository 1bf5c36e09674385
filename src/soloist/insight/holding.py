"""A run that can be paused: whether it is, and what of it has not left; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from soloist.engine.store import holds, runs
from soloist.engine.store.reading import Connection
from soloist.insight import names
from soloist.insight.sheets import operation_name


@dataclass(frozen=True)
class Waits:
    """One effect that has not left: what it is, and its state in words."""

    id: str
    text: str
    note: str


@dataclass(frozen=True)
class HoldPage:
    """A run; ``since`` is the instant it was paused, "" while it is not; ``effects``: label = id, note = state."""

    run: str
    title: str
    since: str = ""
    by: str = ""
    why: str = ""
    effects: tuple[Waits, ...] = ()


def page(conn: Connection, run: str) -> HoldPage:
    """The page of a run (NotFound)."""
    row = runs.get(conn, run)
    found = holds.of(conn, run) or {}
    named = names.of(conn, [row["subject"]]).get(row["subject"])
    told = f"{row['flow'].capitalize()}: {named.text}" if named else f"{row['flow'].capitalize()} {run}"
    return HoldPage(
        run,
        told,
        str(found.get("since", "")),
        str(found.get("by", "")),
        str(found.get("why", "")),
        tuple(Waits(e["id"], operation_name(e), e["state"].replace("_", " ")) for e in holds.below(conn, run)),
    )
