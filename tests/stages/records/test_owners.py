"""Owners: a stronger word stands, an empty value clears nothing, lists from outside only grow."""

from __future__ import annotations

import pytest

from soloist.kernel.errors import BadInput
from soloist.stages.records.owners import may_write, split

TABLE = [
    ("operator", "operator", True),
    ("operator", "system", False),
    ("operator", "outside", False),
    ("system", "operator", True),
    ("system", "system", True),
    ("system", "outside", False),
    ("outside", "system", True),
    ("outside", "outside", True),
    (None, "outside", True),
    ("somebody", "system", False),
]


@pytest.mark.parametrize(("owner", "by", "may"), TABLE)
def test_who_may_write(owner, by, may) -> None:
    assert may_write({"name": owner} if owner else {}, "name", by) is may


def test_a_word_nobody_has() -> None:
    with pytest.raises(BadInput, match="outside, system, operator"):
        may_write({}, "name", "root")


def test_an_import_fills_and_leaves_what_the_operator_set() -> None:
    body = {"name": "Ada Okafor", "city": "", "emails": ["a@x.example"], "note": "kind"}
    owners = {"name": "operator", "emails": "outside", "note": "operator"}
    offered = {"name": "A. Okafor", "city": "Hamburg", "emails": ["b@x.example"], "note": ""}
    found = split(body, owners, offered, "outside")
    assert found.written == {"city": "Hamburg", "emails": ["a@x.example", "b@x.example"]}
    assert found.kept == {"name": {"mine": "Ada Okafor", "offered": "A. Okafor", "owner": "operator"}}


def test_a_list_that_holds_everything_offered_is_no_difference() -> None:
    found = split(
        {"emails": ["a@x.example", "b@x.example"]}, {"emails": "operator"}, {"emails": ["b@x.example"]}, "outside"
    )
    assert (found.written, found.kept) == ({}, {})
