"""Spent: one row of sums for each scope, subject and period that caps are held against; it judges no cap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import settings
from soloist.engine.store.tables import proposals, runs
from soloist.engine.store.tables_spend import caps, model_calls, spent
from soloist.engine.store.tx import Tx
from soloist.kernel.spend import Sums

Key = tuple[str, str, str]
"""Scope, subject, period."""
GATE: Key = ("house", "", "")
"""The row that every reservation and settling locks first, so that on Postgres they stand in one line."""
_FIELDS = ("held_micro", "held_tokens", "spent_micro", "spent_tokens", "calls", "runs", "saved_micro")
CURRENCY = "spend.currency"
WITHIN = 1000
"""Thousandths of the worst case that a call is held back with while its model has never billed more."""
MOST_PARENTS = 32
"""Generations of forks that are followed upwards."""
_PLACE = sa.tuple_(spent.c.scope, spent.c.subject, spent.c.period)
_ADD = (
    spent.update()
    .where(
        (spent.c.scope == sa.bindparam("of_scope"))
        & (spent.c.subject == sa.bindparam("of_subject"))
        & (spent.c.period == sa.bindparam("of_period"))
    )
    .values(
        **{name: spent.c[name] + sa.bindparam(f"add_{name}", type_=sa.BigInteger) for name in _FIELDS},
        at=sa.bindparam("add_at"),
    )
)


def lock(tx: Tx, keys: Sequence[Key]) -> dict[Key, Sums]:
    """The sums of these rows, locked until the commit; rows that are missing are made. The gate is always among them.

    Nobody else can reserve or settle before this transaction ends, in this process or another.
    """
    _make(tx, [GATE])
    tx.run(sa.select(spent.c.calls).where(_is(GATE)).with_for_update())
    wanted = list(dict.fromkeys([GATE, *keys]))
    found = read(tx.conn, wanted)
    if missing := [key for key in wanted if key not in found]:
        _make(tx, missing)
    return {key: found.get(key, Sums()) for key in wanted}


def read(conn: sa.Connection, keys: Sequence[Key]) -> dict[Key, Sums]:
    """The sums of the rows there are."""
    if not keys:
        return {}
    rows = conn.execute(sa.select(spent).where(_PLACE.in_([*keys]))).mappings()
    return {(row["scope"], row["subject"], row["period"]): _sums(row) for row in rows}


def add(tx: Tx, keys: Sequence[Key], **more: int) -> None:
    """Add to the same fields of several rows, which exist; negative numbers take away."""
    if keys:
        given = {f"add_{name}": more.get(name, 0) for name in _FIELDS} | {"add_at": tx.now}
        rows = [{"of_scope": scope, "of_subject": subject, "of_period": period} for scope, subject, period in keys]
        tx.conn.execute(_ADD, [{**row, **given} for row in rows])


def times(conn: sa.Connection, call: Mapping[str, Any]) -> int:
    """How many thousandths of its worst case a model has billed at most, 1000 for one that stayed within; by price."""
    return int(settings.value(conn, _above(call)) or WITHIN)


def note_times(tx: Tx, call: Mapping[str, Any], found: int) -> bool:
    """Keep that a model billed so many thousandths of its worst case; whether that is more than was known."""
    more = found > times(tx.conn, call)
    if more:
        settings.put(tx, _above(call), str(found))
    return more


def _above(call: Mapping[str, Any]) -> str:
    """The mark of a model at its price: with a price that was put right it begins anew."""
    price = call.get("price") or {}
    return f"above.{call.get('provider')}.{call.get('model')}.{price.get('tokens_in')}.{price.get('tokens_out')}"


def currency(conn: sa.Connection) -> str:
    """The currency that the books are kept in, "" before the first call."""
    return settings.value(conn, CURRENCY)


def turn(tx: Tx, old: str, new: str, worth: int) -> None:
    """Turn all books of money for models into another currency, of which one old unit counts ``worth`` millionths.

    Sums, caps that were set here and what is held back for calls that still run are turned alike, rounded up.
    """
    money, mine = caps.c, model_calls.c
    names = ("held_micro", "spent_micro", "saved_micro")
    tx.run(spent.update().values(**{name: _turned(spent.c[name], worth) for name in names}))
    own = {
        name: sa.case((money[name] < 0, money[name]), else_=_turned(money[name], worth)) for name in ("most", "extra")
    }
    tx.run(caps.update().where((money.measure == "money") & (money.currency == old)).values(**own, currency=new))
    calls = {name: _turned(mine[name], worth) for name in ("reserved_micro", "cost_micro")}
    tx.run(model_calls.update().where(mine.currency == old).values(**calls, currency=new))
    for table in (runs, proposals):
        tx.run(table.update().where(table.c.cost_micro > 0).values(cost_micro=_turned(table.c.cost_micro, worth)))
    keep(tx, new)
    tx.append("spend.currency", subject=new, payload={"was": old, "one_is_micro": worth})


def keep(tx: Tx, new: str) -> None:
    """Note the currency of the books."""
    settings.put(tx, CURRENCY, new)


def _turned(column: Any, worth: int) -> Any:
    """Millionths in another currency, rounded up; whole numbers on both stores."""
    return (column * sa.literal(worth, sa.BigInteger) + 999_999) // sa.literal(1_000_000, sa.BigInteger)


def ancestors(conn: sa.Connection, run: str) -> tuple[str, ...]:
    """The runs a run was forked from or begun by, the nearest first."""
    found: list[str] = []
    while run and len(found) < MOST_PARENTS:
        run = str(conn.execute(sa.select(runs.c.parent).where(runs.c.id == run)).scalar() or "")
        if not run or run in found:
            break
        found.append(run)
    return tuple(found)


def listed(conn: sa.Connection, scope: str, period: str, limit: int = 200) -> list[dict[str, Any]]:
    """Subjects of a scope with their sums in a period, the dearest first."""
    where = (spent.c.scope == scope) & (spent.c.period == period)
    query = sa.select(spent).where(where).order_by((spent.c.spent_micro + spent.c.held_micro).desc(), spent.c.subject)
    return [dict(row) for row in conn.execute(query.limit(limit)).mappings()]


def days(conn: sa.Connection, first: str, last: str) -> dict[str, int]:
    """What the house spent on each day of a range of local dates, in millionths."""
    where = (spent.c.scope == "house") & spent.c.period.between(first, last) & (sa.func.length(spent.c.period) == 10)
    query = sa.select(spent.c.period, spent.c.spent_micro).where(where)
    return {str(period): int(micro) for period, micro in conn.execute(query)}


def _is(key: Key) -> sa.ColumnElement[bool]:
    return (spent.c.scope == key[0]) & (spent.c.subject == key[1]) & (spent.c.period == key[2])


def _make(tx: Tx, keys: Sequence[Key]) -> None:
    """Empty rows where there are none."""
    there = set(read(tx.conn, keys))
    rows = [{"scope": k[0], "subject": k[1], "period": k[2], "at": tx.now} for k in keys if k not in there]
    if rows:
        # A row that another process made in between is an IntegrityError: the writer then looks once more.
        tx.run(spent.insert(), rows)


def _sums(row: Any) -> Sums:
    return Sums(**{name: int(row[name]) for name in _FIELDS})
