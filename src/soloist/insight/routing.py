"""Routing: every rule that decides where something goes, read from code and settings as they are; it routes nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from soloist.config import Settings
from soloist.engine.store import kinds as kind_rows
from soloist.engine.store.reading import Connection
from soloist.insight import policy
from soloist.kernel.inbound import STARTS
from soloist.kernel.kind import Kind
from soloist.kernel.memory import TIERS
from soloist.kernel.message import MESSAGE_KINDS
from soloist.stages.policy import GATES, INTERNAL
from soloist.stages.runtime.decide import SET_ASIDE


@dataclass(frozen=True)
class Route:
    """One rule: what it is about, what happens to it, where it is changed ("" when it is part of the program)."""

    what: str
    then: str
    where: str
    href: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Group:
    """Rules of one sort, in the order they are applied where there is one."""

    title: str
    said: str
    rules: tuple[Route, ...]


@dataclass(frozen=True)
class Source:
    """A connection that things come in by or leave by."""

    name: str
    kind: str
    streams: tuple[str, ...]
    operations: tuple[str, ...]
    may_send: bool
    webhook: bool = False


@dataclass(frozen=True)
class Standing:
    """What stands besides the settings: rules in force, live grants, kinds of records, who carries out card answers."""

    sources: tuple[Source, ...]
    rules: tuple[tuple[str, str, str], ...]
    grants: tuple[tuple[str, str], ...]
    kinds: tuple[Kind, ...]
    takers: Mapping[str, Callable[..., Any]]
    halted: tuple[str, ...] = ()


PROGRAM, TAUGHT = "Part of the program", "Your answers to question cards"


def stored(conn: Connection, now: str) -> tuple[tuple[tuple[str, str], ...], tuple[Kind, ...]]:
    """What of it is kept in the store: (title, until) of live grants, and the kinds of records."""
    live = policy.grant_rows(conn, now, limit=200, state="live")
    given = tuple((str(row["title"]), str(row["until"])) for row in live if row["until"] > now)
    return given, tuple(kind_rows.everything(conn))


def groups(settings: Settings, there: Standing) -> tuple[Group, ...]:
    """Every rule in groups, in the way of a message through the house."""
    made: tuple[tuple[str, str, Iterable[Route]], ...] = (
        ("What comes in", "Where it is read from, and which way it starts.", _incoming(settings, there)),
        ("What a message is", "Rules first, then the learned model; what neither is sure of asks you.", _sorted()),
        (
            "What a draft is made by",
            "How enquiries are checked and answered.",
            _settings(settings, ("qualification", "intake")),
        ),
        ("What may leave", "Refuse wins over ask, ask over allow. What no rule names asks you.", _leaving(there)),
        ("Which way it leaves", "The connection, and what it may do.", _ways(settings, there)),
        ("When and how you are asked", "Cards, the brief, and who else may decide.", _asked(settings)),
        ("What an answer to a card starts", "By what the card is about.", _takers(there.takers)),
        ("What becomes a record", "Kinds, whose word their fields are, how long they stay.", _kinds(there.kinds)),
        ("What is remembered where", "Tiers of memory, and who may write them.", _tiers()),
    )
    found = [Group(title, said, tuple(rules)) for title, said, rules in made]
    return tuple(group for group in found if group.rules)


def _incoming(settings: Settings, there: Standing) -> Iterator[Route]:
    for source in there.sources:
        for stream in source.streams:
            yield Route(f"{source.name}: {stream}", f"read by the {source.kind} connector", *_mailbox(source))
        if source.webhook:
            yield Route(
                f"/hooks/{source.name}", "a signed message to this address is kept", f"[connectors.{source.name}]"
            )
    for name, form in settings.forms.items():
        yield Route(f"/f/{name}", f'what "{form.title}" sends is an enquiry', f"[forms.{name}]", "/settings")
    for kind, flow in STARTS.items():
        yield Route(f"Event {kind}", f"starts the way {flow!r}", PROGRAM, "/runs")
    yield Route("Every other event", "is kept in the journal and starts nothing", PROGRAM, "/activity")


def _mailbox(source: Source) -> tuple[str, str]:
    if source.kind == "mail":
        return "Mailboxes", "/settings/mailboxes"
    return f"[connectors.{source.name}]", "/settings"


def _sorted() -> Iterator[Route]:
    """Kinds of messages, as the model tells them apart."""
    for kind in MESSAGE_KINDS:
        aside = kind in SET_ASIDE
        then = (
            "is set aside: no draft, no card, found in Activity"
            if aside
            else "is identified, and a draft waits for you"
        )
        yield Route(kind.capitalize(), then, "Your answer to a question card teaches it", "/", "" if aside else "go")
    yield Route("Unsure", "asks you in the inbox", "Your answer to a question card teaches it", "/", "warn")


def _settings(settings: Settings, parts: Iterable[str]) -> Iterator[Route]:
    """Settings by their own descriptions, each with the value it has."""
    for part in parts:
        found = getattr(settings, part)
        if isinstance(found, BaseModel):
            for name, field in type(found).model_fields.items():
                label = name.replace("_", " ").capitalize()
                value = _said(getattr(found, name))
                note = f": {field.description}" if field.description else ""
                yield Route(label, f"{value}{note}", f"[{part}] {name}", "/settings")


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in ("", None) else "not set"


def _leaving(there: Standing) -> Iterator[Route]:
    tones = {"deny": "bad", "ask": "warn", "allow": "go"}
    for halted in there.halted:
        yield Route("Everything outbound", f"is held back: {halted}", "Safety", "/safety", "bad")
    for name, when, then in there.rules:
        yield Route(name, f"{then} when {when}", "Policy", "/policy", tones.get(then, ""))
    for title, until in there.grants:
        yield Route(title, f"leaves alone until {until[:10]}", "Grants", "/policy", "go")
    for gate, said in GATES.items():
        yield Route(gate.capitalize(), f"asks, because {said}; only a grant that names it opens it", PROGRAM, "/policy")
    yield Route(INTERNAL.capitalize(), "run alone and are logged", PROGRAM, "/policy")


def _ways(settings: Settings, there: Standing) -> Iterator[Route]:
    for source in there.sources:
        for operation in source.operations:
            then = f"leaves by {source.name}" if source.may_send else "is kept back: the connection only reads"
            where = _mailbox(source) if not source.may_send else ("Actions", f"/actions/{source.name}/{operation}")
            yield Route(f"{source.name}: {operation}", then, *where, "" if source.may_send else "warn")
    yield from _settings(settings, ("mail",))


def _asked(settings: Settings) -> Iterator[Route]:
    for route in _settings(settings, ("attention", "brief", "policy")):
        if not route.where.endswith("rules"):
            yield Route(route.what, route.then, route.where, "/attention" if "attention" in route.where else route.href)
    for name, person in settings.people.items():
        yield Route(
            person.name, f"may decide about a card that is handed to {person.email}", f"[people.{name}]", "/settings"
        )


def _takers(takers: Mapping[str, Callable[..., Any]]) -> Iterator[Route]:
    """Who carries out the answers to cards, by the sentence that stands with the code."""
    for subject, taker in sorted(takers.items()):
        said = " ".join((inspect.getdoc(taker) or "").split("\n\n")[0].split()).rstrip(".")
        yield Route(subject.replace("_", " ").capitalize(), said or taker.__qualname__, PROGRAM)


def _kinds(kinds: Iterable[Kind]) -> Iterator[Route]:
    owners = {"operator": "yours", "system": "written by Soloist", "outside": "from outside"}
    for kind in kinds:
        then = f"fields are {owners.get(kind.owner, kind.owner)}; kept {kind.retention or 'while it is there'}"
        where = f"[records.kinds.{kind.name}]" if kind.custom else PROGRAM
        yield Route(kind.label or kind.name, then, where, f"/records/{kind.name}")


def _tiers() -> Iterator[Route]:
    for name, rule in TIERS.items():
        yield Route(
            name.capitalize(),
            f"{rule.rule}; written by {', '.join(sorted(rule.writers))}",
            PROGRAM,
            f"/memory/items?tier={name}",
        )
