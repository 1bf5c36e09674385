"""Merging two records is a row and a pointer: found together, read as one, taken back to the byte."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import matching, merges, records
from soloist.engine.store.store import Store
from soloist.kernel.errors import BadInput, Conflict
from soloist.stages.records import merging


def person(store: Store, name: str, **body: Any) -> str:
    made = {"name": name, **body}
    return store.write_now(lambda tx: records.create(tx, "person", name, made, why="test"))


def merge(store: Store, kept: str, other: str, **choices: str) -> dict[str, Any]:
    return store.write_now(lambda tx: merging.merge(tx, kept, other, choices, who="operator"))


def whole(store: Store, ident: str) -> tuple[Any, ...]:
    """Row and history of a record."""
    return store.read_now(lambda c: (records.get(c, ident), records.history(c, ident)))


@pytest.fixture
def pair(store: Store) -> tuple[str, str]:
    one = person(store, "Ada Okafor", emails=["ada@okafor-ceramics.example"], phones=["+49401234567"])
    return one, person(store, "Ada Okafor", emails=["ada.okafor@gmail.com"], phones=["+49401234567"])


def test_a_merge_is_one_family_and_unmerging_gives_both_back_exactly(store: Store, pair: tuple[str, str]) -> None:
    one, two = pair
    before = whole(store, one), whole(store, two)
    row = merge(store, one, two)
    assert store.read_now(lambda c: merges.family(c, two)) == [one, two]
    assert store.read_now(lambda c: merges.root(c, two)) == one
    store.write_now(lambda tx: merging.unmerge(tx, row["id"], who="operator"))
    assert (whole(store, one), whole(store, two)) == before
    assert store.read_now(lambda c: merges.family(c, two)) == [two]


def test_the_kept_record_reads_as_both(store: Store, pair: tuple[str, str]) -> None:
    one, two = pair
    merge(store, one, two, name="other")
    seen = store.read_now(lambda c: merges.view(c, records.get(c, one)))
    assert seen["emails"] == ["ada@okafor-ceramics.example", "ada.okafor@gmail.com"]
    assert seen["phones"] == ["+49401234567"]


def test_a_merged_record_refuses_writes_and_says_where(store: Store, pair: tuple[str, str]) -> None:
    one, two = pair
    merge(store, one, two)
    with pytest.raises(Conflict, match=f"/records/person/{one}"):
        store.write_now(lambda tx: records.write(tx, two, 1, {"name": "Ada"}, why="test", actor="operator"))


def test_what_cannot_be_merged_is_refused(store: Store, pair: tuple[str, str]) -> None:
    one, two = pair
    company = store.write_now(lambda tx: records.create(tx, "company", "Okafor", {"name": "Okafor"}, why="test"))
    with pytest.raises(BadInput, match="itself"):
        merge(store, one, one)
    with pytest.raises(BadInput, match="one kind"):
        merge(store, one, company)
    with pytest.raises(BadInput, match="neither record"):
        merge(store, one, two, shoe="other")
    merge(store, one, two)
    for kept, other in ((one, two), (two, one)):
        with pytest.raises(Conflict, match="merged already"):
            merge(store, kept, other)


def test_an_identifier_leads_to_the_kept_record(store: Store, pair: tuple[str, str]) -> None:
    one, two = pair
    store.write_now(lambda tx: records.link(tx, "email", "ada.okafor@gmail.com", two, rule="test", evidence={}))
    merge(store, one, two)
    assert store.read_now(lambda c: records.identified(c, "email", "ada.okafor@gmail.com")) == one


def test_somebody_who_comes_again_is_found_by_phone_and_name(store: Store, pair: tuple[str, str]) -> None:
    one, _ = pair
    asked = {"name": "Okafor, Ada", "emails": ["ada@elsewhere.example"], "phones": ["040 1234567"]}
    found = store.read_now(lambda c: merging.resolve(c, "person", asked))
    assert found.zone == "review"  # two records fit equally well
    merge(store, *pair)
    found = store.read_now(lambda c: merging.resolve(c, "person", asked))
    assert (found.zone, found.record, found.strong) == ("merge", one, ("phone and name",))


def test_keys_follow_what_a_record_says(store: Store) -> None:
    ident = person(store, "Jonas Brandt", emails=["jonas@brandt-physio.example"])
    asked = ["person:e:jonas@brandt-physio.example", "person:e:jonas@web.de"]
    assert list(store.read_now(lambda c: matching.holders(c, asked))) == asked[:1]
    store.write_now(lambda tx: records.write(tx, ident, 1, {"emails": ["jonas@web.de"]}, why="test"))
    assert list(store.read_now(lambda c: matching.holders(c, asked))) == asked[1:]


def test_a_pair_kept_apart_is_not_proposed_again_until_something_changes(store: Store, pair: tuple[str, str]) -> None:
    def propose() -> str:
        return store.write_now(lambda tx: merging.propose(tx, *pair, why="test"))

    first = propose()
    assert first
    assert propose() == ""
    store.write_now(lambda tx: merging.keep_apart(tx, first, who="operator"))
    assert propose() == ""
    store.write_now(lambda tx: records.write(tx, pair[1], 1, {"birth_date": "1990-01-02"}, why="test"))
    store.write_now(lambda tx: records.write(tx, pair[0], 1, {"birth_date": "1990-01-02"}, why="test"))
    assert propose()


def test_what_was_asked_about_a_record_that_is_merged_elsewhere_is_withdrawn(
    store: Store, pair: tuple[str, str]
) -> None:
    asked = store.write_now(lambda tx: merging.propose(tx, *pair, why="test"))
    store.write_now(merging.open_cards)
    merge(store, person(store, "Ada"), pair[1])
    row = store.read_now(lambda c: merges.get(c, asked))
    card = store.read_now(lambda c: merges.card(c, row["card"]))
    assert (row["state"], card and card["state"]) == ("gone", "withdrawn")


def test_few_cards_a_day_the_most_certain_first_and_one_about_each(store: Store) -> None:
    sure = [person(store, "Emily Carter", phones=["+4930111111"]) for _ in range(2)]
    person(store, "Nadia Petrov")
    store.write_now(lambda tx: merging.propose(tx, *sure, why="test"))
    unsure = [person(store, f"Carla Ruiz {n}") for n in "ab"]
    store.write_now(lambda tx: merging.propose(tx, *unsure, why="test"))
    assert store.write_now(lambda tx: merging.open_cards(tx, 1)) == 1
    assert store.write_now(lambda tx: merging.open_cards(tx, 1)) == 0
    (card,) = [row for row in store.read_now(lambda c: merges.listed(c, "proposed")) if row["card"]]
    assert {card["kept"], card["other"]} == set(sure)


def test_a_pair_may_be_kept_the_other_way_round_and_merged_after_all(store: Store, pair: tuple[str, str]) -> None:
    asked = store.write_now(lambda tx: merging.propose(tx, *pair, why="test"))
    store.write_now(lambda tx: merging.keep_apart(tx, asked, who="operator"))
    row = merge(store, pair[1], pair[0])
    mail = next(field for field in row["evidence"]["fields"] if field["field"] == "e-mail")
    assert (row["id"], row["kept"], mail["here"]) == (asked, pair[1], "adaokafor@gmail.com")
    store.write_now(lambda tx: merging.unmerge(tx, asked, who="operator"))
    assert merge(store, *pair)["id"] != asked  # when they were one, and when two, stays known
