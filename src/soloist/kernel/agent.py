"""Agent: the contract of a role, and what one may hand to another; it reads no file and runs nothing.

A role says what it may use (``skills``), propose (``operations``), read and write (``kind`` or ``kind.field``), how
much it may cost, what follows after which failure, and what it may hand to whom. What is not listed is not allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from soloist.kernel.errors import BadConfig, NotAllowed
from soloist.kernel.model import AFTER, Fault, Next

Kind = Literal["task", "enrichment", "supervisor", "planner", "executor"]
Autonomy = Literal["observe", "propose", "act"]
Sla = Literal["now", "hour", "day", "morning", "week"]
Failure = Fault | Literal["skill", "objected", "output"]
"""Faults of models, a skill that failed, a supervisor that objects, and an output that does not fit its schema."""
Filler = Literal["said", "topic", "whom", "due", "week", "text"]
"""The whole sentence; what stands for "..."; a record that it names; its day; the week meant; a text put below it."""
AUTONOMY: tuple[str, ...] = get_args(Autonomy)
"""Each allows more than the one before it."""
SLA: Mapping[str, str] = {
    "now": "while somebody waits",
    "hour": "within the hour",
    "day": "within the day",
    "morning": "by the next morning, so it may wait for the cheap hours",
    "week": "within the week",
}
KINDS: Mapping[str, str] = {
    "task": "does one piece of work on what it is given",
    "enrichment": "adds to records what can be known, and proposes nothing outside",
    "supervisor": "checks what others made before the operator sees it",
    "planner": "takes a goal apart into tasks, and carries none of them out",
    "executor": "carries out tasks, and proposes what is to be done outside",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NAME = r"^[a-z][a-z0-9_]{1,39}$"
_VERSION = r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}(-[a-z0-9][a-z0-9.]{0,30})?$"
_PLACE = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?\Z")


def waits(text: str) -> float:
    """Seconds of a time like 30s, 5m or 2h."""
    return float(int(text[:-1]) * _UNITS[text[-1]])


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Part):
    """Most that one run may take; None and "" for no cap of the role's own. Caps of the house hold all the same."""

    timeout: str = Field(default="60s", pattern=r"^[0-9]{1,5}[smhdw]$")
    proposals_per_run: int = Field(default=0, ge=0, le=100)
    model_calls: int | None = Field(default=None, ge=0, le=1000)
    tokens: int | None = Field(default=None, ge=0)
    money: str = Field(default="", pattern=r"^([0-9]{1,7}(\.[0-9]{1,6})? [A-Z]{3})?$")

    @property
    def seconds(self) -> float:
        """The time limit."""
        return waits(self.timeout)

    @property
    def micro(self) -> tuple[int, str] | None:
        """The cap of money in millionths, with its currency."""
        if not self.money:
            return None
        amount, currency = self.money.split()
        whole, _, rest = amount.partition(".")
        return int(whole) * 1_000_000 + int(rest.ljust(6, "0") or 0), currency


class After(_Part):
    """What follows after one kind of failure: ``again`` so often, after ``wait``, then each of ``then`` in order."""

    again: int = Field(default=0, ge=0, le=10)
    wait: str = Field(default="1s", pattern=r"^[0-9]{1,5}[smhdw]$")
    then: tuple[Next, ...] = ("operator",)

    @property
    def seconds(self) -> float:
        """How long is waited before it is tried again."""
        return waits(self.wait)

    @field_validator("then")
    @classmethod
    def _ends_with_a_person(cls, value: tuple[Next, ...]) -> tuple[Next, ...]:
        if not value or value[-1] != "operator":
            raise ValueError('the last step is always "operator": nothing ends in silence')
        return value


class Handoff(_Part):
    """What a role may hand to another: a kind of work, with which values, and when, in words."""

    to: str = Field(pattern=_NAME)
    work: str = Field(min_length=3, max_length=60)
    values: tuple[str, ...] = ()
    when: str = Field(min_length=5, max_length=300)


class Wish(_Part):
    """One way in which a role is asked in plain words: sentences that mean it, and what fills which field of its input.

    "..." in a sentence stands for any words: they are the topic. ``needs`` are fields without which it is asked back.
    """

    name: str = Field(pattern=_NAME)
    label: str = Field(min_length=3, max_length=80)
    says: tuple[str, ...] = Field(min_length=1, max_length=80)
    fills: Mapping[str, Filler] = {}
    needs: tuple[str, ...] = ()


