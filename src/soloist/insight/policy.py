"""Policy as a page and as rows: rules in force, grants, what agents have earned, versions; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import autonomy, grants, policies
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.kernel.money import plain
from soloist.stages.policy import GATES, INTERNAL

DAY = 86400.0
VERSIONS = 20
MOST = 200


@dataclass(frozen=True)
class GrantLine:
    """One grant; ``opens`` are gates in words, ``limits`` what bounds it."""

    id: str
    title: str
    state: str
    opens: tuple[str, ...]
    limits: tuple[str, ...]
    until: str
    used: int
    source: str
    who: str
    why: str = ""
    when: str = ""


@dataclass(frozen=True)
class RuleLine:
    """One rule in force; ``own`` when it stands in policy.toml, so that it can be taken out here."""

    name: str
    when: str
    then: str
    own: bool


@dataclass(frozen=True)
class PolicyPage:
    """What is in force, what was given, what was earned, what was in force before."""

    version: str
    trouble: str
    rules: tuple[RuleLine, ...]
    grants: tuple[GrantLine, ...]
    former_grants: tuple[GrantLine, ...]
    autonomy: tuple[Mapping[str, Any], ...]
    versions: tuple[Mapping[str, Any], ...]
    gates: Mapping[str, str]
    internal: str = INTERNAL


def page(conn: Connection, rules: Sequence[RuleLine], *, version: str, trouble: str, now: str) -> PolicyPage:
    """Everything about policy now."""
    lines = [grant_line(conn, row, now) for row in grants.listed(conn, limit=MOST)]
    live = tuple(line for line in reversed(lines) if line.state in ("live", "offered"))
    over = tuple(line for line in reversed(lines) if line.state not in ("live", "offered"))
    return PolicyPage(
        version,
        trouble,
        tuple(rules),
        live,
        over[:VERSIONS],
        tuple(autonomy.listed(conn)),
        tuple(policies.listed(conn, limit=VERSIONS)),
        GATES,
    )


def grant_line(conn: Connection, row: Mapping[str, Any], now: str) -> GrantLine:
    """One grant in words."""
    state = "expired" if row["state"] == "live" and row["until"] <= now else row["state"]
    limits = []
    if row["limit_minor"]:
        limits.append(f"up to {plain(row['limit_minor'], row['currency'], grouped=True)} {row['currency']} each")
    if row["per_day"]:
        limits.append(f"{row['per_day']} in 24 hours")
    if row["mode"] == "revert":
        limits.append(f"can be taken back for {row['window'] or 'its hold'}")
    return GrantLine(
        row["id"],
        row["title"],
        state,
        tuple(GATES.get(gate, gate) for gate in row["gates"] or ()),
        tuple(limits),
        row["until"],
        grants.used(conn, row, later(now, -DAY)),
        row["source"],
        row["who"],
        row["ended_why"] or row["why"],
        row["when"],
    )


def grant_rows(
    conn: Connection, now: str, *, after: str = "", limit: int = 100, state: str = ""
) -> list[dict[str, Any]]:
    """Grants as the API gives them, in the order they were made."""
    rows = grants.listed(conn, after=after, limit=limit, state=state)
    return [{**row, "used_today": grants.used(conn, row, later(now, -DAY))} for row in rows]


def grant_row(conn: Connection, ident: str, now: str) -> dict[str, Any]:
    """One grant as the API gives it (NotFound)."""
    row = grants.get(conn, ident)
    return {**row, "used_today": grants.used(conn, row, later(now, -DAY))}


def version_rows(conn: Connection) -> list[dict[str, Any]]:
    """Versions of the rules, the one in force first."""
    names = ("version", "n", "source", "who", "why", "at")
    return [
        {**{name: row[name] for name in names}, "rules": list((row["rules"] or {}).get("rules", []))}
        for row in policies.listed(conn)
    ]
