"""Connector: an adapter to one outside system; it checks, pulls, watches, prepares, executes, finds and undoes.

The core owns the journal, cursors, approvals, retries, rate and keys. An adapter sees only its Ctx and never decides
whether something is tried again: it says truthfully whether anything may have left the house.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from soloist.kernel.origin import Sort

EffectClass = Literal["A", "B", "B'", "C"]
"""A: the provider knows our key. B: we can look our write up. B': found proves it happened, not found proves nothing
(mail that may show in Sent). C: neither. B' and C are never retried without a person's word."""

Risk = Literal["reversible", "irreversible", "financial"]
Undo = Literal["exact", "offset", "apology", "none"]
"""exact: as if it had not been. offset: another effect makes up for it (a refund). apology: only words can follow."""

Primitive = Literal["create", "update", "schedule", "send", "read", "write", "act"]
"""The small set of things that can be done anywhere; every operation is one of them."""

Audience = Literal["", "nobody", "operator", "client", "list", "public"]
"""Who meets the result: "" not said (taken for a client when there are recipients), "list" a newsletter's readers."""


@dataclass(frozen=True)
class Operation:
    """One thing a connector can do outside, with everything the core must know to do it safely.

    Times are seconds. ``split`` names a payload field holding a list of recipients; the core makes one effect for
    each. ``key_window`` is how long a provider honours our key (class A); ``lookup_lag`` how long a write may stay
    invisible to ``find`` (class B). ``amount`` (minor units), ``currency`` and ``recipients`` are dotted places in the
    payload, for policy and for the card.

    ``control`` says of every field that steers what happens (dotted place, ``*`` for any name) what it steers;
    ``words`` are the fields that hold text for a person and steer nothing. A field in neither is taken for control:
    a run that has read words from outside fills it from trusted values only, or the operator is asked.
    """

    name: str
    effect_class: EffectClass
    risk: Risk = "irreversible"
    undo: Undo = "none"
    way_back: str = "cannot be undone"
    key_window: float = 0.0
    lookup_lag: float = 2.0
    timeout: float = 30.0
    hold: float = 0.0
    split: str = ""
    summary: str = ""
    primitive: Primitive = "act"
    audience: Audience = ""
    amount: str = "amount"
    currency: str = "currency"
    recipients: tuple[str, ...] = ("to", "cc")
    control: Mapping[str, Sort] = field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A validated request, rendered from (payload, key, created_at) alone; ``request`` is hashed before sending."""

    operation: Operation
    key: str
    request: bytes
    preview: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """What the outside answered: its own id for the thing done and a short account of the answer."""

    provider_ref: str
    detail: str = ""


@dataclass(frozen=True)
class Done:
    """It happened, once, and the outside said so."""

    receipt: Receipt


@dataclass(frozen=True)
class Refused:
    """The outside answered that it did nothing (or was never reached); ``retry_after`` in seconds, None for never.

    ``limited``: it was only asked to go slower, so this attempt is not counted.
    """

    reason: str
    retry_after: float | None = None
    auth: bool = False
    evidence: str = ""
    limited: bool = False


@dataclass(frozen=True)
class Unknown:
    """No trustworthy answer: it may have happened."""

    reason: str
    evidence: str = ""


Outcome = Done | Refused | Unknown


@dataclass(frozen=True)
class Found:
    """Looked up and there."""

    receipt: Receipt


@dataclass(frozen=True)
class Absent:
    """Looked up and certainly not there; ``proof`` says what was looked at."""

    proof: str


@dataclass(frozen=True)
class CannotTell:
    """The look-up itself failed; this is not absence."""

    reason: str


Lookup = Found | Absent | CannotTell


@dataclass(frozen=True)
class Thing:
    """One thing as it is outside, for reconciling: the provider's id, our key when it shows there, plain fields.

    ``at`` is an ISO instant, "" when the outside does not tell.
    """

    ref: str
    key: str = ""
    title: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    at: str = ""


@dataclass(frozen=True)
class Health:
    """The result of a check that writes nothing; ``samples`` are a few lines a person knows (subjects of mails)."""

    state: Literal["ok", "degraded", "auth", "down"]
    detail: str = ""
    samples: tuple[str, ...] = ()
    skew: float = 0.0
    remote: str = ""


@dataclass(frozen=True)
class Stream:
    """One thing a connector can pull, in order, from a cursor of its own.

    ``direction`` "out" is what the operator sent by other means. ``past`` streams are read once, to their end, and
    only observed. ``deletes`` says how the adapter hears of deletions; an invalid cursor always leads to a full
    reading again, told in ``Page.note``. ``every`` is the pause between two pulls in seconds, ``watched`` whether
    ``watch`` gives hints in between.
    """

    name: str
    direction: Literal["in", "out"] = "in"
    past: bool = False
    deletes: Literal["tombstones", "full compare", "none"] = "none"
    every: float = 60.0
    watched: bool = False


@dataclass(frozen=True)
class Arrival:
    """One thing pulled from outside: raw bytes and the name of this delivery.

    ``place`` says where it lies outside (folder and number), ``flags`` what is marked on it there.
    """

    external_id: str
    kind: str
    raw: bytes
    origin: str = ""
    place: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page of arrivals and the cursor to commit with it (opaque JSON text); ``complete`` when nothing more waits.

    ``gone`` are external ids or places that were deleted, ``total`` how many the whole stream has when that is
    known, ``note`` what the operator should hear (a cursor that was no longer valid).
    """

    arrivals: tuple[Arrival, ...]
    cursor: str
    complete: bool = True
    gone: tuple[str, ...] = ()
    total: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Hint:
    """Something may have changed outside: pull now. Never the truth itself."""

    why: str = ""


