"""Trials of models as they are listed: each skill with quality, cost, time and the tier it suggests; it tries none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import trials
from soloist.engine.store.base import Connection
from soloist.kernel.spend import MICRO

KIND = "try"


@dataclass(frozen=True)
class SkillTried:
    """A model on one skill: ``score`` and ``rules`` are thousandths of what the operator wanted, None where unsaid."""

    skill: str
    cases: int
    good: int
    by: str
    score: int | None
    rules: int | None
    micro: int
    ms: int
    slowest_ms: int
    tier: int
    faults: tuple[str, ...]
    figures: str
    said: str


@dataclass(frozen=True)
class TrialOfModel:
    """One trial of a model; ``likely_micro`` and ``worst_micro`` were said before it began."""

    id: str
    model: str
    author: str
    state: str
    started: str
    ended: str
    rows: int
    micro: int
    likely_micro: int
    worst_micro: int
    currency: str
    said: str
    skills: tuple[SkillTried, ...]


def lines(conn: Connection, *, before: str = "", limit: int = 20) -> list[TrialOfModel]:
    """Trials of models, the newest first."""
    return [line(row) for row in trials.listed(conn, before=before, limit=limit, kind=KIND)]


def one(conn: Connection, ident: str) -> TrialOfModel:
    """One trial (NotFound)."""
    return line(trials.get(conn, ident))


def line(row: Mapping[str, Any]) -> TrialOfModel:
    """One trial."""
    whole = row["totals"] or {}
    skills = tuple(
        _skill(name, one, str(whole.get("currency", ""))) for name, one in (whole.get("skills") or {}).items()
    )
    micro, currency = int(whole.get("micro") or 0), str(whole.get("currency", ""))
    shown = {name: row[name] for name in ("id", "state", "started", "ended")}
    return TrialOfModel(
        **shown,
        model=row["name"],
        author=row["candidate"],
        rows=int(whole.get("rows") or 0),
        micro=micro,
        likely_micro=int(whole.get("likely_micro") or 0),
        worst_micro=int(whole.get("worst_micro") or 0),
        currency=currency,
        said=_said(row, whole, micro, currency),
        skills=skills,
    )


def _said(row: Mapping[str, Any], whole: Mapping[str, Any], micro: int, currency: str) -> str:
    """How far it is, or what it came to."""
    if row["state"] == trials.RUNNING:
        return f"Under way: {whole.get('rows', 0)} cases."
    cost = f"{micro / MICRO:.4f} {currency}; likely {int(whole.get('likely_micro') or 0) / MICRO:.4f} was said before."
    cut = " A cap ended it early." if whole.get("cut") else ""
    return f"{sum(one['cases'] for one in (whole.get('skills') or {}).values())} cases, {cost}{cut}"


def _skill(name: str, one: Mapping[str, Any], currency: str) -> SkillTried:
    """One skill with its figures in words."""
    near = (
        f"{one['score'] / 10:g} % as you wanted it, rules {one['rules'] / 10:g} %" if one["score"] is not None else ""
    )
    cost = f"{one['micro'] / MICRO:.4f} {currency}, {one['ms']} ms each"
    faults = tuple(one["faults"])
    parts = [near, cost, f"faults: {', '.join(faults).replace('_', ' ')}" if faults else ""]
    values = {key: one[key] for key in ("cases", "good", "by", "score", "rules", "micro", "ms", "slowest_ms", "tier")}
    return SkillTried(name, **values, faults=faults, figures="; ".join(p for p in parts if p), said=one["said"])
