"""Search: what was typed, found in people, leads, messages and cards, its words marked; nothing is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from soloist.engine.store import reading, searching
from soloist.engine.store.reading import Connection
from soloist.engine.store.searching import Query
from soloist.insight import records, views

FEW, MANY = 6, 50
"""Hits of each group on the page of all groups, and of one group on its own page."""
LOOKED = 24
"""People and leads that are looked at for a title that fits better than a newer row."""
BEFORE, AFTER = 70, 170
"""Characters shown around the first matched word of a text."""
SCANNED = 20_000
RANKED = frozenset({"people", "leads"})
"""Groups in which a title that fits comes before a newer row."""
NAMES = {"people": "People", "leads": "Enquiries", "records": "Other records", "messages": "Messages", "cards": "Cards"}
_KINDS = {"person": "Person", "company": "Company", "lead": "Enquiry"}


@dataclass(frozen=True)
class Hit:
    """One thing that fits; pieces with the op "hit" are the matched words, ``note`` says what it is."""

    href: str
    title: tuple[views.Piece, ...]
    text: tuple[views.Piece, ...] = ()
    note: str = ""
    at: str = ""


@dataclass(frozen=True)
class Group:
    """What fits in one group, newest first; ``total`` stops at 1,000, ``more`` leads to the rest."""

    name: str
    title: str
    hits: tuple[Hit, ...]
    total: int
    more: str = ""


@dataclass(frozen=True)
class SearchPage:
    """The answer to a query. ``behind``: events the index has not read yet; ``cut``: the query was too long."""

    query: str
    groups: tuple[Group, ...] = ()
    only: str = ""
    behind: int = 0
    cut: bool = False
    asked: bool = False


def page(conn: Connection, text: str, *, only: str = "", before: int = 0) -> SearchPage:
    """Everything that fits, in groups; one group by pages with ``only`` and the ``before`` of its last link."""
    query, shown = searching.parsed(text), text[: searching.MOST_QUERY]
    only = only if only in searching.GROUPS else ""
    limits = {only: MANY} if only else {name: LOOKED if name in RANKED else FEW for name in searching.GROUPS}
    asked = {name: limit + 1 for name, limit in limits.items()}
    found = searching.find(conn, query, asked, before=before or searching.NEWEST)
    groups = {name: _hits(conn, query, name, places[: limits[name]], only) for name, places in found.items() if places}
    more = {name: len(found[name]) > len(hits) for name, hits in groups.items()}
    totals = searching.count(conn, query, [name for name in groups if more[name] or before])
    made = tuple(
        Group(
            name,
            NAMES[name],
            tuple(hits),
            totals.get(name, len(found[name])),
            _more(shown, name, found[name], only) if more[name] else "",
        )
        for name, hits in groups.items()
    )
    return SearchPage(shown, made, only, searching.behind(conn), query.cut, bool(query))


def _hits(conn: Connection, query: Query, name: str, places: Sequence[tuple[int, str]], only: str) -> list[Hit]:
    """What is shown of one group; of people and leads those whose title fits come first."""
    hits = _LOADERS[name](conn, [ref for _, ref in places], query)
    if only:
        return hits
    if name in RANKED:
        hits.sort(key=lambda hit: not any(piece.op == "hit" for piece in hit.title))
    return hits[:FEW]


def _more(text: str, name: str, places: Sequence[tuple[int, str]], only: str) -> str:
    """The link to the rest of a group."""
    return "/search?" + urlencode({"q": text, "in": name, **({"before": str(places[MANY - 1][0])} if only else {})})


def _messages(conn: Connection, refs: Sequence[str], query: Query) -> list[Hit]:
    """Messages by their subject, with their own words around the match."""
    rows = reading.named(conn, "messages", refs)
    found = []
    for row in (rows[ref] for ref in refs if ref in rows):
        text = (row["understanding"] or {}).get("own_text") or row["text"]
        others = ", ".join(map(str, (row["recipients"] or [])[:3]))
        name = f"to {others}" if row["direction"] == "out" else f"from {row['sender_name'] or row['sender']}"
        title = marked(row["subject"] or "No subject", query)
        found.append(Hit(f"/why/{row['id']}", title, around(text, query), name, row["at"]))
    return found


def _records(conn: Connection, refs: Sequence[str], query: Query) -> list[Hit]:
    """Records by their title, with the field that fits; what was retired is left out."""
    rows = reading.named(conn, "records", refs)
    found = []
    for row in (rows[ref] for ref in refs if ref in rows and rows[ref]["state"] != "retired"):
        kind = _KINDS.get(row["kind"], row["kind"].replace("_", " ").capitalize())
        title = marked(row["title"] or "No name", query)
        text = around(_fields(row["body"]), query)
        state = row["state"].replace("_", " ")
        href = records.href(row["kind"], row["id"])
        found.append(Hit(href, title, text, f"{kind}, {state}" if state else kind, row["updated"]))
    return found


def _fields(body: Mapping[str, Any]) -> str:
    """The texts of a record in a line."""
    return " · ".join(dict.fromkeys(text for text in searching.texts(body) if text.strip()))


def _cards(conn: Connection, refs: Sequence[str], query: Query) -> list[Hit]:
    """Cards, open and closed."""
    rows = reading.named(conn, "tasks", refs)
    return [
        Hit(
            f"/cards/{ref}",
            marked(row["title"], query),
            around(row["why"], query),
            f"Card, {row['state']}",
            row["created"],
        )
        for ref, row in ((ref, rows[ref]) for ref in refs if ref in rows)
    ]


_LOADERS: Mapping[str, Callable[[Connection, Sequence[str], Query], list[Hit]]] = {
    "people": _records,
    "leads": _records,
    "records": _records,
    "messages": _messages,
    "cards": _cards,
}


def marked(text: str, query: Query) -> tuple[views.Piece, ...]:
    """A text in pieces; those with the op "hit" are words that were asked for."""
    text = unicodedata.normalize("NFC", text)
    pieces, end = [], 0
    for word in searching.WORD.finditer(text):
        if not query.holds(word[0]):
            continue
        if word.start() > end:
            pieces.append(views.Piece("same", text[end : word.start()]))
        pieces.append(views.Piece("hit", word[0]))
        end = word.end()
    return (*pieces, views.Piece("same", text[end:])) if end < len(text) else tuple(pieces)


def around(text: str, query: Query) -> tuple[views.Piece, ...]:
    """The part of a text around the first word that was asked for, in one line; its beginning when there is none."""
    text = unicodedata.normalize("NFC", text[:SCANNED])
    place = next((word.start() for word in searching.WORD.finditer(text) if query.holds(word[0])), 0)
    start = max(0, place - BEFORE)
    if start:
        start = text.find(" ", start, place) + 1 or start
    end = min(len(text), place + AFTER)
    part = " ".join(text[start:end].split())
    return marked(("… " if start else "") + part + (" …" if end < len(text) else ""), query) if part else ()
