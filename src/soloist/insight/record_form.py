"""Records as forms: each field as a person writes and reads it, and back into a value; nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from soloist.engine.store import kinds, records
from soloist.engine.store.reading import Connection
from soloist.insight import diff
from soloist.insight.views import FieldDiff
from soloist.kernel import money
from soloist.kernel.errors import BadInput
from soloist.kernel.kind import EMPTY, Field, Kind, fault

MOST_CHOICES = 200
"""Records that are offered in a list to choose from; beyond them the newest ones."""
SAID = {"operator": "you", "system": "Soloist", "outside": "messages and imports"}
_AMOUNT = re.compile(r"(-?)\s*([\d.,' \u00a0]*\d)\s*([A-Za-z]{3})?\Z")


@dataclass(frozen=True)
class Widget:
    """One field of a form: its text, how it is entered (line, lines, yes, choice, date, instant), who owns it."""

    name: str
    label: str
    shape: str
    text: str = ""
    chosen: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    several: bool = False
    required: bool = False
    help: str = ""
    owner: str = ""
    audited: bool = False
    error: str = ""

    @property
    def owned(self) -> str:
        """Who owns it in words."""
        return SAID.get(self.owner, "nobody yet")


@dataclass(frozen=True)
class Form:
    """A record, or a new one (``version`` 0), as a form."""

    kind: str
    label: str
    plural: str
    help: str
    affordances: tuple[str, ...]
    widgets: tuple[Widget, ...]
    id: str = ""
    version: int = 0
    title: str = ""
    state: str = ""
    states: tuple[str, ...] = ()
    error: str = ""
    why: str = ""
    passages: tuple[Mapping[str, Any], ...] = ()
    retention: str = ""

    @property
    def by_name(self) -> dict[str, Widget]:
        """Its fields by name."""
        return {one.name: one for one in self.widgets}


@dataclass(frozen=True)
class Side:
    """One field that differs: as it was read, as somebody wrote it since, as you wrote it; what is chosen at first."""

    name: str
    label: str
    base: str
    theirs: str
    yours: str
    chosen: str
    both: bool
    changed: FieldDiff


@dataclass(frozen=True)
class MergePage:
    """A write that came too late, field by field."""

    kind: str
    id: str
    title: str
    read: int
    version: int
    who: str
    why: str
    sides: tuple[Side, ...]
    state: str = ""


@dataclass(frozen=True)
class KindLine:
    """A kind in the list of kinds."""

    name: str
    label: str
    help: str
    count: int
    fields: tuple[tuple[str, str], ...]
    states: tuple[str, ...]
    retention: str
    custom: bool


def listed(conn: Connection) -> tuple[KindLine, ...]:
    """Every kind with what its records hold."""
    there = kinds.counts(conn)
    return tuple(_kind_line(kind, there.get(kind.name, 0)) for kind in kinds.everything(conn))


def _kind_line(kind: Kind, count: int) -> KindLine:
    fields = tuple((one.said, _typed(one)) for one in kind.fields.values() if not one.internal)
    return KindLine(kind.name, kind.plural, kind.help, count, fields, kind.states, kind.retention, kind.custom)


def _typed(known: Field) -> str:
    """The type of a field in words."""
    plain = {"long_text": "text", "record": " or ".join(known.to) or "record", "data": "data"}
    said = plain.get(known.item, known.item)
    return f"{said}, several" if known.type == "list" else said


def form(
    conn: Connection,
    kind: str,
    ident: str = "",
    *,
    zone: ZoneInfo,
    given: Mapping[str, Sequence[str]] | None = None,
    error: BadInput | None = None,
) -> Form:
    """The form of a record (NotFound), or of a new one; ``given`` is what was entered, with what was wrong about it."""
    empty: dict[str, Any] = {"kind": kind, "body": {}, "version": 0, "title": "", "state": ""}
    row = records.get(conn, ident, kind) if ident else empty
    schema = kinds.current(conn, row["kind"], new=not ident)
    if schema is None:
        raise BadInput(f"kind: there is no kind of record {kind[:60]!r}.", field="kind")
    held = records.inferred(conn, row) if ident else {}
    widgets = []
    for known in schema.fields.values():
        if known.internal or known.item == "data":
            continue
        texts = list(given[known.name]) if given and known.name in given else entered(known, row["body"], zone)
        said = error.detail if error and error.field == known.name else ""
        widgets.append(_widget(conn, schema, known, texts, owner=held.get(known.name, ""), error=said))
    placed = {one.name for one in widgets}
    after = schema.moves.get(row["state"], schema.states)
    return Form(
        schema.name,
        schema.label,
        schema.plural,
        schema.help,
        schema.affordances,
        tuple(widgets),
        id=ident,
        version=row["version"],
        title=row["title"],
        state=row["state"],
        states=tuple(dict.fromkeys([row["state"], *after])) if schema.states else (),
        error=error.detail if error and error.field not in placed else "",
        passages=tuple(row["body"].get("conflicts") or ()) if schema.name == "draft" else (),
        retention=schema.retention,
    )


def _widget(conn: Connection, schema: Kind, known: Field, texts: Sequence[str], *, owner: str, error: str) -> Widget:
    """How one field is entered."""
    several, choices = known.type == "list" and known.item in ("choice", "record"), known.choices
    offered = tuple((one, one) for one in choices) if known.item == "choice" else ()
    if known.item == "record":
        offered = _candidates(conn, known, texts)
    shapes = {"long_text": "lines", "boolean": "yes", "date": "date", "instant": "instant"}
    shape = "lines" if known.type == "list" else shapes.get(known.type, "line")
    shape = "choice" if known.item in ("choice", "record") else shape
    return Widget(
        known.name,
        known.said,
        shape,
        "" if several else "\n".join(texts),
        chosen=tuple(texts),
        choices=offered,
        several=several,
        required=known.required,
        help=known.help or _HELP.get(known.item, "One on each line." if known.type == "list" else ""),
        owner=owner,
        audited=schema.may_change(known.name) == "audit" and bool(texts),
        error=error,
    )


_HELP = {"money": "Like 1200.00 EUR.", "asset": "SHA-256 of a kept file.", "url": "Begins with https://."}


def _candidates(conn: Connection, known: Field, chosen: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Records a reference may lead to, newest first, and the chosen ones in any case."""
    found: dict[str, str] = {}
    for kind in known.to or tuple(one.name for one in kinds.everything(conn)):
        rows = records.listed(conn, kind, before=None, limit=MOST_CHOICES)
        found |= {row["id"]: row["title"] for row in rows if not row.get("merged_into")}
    for ident in chosen:
        found.setdefault(ident, ident)
    return tuple(found.items())


