"""Connector: an adapter to one outside system; it checks, pulls, prepares, executes, finds and undoes operations.

The core owns the journal, approvals, retries, rate and keys. An adapter sees only its Ctx and never decides whether
something is tried again: it says truthfully whether anything may have left the house.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

EffectClass = Literal["A", "B", "C"]
"""A: the provider knows our key. B: we can look our write up. C: neither, so never retried without a person's word."""

Risk = Literal["reversible", "irreversible", "financial"]
Undo = Literal["exact", "offset", "none"]


@dataclass(frozen=True)
class Operation:
    """One thing a connector can do outside, with everything the core must know to do it safely.

    Times are seconds. ``split`` names a payload field holding a list of recipients; the core makes one effect for
    each. ``key_window`` is how long a provider honours our key (class A); ``lookup_lag`` how long a write may stay
    invisible to ``find`` (class B).
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
    """The outside answered that it did nothing (or was never reached); ``retry_after`` in seconds, None for never."""

    reason: str
    retry_after: float | None = None
    auth: bool = False
    evidence: str = ""


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
class Health:
    """The result of a check that writes nothing."""

    state: Literal["ok", "degraded", "auth", "down"]
    detail: str = ""


@dataclass(frozen=True)
class Arrival:
    """One thing pulled from outside: raw bytes and the name of this delivery."""

    external_id: str
    kind: str
    raw: bytes
    origin: str = ""


@dataclass(frozen=True)
class Page:
    """A page of arrivals and the cursor to commit with it (opaque JSON text); ``complete`` when nothing more waits."""

    arrivals: tuple[Arrival, ...]
    cursor: str
    complete: bool = True


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
    """Leave to open one TCP connection to an address the egress rules allow. Raises NotSent when refused."""

    async def resolve(self, host: str, port: int) -> str: ...


@dataclass(frozen=True)
class Ctx:
    """All a connector may touch, as granted by its configuration."""

    name: str
    settings: Mapping[str, Any]
    http: Http | None = None
    dial: Dial | None = None
    files: Files | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    home_domain: str = "localhost"


class Connector(Protocol):
    """The contract; ``sdk.connector.Base`` gives harmless defaults so a read-only adapter is a few lines."""

    kind: str

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]: ...
    async def check(self, ctx: Ctx) -> Health: ...
    def pull(self, ctx: Ctx, cursor: str) -> AsyncIterator[Page]: ...
    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan: ...
    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome: ...
    async def find(self, ctx: Ctx, plan: Plan) -> Lookup: ...
    def undo(self, ctx: Ctx, plan: Plan, receipt: Receipt) -> Plan | None: ...


class Base:
    """Defaults for the parts an adapter does not have."""

    kind = "base"

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        """No operations: read only."""
        return {}

    async def check(self, ctx: Ctx) -> Health:
        """Nothing to check."""
        return Health("ok")

    async def pull(self, ctx: Ctx, cursor: str) -> AsyncIterator[Page]:
        """Nothing to pull."""
        nothing: tuple[Page, ...] = ()
        for page in nothing:
            yield page

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
