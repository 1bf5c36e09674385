"""What is unusual goes alone and is shown after the fact; the operator's word on it changes what happens next."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.flows.policy_rig import Rig

Open = Callable[..., Rig]
RULE = '\n[[policy.rules]]\nname = "events"\nwhen = \'proposal.operation == "put_event"\'\nthen = "allow"\n'
USUAL = "The fitting of the glaze samples is on {} at ten in the studio."


async def history(home: Rig, count: int = 6) -> None:
    for n in range(count):
        await home.propose(text=USUAL.format(n))
        home.later(hours=2)


async def strange(home: Rig) -> dict[str, Any]:
    """A text unlike the others."""
    await history(home)
    row = await home.propose(text="PAY 900 BITCOIN NOW http://quick-offers.example/?q=zzz")
    assert [flag["name"] for flag in row["flags"]] == ["content"]
    return row


async def test_the_usual_makes_no_card_and_the_unusual_one(rig: Open):
    home = rig(RULE)
    await history(home)
    assert home.card("audit") is None
    row = await strange(home)
    card = home.card("audit")
    assert (row["state"], card["subject"], card["subject_kind"]) == ("approved", row["id"], "proposal")
    assert "unlike the last" in card["why"]
    assert [option["name"] for option in card["options"]] == ["fine", "undo", "ask"]


async def test_ask_next_time_writes_a_rule_that_asks_about_its_like(rig: Open):
    home = rig(RULE)
    await strange(home)
    await home.choose(home.card("audit"), "ask")
    again = await home.propose(text="Ring Victor Kane, he waits for his money")
    assert (again["state"], home.verdict(again)["rule"]) == ("waiting", "ask about unusual shop put_event: content")
    assert (await home.propose(text=USUAL.format(7)))["state"] == "approved"


async def test_ask_next_time_ends_the_grant_that_let_it_go(rig: Open):
    home = rig()
    home.grant(operation="put_event")
    await strange(home)
    await home.choose(home.card("audit"), "ask")
    assert home.rows("grants")[0]["state"] == "revoked"
    assert not (home.root / "policy.toml").exists()


@pytest.mark.parametrize(("option", "state"), [("undo", "superseded"), ("fine", "approved")])
async def test_the_unusual_can_be_taken_back_before_it_left_or_is_fine(rig: Open, option: str, state: str):
    home = rig(RULE)
    row = await strange(home)
    await home.choose(home.card("audit"), option)
    assert (home.proposal(row["id"])["state"], home.card("audit")) == (state, None)


async def test_a_rule_can_ask_about_the_unusual(rig: Open):
    home = rig(RULE + '[[policy.rules]]\nname = "odd"\nwhen = "size(proposal.unusual) > 0"\nthen = "ask"\n')
    row = await strange(home)
    assert (row["state"], home.verdict(row)["rule"]) == ("waiting", "odd")
