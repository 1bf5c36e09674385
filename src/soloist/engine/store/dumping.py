"""Dumping: every table of a home row by row in an order of its own, and rows put back into empty tables.

What is secret, belongs to one machine or is made from other tables is not dumped.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import base, migrate, searching
from soloist.engine.store.columns import metadata
from soloist.engine.store.tables import checkpoints, meta
from soloist.kernel.errors import BadInput

LEFT_OUT = frozenset(
    {"secrets", "operators", "sessions", "links", "tokens", "decision_codes", "workers", "search_rows", "assets"}
)
"""Credentials, processes, the index of words; assets go out as files."""
MACHINE = frozenset({searching.MARK, "keys.mark", "console.address"})
"""Marks that mean something on one machine only, or to an index that is made anew."""
AT_ONCE = 500


def names() -> list[str]:
    """The dumped tables, by name."""
    return sorted(name for name in metadata.tables if name not in LEFT_OUT)


def rows(conn: sa.Connection, name: str) -> Iterator[dict[str, Any]]:
    """Every row of a table by its key, as JSON values; bytes are {"base64": ...}. Memory stays flat."""
    table = metadata.tables[name]
    query = sa.select(table).order_by(*(_plain(conn, column) for column in table.primary_key.columns))
    if name == meta.name:
        query = query.where(meta.c.key.not_in(sorted(MACHINE)))
    with conn.execution_options(yield_per=AT_ONCE).execute(query) as found:
        for row in found.mappings():
            yield {key: _out(value) for key, value in row.items()}


def _plain(conn: sa.Connection, column: sa.Column[Any]) -> Any:
    """A column in the order of its bytes; Postgres has an order of its own for each language."""
    text = conn.dialect.name == "postgresql" and isinstance(column.type, sa.Text)
    return column.collate("C") if text else column


def _out(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes | memoryview) else value


def asset_rows(conn: sa.Connection) -> Iterator[dict[str, Any]]:
    """Every kept file without its bytes, by its hash."""
    table = metadata.tables["assets"]
    columns = [column for column in table.c if column.name != "bytes"]
    query = sa.select(*columns, table.c.bytes.is_not(None).label("inside")).order_by(table.c.hash)
    for row in conn.execution_options(yield_per=AT_ONCE).execute(query).mappings():
        yield dict(row)


def mails(conn: sa.Connection) -> Iterator[dict[str, Any]]:
    """Every message with a kept mail: {id, at, sender, asset}, oldest first."""
    table = metadata.tables["messages"]
    query = sa.select(table.c.id, table.c.at, table.c.sender, table.c.asset).where(table.c.asset != "")
    for row in conn.execution_options(yield_per=AT_ONCE).execute(query.order_by(table.c.at, table.c.id)).mappings():
        yield dict(row)


def records_of(conn: sa.Connection, kind: str) -> Iterator[dict[str, Any]]:
    """Every record of a kind that stands for itself, by its id."""
    table = metadata.tables["records"]
    query = sa.select(table).where((table.c.kind == kind) & (table.c.merged_into == "")).order_by(table.c.id)
    for row in conn.execution_options(yield_per=AT_ONCE).execute(query).mappings():
        yield dict(row)


def signed(conn: sa.Connection) -> list[tuple[int, str, str]]:
    """(event, hash, signature) of every checkpoint."""
    found = conn.execute(sa.select(checkpoints.c.seq, checkpoints.c.hash, checkpoints.c.signature))
    return [(row.seq, row.hash, row.signature) for row in found]


# ----- putting back


def fill(url: str, schema: str, tables: Iterable[tuple[str, Iterator[dict[str, Any]]]]) -> int:
    """Give an empty database a schema and these rows, all of them or none; how many there were (BadInput)."""
    migrate.make(url, schema)
    engine = base.writer(url, full=True)
    try:
        with engine.begin() as conn:
            return sum(_fill(conn, name, given) for name, given in tables)
    finally:
        engine.dispose()


def _fill(conn: sa.Connection, name: str, given: Iterator[dict[str, Any]]) -> int:
    """The rows of one table; columns are those that the table has in this schema."""
    known = metadata.tables.get(name)
    if known is None or name in LEFT_OUT - {"assets"}:
        raise BadInput(f"The export has a table {name[:60]!r} that this version does not know. Nothing was taken in.")
    there = {column["name"] for column in sa.inspect(conn).get_columns(name)}
    table = sa.table(name, *(sa.column(column.name, column.type) for column in known.c if column.name in there))
    binary = {column.name for column in known.c if isinstance(column.type, sa.LargeBinary)}
    conn.execute(sa.delete(table))
    count = 0
    while part := list(islice(given, AT_ONCE)):
        wrong = {key for row in part for key in row} - there
        if wrong:
            raise BadInput(f"{name}: there is no column {sorted(wrong)[0][:60]!r}. Nothing was taken in.")
        conn.execute(
            table.insert(),
            [
                {
                    key: base64.b64decode(value["base64"]) if key in binary and value else value
                    for key, value in row.items()
                }
                for row in part
            ],
        )
        count += len(part)
    return count


def line(row: Mapping[str, Any]) -> bytes:
    """A row as one line of JSON Lines."""
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def parked(tx: Any) -> int:
    """Runs that were under way elsewhere are asked for again: their steps keep what they answered. How many."""
    table = metadata.tables["runs"]
    under_way = table.c.state.in_(["running", "waiting"])
    return int(tx.run(table.update().where(under_way).values(state="pending", note="")).rowcount)
