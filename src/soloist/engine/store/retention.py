"""Retention: the versioned policy, what would leave by it, and leaving in small transactions; it decides no length.

A row of memory goes expired, then off the disk: only when no retrieval that can still be replayed had seen it; and one
that a decision rested on is emptied and keeps its hash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import base, memories, model_calls, runs, settings, tables
from soloist.engine.store import tables_agents as agents
from soloist.engine.store import tables_memory as memory
from soloist.engine.store import tables_spend as spend
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.kernel.hashing import json_hash
from soloist.kernel.memory import TIERS

SET, COLLECTED = "retention.set", "memory.collected"
PROGRESS = "retention.progress"
"""Setting: what an unfinished collection has taken so far, JSON; it is told with the next one."""
BATCH = 500
DAY = 86_400
_GONE = runs.COLLECTED
Days = Mapping[str, int]


@dataclass(frozen=True)
class Moment:
    """When and by which days is judged; ``floor`` is the oldest place that must still be answered exactly."""

    now: str
    days: Days
    floor: int
    closed: Sequence[str] = ()

    def cut(self, rule: str) -> str:
        """What is older than this instant has had its time; "" for a rule that keeps for good."""
        return later(self.now, -DAY * self.days[rule]) if self.days.get(rule) else ""


@dataclass(frozen=True)
class Job:
    """One way of leaving: ``which`` selects (key, size, example), ``leave`` takes keys out."""

    rule: str
    name: str
    which: Callable[[Moment], sa.Select[Any] | None]
    leave: Callable[[Tx, Sequence[Any]], Any]


# ----- the policy


def policy(conn: sa.Connection) -> dict[str, Any] | None:
    """The newest version of the policy: {version, rules, hash, who, why, event, at}, None before the first."""
    table = memory.retention_policies
    row = conn.execute(sa.select(table).order_by(table.c.version.desc()).limit(1)).mappings().first()
    return dict(row) if row else None


def policies(conn: sa.Connection, limit: int = 50) -> list[dict[str, Any]]:
    """Versions of the policy, the newest first."""
    table = memory.retention_policies
    return [
        dict(row) for row in conn.execute(sa.select(table).order_by(table.c.version.desc()).limit(limit)).mappings()
    ]


def put(tx: Tx, rules: Days, *, who: str, why: str) -> dict[str, Any]:
    """A new version, unless it says the same as the newest."""
    old = policy(tx.conn)
    digest = json_hash(dict(rules))
    if old and old["hash"] == digest:
        return old
    version = (old["version"] if old else 0) + 1
    changed = {name: days for name, days in rules.items() if not old or old["rules"].get(name) != days}
    payload = {"version": version, "hash": digest, "changed": changed, "why": why}
    event = tx.append(SET, subject=str(version), payload=payload, actor=who)
    row = {"version": version, "rules": dict(rules), "hash": digest, "who": who, "why": why}
    tx.run(memory.retention_policies.insert(), {**row, "event": event.id, "at": tx.now})
    return {**row, "event": event.id, "at": tx.now}


def moment(conn: sa.Connection, now: str, days: Days, closed: Sequence[str] = ()) -> Moment:
    """The instant of a collection, with the oldest place that a retrieval within its days was answered as of."""
    table = memory.retrievals
    young = sa.select(sa.func.min(table.c.seq))
    if cut := Moment(now, days, 0).cut("retrievals"):
        young = young.where(table.c.created >= cut)
    head = sa.select(tables.journal_head.c.seq)
    floor = conn.execute(young).scalar()
    return Moment(now, days, int(floor if floor is not None else conn.execute(head).scalar() or 0), closed)


# ----- what leaves


def _expired(tier: str) -> Callable[[Moment], sa.Select[Any] | None]:
    def which(at: Moment) -> sa.Select[Any] | None:
        row = memory.memories.c
        live = (row.tier == tier) & (row.ended == "") & (row.pinned == 0)
        old = sa.or_(row.created < at.cut(f"memory.{tier}"), sa.and_(row.expires != "", row.expires <= at.now))
        return sa.select(row.id, sa.func.length(row.text), row.text).where(live, old).order_by(row.n)

    return which


def redate(tx: Tx, at: Moment, most: int = BATCH) -> int:
    """Give items that would expire soon by their tier's own length the one of a policy that keeps longer."""
    row, changed = memory.memories.c, 0
    soon = (row.ended == "") & (row.expires != "") & (row.expires <= later(at.now, 2 * DAY))
    for tier, rule in TIERS.items():
        days = at.days[f"memory.{tier}"]
        if not rule.lifetime or (days and days * DAY <= rule.lifetime):
            continue
        query = sa.select(row.n, row.created, row.expires).where(row.tier == tier, soon).limit(most)
        for item in tx.rows(query):
            if item.expires == later(item.created, rule.lifetime):
                until = later(item.created, days * DAY) if days else ""
                tx.run(memory.memories.update().where(row.n == item.n).values(expires=until))
                changed += 1
    return changed


