"""Actions: everything this house can do outside and in its records: contract, risk, owner, use; it does none of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from soloist.engine.rate import Lines
from soloist.engine.store import grants, telemetry, usage
from soloist.engine.store.reading import Connection
from soloist.insight import names, words
from soloist.kernel.proposal import CHANGE_CONNECTOR, CHANGE_FACTS, CHANGE_OPERATION
from soloist.sdk import Operation, mail

LATEST = 20
SENTENCES = {
    "A": "The service knows our key: the same request twice is done once.",
    "B": "It can be looked up by our key before it is tried again.",
    "B'": "That it happened can be proven, that it did not cannot: never tried again without your word.",
    "C": "The service cannot tell: never tried again without your word.",
}
CHANGE = Operation(
    CHANGE_OPERATION,
    "A",
    risk="reversible",
    undo="exact",
    way_back=CHANGE_FACTS.way_back,
    summary="Change fields of a record, with the version it was read in",
    primitive="write",
    audience="nobody",
)
MAIL_CONTRACT = tuple({"field": name, "place": "the mail", "needed": name == "to"} for name in mail.FIELDS)
CHANGE_CONTRACT = (
    {"field": "record", "place": "the record's id", "needed": True},
    {"field": "version", "place": "the version that was read", "needed": True},
    {"field": "fields", "place": "field = new value", "needed": True},
)


class Half(Protocol):
    """What is asked of a connection; the registry's reading half."""

    name: str
    kind: str

    def operations(self) -> Mapping[str, Operation]: ...
    def contract(self, operation: str) -> tuple[Mapping[str, Any], ...]: ...


class Agent(Protocol):
    """What is asked of an agent."""

    @property
    def operations(self) -> Sequence[str]: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True)
class ActionLine:
    """One operation as it stands in the list; times in seconds, ``share`` of what ended, None before anything did."""

    connector: str
    kind: str
    name: str
    summary: str
    facts: Mapping[str, Any]
    contract: tuple[Mapping[str, Any], ...]
    proposers: tuple[str, ...]
    decides: str
    uses: int
    unclear: int
    last_use: str
    share: float | None

    @property
    def href(self) -> str:
        """Its own page."""
        return f"/actions/{self.connector}/{self.name}"


@dataclass(frozen=True)
class ConnectorLine:
    """One connection: whether it answers, and its pace, in words."""

    name: str
    kind: str
    state: str
    tone: str
    detail: str
    pace: str


@dataclass(frozen=True)
class UseLine:
    """One use of an operation."""

    text: str
    href: str
    by: str
    state: str
    at: str


@dataclass(frozen=True)
class ActionsPage:
    """The list; ``query`` is what it was asked for."""

    query: str
    lines: tuple[ActionLine, ...]
    connectors: tuple[ConnectorLine, ...]
    total: int


@dataclass(frozen=True)
class ActionPage:
    """One operation with its newest uses."""

    line: ActionLine
    sentence: str
    connector: ConnectorLine | None
    uses: tuple[UseLine, ...]
    control: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    grants: tuple[Mapping[str, Any], ...] = ()
    decided: int = 0
    edited: int = 0


def lines(
    conn: Connection, halves: Iterable[Half], agents: Iterable[Agent], lags: Mapping[tuple[str, str], float]
) -> list[ActionLine]:
    """Every operation of every connection, and the change of a record, in the order of their names."""
    used, known = usage.by_operation(conn), list(agents)
    found = [
        _line(half.name, half.kind, op, half.contract(op.name), used=used, agents=known, lags=lags)
        for half in halves
        for op in half.operations().values()
    ]
    own = _line(CHANGE_CONNECTOR, "built in", CHANGE, CHANGE_CONTRACT, used=used, agents=known, lags=lags)
    return sorted([*found, own], key=lambda line: (line.connector, line.name))


def _line(
    connector: str,
    kind: str,
    op: Operation,
    contract: tuple[Mapping[str, Any], ...],
    *,
    used: Mapping[tuple[str, str], Mapping[str, Any]],
    agents: list[Agent],
    lags: Mapping[tuple[str, str], float],
) -> ActionLine:
    row = used.get((connector, op.name), {"uses": 0, "worked": 0, "failed": 0, "unclear": 0, "last": ""})
    ended = row["worked"] + row["failed"]
    return ActionLine(
        connector,
        kind,
        op.name,
        op.summary,
        _facts(op, lags.get((connector, op.name))),
        contract or (MAIL_CONTRACT if op.name == mail.OPERATION else ()),
        tuple(sorted(agent.label for agent in agents if {op.name, f"{connector}.{op.name}"} & {*agent.operations})),
        _decides(op),
        row["uses"],
        row["unclear"],
        row["last"],
        row["worked"] / ended if ended else None,
    )


def _facts(op: Operation, lag: float | None) -> dict[str, Any]:
    """What the connector declares, under the names that programs know."""
    return {
        "primitive": op.primitive,
        "audience": op.audience,
        "class": op.effect_class,
        "risk": op.risk,
        "undo": op.undo,
        "way_back": op.way_back,
        "hold": op.hold,
        "timeout": op.timeout,
        "window": op.key_window,
        "lag": op.lookup_lag if op.effect_class in ("B", "B'") else 0.0,
        "lag_seen": lag,
        "split": op.split,
        "recipients": list(op.recipients),
        "amount": op.amount,
        "control": dict(op.control),
        "words": list(op.words),
    }


def _decides(op: Operation) -> str:
    """Who says yes, in words; what leaves the house is asked unless a rule or a grant allows it."""
    if op.risk == "financial":
        return "you, unless a grant of yours allows it (money)"
    if op.risk == "irreversible":
        return "you, unless a grant of yours allows it"
    return "you, unless a rule allows it"


