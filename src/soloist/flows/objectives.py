"""Objectives: runway, capacity and goals counted from real records, written as forward versions beside the flows."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from soloist.engine.store import records
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel import money
from soloist.kernel.errors import SoloistError

LOOK_EVERY = 60.0
"""Seconds between two looks whether a figure that objectives rest on has changed."""
MOST = 10_000
"""Records of one kind that are counted at the most."""
CITED = 500
"""Records that an objective names as what it rests on, at the most."""
WEEKS = 4
KINDS = ("goal", "runway", "capacity")
SOURCES = ("invoice", "payment", "appointment", "person", "company", "publication")
COUNTED = "counted from your records"
Row = Mapping[str, Any]
_log = logging.getLogger("soloist.objectives")


@dataclass(frozen=True)
class Figures:
    """The records that objectives are counted from, by kind, the day it is (ISO) where the operator is, her money."""

    rows: Mapping[str, Sequence[Row]]
    today: str
    currency: str = "EUR"

    def of(self, kind: str) -> Sequence[Row]:
        """Records of a kind that were not merged into another."""
        return [row for row in self.rows.get(kind, ()) if not row.get("merged_into")]


class Objectives:
    """Keeps goals, runway and capacity true to the records of one home."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk
        self._seen: tuple[str, ...] = ()

    async def follow(self) -> None:
        """Look for as long as the server runs; bodies of an older schema are brought forward on the way."""
        while True:
            try:
                await self._desk.records.catch_up()
                await self.look()
            except SoloistError as error:
                _log.warning("objectives were not counted: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> list[str]:
        """Count again where something has changed since the last look, or the day has; ids that got a new version."""
        found = await self._desk.store.read(lambda conn: records.newest_changes(conn, (*KINDS, *SOURCES)))
        mark = (self._today(), *(f"{kind} {at}" for kind, at in sorted(found.items())))
        if mark == self._seen or not set(KINDS) & set(found):
            return []
        written = await self.count()
        newest = await self._desk.store.read(lambda conn: records.newest_changes(conn, (*KINDS, *SOURCES)))
        self._seen = (self._today(), *(f"{kind} {at}" for kind, at in sorted(newest.items())))
        return written

    async def count(self) -> list[str]:
        """Count every objective now; the ids of those whose figures changed."""
        return await self._desk.store.write(self._count)

    def _today(self) -> str:
        return self._desk.store.clock().astimezone(self._desk.settings.business.zone).date().isoformat()

    def _count(self, tx: Tx) -> list[str]:
        """All in one transaction: what is read is what the figures rest on."""
        rows = {kind: records.listed(tx.conn, kind, before=None, limit=MOST) for kind in SOURCES}
        figures, written = Figures(rows, self._today(), self._desk.settings.business.currency), []
        for kind, count in (("runway", runway), ("capacity", capacity), ("goal", goal)):
            for row in records.listed(tx.conn, kind, before=None, limit=MOST):
                if row["merged_into"]:
                    continue
                fields = count(row["body"], figures, tx.now)
                done = self._desk.records.merge_in(tx, kind, row["id"], fields, by="system", why=COUNTED)
                if done["version"] != row["version"]:
                    written.append(row["id"])
        return written


# ----- the figures, each a function of the records alone


def runway(body: Row, figures: Figures, _now: str) -> dict[str, Any]:
    """How long the money lasts: (cash + received - paid out since) / fixed costs, with and without open invoices."""
    cash, fixed = body.get("cash") or {}, body.get("fixed_costs") or {}
    if not cash or not fixed or fixed["currency"] != cash["currency"]:
        why = ["fixed costs and cash are of two currencies"] if cash and fixed else []
        return {"months": "", "months_sure": "", "left_out": why, "rests_on": []}
    currency, since = cash["currency"], str(body.get("cash_on") or "")
    moved = [row for row in figures.of("payment") if row["state"] != "returned" and row["state"] != "expected"]
    later = [
        row for row in moved if str(row["body"].get("on") or "") > since and str(row["body"]["on"]) <= figures.today
    ]
    came = [row for row in later if row["body"].get("direction") != "out"]
    went = [row for row in later if row["body"].get("direction") == "out"]
    owed = [row for row in figures.of("invoice") if row["state"] in ("sent", "overdue")]
    received, spent, expected = (_sum(rows, currency) for rows in (came, went, owed))
    left = cash["minor"] + received - spent
    other = [row for row in (*later, *owed) if _money(row).get("currency", currency) != currency]
    return {
        "received": {"minor": received, "currency": currency},
        "spent": {"minor": spent, "currency": currency},
        "open_invoices": {"minor": expected, "currency": currency},
        "months_sure": _months(left, fixed["minor"]),
        "months": _months(left + expected, fixed["minor"]),
        "left_out": [f"{row['title']}: {_money(row).get('currency')}" for row in other][:CITED],
        "rests_on": _cited(row for row in (*later, *owed) if row not in other),
    }


def capacity(body: Row, figures: Figures, now: str) -> dict[str, Any]:
    """Hours taken by appointments from now on, and hours free, over the weeks that are looked ahead."""
    hours, weeks = body.get("hours_per_week"), body.get("weeks") or WEEKS
    if not isinstance(hours, int | float) or not isinstance(weeks, int | float) or not 0 < weeks <= 520:
        return {}
    begin = datetime.fromisoformat(now)
    end = begin + timedelta(weeks=weeks)
    taken = [row for row in figures.of("appointment") if row["state"] not in ("cancelled", "done")]
    spans = [(row, _overlap(row["body"], begin, end)) for row in taken]
    booked = sum(length for _, length in spans)
    return {
        "booked_hours": _round(booked),
        "free_hours": _round(max(0.0, hours * weeks - booked)),
        "until": end.date().isoformat(),
        "rests_on": _cited(row for row, length in spans if length > 0),
    }


def goal(body: Row, figures: Figures, _now: str) -> dict[str, Any]:
    """How far a goal is, from what was paid, invoiced, won or published between its two days."""
    metric = body.get("metric")
    begin, end = str(body.get("begins") or ""), str(body.get("due") or "9999-12-31")

    def within(row: Row, name: str) -> bool:
        day = str(row["body"].get(name) or "")[:10]
        return bool(day) and begin <= day <= min(end, figures.today)

    if metric == "paid":
        found = [r for r in figures.of("payment") if r["state"] not in ("returned", "expected") and within(r, "on")]
        found = [row for row in found if row["body"].get("direction") != "out"]
    elif metric == "invoiced":
        found = [r for r in figures.of("invoice") if r["state"] not in ("draft", "cancelled") and within(r, "issued")]
        found = [row for row in found if row["body"].get("direction") != "received"]
    elif metric == "published":
        found = [r for r in figures.of("publication") if r["state"] == "published" and within(r, "published_on")]
    elif metric == "new clients":
        known = [*figures.of("person"), *figures.of("company")]
        found = [row for row in known if row["state"] == "client" and begin <= row["created"][:10] <= end]
    else:
        return {}
    if metric in ("paid", "invoiced"):
        found = [row for row in found if _money(row).get("currency") == figures.currency]
        total = Decimal(money.plain(_sum(found, figures.currency), figures.currency))
        return {"current": _round(float(total)), "rests_on": _cited(found)}
    return {"current": len(found), "rests_on": _cited(found)}


def _money(row: Row) -> Row:
    found = row["body"].get("amount")
    return found if isinstance(found, Mapping) else {}


def _sum(rows: Iterable[Row], currency: str) -> int:
    """Minor units of one currency; others are left out, not converted."""
    return sum(int(_money(row)["minor"]) for row in rows if _money(row).get("currency") == currency)


def _months(left: int, fixed: int) -> Any:
    """Months to one digit, rounded down; "" when nothing is spent."""
    return _round(math.floor(max(0, left) / fixed * 10) / 10) if fixed > 0 else ""


def _round(value: float) -> int | float:
    found = round(value, 2)
    return int(found) if found == int(found) else found


def _cited(rows: Iterable[Row]) -> list[str]:
    """Ids in a fixed order, so that the same figures never make a new version."""
    return sorted(row["id"] for row in rows)[:CITED]


def _overlap(body: Row, begin: datetime, end: datetime) -> float:
    """Hours of an appointment within a span; one without an end takes an hour."""
    try:
        first = datetime.fromisoformat(str(body.get("begins")))
        last = datetime.fromisoformat(str(body["ends"])) if body.get("ends") else first + timedelta(hours=1)
        return max(0.0, (min(last, end) - max(first, begin)).total_seconds() / 3600)
    except (ValueError, TypeError, OverflowError):  # from an older schema: no instant, or one without a zone
        return 0.0
