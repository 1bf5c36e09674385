"""Finds messages whose wake-up was lost with a connection to Postgres; wakes their runs and decides nothing.

It uses private names of the pinned version, listed here: ``SystemDatabase.notifications_map`` with ``snapshot``,
``SystemDatabase.engine``.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

_WAITING = sa.text(
    "SELECT destination_uuid, topic FROM dbos.notifications WHERE NOT consumed AND destination_uuid=ANY(:runs)"
)


def wake(database: Any) -> int:
    """One look for all parked runs of this process; answers how many had a message that they were not told of."""
    signals = {key: signal for key, _components, signal in database.notifications_map.snapshot()}
    if not signals:
        return 0
    with database.engine.connect() as conn:
        rows = conn.execute(_WAITING, {"runs": [key.rpartition("::")[0] for key in signals]}).all()
    for run, topic in rows:
        if signal := signals.get(f"{run}::{topic}"):
            signal.set()
    return len(rows)
