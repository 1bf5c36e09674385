"""Practice: which agent, flow, template and skill versions did what on which kind of case, and what it led to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import outcomes
from soloist.engine.store.reading import Connection
from soloist.insight import words

LIKE = 5
"""Cases shown beside a case of the same kind."""


@dataclass(frozen=True)
class Way:
    """One way of working on one kind of case, with how often it led where; ``answered`` counts replies that came."""

    agent: str
    flow: str
    operation: str
    case: str
    template: str
    steps: tuple[str, ...]
    policy: str
    cases: int
    approved: int
    edited: int
    rejected: int
    expired: int
    undone: int
    failed: int
    answered: int
    returned: int
    first: str
    last: str
    outcomes: Mapping[str, int]

    @property
    def told(self) -> str:
        """The same in a sentence."""
        waiting = self.cases - self.approved - self.rejected - self.expired
        said = [words.counted(self.cases, "case")]
        straight = f"{self.approved - self.edited} approved as they were"
        said += [straight if waiting < self.cases else "none decided yet"]
        for number, text in ((self.edited, "edited"), (self.rejected, "rejected"), (self.undone, "taken back")):
            said += [f"{number} {text}"] if number else []
        said += [f"{self.answered} answered"] if self.answered else []
        said += [f"{self.returned} came back"] if self.returned else []
        return ", ".join(said)


def ways(conn: Connection, *, since: str = "", agent: str = "", case: str = "") -> list[Way]:
    """Every way of working of the newest proposals, the most used first."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in outcomes.cases(conn, since):
        key = _key(row)
        if (not agent or key[0].startswith(agent)) and (not case or key[3] == case):
            groups.setdefault(key, []).append(row)
    firsts = {key: rows[0]["run"] for key, rows in groups.items()}
    steps = outcomes.steps_of(conn, [run for run in firsts.values() if run])
    found = [_way(key, rows, tuple(steps.get(firsts[key], ()))) for key, rows in groups.items()]
    return sorted(found, key=lambda way: (-way.cases, way.agent, way.operation, way.case, way.template))


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes two cases the same way of working on the same kind of case."""
    evidence = row["evidence"] or {}
    case = str(evidence.get("kind") or ("follow-up" if evidence.get("follow_up") else ""))
    flow = " ".join(str(part) for part in (row["flow"], row["flow_version"]) if part)
    named = str(row["operation"]).startswith(f"{row['connector']}.")
    operation = row["operation"] if named else f"{row['connector']}.{row['operation']}"
    return (row["agent"] or row["source"], flow, operation, case, str(evidence.get("template") or ""))


def _way(key: tuple[str, ...], rows: Sequence[Mapping[str, Any]], steps: tuple[str, ...]) -> Way:
    """The figures of one group."""
    results: dict[str, int] = {}
    for row in rows:
        for outcome in row["outcomes"]:
            results[outcome["metric"]] = results.get(outcome["metric"], 0) + 1
    agent, flow, operation, case, template = key
    return Way(
        agent=agent,
        flow=flow,
        operation=operation,
        case=case,
        template=template,
        steps=steps,
        policy=str(rows[0].get("policy_version") or ""),
        cases=len(rows),
        approved=sum(row["state"] == "approved" for row in rows),
        edited=sum(row["state"] == "approved" and row["edited"] for row in rows),
        rejected=sum(row["state"] == "rejected" for row in rows),
        expired=sum(row["state"] == "expired" for row in rows),
        undone=sum(bool(row["undone"]) for row in rows),
        failed=sum(bool(row["failed"]) for row in rows),
        answered=sum(any(one["metric"] == "answered" for one in row["outcomes"]) for row in rows),
        returned=results.get("returned", 0),
        first=min(row["created"] for row in rows),
        last=max(row["created"] for row in rows),
        outcomes=results,
    )


def like(conn: Connection, proposal: Mapping[str, Any]) -> Way | None:
    """How the same way of working went on the same kind of case before a proposal, None when there was none."""
    wanted = _key({**proposal, "flow": "", "flow_version": ""})
    rows = [
        row
        for row in outcomes.cases(conn, limit=500)
        if row["id"] != proposal["id"]
        and row["state"] != "waiting"
        and row["created"] < proposal["created"]
        and _key({**row, "flow": "", "flow_version": ""}) == wanted
    ]
    return _way(wanted, rows, ()) if rows else None
