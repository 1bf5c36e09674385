"""Facts: what a rule may look at, by its declared name; where the values come from is the caller's business."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cel_expr_python import cel

from soloist.kernel.verdict import Doubt

_TEXT, _TRUTH, _NUMBER, _TEXTS = cel.Type.STRING, cel.Type.BOOL, cel.Type.INT, cel.Type.List(cel.Type.STRING)
VARIABLES: Mapping[str, cel.Type] = {
    "proposal.connector": _TEXT,
    "proposal.operation": _TEXT,
    "proposal.class": _TEXT,
    "proposal.risk": _TEXT,
    "proposal.payload": cel.Type.Map(_TEXT, cel.Type.DYN),
    "proposal.recipients": _TEXTS,
    "proposal.domains": _TEXTS,
    "proposal.new_recipient": _TRUTH,
    "proposal.amount_minor": _NUMBER,
    "proposal.currency": _TEXT,
    "proposal.source": _TEXT,
    "proposal.agent": _TEXT,
    "proposal.kind": _TEXT,
    "proposal.record_kind": _TEXT,
    "proposal.fields": _TEXTS,
    "proposal.thread_known": _TRUTH,
    "proposal.template": _TEXT,
    "proposal.unsure": _TRUTH,
    "proposal.primitive": _TEXT,
    "proposal.audience": _TEXT,
    "proposal.undo": _TEXT,
    "proposal.held": _TRUTH,
    "proposal.bundle_size": _NUMBER,
    "proposal.sent_hour": _NUMBER,
    "proposal.sent_day": _NUMBER,
    "proposal.to_recipient_day": _NUMBER,
    "proposal.unusual": _TEXTS,
    "proposal.tainted": _TRUTH,
    "now.hour": _NUMBER,
    "now.minute": _NUMBER,
    "now.weekday": _NUMBER,
    "now.date": _TEXT,
}
FIELDS = tuple(VARIABLES)
"""Every name a rule may use, in the order the reference lists them."""

RATES = frozenset({"proposal.sent_hour", "proposal.sent_day"})
"""Names whose values are counted only when a rule or a grant asks for them."""

_NAME = re.compile(r"\b(?:proposal|now)\.[a-z_]+")


@dataclass(frozen=True)
class Facts:
    """One proposal as policy sees it.

    ``now`` is the instant in the operator's zone: ``now.hour`` is 0 to 23, ``now.weekday`` 1 (Monday) to 7 and
    ``now.date`` like 2027-04-30. ``amount_minor`` is in cents, 0 when no money moves; ``odd_amount``: an amount is
    named that is not a whole number of cents. ``new_recipient``: some recipient was never written to. ``held``: it
    waits before it leaves. ``sent_hour`` and ``sent_day`` count what was approved for this operation in the last hour
    and 24 hours, ``to_recipient_day`` the most to any one of these recipients. ``unusual`` names what differs from its
    own history. ``unsure``: the draft leaves a question open or has a fault. ``to_operator``: nobody but the operator
    receives it. ``own_fields``: fields of a change that the operator set. ``tainted``: it was made from words of
    somebody outside; ``doubts`` are the values in it that no trusted source names, ``by`` whose words it was made from.
    ``distrusted``: by the operator's decisions what the same skill wrote is wrong too often; ``unproved``: they are too
    few to say how often it is right. ``unshown``: a large model wrote it because it waits for the operator's word.
    """

    connector: str
    operation: str
    effect_class: Literal["A", "B", "B'", "C"]
    risk: Literal["reversible", "irreversible", "financial"]
    payload: Mapping[str, Any]
    now: datetime
    recipients: Sequence[str] = ()
    new_recipient: bool = False
    amount_minor: int = 0
    currency: str = ""
    odd_amount: bool = False
    source: str = "agent"
    agent: str = ""
    kind: Literal["effect", "change"] = "effect"
    record_kind: str = ""
    fields: Sequence[str] = ()
    own_fields: Sequence[str] = ()
    thread_known: bool = False
    template: str = ""
    unsure: bool = False
    primitive: str = "act"
    audience: str = ""
    undo: Literal["exact", "offset", "apology", "none"] = "none"
    held: bool = False
    to_operator: bool = False
    bundle_size: int = 1
    sent_hour: int = 0
    sent_day: int = 0
    to_recipient_day: int = 0
    unusual: Sequence[str] = ()
    tainted: bool = False
    doubts: tuple[Doubt, ...] = ()
    by: str = ""
    distrusted: bool = False
    unproved: bool = False
    unshown: bool = False

    @property
    def message(self) -> bool:
        """Whether carrying it out is the sending of words to somebody."""
        return self.primitive == "send" or self.operation == "mail.send"

    @property
    def domains(self) -> list[str]:
        """The domains of the recipients, each once."""
        return sorted({address.rpartition("@")[2].casefold().rstrip("> ") for address in self.recipients})

    def values(self) -> dict[str, Any]:
        """The declared variables with their values."""
        named: dict[str, Any] = {
            "proposal.class": self.effect_class,
            "proposal.payload": dict(self.payload),
            "now.hour": self.now.hour,
            "now.minute": self.now.minute,
            "now.weekday": self.now.isoweekday(),
            "now.date": self.now.date().isoformat(),
        }
        for name in FIELDS:
            if name not in named:
                value = getattr(self, name.partition(".")[2])
                named[name] = list(value) if isinstance(value, list | tuple | set | frozenset) else value
        return named


def names_in(expression: str) -> frozenset[str]:
    """The declared names an expression speaks of."""
    return frozenset(_NAME.findall(expression)) & frozenset(FIELDS)
