"""Copying: a consistent cut of a whole database while it is being written, what is in it, and putting it back.

SQLite is cut into a file; Postgres into one file for each table (COPY, in one snapshot), the engine's tables included.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import base, migrate
from soloist.engine.store.tables import assets, checkpoints, journal_head
from soloist.engine.store.tables import secrets as secret_rows
from soloist.kernel.errors import StoreTrouble

SCHEMAS = ("public", "dbos")
LEFT_OUT = {"public.alembic_version", "dbos.dbos_migrations"}
"""Made by the schema itself when it is put back."""
_BLOCK = 256 * 1024


@dataclass(frozen=True)
class Cut:
    """What a copy holds: schema version, end of the journal, its newest signature, rows of each table."""

    schema: str
    seq: int
    hash: str
    tables: Mapping[str, int]
    checkpoint: Mapping[str, Any]


def cut_sqlite(url: str, target: Path) -> Cut:
    """Copy a SQLite database as it is at one instant; writers go on meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    engine = base.reader(url, pool=1)
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql("ROLLBACK")
            conn.exec_driver_sql("PRAGMA query_only=OFF")
            conn.exec_driver_sql("VACUUM INTO ?", (str(target),))
    finally:
        engine.dispose()
    target.chmod(0o600)
    return about(base.sqlite_url(target))


