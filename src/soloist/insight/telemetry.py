"""Telemetry: how agents and workflows do: time, failures, tokens, cost, and where cost arises; it changes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from soloist.engine.store import costs, spent, telemetry
from soloist.engine.store.clock import from_iso
from soloist.engine.store.reading import Connection

WAITS = frozenset({"proposal", "effect", "followup", "saga"})
"""Workflows that wait for a person or for the outside; their time says more about these than about Soloist."""
MOST = 12
"""Agents, workflows and clients that are shown each with what they came to."""


@dataclass(frozen=True)
class Figures:
    """How one agent or workflow did in the newest runs; ``p50`` and ``p95`` in seconds, None before one has ended."""

    name: str
    runs: int
    failed: int
    open: int
    p50: float | None
    p95: float | None
    tokens: int
    cost_micro: int
    last: str

    @property
    def share(self) -> float | None:
        """Share of those that ended that failed, None before one has."""
        ended = self.runs - self.open
        return self.failed / ended if ended else None

    @property
    def waits(self) -> bool:
        """Whether its time is mostly time of others."""
        return self.name in WAITS


@dataclass(frozen=True)
class Share:
    """What one agent, workflow or client ("by") came to: millionths for models this month; of the newest runs how many,
    seconds of this machine and bytes it keeps of them. Runs that wait for people count no time.
    """

    by: str
    name: str
    micro: int = 0
    runs: int = 0
    seconds: float = 0.0
    kept: int = 0
    title: str = ""


@dataclass(frozen=True)
class Split:
    """Where cost arises: money for models this month by whom, work of this machine, bytes it keeps."""

    currency: str
    inference: Mapping[str, Sequence[tuple[str, int]]]
    total_micro: int
    seconds: float
    runs: int
    stored: Mapping[str, int] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True)
class TelemetryPage:
    """Agents and workflows over the newest runs; ``since`` is the oldest that was looked at."""

    agents: tuple[Figures, ...]
    flows: tuple[Figures, ...]
    looked: int
    since: str
    split: Split


def page(conn: Connection, *, month: str, currency: str, stored: Mapping[str, int]) -> TelemetryPage:
    """Figures of the newest runs in three queries; ``month`` (YYYY-MM) of money, ``stored`` bytes by what they are."""
    rows = telemetry.newest(conn)
    agents = figures((row.agent.partition("@")[0], row) for row in rows if row.agent)
    flows = figures((row.flow, row) for row in rows)
    inference = {scope: _spenders(conn, scope, month) for scope in ("agent", "flow", "client")}
    total = sum(micro for _, micro in _spenders(conn, "house", month))
    ours = [one for one in flows if not one.waits]
    seconds = sum((one.p50 or 0.0) * (one.runs - one.open) for one in ours)
    split = Split(
        currency,
        inference,
        total,
        seconds,
        sum(one.runs for one in ours),
        stored,
        _titled(conn, shares(inference, costs.of_runs(conn))),
    )
    return TelemetryPage(tuple(agents), tuple(flows), len(rows), rows[-1].started if rows else "", split)


def times_of_agents(conn: Connection) -> dict[str, tuple[float | None, float | None]]:
    """p50 and p95 of each agent's newest runs, in seconds."""
    rows = telemetry.newest(conn)
    found = figures((row.agent.partition("@")[0], row) for row in rows if row.agent)
    return {one.name: (one.p50, one.p95) for one in found}


def _spenders(conn: Connection, scope: str, month: str) -> list[tuple[str, int]]:
    """Who spent what on models in a month, the most first."""
    rows = [(str(row["subject"]), int(row["spent_micro"])) for row in spent.listed(conn, scope, month, 10)]
    return [(name, micro) for name, micro in rows if micro]


def shares(inference: Mapping[str, Sequence[tuple[str, int]]], rows: Iterable[Any]) -> tuple[Share, ...]:
    """Money, time and bytes by agent, workflow and client, at most ``MOST`` each, the dearest first."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        took = (from_iso(row.ended) - from_iso(row.started)).total_seconds() if row.ended and row.started else 0.0
        took = 0.0 if row.flow in WAITS else took
        for by, name in (("agent", row.agent.partition("@")[0]), ("flow", row.flow), ("client", row.client)):
            if name:
                sums = found.setdefault((by, name), [0, 0.0, 0])
                sums[0], sums[1], sums[2] = sums[0] + 1, sums[1] + took, sums[2] + row.kept
    paid: dict[tuple[str, str], int] = {}
    for by, spenders in inference.items():
        for name, micro in spenders:
            place = (by, name.partition("@")[0] if by == "agent" else name)
            paid[place] = paid.get(place, 0) + micro
    lines = [
        Share(*place, paid.get(place, 0), int(runs), seconds, int(kept))
        for place in dict.fromkeys([*paid, *found])
        for runs, seconds, kept in [found.get(place, [0, 0.0, 0])]
    ]
    lines.sort(key=lambda one: (-one.micro, -one.seconds, -one.kept, one.name))
    return tuple(one for by in ("agent", "flow", "client") for one in [x for x in lines if x.by == by][:MOST])


def _titled(conn: Connection, found: Sequence[Share]) -> tuple[Share, ...]:
    """The same with the names of clients."""
    titles = costs.titles(conn, [one.name for one in found if one.by == "client"])
    return tuple(replace(one, title=titles.get(one.name, "")) for one in found)


def figures(named: Iterable[tuple[str, Any]]) -> list[Figures]:
    """Figures by name, the most used first; each row: state, started, ended, cost_micro, tokens."""
    groups: dict[str, list[Any]] = {}
    for name, row in named:
        groups.setdefault(name, []).append(row)
    found = [_figures(name, rows) for name, rows in groups.items()]
    return sorted(found, key=lambda one: (-one.runs, one.name))


def _figures(name: str, rows: Sequence[Any]) -> Figures:
    ended = [row for row in rows if row.ended and row.started]
    times = sorted((from_iso(row.ended) - from_iso(row.started)).total_seconds() for row in ended)
    return Figures(
        name=name,
        runs=len(rows),
        failed=sum(row.state == "failed" for row in rows),
        open=len(rows) - len(ended),
        p50=quantile(times, 0.5),
        p95=quantile(times, 0.95),
        tokens=sum(row.tokens or 0 for row in rows),
        cost_micro=sum(row.cost_micro or 0 for row in rows),
        last=max(row.started for row in rows),
    )


def quantile(times: Sequence[float], share: float) -> float | None:
    """The time that ``share`` of the sorted times do not exceed, None of none."""
    if not times:
        return None
    return times[max(0, math.ceil(share * len(times)) - 1)]


def as_row(one: Figures) -> dict[str, Any]:
    """Figures as programs are told of them."""
    return {**asdict(one), "failed_share": one.share, "waits": one.waits}
