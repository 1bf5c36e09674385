"""Imports as pages: how the columns are understood, what would happen to the rows, what happened; it writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from soloist.engine.store import imports, kinds, reading
from soloist.engine.store.reading import Connection
from soloist.insight import records, sheets

SHOWN = 50
"""Rows of one list on a page; the rest is counted."""
WORDS: Mapping[str, str] = {
    "read": "not looked at yet",
    "new": "new",
    "change": "would add to what is known",
    "same": "known already, nothing to add",
    "review": "to look at",
    "unreadable": "could not be read",
    "lacking": "lack what is needed",
    "empty": "say nothing that is taken",
    "made": "made",
    "filled": "added to what was known",
    "known": "known already",
    "left": "left out",
    "undone": "taken back",
    "kept": "changed since, so they were left",
}
STATES: Mapping[str, tuple[str, str]] = {
    "reading": ("is being read", "warn"),
    "mapping": ("waits for its columns", "warn"),
    "checking": ("is being tried", "warn"),
    "review": ("waits to be looked through", "warn"),
    "taking": ("is being taken over", "warn"),
    "done": ("taken over", "go"),
    "undoing": ("is being taken back", "warn"),
    "undone": ("taken back", ""),
    "left": ("left", ""),
    "failed": ("could not be read", "bad"),
}
BUSY = frozenset({"reading", "checking", "taking", "undoing"})


@dataclass(frozen=True)
class Line:
    """One import in the list; ``tone`` is "go", "warn", "bad" or ""."""

    id: str
    name: str
    kind: str
    state: str
    tone: str
    said: str
    at: str
    review: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Column:
    """A column of the file and the field it leads to ("" for none)."""

    number: int
    head: str
    field: str
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A row of the file: its line, title, what would be or was done; ``kind`` where it is not that of all rows."""

    n: int
    line: int
    title: str
    outcome: str
    kind: str = ""
    why: str = ""
    href: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    differs: tuple[tuple[str, str, str], ...] = ()
    keeps: tuple[tuple[str, str, str], ...] = ()
    raw: str = ""
    choice: str = ""


@dataclass(frozen=True)
class Group:
    """Rows of one outcome; ``more`` are not shown."""

    outcome: str
    title: str
    rows: tuple[Row, ...]
    more: int = 0