def _end(tx: Tx, idents: Sequence[Any]) -> None:
    memories.end(tx, idents, why="expired", actor="soloist")


def _ended(at: Moment, *, cited: bool) -> sa.Select[Any] | None:
    """Ended long enough ago, and before the oldest place that must be answered exactly."""
    cut, row, event = at.cut("memory.grace"), memory.memories.c, tables.events.c
    if not cut:
        return None
    named = sa.select(memory.context_memories.c.n).where(memory.context_memories.c.n == row.n).exists()
    over = sa.select(event.id).where(event.id == row.ended, event.at < cut, event.seq <= at.floor).exists()
    query = sa.select(row.n, sa.func.length(row.text), row.text).where(row.ended != "", over)
    return query.where(named, row.text != "") if cited else query.where(~named)


def _drop_memories(tx: Tx, numbers: Sequence[Any]) -> None:
    for table in (memory.embeddings, memory.memories):
        tx.run(table.delete().where(table.c.n.in_(numbers)))


def _empty_memories(tx: Tx, numbers: Sequence[Any]) -> None:
    tx.run(memory.embeddings.delete().where(memory.embeddings.c.n.in_(numbers)))
    table = memory.memories
    tx.run(table.update().where(table.c.n.in_(numbers)).values(text="", detail=_GONE, tags=[]))


def _retrievals(at: Moment, *, cited: bool) -> sa.Select[Any] | None:
    cut, row = at.cut("retrievals"), memory.retrievals.c
    if not cut:
        return None
    used = memory.context_memories.c
    named = sa.select(used.retrieval).where(used.retrieval == row.id).exists()
    size = sa.func.length(sa.type_coerce(row.hits, sa.Text)) + sa.func.length(row.query)
    query = sa.select(row.id, size, row.query).where(row.created < cut)
    return query.where(named, row.vector.is_not(None)) if cited else query.where(~named)


def _drop_retrievals(tx: Tx, idents: Sequence[Any]) -> None:
    tx.run(memory.retrievals.delete().where(memory.retrievals.c.id.in_(idents)))


def _thin(tx: Tx, idents: Sequence[Any]) -> None:
    tx.run(memory.retrievals.update().where(memory.retrievals.c.id.in_(idents)).values(vector=None))


def _steps(at: Moment) -> sa.Select[Any] | None:
    cut, run, step = at.cut("runs.details"), tables.runs.c, tables.run_steps
    if not cut:
        return None
    size = sa.func.sum(sa.func.coalesce(sa.func.length(sa.type_coerce(step.c.output, sa.Text)), 0))
    old = (run.state != "pending") & (run.ended != "") & (run.ended < cut)
    query = sa.select(run.id, size, sa.func.min(run.flow)).join(step, step.c.run == run.id).where(old)
    full = sa.type_coerce(step.c.output, sa.Text) != '{"collected":true}'
    return query.where(full).group_by(run.id)


def _empty_steps(tx: Tx, idents: Sequence[Any]) -> None:
    table = tables.run_steps
    values = {"input": _GONE, "output": _GONE, "detail": _GONE}
    tx.run(table.update().where(table.c.run.in_(idents)).values(**values))
    tx.run(agents.skill_calls.delete().where(agents.skill_calls.c.run.in_(idents)))


