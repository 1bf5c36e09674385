"""Kind: what records of one kind hold, which values fit, how old bodies are brought forward; no clock, no I/O."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from soloist.kernel import money

EMPTY: tuple[Any, ...] = (None, "", [], {})
MOST_TEXT, MOST_LONG, MOST_ITEMS, MOST_MINOR = 10_000, 2_000_000, 1_000, 2**53
TYPES: Mapping[str, str] = {
    "text": "a line of text",
    "long_text": "text",
    "money": 'an amount like {"minor": 120000, "currency": "EUR"} (minor units, so 1,200.00)',
    "date": "a day like 2026-11-21",
    "instant": "an instant like 2026-11-21T09:00:00Z",
    "number": "a number",
    "boolean": "true or false",
    "email": "an address like ada@okafor-ceramics.example",
    "phone": "a number like +4915112345678",
    "url": "an address that begins with https:// or http://",
    "choice": "one of the choices",
    "list": "a list",
    "record": "the id of a record",
    "asset": "the SHA-256 of a kept file (64 hex digits)",
    "data": "any JSON value",
}
"""Every type of field, and what would be right for it. Empty ("", [], null) always means: not set."""

OWNERS = ("outside", "system", "operator")
"""Who may have set a field, the weakest first."""
MUTABILITY = ("free", "once", "audit")
"""A field may change freely, may be set once only, or changes only with a reason."""


@dataclass(frozen=True)
class Field:
    """One field: its type, for lists the type of an item (``of``), for references the kinds they lead ``to``.

    ``internal`` fields are written by flows and not offered in forms; ``custom`` ones are the operator's own.
    """

    name: str
    type: str = "text"
    label: str = ""
    of: str = ""
    choices: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    required: bool = False
    owner: str = ""
    mutability: str = ""
    internal: bool = False
    custom: bool = False
    help: str = ""

    @property
    def said(self) -> str:
        """What it is called where a person sees it."""
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def item(self) -> str:
        """The type of one value: of an item for a list."""
        return self.of if self.type == "list" else self.type


@dataclass(frozen=True)
class Migration:
    """How bodies come to a revision: fields renamed, converted to another type, given a default; nothing is dropped."""

    to: int
    rename: Mapping[str, str] = field(default_factory=dict)
    convert: Mapping[str, str] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """One kind of record. ``number`` is the schema version of this home (0: not kept yet), ``revision`` the author's.

    ``title`` lists patterns like "{number}, {client}"; the first whose fields are all set names a record.
    ``moves`` lists the states that may follow a state; a state that is not in it may go anywhere.
    """

    name: str
    label: str = ""
    plural: str = ""
    revision: int = 1
    title: tuple[str, ...] = ("{name}",)
    fields: Mapping[str, Field] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    moves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owner: str = "operator"
    mutability: str = "free"
    retention: str = ""
    affordances: tuple[str, ...] = ()
    migrations: tuple[Migration, ...] = ()
    help: str = ""
    custom: bool = False
    number: int = 0

    def titled(self, body: Mapping[str, Any]) -> str:
        """The title of a body by the first rule that fits, "" when none does."""
        for pattern in self.title:
            names = re.findall(r"\{(\w+)\}", pattern)
            if all(body.get(name) not in EMPTY for name in names):
                return re.sub(r"\{(\w+)\}", lambda found: _plain(body.get(found[1])), pattern)[:300].strip()
        return ""

    def may_change(self, name: str) -> str:
        """The rule of a field: free, once or audit."""
        known = self.fields.get(name)
        return (known.mutability if known else "") or self.mutability

    def references(self, body: Mapping[str, Any]) -> set[tuple[str, str]]:
        """(role, id) of every record a body points at; the role is the name of the field."""
        found = set()
        for name, known in self.fields.items():
            if known.item == "record":
                value = body.get(name)
                values = value if isinstance(value, list) else [value]
                found |= {(name, one) for one in values if isinstance(one, str) and one}
        return found


def dumped(kind: Kind) -> dict[str, Any]:
    """A kind as JSON, without its number."""
    found = asdict(kind)
    found.pop("number")
    found["fields"] = [asdict(known) for known in kind.fields.values()]
    return found


def loaded(given: Mapping[str, Any], number: int = 0) -> Kind:
    """A kind from its JSON."""
    values: dict[str, Any] = {
        key: tuple(value) if key in ("title", "states", "affordances") else value
        for key, value in given.items()
        if key not in ("fields", "moves", "migrations")
    }
    return Kind(
        **values,
        fields={one["name"]: _field(one) for one in given.get("fields", ())},
        moves={state: tuple(after) for state, after in given.get("moves", {}).items()},
        migrations=tuple(Migration(**one) for one in given.get("migrations", ())),
        number=number,
    )


def _field(given: Mapping[str, Any]) -> Field:
    return Field(**{**given, "choices": tuple(given.get("choices", ())), "to": tuple(given.get("to", ()))})


def _plain(value: Any) -> str:
    """A value as it stands in a title."""
    if isinstance(value, list):
        return _plain(value[0]) if value else ""
    return "" if isinstance(value, dict) else str(value)


# ----- whether a value fits


def fault(known: Field, value: Any) -> str:
    """What would be right where a value does not fit its field, "" when it fits; empty values always fit."""
    if value in EMPTY:
        return ""
    if known.type != "list":
        return _misfit(known, known.type, value)
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        return f"a list of at most {MOST_ITEMS}, each {_right(known)}"
    wrong = next((item for item in value if _misfit(known, known.of or "text", item)), None)
    return "" if wrong is None else f"a list, each {_right(known)}; {str(wrong)[:60]!r} is not"


def _right(known: Field) -> str:
    """What would be right for one value of a field."""
    if known.item == "choice":
        return "one of " + ", ".join(known.choices)
    return TYPES[known.item or "text"]


def _misfit(known: Field, kind: str, value: Any) -> str:
    fits = value in known.choices if kind == "choice" and isinstance(value, str) else _FITS[kind](value)
    return "" if fits else _right(known)


def _text(value: Any, most: int = MOST_TEXT) -> bool:
    return isinstance(value, str) and len(value) <= most and "\x00" not in value


def _money(value: Any) -> bool:
    return money.is_amount(value) and abs(value["minor"]) < MOST_MINOR


def _day(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _instant(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) <= 1e15


def _pattern(pattern: str, most: int) -> Callable[[Any], bool]:
    found = re.compile(pattern)
    return lambda value: isinstance(value, str) and len(value) <= most and found.fullmatch(value) is not None


def storable(value: Any, depth: int = 0) -> bool:
    """JSON of a bounded depth, without the character no database text can hold."""
    if isinstance(value, str):
        return _text(value, MOST_LONG)
    if isinstance(value, Mapping | list):
        inner = [*value, *value.values()] if isinstance(value, Mapping) else value
        return depth < 20 and all(storable(one, depth + 1) for one in inner)
    return value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "text": _text,
    "long_text": lambda value: _text(value, MOST_LONG),
    "money": _money,
    "date": _day,
    "instant": _instant,
    "number": _number,
    "boolean": lambda value: isinstance(value, bool),
    "email": _pattern(r"[^@\s\x00-\x1f]{1,256}@[^@\s\x00-\x1f]{1,256}", 513),
    "phone": _pattern(r"\+?[0-9(][0-9 ()/.\-]{1,38}", 40),
    "url": _pattern(r"https?://[^\s\x00-\x1f]+", 4000),
    "record": _pattern(r"[A-Za-z0-9:._\-]+", 300),
    "asset": _pattern(r"[0-9a-f]{64}", 64),
    "data": storable,
    "choice": lambda value: False,
}


# ----- whether a body fits


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a body: the field, and what would be right, in a sentence."""

    field: str
    sentence: str


