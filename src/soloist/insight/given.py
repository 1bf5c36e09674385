"""Given: work that was handed to agents, what it was to cost, did cost and came to, in words; it changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import records, releases, runs, tasks
from soloist.engine.store.reading import Connection
from soloist.insight import picking, words
from soloist.kernel.agent import SLA, AgentSpec
from soloist.kernel.errors import NotFound

GIVEN, WORKED = "given", "work"
CAME = {
    "done": ("done", "go"),
    "fallback": ("done without a model", "warn"),
    "waits": ("waits for the night", "warn"),
    "operator": ("needs you", "bad"),
}
MOST_LINES = 200


@dataclass(frozen=True)
class Ask:
    """One field of a form: its name, what it is for, what kind of box it needs, and what was typed."""

    name: str
    label: str
    needed: bool = False
    box: str = "line"
    """line, text, list, choice, or pick and picks for one or several records or messages"""
    choices: tuple[str, ...] = ()
    typed: str = ""
    picks: tuple[str, ...] = ()
    """Kinds of which something is meant."""
    offered: tuple[str, ...] = ()
    found: tuple[picking.Choice, ...] = ()
    """What may be meant by what was typed."""


@dataclass(frozen=True)
class GivenLine:
    """One piece of work in a list."""

    id: str
    agent: str
    skill: str
    at: str
    said: str
    tone: str


@dataclass(frozen=True)
class GivePage:
    """The form of one role, with the work it was given before."""

    name: str
    summary: str
    fields: tuple[Ask, ...]
    skills: tuple[str, ...]
    asks_model: tuple[str, ...]
    sla: str
    lines: tuple[GivenLine, ...]


@dataclass(frozen=True)
class GivenPage:
    """One piece of work whole; ``rows`` are label and texts of what came of it, ``json`` the same as it is kept."""

    line: GivenLine
    said: str
    estimate: str
    cost: str
    author: str
    in_time: str
    lane: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    given: tuple[tuple[str, str], ...]
    tries: tuple[str, ...]
    origin: str
    records: tuple[tuple[str, str], ...]
    """Address and title of what was written."""
    card: str
    json: Mapping[str, Any]


@dataclass(frozen=True)
class ListPage:
    """The lines of one card: {text, place, until, who, mine} each."""

    id: str
    title: str
    open: bool
    href: str
    lines: tuple[Mapping[str, Any], ...]


def listed(conn: Connection, card: str) -> ListPage:
    """A card that holds lines to tick (NotFound)."""
    row = tasks.get(conn, card)
    if row["type"] != "list":
        raise NotFound(f"The card {card[:80]} is no list.")
    agent = str(runs.get(conn, row["subject"])["agent"]).partition("@")[0]
    href = f"/agents/{agent}/work/{row['subject']}"
    return ListPage(row["id"], row["title"], row["state"] == "open", href, tuple(row["detail"]["lines"]))


def page(conn: Connection, spec: AgentSpec, asks_model: Sequence[str]) -> GivePage:
    """The form of a role and its newest work."""
    fields = tuple(_asked(conn, spec.input)) if spec.input else ()
    lines = tuple(lines_of(conn, spec.name))
    return GivePage(spec.name, spec.summary, fields, spec.skills, tuple(asks_model), SLA[spec.sla], lines)


_ID_OF = re.compile(r"\b[Ii]ds? of (?:an? |the )?")


def _asked(conn: Connection, schema: Mapping[str, Any]) -> Iterator[Ask]:
    """The fields of an input schema in plain words."""
    needed = set(schema.get("required", ()))
    for name, part in schema.get("properties", {}).items():
        kind = part.get("type", "string")
        box = "list" if kind == "array" else "text" if part.get("maxLength", 0) > 3000 else "line"
        label = str(part.get("description") or name.replace("_", " ").capitalize())
        if kinds := tuple(map(str, part.get("picks", ()))):
            plain = _ID_OF.sub("", label)
            named = plain[:1].upper() + plain[1:]
            box = "picks" if kind == "array" else "pick"
            yield Ask(name, named, name in needed, box, picks=kinds, offered=picking.newest(conn, kinds))
            continue
        yield Ask(name, label, name in needed, "choice" if part.get("enum") else box, tuple(part.get("enum", ())))


def lines_of(conn: Connection, agent: str, limit: int = 20) -> list[GivenLine]:
    """The newest work that was handed to an agent."""
    found = [row for row in releases.runs_of(conn, agent, limit) if row["flow"] == "work"]
    return [_line(conn, row) for row in found]


def _line(conn: Connection, row: Mapping[str, Any]) -> GivenLine:
    steps = {step["step"]: step for step in runs.steps_of(conn, row["id"])}
    skill = str((steps[GIVEN]["output"] or {}).get("skill", "")) if GIVEN in steps else ""
    came = str((steps[WORKED]["output"] or {}).get("came", "")) if WORKED in steps else ""
    said, tone = CAME.get(came, ("failed", "bad") if row["state"] == "failed" else ("under way", ""))
    whose = _whose(row, steps) if GIVEN in steps else str(row["agent"])
    return GivenLine(row["id"], whose, skill, row["started"], said, tone)


def one(conn: Connection, agent: str, run: str) -> GivenPage:
    """One piece of work (NotFound)."""
    row = runs.get(conn, run)
    steps = {step["step"]: step for step in runs.steps_of(conn, run)}
    if row["flow"] != "work" or GIVEN not in steps or not _whose(row, steps).startswith(f"{agent}@"):
        raise NotFound(f"{agent} was not given the work {run[:80]!r}.")
    given, detail = steps[GIVEN]["input"] or {}, steps[GIVEN]["detail"] or {}
    found = (steps[WORKED]["output"] or {}) if WORKED in steps else {}
    failed = f"It stopped: {row['error']}" if row["state"] == "failed" else ""
    card = tasks.open_for(conn, run)
    return GivenPage(
        line=_line(conn, row),
        said=str(found.get("said") or failed),
        estimate=str((detail.get("estimate") or {}).get("said", "It was not estimated.")),
        cost=_cost(found.get("cost") or {}) if found else "",
        author="rules, no model" if found.get("author") == "rules" else str(found.get("author", "")),
        in_time=SLA.get(str(given.get("sla")), ""),
        lane="in the cheap hours before the morning" if given.get("lane") == "morning" else "at once",
        rows=tuple(_rows(found.get("value") or {})),
        given=tuple((name, _short(value)) for name, value in (given.get("input") or {}).items()),
        tries=tuple(_tried(found.get("parts") or ())),
        origin=", ".join((found.get("origin") or {}).get("labels", ())),
        records=tuple(_records(conn, found.get("records") or ())),
        card=str(card["id"]) if card else "",
        json=found,
    )


def _whose(row: Mapping[str, Any], steps: Mapping[str, Mapping[str, Any]]) -> str:
    """The version it was given to; the run itself names it from when it begins."""
    return str(row["agent"] or (steps[GIVEN]["output"] or {}).get("agent", ""))


def _records(conn: Connection, idents: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Where the records stand that it wrote; those that are gone are left out."""
    for ident in idents:
        row = records.standing(conn, ident)
        if row is not None:
            yield f"/records/{row['kind']}/{row['id']}", str(row["title"] or row["kind"])