def _values(at: Moment) -> sa.Select[Any] | None:
    cut, row = at.cut("runs.details"), agents.call_values.c
    size = sa.func.length(row.value)
    return sa.select(row.hash, size, row.value).where(row.pinned == 0, row.at < cut) if cut else None


def _drop_values(tx: Tx, digests: Sequence[Any]) -> None:
    tx.run(agents.call_values.delete().where(agents.call_values.c.hash.in_(digests)))


def _calls(at: Moment) -> sa.Select[Any] | None:
    cut, call = at.cut("models.texts"), spend.model_calls.c
    if not cut:
        return None
    size = sa.func.coalesce(sa.func.length(sa.type_coerce(call.request, sa.Text)), 0)
    whole = call.request.is_not(None) | (call.said != "")
    return sa.select(call.id, size, call.model).where((call.ended != "") & (call.ended < cut), whole)


def _recorded(at: Moment) -> sa.Select[Any] | None:
    cut, kept = at.cut("models.texts"), spend.recordings.c
    size = sa.func.length(sa.type_coerce(kept.response, sa.Text))
    old = (kept.created < cut) & (kept.used < cut) & (kept.source != "by hand")
    return sa.select(kept.key, size, kept.author).where(old) if cut else None


def _drop_recordings(tx: Tx, keys: Sequence[Any]) -> None:
    tx.run(spend.recordings.delete().where(spend.recordings.c.key.in_(keys)))


def _engine(schema: str | None) -> Callable[[Moment], sa.Select[Any] | None]:
    def which(at: Moment) -> sa.Select[Any] | None:
        cut, run = at.cut("runs.engine"), tables.runs.c
        status = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("inputs"), schema=schema)
        if not cut:
            return None
        old = (run.state != "pending") & (run.ended != "") & (run.ended < cut)
        size = sa.func.coalesce(sa.func.length(status.c.inputs), 0) + 400
        return sa.select(run.id, size, run.flow).join(status, status.c.workflow_uuid == run.id).where(old)

    return which


_ENGINE = (
    ("operation_outputs", "workflow_uuid"),
    ("workflow_events", "workflow_uuid"),
    ("workflow_events_history", "workflow_uuid"),
    ("workflow_input", "workflow_uuid"),
    ("workflow_output", "workflow_uuid"),
    ("streams", "workflow_uuid"),
    ("notifications", "destination_uuid"),
    ("workflow_status", "workflow_uuid"),
)


def _drop_engine(tx: Tx, idents: Sequence[Any]) -> None:
    schema = _engine_schema(tx.conn)
    there = set(sa.inspect(tx.conn).get_table_names(schema=schema))
    for name, key in _ENGINE:
        if name in there:
            table = sa.table(name, sa.column(key), schema=schema)
            tx.run(sa.delete(table).where(table.c[key].in_(idents)))


def _engine_schema(conn: sa.Connection) -> str | None:
    """Where the engine's tables lie: beside ours in a file, in a schema of their own on Postgres."""
    return None if base.is_sqlite(conn.dialect.name) else "dbos"


def _originals(at: Moment) -> sa.Select[Any] | None:
    cut, row, asset = at.cut("mail.originals"), tables.messages.c, tables.assets
    if not cut:
        return None
    query = sa.select(row.asset, sa.func.max(asset.c.size), sa.func.min(row.subject)).join(
        asset, asset.c.hash == row.asset
    )
    return query.where(row.asset != "").group_by(row.asset).having(sa.func.max(row.at) < cut)


def _access(at: Moment) -> sa.Select[Any] | None:
    cut, row = at.cut("access.ended"), tables.sessions.c
    if not cut:
        return None
    over = sa.or_(sa.and_(row.ended != "", row.ended < cut), sa.and_(row.used != "", row.used < cut))
    return sa.select(row.id, sa.func.length(row.agent), row.agent).where(over)


def _drop_access(tx: Tx, idents: Sequence[Any]) -> None:
    tx.run(tables.sessions.delete().where(tables.sessions.c.id.in_(idents)))


