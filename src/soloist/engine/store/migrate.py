"""Brings a database to the schema of this version, after a backup; refuses one that is newer."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from soloist.engine.store import base
from soloist.engine.store.tables import journal_head
from soloist.kernel.errors import StoreTrouble

HEAD = "0005"
"""The schema this version of Soloist works with."""
KNOWN = ("0001", "0002", "0003", "0004", "0005")


def current(conn: sa.Connection) -> str:
    """The schema version of a database, "" for an empty one."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return ""
    return str(conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or "")


def version_of(url: str) -> str:
    """The schema version of a database, "" for an empty one (StoreTrouble when it cannot be reached)."""
    engine = base.writer(url, full=True)
    try:
        with engine.connect() as conn:
            return current(conn)
    except DBAPIError as error:
        raise StoreTrouble(f"The database cannot be reached: {error.orig}") from error
    finally:
        engine.dispose()


def prepare(url: str, backups: Path | None = None) -> None:
    """Create or migrate the schema (StoreTrouble for a newer one). A file is copied to ``backups`` before a change."""
    engine = base.writer(url, full=True)
    try:
        with engine.connect() as conn:
            found = current(conn)
        if found == HEAD:
            return
        if found and found not in KNOWN:
            raise StoreTrouble(
                f"This home was last used by a newer Soloist (schema {found}; this version knows up to {HEAD}). "
                "Nothing was changed. Install the newer version, or restore a backup made by this one."
            )
        if found and backups is not None and base.is_sqlite(url):
            _copy(url, backups / f"before-{HEAD}-from-{found}.db")
        _upgrade(engine)
    finally:
        engine.dispose()


def _copy(url: str, target: Path) -> None:
    """A consistent copy of a SQLite file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    engine = base.reader(url)
    with engine.connect() as conn:
        conn.exec_driver_sql("ROLLBACK")
        conn.exec_driver_sql("PRAGMA query_only=OFF")
        conn.exec_driver_sql("VACUUM INTO ?", (str(target),))
    engine.dispose()


def make(url: str, version: str) -> None:
    """Give an empty database the schema of a version we know, so that a backup of that version can be put into it."""
    engine = base.writer(url, full=True)
    _upgrade(engine, version)
    engine.dispose()


def _upgrade(engine: sa.Engine, target: str = "head") -> None:
    """Run Alembic in one transaction and lay the journal's first stone."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, target)
        if conn.execute(sa.select(journal_head.c.seq)).first() is None:
            conn.execute(journal_head.insert().values(one=1, seq=0, hash=""))
