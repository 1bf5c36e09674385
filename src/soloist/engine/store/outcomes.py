"""Outcomes: measured results attached to what they are the result of, and what each way of working led to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import approvals, effects, proposals, run_steps, runs
from soloist.engine.store.tables_memory import outcomes
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput
from soloist.kernel.ids import derived

NOTED = "outcome.noted"
MOST_LOOKED = 2000
"""Newest proposals that the practice of a house is counted from."""


def note(tx: Tx, given: Mapping[str, Any], *, actor: str) -> tuple[str, bool]:
    """Keep a result {object, kind, metric, value, unit, source, ref, detail, at}: its id and whether it is new.

    The same metric of the same object under the same ``ref`` is one outcome; with another value it is a BadInput.
    """
    ident = derived("outcome", given["object"], given["metric"], given.get("ref") or given.get("at") or tx.now)
    known = tx.first(sa.select(outcomes).where(outcomes.c.id == ident))
    if known is not None:
        if known["value"] != str(given.get("value", "")):
            said = f"value: this outcome was noted as {known['value']!r}; send another ref for another measurement."
            raise BadInput(said, field="value")
        return ident, False
    payload = {"metric": given["metric"], "kind": given.get("kind", ""), "why": given["metric"]}
    event = tx.append(NOTED, subject=given["object"], payload=payload, actor=actor)
    names = ("object", "kind", "metric", "unit", "source", "ref")
    row = {name: str(given.get(name, "")) for name in names} | {"value": str(given.get("value", ""))}
    times = {"at": given.get("at") or tx.now, "created": tx.now, "event": event.id}
    tx.run(outcomes.insert(), {**row, **times, "id": ident, "detail": dict(given.get("detail") or {})})
    return ident, True


def of(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Outcomes of some objects, oldest first."""
    query = sa.select(outcomes).where(outcomes.c.object.in_(list(idents)))
    return [dict(row) for row in conn.execute(query.order_by(outcomes.c.at, outcomes.c.id)).mappings()]


def listed(
    conn: sa.Connection, *, object_: str = "", metric: str = "", before: tuple[str, str] | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Outcomes, newest first, after the (at, id) of the last one seen."""
    query = sa.select(outcomes)
    query = query.where(outcomes.c.object == object_) if object_ else query
    query = query.where(outcomes.c.metric == metric) if metric else query
    if before is not None:
        query = query.where(sa.tuple_(outcomes.c.at, outcomes.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(outcomes.c.at.desc(), outcomes.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def cases(conn: sa.Connection, since: str = "", limit: int = MOST_LOOKED) -> list[dict[str, Any]]:
    """The newest proposals with what became of them: flow and its version, agent, operation, evidence, decision.

    Each has ``edited`` (the approved bytes differ from the proposed), ``undone``, ``late`` and ``said`` (decision).
    """
    columns = (
        *(proposals.c[name] for name in ("id", "run", "agent", "source", "connector", "operation", "evidence")),
        *(proposals.c[name] for name in ("state", "version", "created", "updated", "record", "policy_version")),
        runs.c.flow,
        runs.c.version.label("flow_version"),
    )
    query = sa.select(*columns).select_from(proposals.outerjoin(runs, runs.c.id == proposals.c.run))
    query = query.where(proposals.c.created >= since) if since else query
    query = query.order_by(proposals.c.created.desc(), proposals.c.id.desc()).limit(limit)
    rows = [dict(row) for row in conn.execute(query).mappings()]
    idents = [row["id"] for row in rows]
    done: dict[str, list[dict[str, Any]]] = {}
    for row in _in(conn, effects, effects.c.proposal, idents):
        done.setdefault(row["proposal"], []).append(row)
    said = {row["proposal"]: row for row in _in(conn, approvals, approvals.c.proposal, idents)}
    results: dict[str, list[dict[str, Any]]] = {}
    for row in _in(conn, outcomes, outcomes.c.object, idents):
        results.setdefault(row["object"], []).append(row)
    for row in rows:
        mine = done.get(row["id"], [])
        row["edited"] = int(row["version"]) > 1
        row["undone"] = any(effect["undoes"] or effect["state"].startswith("compensat") for effect in mine)
        row["failed"] = any(effect["state"] in ("failed", "resolved_not_done") for effect in mine)
        row["who"] = said.get(row["id"], {}).get("who", "")
        row["outcomes"] = results.get(row["id"], [])
    return rows


def _in(conn: sa.Connection, table: Any, column: Any, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a table whose column is one of many ids."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(idents), 500):
        query = sa.select(table).where(column.in_(list(idents[start : start + 500])))
        found += [dict(row) for row in conn.execute(query).mappings()]
    return found


def steps_of(conn: sa.Connection, idents: Sequence[str]) -> dict[str, list[str]]:
    """The steps of some runs, in order: the skills and stages they used."""
    found: dict[str, list[str]] = {}
    for row in sorted(_in(conn, run_steps, run_steps.c.run, idents), key=lambda row: (row["run"], row["position"])):
        found.setdefault(row["run"], []).append(row["step"])
    return found
