"""Search: what was typed, found in everything the home holds, its words marked; nothing is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from soloist.engine.store import contexts, holdings, reading, searching
from soloist.engine.store.reading import Connection
from soloist.engine.store.searching import Query
from soloist.insight import records, remembered, views

FEW, MANY = 6, 50
"""Hits of each group on the page of all groups, and of one group on its own page."""
LOOKED = 24
"""People and leads that are looked at for a title that fits better than a newer row."""
BEFORE, AFTER = 70, 170
"""Characters shown around the first matched word of a text."""
SCANNED = 20_000
RANKED = frozenset({"people", "leads"})
"""Groups in which a title that fits comes before a newer row."""
NAMES = {
    "people": "People",
    "leads": "Enquiries",
    "appointments": "Appointments and meetings",
    "documents": "Documents",
    "records": "Other records",
    "facts": "Facts",
    "messages": "Messages",
    "memory": "Memory",
    "cards": "Cards",
}
TRIES = 3
"""Other things to look for that are offered when nothing fits."""
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
    tries: tuple[views.Link, ...] = ()


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
    made_ = tuple(group for group in made if group.hits)
    tries = () if made_ or not query else tuple(_tries(conn, text, query, only))
    return SearchPage(shown, made_, only, searching.behind(conn), query.cut, bool(query), tries)


def _tries(conn: Connection, text: str, query: Query, only: str) -> Iterator[views.Link]:
    """What to look for instead when nothing fits: only things that find something."""
    if only:
        yield views.Link("Everywhere", "/search?" + urlencode({"q": text}))
    if '"' in text:
        yield views.Link("The same words in any order", "/search?" + urlencode({"q": text.replace('"', " ").strip()}))
    words = list(dict.fromkeys(word for phrase in query.phrases for word in phrase))
    for word in sorted(words, key=len, reverse=True)[:TRIES]:
        for part in dict.fromkeys((word, word[: max(3, len(word) * 2 // 3)])):
            asked = searching.parsed(part)
            if (len(words) > 1 or part != word) and any(searching.count(conn, asked, searching.GROUPS).values()):
                yield views.Link(f"Only {part}", "/search?" + urlencode({"q": part}))
                break
    yield views.Link("Ask memory, which also finds what is meant", "/memory/ask?" + urlencode({"q": text[:2000]}))


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


def _facts(conn: Connection, refs: Sequence[str], query: Query) -> list[Hit]:
    """Facts that last, with whom they are about, the words they rest on, and whether anybody confirmed them."""
    rows = holdings.facts_named(conn, refs)
    whose = reading.named(conn, "records", [row["record"] for row in rows.values()])
    found = []
    for row in (rows[ref] for ref in refs if ref in rows and not rows[ref]["ended"]):
        name = whose.get(row["record"], {}).get("title", "")
        said = f"{name}: {remembered.named(row['attribute']).lower()} {remembered.said(row['value'])}"
        href = f"/memory/about/{row['record']}#fact-{row['id']}"
        note = ", ".join(part for part in (remembered.WHOSE[row["trust"]], DISPUTED.get(row["state"], "")) if part)
        found.append(Hit(href, marked(said, query), around(row["quote"], query), f"Fact, {note}", row["created"]))
    return found


def _memory(conn: Connection, refs: Sequence[str], query: Query) -> list[Hit]:
    """Items of memory that last, by their own words."""
    rows, now = holdings.named(conn, refs), contexts.now_of(conn)
    found = []
    for row in (rows[ref] for ref in refs if ref in rows and not rows[ref]["ended"]):
        if row["expires"] and row["expires"] <= now:
            continue
        name = f"{row['kind'].replace('_', ' ').capitalize()}, {row['tier']}, {remembered.WHOSE[row['trust']]}"
        found.append(
            Hit(f"/memory/items/{row['id']}", around(row["text"], query), (), name, row["at"] or row["created"])
        )
    return found


DISPUTED = {"disputed": "contradicts what is known"}
_LOADERS: Mapping[str, Callable[[Connection, Sequence[str], Query], list[Hit]]] = {
    "people": _records,
    "leads": _records,
    "appointments": _records,
    "documents": _records,
    "records": _records,
    "facts": _facts,
    "messages": _messages,
    "memory": _memory,
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
