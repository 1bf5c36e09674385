"""What ran alone: what policy let go without a question, the unusual first, the rest as a sample that fits the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from soloist.config import Attention
from soloist.engine.store import attention as history
from soloist.engine.store import effects
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.insight import amounts, attention, candid, sheets

DAYS = 7
SHARE = 0.2
"""Part of the operator's minutes of a day that looking back may take."""

EACH = 20.0
"""Seconds that one line takes to read."""

FEWEST = 5


@dataclass(frozen=True)
class Ran:
    """One thing that went alone: what, by whom, why it could, what is unusual about it, and whether it can go back."""

    id: str
    title: str
    at: str
    agent: str
    reached: tuple[str, ...] = ()
    amount: str = ""
    why: str = ""
    rule: str = ""
    flags: tuple[str, ...] = ()
    state: str = ""
    can_undo: bool = False
    way_back: str = ""


@dataclass(frozen=True)
class AlonePage:
    """The unusual ones, a sample of the others, and how many of them there are in all."""

    flagged: tuple[Ran, ...]
    sample: tuple[Ran, ...]
    others: int
    days: int = DAYS


def page(conn: Connection, file: Attention, now: str) -> AlonePage:
    """What nobody has looked at yet, of the last days."""
    rows = history.ran_alone(conn, later(now, -DAYS * 86_400.0))
    flagged = [row for row in rows if row["flags"]]
    others = [row for row in rows if not row["flags"]]
    room = int(attention.rules(conn, file).minutes_per_day * 60 * SHARE / EACH)
    chosen = sample(others, max(FEWEST, room - len(flagged)), now[:10])
    return AlonePage(tuple(_line(conn, row) for row in flagged), tuple(_line(conn, row) for row in chosen), len(others))


def sample(rows: Sequence[Mapping[str, Any]], most: int, day: str) -> list[Mapping[str, Any]]:
    """At most so many rows, drawn by chance that is the same all day, newest first as they came."""
    drawn = sorted(rows, key=lambda row: sha256(f"{day} {row['id']}".encode()).digest())[:most]
    chosen = {row["id"] for row in drawn}
    return [row for row in rows if row["id"] in chosen]


def _line(conn: Connection, row: Mapping[str, Any]) -> Ran:
    """A proposal as one line."""
    made = effects.of_proposal(conn, row["id"])
    payload = row["payload"] or {}
    minor, currency = candid.sum_of(row)
    subject = str(payload.get("subject") or payload.get("title") or "")
    held = bool(made) and all(one["state"] == "intended" and not one["attempts"] for one in made)
    done = any(one["state"] in ("succeeded", "resolved_done") for one in made)
    back = done and row["undo"] in ("exact", "offset")
    to = [str(one) for one in row.get("recipients") or []] or [sheets.recipients_said(row)]
    return Ran(
        id=row["id"],
        title=f"{sheets.operation_name(row)}{f': {subject}' if subject else ''}",
        at=row["created"],
        agent=str(row["agent"] or row["source"]),
        reached=tuple(one for one in to if one),
        amount=amounts.whole(minor, currency) if minor else "",
        why=str(row["said"] or ""),
        rule=str(row["rule"] or ""),
        flags=tuple(
            str(flag.get("words", flag)) if isinstance(flag, Mapping) else str(flag) for flag in row["flags"] or []
        ),
        state="held" if held else made[-1]["state"].replace("_", " ") if made else "approved",
        can_undo=held or back or (row["noun"] == "change"),
        way_back=sheets.way_back(row),
    )