def faults(kind: Kind, body: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Fault]:
    """What is wrong with the fields of a body that differ from the ``old`` one, required ones for a new body.

    A value that was there before stays as it is, also one the schema no longer knows: nothing is lost by a schema.
    """
    before: Mapping[str, Any] = old or {}
    found = []
    for name, value in body.items():
        if name in before and before[name] == value:
            continue
        known = kind.fields.get(name)
        if known is None:
            found.append(Fault(name, _unknown(kind, name)))
        elif right := fault(known, value):
            found.append(Fault(name, f"{name}: needs {right}; nothing was written."))
        elif kind.may_change(name) == "once" and before.get(name) not in EMPTY:
            found.append(Fault(name, f"{name}: is set once and stays as it is; nothing was written."))
    for name, known in kind.fields.items():
        missing = body.get(name) in EMPTY
        if known.required and missing and (old is None or before.get(name) not in EMPTY):
            found.append(Fault(name, f"{name}: every {kind.name} needs it ({_right(known)}); nothing was written."))
    return found


def _unknown(kind: Kind, name: str) -> str:
    known = ", ".join(sorted(one.name for one in kind.fields.values() if not one.internal))
    near = difflib.get_close_matches(name, kind.fields, 1, 0.7)
    meant = f" Did you mean {near[0]}?" if near else f" It has: {known}."
    own = f"[records.fields.{kind.name}.{name}]" if re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name) else "[records.fields]"
    return (
        f"{name[:60]}: a {kind.name} has no such field; nothing was written.{meant} "
        f"A field of your own is declared in soloist.toml under {own}."
    )


