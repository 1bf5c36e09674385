"""What a home remembers of real life: mails in and out, facts, contradictions, notes, decisions, results."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import facts as rows
from soloist.engine.store import records
from soloist.engine.store import settings as switches
from soloist.flows import noting, remembering
from soloist.flows.remembering import Remembering
from soloist.insight import explanation, remembered
from soloist.kernel.fact import NewFact
from soloist.stages.memory import facts
from tests.flows.conftest import ASKS, House, Open, mail

REF = "<one@carter-bakery.example>"


async def caught_up(home: House) -> Remembering:
    follower = Remembering(home.desk)
    await follower.catch_up()
    return follower


def person(home: House) -> dict[str, Any]:
    (found,) = home.rows("records", kind="person")
    return found


def live(home: House, **wanted: Any) -> list[dict[str, Any]]:
    return home.rows("memories", ended="", **wanted)


async def test_a_mail_becomes_an_item_and_facts_with_their_words(house: Open):
    home = await house()
    await home.proposed()
    await caught_up(home)
    (item,) = live(home, kind="message")
    assert "new website with about six pages" in item["text"]
    assert (item["tier"], item["trust"], item["record"]) == ("session", "unverified", person(home)["id"])
    assert item["origin"] == ["outside:emily@carter-bakery.example"]
    (budget,) = home.rows("facts", attribute="budget")
    assert "3,000 to 4,000 EUR" in budget["quote"]
    assert budget["quote"] in ASKS
    assert (budget["trust"], budget["confidence"]) == ("unverified", "stated")


async def test_remembering_again_writes_nothing_new(house: Open):
    home = await house()
    await home.proposed()
    await caught_up(home)
    before = (len(home.rows("memories")), len(home.rows("facts")))
    home.app.store.write_now(lambda tx: switches.put(tx, remembering.MARK, ""))
    await caught_up(home)
    assert (len(home.rows("memories")), len(home.rows("facts"))) == before


async def test_a_newer_budget_of_the_same_voice_supersedes_and_the_old_is_past(house: Open):
    home = await house()
    await home.proposed()
    await home.take_in(mail("Our budget is 6,000 EUR now.\n\nEmily", ident="two", answers=REF))
    await caught_up(home)
    about = home.app.store.read_now(lambda conn: remembered.about(conn, person(home)["id"]))
    values = {line.attribute: line.value for line in about.current}
    assert values["Budget"] == "EUR 6,000"
    assert any("3,000" in line.value for line in about.past)
    (fact,) = [item for item in live(home, kind="fact") if "budget" in item["tags"]]
    assert "6,000" in fact["text"]


async def test_a_stranger_who_contradicts_your_word_makes_one_question(house: Open):
    home = await house()
    await home.proposed()
    ident = person(home)["id"]
    mine = NewFact(ident, "budget", "10,000 EUR", trust="confirmed", actor="operator", origin=("operator",))
    home.app.store.write_now(lambda tx: facts.state(tx, mine))
    follower = await caught_up(home)
    card = home.card(subject_kind="fact")
    assert card
    assert "10,000 EUR" in card["why"]
    await home.choose(card, "take")
    await follower.catch_up()
    about = home.app.store.read_now(lambda conn: remembered.about(conn, ident))
    assert [line.value for line in about.current if line.attribute == "Budget"] == ["EUR 3,000 to EUR 4,000"]
    assert about.disputed == ()
    assert "10,000 EUR" in [line.value for line in about.past]


async def test_what_the_operator_writes_is_confirmed_and_found_with_the_record(house: Open):
    home = await house()
    await home.proposed()
    ident = person(home)["id"]
    await noting.add(home.app.store, ident, "Prefers calls before ten.", who="operator")
    await caught_up(home)
    (note,) = live(home, kind="note")
    assert (note["record"], note["trust"], note["actor"]) == (ident, "confirmed", "you")


async def test_a_reason_is_kept_a_plain_yes_is_not(house: Open):
    home = await house()
    await home.say(await home.proposed(), "reject", reason="We do no bakeries in summer.")
    await caught_up(home)
    (said,) = live(home, kind="decision")
    assert "no bakeries in summer" in said["text"]
    assert said["record"] == person(home)["id"]


async def test_an_answer_is_a_result_of_the_mail_it_answers(house: Open):
    home = await house()
    proposal = await home.proposed()
    await home.say(proposal, "approve")
    (sent,) = await home.has_sent()
    await home.take_in(mail("Thank you, that fits.", ident="three", answers=sent["Message-ID"]))
    await caught_up(home)
    (result,) = home.rows("outcomes", metric="answered")
    assert (result["object"], result["unit"]) == (proposal["id"], "hours")
    assert live(home, kind="outcome")[0]["detail"]["object"] == proposal["id"]
    assert {item["source"] for item in live(home, kind="message")} == {"mail:in", "mail:out"}


async def test_a_field_that_you_write_is_a_confirmed_fact(house: Open):
    home = await house()
    await home.proposed()
    row = person(home)
    body = {**row["body"], "role": "Head baker"}
    await home.desk.records.put("person", row["id"], row["version"], body, actor="operator")
    await caught_up(home)
    found = home.app.store.read_now(lambda conn: rows.live(conn, row["id"], "role"))
    assert [(f["value"], f["trust"]) for f in found] == [("Head baker", "confirmed")]
    assert [item["tier"] for item in live(home, kind="fact") if "Head baker" in item["text"]] == ["canonical"]


async def test_spam_is_not_remembered(house: Open):
    home = await house()
    await home.take_in(mail("Cheap SEO, unsubscribe here", sender="x@bulk.example", List_Unsubscribe="<mailto:u@x>"))
    await caught_up(home)
    assert live(home) == []


@pytest.mark.parametrize("option", ["keep"])
async def test_keeping_what_is_known_ends_the_other(house: Open, option: str):
    home = await house()
    await home.proposed()
    ident = person(home)["id"]
    mine = NewFact(ident, "budget", "10,000 EUR", trust="confirmed", actor="operator")
    home.app.store.write_now(lambda tx: facts.state(tx, mine))
    await caught_up(home)
    await home.choose(home.card(subject_kind="fact") or {}, option)
    (held,) = home.app.store.read_now(lambda conn: rows.live(conn, ident, "budget"))
    assert held["value"] == "10,000 EUR"
    assert home.app.store.read_now(lambda conn: records.get(conn, ident))["version"] == person(home)["version"]


async def test_the_next_draft_is_given_what_is_known_and_says_so(house: Open):
    home = await house()
    await home.proposed()
    await caught_up(home)
    await home.take_in(mail("And how long would the logo take?", subject="A logo", ident="two"))
    context = home.rows("contexts")[-1]
    assert context["retrieval"] in {row["id"] for row in home.rows("retrievals")}
    slices = home.rows("context_memories", context=context["id"])
    assert {piece["part"] for piece in slices} >= {"fact", "span"}
    packed = context["packed"]
    assert 0 < packed["tokens"] <= packed["budget"]
    proposal = home.rows("proposals")[-1]
    assert any("Budget: EUR 3,000" in line["text"] for line in proposal["evidence"]["known"])
    page = home.app.store.read_now(lambda conn: explanation.page(conn, proposal["id"]))
    assert {line.label for line in page.knew} >= {"Known", "Said earlier", "Chosen"}
