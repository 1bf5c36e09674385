"""What a person decides about a difference: through proposals, the declared way back, notes and tasks for hands."""

import pytest

from soloist.engine.store import tasks
from soloist.flows.fixing import Fixing
from soloist.flows.reconciling import Reconciling
from soloist.kernel.errors import BadInput, Conflict
from soloist.stages.approvals import Decision
from tests.flows import shelf


@pytest.fixture
def stock(app):
    made = shelf.Stock(app)
    made.fixing = Fixing(made.desk)
    return made


async def seen(stock) -> dict:
    """The one mismatch there is after a look."""
    await Reconciling(stock.desk).now("shelf")
    (row,) = stock.all("")
    return row


async def decided(stock, option, **fields):
    row = await seen(stock)
    return await stock.fixing.decide(row["id"], option, who="operator", fields=fields or None)


async def test_what_is_missing_is_proposed_again_and_waits_for_a_word(stock):
    effect = await stock.effect()
    stock.shelf.things.clear()
    made = await decided(stock, "send_again")
    (copy,) = stock.waiting()
    assert (made["state"], made["proposals"]) == ("fixing", [copy["id"]])
    assert copy["payload"] == stock.row("proposals", effect["proposal"])["payload"]
    assert (await seen(stock))["state"] == "fixing"
    await stock.desk.approvals.decide(copy["id"], Decision("reject", copy["payload_hash"], "operator", "test"))
    assert (await seen(stock))["state"] == "open"
    assert (await decided(stock, "send_again"))["proposals"] != made["proposals"]


async def test_what_is_accepted_stays_so_until_it_looks_otherwise(stock):
    effect = await stock.effect()
    stock.lay(effect, "put-1", amount=7)
    assert (await decided(stock, "accept"))["state"] == "accepted"
    assert (await seen(stock))["state"] == "accepted"
    stock.lay(effect, "put-1", amount=8)
    assert (await seen(stock))["state"] == "open"


async def test_an_uncertain_one_without_a_key_is_taken_as_done(stock):
    effect = await stock.effect("needs_human", "shout")
    stock.lay(effect, "shout-9", key="")
    made = await decided(stock, "take_as_done")
    row = stock.row("effects", effect["id"])
    assert (made["state"], row["state"], row["provider_ref"]) == ("gone", "resolved_done", "shout-9")
    assert (await seen(stock))["state"] == "gone"


async def test_the_second_one_is_taken_back_by_the_declared_way(stock):
    effect = await stock.effect()
    stock.lay(effect, "put-again")
    made = await decided(stock, "take_back")
    copy = stock.row("effects", made["effect"])
    assert (copy["provider_ref"], copy["group"]) == ("put-again", "copy:put-again")
    assert stock.row("effects", effect["id"])["state"] == "succeeded"
    assert copy["state"] == "compensating"
    del stock.shelf.things["put-again"]
    assert (await seen(stock))["state"] == "gone"


async def test_what_we_win_is_proposed_as_an_update(stock):
    effect = await stock.effect()
    stock.lay(effect, "put-1", amount=7)
    await decided(stock, "choose", amount="inside")
    (update,) = stock.waiting()
    assert (update["operation"], update["payload"]) == ("change", {"ref": "put-1", "amount": 101})
    stock.lay(effect, "put-1")
    assert (await seen(stock))["state"] == "gone"


async def test_what_the_outside_wins_is_noted_and_accepted(stock):
    effect = await stock.effect()
    stock.lay(effect, "put-1", amount=7)
    assert (await decided(stock, "choose", amount="outside"))["state"] == "accepted"
    (note,) = stock.app.store.read_now(lambda conn: tasks.annotations_of(conn, effect["id"]))
    assert note["body"] == "Taken over from shelf: amount is 7 (sent: 101)"
    assert (await seen(stock))["state"] == "accepted"


@pytest.mark.parametrize("fields", [{}, {"amount": "both"}, {"amount": "inside", "colour": "inside"}])
async def test_each_field_that_differs_needs_a_winner(stock, fields):
    stock.lay(await stock.effect(), "put-1", amount=7)
    with pytest.raises(BadInput, match="amount"):
        await decided(stock, "choose", **fields)


async def test_hands_are_asked_marked_and_their_word_is_checked(stock):
    await stock.effect()
    away = stock.shelf.things.pop("put-1")
    made = await decided(stock, "by_hand")
    card = stock.row("tasks", made["card"])
    assert (card["type"], card["state"], card["waits_for"]) == ("manual", "open", "operator")
    assert "Put “bowl 1” there again at shelf" in card["detail"]["todo"]
    await stock.desk.decide_card(card["id"], "done", digest="", who="operator", via="test")
    assert (await seen(stock))["state"] == "open"  # it still shows
    again = await decided(stock, "by_hand")
    stock.shelf.things["put-1"] = away
    assert (await seen(stock))["state"] == "gone"
    assert stock.row("tasks", again["card"])["state"] == "withdrawn"


@pytest.mark.parametrize(("option", "state"), [("mine", "accepted"), ("record", "accepted"), ("investigate", "fixing")])
async def test_what_somebody_else_wrote_is_never_acted_on(stock, option, state):
    stock.lay(await stock.effect("resolved_not_done"), "put-x", key="", name="a stranger's", amount=1)
    assert (await decided(stock, option))["state"] == state
    assert (stock.waiting(), (await seen(stock))["state"]) == ([], state)


async def test_another_option_or_a_second_word_is_refused(stock):
    await stock.effect()
    stock.shelf.things.clear()
    with pytest.raises(BadInput, match="one of send_again, accept, by_hand"):
        await decided(stock, "take_back")
    await decided(stock, "by_hand")
    with pytest.raises(Conflict, match="mended already"):
        await decided(stock, "accept")


async def test_money_that_was_taken_twice_comes_back_by_a_proposal_of_its_own(stock):
    effect = await stock.effect(operation="charge", currency="EUR")
    stock.lay(effect, "charge-again")
    made = await decided(stock, "take_back")
    (counter,) = stock.waiting()
    assert (made["proposals"], counter["operation"]) == ([counter["id"]], "charge.undo")
    assert (await seen(stock))["state"] == "fixing"
    await stock.desk.approvals.decide(counter["id"], Decision("reject", counter["payload_hash"], "operator", "test"))
    assert (await seen(stock))["state"] == "open"
