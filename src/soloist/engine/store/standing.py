"""Standing rules as rows: what the operator said once, in versions, and wherever it applied; it reads no sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_agents import rule_uses, standing_rules
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound

SAID, LIVE, ENDED, REPLACED = "said", "live", "ended", "replaced"
"""Tried but not in force; in force; taken back; an older version of the same rule."""
_R, _U = standing_rules.c, rule_uses.c


def add(tx: Tx, row: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """A new rule, or with ``rule`` another version of it, said and not in force: its row."""
    rule = str(row.get("rule") or _next(tx.conn))
    version = int(tx.conn.execute(sa.select(sa.func.max(_R.version)).where(_R.rule == rule)).scalar() or 0) + 1
    told = {"said": row["said"], "reading": row["reading"], "scope": row["scope"], "subject": row["subject"]}
    event = tx.append("standing_rule.said", subject=rule, payload={"version": version, **told}, actor=who)
    made = {
        "id": f"{rule}.{version}",
        "rule": rule,
        "version": version,
        "state": SAID,
        **told,
        "hash": row["hash"],
        "tried": row["tried"],
        "repeats": 0,
        "who": who,
        "at": tx.now,
        "event": event.id,
        "ended": "",
        "ended_why": "",
    }
    tx.run(standing_rules.insert(), made)
    return made


def move(tx: Tx, row: Mapping[str, Any], state: str, *, who: str, why: str = "") -> None:
    """Put a version in force, or end it; an event says so."""
    over = {"ended": tx.now, "ended_why": why} if state in (ENDED, REPLACED) else {}
    tx.run(standing_rules.update().where(_R.id == row["id"]).values(state=state, **over))
    payload = {"version": row["version"], "why": why}
    tx.append(f"standing_rule.{state}", subject=row["rule"], payload=payload, actor=who)


def tried(tx: Tx, ident: str, result: Mapping[str, Any]) -> None:
    """Keep what a version would have done to the past."""
    tx.run(standing_rules.update().where(_R.id == ident).values(tried=dict(result)))


def repeated(tx: Tx, row: Mapping[str, Any], what: str, *, who: str) -> None:
    """The operator had to say it again: that the rule did not do its work is counted."""
    tx.run(standing_rules.update().where(_R.id == row["id"]).values(repeats=_R.repeats + 1))
    tx.append("standing_rule.repeated", subject=row["rule"], payload={"what": what}, actor=who)


def used(tx: Tx, uses: Sequence[tuple[str, str]], subject: str, run: str) -> None:
    """Note that versions (id, what they did) applied to an object; once for each."""
    there = {row.rule for row in tx.conn.execute(sa.select(_U.rule).where(_U.object == subject))}
    for ident, what in uses:
        if ident not in there:
            tx.run(rule_uses.insert(), {"rule": ident, "object": subject, "run": run, "what": what, "at": tx.now})


def live(conn: sa.Connection) -> list[dict[str, Any]]:
    """Every version in force, in the order the rules were first said."""
    query = sa.select(standing_rules).where(_R.state == LIVE).order_by(sa.func.length(_R.rule), _R.rule)
    return [dict(row) for row in conn.execute(query).mappings()]


def get(conn: sa.Connection, rule: str) -> dict[str, Any]:
    """The newest version of a rule (NotFound)."""
    query = sa.select(standing_rules).where(_R.rule == rule).order_by(_R.version.desc()).limit(1)
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no standing rule {rule[:20]!r}.", field="rule")
    return dict(row)


def versions(conn: sa.Connection, rule: str) -> list[dict[str, Any]]:
    """Every version of a rule, newest first."""
    query = sa.select(standing_rules).where(_R.rule == rule).order_by(_R.version.desc())
    return [dict(row) for row in conn.execute(query).mappings()]


def newest(conn: sa.Connection) -> list[dict[str, Any]]:
    """The newest version of each rule, in the order they were said."""
    top = sa.select(_R.rule, sa.func.max(_R.version).label("version")).group_by(_R.rule).subquery()
    joined = standing_rules.join(top, sa.and_(_R.rule == top.c.rule, _R.version == top.c.version))
    query = sa.select(standing_rules).select_from(joined).order_by(sa.func.length(_R.rule), _R.rule)
    return [dict(row) for row in conn.execute(query).mappings()]


def counts(conn: sa.Connection) -> dict[str, int]:
    """How often each rule applied, over all its versions."""
    query = (
        sa.select(_R.rule, sa.func.count())
        .select_from(rule_uses.join(standing_rules, _U.rule == _R.id))
        .group_by(_R.rule)
    )
    return {row[0]: int(row[1]) for row in conn.execute(query)}


def uses(conn: sa.Connection, rule: str, limit: int = 50) -> list[dict[str, Any]]:
    """Where a rule applied, newest first: {rule (version id), object, run, what, at}."""
    query = (
        sa.select(rule_uses)
        .select_from(rule_uses.join(standing_rules, _U.rule == _R.id))
        .where(_R.rule == rule)
        .order_by(_U.at.desc(), _U.object.desc())
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def of_object(conn: sa.Connection, subject: str) -> list[dict[str, Any]]:
    """The rules that applied to a proposal or a message: {rule, version, said, what}."""
    query = (
        sa.select(_R.rule, _R.version, _R.said, _U.what)
        .select_from(rule_uses.join(standing_rules, _U.rule == _R.id))
        .where(_U.object == subject)
        .order_by(sa.func.length(_R.rule), _R.rule)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def _next(conn: sa.Connection) -> int:
    return int(conn.execute(sa.select(sa.func.count(sa.distinct(_R.rule)))).scalar() or 0) + 1
