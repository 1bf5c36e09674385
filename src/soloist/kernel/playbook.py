"""Playbook: a saved plan as data: its trigger and its tasks; it reads no file, knows no agent and runs nothing.

A task's input is literal values, and ``{from = "trigger.client"}`` or ``{from = "tasks.notes.value.tasks"}`` where a
value comes from what started the plan or from an earlier task. That is all there is: no expression, no template.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from soloist.kernel.agent import meant, waits
from soloist.kernel.errors import BadConfig
from soloist.kernel.hashing import json_hash

OPERATOR = "operator"
"""Who does a task that is no agent's: it becomes a card of the operator's."""
OF_MESSAGE = ("message", "conversation", "client", "sender", "name", "subject", "text", "language")
"""What a plan that a message started can take from its trigger; ``client`` is the record of who wrote, if known."""
OF_RECORD = ("record", "kind", "state", "title")
OF_TASK = ("value", "said", "records")
"""What a later task can take from an earlier one: its result, the sentence about it, ids of the records it wrote."""
FROM = "from"
MOST_TASKS = 40
_NAME = r"^[a-z][a-z0-9_-]{1,39}$"
_AFTER = r"^([0-9]{1,4}[smhdw])?$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Trigger(_Part):
    """What starts it: the operator (``values`` are asked for, each with a word on what it is), an intent of theirs
    that leads to it by its name, or a record of ``kind`` that reaches ``state``."""

    by: Literal["hand", "intent", "record"] = "hand"
    values: Mapping[str, str] = {}
    kind: str = Field(default="", max_length=40)
    state: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def _sound(self) -> Trigger:
        if self.by == "record" and not (self.kind and self.state):
            raise ValueError("by a record needs kind and state, like offer and accepted")
        if self.by != "record" and (self.kind or self.state):
            raise ValueError(f"kind and state belong to a trigger by record, not by {self.by}")
        if self.by != "hand" and self.values:
            raise ValueError(f"values belong to a trigger by hand; one by {self.by} has {', '.join(self.names)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The values that tasks can take from it."""
        return {"hand": tuple(self.values), "intent": OF_MESSAGE, "record": OF_RECORD}[self.by]


