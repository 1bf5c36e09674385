"""Spend as a page and as rows: caps with what is used, the forecast of the month, where money goes and was saved."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from soloist.engine.store import caps, model_calls, night_jobs, recordings, spent
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.insight import worth
from soloist.kernel.model import TIERS
from soloist.kernel.spend import Cap, Sums
from soloist.stages import spend
from soloist.stages.spend import amount, large

DAYS = 35
MONTH = 30 * 86400.0
MOST = 50


@dataclass(frozen=True)
class CapLine:
    """One cap as it stands: what is used of it in its period, in the unit of its measure and in words.

    ``key`` names it in commands and on the page; ``each`` says that it is for every subject of its scope apart.
    """

    key: str
    scope: str
    subject: str
    span: str
    measure: str
    most: int
    used: int
    currency: str
    source: str
    title: str
    said: str
    share: int
    extra: int = 0
    extra_until: str = ""
    stopped: bool = False
    each: bool = False


@dataclass(frozen=True)
class SpendPage:
    """Everything about money for models: caps, the month, who spends, what was asked twice, faults of models."""

    currency: str
    caps: tuple[CapLine, ...]
    today: int
    month: int
    held: int
    forecast: int
    saved: int
    days: Mapping[str, int]
    agents: tuple[Mapping[str, Any], ...]
    flows: tuple[Mapping[str, Any], ...]
    clients: tuple[Mapping[str, Any], ...]
    repeated: tuple[Mapping[str, Any], ...]
    recordings: Mapping[str, int] = field(default_factory=dict)
    span: tuple[int, int] = (0, 0)
    month_said: str = ""
    skills: tuple[Mapping[str, Any], ...] = ()
    models: tuple[Mapping[str, Any], ...] = ()
    outcomes: tuple[worth.Outcome, ...] = ()
    waste: tuple[worth.Waste, ...] = ()
    night: Mapping[str, int] = field(default_factory=dict)
    tiers: tuple[worth.TierWorth, ...] = ()
    large: tuple[str, ...] = ()
    """For each kind of letter whether the large tier has shown its worth, and why."""

    def money(self, micro: int) -> str:
        """A sum in words."""
        return amount("money", micro, self.currency)


def page(conn: Connection, ledger: spend.Spend, now: str, zone: ZoneInfo) -> SpendPage:
    """Caps, forecast and figures at an instant."""
    when = spend.moment(now, zone)
    first = (datetime.fromisoformat(when.day) - timedelta(days=DAYS)).strftime("%Y-%m-%d")
    days = spent.days(conn, first, when.day)
    sums = spent.read(conn, [("house", "", when.day), ("house", "", when.month)])
    month = sums.get(("house", "", when.month), Sums())
    length = calendar.monthrange(int(when.month[:4]), int(when.month[5:]))[1]
    since, seen = later(now, -MONTH), spend.forecast(days, when.day, length)
    return SpendPage(
        ledger.currency,
        tuple(cap_lines(conn, ledger, now, zone)),
        sums.get(("house", "", when.day), Sums()).spent_micro,
        month.spent_micro,
        month.held_micro,
        seen.likely,
        month.saved_micro,
        days,
        tuple(model_calls.by(conn, "agent", since, MOST)),
        tuple(model_calls.by(conn, "flow", since, MOST)),
        tuple(model_calls.by(conn, "client", since, MOST)),
        tuple(model_calls.repeated(conn, since)),
        recordings.figures(conn),
        (seen.low, seen.high),
        worth.month_said(seen, ledger.currency),
        tuple(model_calls.by(conn, "skill", since, MOST)),
        tuple(model_calls.by(conn, "model", since, MOST)),
        tuple(worth.outcomes(conn, now)),
        tuple(worth.waste(conn, now)),
        night_jobs.figures(conn, since),
        tuple(worth.tiers(conn, now)),
        tuple(large.lines(conn, now, ledger.currency)),
    )


def cap_lines(conn: Connection, ledger: spend.Spend, now: str, zone: ZoneInfo) -> list[CapLine]:
    """Every cap in force; one for each subject of a scope once for itself and once for each subject that used it."""
    when = spend.moment(now, zone)
    stops = {row["cap"] for row in caps.stops(conn) if row["period"] in (when.day, when.month, when.total)}
    found = []
    for cap in ledger.caps(conn):
        each = not cap.subject and cap.scope != "house"
        if not each:
            found.append(_line(conn, cap, cap.subject, when, (now, stops)))
            continue
        found.append(_line(conn, cap, "", when, (now, stops)))
        if cap.span in ("day", "month"):
            rows = spent.listed(conn, cap.scope, when.of(cap.span), MOST)
            found += [_line(conn, cap, row["subject"], when, (now, stops)) for row in rows]
    return found


def _line(conn: Connection, cap: Cap, subject: str, when: Any, at: tuple[str, set[str]]) -> CapLine:
    now, stops = at
    key = caps.name(cap.scope, subject, cap.span, cap.measure)
    place = (cap.scope, subject, when.of(cap.span) if cap.span in ("day", "month") else "")
    counted = (subject or cap.scope == "house") and cap.span not in ("call", "run")
    used = spent.read(conn, [place]).get(place, Sums()).of(cap.measure) if counted else 0
    most = cap.at(now)
    said = "off until its period is over" if most is None else ""
    if most is not None and counted:
        said = f"{amount(cap.measure, used, cap.currency)} of {amount(cap.measure, most, cap.currency)}"
    return CapLine(
        key,
        cap.scope,
        subject,
        cap.span,
        cap.measure,
        cap.most if most is None else most,
        used,
        cap.currency,
        {"own": "set here"}.get(cap.source, cap.source),
        spend.title(cap, subject) if subject or cap.scope == "house" else _each(cap),
        said,
        min(100, used * 100 // most) if most else 0,
        cap.extra if now < cap.extra_until else 0,
        cap.extra_until if now < cap.extra_until else "",
        key in stops,
        not subject and cap.scope != "house",
    )


def _each(cap: Cap) -> str:
    """A cap for each subject of a scope apart, in words."""
    spans = {"total": "", "call": " for one call", "run": " for one run", "day": " a day", "month": " a month"}
    return f"{amount(cap.measure, cap.most, cap.currency)}{spans[cap.span]} for each {cap.scope}"


@dataclass(frozen=True)
class ModelLine:
    """A configured model: where it is asked, its price in words, whether its secret is there, how it went lately."""

    name: str
    kind: str
    model: str
    host: str
    tier: int
    tier_said: str
    price: str
    price_known: bool
    window: int
    key: str
    trouble: str
    calls: int = 0
    failed: int = 0
    cost_micro: int = 0
    milliseconds: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)


def figures(conn: Connection, now: str) -> dict[str, dict[str, Any]]:
    """{calls, failed, cost_micro, milliseconds (mean), faults} of each model in 30 days, by its name."""
    found: dict[str, dict[str, Any]] = {}
    for row in model_calls.by_model(conn, later(now, -MONTH)):
        one = found.setdefault(row["provider"], {"calls": 0, "failed": 0, "cost_micro": 0, "whole": 0, "faults": {}})
        if row["state"] in model_calls.FREE:
            continue
        one["calls"] += row["calls"]
        one["cost_micro"] += row["cost_micro"]
        one["whole"] += row["milliseconds"]
        if row["fault"]:
            one["failed"] += row["calls"]
            one["faults"][row["fault"]] = one["faults"].get(row["fault"], 0) + row["calls"]
    return {
        name: {
            **{k: v for k, v in one.items() if k != "whole"},
            "milliseconds": one["whole"] // max(one["calls"], 1),
        }
        for name, one in found.items()
    }


def tier_said(tier: int) -> str:
    """A tier in words."""
    return f"{tier}: {TIERS[tier]}"