def _cost(cost: Mapping[str, Any]) -> str:
    """What it came to."""
    tokens = int(cost.get("tokens_in") or 0) + int(cost.get("tokens_out") or 0)
    money = f"{(cost.get('micro') or 0) / 1_000_000:.4f} {cost.get('currency') or ''}".strip()
    paid = f"{money}, {words.counted(tokens, 'token')}" if tokens or cost.get("micro") else "nothing: no model was paid"
    return f"{paid}, {cost.get('seconds', 0)} s"


def _tried(parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was attempted and why it did not do."""
    for part in parts:
        for one in part.get("tries") or ():
            said = str(one.get("said") or one.get("fault") or "")
            yield " ".join(str(word) for word in (one.get("what"), one.get("model"), said) if word)


def _rows(value: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What came of it as labels and texts: spans as their words, lists as lines, empty parts left out."""
    for name, part in value.items():
        lines = tuple(line for line in _texts(part) if line)[:MOST_LINES]
        if lines and name not in _UNSAID:
            yield name.replace("_", " ").capitalize(), lines


_UNSAID = ("ask", "retrieval", "meeting", "card", "form", "truncated", "turns", "language", "how", "known", "found")
"""What stands in the JSON and would only distract beside the result."""


def _texts(value: Any) -> Iterator[str]:
    """Every text of a part, one line each."""
    if isinstance(value, Mapping):
        yield _told(value)
    elif isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, list | tuple):
                yield ", ".join(map(str, item))
            else:
                yield from _texts(item)
    elif isinstance(value, bool):
        yield "yes" if value else "no"
    elif value not in (None, ""):
        yield str(value)


_SPOKEN = ("words", "what", "text")
_SILENT = ("start", "end", "slice", "at", "id", "by", "part", *_SPOKEN)


def _told(value: Mapping[str, Any]) -> str:
    """One entry: its words first, then what else is known of it."""
    body = ""
    for key in ("what", "words", "text"):
        inner = value.get(key)
        inner = inner.get("text") if isinstance(inner, Mapping) else inner
        if inner and isinstance(inner, str):
            body = inner
            break
    more = [
        f"{key.replace('_', ' ')} {part}"
        for key, part in value.items()
        if key not in _SILENT and isinstance(part, str | int | float) and not isinstance(part, bool) and part != ""
    ]
    return f"{body} ({', '.join(more)})" if body and more else body or ", ".join(more)


def _short(value: Any) -> str:
    """A given value, shortened."""
    text = value if isinstance(value, str) else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 600 else f"{text[:600]} ... ({len(text)} characters)"
