"""Canonical bytes and hashes: the same value gives the same bytes, and what JSON cannot carry is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine.default import DefaultDialect

from soloist.engine.store.columns import Json
from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import body_hash, canonical, chain_hash, json_hash, keyed, payload_hash, sha256

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        (1.0, "1"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (0.1 + 0.2, "0.30000000000000004"),
        (100000000000000000000.0, "100000000000000000000"),
        ("Ä€\n\u001f\U0001f600", '"Ä€\\n\\u001f\U0001f600"'),
        ({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}'),
    ],
)
def test_canonical_bytes(value: Any, text: str) -> None:
    """RFC 8785: numbers as ECMAScript writes them, keys in the order of their UTF-16 units."""
    assert canonical(value).decode() == text


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**53,
        -(2**60),
        "\ud800",
        {"\udfff": 1},
        {1: "a"},
        b"bytes",
        {1, 2},
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
def test_what_json_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="not plain JSON"):
        canonical({"value": value})


def test_bottomless_value_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(BadInput):
        canonical(value)


@given(VALUES)
def test_the_quick_way_writes_the_same_bytes(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(VALUES)
def test_value_has_the_same_hash_after_it_was_stored(value: Any) -> None:
    """What was approved is compared with what is read back: the store's JSON must not change a byte of it."""
    column = Json()
    stored = column.process_bind_param({"value": value}, DefaultDialect())
    assert canonical(column.process_result_value(stored, DefaultDialect())) == canonical({"value": value})


@given(st.dictionaries(TEXTS, NUMBERS, max_size=6))
def test_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert json_hash(value) == json_hash(dict(reversed(value.items())))


def test_every_part_of_a_proposal_is_in_its_hash() -> None:
    one = payload_hash("mail", "mail.send", {"to": ["ada@okafor-ceramics.example"]}, ["a", "b"])
    others = [
        payload_hash("smtp", "mail.send", {"to": ["ada@okafor-ceramics.example"]}, ["a", "b"]),
        payload_hash("mail", "mail.reply", {"to": ["ada@okafor-ceramics.example"]}, ["a", "b"]),
        payload_hash("mail", "mail.send", {"to": ["victor@quick-offers.example"]}, ["a", "b"]),
        payload_hash("mail", "mail.send", {"to": ["ada@okafor-ceramics.example"]}, ["a"]),
    ]
    assert one not in others
    assert one == payload_hash("mail", "mail.send", {"to": ["ada@okafor-ceramics.example"]}, ["b", "a"])


def test_payload_that_looks_like_the_rest_has_another_hash() -> None:
    assert payload_hash("a", "b", {}) != payload_hash("a", "", {"operation": "b"})


def test_chain_tells_apart_where_one_field_ends() -> None:
    assert chain_hash("p", ["ab", "c"], "h") != chain_hash("p", ["a", "bc"], "h")
    assert chain_hash("p", ["a"], "h") != chain_hash("q", ["a"], "h")
    assert chain_hash("", ["1", "Ä\ud800"], "h") == chain_hash("", ["1", "Ä\ud800"], "h")


def test_known_values() -> None:
    """These never change: stored journals and approvals rest on them."""
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert body_hash(b"salt", b"body") == sha256(b"saltbody")
    assert chain_hash("", ["1", "id"], "b") == sha256(b'["","1","id","b"]')
    assert keyed(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