# ----- values as a person writes them


def entered(known: Field, body: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    """A value as the texts of its form field."""
    value = body.get(known.name)
    if value in EMPTY:
        return []
    values = value if known.type == "list" and isinstance(value, list) else [value]
    return [shown(known, one, zone) for one in values]


def shown(known: Field, value: Any, zone: ZoneInfo) -> str:
    """One value as a person writes it: amounts like "1200.00 EUR", instants in the operator's zone."""
    if known.item == "money" and isinstance(value, Mapping):
        return f"{money.plain(value['minor'], value['currency'])} {value['currency']}"
    if known.item == "boolean":
        return "yes" if value else "no"
    if known.item == "instant" and not fault(Field("probe", "instant"), value):
        return datetime.fromisoformat(value).astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    return str(value)


def read(known: Field, texts: Sequence[str], *, zone: ZoneInfo, currency: str) -> Any:
    """The value of a form field (BadInput names it and what would be right); empty texts are an empty value."""
    if known.type == "list":
        lines = texts if known.item in ("choice", "record") else "\n".join(texts).splitlines()
        return [_one(known, line.strip(), zone, currency) for line in lines if line.strip()]
    text = "\n".join(texts).replace("\r\n", "\n")
    text = text if known.type == "long_text" else text.strip()
    return _one(known, text, zone, currency) if text.strip() else ""


def _one(known: Field, text: str, zone: ZoneInfo, currency: str) -> Any:
    """One value from its text."""
    if known.item == "money":
        return amount(text, currency, known.name)
    if known.item == "number":
        try:
            number = Decimal(text.replace(",", "."))
            return int(number) if number == number.to_integral_value() else float(number)
        except (InvalidOperation, ValueError, OverflowError) as error:
            raise BadInput(f"{known.name}: needs a number, not {text[:40]!r}.", field=known.name) from error
    if known.item == "boolean":
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
    if known.item == "instant":
        try:
            told = datetime.fromisoformat(text)
            return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(ZoneInfo("UTC")).isoformat()
        except (ValueError, OverflowError) as error:
            raise BadInput(f"{known.name}: needs an instant like 2026-11-21T09:00.", field=known.name) from error
    return text


def amount(text: str, currency: str, name: str) -> dict[str, Any]:
    """An amount as a person writes it (1,200.50 EUR, 1.200,50, 1200) in minor units (BadInput)."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{name}: needs an amount like 1200.00 {currency}, not {text[:40]!r}.", field=name)
    sign, digits, code = found.groups()
    digits = re.sub(r"[' \u00a0]", "", digits)
    last = max(digits.rfind("."), digits.rfind(","))
    fine = {1, 2, money.digits((code or currency).upper())} - {0}
    cents = digits[last + 1 :] if last >= 0 and len(digits) - last - 1 in fine else ""
    whole = re.sub(r"[.,]", "", digits[:last] if cents else digits)
    code = (code or currency).upper()
    try:
        return {"minor": money.minor(Decimal(f"{sign}{whole or 0}.{cents or 0}"), code), "currency": code}
    except ValueError as error:
        raise BadInput(f"{name}: {error}; it has {money.digits(code)} digits.", field=name) from error


# ----- a write that came too late


def merging(
    conn: Connection, kind: str, ident: str, yours: Mapping[str, Any], *, read_at: int, zone: ZoneInfo, state: str = ""
) -> MergePage:
    """Field by field: what was read, what somebody wrote since, what you wrote (NotFound)."""
    now = records.get(conn, ident, kind)
    schema = kinds.current(conn, now["kind"])
    old = records.version(conn, ident, read_at)
    base = records.forwarded(conn, records.as_record(now, old))["body"] if old else {}
    newest = records.history(conn, ident, limit=1)[0]
    sides = []
    for name, mine in yours.items():
        known = (schema.fields.get(name) if schema else None) or Field(name)
        was, is_now = base.get(name), now["body"].get(name)
        if _same(mine, is_now) or _same(mine, was):
            continue
        texts = {key: "\n".join(entered(known, {name: value}, zone)) for key, value in _three(was, is_now, mine)}
        chosen = "yours" if _same(is_now, was) else ""
        joined = known.type == "list" or known.item in ("text", "long_text")
        told = diff.field(known.said, texts["theirs"], texts["yours"])
        said = (texts["base"], texts["theirs"], texts["yours"])
        sides.append(Side(name, known.said, *said, chosen=chosen, both=joined, changed=told))
    who = {"operator": "you, in another window", "soloist": "Soloist"}.get(newest["actor"], newest["actor"])
    return MergePage(
        now["kind"], ident, now["title"], read_at, now["version"], who, newest["reason"], tuple(sides), state
    )


def _three(was: Any, is_now: Any, mine: Any) -> tuple[tuple[str, Any], ...]:
    return (("base", was), ("theirs", is_now), ("yours", mine))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other or (one in EMPTY and other in EMPTY))


def both(known: Field, theirs: Any, yours: Any) -> Any:
    """Two values as one: lists joined, texts below each other."""
    if known.type == "list":
        return [*(theirs or []), *(one for one in yours or [] if one not in (theirs or []))]
    gap = "\n\n" if known.type == "long_text" else " / "
    return gap.join(str(one) for one in (theirs, yours) if one not in EMPTY)
