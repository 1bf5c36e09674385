"""The life of one reply: proposed, decided, held, taken back, sent, followed up."""

from soloist.engine.store import records
from soloist.stages.records import merging
from tests.flows.conftest import Open, mail

EDITED = "Hello Emily,\n\nyes, gladly.\n\nMara"


async def test_an_enquiry_becomes_a_card_with_reasons(house: Open):
    home = await house()
    proposal = await home.proposed()
    card = home.card(type="proposal")
    assert card
    assert card["title"] == "Reply to Emily Carter: New website for our bakery"
    assert {answer["criterion"] for answer in proposal["evidence"]["answers"]} >= {"services", "minimum_budget"}
    assert "about six weeks" in proposal["payload"]["body"]
    assert proposal["payload"]["to"] == ["emily@carter-bakery.example"]
    assert home.sent() == []


async def test_an_approved_edit_leaves_once_on_its_thread(house: Open):
    home = await house()
    await home.say(await home.proposed(), "approve", edits={"body": EDITED})
    (left,) = await home.has_sent()
    assert left["In-Reply-To"] == "<one@carter-bakery.example>"
    assert left.get_content().replace("\r\n", "\n").strip() == EDITED
    assert home.card() is None


async def test_a_reply_to_an_enquiry_that_was_merged_is_noted_on_the_kept_one(house: Open):
    home = await house()
    proposal = await home.proposed()
    (lead,) = home.rows("records", kind="lead")
    kept = home.app.store.write_now(lambda tx: records.create(tx, "lead", "The same", {}, why="by hand"))
    home.app.store.write_now(lambda tx: merging.merge(tx, kept, lead["id"], {}, who="operator"))
    await home.say(proposal, "approve")
    await home.has_sent()
    states = {row["id"]: row["state"] for row in home.rows("records", kind="lead")}
    assert states == {lead["id"]: lead["state"], kept: "answered"}


async def test_a_rejected_reply_keeps_its_reason_and_sends_nothing(house: Open):
    home = await house()
    proposal = await home.proposed()
    await home.say(proposal, "reject", reason="too small for us")
    await home.until(lambda: home.rows("runs", flow="proposal", state="done"))
    assert home.rows("approvals", proposal=proposal["id"])[0]["reason"] == "too small for us"
    assert (home.card(), home.rows("effects"), home.sent()) == (None, [], [])


async def test_a_deferred_card_sleeps_and_can_still_be_approved(house: Open):
    home = await house()
    proposal = await home.proposed()
    assert (await home.say(proposal, "defer"))["state"] == "waiting"
    assert home.rows("tasks")[0]["snoozed_until"] > home.rows("tasks")[0]["created"]
    await home.say(proposal, "approve")
    await home.has_sent()


async def test_an_expired_reply_is_told_and_comes_back_when_asked(house: Open):
    home = await house(reply_within="1s")
    first = await home.proposed()
    told = await home.until(lambda: home.card(type="question"))
    assert told["title"] == "Not answered: Reply to Emily Carter: New website for our bakery"
    assert [row["state"] for row in home.rows("proposals")] == ["expired"]
    await home.choose(told, "again")
    again = home.waiting()
    assert (again["payload_hash"], again["id"] != first["id"], home.sent()) == (first["payload_hash"], True, [])
    await home.say(again, "approve")
    await home.has_sent()


async def test_taken_back_while_held_it_waits_again_and_leaves_once(house: Open):
    home = await house(hold="60s")
    proposal = await home.proposed()
    await home.say(proposal, "approve")
    (effect,) = await home.until(lambda: home.rows("effects"))
    again = (await home.desk.undo(effect["id"], who="operator"))["again"]
    await home.until(lambda: home.rows("runs", flow="effect", state="done"))
    assert (home.waiting()["id"], home.card(type="proposal")["subject"], home.sent()) == (again, again, [])
    assert home.rows("effects")[0]["state"] == "resolved_not_done"
    await home.say(home.waiting(), "approve")
    assert len(await home.until(lambda: home.rows("effects", state="intended"))) == 1


