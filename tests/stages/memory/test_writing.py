"""What becomes of texts in memory: documents in parts that are the whole, verbatim summaries, facts of records."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soloist.kernel.memory import NewMemory
from soloist.kernel.message import Budget, Contact, DateMention, Money, Span, Understanding
from soloist.stages.memory import facts, summing, writing

BASE = NewMemory("", asset="a" * 64, record="r1", origin=("outside:ada@okafor-ceramics.example",))


@given(st.text(alphabet="ab .\n!?Ä", max_size=9000))
def test_the_chunks_of_a_text_are_the_whole_of_it(text: str):
    cuts = list(writing.chunks(text))
    rest = text
    for start, end in cuts:
        assert end - start <= writing.CHUNK
        rest = rest.replace(text[start:end], "", 1)
    assert not rest.strip() or not cuts
    assert all(one[1] <= other[0] for one, other in zip(cuts, cuts[1:], strict=False))


def test_a_document_is_a_pointer_and_its_parts_and_stays_tainted():
    text = "The contract runs until March. It costs 400 EUR a month. " * 60
    pointer, *parts = writing.of_document(BASE, "contract.txt", text, size=len(text), mime="text/plain")
    assert "".join(part.text for part in parts) == text
    assert {part.thread for part in parts} == {pointer.ref}
    assert all(text[part.span[0] : part.span[1]] == part.text for part in parts)
    assert all(writing.tainted(item.origin) and item.trust == "unverified" for item in (pointer, *parts))


@given(st.lists(st.text(max_size=800), max_size=6))
def test_a_summary_is_verbatim_whatever_it_is_made_of(texts: list[str]):
    sources = [summing.Source(str(n), text) for n, text in enumerate(texts)]
    for piece in summing.chosen(sources) if sources else []:
        assert texts[int(piece.ref)][piece.start : piece.end] == piece.text


def test_of_a_very_long_text_beginning_and_end_are_read_and_it_is_quick():
    text = "First of all the price is 400 EUR. " + "Filler words go on and on here. " * 200_000 + "The end is on 4 May."
    found = summing.chosen([summing.Source("x", text)], 6)
    assert any("400 EUR" in piece.text for piece in found)
    assert any("4 May" in piece.text for piece in found)


MINUTES = {"subject": "Shop", "client": "ada", "minutes": "She wants oak shelves.", "agreed": ["Two drafts by May"]}


def met(**owners: str) -> dict[str, Any]:
    return {"id": "m", "title": "Shop", "updated": "2026-03-01", "body": MINUTES, "owners": owners, "kind": "meeting"}


def test_the_minutes_of_a_meeting_are_remembered_of_the_client():
    (item,) = writing.of_meeting(met(minutes="operator", agreed="operator"))
    assert item.text == "Shop\nShe wants oak shelves.\nAgreed: Two drafts by May"
    assert (item.record, item.trust, item.origin) == ("ada", "confirmed", ("operator",))


@pytest.mark.parametrize(("by", "trust"), [("system", "rule"), ("outside", "unverified")])
def test_minutes_of_somebody_else_are_not_the_operators_word(by: str, trust: str):
    (item,) = writing.of_meeting(met(minutes=by, agreed="operator"))
    assert item.trust == trust
    assert writing.tainted(item.origin) == (by == "outside")


@pytest.mark.parametrize(
    ("who", "trust", "words"), [("operator", "confirmed", "You"), ("Jonas", "unverified", "Jonas")]
)
def test_a_decision_is_the_word_of_who_made_it(who: str, trust: str, words: str):
    proposal = {"id": "p", "operation": "mail.send", "conversation": "", "record": "", "agent": ""}
    said = {"id": "a", "decision": "reject", "reason": "too early", "edits": None, "who": who}
    item = writing.of_decision(proposal, said, "Reply to Ada", "2026-03-01")
    assert item is not None
    assert (item.trust, item.text) == (
        trust,
        f"{'You' if who == 'operator' else who} rejected 'Reply to Ada': too early",
    )
    assert writing.tainted(item.origin) == (trust == "unverified")


def read(**more: Any) -> dict[str, Any]:
    text = "Our budget is 3,000 EUR and we start on 4 May."
    span = Span(text="3,000 EUR", start=14, end=23)
    money = Money(minor=300_000, currency="EUR")
    dates = [DateMention(day="2026-05-04", precision="day", span=Span(text="4 May", start=40, end=45))]
    given: dict[str, Any] = {"own_text": text, "kind": "enquiry", "kind_rule": "t", "contact": Contact(name="Ada")}
    meaning = Understanding(**given, budgets=[Budget(low=money, high=money, span=span)], dates=dates)
    row = {"id": "m1", "direction": "in", "kind": "enquiry", "sender": "ada@x.example", "at": "2026-03-01T09:00:00Z"}
    return {**row, "understanding": meaning.model_dump(), **more}


def test_a_message_states_name_budget_and_dates_with_the_words_they_rest_on():
    found = {fact.attribute: fact for fact in facts.of_message(read(at="2026-03-01T09:00:00.000000Z"), "r1")}
    assert set(found) == {"name", "budget", "named date"}
    assert found["budget"].quote == "Our budget is 3,000 EUR and we start on 4 May."
    assert found["named date"].expires.startswith("2026-05-05")
    assert all(fact.trust == "unverified" and writing.tainted(fact.origin) for fact in found.values())


@pytest.mark.parametrize("more", [{"direction": "out"}, {"kind": "bulk"}, {"understanding": None}])
def test_what_states_nothing(more: dict[str, Any]):
    assert list(facts.of_message(read(**more), "r1")) == []


def test_of_a_record_only_what_a_person_or_a_rule_owns_is_stated():
    body = {"role": "Potter", "name": "Ada", "phones": ["+4940222"], "note": "x", "company": "c"}
    changed = facts.Changed(
        record="r1",
        kind="person",
        version=2,
        actor="soloist",
        at="2026-03-01",
        before={"phones": ["+4940111"]},
        after=body,
        owners={"role": {"owner": "operator"}, "phones": {"owner": "operator"}, "note": {"owner": "outside"}},
    )
    stated, gone = facts.of_record(changed)
    assert [(fact.attribute, fact.value, fact.trust) for fact in stated] == [
        ("phone", "+4940222", "confirmed"),
        ("role", "Potter", "confirmed"),
    ]
    assert gone == [("phone", "+4940111")]