@dataclass(frozen=True)
class ImportPage:
    """One import; ``busy`` while something is being done, ``done`` of ``total`` rows then."""

    id: str
    name: str
    state: str
    tone: str
    kind: str
    format: str
    at: str
    source: str = ""
    understood: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    remembered: str = ""
    rest: str = ""
    why: str = ""
    review: str = ""
    busy: bool = False
    columns: tuple[Column, ...] = ()
    targets: tuple[tuple[str, str], ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    done: int = 0
    total: int = 0

    @property
    def said(self) -> str:
        """The counts in words."""
        return told(self.counts)

    @property
    def left_out(self) -> list[str]:
        """Columns that are not taken."""
        return [one.head for one in self.columns if not one.field]

    @property
    def lines(self) -> list[str]:
        """The page as text for the terminal."""
        named = [f"  {one.head} -> {one.field or '(left out)'}" for one in self.columns]
        head = f"{self.name}: {STATES.get(self.state, (self.state, ''))[0]}; each row is a {self.kind}."
        known = [f"It looks like an export of {self.source}."] if self.source else []
        known += [self.remembered] if self.remembered else []
        others = [name for name in self.sheets if name != self.sheet]
        known += (
            [f"Sheet {self.sheet!r} was read. There are also: {', '.join(others)} (--sheet NAME)."] if others else []
        )
        unread = [
            f"  line {row.line}: {row.why}"
            for group in self.groups
            if group.outcome in _TOLD
            for row in group.rows[:20]
        ]
        return [
            head,
            *known,
            *(["Columns:", *named] if self.state in ("review", "mapping") else []),
            self.said,
            *unread,
        ]

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


_TOLD = ("unreadable", "lacking", "review", "kept")


def lines(conn: Connection) -> list[Line]:
    """Every import, the newest first."""
    return [_line(row) for row in imports.listed(conn)]


def listed(conn: Connection, limit: int, before: tuple[str, str] | None = None) -> list[dict[str, Any]]:
    """Imports as values, the newest first, after the (created, id) of the last one seen."""
    return [_values(row) for row in imports.listed(conn, limit, before)]


def row(conn: Connection, ident: str) -> dict[str, Any]:
    """One import as values (NotFound)."""
    return _values(imports.get(conn, ident))


def whole(conn: Connection, ident: str, targets: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One import with its columns as values (NotFound); ``targets`` are the fields that a column may become."""
    view = page(conn, ident, targets)
    told = {name: getattr(view, name) for name in ("source", "sheet", "sheets", "remembered", "rest", "why")}
    columns = [{"column": one.head, "field": one.field, "samples": list(one.samples)} for one in view.columns]
    return {**row(conn, ident), **told, "columns": columns, "targets": dict(targets or {})}


def rows(conn: Connection, ident: str, outcome: str, after: int, limit: int) -> list[dict[str, Any]]:
    """Rows of an import as values (NotFound), of one outcome ("" for all), after a number."""
    kind = imports.get(conn, ident)["kind"]
    outcomes = [outcome] if outcome else []
    return [_row_values(one, kind) for one in imports.rows(conn, ident, outcomes=outcomes, after=after, limit=limit)]


def _row_values(one: Mapping[str, Any], kind: str) -> dict[str, Any]:
    given, read = one["given"] or {}, one["read"] or {}
    return {
        "n": one["n"],
        "line": given.get("line", 0),
        "title": str(read.get("title") or ""),
        "kind": str(read.get("kind") or kind),
        "outcome": one["outcome"],
        "record": one["record"],
        "body": read.get("body") or {},
        "detail": one["detail"] or ({"why": one["match"]} if one["outcome"] == "unreadable" else {}),
        "raw": given.get("raw", ""),
    }


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("id", "name", "kind", "format", "state", "created")}
    return {**told, "counts": {name: int(value) for name, value in (row["counts"] or {}).items()}}


def line(conn: Connection, ident: str) -> Line:
    """One import on a line (NotFound)."""
    return _line(imports.get(conn, ident))


def _line(row: Mapping[str, Any]) -> Line:
    state, tone = STATES.get(row["state"], (row["state"], ""))
    review = str((row["report"] or {}).get("review", ""))
    return Line(row["id"], row["name"], row["kind"], state, tone, told(row["counts"] or {}), row["created"], review)


def told(counts: Mapping[str, int]) -> str:
    """Counts in words."""
    if "mails" in counts:
        return f"{counts['mails']} mails, {counts['new']} of them new"
    return ", ".join(f"{counts[key]} {text}" for key, text in WORDS.items() if counts.get(key)) or "no rows"


def page(conn: Connection, ident: str, targets: Mapping[str, str] | None = None) -> ImportPage:
    """One import (NotFound); ``targets`` are the fields a column may lead to."""
    row = imports.get(conn, ident)
    counts = imports.counts(conn, ident) or dict(row["counts"] or {})
    mapping, state = row["mapping"] or {}, row["state"]
    known = kinds.everything(conn)
    samples = mapping.get("samples") or []
    fields = mapping.get("fields") or {}
    columns = tuple(
        Column(n, head, fields.get(str(n), ""), tuple(samples[n] if n < len(samples) else ()))
        for n, head in enumerate(mapping.get("columns") or [])
    )
    shown = (
        ()
        if state in ("reading", "mapping", "checking") and not counts.get("unreadable")
        else _groups(conn, row, counts)
    )
    total = sum(number for name, number in counts.items() if name not in ("unreadable", "mails"))
    return ImportPage(
        id=ident,
        name=row["name"],
        state=state,
        tone=STATES.get(state, ("", ""))[1],
        kind=row["kind"],
        format=row["format"],
        at=row["created"],
        source=str(mapping.get("source", "")),
        understood=_understood(mapping),
        sheet=str(mapping.get("sheet") or ""),
        sheets=tuple(mapping.get("sheets") or ()),
        remembered=_remembered(mapping.get("remembered")),
        rest=str(mapping.get("rest") or ""),
        why=str((row["report"] or {}).get("why", "")),
        review=str((row["report"] or {}).get("review", "")),
        busy=state in BUSY,
        columns=columns,
        targets=tuple((targets or {}).items()),
        kinds=tuple((kind.name, kind.plural or kind.label or kind.name) for kind in known),
        counts=counts,
        groups=shown,
        done=total - sum(counts.get(name, 0) for name in ("new", "change", "same", "review", "read")),
        total=total,
    )


def _remembered(before: Mapping[str, str] | None) -> str:
    """That the columns are as they were chosen for another file, "" when they are not."""
    if not before:
        return ""
    return f"The columns are as you chose them for {before['name']} on {before['at'][:10]}, which had the same ones."


def _understood(mapping: Mapping[str, Any]) -> str:
    """How the file was read, in words."""
    named = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
    sign = mapping.get("delimiter", "")
    parts = [str(mapping.get("encoding", "")), f"parted by {named.get(sign, sign)}" if sign else ""]
    parts.append(f"sheet {mapping['sheet']}" if mapping.get("sheet") else "")
    parts.append("dates with the month first" if mapping.get("month_first") else "")
    return ", ".join(part for part in parts if part)


def _groups(conn: Connection, row: Mapping[str, Any], counts: Mapping[str, int]) -> tuple[Group, ...]:
    """Lists of rows, those that need a person first."""
    order = ("review", "unreadable", "lacking", "kept", "new", "change", "made", "filled", "left", "undone")
    found = []
    for outcome in order:
        if counts.get(outcome):
            rows = imports.rows(conn, row["id"], outcomes=[outcome], limit=SHOWN)
            linked = reading.named(conn, "records", [one["record"] for one in rows if one["record"]])
            places = {name: place for place, name in enumerate((row["mapping"] or {}).get("fields", {}).values())}
            shown = tuple(_row(one, row["kind"], linked, places) for one in rows)
            found.append(Group(outcome, WORDS[outcome], shown, counts[outcome] - len(shown)))
    return tuple(found)


def _row(row: Mapping[str, Any], kind: str, linked: Mapping[str, Mapping[str, Any]], order: Mapping[str, int]) -> Row:
    """One row; its fields in the order of the columns, without that which is its title."""
    given, read, detail = row["given"] or {}, row["read"] or {}, row["detail"] or {}
    body = read.get("body", {})
    double = f"The same as row {detail['double']}." if detail.get("double") and not detail.get("doubt") else ""
    why = " ".join(
        part
        for part in (row["match"] if row["outcome"] == "unreadable" else "", detail.get("doubt", ""), double)
        if part
    )
    notes = " ".join(detail.get("notes", []))
    return Row(
        n=row["n"],
        line=given.get("line", 0),
        title=str(read.get("title") or ""),
        kind=read["kind"] if read.get("kind", kind) != kind else "",
        outcome=row["outcome"],
        why=" ".join(part for part in (why, notes) if part),
        href=records.href(kind, row["record"]) if row["record"] in linked else "",
        fields=tuple(
            (_label(name), sheets.plain(value))
            for name, value in sorted(body.items(), key=lambda one: order.get(one[0], len(order)))
            if not _is_id(value) and value != read.get("title")
        ),
        differs=_pairs(detail.get("differs", {})),
        keeps=_pairs(detail.get("keeps", {})),
        raw=given.get("raw", ""),
        choice=detail.get("choice", ""),
    )


def _pairs(found: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[str, str, str], ...]:
    return tuple((_label(name), sheets.plain(one["mine"]), sheets.plain(one["offered"])) for name, one in found.items())


def _label(name: str) -> str:
    return records.LABELS.get(name, name.replace("_", " ").capitalize())


def _is_id(value: Any) -> bool:
    values: Sequence[Any] = value if isinstance(value, list) else [value]
    return any(isinstance(one, str) and len(one) == 36 and one.count("-") == 4 for one in values)
