"""Plans as rows: runs of playbooks, what their tasks came to and cost, lists of a planner; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import runs as of_runs
from soloist.engine.store.tables import proposals, run_steps, runs, tasks
from soloist.kernel.ids import derived

FLOW = "plan"
NEWEST = 2000
"""Newest plans, and lists of the planner, that are looked through."""


def parked(conn: sa.Connection, work: str) -> str:
    """The newest try of the plan that a piece of work belongs to, "" when it belongs to none."""
    parent = str(conn.execute(sa.select(runs.c.parent).where(runs.c.id == of_runs.origin(work))).scalar() or "")
    found = of_runs.tries(conn, parent) if parent.startswith(f"{FLOW}:") else []
    return str(found[-1]["id"]) if found else ""


def step(conn: sa.Connection, idents: Sequence[str], name: str) -> dict[str, Any] | None:
    """What a step answered in the newest of some runs that made it: its {input, output}; None when none did."""
    at = run_steps.c
    query = sa.select(at.input, at.output).where(at.run.in_(list(idents)) & (at.step == name))
    row = conn.execute(query.order_by(at.ended.desc(), at.run.desc()).limit(1)).mappings().first()
    return dict(row) if row is not None else None


def card(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """A card by its id, None when it was never opened."""
    row = conn.execute(sa.select(tasks).where(tasks.c.id == ident)).mappings().first()
    return dict(row) if row is not None else None


def open_cards(conn: sa.Connection, plan: str) -> list[str]:
    """The open cards of one plan."""
    where = (tasks.c.run == plan) & (tasks.c.subject_kind == FLOW) & (tasks.c.state == "open")
    return list(conn.execute(sa.select(tasks.c.id).where(where)).scalars())


def of(conn: sa.Connection, name: str = "") -> list[dict[str, Any]]:
    """The newest plans of a playbook, or of all: {id, state, subject, made_with, started, ended, error}."""
    at, given = runs.c, run_steps.c
    shape = (at.id, at.state, at.subject, at.made_with, at.started, at.ended, at.error, given.output)
    joined = runs.outerjoin(run_steps, (given.run == at.id) & (given.step == "given"))
    query = sa.select(*shape).select_from(joined).where(at.flow == FLOW)
    if name:
        query = query.where(at.id.startswith(f"{FLOW}:{name}:", autoescape=True))
    rows = conn.execute(query.order_by(at.started.desc(), at.id.desc()).limit(NEWEST)).mappings()
    return [_labelled(dict(row)) for row in rows]


def _labelled(row: dict[str, Any]) -> dict[str, Any]:
    """A plan that has not begun yet is known by what it was given."""
    label = (row.pop("output") or {}).get("playbook", "")
    return {**row, "made_with": {"playbook": label, **(row["made_with"] or {})}}


def came_to(conn: sa.Connection, idents: Sequence[str]) -> dict[str, dict[str, int]]:
    """What the work of some plans cost and led to, by plan: {micro, tokens, decided, edited}."""
    found = {ident: {"micro": 0, "tokens": 0, "decided": 0, "edited": 0} for ident in idents}
    of_, at = proposals.c, runs.c
    for start in range(0, len(idents), 500):
        some = list(idents[start : start + 500])
        sums = sa.select(at.parent, sa.func.sum(at.cost_micro), sa.func.sum(at.tokens)).where(at.parent.in_(some))
        for plan, micro, tokens in conn.execute(sums.group_by(at.parent)):
            found[plan] |= {"micro": int(micro or 0), "tokens": int(tokens or 0)}
        changed = sa.func.sum(sa.case((of_.version > 1, 1), else_=0))
        said = sa.select(at.parent, sa.func.count(), changed).select_from(proposals.join(runs, of_.run == at.id))
        for plan, count, edited in conn.execute(
            said.where(at.parent.in_(some) & (of_.state == "approved")).group_by(at.parent)
        ):
            found[plan] |= {"decided": int(count), "edited": int(edited or 0)}
    return found


def lines(conn: sa.Connection, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines that were taken from a list: {text, due, done}, the due instant "" for none."""
    chosen = (row["decision"] or {}).get("ticked") or []
    listed = (row["detail"] or {}).get("lines") or []
    found = []
    for n in chosen:
        made = card(conn, derived("list task", row["id"], str(n)))
        if made is not None and n < len(listed):
            done = made["state"] == "done" and (made["decision"] or {}).get("option") == "done"
            found.append({"text": listed[n]["text"], "due": made["deadline"], "done": done})
    return found


def lists(conn: sa.Connection, since: str = "", until: str = "9999") -> list[dict[str, Any]]:
    """Lists of the planner that were decided between two instants, the newest first: rows of tasks."""
    at = tasks.c
    where = (at.type == "list") & (at.state == "done") & (at.created >= since) & (at.created < until)
    query = sa.select(tasks).where(where).order_by(at.created.desc(), at.id.desc()).limit(NEWEST // 10)
    return [dict(row) for row in conn.execute(query).mappings()]
