"""The console's way to bills: the page, and the operator's word on an account or on what a payment pays."""

from __future__ import annotations

from soloist.app import App
from soloist.flows.bill_accounts import AccountCards
from soloist.flows.paying import Paying
from soloist.insight import bills


class Bills:
    """One App's bills as the pages ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._desk, self._paying = app.desk, Paying(app.desk)

    async def page(self) -> bills.BillsPage:
        """What is to be paid and what is owed, today."""
        today = self._desk.store.clock().astimezone(self._desk.settings.business.zone).date().isoformat()
        return await self._desk.store.read(lambda conn: bills.page(conn, today))

    async def confirm(self, supplier: str, account: str, who: str) -> None:
        """An account is theirs, on the operator's word (NotFound, BadInput)."""
        cards = AccountCards(self._desk)
        await self._desk.store.write(lambda tx: cards.confirm(tx, supplier, account, who=who))

    async def give(self, payment: str, invoice: str, who: str) -> None:
        """A payment pays an invoice, on the operator's word (NotFound)."""
        await self._paying.give_by_hand(payment, invoice, who=who)
