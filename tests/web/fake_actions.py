"""Actions of the story for pages behind a fake Door."""

from __future__ import annotations

from soloist.engine.rate import Lines
from soloist.insight import actions
from soloist.kernel.errors import NotFound
from soloist.sdk import Operation

CHARGE = Operation("create_charge", "A", risk="financial", undo="offset", way_back="POST /refunds", key_window=86400.0)


class FakeActions:
    """One charge and the change of a record."""

    def __init__(self) -> None:
        facts = actions._facts(CHARGE, None)
        contract = ({"field": "amount", "place": "body", "needed": True},)
        told = ("POST /charges", facts, contract, ("bookkeeper@1",), "you, unless a grant of yours allows it (money)")
        self.line = actions.ActionLine(
            "shop", "http", "create_charge", *told, 12, 1, "2026-11-20T09:30:00.000000Z", 0.9
        )
        self.state = actions.ConnectorLine("shop", "http", "is left alone", "bad", "no answer. For 5 s.", "At most 2.")

    async def page(self, query: str) -> actions.ActionsPage:
        return actions.ActionsPage(query, tuple(actions.fitting([self.line], query)), (self.state,), 1)

    async def one(self, connector: str, operation: str) -> actions.ActionPage:
        if (connector, operation) != ("shop", "create_charge"):
            raise NotFound("There is no such operation.")
        use = actions.UseLine("shop: create_charge", "/why/c1", "bookkeeper@1", "succeeded", self.line.last_use)
        return actions.ActionPage(self.line, actions.SENTENCES["A"], self.state, (use,))

    def exposition(self) -> str:
        return actions.exposition(Lines())
