"""Worth: what calls of models led to and what of them was in vain, as sums over rows; it judges nothing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from soloist.engine.store.model_calls import PAID
from soloist.engine.store.tables import proposals, records
from soloist.engine.store.tables_agents import corrections
from soloist.engine.store.tables_spend import model_calls

_C = model_calls.c
ACCEPTED = ("approved",)
IN_VAIN = ("rejected", "expired", "withdrawn")
"""States of proposals whose letters nobody used; one that was superseded came back in another form."""
DECIDED = ("approved", "rejected", "withdrawn", "superseded")
FRUITLESS = ("malformed", "looping", "forbidden_tool", "refused", "timeout")


def of_proposals(conn: sa.Connection, since: str) -> dict[str, tuple[int, int]]:
    """{state: (proposals, millionths)} of runs that asked a model and proposed something since an instant."""
    paid = sa.select(_C.run, sa.func.sum(_C.cost_micro).label("cost")).where((_C.created >= since) & _C.state.in_(PAID))
    cost = paid.group_by(_C.run).subquery()
    row = proposals.c
    mine = sa.select(row.state, row.run, sa.func.count().label("many")).where(row.source.like("agent:%"))
    each = mine.group_by(row.state, row.run).subquery()
    query = sa.select(each.c.state, sa.func.sum(each.c.many), sa.func.sum(cost.c.cost)).join(
        cost, cost.c.run == each.c.run
    )
    return {
        str(state): (int(many), int(micro or 0)) for state, many, micro in conn.execute(query.group_by(each.c.state))
    }


def records_in(conn: sa.Connection, kind: str, states: tuple[str, ...], since: str) -> int:
    """Records of a kind that came (no states), or came into one of these states, since an instant."""
    row = records.c
    at = row.updated if states else row.created
    where = (row.kind == kind) & (at >= since) & (row.state.in_(states) if states else sa.true())
    return int(conn.execute(sa.select(sa.func.count()).where(where)).scalar() or 0)


def cost_of(conn: sa.Connection, column: str, names: tuple[str, ...], since: str) -> int:
    """What calls of some agents, flows or skills cost since an instant; versions of an agent count as it."""
    of = _C[column]
    named = sa.or_(of.in_(names), *(of.like(f"{name}@%") for name in names))
    where = (_C.created >= since) & _C.state.in_(PAID) & named
    return int(conn.execute(sa.select(sa.func.sum(_C.cost_micro)).where(where)).scalar() or 0)


def fruitless(conn: sa.Connection, since: str, limit: int = 5) -> list[dict[str, Any]]:
    """{skill, provider, fault, calls, cost_micro} of paid calls whose answer could not be used, the dearest first."""
    sums = (sa.func.count().label("calls"), sa.func.sum(_C.cost_micro).label("cost_micro"))
    query = sa.select(_C.skill, _C.provider, _C.fault, *sums).where((_C.created >= since) & _C.fault.in_(FRUITLESS))
    rows = conn.execute(query.group_by(_C.skill, _C.provider, _C.fault).order_by(sa.desc("cost_micro")).limit(limit))
    return [{**row, "cost_micro": int(row["cost_micro"] or 0)} for row in rows.mappings()]


def drafts(conn: sa.Connection, operation: str, since: str, limit: int = 2000) -> list[dict[str, Any]]:
    """Drafts of agents that a person decided since an instant: {state, evidence, distance, kind, tier, cost_micro}.

    ``distance`` is that of the last correction in thousandths, None for one approved as it was; ``tier`` the highest
    that answered in its run, 0 when none did; ``cost_micro`` what models cost in its run.
    """
    at, of = proposals.c, corrections.c
    last = sa.select(of.object, sa.func.max(of.id).label("id")).where(of.state == "kept").group_by(of.object).subquery()
    used = _C.state.in_((*PAID, "recorded")) & (_C.run == at.run) & (at.run != "")
    tier = sa.select(sa.func.max(_C.tier)).where(used & (_C.fault == "")).correlate(proposals).scalar_subquery()
    cost = sa.select(sa.func.sum(_C.cost_micro)).where(used).correlate(proposals).scalar_subquery()
    shape = (at.state, at.evidence, of.distance, of.kind, tier.label("tier"), cost.label("cost_micro"))
    joined = sa.outerjoin(proposals, last, last.c.object == at.id)
    joined = sa.outerjoin(joined, corrections, of.id == last.c.id)
    mine = (at.operation == operation) & (at.agent != "") & (at.created >= since) & at.state.in_(DECIDED)
    query = sa.select(*shape).select_from(joined).where(mine, sa.or_(at.state == "approved", of.id.is_not(None)))
    rows = conn.execute(query.order_by(at.updated.desc()).limit(limit)).mappings()
    return [{**row, "tier": int(row["tier"] or 0), "cost_micro": int(row["cost_micro"] or 0)} for row in rows]


def lengths(conn: sa.Connection, since: str, until: str) -> dict[str, tuple[int, int, int]]:
    """{skill: (calls, mean tokens in, millionths)} of answered calls in a stretch of time."""
    sums = (sa.func.count(), sa.func.sum(_C.tokens_in), sa.func.sum(_C.cost_micro))
    where = (_C.state == "answered") & (_C.skill != "") & (_C.created >= since) & (_C.created < until)
    rows = conn.execute(sa.select(_C.skill, *sums).where(where).group_by(_C.skill))
    return {
        str(skill): (int(many), int(tokens or 0) // int(many), int(micro or 0)) for skill, many, tokens, micro in rows
    }
