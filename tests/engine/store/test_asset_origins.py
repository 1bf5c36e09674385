"""Where the bytes of an asset come from: kept with it, never less than before, carried into what is made of it."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import assets, origins
from soloist.kernel.origin import OPERATOR, OUTSIDE, Origin

LETTER = Origin(frozenset({"outside"}), frozenset({"stream:mail"}))


def test_the_same_bytes_from_two_places_have_both_origins(store: Any):
    digest = store.write_now(lambda tx: assets.keep(tx, b"words", "text/plain", "", origin=OPERATOR))
    assert not store.read_now(lambda conn: assets.origin_of(conn, digest)).tainted
    store.write_now(lambda tx: assets.keep(tx, b"words", "text/plain", "", origin=LETTER))
    store.write_now(lambda tx: assets.keep(tx, b"words", "text/plain", "", origin=OPERATOR))
    found = store.read_now(lambda conn: assets.origin_of(conn, digest))
    assert found == OPERATOR | LETTER | Origin(sources=frozenset({f"asset:{digest}"}))


def test_what_nobody_labelled_or_is_gone_counts_as_outside(store: Any):
    digest = store.write_now(lambda tx: assets.keep(tx, b"page", "text/html", ""))
    for one in (digest, "0" * 64, ""):
        assert store.read_now(lambda conn, one=one: assets.origin_of(conn, one)).labels == OUTSIDE.labels


def test_a_context_takes_the_origin_of_the_file_it_was_made_of(store: Any):
    book = store.write_now(lambda tx: assets.keep(tx, b"# House book", "text/markdown", "", origin=OPERATOR))
    context = {"house_book": book, "messages": [], "records": []}
    assert not store.read_now(lambda conn: origins.of_slices(conn, context, [])).tainted
    store.write_now(lambda tx: assets.keep(tx, b"# House book", "text/markdown", "", origin=LETTER))
    assert store.read_now(lambda conn: origins.of_slices(conn, context, [])).tainted
