"""Caps as rows: what the operator set besides soloist.toml, extensions, alerts that were given, and who is stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.tables_agents import releases
from soloist.engine.store.tables_spend import cap_alerts, caps
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import BadInput
from soloist.kernel.spend import MEASURES, SCOPES, SPANS, Cap

OWN = "own"
EXTENDED = "extended"
"""States of a row: the operator's own cap; only an extension of one in soloist.toml."""
STOP = 0
"""The share of an alert row that says: whoever stands under this cap is stopped for the period."""
AT_CAP = "at_cap"
"""State of the release of an agent that is stopped."""
_A = cap_alerts.c


def name(scope: str, subject: str, span: str, measure: str) -> str:
    """The key of one cap for one subject, as in commands: house.day.money, agent.month.tokens.writer."""
    return ".".join([scope, span, measure, *([subject] if subject else [])])


def place_of(key: str) -> tuple[str, str, str, str]:
    """Scope, subject, span and measure of such a key (BadInput)."""
    scope, _, rest = key.partition(".")
    span, _, rest = rest.partition(".")
    measure, _, subject = rest.partition(".")
    if scope not in SCOPES or span not in SPANS or measure not in MEASURES:
        raise BadInput(f"{key[:80]!r} is no key of a cap; soloist budget prints them, like house.month.money.")
    return scope, subject, span, measure


def listed(conn: sa.Connection) -> list[Cap]:
    """Every row as a cap; an extension alone has the source "extended" and no ``most`` of its own."""
    rows = conn.execute(sa.select(caps).order_by(caps.c.scope, caps.c.subject, caps.c.span, caps.c.measure)).mappings()
    return [
        Cap(
            row["scope"],
            row["subject"],
            row["span"] or "total",
            row["measure"],
            row["most"],
            row["currency"],
            tuple(row["alerts"] or ()),
            row["state"],
            row["extra"],
            row["extra_until"],
        )
        for row in rows
    ]


def put(tx: Tx, cap: Cap, *, state: str, who: str, why: str = "") -> None:
    """Write a cap or an extension in place of the row of the same place; an event says so."""
    where = _at(cap.scope, cap.subject, cap.span, cap.measure)
    told = {"most": cap.most, "extra": cap.extra, "extra_until": cap.extra_until, "currency": cap.currency}
    named = {"scope": cap.scope, "subject": cap.subject, "span": cap.span, "measure": cap.measure}
    event = tx.append("cap.set", subject=name(*cap.place), payload={**named, **told, "why": why}, actor=who)
    tx.run(caps.delete().where(where))
    row = {**named, **told, "alerts": list(cap.alerts), "state": state, "who": who, "why": why}
    tx.run(caps.insert(), {"id": tx.new_id(), **row, "at": tx.now, "event": event.id})


def remove(tx: Tx, place: tuple[str, str, str, str], *, who: str) -> bool:
    """Take the row of a place (scope, subject, span, measure) out; whether there was one."""
    done = tx.run(caps.delete().where(_at(*place))).rowcount > 0
    if done:
        tx.append("cap.removed", subject=name(*place), payload={}, actor=who)
    return done


def _at(scope: str, subject: str, span: str, measure: str) -> sa.ColumnElement[bool]:
    of = caps.c
    return (of.scope == scope) & (of.subject == subject) & (of.span == span) & (of.measure == measure)


# ----- alerts, and who is stopped


def told(conn: sa.Connection, cap: str, period: str) -> set[int]:
    """Shares of a cap for which an alert was given in a period."""
    return set(conn.execute(sa.select(_A.share).where((_A.cap == cap) & (_A.period == period))).scalars())


def tell(tx: Tx, cap: str, period: str, share: int, card: str) -> bool:
    """Note an alert; False when it was given already."""
    if share in told(tx.conn, cap, period):
        return False
    tx.run(cap_alerts.insert(), {"cap": cap, "period": period, "share": share, "card": card, "at": tx.now})
    return True


def stopped(conn: sa.Connection, subjects: Sequence[tuple[str, str]], periods: Sequence[str]) -> list[dict[str, Any]]:
    """Caps by which these (scope, subject) are stopped in the periods that run: {cap, period, card, at}."""
    alike = sa.or_(*(_A.cap.like(f"{scope}.%{_plain(who)}", escape="\\") for scope, who in subjects))
    query = sa.select(cap_alerts).where((_A.share == STOP) & _A.period.in_([*periods]) & alike)
    rows = [dict(row) for row in conn.execute(query.order_by(_A.at)).mappings()]
    return [row for row in rows if place_of(row["cap"])[:2] in subjects]


def stops(conn: sa.Connection, limit: int = 200) -> list[dict[str, Any]]:
    """Every note of a stop, the newest first; those of former periods too."""
    query = sa.select(cap_alerts).where(_A.share == STOP).order_by(_A.at.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def go_on(tx: Tx, cap: str, period: str) -> None:
    """Take back that somebody is stopped, and the alerts of the period, which are given anew by the new cap."""
    tx.run(cap_alerts.delete().where((_A.cap == cap) & (_A.period == period)))


def _plain(text: str) -> str:
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return text


def agents_off(conn: sa.Connection) -> list[str]:
    """Agents that the registry shows as stopped by a cap."""
    query = sa.select(releases.c.name).where((releases.c.kind == "agent") & (releases.c.state == AT_CAP))
    return list(conn.execute(query).scalars())


def switch_agent(tx: Tx, agent: str, *, off: bool, why: str) -> None:
    """Show in the registry that an agent is stopped by a cap, or is in use again; without a row nothing is shown."""
    bare = agent.partition("@")[0]
    mine = (releases.c.kind == "agent") & releases.c.name.in_([agent, bare])
    if off:
        tx.run(releases.update().where(mine & (releases.c.state != AT_CAP)).values(state=AT_CAP, state_why=why))
    else:
        tx.run(releases.update().where(mine & (releases.c.state == AT_CAP)).values(state="", state_why=""))