Fault = Literal[
    "auth",
    "forbidden",
    "not_found",
    "conflict",
    "invalid",
    "rejected",
    "rate_limited",
    "unavailable",
    "outcome_unknown",
    "protocol_drift",
    "bug",
]
"""The closed set of what can go wrong outside; the core alone decides what follows from it."""


class Trouble(Exception):
    """What a check, a pull or a watch fails with; the message is for the operator and holds no secret."""

    def __init__(
        self, fault: Fault, reason: str, *, retry_after: float | None = None, sent: str = "no", remote_id: str = ""
    ) -> None:
        """``retry_after`` in seconds; ``sent`` "no", "yes" or "maybe": whether anything left the house."""
        super().__init__(reason)
        self.fault, self.reason, self.retry_after = fault, reason, retry_after
        self.sent, self.remote_id = sent, remote_id


@dataclass(frozen=True)
class Manifest:
    """What a kind of connector is and needs; the core grants exactly this.

    ``dials`` are pairs of settings (host, port) it may open connections to, ``urls`` settings that hold the address
    of its HTTP server, ``files`` the setting that names its folder. ``secrets`` are the settings that name secrets.
    ``observes_first``: it can send nothing until the operator allows it. ``needs_public_address``: it waits to be
    called from outside. ``quality`` is its grade on its card (bronze, silver, gold, platinum). ``consistency`` says in
    a sentence how far outside and inside may drift apart and for how long. ``inventory`` are the operations whose
    results it can list for reconciling.
    """

    title: str = ""
    contract: int = 1
    capabilities: tuple[str, ...] = ()
    dials: tuple[tuple[str, str], ...] = ()
    urls: tuple[str, ...] = ()
    files: str = ""
    secrets: tuple[str, ...] = ()
    auth: tuple[str, ...] = ()
    per_second: int = 50
    per_minute: int = 1200
    observes_first: bool = False
    needs_public_address: bool = False
    quality: str = "bronze"
    consistency: str = ""
    inventory: tuple[str, ...] = ()


class Files(Protocol):
    """A folder the connector may use; every name is a single path component below it."""

    def read(self, folder: str, name: str, limit: int) -> bytes: ...
    def write_new(self, folder: str, name: str, data: bytes) -> bool: ...
    def move(self, folder: str, name: str, target: str) -> None: ...
    def exists(self, folder: str, name: str) -> bool: ...
    def names(self, folder: str) -> list[str]: ...


