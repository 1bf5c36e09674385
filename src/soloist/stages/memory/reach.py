"""Reach: which places a contract must list before a role is given something that is remembered; it gives nothing.

A statement needs its field on the record it is about, an item the kind of that record; words of letters need
``conversation``, words of files ``asset``. Where all places are known nothing is guessed from a text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from soloist.engine.store import contexts, history
from soloist.engine.store.base import Connection
from soloist.kernel.reach import lacking

FACT, MEMORY, LETTERS, FILES, PROPOSALS, SESSIONS = "fact", "memory", "conversation", "asset", "proposal", "session"
"""Places beside the kinds of records: statements and items at all, letters, files, what was decided on, sessions."""
UNKNOWN = "record"
"""Stands for the kind of a record that is gone."""
_FIELD_OF = {"phone": "phones", "email": "emails", "company": "company_name", "postal address": "address"}
"""Fields whose statements go by another name."""
_ALSO_OF = {"budget": "lead.budgets", "named date": "lead.dates"}
"""What an enquiry says of its sender stands on the enquiry too, and there it is read by field."""
_TITLES = {"person": ("name", "emails"), "company": ("name", "domain")}
"""Fields that the title of a record is made of, where a role may list them one by one."""
_MINUTES = ("subject", "minutes", "agreed")
_FILES = frozenset({"document", "chunk"})

Row = TypeVar("Row")
Needs = tuple[str, ...]
"""Places (kind or kind.field) that must all be listed under ``reads``."""


@dataclass
class Withheld:
    """What was not given (refs), by the place that is not listed; the same thing found twice is one."""

    places: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, place: str, *refs: str) -> None:
        """Note what a missing place kept back."""
        self.places.setdefault(place, {}).update(dict.fromkeys(refs))

    def refs(self) -> dict[str, list[str]]:
        """As the log of look-ups keeps it."""
        return {place: [*found] for place, found in sorted(self.places.items())}

    def counts(self) -> dict[str, int]:
        """As a context keeps it."""
        return {place: len(found) for place, found in sorted(self.places.items())}


def of_fact(row: Mapping[str, Any], kind: str) -> Needs:
    """What a statement needs; ``kind`` is that of the record it is about."""
    attribute = str(row["attribute"])
    name = _FIELD_OF.get(attribute, attribute.replace(" ", "_"))
    also = (_ALSO_OF[attribute],) if attribute in _ALSO_OF and kind != "lead" else ()
    return (FACT, f"{kind or UNKNOWN}.{name}", *also)


def of_item(row: Mapping[str, Any], kind: str, stated: Mapping[str, Any] | None = None) -> Needs:
    """What an item needs; ``kind`` is that of its record, ``stated`` the statement it stands for."""
    about = (kind or UNKNOWN,) if row["record"] else ()
    ref, sort = str(row["ref"]), str(row["kind"])
    letters = (LETTERS,) if row["thread"] and not str(row["thread"]).startswith(("document:", "meeting:")) else ()
    if sort == "fact":
        title = tuple(f"{kind}.{name}" for name in _TITLES[kind]) if kind in _TITLES else about
        if stated is None:
            return (MEMORY, FACT, LETTERS, *about)
        return (MEMORY, *of_fact(stated, kind), *title, *((LETTERS,) if stated["quote"] else ()))
    if ref.startswith("meeting:"):
        return (MEMORY, *(f"meeting.{name}" for name in _MINUTES))
    if sort in _FILES:
        return (MEMORY, FILES, *letters)
    if ref.startswith(("session:", "work:")):
        return (MEMORY, SESSIONS, *about)
    if sort == "message" or (sort == "summary" and (letters or ref.startswith("summary:"))):
        return (MEMORY, LETTERS)
    of_proposal = sort == "decision" or (sort == "outcome" and _object(row) != row["record"])
    return (MEMORY, *about, *letters, *((PROPOSALS,) if of_proposal else ()))


def _object(row: Mapping[str, Any]) -> str:
    """What a result is the result of."""
    return str((row["detail"] or {}).get("object", ""))


def facts(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Needs]:
    """What each of some statements needs."""
    kinds = history.record_kinds(conn, [str(row["record"]) for row in rows])
    return [of_fact(row, kinds.get(str(row["record"]), "")) for row in rows]


def items(conn: Connection, idents: Sequence[str]) -> list[Needs]:
    """What each of some items (ids) needs; what has left the disk is given to nobody."""
    rows = contexts.items(conn, list(dict.fromkeys(idents)))
    kinds = history.record_kinds(conn, [str(row["record"]) for row in rows.values()])
    found = []
    for ident in idents:
        row = rows.get(ident)
        stated = None
        if row is not None and row["kind"] == "fact":
            stated = contexts.fact(conn, str(row["ref"]).partition(":")[2])
        kind = kinds.get(str(row["record"]), "") if row is not None else ""
        found.append(of_item(row, kind, stated) if row is not None else (MEMORY, UNKNOWN))
    return found


def sifted(
    reads: Sequence[str] | None, rows: Sequence[tuple[str, Row]], needs: Sequence[Needs], withheld: Withheld
) -> list[Row]:
    """Of (ref, row) the rows that a role with these ``reads`` may be given (None: all); the others are noted."""
    kept = []
    for (ref, row), places in zip(rows, needs, strict=True):
        if reads is not None and (missing := lacking(reads, places)):
            withheld.add(missing, ref)
        else:
            kept.append(row)
    return kept
