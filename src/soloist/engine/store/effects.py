"""Effects and their attempts: compare-and-set on the row version, one journal event a move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables import effect_attempts, effects, journal_head, workers
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import Conflict, NotFound
from soloist.kernel.lives import EFFECT


def insert(tx: Tx, row: Mapping[str, Any], *, actor: str) -> None:
    """Store a new intended effect; its ordinal is its place in the list of all effects."""
    tx.run(sa.select(journal_head.c.seq).with_for_update())  # on Postgres another process counts at the same time
    ordinal = int(tx.conn.execute(sa.select(sa.func.coalesce(sa.func.max(effects.c.ordinal), 0))).scalar() or 0) + 1
    values = {**row, "state": EFFECT.start, "version": 1, "ordinal": ordinal, "created": tx.now, "updated": tx.now}
    tx.run(effects.insert(), values)
    payload = {k: row[k] for k in ("connector", "operation", "class", "key", "payload_hash", "not_before")}
    tx.append("effect.intended", subject=row["id"], payload=payload, actor=actor, run=row.get("run", ""))


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One effect (NotFound)."""
    row = conn.execute(sa.select(effects).where(effects.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no effect {ident}.")
    return dict(row)


def move(
    tx: Tx, effect: Mapping[str, Any], state: str, *, actor: str = "soloist", note: str = "", **values: Any
) -> dict[str, Any]:
    """Change the state; the version is the fencing number, so a row that moved meanwhile is a Conflict."""
    EFFECT.check(effect["state"], state)
    evidence = [*(effect["evidence"] or []), {"at": tx.now, "state": state, "note": note}]
    key = (effects.c.id == effect["id"]) & (effects.c.version == effect["version"])
    change = {"state": state, "version": effect["version"] + 1, "updated": tx.now, "evidence": evidence, **values}
    if tx.run(effects.update().where(key).values(**change)).rowcount != 1:
        raise Conflict("This effect was moved by someone else; nothing was changed.")
    tx.append(f"effect.{state}", subject=effect["id"], payload={"note": note}, actor=actor, run=effect["run"])
    return get(tx.conn, effect["id"])


def touch(tx: Tx, effect: Mapping[str, Any], note: str, **values: Any) -> None:
    """Note something on an effect without a change of state."""
    evidence = [*(effect["evidence"] or []), {"at": tx.now, "state": effect["state"], "note": note}]
    key = (effects.c.id == effect["id"]) & (effects.c.version == effect["version"])
    change = {"version": effect["version"] + 1, "updated": tx.now, "evidence": evidence, **values}
    if tx.run(effects.update().where(key).values(**change)).rowcount != 1:
        raise Conflict("This effect was moved by someone else; nothing was changed.")


def hand_over(tx: Tx, effect: str, run: str) -> None:
    """Let another run carry an effect on: from now on it is the one that is woken."""
    tx.run(effects.update().where(effects.c.id == effect).values(run=run))


def begin_attempt(tx: Tx, effect: str, n: int, boot: str, request_hash: str) -> None:
    """Keep that attempt ``n`` is about to be made."""
    row = {"effect": effect, "n": n, "boot": boot, "request_hash": request_hash, "started": tx.now}
    tx.run(effect_attempts.insert(), row)


def end_attempt(tx: Tx, effect: str, n: int, outcome: str, evidence: str) -> None:
    """Keep how attempt ``n`` ended."""
    key = (effect_attempts.c.effect == effect) & (effect_attempts.c.n == n)
    tx.run(effect_attempts.update().where(key).values(ended=tx.now, outcome=outcome, evidence=evidence[:2000]))


def attempts_of(conn: sa.Connection, effect: str) -> list[dict[str, Any]]:
    """Every attempt of an effect, oldest first."""
    query = sa.select(effect_attempts).where(effect_attempts.c.effect == effect).order_by(effect_attempts.c.n)
    return [dict(row) for row in conn.execute(query).mappings()]


def of_proposal(conn: sa.Connection, proposal: str) -> list[dict[str, Any]]:
    """The effects of a proposal, oldest first."""
    query = sa.select(effects).where(effects.c.proposal == proposal).order_by(effects.c.ordinal)
    return [dict(row) for row in conn.execute(query).mappings()]


def by_message_id(conn: sa.Connection, message_id: str) -> dict[str, Any] | None:
    """The effect whose mail has this Message-ID, or None; its local part is the effect's key."""
    key = message_id.strip("<> ").partition("@")[0]
    row = conn.execute(sa.select(effects).where(effects.c.key == key)).mappings().first() if key else None
    return dict(row) if row else None


def in_states(conn: sa.Connection, states: Sequence[str]) -> list[dict[str, Any]]:
    """Every effect in one of these states."""
    query = sa.select(effects).where(effects.c.state.in_(list(states))).order_by(effects.c.ordinal)
    return [dict(row) for row in conn.execute(query).mappings()]


def waiting(conn: sa.Connection, connector: str, waits: str) -> list[dict[str, Any]]:
    """Effects of a connector that have not ended and wait for this, oldest first."""
    live = effects.c.state.in_(["intended", "refused", "unknown", "reconciling", "claimed", "attempting"])
    query = sa.select(effects).where(live & (effects.c.connector == connector) & (effects.c.waits == waits))
    return [dict(row) for row in conn.execute(query.order_by(effects.c.ordinal)).mappings()]


def by_provider_ref(conn: sa.Connection, connector: str, ref: str) -> dict[str, Any] | None:
    """The newest forward effect of a connector that the provider calls by this id, or None."""
    key = (effects.c.connector == connector) & (effects.c.provider_ref == ref) & (effects.c.undoes == "")
    row = conn.execute(sa.select(effects).where(key).order_by(effects.c.ordinal.desc()).limit(1)).mappings().first()
    return dict(row) if row and ref else None


def undoing(conn: sa.Connection, effect: str) -> list[dict[str, Any]]:
    """The effects that take another back, oldest first."""
    query = sa.select(effects).where(effects.c.undoes == effect).order_by(effects.c.ordinal)
    return [dict(row) for row in conn.execute(query).mappings()]


def headline(conn: sa.Connection) -> dict[str, Any]:
    """What is not known now: {unknown, needs_human} are counts, {oldest_unknown} is an ISO instant, "" for none."""
    doubt = effects.c.state.in_(["unknown", "reconciling", "needs_human"])
    row = conn.execute(sa.select(sa.func.count(), sa.func.min(effects.c.first_attempt)).where(doubt)).one()
    asks = sa.select(sa.func.count()).where(effects.c.state == "needs_human")
    return {"unknown": row[0], "oldest_unknown": row[1] or "", "needs_human": conn.execute(asks).scalar() or 0}


def left_open(conn: sa.Connection) -> list[dict[str, Any]]:
    """Effects that a process which no longer lives had claimed or was calling."""
    alive = sa.select(workers.c.boot).where(workers.c.ended == "")
    begun = effects.c.state.in_(["attempting", "claimed"]) & effects.c.boot.not_in(alive)
    return [dict(row) for row in conn.execute(sa.select(effects).where(begun).order_by(effects.c.ordinal)).mappings()]


def listed(conn: sa.Connection, *, after: int, limit: int) -> list[dict[str, Any]]:
    """Effects in the order they were intended, after an ordinal."""
    query = sa.select(effects).where(effects.c.ordinal > after).order_by(effects.c.ordinal).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def count_by_state(conn: sa.Connection) -> dict[str, int]:
    """How many effects there are in each state."""
    query = sa.select(effects.c.state, sa.func.count()).group_by(effects.c.state)
    return {row[0]: row[1] for row in conn.execute(query)}
