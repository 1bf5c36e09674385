"""Interceding: a paused run sends nothing and goes on where it was; two hundred open cards stop nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from soloist.engine.store import holds
from soloist.flows import holding
from soloist.kernel.errors import NotFound
from soloist.kernel.ids import derived
from soloist.kernel.proposal import NewProposal
from tests.flows.conftest import mail

Open = Any


@pytest.mark.parametrize("own", [True, False], ids=["the proposal's run", "the run that proposed it"])
async def test_a_paused_run_sends_nothing_until_it_is_let_go_on(house: Open, own: bool) -> None:
    home = await house()
    proposal = await home.proposed()
    run = f"proposal:{proposal['id']}" if own else proposal["run"]
    await holding.hold(home.desk, run, who="operator", why="I want to call her first")
    await home.say(proposal, "approve")
    await home.until(lambda: home.rows("effects", state="intended"))
    await asyncio.sleep(0.3)
    assert (home.sent(), len(home.rows("effects", state="intended"))) == ([], 1)
    assert await holding.release(home.desk, run, who="operator")
    await home.has_sent(1)


async def test_a_paused_effect_can_be_taken_over_as_a_card_with_its_whole_context(house: Open) -> None:
    home = await house()
    proposal = await home.proposed()
    await holding.hold(home.desk, f"proposal:{proposal['id']}", who="operator")
    await home.say(proposal, "approve")
    (effect,) = await home.until(lambda: home.rows("effects", state="intended"))
    await home.desk.undo(effect["id"], who="operator")
    again = await home.until(home.waiting)
    same = ("payload", "conversation", "record", "context")
    assert [again[name] for name in same] == [proposal[name] for name in same]


async def test_pausing_twice_is_one_hold_and_an_unknown_run_is_not_found(house: Open) -> None:
    home = await house()
    proposal = await home.proposed()
    first, second = [await holding.hold(home.desk, proposal["run"], who=who) for who in ("mara", "jo")]
    assert first == second
    assert [await holding.release(home.desk, proposal["run"], who="jo") for _ in range(2)] == [True, False]
    assert home.app.store.read_now(lambda conn: holds.of(conn, proposal["run"])) is None
    with pytest.raises(NotFound):
        await holding.hold(home.desk, "none", who="mara")


@pytest.mark.storm
async def test_two_hundred_open_cards_do_not_stop_other_runs(house: Open) -> None:
    home = await house()
    facts = home.desk.facts("mail", "mail.send")

    def pile(tx: Any) -> None:
        for n in range(200):
            payload = {"to": [f"guest{n}@okafor-ceramics.example"], "subject": f"Offer {n}", "body": "Hello"}
            new = NewProposal(derived("pile", n), "mail", "mail.send", payload, "A test.", "agent:intake")
            home.desk.approvals.propose(tx, new, facts, actor="intake@1")

    await home.app.store.write(pile)
    await home.take_in(mail())
    (proposal,) = [row for row in home.rows("proposals", state="waiting") if row["run"]]
    await home.say(proposal, "approve")
    await home.has_sent(1)
    assert len(home.rows("tasks", state="open")) == 200
