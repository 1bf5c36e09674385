"""Files of kinds: schemas that are shipped and those of soloist.toml, read and checked by line; no database."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from soloist.config import RecordsPart
from soloist.kernel.errors import BadConfig
from soloist.kernel.kind import MUTABILITY, OWNERS, TYPES, Field, Kind, Migration

RESERVED = frozenset({"kinds", "new", "-"})
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_LISTS = ("title", "states", "affordances", "choices", "to")
_TEXTS = ("label", "plural", "retention", "help")
_KIND = frozenset({"kind", "version", "fields", "moves", "migrations", "owner", "mutability", *_TEXTS, *_LISTS[:3]})
_FIELD = frozenset({"type", "of", "required", "owner", "mutability", "internal", "label", "help", *_LISTS[3:]})


@cache
def shipped() -> tuple[Kind, ...]:
    """The kinds that come with the program, by name."""
    return tuple(_read(path.read_text(encoding="utf-8"), path.name) for path in _files())


def _files() -> list[Traversable]:
    found = (path for path in files("soloist.plugins").joinpath("kinds").iterdir() if path.name.endswith(".toml"))
    return sorted(found, key=lambda path: path.name)


def fingerprint(toml: Path) -> str:
    """One hash over every file that schemas are read from: as long as it is the same, nothing has to be read."""
    mark = hashlib.sha256()
    for path in _files():
        mark.update(path.read_bytes())
    mark.update(toml.read_bytes() if toml.exists() else b"")
    return mark.hexdigest()


def declared(chosen: RecordsPart, toml: Path) -> list[Kind]:
    """Every kind of a home: shipped ones with the operator's own fields, and her own kinds.

    BadConfig lists every fault with its line and what would be right.
    """
    if not chosen.kinds and not chosen.fields:
        return list(shipped())
    text = toml.read_text(encoding="utf-8") if toml.exists() else ""
    return own(chosen, Faults(text, toml.name))


def own(chosen: RecordsPart, told: Faults) -> list[Kind]:
    """The same from parsed tables; faults are collected in ``told`` and raised together (BadConfig)."""
    found = {kind.name: kind for kind in shipped()}
    for name, table in chosen.kinds.items():
        place = ("records", "kinds", name)
        if name in found or name in RESERVED or not _NAME.fullmatch(name):
            why = "comes with Soloist; add fields to it" if name in found else "use small letters, digits and _"
            told.add(place, f"{name!r} cannot be the name of a kind of your own: {why}")
        elif made := _kind(name, table, place, told):
            found[name] = replace(made, custom=True)
    for name, fields in chosen.fields.items():
        place = ("records", "fields", name)
        if name not in found:
            told.add(place, f"there is no kind {name!r}{_near(name, found)}")
        elif not isinstance(fields, Mapping):
            told.add(place, 'write fields as tables, like shoe_size = { type = "number" }')
        else:
            found[name] = _extended(found[name], fields, place, told)
    _references(found, told)
    told.close()
    return list(found.values())


def _extended(kind: Kind, tables: Mapping[str, Any], place: tuple[str, ...], told: Faults) -> Kind:
    """A kind with the operator's own fields after its own."""
    fields = dict(kind.fields)
    for name, table in tables.items():
        if name in kind.fields:
            told.add((*place, name), f"{kind.name} has a field {name!r} already; choose another name")
        elif made := _field(name, table, (*place, name), told):
            fields[name] = replace(made, custom=True)
    return replace(kind, fields=fields)


def _references(found: Mapping[str, Kind], told: Faults) -> None:
    """Every kind that a reference leads to is there."""
    for kind in found.values():
        for one in kind.fields.values():
            for to in one.to:
                if to not in found:
                    part = "kinds" if kind.custom and not one.custom else "fields"
                    place = ("records", part, kind.name, *(("fields",) if part == "kinds" else ()), one.name, "to")
                    told.add(place, f"there is no kind {to!r}{_near(to, found)}")


# ----- one file, one kind, one field


@dataclass
class Faults:
    """What is wrong in a file, each with its line."""

    text: str
    name: str
    found: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, place: tuple[str, ...], sentence: str) -> None:
        """One fault at a place like ("records", "fields", "person", "shoe_size", "type")."""
        self.found.append((line_of(self.text, place), ".".join(place), sentence))

    def close(self) -> None:
        """Raise what was found (BadConfig)."""
        if not self.found:
            return
        lines = [f"line {line}: {place}: {said}" if line else f"{place}: {said}" for line, place, said in self.found]
        raise BadConfig(f"{self.name}, " + "; ".join(lines) + ". Nothing was changed.", field=self.found[0][1])


def line_of(text: str, place: tuple[str, ...]) -> int:
    """The line of the longest part of a place that a TOML text spells out, counted from 1; 0 when there is none."""
    best, line = 0, 0
    for number, path in _spelled(text):
        same = 0
        while same < min(len(path), len(place)) and path[same] == place[same]:
            same += 1
        if same in (len(path), len(place)) and same > best:
            best, line = same, number
    return line


