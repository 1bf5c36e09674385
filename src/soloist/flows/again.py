"""Again: work that was done before and is wanted another way: what came of it then, and how long it is to be now."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import runs
from soloist.flows.giving import WORKED, item_of
from soloist.kernel.errors import BadInput
from soloist.kernel.work import WorkItem


def came_of(conn: Any, run: str, agent: str) -> tuple[WorkItem, dict[str, Any]]:
    """Work that this agent did before, and what came of it as it is kept (NotFound; BadInput until it has come)."""
    item = item_of(conn, run)
    if item.agent != agent:
        raise BadInput(
            f"earlier: that was work of {item.agent}, and only {item.agent} can do it again.", field="earlier"
        )
    row = next((step for step in runs.steps_of(conn, run) if step["step"] == WORKED), None)
    if row is None:
        raise BadInput("earlier: nothing has come of it yet; say it again when it is done.", field="earlier")
    return item, dict(row["output"] or {})


def resized(before: int, size: object, *, most: int = 12) -> int:
    """How many lines something has that had so many ``before`` and is wanted shorter or longer."""
    return max(1, before // 2) if size == "shorter" else min(most, before * 2) if size == "longer" else before
