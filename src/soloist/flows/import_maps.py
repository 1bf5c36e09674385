"""How the columns of a file lead to fields: known exports by their headers, others by the words in a header; pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from soloist.kernel.kind import Kind

EXTRA = {
    "first_name": "First name",
    "last_name": "Last name",
    "currency": "Currency of the amounts",
    "state": "State",
    "external_id": "The program's own id",
    "as_note": "A line of the note",
}
"""Where a column may lead besides the fields of a kind."""
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}")
_OF_NAMES = ("first_name", "last_name")


@dataclass(frozen=True)
class Guess:
    """A proposal for a file: the source it seems to be from ("" for none), the kind, and column number -> field."""

    source: str
    kind: str
    columns: Mapping[int, str]


def targets(kind: Kind) -> dict[str, str]:
    """Everything a column of a kind may lead to: field -> what it is called; first those that are common."""
    found = {name: known.said for name, known in kind.fields.items() if not known.internal and known.item != "asset"}
    extra = dict(EXTRA)
    if "name" not in found or kind.name == "company":
        extra = {name: said for name, said in extra.items() if name not in _OF_NAMES}
    if "note" not in found:
        extra.pop("as_note")
    if not any(known.item == "money" for known in kind.fields.values()):
        extra.pop("currency")
    return {**found, **extra}


def guess(columns: Sequence[str], format_: str, kinds: Mapping[str, Kind], kind: str = "") -> Guess:
    """What the columns of a file probably are; a ``kind`` that was chosen is kept."""
    heads = [_plain(name) for name in columns]
    for source in _table()["sources"]:
        fits_format = source.get("format", "csv") == ("csv" if format_ == "xlsx" else format_)
        known = fits_format and set(source["known_by"]) <= set(heads)
        if known and source["kind"] in kinds and kind in ("", source["kind"]):
            fits = targets(kinds[source["kind"]])
            led = {place: source["columns"][head] for place, head in enumerate(heads) if head in source["columns"]}
            return Guess(source["name"], source["kind"], {place: to for place, to in led.items() if to in fits})
    wanted = kind or _kind(heads, kinds)
    return Guess("", wanted, _by_words(heads, kinds[wanted]))


def addresses(rows: Sequence[Sequence[str]], led: Mapping[int, str]) -> list[int]:
    """Columns that lead nowhere by their head and hold mail addresses, more than half of what is in them."""
    found = []
    for place in range(len(rows[0]) if rows else 0):
        cells = [row[place] for row in rows if row[place]]
        fit = sum(1 for cell in cells if _ADDRESS.fullmatch(cell))
        found += [place] if place not in led and fit * 2 > len(cells) else []
    return found


def _kind(heads: Sequence[str], kinds: Mapping[str, Kind]) -> str:
    """The kind whose fields most columns name; people when nothing speaks for another."""
    counted = {name: len(set(_by_words(heads, one).values())) for name, one in kinds.items() if name in _LIKELY}
    most = max(counted.values(), default=0)
    return next((name for name in _LIKELY if name in counted and counted[name] == most), "person")


_LIKELY = ("person", "company", "invoice", "offer", "payment", "project", "appointment", "lead")


def _by_words(heads: Sequence[str], kind: Kind) -> dict[int, str]:
    """The field of each column by the longest word its head shares with one; a field that takes one value, once."""
    fits, found, used = targets(kind), dict[int, str](), set[str]()
    fits = {name: said for name, said in fits.items() if f"{name}_name" not in fits}  # company_name, not company
    for place, head in enumerate(heads):
        scored = [(len(word), name) for name, words in _words(kind, fits) for word in words if _has(head, word)]
        for _length, name in sorted(scored, key=lambda one: -one[0]):
            if name not in used or _many(kind, name):
                found[place] = name
                used.add(name)
                break
    return found


def _words(kind: Kind, fits: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    table: Mapping[str, list[str]] = _table()["words"]
    return [(name, [*table.get(name, ()), _plain(name), _plain(said)]) for name, said in fits.items()]


def _many(kind: Kind, name: str) -> bool:
    """Whether several columns may lead to a field."""
    known = kind.fields.get(name)
    return known is not None and (known.type in ("list", "long_text"))


def _has(head: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", head) is not None


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files("soloist.flows") / "import_maps.toml").read_text(encoding="utf-8"))
