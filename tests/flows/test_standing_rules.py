"""Saying it once: a rule is tried on the past, holds in the next draft, is shown there, and a repetition is counted."""

import pytest

from soloist.engine.store import conversations, proposals, standing
from soloist.flows.standing import StandingRules
from soloist.insight import explanation
from soloist.insight import standing as shown
from soloist.kernel.errors import BadInput, Conflict
from tests.flows.conftest import ASKS, mail


async def test_a_sentence_holds_in_the_next_draft_and_is_shown_on_it(house):
    house = await house()
    first = await house.proposed(mail())
    rules = StandingRules(house.app.desk)
    spoken = await rules.say('Sign mails to Emily Carter as "Mara L."', who="operator")
    assert spoken.row["tried"]["count"] == 1
    assert spoken.row["tried"]["changed"][0]["after"].rstrip().endswith("Mara L.")
    assert "Mara L." not in first["payload"]["body"]
    await rules.use(spoken.rule, who="operator")
    await house.say(first, "reject", reason="another way")
    second = await house.proposed(mail(ASKS + "One more thing.", ident="two@carter-bakery.example", subject="Again"))
    assert second["payload"]["body"].rstrip().endswith("Mara L.")
    assert any("Your rule 1" in note for note in second["evidence"]["notes"])
    told = house.app.store.read_now(lambda conn: shown.one(conn, "1"))
    assert [use["object"] for use in told.applied] == [second["id"]]
    why = house.app.store.read_now(lambda conn: explanation.page(conn, second["id"]))
    assert why.rules[0].label == "Your rule 1"
    assert house.app.verify_journal().faults == []


async def test_a_draft_with_a_word_that_is_never_written_says_so(house):
    house = await house()
    rules = StandingRules(house.app.desk)
    await rules.use((await rules.say('Never write "website"', who="operator")).rule, who="operator")
    found = await house.proposed(mail())
    assert any("never to write “website”" in question["text"] for question in found["questions"])


async def test_saying_it_again_is_counted_as_a_failure_and_makes_no_second_rule(house):
    house = await house()
    rules = StandingRules(house.app.desk)
    await rules.use((await rules.say('Never write "cheap".', who="operator")).rule, who="operator")
    again = await rules.say("Do not write 'Cheap' again", who="operator")
    assert (again.again, again.rule, again.row["repeats"]) == (True, "1", 1)
    assert house.app.store.read_now(shown.page).failures == 1


async def test_mending_by_hand_what_a_rule_should_have_done_is_counted(house):
    house = await house()
    found = await house.proposed(mail())
    rules = StandingRules(house.app.desk)
    await rules.use((await rules.say("Sign as 'Mara'", who="operator")).rule, who="operator")
    body = found["payload"]["body"].replace("Mara Linde", "Mara")
    edited = body[: body.rindex("Mara")] + "Mara\n"
    await house.say(found, "approve", edits={"body": edited})
    assert house.app.store.read_now(lambda conn: standing.get(conn, "1"))["repeats"] == 1


async def test_a_sender_that_is_put_aside_gets_no_draft(house):
    house = await house()
    rules = StandingRules(house.app.desk)
    said = "Never answer mails from emily@carter-bakery.example"
    await rules.use((await rules.say(said, who="operator")).rule, who="operator")
    await house.take_in(mail())
    message = house.rows("messages")[0]
    assert message["kind"] == "bulk"
    assert message["understanding"]["kind_rule"] == f"your rule 1: {said}"
    assert house.rows("proposals") == []
    assert house.app.store.read_now(lambda conn: standing.of_object(conn, message["id"]))[0]["rule"] == "1"
    assert house.app.store.read_now(lambda conn: conversations.newest_inbound(conn, 5))[0]["id"] == message["id"]


async def test_a_rule_of_policy_is_in_its_file_while_it_is_in_force(house):
    house = await house()
    rules = StandingRules(house.app.desk)
    spoken = await rules.say("Never write to emily@carter-bakery.example", who="operator")
    await rules.use(spoken.rule, who="operator")
    await house.take_in(mail())
    assert house.rows("proposals")[0]["state"] == "denied"
    assert "Your rule 1" in house.app.store.read_now(
        lambda conn: proposals.verdicts_of(conn, house.rows("proposals")[0]["id"])[0]["rule"]
    )
    await rules.end(spoken.rule, who="operator", why="she is back")
    assert "Your rule 1" not in house.app.judging.file_text()
    with pytest.raises(Conflict):
        await rules.end(spoken.rule, who="operator")


async def test_another_wording_is_another_version_and_the_old_one_holds_until_it_is_used(house):
    house = await house()
    rules = StandingRules(house.app.desk)
    await rules.use((await rules.say("Sign as 'Mara'", who="operator")).rule, who="operator")
    await rules.say("Sign as 'M. Linde'", who="operator", rule="1")
    states = [row["state"] for row in house.app.store.read_now(lambda conn: standing.versions(conn, "1"))]
    assert states == ["said", "live"]
    await rules.use("1", who="operator")
    states = [row["state"] for row in house.app.store.read_now(lambda conn: standing.versions(conn, "1"))]
    assert states == ["live", "replaced"]


async def test_somebody_unknown_is_asked_for(house):
    house = await house()
    with pytest.raises(BadInput, match="Nobody called “Zebulon”"):
        await StandingRules(house.app.desk).say("Answer Zebulon in German", who="operator")


async def test_whoever_writes_is_told_the_rules_about_the_client(house):
    house = await house()
    found = await house.proposed(mail())
    rules = StandingRules(house.app.desk)
    sentences = ("Be warm with Emily Carter", "Sign mails to Emily Carter as 'Mara L.'")
    for said in (*sentences, "Answer Emily Carter in German"):
        await rules.use((await rules.say(said, who="operator")).rule, who="operator")
    told = house.app.store.read_now(lambda conn: house.app.desk.standing.tell(conn, "writer", found["record"]))
    assert "Sign mails to Emily Carter as 'Mara L.'" in told
    assert "Answer Emily Carter in German" in told
    assert "Be warm with Emily Carter" in told  # a note without a form holds for everybody
    other = house.app.store.read_now(lambda conn: house.app.desk.standing.tell(conn, "writer", "somebody"))
    assert other == ["Be warm with Emily Carter"]
