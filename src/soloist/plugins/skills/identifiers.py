"""The skill ``identifiers``; how numbers are found and checked stands in ``_ids``, which reading invoices shares."""

from __future__ import annotations

from soloist.kernel.message import Frozen
from soloist.plugins.skills._ids import Identifier, find
from soloist.sdk import skill

LIMIT = 100_000


class In(Frozen):
    """A text."""

    text: str


class Out(Frozen):
    """The numbers in reading order."""

    identifiers: list[Identifier]


@skill("identifiers", version="1")
def identifiers(value: In) -> Out:
    """Find account, bank, VAT, tax, order and parcel numbers, and check their check digits."""
    return Out(identifiers=find(value.text[:LIMIT]))
