"""Doubts: how often is looked, what absence proves, and what the card of an unknown outcome says."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from soloist.engine.store import effects, tasks
from tests.stages.effects.rig import LAG, Rig


async def doubtful(rig: Rig, class_: str, how: str = "unknown_before") -> str:
    ident = await rig.intended(class_)
    await rig.advance(ident, how)
    return ident


def card(rig: Rig, ident: str) -> dict[str, Any]:
    found = rig.store.read_now(lambda conn: tasks.open_for(conn, ident))
    assert found is not None
    return found


async def test_mail_that_is_not_among_the_sent_is_asked_about_after_two_looks(rig: Rig) -> None:
    ident = await doubtful(rig, "B'")
    assert await rig.advance(ident) == "reconciling"
    assert await rig.advance(ident) == "reconciling"  # the lag is not over
    rig.clock.add(LAG)
    assert await rig.advance(ident) == "needs_human"
    assert sum(rig.world.calls.values()) == 1
    assert len(card(rig, ident)["detail"]["looked"]) == 2


async def test_mail_that_is_among_the_sent_was_sent(rig: Rig) -> None:
    ident = await doubtful(rig, "B'", "unknown_after")
    await rig.advance(ident)
    rig.clock.add(LAG)
    assert await rig.advance(ident) == "succeeded"


async def test_a_write_that_shows_late_is_remarked_on(rig: Rig) -> None:
    ident = await doubtful(rig, "B", "unknown_after")
    await rig.advance(ident)
    rig.clock.add(LAG)
    await rig.advance(ident)
    assert "slower than declared" in rig.row(ident)["evidence"][-1]["note"]


async def test_a_failed_look_and_one_absence_are_not_two_absences(rig: Rig) -> None:
    ident = await doubtful(rig, "B")
    await rig.advance(ident, "unknown_look")
    for _ in range(2):
        rig.clock.add(60)
        state = await rig.advance(ident)
    assert state == "intended"
    assert sum(note["note"].startswith("not there") for note in rig.row(ident)["evidence"]) == 2


async def test_past_the_window_a_key_is_looked_up_and_never_tried_again(rig: Rig) -> None:
    ident = await doubtful(rig, "A")
    rig.clock.add(3600)
    for _ in range(4):
        await rig.advance(ident)
        rig.clock.add(60)
    assert rig.row(ident)["state"] == "needs_human"
    assert sum(rig.world.calls.values()) == 1


async def test_the_card_says_when_where_and_what_each_mistake_costs(rig: Rig) -> None:
    rig.stage.ends.zone = ZoneInfo("Europe/Berlin")
    ident = await doubtful(rig, "C")
    await rig.advance(ident)
    why = card(rig, ident)["why"]
    assert "ada@okafor-ceramics.example" in why
    assert "21 Nov 10:00" in why
    assert "the line broke" in why
    assert "twice" in why
    labels = [choice["label"] for choice in card(rig, ident)["options"]]
    assert labels == ["It arrived", "It did not: send again", "Leave it"]


@pytest.mark.parametrize(("word", "state"), [("happened", "compensated"), ("did_not_happen", "compensation_failed")])
async def test_a_doubtful_way_back_ends_by_a_word(rig: Rig, word: str, state: str) -> None:
    ident = await rig.intended("C")
    await rig.advance(ident)
    rig.store.write_now(lambda tx: rig.stage.undo_in(tx, ident, who="operator"))
    (undo,) = rig.store.read_now(lambda conn: effects.undoing(conn, ident))
    await rig.advance(undo["id"], "unknown_after")
    await rig.advance(undo["id"])
    digest = rig.row(undo["id"])["payload_hash"]
    assert digest != rig.row(ident)["payload_hash"]
    await rig.stage.resolve(undo["id"], word, digest, who="operator")
    assert rig.row(ident)["state"] == state


async def test_a_way_back_that_failed_can_be_tried_again_or_done_by_hand(rig: Rig) -> None:
    ident = await rig.intended("A")
    await rig.advance(ident)
    for how in ("refused", "refused"):
        rig.store.write_now(lambda tx: rig.stage.undo_in(tx, ident, who="operator"))
        undo = rig.store.read_now(lambda conn: effects.undoing(conn, ident))[-1]
        await rig.advance(undo["id"], how)
        assert rig.row(ident)["state"] == "compensation_failed"
    assert [c["name"] for c in card(rig, ident)["options"]] == ["try_again", "by_hand", "leave"]
    rig.store.write_now(lambda tx: rig.stage.by_hand(tx, ident, who="operator"))
    assert rig.row(ident)["state"] == "compensated"


async def test_the_headline_counts_what_is_not_known(rig: Rig) -> None:
    ident = await doubtful(rig, "C")
    await rig.advance(ident)
    told = rig.store.read_now(effects.headline)
    assert (told["unknown"], told["needs_human"]) == (1, 1)
    assert told["oldest_unknown"] == rig.row(ident)["first_attempt"]