def cut_postgres(url: str, folder: Path) -> Cut:
    """Copy every table of a Postgres database into a file of its own, all of one snapshot."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = base.reader(url, pool=1)
    try:
        with engine.connect() as conn:
            found = _cut(conn)
            for name in found.tables:
                if name not in LEFT_OUT:
                    _copy_out(conn, name, folder / f"{name}.copy")
            return found
    finally:
        engine.dispose()


def about(url: str) -> Cut:
    """What a database holds."""
    engine = base.reader(url, pool=1)
    try:
        with engine.connect() as conn:
            return _cut(conn)
    finally:
        engine.dispose()


def _cut(conn: sa.Connection) -> Cut:
    """The facts of one snapshot."""
    end = conn.execute(sa.select(journal_head.c.seq, journal_head.c.hash)).first()
    mark = conn.execute(sa.select(checkpoints).order_by(checkpoints.c.seq.desc()).limit(1)).mappings().first()
    counts = {name: _count(conn, name) for name in _names(conn)}
    return Cut(
        migrate.current(conn), end.seq if end else 0, end.hash if end else "", counts, dict(mark) if mark else {}
    )


def _names(conn: sa.Connection) -> list[str]:
    """Every table that is kept; those of Postgres with their schema."""
    look = sa.inspect(conn)
    if is_sqlite(conn):
        return sorted(name for name in look.get_table_names() if not name.startswith("sqlite_"))
    return [f"{schema}.{name}" for schema in SCHEMAS for name in sorted(look.get_table_names(schema=schema))]


def is_sqlite(conn: sa.Connection) -> bool:
    """Whether a connection leads to SQLite."""
    return base.is_sqlite(conn.dialect.name)


def _quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))


def _count(conn: sa.Connection, name: str) -> int:
    return int(conn.exec_driver_sql(f"SELECT count(*) FROM {_quoted(name)}").scalar() or 0)  # noqa: S608  # our own name


def _copy_out(conn: sa.Connection, name: str, target: Path) -> None:
    """One table by COPY; the first line of the file names the columns."""
    schema, table = name.split(".")
    columns = [column["name"] for column in sa.inspect(conn).get_columns(table, schema=schema)]
    listed = ", ".join(f'"{column}"' for column in columns)
    cursor: Any = conn.connection.cursor()
    with target.open("wb") as out, cursor.copy(f"COPY {_quoted(name)} ({listed}) TO STDOUT") as rows:
        out.write(f"{listed}\n".encode())
        for block in rows:
            out.write(block)
    target.chmod(0o600)


def is_empty(url: str) -> bool:
    """Whether a database has no tables of ours (StoreTrouble when it cannot be reached)."""
    return not migrate.version_of(url)


def put_postgres(url: str, folder: Path, schema: str) -> None:
    """Fill a database that has this schema version and empty engine tables with what ``cut_postgres`` wrote."""
    engine = base.writer(url, full=True)
    try:
        with engine.begin() as conn:
            for name in _in_order(conn):
                source = folder / f"{name}.copy"
                if name not in LEFT_OUT and source.exists():
                    conn.exec_driver_sql(f"DELETE FROM {_quoted(name)}")  # noqa: S608  # our own name
                    _copy_in(conn, name, source)
            if (found := migrate.current(conn)) != schema:
                raise StoreTrouble(f"The backup has schema {schema}, the database {found}. Nothing was restored.")
    finally:
        engine.dispose()


def _in_order(conn: sa.Connection) -> Iterator[str]:
    """Every table, those that others refer to first."""
    for schema in SCHEMAS:
        for table, _keys in sa.inspect(conn).get_sorted_table_and_fkc_names(schema=schema):
            if table is not None:
                yield f"{schema}.{table}"


def _copy_in(conn: sa.Connection, name: str, source: Path) -> None:
    """One table from its file."""
    cursor: Any = conn.connection.cursor()
    with source.open("rb") as rows:
        listed = rows.readline().decode().strip()
        with cursor.copy(f"COPY {_quoted(name)} ({listed}) FROM STDIN") as into:
            while block := rows.read(_BLOCK):
                into.write(block)
    _count_on(conn, name)


def _count_on(conn: sa.Connection, name: str) -> None:
    """Let the numbers that Postgres gives out go on after the highest one."""
    schema, table = name.split(".")
    for column in sa.inspect(conn).get_columns(table, schema=schema):
        if column.get("autoincrement") is True or column.get("identity"):
            counter = conn.exec_driver_sql(
                "SELECT pg_get_serial_sequence(%s, %s)", (_quoted(name), column["name"])
            ).scalar()
            if counter:
                highest = f'SELECT max("{column["name"]}") FROM {_quoted(name)}'  # noqa: S608  # our own name
                conn.exec_driver_sql(f"SELECT setval('{counter}', coalesce(({highest}), 0) + 1, false)")


@contextmanager
def spare(url: str) -> Iterator[str]:
    """A database of its own beside this one, for a drill; it goes afterwards. StoreTrouble when it may not be made."""
    name = f"soloist_drill_{uuid.uuid4().hex[:10]}"
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql(f"CREATE DATABASE {name}")
    except sa.exc.DBAPIError as error:
        raise StoreTrouble(f"No spare database could be made for the drill: {error.orig}") from error
    try:
        yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as conn:
            conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()


def damaged(url: str) -> list[str]:
    """What SQLite itself finds wrong with a file; nothing is looked for on Postgres."""
    if not base.is_sqlite(url):
        return []
    engine = base.reader(url, pool=1)
    try:
        with engine.connect() as conn:
            told = [str(row[0]) for row in conn.exec_driver_sql("PRAGMA integrity_check(20)")]
            return [] if told == ["ok"] else told
    finally:
        engine.dispose()


def asset_files(conn: sa.Connection) -> Iterator[tuple[str, str]]:
    """(hash, path) of every asset that is kept in a file."""
    for row in conn.execute(sa.select(assets.c.hash, assets.c.path).where(assets.c.path != "")):
        yield row.hash, row.path


def sealed(conn: sa.Connection) -> list[tuple[str, bytes]]:
    """Every sealed secret: (name, blob)."""
    return [(row.name, bytes(row.sealed)) for row in conn.execute(sa.select(secret_rows))]


def head_of(conn: sa.Connection) -> tuple[int, str]:
    """(seq, hash) of the end of the journal."""
    row = conn.execute(sa.select(journal_head.c.seq, journal_head.c.hash)).first()
    return (row.seq, row.hash) if row else (0, "")
