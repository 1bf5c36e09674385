"""Three-way merge: what a person changed survives, what only one side changed is taken, conflicts lose nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from soloist.stages.records.threeway import choose, listed, merge, units

BASE = "Dear Ada, thank you for your note. The shop costs 4,000 EUR. We could begin in March.\n\nMara\n"
WORDS = st.lists(st.sampled_from(["One. ", "Two. ", "Three.\n", "\n", "Four! ", "Five.  ", "six"]), max_size=12)
TEXT = WORDS.map("".join) | st.text(st.sampled_from("ab.! \n"), max_size=60)


def test_both_changes_are_kept() -> None:
    mine = BASE.replace("Dear Ada", "Hello Ada")
    new = BASE.replace("in March", "in April")
    merged = merge(BASE, mine, new)
    assert merged.text == BASE.replace("Dear Ada", "Hello Ada").replace("in March", "in April")
    assert merged.conflicts == ()


def test_the_same_sentence_twice_is_a_conflict_that_shows_mine() -> None:
    mine, new = BASE.replace("4,000", "4,500"), BASE.replace("4,000", "3,900")
    merged = merge(BASE, mine, new)
    assert merged.text == mine
    (passage,) = merged.conflicts
    assert (passage.yours, passage.new) == ("The shop costs 4,500 EUR. ", "The shop costs 3,900 EUR. ")
    assert choose(merged.text, listed(merged)[0], "new") == new
    assert choose(merged.text, listed(merged)[0], "yours") == mine
    assert "4,500 EUR. The shop costs 3,900 EUR. " in str(choose(merged.text, listed(merged)[0], "both"))


def test_a_passage_that_was_edited_since_is_not_replaced() -> None:
    merged = merge("A b. C.", "A x. C.", "A y. C.")
    assert choose("Something else.", listed(merged)[0], "new") is None


@given(TEXT)
def test_units_are_the_text(text: str) -> None:
    assert "".join(units(text)) == text


@given(TEXT, TEXT)
def test_one_side_alone_is_taken_as_it_is(base: str, other: str) -> None:
    assert merge(base, other, base).text == other
    assert merge(base, base, other).text == other
    assert merge(base, other, other).text == other


@given(TEXT, TEXT, TEXT)
def test_no_sentence_of_a_person_is_lost(base: str, mine: str, new: str) -> None:
    merged = merge(base, mine, new)
    own = {unit.strip() for unit in units(mine)} - {unit.strip() for unit in units(base)}
    assert [one for one in own if one not in merged.text] == []
    for passage in merged.conflicts:
        assert merged.text[passage.at : passage.at + len(passage.yours)] == passage.yours


@given(TEXT, TEXT, TEXT)
def test_every_new_sentence_is_in_the_text_or_in_a_conflict(base: str, mine: str, new: str) -> None:
    merged = merge(base, mine, new)
    there = [merged.text, *(passage.new for passage in merged.conflicts)]
    came = {unit.strip() for unit in units(new)} - {unit.strip() for unit in units(base)}
    assert [one for one in came if not any(one in part for part in there)] == []
