"""Tables: makes the library's own tables on a Postgres that has none, so that a backup can be put back."""

from __future__ import annotations

import sqlalchemy as sa
from dbos._migration import ensure_dbos_schema, run_dbos_migrations

SCHEMA = "dbos"


def make(url: str) -> None:
    """Make or bring them to this version."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    ensure_dbos_schema(engine, SCHEMA)
    run_dbos_migrations(engine, SCHEMA, True)
    engine.dispose()
