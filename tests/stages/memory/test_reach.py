"""What a contract must list before something remembered is given: by kind and field, and by its sort."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.kernel.reach import lacking
from soloist.stages.memory import reach

ITEM = {"record": "r1", "kind": "note", "ref": "note:1", "thread": "", "detail": None}


@pytest.mark.parametrize(
    ("attribute", "kind", "needs"),
    [
        ("amount", "invoice", ("fact", "invoice.amount")),
        ("phone", "person", ("fact", "person.phones")),
        ("postal address", "company", ("fact", "company.address")),
        ("budget", "person", ("fact", "person.budget", "lead.budgets")),
        ("paid on", "invoice", ("fact", "invoice.paid_on")),
        ("name", "", ("fact", "record.name")),
    ],
)
def test_a_statement_needs_its_field(attribute: str, kind: str, needs: tuple[str, ...]) -> None:
    assert reach.of_fact({"attribute": attribute}, kind) == needs


@pytest.mark.parametrize(
    ("more", "needs"),
    [
        ({}, ("memory", "person")),
        ({"record": ""}, ("memory",)),
        ({"kind": "message", "ref": "message:1", "thread": "c1"}, ("memory", "conversation")),
        ({"kind": "summary", "ref": "summary:c1", "thread": "c1"}, ("memory", "conversation")),
        ({"kind": "summary", "ref": "session:s1"}, ("memory", "session", "person")),
        ({"kind": "session", "ref": "work:s1", "record": ""}, ("memory", "session")),
        ({"kind": "document", "ref": "document:m#1", "thread": "c1"}, ("memory", "asset", "conversation")),
        ({"kind": "chunk", "ref": "document:m#1#0", "thread": "document:m#1"}, ("memory", "asset")),
        ({"kind": "chunk", "ref": "meeting:m#0", "thread": "meeting:m"}, None),
        ({"kind": "decision", "thread": "c1"}, ("memory", "person", "conversation", "proposal")),
        ({"kind": "outcome", "detail": {"object": "p1"}}, ("memory", "person", "proposal")),
        ({"kind": "outcome", "detail": {"object": "r1"}}, ("memory", "person")),
        ({"kind": "fact", "ref": "fact:1"}, ("memory", "fact", "conversation", "person")),
    ],
)
def test_an_item_needs_the_kind_it_is_about_and_its_sort(more: dict[str, Any], needs: tuple[str, ...] | None) -> None:
    minutes = ("memory", "meeting.subject", "meeting.minutes", "meeting.agreed")
    assert reach.of_item({**ITEM, **more}, "person") == (needs or minutes)


def test_an_item_of_a_statement_needs_its_field_its_title_and_its_quote() -> None:
    stated = {"attribute": "phone", "quote": "call me at 040"}
    row = {**ITEM, "kind": "fact", "ref": "fact:1"}
    titled = ("memory", "fact", "person.phones", "person.name", "person.emails")
    assert reach.of_item(row, "person", {**stated, "quote": ""}) == titled
    assert reach.of_item(row, "person", stated) == (*titled, "conversation")


def test_a_kind_holds_its_fields_and_a_field_never_its_kind() -> None:
    assert lacking(["person", "fact"], ["fact", "person.phones"]) == ""
    assert lacking(["person.phones", "fact"], ["fact", "person"]) == "person"
    assert lacking(["person.phones"], ["person.phones", "person.name"]) == "person.name"
