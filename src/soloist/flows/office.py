"""Office: what billing and scheduling do with a message beside the answer; the one seam from the way of a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import conversations
from soloist.flows.bill_answers import BillAnswers
from soloist.flows.billing import Billing
from soloist.flows.desk import Desk
from soloist.flows.papers import CALENDAR, Papers, take
from soloist.flows.scheduling import Scheduling
from soloist.sdk.flow import Verbs

NEVER = frozenset({"spam"})
"""Kinds whose files are not opened."""
FILED = frozenset({"billing", "unsure", "bulk", "automatic"})
"""Kinds that need no answer when an invoice came with them."""
NOTHING: Mapping[str, Any] = {"filed": False}


class Office:
    """The two roles of one home, as the way of a message meets them."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk
        self._papers, self._billing = Papers(desk), Billing(desk)
        self._answers, self._scheduling = BillAnswers(desk, self._billing), Scheduling(desk)

    async def files(
        self, do: Verbs, arrived: Mapping[str, Any], meaning: Mapping[str, Any], who: Mapping[str, Any] | None = None
    ) -> bool:
        """Read what came with a message; whether that was all there is to do with it."""
        if not arrived.get("files") or meaning["kind"] in NEVER:
            return False
        whose = (who or {}).get("person") or (who or {}).get("company") or ""
        done = await do.step("files", self.take, arrived["message"], meaning["kind"], whose)
        return bool(done["filed"])

    async def answers(self, do: Verbs, message: str, meaning: Mapping[str, Any], who: Mapping[str, Any]) -> bool:
        """Let billing answer what is about money; whether that was all there is to do with it."""
        if meaning["kind"] == "billing":
            return bool((await do.step("billing", self._answers.answer, message, who))["taken"])
        if meaning["kind"] == "scheduling":
            return bool((await do.step("scheduling", self._scheduling.answer, message, who))["taken"])
        return False

    async def take(self, run: str, message_id: str, kind: str, whose: str) -> dict[str, Any]:
        """Read the files of a message, remember their words, enter its invoices; answers {filed, ...}."""
        message = await self._desk.store.read(lambda conn: conversations.message(conn, message_id))
        parts = [int(file["part"]) for file in message["attachments"] or [] if str(file["mime"]).startswith(CALENDAR)]
        if parts:
            done = await self._scheduling.invited(run, message_id, parts[0], {"person": whose})
            if done["taken"]:
                return {"filed": True, **done}
        read = await self._papers.read(run, message)
        if not read:
            return {"filed": False}
        done = await self._billing.receive(run, message, read)
        taken = bool(done["invoices"] or done["again"])
        if kind not in ("bulk", "automatic") or taken:
            whose = whose or await self._desk.store.read(lambda conn: _whose(conn, message))
            await self._desk.store.write(lambda tx: take(self._papers, tx, run, (message, read, whose)))
        return {"filed": taken and kind in FILED, **done}


def _whose(conn: Any, message: Mapping[str, Any]) -> str:
    """The record a message's conversation belongs to, "" for none yet."""
    return str(conversations.get(conn, message["conversation"])["record"])
