"""The rows that the engine library keeps of runs: those of runs that ended long ago leave, and nothing else does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.config import Home
from soloist.engine.store import base
from soloist.engine.store.clock import utc_now
from soloist.engine.store.store import Store
from soloist.flows.keeping import Keeping
from tests.engine.durable.rig import Steps, decide, ended, parked, running, start
from tests.engine.store import databases


def _tables(conn: Any, *runs: str) -> set[str]:
    """The tables of the library that name one of these runs."""
    schema = None if base.is_sqlite(conn.dialect.name) else "dbos"
    found = set()
    for name in sa.inspect(conn).get_table_names(schema=schema):
        columns = {column["name"] for column in sa.inspect(conn).get_columns(name, schema=schema)}
        for key in columns & {"workflow_uuid", "destination_uuid"}:
            table = sa.table(name, sa.column(key), schema=schema)
            if conn.execute(sa.select(table).where(table.c[key].in_(runs))).first():
                found.add(name)
    return found


@pytest.mark.parametrize("kind", databases.KINDS)
async def test_what_the_library_keeps_of_old_runs_leaves(url: str, steps: Steps, tmp_path: Path) -> None:
    """No table of the library names a run that is long over; one that waits still keeps its own."""
    store, late = steps.store, Store(url, clock=lambda: utc_now() + timedelta(days=400))
    async with running(store, steps.flows(), steps.finish):
        waits, over = start(store, "parked", "waits", "over")
        await parked(waits, over)
        decide(store, over)
        assert await ended(store, over, *start(store, "straight", "1")) == {"done"}
    there = store.read_now(lambda c: _tables(c, waits))
    assert {"workflow_status", "operation_outputs"} < store.read_now(lambda c: _tables(c, over, "straight:1"))
    told = Keeping(late, Home(tmp_path)).collect_now(who="operator")["counts"]
    late.close()
    assert told["engine notes leave"]["rows"] == 2
    assert store.read_now(lambda c: _tables(c, over, "straight:1")) == set()
    assert store.read_now(lambda c: _tables(c, waits)) == there
