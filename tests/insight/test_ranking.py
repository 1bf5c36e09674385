"""The order of the queue: total, pure, explained."""

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from soloist.insight import ranking

NOW = "2026-11-21T12:00:00.000000Z"
hours = st.integers(-48, 400).map(
    lambda h: f"2026-{11 if h < 216 else 12:02d}-{(21 + h // 24 - 1) % 30 + 1:02d}T00:00:00.000000Z"
)


def card(ident="a", **values):
    row = {"judgement": 0, "deadline": "", "value_minor": 0, "currency": "EUR", "estimate": 60, "snoozed_until": ""}
    return {"id": ident, "created": "2026-11-20T08:00:00.000000Z", **row, **values}


cards = st.lists(
    st.builds(
        card,
        st.uuids().map(str),
        type=st.sampled_from(["proposal", "unknown_outcome", "question"]),
        urgency=st.sampled_from(["", "urgent", "low"]),
        judgement=st.integers(0, 1),
        deadline=st.one_of(st.just(""), hours),
        value_minor=st.integers(0, 10**9),
        estimate=st.sampled_from([0, 20, 60, 900]),
        snoozed_until=st.sampled_from(["", "2026-11-20T00:00:00.000000Z", "2026-11-22T00:00:00.000000Z"]),
    ),
    max_size=20,
    unique_by=lambda c: c["id"],
)


def ids(found):
    return [c["id"] for c in found]


@given(cards, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_the_input(found, chance):
    mixed = found[:]
    chance.shuffle(mixed)
    assert ids(ranking.ranked(found, NOW)) == ids(ranking.ranked(mixed, NOW))


@given(cards)
def test_every_card_that_is_awake_has_one_place_alerts_first_then_judgement(found):
    order = ranking.ranked(found, NOW)
    assert sorted(ids(order)) == sorted(c["id"] for c in found if not ranking.asleep(c, NOW))
    places = [(ranking.urgency(c), -c["judgement"]) for c in order]
    assert places == sorted(places)


@given(cards, st.integers(0, 19))
def test_leaving_one_out_moves_no_other(found, which):
    order = ids(ranking.ranked(found, NOW))
    gone = order[which] if which < len(order) else ""
    rest = [c for c in found if c["id"] != gone]
    assert ids(ranking.ranked(rest, NOW)) == [i for i in order if i != gone]


@given(cards)
def test_every_card_can_say_why_it_is_where_it_is(found):
    for place, one in enumerate(ranking.ranked(found, NOW), 1):
        line = ranking.explain(one, place, NOW)
        assert line.endswith(".")
        assert "\n" not in line


def test_sooner_dearer_and_quicker_come_first():
    plain = card()
    for better in ({"deadline": "2026-11-21T15:00:00Z"}, {"value_minor": 400000}, {"estimate": 20}):
        assert ids(ranking.ranked([plain, card("b", **better)], NOW)) == ["b", "a"]


def test_the_older_of_two_alike_comes_first():
    older = card("z", created="2026-11-19T08:00:00.000000Z")
    assert ids(ranking.ranked([card(), older], NOW)) == ["z", "a"]


def test_the_place_is_explained_in_one_line():
    pressing = card(deadline="2026-11-21T15:00:00.000000Z", value_minor=400000)
    said = "First because it expires in 3 h and is worth about EUR 4,000."
    assert ranking.explain(pressing, 1, NOW) == said
    assert ranking.explain(card(), 4, NOW) == "Number 4 by age: nothing about it presses."
    late = card(judgement=1, deadline="2026-11-21T11:00:00.000000Z")
    assert ranking.explain(late, 2, NOW) == "Second because it needs your judgement and is past its time."


def test_a_thousand_cards_are_ordered_while_a_page_is_made():
    chance = random.Random(7)
    many = [card(str(n), value_minor=chance.randrange(10**7), deadline=NOW) for n in range(1000)]
    begun = time.process_time()
    ranking.ranked(many, NOW)
    assert time.process_time() - begun < 0.5  # ten times the figure that bench/console.py reports


def test_urgent_alerts_come_first_and_what_is_for_a_quiet_moment_last():
    quiet, usual, alert, doubt = (
        card("q", urgency="low", judgement=1),
        card("u", judgement=1),
        card("a", urgency="urgent"),
        card("d", type="unknown_outcome", deadline="2026-11-21T13:00:00.000000Z"),
    )
    assert ids(ranking.ranked([quiet, usual, alert, doubt], NOW)) == ["d", "a", "u", "q"]
    assert ranking.explain(alert, 2, NOW) == "Second because it is urgent."