def move_fault(kind: Kind, old: str, new: str) -> str:
    """What is wrong with a move from one state to another, "" when it may be made."""
    if new == old:
        return ""
    if new and kind.states and new not in kind.states:
        return f"state: a {kind.name} is one of {', '.join(kind.states)}, not {new[:40]!r}."
    after = kind.moves.get(old)
    if after is not None and new not in after:
        allowed = ", ".join(after) or "nothing else"
        return f"state: a {kind.name} that is {old} can become {allowed}, not {new or 'empty'}."
    return ""


# ----- bringing bodies forward


def forward(kind: Kind, revision: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body of an older revision as one of this kind's; a value that cannot be converted stays as it was."""
    found = dict(body)
    for step in sorted(kind.migrations, key=lambda one: one.to):
        if not revision < step.to <= kind.revision:
            continue
        for old, new in step.rename.items():
            if old in found and found.get(new) in EMPTY:
                found[new] = found.pop(old)
        for name, into in step.convert.items():
            if found.get(name) not in EMPTY:
                found[name] = converted(found[name], into)
        for name, value in step.default.items():
            if found.get(name) in EMPTY:
                found[name] = value
    return found


def converted(value: Any, into: str) -> Any:
    """A value as another type ("money", "number", "list", "text", ...); the value itself when that cannot be done."""
    probe = Field("probe", into, of="data")
    if not fault(probe, value):
        return value
    try:
        new = _CONVERSIONS.get(into, lambda same: same)(value)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return value
    return value if fault(probe, new) else new


def _to_number(value: Any) -> int | float:
    number = Decimal(str(value).replace(" ", "").replace("\u00a0", ""))
    return int(number) if number == number.to_integral_value() else float(number)


def _to_money(value: Any) -> dict[str, Any]:
    amount, _, currency = str(value).strip().rpartition(" ")
    return {"minor": money.minor(Decimal(amount.replace(",", "")), currency), "currency": currency.upper()}


def _to_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if _money(value):
        return f"{money.plain(value['minor'], value['currency'])} {value['currency']}"
    return str(value)


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "number": _to_number,
    "money": _to_money,
    "text": _to_text,
    "long_text": _to_text,
    "list": lambda value: [value],
    "date": lambda value: str(value)[:10],
    "boolean": lambda value: {"true": True, "yes": True, "false": False, "no": False}[str(value).strip().lower()],
}
