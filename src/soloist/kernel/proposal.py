"""Proposal: one intended outside change or record change, everything policy and a person need to judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import payload_hash
from soloist.kernel.ids import derived
from soloist.kernel.origin import NOBODY, Origin, Sort

CHANGE_CONNECTOR = "records"
CHANGE_OPERATION = "record.change"
BRIEF = "soloist:brief"
URGENT, DECIDED, DELEGATE = "soloist:urgent", "soloist:decided", "soloist:delegate"
LETTERS = frozenset({BRIEF, URGENT, DECIDED, DELEGATE})
"""Sources of the letters that Soloist writes itself; no script can propose under one of them."""

UNDOING = "soloist:undo"
"""Source of a proposal that takes an effect back; its operation ends in ".undo" and no script can propose one."""


@dataclass(frozen=True)
class OperationFacts:
    """What the connector declares about an operation, as it was when the proposal was made. ``hold`` in seconds.

    ``amount``, ``currency`` and ``recipients`` are dotted places in the payload; ``control`` and ``words`` are as in
    ``sdk.Operation``.
    """

    effect_class: str
    risk: str
    undo: str
    way_back: str
    hold: float = 0.0
    split: str = ""
    primitive: str = "act"
    audience: str = ""
    amount: str = "amount"
    currency: str = "currency"
    recipients: tuple[str, ...] = ("to", "cc")
    control: Mapping[str, Sort] = field(default_factory=dict)
    words: tuple[str, ...] = ()


CHANGE_FACTS = OperationFacts(
    effect_class="A",
    risk="reversible",
    undo="exact",
    way_back="The former version is kept and can be written again.",
    primitive="write",
    audience="nobody",
    control={"record": "id"},
    words=("version", "fields.*"),
)
"""A record change happens inside our own database: keyed, exact to undo."""


@dataclass(frozen=True)
class NewProposal:
    """A proposal before policy has looked at it. ``expires_in`` in seconds; what happens then is nothing, stated."""

    id: str
    connector: str
    operation: str
    payload: Mapping[str, Any]
    reason: str
    source: str
    noun: Literal["effect", "change"] = "effect"
    source_ref: str = ""
    run: str = ""
    agent: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    questions: tuple[Mapping[str, Any], ...] = ()
    record: str = ""
    conversation: str = ""
    thread_head: str = ""
    context: str = ""
    expires_in: float = 7 * 86400.0
    title: str = ""
    value_minor: int = 0
    currency: str = ""
    new_recipient: bool = True
    thread_known: bool = False
    bundle: str = ""
    place: int = 0
    origin: Origin = NOBODY
    trusted: tuple[str, ...] = ()
    """``bundle`` names proposals that are decided together and taken back in reverse order of ``place``.

    ``origin`` is that of everything it was made from; what nobody labelled counts as outside. ``trusted`` are ids of
    words of the operator that it carries out ("message:ID", "task:ID"); they are looked up, never believed."""

    @property
    def hash(self) -> str:
        """What an approval is bound to."""
        return payload_hash(self.connector, self.operation, dict(self.payload))


def agent_proposal_id(run: str, step: str, index: int) -> str:
    """The id of the ``index``-th proposal of a step: a step that runs again proposes the same thing."""
    return derived("proposal", run, step, index)


def api_proposal_id(token: str, source_ref: str) -> str:
    """The id of a proposal made over the API: the same reference of the same token is the same proposal."""
    return derived("proposal", "api", token, source_ref)


def at(payload: Mapping[str, Any], place: str) -> Any:
    """What stands at a dotted place of a payload, None when nothing does."""
    found: Any = payload
    for part in place.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def recipients(payload: Mapping[str, Any], places: Sequence[str] = ("to", "cc")) -> list[str]:
    """Every address a payload names at these places; other payloads have none."""
    found: list[str] = []
    for place in places:
        value = at(payload, place)
        found += [value] if isinstance(value, str) else [str(item) for item in value] if isinstance(value, list) else []
    return found


def amount(payload: Mapping[str, Any], place: str = "amount", currency: str = "currency") -> tuple[int, str]:
    """Amount in minor units and currency of a payload that names one, else (0, "")."""
    value, unit = at(payload, place), at(payload, currency)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return (int(value) if whole and value is not None else 0), unit.upper() if isinstance(unit, str) else ""


def edited(payload: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with edits; a field it does not have is refused, so no edit adds recipients by surprise."""
    unknown = sorted(set(edits) - set(payload))
    if unknown:
        known = ", ".join(sorted(payload))
        raise BadInput(
            f"edits.{unknown[0]}: this proposal has no such field; it has: {known}.", field=f"edits.{unknown[0]}"
        )
    return {**payload, **edits}


SEAL = "2:"
"""First characters of a seal that also covers who decided, by which way and why; older ones have none."""


def sealed_text(approval: Mapping[str, Any], seal: str = SEAL) -> str:
    """What the server's seal on an approval covers; ``seal`` is the stored one, whose form is kept."""
    names: tuple[str, ...] = ("proposal", "payload_hash", "decision", "at")
    if seal.startswith(SEAL):
        names = (*names, "who", "via", "reason")
    return "\x1f".join(str(approval[name]) for name in names)