def _records(kind: str) -> Callable[[Moment], sa.Select[Any] | None]:
    def which(at: Moment) -> sa.Select[Any] | None:
        cut, row = at.cut(f"records.{kind}"), tables.records.c
        if not cut:
            return None
        card, proposal = tables.tasks.c, tables.proposals.c
        busy = sa.select(card.id).where(card.record == row.id, card.state == "open").exists()
        asked = sa.select(proposal.id).where(proposal.record == row.id, proposal.state == "waiting").exists()
        size = sa.func.length(sa.type_coerce(row.body, sa.Text))
        old = (row.kind == kind) & (row.updated < cut) & row.state.in_(at.closed)
        return sa.select(row.id, size, row.title).where(old, ~busy, ~asked)

    return which


def _drop_records(tx: Tx, idents: Sequence[Any]) -> None:
    for table, names in (
        (tables.identities, ("record",)),
        (memory.match_keys, ("record",)),
        (memory.relations, ("record", "other")),
        (memory.facts, ("record",)),
        (tables.record_versions, ("record",)),
        (tables.records, ("id",)),
    ):
        for name in names:
            tx.run(table.delete().where(table.c[name].in_(idents)))
    for ident in idents:
        tx.append("record.collected", subject=ident)


def jobs(kinds: Sequence[str], engine: Sequence[Job] = ()) -> list[Job]:
    """Every way of leaving, in their order, with that of the engine (``engine_job``)."""
    tiers = ("ephemeral", "working", "session", "canonical")
    found = [Job(f"memory.{tier}", f"{tier} memories end", _expired(tier), _end) for tier in tiers]
    found += [
        Job("memory.grace", "memories leave", lambda at: _ended(at, cited=False), _drop_memories),
        Job("memory.grace", "memories of decisions are emptied", lambda at: _ended(at, cited=True), _empty_memories),
        Job("retrievals", "look-ups leave", lambda at: _retrievals(at, cited=False), _drop_retrievals),
        Job("retrievals", "look-ups of decisions lose replay", lambda at: _retrievals(at, cited=True), _thin),
        Job("runs.details", "runs are emptied", _steps, _empty_steps),
        Job("runs.details", "inputs of skills leave", _values, _drop_values),
        Job("models.texts", "prompts leave", _calls, model_calls.forget),
        Job("models.texts", "recorded answers leave", _recorded, _drop_recordings),
        Job("access.ended", "sign-ins leave", _access, _drop_access),
    ]
    found += engine
    return found + [Job(f"records.{kind}", f"{kind} records leave", _records(kind), _drop_records) for kind in kinds]


def engine_job(conn: sa.Connection) -> list[Job]:
    """How the engine's notes of ended runs leave; nothing while no engine has ever run on this store."""
    schema = _engine_schema(conn)
    if not sa.inspect(conn).has_table("workflow_status", schema=schema):
        return []
    return [Job("runs.engine", "engine notes leave", _engine(schema), _drop_engine)]


def counted(conn: sa.Connection, job: Job, at: Moment) -> dict[str, Any]:
    """{name, rule, rows, bytes, examples} of what a job would take."""
    query = job.which(at)
    if query is None:
        return {"name": job.name, "rule": job.rule, "rows": 0, "bytes": 0, "examples": []}
    some = query.subquery()
    _key, size, example = some.columns
    rows, total = conn.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(size), 0)).select_from(some)
    ).one()
    shown = [str(text)[:100] for text in conn.execute(sa.select(example).select_from(some).limit(3)).scalars() if text]
    return {"name": job.name, "rule": job.rule, "rows": int(rows), "bytes": int(total), "examples": shown}


def some_of(tx: Tx, job: Job, at: Moment, most: int = BATCH) -> tuple[int, int]:
    """Take some out; (rows, bytes). (0, 0) when there is nothing left."""
    query = job.which(at)
    found = [tuple(row) for row in tx.rows(query.limit(most))] if query is not None else []
    if not found:
        return 0, 0
    job.leave(tx, [row[0] for row in found])
    return len(found), sum(int(row[1] or 0) for row in found)