@dataclass(frozen=True)
class HttpAnswer:
    """A complete answer: status, lower-cased headers, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The request certainly did not reach the other side (refused by egress rules, no connection, TLS failure)."""


class MaybeSent(Exception):
    """The request may have reached the other side, and no complete answer came back."""


class Http(Protocol):
    """The one way to speak HTTP: egress rules, no redirects, no retries. Raises NotSent or MaybeSent."""

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> HttpAnswer: ...


class Dial(Protocol):
    """Leave to open TCP connections to the hosts of the settings. Raises NotSent when the egress rules refuse."""

    async def resolve(self, host: str, port: int) -> str: ...


def _utc() -> datetime:
    return datetime.now(UTC)


def _keep_nothing(_name: str, _value: str) -> None:
    """Without leave a renewed secret lives as long as the process."""


@dataclass(frozen=True)
class Ctx:
    """All a connector may touch, as granted by its manifest and its configuration.

    ``renew(name, value)`` keeps a new value of a secret it was granted (a refresh token that rotates). ``clock``
    gives the instant in UTC. What goes to ``log`` must hold no secret and no text of a message.
    """

    name: str
    settings: Mapping[str, Any]
    http: Http | None = None
    dial: Dial | None = None
    files: Files | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    home_domain: str = "localhost"
    renew: Callable[[str, str], None] = _keep_nothing
    clock: Callable[[], datetime] = _utc
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("soloist.connector"))


class Connector(Protocol):
    """The contract; ``Base`` gives harmless defaults so a read-only adapter is ``check``, ``streams`` and ``pull``."""

    kind: str
    manifest: Manifest

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]: ...
    def streams(self, ctx: Ctx) -> Mapping[str, Stream]: ...
    async def check(self, ctx: Ctx) -> Health: ...
    def pull(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]: ...
    def watch(self, ctx: Ctx, stream: str) -> AsyncIterator[Hint]: ...
    def done_with(self, ctx: Ctx, arrival: Arrival) -> None: ...
    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan: ...
    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome: ...
    async def find(self, ctx: Ctx, plan: Plan) -> Lookup: ...
    def undo(self, ctx: Ctx, plan: Plan, receipt: Receipt) -> Plan | None: ...
    def inventory(self, ctx: Ctx, operation: str, since: datetime) -> AsyncIterator[Thing]: ...


class Base:
    """Defaults for the parts an adapter does not have."""

    kind = "base"
    manifest = Manifest()

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        """No operations: read only."""
        return {}

    def streams(self, ctx: Ctx) -> Mapping[str, Stream]:
        """Nothing to pull."""
        return {}

    async def check(self, ctx: Ctx) -> Health:
        """Nothing to check."""
        return Health("ok")

    async def pull(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]:
        """Nothing to pull."""
        nothing: tuple[Page, ...] = ()
        for page in nothing:
            yield page

    async def watch(self, ctx: Ctx, stream: str) -> AsyncIterator[Hint]:
        """No hints."""
        nothing: tuple[Hint, ...] = ()
        for hint in nothing:
            yield hint

    def done_with(self, ctx: Ctx, arrival: Arrival) -> None:
        """The arrival was committed; by default nothing is put aside outside."""

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        """Refuse: there is no operation."""
        raise ValueError(f"{self.kind} has no operation {operation!r}")

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        """Refuse: there is no operation."""
        return Refused(f"{self.kind} cannot do {plan.operation.name}")

    async def find(self, ctx: Ctx, plan: Plan) -> Lookup:
        """Nothing can be looked up."""
        return CannotTell("this connector has no look-up")

    def undo(self, ctx: Ctx, plan: Plan, receipt: Receipt) -> Plan | None:
        """There is no way back."""
        return None

    async def inventory(self, ctx: Ctx, operation: str, since: datetime) -> AsyncIterator[Thing]:
        """What there is outside of an operation's results since an instant (Trouble); by default nothing is listed."""
        nothing: tuple[Thing, ...] = ()
        for thing in nothing:
            yield thing
