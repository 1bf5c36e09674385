"""Bills as the pages see them: one to pay, one that is doubted, one owed, one payment without an invoice."""

from __future__ import annotations

from soloist.insight.bills import BillLine, BillsPage, LooseLine


class FakeBills:
    """Remembers what was confirmed and matched."""

    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []

    async def page(self) -> BillsPage:
        first = BillLine("i1", "RE-77", "Papier Voss GmbH", "EUR 119.00", "2026-11-25", "warn", "DE8937", supplier="s1")
        other = BillLine("i2", "RE-78", "Papier Voss GmbH", "EUR 50.00", "", "", "DE02", doubts=("Another account.",))
        owed = BillLine("i3", "2026-031", "Jonas Brandt", "EUR 1,190.00", "2026-11-15", "bad")
        loose = LooseLine("p1", "no number", "EUR 1,190.00", "2026-11-20", (("i3", "2026-031 EUR 1,190.00"),))
        return BillsPage((first, other), (owed,), (loose,), "1: EUR 119.00 (RE-77)")

    async def confirm(self, supplier: str, account: str, who: str) -> None:
        self.said.append((supplier, account, who))

    async def give(self, payment: str, invoice: str, who: str) -> None:
        self.said.append((payment, invoice, who))