# ----- files


def unused(conn: sa.Connection, at: Moment, candidates: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Assets that nothing points at and that are old enough: {hash, path, size}.

    The hash of an asset stands in full wherever it is pointed at, so every text of every table is asked.
    """
    cut, row = at.cut("assets.unused"), tables.assets.c
    if not cut:
        return []
    query = sa.select(row.hash, row.path, row.size).where(row.at < cut)
    found = {one.hash: dict(one._mapping) for one in conn.execute(query) if not candidates or one.hash in candidates}
    if not found:
        return []
    for text in _pointing(conn):
        for digest in _hashes(text):
            found.pop(digest, None)
    return list(found.values())


_POINTING = (
    (tables.messages, ("asset", "attachments")),
    (tables.proposals, ("assets", "payload")),
    (tables.proposal_versions, ("payload",)),
    (tables.contexts, ("house_book", "packed")),
    (tables.records, ("body",)),
    (tables.record_versions, ("body",)),
    (tables.run_steps, ("input", "output", "detail")),
    (tables.tasks, ("detail",)),
    (tables.effects, ("evidence", "undo_plan")),
    (memory.memories, ("asset", "detail")),
    (memory.imports, ("asset", "report")),
    (memory.import_rows, ("given", "read", "detail")),
    (memory.facts, ("value", "origin")),
    (tables.events, ("body",)),
)


def _pointing(conn: sa.Connection) -> Any:
    for table, names in _POINTING:
        columns = [sa.type_coerce(table.c[name], sa.Text) for name in names]
        for row in conn.execute(sa.select(*columns)):
            yield from (text for text in row if text and len(text) >= 64)


def _hashes(text: str) -> list[str]:
    """Every 64 hexadecimal digits in a row."""
    return re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", text)


def drop_assets(tx: Tx, digests: Sequence[str]) -> None:
    """Forget assets; their files are removed after the commit."""
    tx.run(tables.assets.delete().where(tables.assets.c.hash.in_(list(digests))))


def originals(conn: sa.Connection, at: Moment, most: int = BATCH) -> list[dict[str, Any]]:
    """Raw mails that have had their time: {hash, path, size}."""
    query = _originals(at)
    if query is None:
        return []
    digests = [row[0] for row in conn.execute(query.limit(most))]
    row = tables.assets.c
    found = conn.execute(sa.select(row.hash, row.path, row.size).where(row.hash.in_(digests)))
    return [dict(one) for one in found.mappings()]


def forget_originals(tx: Tx, digests: Sequence[str]) -> None:
    """The raw mails go, the messages stay without them."""
    table = tables.messages
    tx.run(table.update().where(table.c.asset.in_(list(digests))).values(asset=""))
    drop_assets(tx, digests)


# ----- a collection


def add(tx: Tx, counts: Mapping[str, Any], *, policy_version: int, dry: bool, who: str) -> dict[str, Any]:
    """A collection as a row; one that was no dry run is an event as well."""
    ident, digest = tx.new_id(), json_hash(dict(counts))
    row = {"id": ident, "policy": policy_version, "dry": int(dry), "counts": dict(counts), "hash": digest, "who": who}
    event = ""
    if not dry:
        payload = {"policy": policy_version, "counts": dict(counts), "hash": digest}
        event = tx.append(COLLECTED, subject=ident, payload=payload, actor=who).id
        settings.put(tx, PROGRESS, "")
    row |= {"event": event, "at": tx.now}
    tx.run(memory.collections.insert(), row)
    return row


def collections(conn: sa.Connection, limit: int = 50, before: tuple[str, str] | None = None) -> list[dict[str, Any]]:
    """Collections, the newest first, after the (at, id) of the last one seen."""
    table = memory.collections
    query = sa.select(table)
    if before:
        query = query.where(sa.tuple_(table.c.at, table.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def last(conn: sa.Connection) -> str:
    """When the last collection was made, "" for never."""
    table = memory.collections
    return str(conn.execute(sa.select(sa.func.max(table.c.at)).where(table.c.dry == 0)).scalar() or "")