async def test_taken_back_before_its_effect_is_made_it_waits_again(house: Open):
    home = await house(hold="60s")
    proposal = await home.proposed()
    await home.say(proposal, "approve")
    await home.desk.undo_proposal(proposal["id"], who="operator")
    assert home.waiting()["payload_hash"] == proposal["payload_hash"]
    assert home.sent() == []


async def test_a_newer_message_on_the_thread_stops_what_is_held(house: Open):
    home = await house(hold="2s")
    await home.say(await home.proposed(), "approve")
    await home.take_in(mail("Our budget is 9,000 EUR now.\n", ident="two", answers="one@carter-bakery.example"))
    await home.until(lambda: home.rows("effects", state="resolved_not_done"))
    await home.until(lambda: home.rows("proposals", state="superseded"))
    assert home.sent() == []
    assert home.card(type="proposal")["subject"] == home.waiting()["id"]


async def test_what_came_back_leaves_when_it_is_approved_again(house: Open):
    home = await house(hold="1s")
    await home.say(await home.proposed(), "approve")
    await home.take_in(mail("One more thing.\n", ident="two", answers="one@carter-bakery.example"))
    await home.until(lambda: home.rows("proposals", state="superseded"))
    await home.until(lambda: home.rows("proposals", state="waiting"))
    await home.say(home.waiting(), "approve")
    await home.has_sent()


async def test_a_newer_message_replaces_the_waiting_reply(house: Open):
    home = await house()
    first = await home.proposed()
    more = "Could you design a new logo as well? Our budget for both is 9,000 EUR.\n"
    await home.take_in(mail(more, ident="two", answers="one@carter-bakery.example"))
    assert home.rows("proposals", id=first["id"])[0]["state"] == "withdrawn"
    assert home.card(type="proposal")["subject"] == home.waiting()["id"] != first["id"]


async def test_the_stop_button_holds_and_release_sends(house: Open):
    home = await house()
    proposal = await home.proposed()
    await home.desk.effects.stop(True, who="operator")
    await home.say(proposal, "approve")
    await home.until(lambda: home.rows("effects"))
    await home.until(lambda: any(row["flow"] == "effect" for row in home.rows("runs", state="running")))
    assert home.sent() == []
    await home.desk.effects.stop(False, who="operator")
    await home.has_sent()


async def test_a_silent_thread_gets_a_reminder_once(house: Open):
    home = await house(follow_up_after="1s")
    await home.say(await home.proposed(), "approve")
    (first,) = await home.has_sent()
    reminder = await home.until(lambda: home.rows("proposals", state="waiting"))
    assert reminder[0]["payload"]["in_reply_to"] == first["Message-ID"].strip("<>")
    await home.say(reminder[0], "approve")
    await home.has_sent(2)
    assert len(home.rows("runs", flow="followup")) == 1


async def test_an_answer_ends_the_waiting_for_one(house: Open):
    home = await house(follow_up_after="2s")
    await home.say(await home.proposed(), "approve")
    (first,) = await home.has_sent()
    await home.take_in(mail("Thank you, that is fine.\n", ident="two", answers=first["Message-ID"]))
    await home.until(lambda: home.rows("runs", flow="followup", state="done"))
    assert not any((row["evidence"] or {}).get("follow_up") for row in home.rows("proposals"))


async def test_an_out_of_office_answer_does_not_end_it(house: Open):
    home = await house(follow_up_after="2s")
    await home.say(await home.proposed(), "approve")
    (first,) = await home.has_sent()
    away = mail("I am out of the office.\n", ident="two", answers=first["Message-ID"], Auto_Submitted="auto-replied")
    await home.take_in(away)
    await home.until(lambda: home.rows("runs", flow="followup", state="done"))
    assert home.waiting()["evidence"]["follow_up"]