class AgentSpec(_Part):
    """A versioned role: what it may use, read, write, propose, cost and hand on."""

    name: str = Field(pattern=_NAME)
    version: str = Field(pattern=_VERSION)
    kind: Kind
    summary: str = Field(min_length=10, max_length=300)
    tier: int = Field(default=0, ge=0, le=4)
    autonomy: Autonomy = "propose"
    sla: Sla = "day"
    skills: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    limits: Limits = Limits()
    failures: Mapping[Failure, After] = {}
    input: Mapping[str, Any] = {}
    output: Mapping[str, Any] = {}
    handoffs: tuple[Handoff, ...] = ()
    wishes: tuple[Wish, ...] = ()
    capability: str = Field(default="", max_length=40, description="the group it stands in on the page of agents")
    flows: tuple[str, ...] = Field(default=(), description="new runs of these wait while the agent does not work")
    digest: str = ""

    @field_validator("reads", "writes")
    @classmethod
    def _places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for place in value:
            if not _PLACE.match(place):
                raise ValueError(f"{place!r} is no kind and no kind.field, like person or invoice.total")
        return value

    @field_validator("input", "output")
    @classmethod
    def _schema(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if value and (fault := amiss(value)):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _sound(self) -> AgentSpec:
        if self.kind == "supervisor" and self.operations:
            raise ValueError("operations: a supervisor proposes nothing, it lets pass or objects")
        if self.kind in ("enrichment", "planner") and self.operations:
            raise ValueError(f"operations: the kind {self.kind} proposes nothing outside; an executor or a task does")
        if self.operations and self.autonomy == "observe":
            raise ValueError('operations: who only observes proposes nothing; say autonomy = "propose"')
        if self.operations and not self.limits.proposals_per_run:
            raise ValueError("limits.proposals_per_run: 0, but there are operations; say how many a run may propose")
        for name in ("skills", "operations"):
            given = getattr(self, name)
            if twice := sorted({item for item in given if given.count(item) > 1}):
                raise ValueError(f"{name}: {twice[0]!r} stands there twice")
        if any(handoff.to == self.name for handoff in self.handoffs):
            raise ValueError("handoffs: nobody hands work to themselves")
        for wish in self.wishes:
            if fault := _unfilled(wish, self.input.get("properties", {})):
                raise ValueError(f"wishes: {wish.name}: {fault}")
        return self

    @property
    def label(self) -> str:
        """Name and version, as runs and cards show it."""
        return f"{self.name}@{self.version}"

    def may_use(self, skill: str) -> None:
        """NotAllowed unless the skill is listed."""
        if skill not in self.skills:
            raise NotAllowed(f"The agent {self.label} may not use the skill {skill}; its agent.toml does not list it.")

    def may_propose(self, operation: str, already: int = 0) -> None:
        """NotAllowed unless the operation is listed and the run has made fewer than its proposals before."""
        if operation not in self.operations:
            raise NotAllowed(f"The agent {self.label} may not propose {operation}; its agent.toml does not list it.")
        if already >= self.limits.proposals_per_run:
            raise NotAllowed(
                f"The agent {self.label} has made the {self.limits.proposals_per_run} proposals of one run already; "
                "limits.proposals_per_run in its agent.toml allows no more."
            )

    def may_read(self, kind: str, field: str = "") -> None:
        """NotAllowed unless the kind, or this field of it, is listed under ``reads``."""
        self._may("read", self.reads, kind, field)

    def readable(self, kind: str) -> frozenset[str] | None:
        """The fields of a kind that are listed under ``reads``, None for all of it (NotAllowed when none is)."""
        if kind in self.reads:
            return None
        fields = frozenset(place.partition(".")[2] for place in self.reads if place.startswith(f"{kind}."))
        if not fields:
            self.may_read(kind)
        return fields

    def sees(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A record as this role may read it: what is not listed is not in it, nor a title without the name.

        NotAllowed when nothing of its kind is listed.
        """
        fields = self.readable(row["kind"])
        if fields is None:
            return dict(row)
        body = {name: value for name, value in (row["body"] or {}).items() if name in fields}
        return {**row, "body": body, "title": row["title"] if "name" in fields else ""}

    def may_write(self, kind: str, fields: Iterable[str] = ("",)) -> None:
        """NotAllowed unless the kind, or each of these fields of it, is listed under ``writes``."""
        for field in fields:
            self._may("write", self.writes, kind, field)

    def may_hand(self, to: str, work: str, values: Iterable[str] = ()) -> Handoff:
        """The contract under which work goes to another (NotAllowed)."""
        for handoff in self.handoffs:
            if (handoff.to, handoff.work) == (to, work):
                if more := sorted(set(values) - set(handoff.values)):
                    raise NotAllowed(f"The agent {self.label} may not hand {more[0]} to {to} with {work}.")
                return handoff
        raise NotAllowed(f"The agent {self.label} may not hand {work} to {to}; its agent.toml lists no such handoff.")

    def after(self, failure: str) -> After:
        """What follows after a failure: what the role says, else what holds for all."""
        own: After | None = self.failures.get(failure)  # type: ignore[call-overload]  # any word may be asked for
        if own is not None:
            return own
        then = tuple(step for step in AFTER.get(failure, ("operator",)) if step != "again")
        return After(again=int("again" in AFTER.get(failure, ())), then=then or ("operator",))

    def _may(self, verb: str, places: Sequence[str], kind: str, field: str) -> None:
        if kind not in places and f"{kind}.{field}" not in places:
            what = f"{kind}.{field}" if field else kind
            raise NotAllowed(f"The agent {self.label} may not {verb} {what}; its agent.toml does not list it.")


def _unfilled(wish: Wish, parts: Mapping[str, Any]) -> str:
    """Which field of a wish the input does not have, or cannot be found for it; "" when all fits."""
    for name in (*wish.fills, *wish.needs):
        if name not in parts:
            return f"{name!r} is no field of its input{meant(name, parts)}"
    for name, filler in wish.fills.items():
        if filler == "whom" and not parts[name].get("picks"):
            return f"{name!r} is filled with whom it is about, so its input says picks"
    if missing := [name for name in wish.needs if name not in wish.fills]:
        return f"{missing[0]!r} is needed, and nothing fills it"
    return ""


def narrowed(giver: AgentSpec, taker: AgentSpec) -> AgentSpec:
    """The taker's contract for work that the giver hands to it: never more than either of them has alone."""
    return taker.model_copy(
        update={
            "skills": _both(giver.skills, taker.skills),
            "operations": _both(giver.operations, taker.operations),
            "reads": _places_of_both(giver.reads, taker.reads),
            "writes": _places_of_both(giver.writes, taker.writes),
            "tier": min(giver.tier, taker.tier),
            "autonomy": min(giver.autonomy, taker.autonomy, key=AUTONOMY.index),
            "limits": _least(giver.limits, taker.limits),
            "handoffs": tuple(handoff for handoff in taker.handoffs if handoff in giver.handoffs),
        }
    )


def _both(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(item for item in other if item in one)


def _places_of_both(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Kinds and fields that both list; a kind holds each of its fields."""
    pairs = ((one, other), (other, one))
    found = {p for a, b in pairs for p in a if p in b or p.partition(".")[0] in b}
    return tuple(sorted(found))


def _least(one: Limits, other: Limits) -> Limits:
    """The smaller of each cap; of money in two currencies the taker's stays, and the giver's holds beside it."""

    def least(a: int | None, b: int | None) -> int | None:
        return min((x for x in (a, b) if x is not None), default=None)

    money = other.money or one.money
    if one.micro and other.micro and one.micro[1] == other.micro[1]:
        money = one.money if one.micro < other.micro else other.money
    return Limits(
        timeout=min((one.timeout, other.timeout), key=lambda t: int(t[:-1]) * _UNITS[t[-1]]),
        proposals_per_run=min(one.proposals_per_run, other.proposals_per_run),
        model_calls=least(one.model_calls, other.model_calls),
        tokens=least(one.tokens, other.tokens),
        money=money,
    )


def parsed(raw: Mapping[str, Any], place: str, digest: str = "") -> AgentSpec:
    """The contract of a role from its table (BadConfig: the file, the key, and what would be right)."""
    try:
        return AgentSpec.model_validate({**raw, "digest": digest})
    except ValidationError as error:
        told = "; ".join(dict.fromkeys(_said(fault) for fault in error.errors()))
        end = "" if told.endswith("?") else "."
        raise BadConfig(f"{place}: {told}{end}", field=".".join(map(str, error.errors()[0]["loc"])) or None) from error


_PARTS: Mapping[str, type[BaseModel]] = {"limits": Limits, "failures": After, "handoffs": Handoff, "wishes": Wish}


def _said(fault: Any) -> str:
    loc = [str(part) for part in fault["loc"]]
    place, message = ".".join(part for part in loc if part != "[key]"), str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        model = _PARTS.get(loc[0], AgentSpec) if len(loc) > 1 else AgentSpec
        return f"{place}: there is no such key{meant(loc[-1], [*model.model_fields])}"
    if fault["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", str(fault["ctx"]["expected"]))
        return f"{place}: {fault['input']!r} is none of {', '.join(known)}{meant(str(fault['input']), known)}"
    if fault["type"] == "missing":
        return f"{place}: is missing"
    if fault["type"] == "string_pattern_mismatch":
        return f"{place}: {fault['input']!r} has not the form that is needed ({_FORMS.get(loc[-1], message)})"
    return f"{place}: {message}" if place else message


_FORMS = {
    "name": "small letters, digits and _, like crm_keeper",
    "to": "the name of an agent, like billing",
    "version": "numbers with dots, like 2 or 2.1; in quotation marks",
    "timeout": "a time, like 30s, 5m or 2h",
    "wait": "a time, like 30s, 5m or 2h",
    "money": "an amount with its currency, like 0.50 EUR",
}


def meant(word: str, known: Iterable[str]) -> str:
    """A hint for a word that is not known, to be put behind a sentence's last word; "" when nothing is like it."""
    near = get_close_matches(word, sorted(known), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_KEYS = frozenset(
    "type properties required items enum description additionalProperties maxLength minLength picks".split()
)


def amiss(schema: Mapping[str, Any], path: str = "") -> str:
    """What is wrong with a schema of this small part of JSON Schema, "" for nothing."""
    here = f"{path}: " if path else ""
    if unknown := sorted(set(schema) - _KEYS):
        return f"{here}{unknown[0]!r} is no word of a schema here{meant(unknown[0], _KEYS)}"
    kind = schema.get("type", "" if path else "object")
    if kind not in _TYPES:
        return f"{here}the type {kind!r} is none of {', '.join(_TYPES)}{meant(str(kind), _TYPES)}"
    parts = schema.get("properties", {})
    if kind != "object" and (parts or "required" in schema):
        return f"{here}only an object has properties"
    if missing := [name for name in schema.get("required", ()) if name not in parts]:
        return f"{here}{missing[0]!r} is required and not among the properties{meant(missing[0], parts)}"
    if kind == "array" and "items" not in schema:
        return f"{here}an array says what its items are"
    inner = [*parts.items(), *([("*", schema["items"])] if "items" in schema else [])]
    for name, part in inner:
        if not isinstance(part, Mapping):
            return f"{here}{name} is no schema"
        if fault := amiss(part, f"{path}.{name}" if path else name):
            return fault
    return ""


def misfits(schema: Mapping[str, Any], value: Any, path: str = "") -> list[str]:
    """Why a value does not fit a schema, as sentences without a dot; none when it fits, or when there is no schema."""
    if not schema:
        return []
    here, kind = path or "the value", str(schema.get("type", "object"))
    wanted = _TYPES[kind]
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind in ("integer", "number")):
        return [f"{here} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{here} is {value!r}, none of {', '.join(map(str, schema['enum']))}"]
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        return [f"{here} has {len(value)} characters, more than {schema['maxLength']}"]
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return [f"{here} has {len(value)} characters, fewer than {schema['minLength']}"]
    if isinstance(value, list):
        return [s for n, item in enumerate(value) for s in misfits(schema["items"], item, f"{path}.{n}".lstrip("."))]
    if not isinstance(value, dict):
        return []
    parts = schema.get("properties", {})
    found = [f"{name} is missing in {here}" for name in schema.get("required", ()) if name not in value]
    if not schema.get("additionalProperties", False):
        found += [
            f"{here} has {name!r}, which is not foreseen{meant(name, parts)}" for name in value if name not in parts
        ]
    for name, part in parts.items():
        if name in value:
            found += misfits(part, value[name], f"{path}.{name}".lstrip("."))
    return found
