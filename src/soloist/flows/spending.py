"""Spending: the ledger and the models of one home on its desk, and what keeps both in order beside the flows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from soloist.config import Settings
from soloist.engine.keyring import Keyring
from soloist.engine.store import secrets
from soloist.engine.store.tx import Tx
from soloist.engine.vault import Vault, kept_out
from soloist.flows.desk import Desk
from soloist.flows.night import Night
from soloist.kernel.errors import BadConfig, BadInput, SoloistError
from soloist.kernel.proposal import NewProposal
from soloist.stages.effects import Effects
from soloist.stages.runtime.models import Models
from soloist.stages.spend import SUBJECT, Large, Spend
from soloist.stages.spend import sweep_in as sweep_calls
from soloist.stages.spend.large import SUBJECT as LARGE

LOOK_EVERY = 60.0
"""Seconds between two looks for caps whose period is over and for calls that nobody will settle."""
_log = logging.getLogger("soloist.spending")


class Hidden:
    """All secrets in the clear, for the moment of comparing a text with them; opened anew when one was stored."""

    def __init__(self, desk: Desk, vault: Vault) -> None:
        """Nothing is opened before the first question."""
        self._store, self._vault = desk.store, vault
        self._names: list[str] = []
        self._at = ""
        self.last: tuple[str, ...] = ()

    def all(self) -> Sequence[str]:
        """Every secret that this installation can open; ``last`` is the same without looking into the database."""
        return self._store.read_now(self.within)

    def within(self, conn: Any) -> Sequence[str]:
        """The same on a connection that is open already."""
        names, newer = secrets.names(conn), secrets.renewed_since(conn, self._at)
        if newer or names != self._names:
            at = self._store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            self.last = tuple(text for name in names if (text := self._opened(conn, name)))
            self._names, self._at = names, at
        return self.last

    def _opened(self, conn: Any, name: str) -> str:
        try:
            return self._vault.open(name, secrets.get(conn, name))
        except SoloistError:
            return ""  # sealed with another key: it is known to nobody here, so it can be in no prompt

    def kept_out(self, tx: Tx, new: NewProposal) -> NewProposal:
        """A proposal of an agent without any secret; of a program it is refused (BadInput)."""
        known = self.within(tx.conn)
        told = {name: getattr(new, name) for name in ("payload", "reason", "title", "evidence", "questions")}
        clean = kept_out(told, known)
        if clean is told:
            return new
        if not new.agent:
            raise BadInput(
                "payload: it holds a secret of this house in the clear, so it was not stored. A secret is named in the "
                "headers of soloist.toml as {secret.NAME} and filled in when the request leaves.",
                field="payload",
            )
        return replace(new, **{**clean, "questions": tuple(clean["questions"])})


def equipped(desk: Desk) -> Desk:
    """The desk with a ledger and models; without [models] in soloist.toml every question says that none is set."""
    keyring = Keyring(desk.store, Vault(desk.home.keys))
    spend = Spend(desk.store, desk.settings, worker=desk.effects.boot)
    hidden = Hidden(desk, Vault(desk.home.keys))
    models = Models(desk.store, desk.settings, spend, secret=keyring.secret, hidden=hidden.all)
    desk.approvals.filtered = hidden.kept_out
    desk.takers[SUBJECT] = spend.answer
    large = Large(desk.store, spend.currency)
    desk.takers[LARGE] = large.answer
    desk.runtime.equip(models)
    desk.runtime.validated_by(large)
    return replace(desk, spend=spend, models=models)


def take(desk: Desk, settings: Settings) -> None:
    """Take over [models], [budgets] and [night] as they are now; nothing changes when a cap cannot be counted.

    Another currency of the house waits for the next start, since the books are turned into it then.
    """
    if settings.business.currency != desk.spend.currency:
        _log.warning("business.currency was changed: it counts from the next start on; until then nothing of "
                     "[models], [budgets] and [night] is taken over.")  # fmt: skip
        return
    try:
        desk.spend.take(settings)
        desk.models.take(settings)
        if isinstance(desk.models.night, Night):
            desk.models.night.take(settings)
    except BadConfig as error:
        _log.warning("[models] and [budgets] were changed and not taken over: %s", error)


def sweep_in(effects: Effects, tx: Tx) -> int:
    """What dead processes were calling is unknown, what they held back counts as spent; answers how many effects."""
    sweep_calls(tx)
    return effects.sweep_in(tx)


async def follow(desk: Desk) -> None:
    """Agents whose cap has a new period are in use again; what a command left open counts as spent."""

    def work(tx: Tx) -> None:
        sweep_calls(tx)
        desk.spend.turn_in(tx)
        desk.spend.renew_in(tx)

    while True:
        try:
            await desk.store.write(work, full=False)
        except SoloistError as error:
            _log.warning("the caps could not be looked at: %s", error)
        await asyncio.sleep(LOOK_EVERY)
