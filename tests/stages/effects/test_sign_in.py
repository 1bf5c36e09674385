"""A refused sign-in stops its connector: one card, no loop, no attempt counted, and it goes on when it works again."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import effects, secrets, tasks
from soloist.stages.effects import waiting
from tests.stages.effects.rig import Rig

SUBJECT = "connector:fake"


def card(rig: Rig) -> dict[str, Any] | None:
    return rig.store.read_now(lambda conn: tasks.open_for(conn, SUBJECT))


def said(rig: Rig, *, again: bool) -> int:
    return rig.store.write_now(lambda tx: rig.stage.sign_in_in(tx, "fake", again=again, who="operator"))


async def shut(rig: Rig, count: int = 3) -> list[str]:
    """Effects of a connector that refuses our sign-in; the first has tried."""
    made = [await rig.intended(class_) for class_ in "ABC"[:count]]
    for ident in made:
        await rig.advance(ident, "auth")
    return made


async def test_one_refusal_stops_all_and_makes_one_card(rig: Rig) -> None:
    first, *others = await shut(rig)
    assert sum(rig.world.calls.values()) == 1
    assert rig.row(first)["state"] == "refused"
    assert [rig.row(ident)["state"] for ident in others] == ["intended", "intended"]
    found = card(rig)
    assert found is not None
    assert [choice["name"] for choice in found["options"]] == ["try_again", "give_up"]
    assert (await rig.stage.look("run", first))["do"] == "wait"


async def test_it_stays_stopped_in_a_new_process(rig: Rig) -> None:
    made = await shut(rig)
    await rig.restart()
    for ident in made:
        await rig.advance(ident)
    assert sum(rig.world.calls.values()) == 1


async def test_one_goes_ahead_and_the_others_follow(rig: Rig) -> None:
    first, second, third = await shut(rig)
    await rig.advance(second)
    said(rig, again=True)
    assert (await rig.stage.look("run", first))["do"] == "attempt"
    assert await rig.advance(first) == "succeeded"
    assert [await rig.advance(ident) for ident in (second, third)] == ["succeeded", "succeeded"]
    assert card(rig) is None


async def test_a_trial_that_is_refused_too_makes_a_card_again(rig: Rig) -> None:
    first, second, _ = await shut(rig)
    said(rig, again=True)
    await rig.advance(first, "auth")
    await rig.advance(second)
    assert sum(rig.world.calls.values()) == 2
    assert card(rig) is not None


async def test_giving_up_sends_nothing_for_certain(rig: Rig) -> None:
    first, second, _ = await shut(rig)
    assert await rig.advance(second) == "intended"
    said(rig, again=False)
    assert rig.row(first)["state"] == "failed"
    assert not rig.world.done
    assert card(rig) is None


async def test_a_renewed_secret_lets_one_try_by_itself(rig: Rig) -> None:
    first, second, _ = await shut(rig)
    rig.clock.add(60)
    rig.store.write_now(lambda tx: secrets.put(tx, "shop", b"sealed"))
    assert await rig.advance(first) == "succeeded"
    assert await rig.advance(second) == "succeeded"
    assert card(rig) is None


async def test_attempts_at_a_closed_door_are_not_counted(rig: Rig) -> None:
    ident = await rig.intended("A")
    for _ in range(30):
        assert await rig.advance(ident, "later") == "intended"
        rig.clock.add(400)
    assert await rig.advance(ident) == "succeeded"


async def test_what_cannot_be_reached_fails_after_twelve_tries(rig: Rig) -> None:
    ident = await rig.intended("B")
    for _ in range(12):
        await rig.advance(ident, "away")
        rig.clock.add(400)
    assert rig.row(ident)["state"] == "failed"


async def test_a_doubt_behind_a_closed_door_becomes_a_question(rig: Rig) -> None:
    doubtful, other = await rig.intended("A"), await rig.intended("C")
    await rig.advance(doubtful, "unknown_after")
    await rig.advance(other, "auth")
    rig.clock.add(10)
    assert await rig.advance(doubtful) == "needs_human"


async def test_waiting_effects_are_found_by_their_connector(rig: Rig) -> None:
    await shut(rig)
    found = rig.store.read_now(lambda conn: effects.waiting(conn, "fake", waiting.SIGN_IN))
    assert len(found) == 1