class PlanTask(_Part):
    """One task: who does it with what, after which others, how long after the start it begins and is due."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str = Field(default="", max_length=160)
    agent: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    skill: str = Field(default="", max_length=80)
    input: Mapping[str, Any] = {}
    wanted: str = Field(default="", max_length=500)
    after: tuple[str, ...] = ()
    begins: str = Field(default="", pattern=_AFTER)
    due: str = Field(default="", pattern=_AFTER)
    lane: Literal["now", "morning"] = "now"
    given_by: tuple[str, ...] = ()
    work: str = Field(default="", max_length=60)

    @model_validator(mode="after")
    def _sound(self) -> PlanTask:
        if self.agent == OPERATOR and (self.skill or self.given_by or self.lane != "now"):
            raise ValueError("a task of the operator has no skill, lane or given_by")
        if self.agent == OPERATOR and not self.title:
            raise ValueError("a task of the operator needs a title, so that its card says what to do")
        if bool(self.given_by) != bool(self.work):
            raise ValueError("given_by and work belong together: who hands it on, and the handoff of their contract")
        for value in _references(self.input):
            if not isinstance(value, str):
                raise ValueError('input: from: is a name in quotation marks, like {from = "trigger.client"}')
        return self

    @property
    def references(self) -> tuple[str, ...]:
        """The dotted names its input takes values from."""
        return tuple(_references(self.input))

    @property
    def called(self) -> str:
        """The task in words."""
        return self.title or self.wanted or f"{self.agent}: {self.skill or 'its own work'}"

    def seconds(self, which: Literal["begins", "due"]) -> float:
        """Seconds after the start, 0 when it does not say."""
        text = self.begins if which == "begins" else self.due
        return waits(text) if text else 0.0


class Playbook(_Part):
    """A named, versioned plan."""

    name: str = Field(pattern=_NAME)
    version: str = Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}(-[a-z0-9][a-z0-9.]{0,30})?$")
    title: str = Field(min_length=3, max_length=120)
    summary: str = Field(default="", max_length=500)
    money: str = Field(default="", pattern=r"^([0-9]{1,7}(\.[0-9]{1,6})? [A-Z]{3})?$")
    trigger: Trigger = Trigger()
    tasks: tuple[PlanTask, ...] = Field(min_length=1, max_length=MOST_TASKS)
    digest: str = ""

    @field_validator("tasks")
    @classmethod
    def _ordered(cls, tasks: tuple[PlanTask, ...]) -> tuple[PlanTask, ...]:
        names = [task.id for task in tasks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the id {twice[0]!r} stands there twice")
        for task in tasks:
            for other in task.after:
                if other not in names:
                    raise ValueError(f"{task.id}: after: there is no task {other!r}{meant(other, names)}")
        if circle := _circle(tasks):
            raise ValueError(f"{' after '.join(circle)}: this goes in a circle, so none of them could begin")
        return tasks

    @model_validator(mode="after")
    def _sources(self) -> Playbook:
        for task in self.tasks:
            before = self.before(task.id)
            for name in task.references:
                if fault := self._source(name, before):
                    raise ValueError(f"tasks: {task.id}: input: {fault}")
        return self

    def _source(self, name: str, before: frozenset[str]) -> str:
        """Why a value cannot be taken from there, "" when it can."""
        root, _, rest = name.partition(".")
        first, _, more = rest.partition(".")
        if root == "trigger":
            if first in self.trigger.names:
                return ""
            known = ", ".join(self.trigger.names) or "none"
            return f"the trigger has no value {first!r}{meant(first, self.trigger.names)}; it has {known}"
        if root != "tasks":
            return f"{name!r} begins with neither trigger nor tasks, like trigger.client or tasks.notes.value"
        if first not in before:
            return f"{name!r}: {first!r} is no task that this one comes after; name it in after"
        part = more.partition(".")[0]
        return "" if part in OF_TASK else f"{name!r}: a task has {', '.join(OF_TASK)}, not {part!r}"

    def before(self, task: str) -> frozenset[str]:
        """Every task that one comes after, directly or by others."""
        after = {one.id: one.after for one in self.tasks}
        found: set[str] = set()
        left = list(after[task])
        while left:
            one = left.pop()
            if one not in found:
                found.add(one)
                left += after[one]
        return frozenset(found)

    @property
    def label(self) -> str:
        """Name and version, as runs and pages show it."""
        return f"{self.name}@{self.version}"


def _references(value: Any) -> Iterator[Any]:
    """What stands behind each ``from`` of an input."""
    if isinstance(value, Mapping):
        if set(value) == {FROM}:
            yield value[FROM]
            return
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _references(part)


def _circle(tasks: Sequence[PlanTask]) -> list[str]:
    """Tasks that wait for each other, in their order; [] when there are none."""
    left = {task.id: task.after for task in tasks}
    while free := [name for name, after in left.items() if not any(one in left for one in after)]:
        for name in free:
            del left[name]
    path: list[str] = []
    name = next(iter(left), "")
    while name and name not in path:
        path.append(name)
        name = next(one for one in left[name] if one in left)
    return [*path[path.index(name) :], name] if name else []


NOTHING = object()
"""In place of a value that is not there."""


def filled(value: Any, sources: Mapping[str, Any]) -> Any:
    """An input with its references in place; what is not there is left out, in lists and tables alike."""
    if isinstance(value, Mapping):
        if set(value) == {FROM}:
            return _walk(sources, str(value[FROM]))
        parts = {name: filled(part, sources) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part is not NOTHING}
    if isinstance(value, list | tuple):
        return [one for one in (filled(part, sources) for part in value) if one is not NOTHING]
    return value


def _walk(sources: Any, name: str) -> Any:
    """The value of a dotted name; empty texts are not there either."""
    for key in name.split("."):
        if isinstance(sources, Mapping) and key in sources:
            sources = sources[key]
        elif isinstance(sources, list | tuple) and key.isdigit() and int(key) < len(sources):
            sources = sources[int(key)]
        else:
            return NOTHING
    return NOTHING if sources in (None, "") else sources


def parsed(text: str, place: str) -> Playbook:
    """A playbook from its text (BadConfig: the place, the key, and what would be right)."""
    try:
        raw = tomllib.loads(text)
        return Playbook.model_validate({**raw, "digest": json_hash({"toml": text})})
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{place}: this is no TOML: {error}.", field="toml") from error
    except ValidationError as error:
        told = "; ".join(dict.fromkeys(_said(fault) for fault in error.errors()))
        raise BadConfig(f"{place}: {told}.", field=".".join(map(str, error.errors()[0]["loc"])) or "toml") from error


def _said(fault: Any) -> str:
    """One fault as the operator reads it: where, what, and what would be right."""
    place, message = ".".join(map(str, fault["loc"])), str(fault["msg"]).removeprefix("Value error, ")
    last = str(fault["loc"][-1]) if fault["loc"] else ""
    if fault["type"] == "extra_forbidden":
        parts: Mapping[str, type[_Part]] = {"tasks": PlanTask, "trigger": Trigger} if len(fault["loc"]) > 1 else {}
        model = parts.get(str(fault["loc"][0]), Playbook)
        return f"{place}: there is no such key{meant(last, [*model.model_fields])}"
    if fault["type"] == "missing":
        return f"{place}: is missing"
    if fault["type"] == "literal_error":
        return f"{place}: {fault['input']!r} is none of {str(fault['ctx']['expected']).replace(' or ', ', ')}"
    if fault["type"] == "string_pattern_mismatch":
        return f"{place}: {fault['input']!r} has not the form that is needed ({_FORMS.get(last, message)})"
    return f"{place}: {message}" if place else message


_FORMS = {
    "name": "small letters, digits, - and _, like new-client",
    "id": "small letters, digits and _, like first_call",
    "agent": "the name of an agent, or operator",
    "version": "numbers with dots, like 2 or 2.1; in quotation marks",
    "begins": "a time after the start, like 4h, 3d or 2w",
    "due": "a time after the start, like 4h, 3d or 2w",
    "money": "an amount with its currency, like 0.50 EUR",
}
