"""Kinds: any JSON is judged without a fault of ours, what is accepted fits, migrations lose no value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soloist.kernel.kind import TYPES, Field, Kind, Migration, converted, fault, faults, forward, move_fault

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [Field(name, name, of="text" if name == "list" else "", choices=("a", "b")) for name in TYPES]
KIND = Kind("thing", fields={one.name: one for one in FIELDS})
BODIES = st.dictionaries(st.sampled_from([*TYPES, "other"]), JSON, max_size=6)

RIGHT = [
    ("money", {"minor": -5, "currency": "EUR"}),
    ("date", "2028-02-29"),
    ("instant", "2026-11-21T09:00:00+01:00"),
    ("number", 1.5),
    ("email", "ada@okafor-ceramics.example"),
    ("phone", "+49 (40) 555-0177"),
    ("url", "https://okafor-ceramics.example/shop"),
    ("asset", "a" * 64),
    ("list", ["x", "y"]),
]
WRONG = [
    ("money", {"minor": 5.5, "currency": "EUR"}),
    ("money", {"minor": True, "currency": "EUR"}),
    ("money", {"minor": 5, "currency": "eur"}),
    ("money", {"minor": 2**53, "currency": "EUR"}),
    ("date", "2027-02-29"),
    ("date", "20270228"),
    ("instant", "2026-11-21T09:00:00"),
    ("number", True),
    ("number", float("nan")),
    ("boolean", "yes"),
    ("email", "ada at okafor"),
    ("url", "javascript:alert(1)"),
    ("text", "a\x00b"),
    ("list", ["x", 3]),
    ("choice", "c"),
    ("record", "../x"),
]


@pytest.mark.parametrize(("kind", "value"), RIGHT)
def test_what_fits(kind: str, value: Any) -> None:
    assert fault(KIND.fields[kind], value) == ""


@pytest.mark.parametrize(("kind", "value"), WRONG)
def test_what_does_not_fit_is_told_what_would(kind: str, value: Any) -> None:
    assert fault(KIND.fields[kind], value)


@given(BODIES)
def test_any_body_is_judged_field_by_field(body: dict[str, Any]) -> None:
    found = {one.field for one in faults(KIND, body)}
    assert found <= set(body)
    assert all(not fault(KIND.fields[name], value) for name, value in body.items() if name not in found)
    assert faults(KIND, body, body) == []


@given(JSON, st.sampled_from(sorted(TYPES)))
def test_a_conversion_gives_what_fits_or_leaves_it(value: Any, into: str) -> None:
    new = converted(value, into)
    assert new is value or not fault(Field("x", into, of="data"), new)


@given(BODIES)
def test_a_migration_loses_no_value(body: dict[str, Any]) -> None:
    step = Migration(2, rename={"text": "note", "number": "money"}, default={"boolean": True})
    after = forward(replace(KIND, revision=2, migrations=(step,)), 1, body)
    kept = [repr(value) for value in after.values()]
    assert [value for value in body.values() if value not in (None, "", [], {}) and repr(value) not in kept] == []
    assert forward(replace(KIND, revision=2, migrations=(step,)), 2, body) == body


def test_moves_between_states() -> None:
    invoice = replace(KIND, states=("draft", "sent", "paid"), moves={"draft": ("sent",), "paid": ()})
    assert move_fault(invoice, "draft", "sent") == move_fault(invoice, "sent", "draft") == ""
    assert "can become sent, not paid" in move_fault(invoice, "draft", "paid")
    assert "can become nothing else" in move_fault(invoice, "paid", "draft")
    assert "one of draft, sent, paid" in move_fault(invoice, "", "lost")
    assert move_fault(KIND, "", "anything") == ""
