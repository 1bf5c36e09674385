"""Differences of Studio Linde without a store: one of each kind, a task for hands, a list that failed."""

from typing import Any

from soloist.insight.reconcile import Compared, Domain, Hand, Line, Pair, ReconcilePage
from soloist.kernel.mismatch import KINDS, MEANING, options

AT = "2026-11-20T12:40:00Z"
LATE = "2026-11-20T13:10:00Z"
AMOUNT = Pair("amount", "450.00 EUR", "540.00 EUR", True)
TITLES = {
    "missing_outside": "Deposit of Okafor Ceramics",
    "missing_inside": "Reminder to Jonas Brandt",
    "differs": "Invoice 2026-014",
    "duplicate": "Workshop on Friday",
    "unattributed": "A booking nobody made here",
}


def line(kind: str, state: str = "open", **more: Any) -> Line:
    """A difference of a kind."""
    row = {"kind": kind, "inside": {"state": "needs_human", "undo": "exact"}}
    pairs = (AMOUNT, Pair("name", "Ada Okafor", "Ada Okafor")) if kind == "differs" else (Pair("name", "Ada", "Ada"),)
    here, there = ("Done", "There as ch_12") if kind != "unattributed" else ("Not known here", "There as bk_9")
    there = "Not there" if kind == "missing_outside" else there
    return Line(
        f"{kind}-{state}",
        "shop",
        "charge",
        kind,
        KINDS[kind],
        MEANING[kind],
        TITLES[kind],
        state,
        AT,
        LATE,
        here,
        there,
        outside_at="" if kind == "missing_outside" else AT,
        pairs=pairs,
        effect="" if kind == "unattributed" else "e1",
        choices=options(row) if state != "fixing" else (),
        **more,
    )


SHOP = Compared(
    "shop",
    "HTTP service",
    "The list follows within a minute.",
    AT,
    LATE,
    ("charge: The shop does not answer.",),
    ("12 listed outside", "8 agree", "1 settling"),
    (("Missing outside", 1), ("Differs", 1)),
    (
        *(line(kind) for kind in KINDS),
        line("missing_outside", "fixing", waits="/cards/c1"),
        line("differs", "accepted", settled="Accepted as it is."),
    ),
    more=3,
)
BOX = Compared("mail", "Mailbox", "", "", "", (), (), (), ())


class FakeReconcile:
    """What the pages ask."""

    def __init__(self) -> None:
        self.decided: list[tuple[str, str, dict[str, str]]] = []
        self.compared: list[str] = []

    async def page(self) -> ReconcilePage:
        hand = Hand("c1", "By hand at shop: Invoice 2026-014", "At shop, set amount to 450.00 EUR.", AT)
        return ReconcilePage(5, AT, (SHOP, BOX), (hand,), ("pager",))

    async def domains(self) -> tuple[Domain, ...]:
        return (
            Domain("Search index", "The database", "The journal", "A second", "It follows by itself.", "up to date"),
        )

    async def compare(self, connector: str, who: str) -> str:
        self.compared.append(connector)
        return "reconcile:shop:now"

    async def decide(self, ident: str, option: str, fields: dict[str, str], who: str) -> dict[str, Any]:
        self.decided.append((ident, option, fields))
        return {"id": ident, "option": option, "state": "fixing", "proposals": ["p1"], "card": "", "effect": ""}
