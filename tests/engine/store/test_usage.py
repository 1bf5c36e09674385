"""Usage of operations, counted from effects and changes of records."""

from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import tables, usage


def row(table: Any, **values: Any) -> dict[str, Any]:
    """A row of empty values with these filled in."""
    kinds = {"INTEGER": 0, "BIGINT": 0, "TEXT": ""}
    plain = {c.name: kinds.get(str(c.type)) for c in table.c}
    return {**plain, **values}


def effect(number: int, state: str, **values: Any) -> dict[str, Any]:
    own = {"id": f"e{number}", "ordinal": number, "proposal": f"p{number}", "group": "all", "state": state}
    return row(tables.effects, **own, **{"connector": "shop", "operation": "charge", **values})


def change(number: int, state: str) -> dict[str, Any]:
    own = {"id": f"c{number}", "noun": "change", "connector": "records", "operation": "record.change", "state": state}
    return row(tables.proposals, **own, source_ref=f"s{number}", updated=f"2026-11-2{number}")


def counted(app: App) -> dict[Any, Any]:
    return app.store.read_now(usage.by_operation)


async def fill(app: App, effects: list[dict[str, Any]], proposals: list[dict[str, Any]]) -> None:
    def work(tx: Any) -> None:
        tx.run(tables.effects.insert().values(effects))
        if proposals:
            tx.run(tables.proposals.insert().values(proposals))

    await app.store.write(work)


async def test_uses_are_counted_by_how_they_ended(app: App) -> None:
    states = ["succeeded", "succeeded", "compensated", "failed", "needs_human", "intended"]
    rows = [effect(n + 1, state, updated=f"2026-11-0{n + 1}") for n, state in enumerate(states)]
    await fill(app, [*rows, effect(9, "succeeded", undoes="e1")], [change(1, "approved"), change(2, "waiting")])
    found = counted(app)
    assert found["shop", "charge"] == {"uses": 6, "worked": 3, "failed": 1, "unclear": 1, "last": "2026-11-06"}
    assert found["records", "record.change"]["uses"] == 1


async def test_only_the_newest_are_counted(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "COUNTED", 2)
    await fill(app, [effect(1, "failed"), effect(2, "succeeded"), effect(3, "succeeded")], [])
    assert counted(app)["shop", "charge"]["failed"] == 0
