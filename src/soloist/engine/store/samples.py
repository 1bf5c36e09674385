"""Samples: what a skill told about an object with which confidence, and what the operator said of it; ids and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import messages
from soloist.engine.store.tables_agents import samples
from soloist.engine.store.tx import Tx
from soloist.kernel.confidence import Label

MOST = 5000
"""Decisions of one skill that thresholds are made from, the newest first."""

PROOF = 200
"""Decisions that are read to tell whether a skill is new."""


def tell(tx: Tx, object_: str, skill: str, **told: Any) -> str:
    """Keep what a skill told about an object: language, grouping, confidence, label, alone (1 when nobody was asked).

    Told again, it replaces what was told, unless a person has judged that.
    """
    row = find(tx.conn, object_, skill)
    if row is None:
        ident = tx.new_id()
        tx.run(samples.insert(), {"id": ident, "object": object_, "skill": skill, **told, "at": tx.now})
        return ident
    if not row["outcome"]:
        tx.run(samples.update().where(samples.c.id == row["id"]).values(**told))
    return str(row["id"])


def judge(tx: Tx, ident: str, wanted: str, right: bool) -> None:
    """The operator's word on what was told; the newest word counts."""
    values = {"wanted": wanted, "outcome": "right" if right else "wrong", "judged": tx.now}
    tx.run(samples.update().where(samples.c.id == ident).values(**values))


def draw(tx: Tx, idents: Sequence[str]) -> None:
    """These are to be looked at."""
    if idents:
        tx.run(samples.update().where(samples.c.id.in_(list(idents))).values(drawn=tx.now))


def thin(tx: Tx, before: str) -> int:
    """Drop what was told before an instant and never judged: it proves nothing any more; answers how many."""
    row = samples.c
    return int(tx.run(samples.delete().where((row.outcome == "") & (row.at < before))).rowcount)


def find(conn: sa.Connection, object_: str, skill: str) -> dict[str, Any] | None:
    """What a skill told about an object, None when it told nothing."""
    query = sa.select(samples).where((samples.c.object == object_) & (samples.c.skill == skill))
    row = conn.execute(query).mappings().first()
    return dict(row) if row else None


def get(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """One row, None when there is none."""
    row = conn.execute(sa.select(samples).where(samples.c.id == ident)).mappings().first()
    return dict(row) if row else None


@dataclass(frozen=True)
class Judged:
    """One decision and when it was made."""

    label: Label
    at: str


def judged(conn: sa.Connection, skill: str) -> dict[tuple[str, str], list[Judged]]:
    """The operator's decisions on a skill by (language, group), newest first."""
    row = samples.c
    query = sa.select(row.language, row.grouping, row.confidence, row.outcome, row.judged)
    query = query.where((row.skill == skill) & (row.outcome != "")).order_by(row.judged.desc()).limit(MOST)
    found: dict[tuple[str, str], list[Judged]] = {}
    for language, group, confidence, outcome, at in conn.execute(query):
        found.setdefault((language, group), []).append(Judged(Label(int(confidence), outcome == "right"), at))
    return found


def proof(conn: sa.Connection, skill: str) -> tuple[int, int, int]:
    """(right, of, straight) of the newest decisions on a skill in every language; ``straight``: right since a wrong."""
    row = samples.c
    query = sa.select(row.outcome).where((row.skill == skill) & (row.outcome != ""))
    said = list(conn.execute(query.order_by(row.judged.desc(), row.id.desc()).limit(PROOF)).scalars())
    straight = next((number for number, one in enumerate(said) if one != "right"), len(said))
    return sum(one == "right" for one in said), len(said), straight


def looked_at(conn: sa.Connection, skill: str, since: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Of what went alone, was drawn and was judged since an instant: (right, of) by (language, group)."""
    row = samples.c
    right = sa.func.sum(sa.case((row.outcome == "right", 1), else_=0))
    where = (row.skill == skill) & (row.drawn >= since) & (row.drawn != "") & (row.outcome != "") & (row.alone == 1)
    query = sa.select(row.language, row.grouping, right, sa.func.count()).where(where)
    return {
        (language, group): (int(good or 0), int(of))
        for language, group, good, of in conn.execute(query.group_by(row.language, row.grouping))
    }


def changed(conn: sa.Connection) -> list[tuple[str, str, int]]:
    """(skill, newest judgement, how many there are) of every skill that was judged."""
    row = samples.c
    query = sa.select(row.skill, sa.func.max(row.judged), sa.func.count()).where(row.outcome != "")
    return [(str(a), str(b), int(c)) for a, b, c in conn.execute(query.group_by(row.skill).order_by(row.skill))]


def alone(conn: sa.Connection, since: str, limit: int = 2000) -> list[dict[str, Any]]:
    """What went alone since an instant and was neither judged nor drawn."""
    row = samples.c
    where = (row.alone == 1) & (row.at >= since) & (row.outcome == "") & (row.drawn == "")
    return [dict(one) for one in conn.execute(sa.select(samples).where(where).order_by(row.at).limit(limit)).mappings()]


def drawn(conn: sa.Connection, since: str) -> int:
    """How many were drawn since an instant."""
    return int(conn.execute(sa.select(sa.func.count()).where(samples.c.drawn >= since)).scalar() or 0)


def waiting(conn: sa.Connection, limit: int = 50) -> list[dict[str, Any]]:
    """Drawn and not judged yet, the oldest first, with the words of the message it is about where it is one."""
    query = (
        sa.select(samples, messages.c.subject, messages.c.sender, messages.c.sender_name, messages.c.text)
        .select_from(samples.outerjoin(messages, samples.c.object == messages.c.id))
        .where((samples.c.drawn != "") & (samples.c.outcome == ""))
        .order_by(samples.c.drawn, samples.c.id)
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def counts(conn: sa.Connection) -> list[dict[str, Any]]:
    """{skill, language, grouping, told, alone, judged, right} of everything that was told."""
    row = samples.c
    flag = [
        sa.func.sum(row.alone).label("alone"),
        sa.func.sum(sa.case((row.outcome != "", 1), else_=0)).label("judged"),
        sa.func.sum(sa.case((row.outcome == "right", 1), else_=0)).label("right"),
    ]
    query = sa.select(row.skill, row.language, row.grouping, sa.func.count().label("told"), *flag)
    rows = conn.execute(query.group_by(row.skill, row.language, row.grouping)).mappings()
    numbers = ("told", "alone", "judged", "right")
    return [{**one, **{name: int(one[name] or 0) for name in numbers}} for one in rows]


def skill_of(proposal: Mapping[str, Any]) -> str:
    """The skill that wrote a proposal; without a name of one, its agent and operation."""
    evidence = proposal["evidence"] or {}
    if named := evidence.get("skill"):
        return str(named)
    if evidence.get("follow_up"):
        return "draft_follow_up"
    if evidence.get("template"):
        return "draft_reply"
    return f"{str(proposal['agent']).partition('@')[0]}: {proposal['operation']}"


def place_of(conn: sa.Connection, proposal: Mapping[str, Any]) -> tuple[str, str, str]:
    """(skill, language, group) of a proposal: the language of what it answers, and what that was."""
    evidence = proposal["evidence"] or {}
    language = str(evidence.get("language") or "")
    if not language and proposal["thread_head"]:
        known = conn.execute(sa.select(messages.c.language).where(messages.c.id == proposal["thread_head"])).scalar()
        language = str(known or "")
    return skill_of(proposal), language, str(evidence.get("kind") or proposal["operation"])