def _spelled(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every table and key of a TOML text with its line."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            table = _path(head[1])
            yield number, table
        elif key := re.match(r"""\s*([\w."'\- ]+?)\s*=""", line):
            yield number, (*table, *_path(key[1]))


def _path(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in text.split("."))


def _read(text: str, name: str) -> Kind:
    """One shipped file (BadConfig)."""
    told = Faults(text, name)
    table = tomllib.loads(text)
    kind = _kind(str(table.get("kind", "")), table, (), told)
    told.close()
    assert kind is not None  # without a fault there is a kind
    return kind


def _kind(name: str, table: Any, place: tuple[str, ...], told: Faults) -> Kind | None:
    """One kind from its table; None when something is wrong with it."""
    if not isinstance(table, Mapping):
        told.add(place, "write a kind as a table with fields")
        return None
    before = len(told.found)
    _known(table, _KIND, place, told)
    _plain(table, place, told)
    tables = table.get("fields", {})
    fields = {key: _field(key, one, (*place, "fields", key), told) for key, one in _mapping(tables).items()}
    if not fields:
        told.add(place, 'a kind needs fields, like name = { type = "text" }')
    version = table.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        told.add((*place, "version"), "a whole number from 1")
    states, moves = tuple(table.get("states", ())), _mapping(table.get("moves", {}))
    for state, after in moves.items():
        if state not in states or not isinstance(after, list) or any(one not in states for one in after):
            told.add((*place, "moves", state), f"moves lead from a state to a list of states: {', '.join(states)}")
    title = tuple(table.get("title", ("{name}",)))
    for one in {found for pattern in title for found in re.findall(r"\{(\w+)\}", str(pattern))} - set(fields):
        told.add((*place, "title"), f"{{{one}}} is no field of it{_near(one, fields)}")
    migrations = _migrations(table.get("migrations", []), place, told)
    if len(told.found) > before:
        return None
    return Kind(
        name,
        label=str(table.get("label") or name.replace("_", " ").capitalize()),
        plural=str(table.get("plural") or name.replace("_", " ").capitalize() + "s"),
        revision=version,
        title=title,
        fields={key: one for key, one in fields.items() if one is not None},
        states=states,
        moves={state: tuple(after) for state, after in moves.items()},
        owner=str(table.get("owner", "operator")),
        mutability=str(table.get("mutability", "free")),
        retention=str(table.get("retention", "")),
        affordances=tuple(table.get("affordances", ())),
        migrations=migrations,
        help=str(table.get("help", "")),
    )


def _field(name: str, table: Any, place: tuple[str, ...], told: Faults) -> Field | None:
    """One field from its table; None when something is wrong with it."""
    before = len(told.found)
    if not _NAME.fullmatch(name):
        told.add(place, "a field's name is of small letters, digits and _, and begins with a letter")
    if not isinstance(table, Mapping):
        told.add(place, f'write a field as a table, like {name} = {{ type = "number" }}')
        return None
    _known(table, _FIELD, place, told)
    _plain(table, place, told)
    kind, of = str(table.get("type", "text")), str(table.get("of", ""))
    for key, value in (("type", kind), ("of", of)):
        if value and value not in TYPES:
            told.add((*place, key), f"{value!r} is no type{_near(value, TYPES)}; there are {', '.join(TYPES)}")
    if kind == "list" and (not of or of == "list"):
        told.add((*place, "of"), 'a list says of what, like of = "text"')
    if "choice" in (kind, of) and not table.get("choices"):
        told.add((*place, "choices"), 'a choice lists what there is, like choices = ["small", "large"]')
    for key in ("required", "internal"):
        if not isinstance(table.get(key, False), bool):
            told.add((*place, key), "true or false")
    if len(told.found) > before:
        return None
    return Field(
        name,
        kind,
        label=str(table.get("label", "")),
        of=of,
        choices=tuple(table.get("choices", ())),
        to=tuple(table.get("to", ())),
        required=bool(table.get("required", False)),
        owner=str(table.get("owner", "")),
        mutability=str(table.get("mutability", "")),
        internal=bool(table.get("internal", False)),
        help=str(table.get("help", "")),
    )


def _known(table: Mapping[str, Any], keys: frozenset[str], place: tuple[str, ...], told: Faults) -> None:
    """Keys that are not known, with the nearest that is."""
    for key in table:
        if key not in keys:
            told.add((*place, key), f"is not a known key{_near(key, keys)}; known are {', '.join(sorted(keys))}")


def _plain(table: Mapping[str, Any], place: tuple[str, ...], told: Faults) -> None:
    """Texts are texts, lists are lists of texts, owner and mutability are among what there is."""
    for key in _TEXTS:
        if not isinstance(table.get(key, ""), str):
            told.add((*place, key), "a text in quotes")
    for key in _LISTS:
        value = table.get(key, [])
        if not isinstance(value, list) or any(not isinstance(one, str) or not one for one in value):
            told.add((*place, key), 'a list of texts, like ["one", "two"]')
    for key, known in (("owner", OWNERS), ("mutability", MUTABILITY)):
        if table.get(key, known[0]) not in known:
            told.add((*place, key), f"one of {', '.join(known)}, not {table[key]!r}")


def _migrations(given: Any, place: tuple[str, ...], told: Faults) -> tuple[Migration, ...]:
    """The steps that bring bodies forward, each to a version."""
    found = []
    for one in given if isinstance(given, list) else [given]:
        right = isinstance(one, Mapping) and set(one) <= {"to", "rename", "convert", "default"}
        if not right or not isinstance(one.get("to"), int):
            told.add((*place, "migrations"), 'like { to = 2, rename = { old = "new" }, convert = { size = "number" } }')
            continue
        wrong = [to for to in _mapping(one.get("convert", {})).values() if to not in TYPES]
        for to in wrong:
            told.add((*place, "migrations"), f"{to!r} is no type{_near(str(to), TYPES)}")
        parts = {key: dict(_mapping(one.get(key, {}))) for key in ("rename", "convert", "default")}
        found.append(Migration(int(one["to"]), **parts))
    return tuple(found)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, sorted(known), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