def fitting(found: Iterable[ActionLine], query: str) -> list[ActionLine]:
    """Those that hold every word of the query somewhere in their facts."""
    wanted = query.lower().split()
    return [line for line in found if all(word in _words(line) for word in wanted)]


def _words(line: ActionLine) -> str:
    facts = line.facts
    said = [line.connector, line.kind, line.name, line.summary, *line.proposers]
    said += [str(field["field"]) for field in line.contract]
    said += [facts["primitive"], facts["audience"], facts["risk"], facts["undo"], f"class {facts['class']}"]
    return " ".join(said).lower().replace("_", " ") + " " + " ".join(said).lower()


def page(found: list[ActionLine], halves: Iterable[Half], pace: Lines, query: str) -> ActionsPage:
    """The page of all actions."""
    shown = tuple(fitting(found, query[:200]))
    return ActionsPage(query[:200], shown, tuple(connector_line(half, pace) for half in halves), len(found))


def connector_line(half: Half, pace: Lines) -> ConnectorLine:
    """Whether a connection is left alone for a while, and how much of its allowance is left."""
    state = pace.breakers.state(half.name)
    told = {"closed": ("no trouble", "go"), "open": ("is left alone", "bad"), "half_open": ("is tried again", "warn")}
    text, tone = told[state]
    wait = "" if state != "open" else f" It is tried again in {words.lasted(pace.breakers.left(half.name))}."
    credential = pace.shared.get(half.name)
    return ConnectorLine(
        half.name,
        half.kind,
        text,
        tone,
        f"{pace.breakers.why(half.name)}{wait}".strip(),
        _pace(pace, credential) if credential else "",
    )


def _pace(pace: Lines, credential: str) -> str:
    """An allowance in words."""
    now = pace.rates.allowance(credential)
    said = [f"At most {' and '.join(now.limits)}."]
    if now.left is not None:
        said.append(f"The service says {now.left} calls are left.")
    if now.wait:
        said.append(f"Everything waits {words.lasted(now.wait)}.")
    elif now.bulk_wait:
        said.append(f"What goes by itself waits {words.lasted(now.bulk_wait)}; what you decide goes now.")
    return " ".join(said)


def one(conn: Connection, line: ActionLine, connector: ConnectorLine | None, now: str = "") -> ActionPage:
    """An operation with its newest uses."""
    rows = usage.latest(conn, line.connector, line.name, LATEST)
    uses = tuple(
        UseLine(
            names.proposal_title(row),
            f"/why/{row['id']}",
            row["agent"] or row["source"],
            (row["effect"] or row["state"]).replace("_", " "),
            row["updated"],
        )
        for row in rows
    )
    decided, edited = telemetry.edited(conn, line.connector, line.name)
    live = [g for g in grants.live(conn, now) if _speaks_of(g, line)]
    control = tuple((name, str(sort)) for name, sort in line.facts["control"].items())
    steer = {"control": control, "words": tuple(line.facts["words"]), "grants": tuple(live)}
    return ActionPage(line, SENTENCES[line.facts["class"]], connector, uses, decided=decided, edited=edited, **steer)


def _speaks_of(grant: Mapping[str, Any], line: ActionLine) -> bool:
    """Whether a grant can let this operation go; an empty place speaks of all."""
    return grant["connector"] in ("", line.connector) and grant["operation"] in ("", line.name)


def as_row(line: ActionLine) -> dict[str, Any]:
    """An operation as programs are told of it."""
    own = {"connector": line.connector, "kind": line.kind, "name": line.name, "summary": line.summary, **line.facts}
    own |= {"contract": [dict(field) for field in line.contract], "proposers": list(line.proposers)}
    own |= {"decides": line.decides, "uses": line.uses, "unclear": line.unclear, "last_use": line.last_use}
    return own | {"success": line.share, "audit": f"{line.href}#uses"}


def exposition(pace: Lines) -> str:
    """State and allowance of every connection as watchers read them."""
    rows = [
        "# TYPE soloist_connector_answers gauge",
        "# TYPE soloist_rate_wait_seconds gauge",
        "# TYPE soloist_rate_left gauge",
        "# TYPE soloist_rate_held_back_total counter",
    ]
    for name, now in pace.allowances():
        rows.append(f'soloist_connector_answers{{connector="{name}"}} {int(pace.breakers.state(name) == "closed")}')
        for first, wait, held in (("urgent", now.wait, now.held_back_urgent), ("bulk", now.bulk_wait, now.held_back)):
            rows.append(f'soloist_rate_wait_seconds{{connector="{name}",for="{first}"}} {wait:.3f}')
            rows.append(f'soloist_rate_held_back_total{{connector="{name}",for="{first}"}} {held}')
        if now.left is not None:
            rows.append(f'soloist_rate_left{{connector="{name}"}} {now.left}')
    return "\n".join(rows) + "\n"


def sentence(line: ActionLine) -> str:
    """An operation as a few lines for a terminal."""
    facts, needed = line.facts, [str(field["field"]) for field in line.contract if field["needed"]]
    share = "" if line.share is None else f", {line.share:.0%} worked"
    used = f"used {line.uses} times{share}, last {line.last_use[:16].replace('T', ' ')}" if line.uses else "never used"
    kind = f"{facts['primitive']}, class {facts['class']}, {facts['risk']}, way back: {facts['undo']}"
    needs = f"needs: {', '.join(needed) or 'nothing by name'}; decided by {line.decides}; {used}"
    return f"{line.connector}.{line.name}  {kind}\n  {needs}"
