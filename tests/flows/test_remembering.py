"""What a home remembers of real life: mails in and out, facts, contradictions, notes, decisions, results."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import facts as rows
from soloist.engine.store import memories
from soloist.flows import noting
from soloist.flows.remembering import Remembering, remember
from soloist.insight import explanation, knew, remembered
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory
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


async def test_a_mail_becomes_an_item_and_facts_and_the_next_draft_is_given_them(house: Open):
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
    await home.take_in(mail("We also need a new website for our café. How long?", subject="A café", ident="two"))
    context = home.rows("contexts")[-1]
    assert context["retrieval"] in {row["id"] for row in home.rows("retrievals")}
    slices = home.rows("context_memories", context=context["id"])
    assert {piece["part"] for piece in slices} >= {"fact", "span"}
    assert 0 < context["packed"]["tokens"] <= context["packed"]["budget"]
    proposal = home.rows("proposals")[-1]
    assert any("Budget: EUR 3,000" in line["text"] for line in proposal["evidence"]["known"])
    answers = {one["criterion"]: one for one in proposal["evidence"]["answers"]}
    assert answers["minimum_budget"]["words"][0]["text"] in ASKS
    assert any("names no budget" in note for note in proposal["evidence"]["notes"])
    page = home.app.store.read_now(lambda conn: explanation.page(conn, proposal["id"]))
    assert {line.label for line in page.knew} >= {"Known", "Said earlier", "Chosen"}


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


async def test_notes_fields_reasons_and_answers_are_remembered(house: Open):
    home = await house()
    proposal = await home.proposed()
    row = person(home)
    await noting.add(home.app.store, row["id"], "Prefers calls before ten.", who="operator")
    await home.desk.records.put(
        "person", row["id"], row["version"], {**row["body"], "role": "Head baker"}, actor="operator"
    )
    await home.say(proposal, "approve", reason="She was recommended by Ada.")
    (sent,) = await home.has_sent()
    await home.take_in(mail("Our budget is 6,000 EUR now. Thanks!", ident="three", answers=sent["Message-ID"]))
    await caught_up(home)
    (note,) = live(home, kind="note")
    assert (note["record"], note["trust"], note["actor"]) == (row["id"], "confirmed", "you")
    (role,) = home.app.store.read_now(lambda conn: rows.live(conn, row["id"], "role"))
    assert (role["value"], role["trust"]) == ("Head baker", "confirmed")
    assert [item["tier"] for item in live(home, kind="fact") if "Head baker" in item["text"]] == ["canonical"]
    (said,) = live(home, kind="decision")
    assert "recommended by Ada" in said["text"]
    (result,) = home.rows("outcomes", metric="answered")
    assert (result["object"], result["unit"]) == (proposal["id"], "hours")
    assert live(home, kind="outcome")[0]["detail"]["object"] == proposal["id"]
    assert {item["source"] for item in live(home, kind="message")} == {"mail:in", "mail:out"}
    about = home.app.store.read_now(lambda conn: remembered.about(conn, row["id"]))
    assert [line.value for line in about.current if line.attribute == "Budget"] == ["EUR 6,000"]
    assert any("3,000" in line.value for line in about.past)


async def test_your_word_is_kept_although_a_program_said_the_same_before(house: Open):
    home = await house()
    said = [NewMemory("She pays late.", trust="unverified", origin=["outside:token:x"])]
    mine = NewMemory("She pays late.", trust="confirmed", origin=["operator"])
    keep = lambda items: home.app.store.write_now(lambda tx: remember(tx, items, actor="operator"))  # noqa: E731
    (first,), (second,), (again,) = keep(said), keep([mine]), keep([mine])
    assert first != second == again


async def test_the_page_of_what_it_knew_tells_what_is_the_same_and_what_is_not(house: Open):
    home = await house()
    await home.proposed()
    await caught_up(home)
    await home.take_in(mail("We also need a new website for our café. How long?", subject="A café", ident="two"))
    proposal = home.rows("proposals")[-1]
    (given,) = home.app.store.read_now(lambda conn: knew.page(conn, proposal["id"])).given
    assert {one.state for one in given.memories} == {"same"}
    assert "new website with about six pages" in given.memories[0].text
    assert {one.state for one in given.facts} == {"same"}
    gone = given.memories[0].id
    home.app.store.write_now(lambda tx: memories.end(tx, [gone], why="forgotten", actor="operator"))
    (given,) = home.app.store.read_now(lambda conn: knew.page(conn, proposal["id"])).given
    assert {one.id: one.state for one in given.memories}[gone] == "ended"
