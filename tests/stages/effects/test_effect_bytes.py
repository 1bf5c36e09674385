"""What was approved is what leaves: any byte that moves afterwards stops the effect, whoever moved it."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import effects, settings, tasks
from soloist.engine.store.tables import approvals, conversations, proposals
from soloist.engine.store.tables import effects as effects_table
from soloist.kernel.errors import BadInput, Conflict, StaleHash
from soloist.kernel.hashing import payload_hash
from soloist.stages.effects import Effects
from tests.stages.effects.rig import KEY, FakeDoor, Rig

OTHER = {"to": ["victor@quick-offers.example"], "n": 1}
MOVED = [
    (proposals, {"payload": OTHER}),
    (proposals, {"payload": OTHER, "payload_hash": payload_hash("fake", "A", OTHER)}),
    (proposals, {"connector": "bank"}),
    (proposals, {"operation": "B"}),
    (effects_table, {"connector": "bank"}),
    (effects_table, {"operation": "B"}),
    (effects_table, {"key": "another"}),
    (effects_table, {"payload_hash": "0" * 64}),
    (approvals, {"payload_hash": "0" * 64}),
    (approvals, {"seal": "0" * 64}),
    (approvals, {"decision": "reject"}),
    (approvals, {"who": "somebody"}),
    (approvals, {"via": "console"}),
    (approvals, {"reason": "because"}),
    (approvals, {"at": "2026-11-22T00:00:00.000000Z"}),
]


def change(rig: Rig, table: Any, values: dict[str, Any]) -> None:
    rig.store.write_now(lambda tx: tx.run(table.update().values(**values)) and None)


@pytest.mark.parametrize(("table", "values"), MOVED)
async def test_nothing_leaves_when_anything_moved_after_the_approval(rig: Rig, table: Any, values: Any) -> None:
    ident = await rig.intended("A")
    change(rig, table, values)
    assert await rig.advance(ident) == "resolved_not_done"
    assert not rig.world.calls


@pytest.mark.parametrize(("table", "values"), MOVED)
async def test_the_same_holds_between_two_attempts(rig: Rig, table: Any, values: Any) -> None:
    ident = await rig.intended("A")
    assert await rig.advance(ident, "unknown_before") == "unknown"
    change(rig, table, values)
    rig.clock.add(10)
    assert await rig.advance(ident) == "needs_human"
    assert sum(rig.world.calls.values()) == 1


async def test_a_change_after_a_refusal_is_told(rig: Rig) -> None:
    ident = await rig.intended("A")
    assert await rig.advance(ident, "later") == "intended"
    change(rig, proposals, {"payload": OTHER})
    rig.clock.add(10)
    assert await rig.advance(ident) == "resolved_not_done"
    card = rig.store.read_now(lambda conn: tasks.open_for(conn, ident))
    assert card is not None
    assert "not the one that was approved" in card["why"]


async def test_a_new_message_on_the_thread_stops_it(rig: Rig) -> None:
    ident = await rig.intended("A")
    row = {"id": "talk", "head": "new"}
    rig.store.write_now(lambda tx: tx.run(conversations.insert(), row) and None)
    change(rig, proposals, {"conversation": "talk", "thread_head": "old"})
    assert await rig.advance(ident) == "resolved_not_done"


async def test_policy_has_the_last_word(rig: Rig) -> None:
    ident = await rig.intended("A")
    door: Any = FakeDoor(rig.world)
    rig.stage = Effects(rig.store, door, boot="boot-1", install_key=KEY, allowed=lambda _row: "Denied by now.")
    assert await rig.advance(ident) == "resolved_not_done"
    assert "Denied by now." in rig.row(ident)["evidence"][-1]["note"]


async def test_intending_twice_makes_one_effect(rig: Rig) -> None:
    proposal = rig.approved("C")
    assert await rig.stage.intend("run", proposal) == await rig.stage.intend("run", proposal) == {"effects": 1}
    assert len(rig.rows()) == 1


async def test_the_key_is_the_same_for_every_attempt_and_fits_a_header(rig: Rig) -> None:
    ident = await rig.intended("A")
    key = rig.row(ident)["key"]
    await rig.advance(ident, "unknown_after")
    rig.clock.add(10)
    await rig.advance(ident)
    assert rig.row(ident)["key"] == key
    assert set(rig.world.calls) == {key}
    assert key.isalnum()
    assert len(key) == 26


async def test_a_word_on_other_content_is_refused(rig: Rig) -> None:
    ident = await rig.intended("C")
    await rig.advance(ident, "unknown_after")
    assert await rig.advance(ident) == "needs_human"
    with pytest.raises(StaleHash):
        await rig.stage.resolve(ident, "send_again", "0" * 64, who="operator")
    with pytest.raises(BadInput, match="happened"):
        await rig.stage.resolve(ident, "perhaps", "0" * 64, who="operator")
    assert sum(rig.world.calls.values()) == 1


async def test_the_same_word_twice_is_one_word(rig: Rig) -> None:
    ident = await rig.intended("C")
    await rig.advance(ident, "unknown_after")
    await rig.advance(ident)
    digest = rig.row(ident)["payload_hash"]
    for _ in range(2):
        assert (await rig.stage.resolve(ident, "happened", digest, who="operator"))["state"] == "resolved_done"
    with pytest.raises(Conflict, match="nothing to resolve"):
        await rig.stage.resolve(ident, "send_again", digest, who="operator")


async def test_an_undo_is_an_effect_of_its_own(rig: Rig) -> None:
    ident = await rig.intended("B")
    await rig.advance(ident)
    rig.store.write_now(lambda tx: rig.stage.undo_in(tx, ident, who="operator"))
    (undo,) = (row for row in rig.rows() if row["undoes"] == ident)
    assert await rig.advance(undo["id"]) == "succeeded"
    assert rig.row(ident)["state"] == "compensated"
    assert undo["key"] != rig.row(ident)["key"]


async def test_a_sweep_leaves_the_attempts_of_this_process_alone(rig: Rig) -> None:
    ident = await rig.intended("C")
    row = rig.store.write_now(lambda tx: effects.move(tx, rig.row(ident), "claimed", boot="boot-1"))
    rig.store.write_now(lambda tx: effects.move(tx, row, "attempting", attempts=1))
    assert await rig.stage.sweep() == 0
    await rig.restart()
    assert rig.row(ident)["state"] == "unknown"


async def test_a_released_stop_lets_everything_go_on(rig: Rig) -> None:
    ident = await rig.intended("A")
    await rig.stage.stop(True, who="operator")
    assert await rig.advance(ident) == "intended"
    assert rig.store.read_now(settings.stopped)
    await rig.stage.stop(False, who="operator")
    assert await rig.advance(ident) == "succeeded"
