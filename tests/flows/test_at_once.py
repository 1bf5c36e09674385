"""Things that happen at the same moment, or more often than once: one of them counts, and nothing is lost."""

import asyncio
import random

from soloist.kernel import inbound
from soloist.kernel.errors import Conflict
from tests.flows.conftest import ASKS, Open

FORM = {"name": "Emily Carter", "from": "emily@carter-bakery.example", "subject": "New website", "text": ASKS}


async def test_deliveries_repeated_and_out_of_order_are_one_event_each(house: Open):
    home = await house()
    ids = [f"order-{number}" for number in range(40)] * 3
    random.Random(7).shuffle(ids)
    taken = await asyncio.gather(
        *(home.desk.intake.accept("hook:shop", i, "order.paid", {"order": i}, actor="outside") for i in ids)
    )
    assert sum(new for _, new in taken) == len({event.id for event, _ in taken}) == 40
    assert len(home.rows("events", kind="order.paid")) == 40


async def test_a_form_becomes_the_same_card_as_a_mail(house: Open):
    home = await house()
    for _ in range(2):
        await home.desk.intake.accept("form:contact", "send-1", inbound.MESSAGE, FORM, actor="outside")
    await home.until(lambda: home.rows("proposals", state="waiting"))
    await home.say(home.waiting(), "approve")
    (left,) = await home.has_sent()
    assert (left["To"], left["In-Reply-To"]) == ("emily@carter-bakery.example", None)


async def test_of_two_opposite_decisions_one_counts(house: Open):
    home = await house()
    proposal = await home.proposed()
    words = [home.say(proposal, decision) for decision in ("approve", "reject") * 3]
    said = await asyncio.gather(*words, return_exceptions=True)
    assert {type(answer) for answer in said} == {dict, Conflict}
    assert {answer["state"] for answer in said if isinstance(answer, dict)} == {"approved"}
    await home.has_sent()
    assert len(home.rows("approvals")) == 1


async def test_what_has_left_is_answered_for_and_not_taken_back(house: Open):
    home = await house()
    await home.say(await home.proposed(), "approve")
    await home.has_sent()
    made = await home.desk.undo(home.rows("effects")[0]["id"], who="operator")
    letter = next(row for row in home.rows("proposals") if row["id"] == made["proposal"])
    assert (letter["state"], home.rows("effects")[0]["state"]) == ("waiting", "succeeded")
    assert len(home.sent()) == 1


async def test_two_taps_on_take_back_make_one_fresh_card(house: Open):
    home = await house(hold="60s")
    await home.say(await home.proposed(), "approve")
    (effect,) = await home.until(lambda: home.rows("effects"))
    taps = [home.desk.undo(effect["id"], who="operator") for _ in range(2)]
    said = await asyncio.gather(*taps, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in said) == ["Conflict", "dict"]
    assert home.card(type="proposal")["subject"] == home.waiting()["id"]
