"""The operator's hand on memory: what is confirmed, corrected, forgotten or pinned, and that nothing is overwritten."""

from __future__ import annotations

import pytest

from soloist.engine.store import facts as fact_rows
from soloist.engine.store import memories, records
from soloist.flows import by_hand
from soloist.flows.by_hand import Hand
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.fact import NewFact
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import facts

WHO = "operator"


@pytest.fixture
async def ada(app):
    return await app.store.write(lambda tx: records.create(tx, "person", "Ada Okafor", {}, why="test"))


@pytest.fixture
async def item(app):
    new = NewMemory("Calls before noon.", origin=["outside:ada@okafor-ceramics.example"], ref="message:1")
    return (await app.store.write(lambda tx: memories.add(tx, [new], actor="soloist")))[0]


async def told(app, ada, value, attribute="budget", **more):
    new = NewFact(ada, attribute, value, actor="ada", source="mail", **more)
    return (await app.store.write(lambda tx: facts.state(tx, new))).id


def get(app, ident):
    return app.store.read_now(lambda conn: memories.get(conn, ident))


def live(app, ada):
    return [(r["value"], r["trust"], r["state"]) for r in app.store.read_now(lambda c: fact_rows.live(c, ada))]


async def test_what_is_confirmed_becomes_canonical_and_names_what_it_was(app, item):
    made = await Hand(app.desk).confirm(item, who=WHO)
    new, old = get(app, made), get(app, item)
    assert (new["tier"], new["trust"], new["text"], new["ref"]) == ("canonical", "confirmed", old["text"], "message:1")
    assert new["origin"] == ["outside:ada@okafor-ceramics.example", "operator"]
    assert (old["superseded_by"], old["ended_why"], old["trust"]) == (made, "promoted", "unverified")
    assert await Hand(app.desk).confirm(made, who=WHO) == made


async def test_a_correction_takes_the_place_of_what_was_said(app, item):
    made = await Hand(app.desk).correct(item, " Calls after noon. ", who=WHO)
    assert (get(app, made)["text"], get(app, item)["text"]) == ("Calls after noon.", "Calls before noon.")
    with pytest.raises(Conflict, match="over already"):
        await Hand(app.desk).correct(item, "again", who=WHO)
    for text in ("", "  ", "Calls after noon."):
        with pytest.raises(BadInput):
            await Hand(app.desk).correct(made, text, who=WHO)


async def test_what_is_forgotten_has_a_reason(app, item):
    for why in ("", " ", "x" * 201):
        with pytest.raises(BadInput, match="nothing was changed"):
            await Hand(app.desk).forget(item, why, who=WHO)
    await Hand(app.desk).forget(item, "not true", who=WHO)
    assert get(app, item)["ended_why"] == "not true"


async def test_a_pin_is_set_and_taken_off(app, item):
    for on in (True, True, False):
        await Hand(app.desk).pin(item, on, who=WHO)
        assert bool(get(app, item)["pinned"]) is on
    await Hand(app.desk).forget(item, "over", who=WHO)
    with pytest.raises(Conflict):
        await Hand(app.desk).pin(item, True, who=WHO)


async def test_a_fact_is_corrected_for_all_its_time_or_from_now_on(app, ada):
    ident = await told(app, ada, {"minor": 400000, "currency": "EUR"}, valid_from="2026-01-01")
    await Hand(app.desk).correct_fact(ident, "4,500", changed=False, who=WHO)
    assert live(app, ada) == [({"minor": 450000, "currency": "EUR"}, "confirmed", "held")]
    (row,) = app.store.read_now(lambda c: fact_rows.live(c, ada))
    await Hand(app.desk).correct_fact(row["id"], "USD 5000.50", changed=True, who=WHO)
    rows = sorted(app.store.read_now(lambda c: fact_rows.live(c, ada)), key=lambda row: row["valid_from"])
    assert [(row["value"]["minor"], row["value"]["currency"]) for row in rows] == [(450000, "EUR"), (500050, "USD")]
    assert rows[0]["valid_to"] == rows[1]["valid_from"]


async def test_one_of_several_preferences_is_corrected_alone(app, ada):
    first = await told(app, ada, "calls", "preference")
    await told(app, ada, "blue", "preference")
    await Hand(app.desk).correct_fact(first, "mails", changed=False, who=WHO)
    assert sorted(value for value, _, _ in live(app, ada)) == ["blue", "mails"]


async def test_a_disputed_fact_is_settled_and_its_item_follows(app, ada):
    await told(app, ada, "March", "deadline", trust="rule")
    other = await told(app, ada, "May", "deadline")
    assert [state for _, _, state in live(app, ada)] == ["held", "disputed"]
    items = app.store.read_now(lambda c: memories.of_ref(c, f"fact:{other}"))
    await Hand(app.desk).confirm(items[0]["id"], who=WHO)
    assert live(app, ada) == [("May", "confirmed", "held")]


async def test_a_fact_is_written_by_hand(app, ada):
    await Hand(app.desk).state_fact(ada, " payment  terms ", "14 days", since="2026-01-01", who=WHO)
    (row,) = app.store.read_now(lambda c: fact_rows.live(c, ada))
    assert (row["attribute"], row["value"], row["trust"], row["origin"]) == (
        "payment terms", "14 days", "confirmed", ["operator"],
    )  # fmt: skip
    for attribute, value, since in (("", "x", ""), ("a", " ", ""), ("a", "x", "soon")):
        with pytest.raises(BadInput):
            await Hand(app.desk).state_fact(ada, attribute, value, since=since, who=WHO)


@pytest.mark.parametrize(
    ("text", "minor"), [("1.200,50 EUR", 120050), ("EUR 1,200", 120000), ("99", 9900), ("1 200", 120000)]
)
def test_amounts_are_read_as_they_are_written(text, minor):
    assert by_hand.typed(text, {"minor": 1, "currency": "EUR"}) == {"minor": minor, "currency": "EUR"}


@pytest.mark.parametrize(("text", "former"), [("much", {"minor": 1, "currency": "EUR"}), ("x", 3), ("", "a")])
def test_a_value_of_another_form_is_refused(text, former):
    with pytest.raises(BadInput):
        by_hand.typed(text, former)
