"""Database engines on one SQLite file or one Postgres database: pragmas, versions, pools; knows no table."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pysqlite3
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from soloist.engine.store.quick import Driver
from soloist.kernel.errors import StoreTrouble

Connection = sa.Connection
"""An open connection, for those who pass one on and write no SQL themselves."""

_CACHE = -4096
"""Kilobytes of page cache for each of our own connections."""
_LOG_PAGES = 1000
"""Pages after which the log is copied into the file and begun anew."""
_ROOM = _LOG_PAGES * 4096
_FILL = f"INSERT INTO room VALUES (zeroblob({_ROOM + 64 * 4096}))"  # noqa: S608  # a number of ours
_SMALL_CACHE = -512
"""Kilobytes of page cache for each of the engine's twenty connections: they read a few rows by key."""

OLDEST_SQLITE = (3, 51, 3)
"""Before this version SQLite's WAL reset can damage a file that several connections write."""


def sqlite_module() -> Any:
    """The pysqlite3 module after a check of the SQLite it brings (StoreTrouble when that is too old)."""
    if tuple(int(part) for part in pysqlite3.sqlite_version.split(".")) < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        raise StoreTrouble(f"SQLite {pysqlite3.sqlite_version} is too old; {wanted} or newer is needed.")
    return pysqlite3


def is_sqlite(url: str) -> bool:
    """Whether the address names a SQLite file."""
    return url.startswith("sqlite")


def writer(url: str, *, full: bool) -> sa.Engine:
    """An engine for the single writer thread; ``full`` waits for the disk at every commit."""
    if not is_sqlite(url):
        engine = sa.create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True)
        if not full:
            sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("SET LOCAL synchronous_commit=off"))
        return engine
    engine = _sqlite(url, f"synchronous={'FULL' if full else 'NORMAL'}", pool=1)
    sa.event.listen(engine, "begin", lambda c: Driver(c).plain("BEGIN IMMEDIATE"))
    return engine


def make_room(conn: sa.Connection) -> None:
    """Let a log that is still short grow at once to the length at which SQLite begins it anew; says nothing new.

    A flush of a file that grows waits for the file system's own journal, forty times as long as one that does not.
    What is written here is rolled back, so no reader and no recovery ever sees it; a fault leaves the log as it was.
    """
    log = Path(f"{conn.engine.url.database}-wal")
    driver = Driver(conn)
    with contextlib.suppress(OSError, DBAPIError):
        if log.stat().st_size >= _ROOM:
            return
        try:
            driver.plain("PRAGMA cache_size=16")  # so that it does not stay in memory
            driver.plain("BEGIN IMMEDIATE")
            driver.plain("CREATE TABLE room (filler)")
            driver.plain(_FILL)
        finally:
            with contextlib.suppress(DBAPIError):
                driver.plain("ROLLBACK")
            driver.plain(f"PRAGMA cache_size={_CACHE}")


def reader(url: str, pool: int = 4) -> sa.Engine:
    """An engine for reads; each connection sees one consistent snapshot for as long as it is used."""
    if not is_sqlite(url):
        return sa.create_engine(
            url, pool_size=pool, max_overflow=4, pool_pre_ping=True, isolation_level="REPEATABLE READ"
        )
    engine = _sqlite(url, "query_only=ON", pool=pool)
    sa.event.listen(engine, "begin", lambda c: Driver(c).plain("BEGIN"))
    return engine


def checkpointing(url: str, pool: int = 20) -> sa.Engine:
    """The engine that the durable execution library uses on SQLite: NORMAL, its own transactions."""
    module = sqlite_module()
    engine = sa.create_engine(
        url,
        module=module,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"check_same_thread": False, "timeout": 30},
    )

    @sa.event.listens_for(engine, "connect")
    def _open(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        _pragmas(connection, "synchronous=NORMAL")
        connection.execute(f"PRAGMA cache_size={_SMALL_CACHE}")

    return engine


def _sqlite(url: str, pragma: str, *, pool: int) -> sa.Engine:
    """An engine whose transactions are begun by us and not by the driver."""
    module = sqlite_module()
    engine = sa.create_engine(
        url,
        module=module,
        pool_size=pool,
        max_overflow=4,
        connect_args={"check_same_thread": False, "timeout": 30},
    )

    @sa.event.listens_for(engine, "connect")
    def _open(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        # SQLite's own knows only ASCII, so that a search for "ökologisch" would not find "Ökologisch".
        connection.create_function("lower", 1, _lower, deterministic=True)
        _pragmas(connection, pragma)

    return engine


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _pragmas(connection: Any, last: str) -> None:
    """WAL with a bounded log, no memory map, foreign keys on, 30 s patience with other writers."""
    settings = (
        "busy_timeout=30000",
        "foreign_keys=ON",
        "journal_mode=WAL",
        "temp_store=MEMORY",
        f"cache_size={_CACHE}",
    )
    for setting in (*settings, f"wal_autocheckpoint={_LOG_PAGES}", "journal_size_limit=67108864", last):
        connection.execute(f"PRAGMA {setting}")


_WATCHED = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 6000,
    "options": "-c tcp_keepalives_idle=6 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=4",
}
"""A cut line is noticed by us within 6 s and by Postgres, which then frees the lock, only after 14 s."""


def advisory_lock(url: str, number: int) -> sa.Connection | None:
    """A connection that holds a Postgres advisory lock until it is closed, or None when somebody else has it.

    StoreTrouble when Postgres cannot be reached.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT", connect_args=_WATCHED)
    try:
        connection = engine.connect()
        if connection.execute(sa.text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar():
            return connection
    except DBAPIError as error:
        raise StoreTrouble(f"Postgres cannot be reached: {error.orig}") from error
    connection.close()
    return None


def answers(connection: sa.Connection) -> bool:
    """Whether a connection is still there, and with it the locks that it holds."""
    try:
        connection.exec_driver_sql("SELECT 1")
    except DBAPIError:
        return False
    return True


def drop(connection: sa.Connection) -> None:
    """Close a connection that may be gone already."""
    with contextlib.suppress(DBAPIError):
        connection.invalidate()
    connection.close()


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite:///{path}"
