"""By hand: what the operator does on the pages of memory; it reads what was typed and leaves the writing to others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from soloist.engine.store import facts as rows
from soloist.engine.store import memories, pins
from soloist.engine.store.tx import Tx
from soloist.flows.curating import Curating
from soloist.flows.desk import Desk
from soloist.kernel import money
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.fact import MANY, NewFact
from soloist.stages.memory import facts

OPERATOR = "operator"
MOST_REASON = 200
_MONEY = re.compile(r"(?:([A-Za-z]{3})\s*)?(\d[\d., ]*?)(?:\s*([A-Za-z]{3}))?")


class Hand:
    """The operator's acts on items and facts; an item that stands for a fact is acted on as that fact."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._store, self._curating = desk.store, Curating(desk)

    # ----- items

    async def confirm(self, ident: str, *, who: str) -> str:
        """An item is right: it is kept for good. Answers the id of what stands now (NotFound, Conflict)."""
        row = await self._lasting(ident)
        if fact := _fact_of(row):
            stands = (await self._curating.confirm(fact, who=who))["id"]
            found = await self._store.read(lambda conn: memories.of_ref(conn, f"fact:{stands}"))
            return str(found[-1]["id"]) if found else ident
        return str((await self._curating.promote(ident, who=who))["id"])

    async def correct(self, ident: str, text: str, *, who: str) -> str:
        """An item says something else, on the operator's word. Answers the id of the new one (BadInput, Conflict)."""
        row = await self._lasting(ident)
        if _fact_of(row):
            raise BadInput("text: this stands for a fact; correct the fact itself.", field="text")
        if text.strip() == row["text"]:
            raise BadInput("text: that is what it says already; nothing was changed.", field="text")
        return str((await self._curating.correct(ident, text, who=who))["id"])

    async def forget(self, ident: str, why: str, *, who: str) -> None:
        """An item ends with a reason; the history keeps it until it is erased (BadInput, Conflict)."""
        why, row = reason(why), await self._lasting(ident)
        if fact := _fact_of(row):
            await self._curating.end_fact(fact, who=who, why=why)
        await self._curating.forget(ident, who=who, why=why)

    async def pin(self, ident: str, on: bool, *, who: str) -> None:
        """Keep an item whatever its tier's time, or let it go with its tier again (Conflict)."""
        await self._store.write(lambda tx: pins.pin(tx, ident, on, actor=who))

    async def make_task(self, ident: str, *, who: str) -> str:
        """A card that reminds of an item; answers its id."""
        return str((await self._curating.make_task(ident, who=who))["card"])

    async def _lasting(self, ident: str) -> dict[str, Any]:
        row = await self._store.read(lambda conn: memories.get(conn, ident))
        if row["ended"]:
            raise Conflict(f"This memory is over already ({row['ended_why'] or 'ended'}); nothing was changed.")
        return row

    # ----- facts

    async def confirm_fact(self, ident: str, *, who: str) -> str:
        """A statement is right; what contradicts it is past. Answers the id of what stands now (NotFound)."""
        return str((await self._curating.confirm(ident, who=who))["id"])

    async def end_fact(self, ident: str, why: str, *, who: str) -> str:
        """A statement is taken back with a reason. Answers whom it is about (NotFound, BadInput)."""
        row, why = await self._store.read(lambda conn: rows.get(conn, ident)), reason(why)
        await self._curating.end_fact(ident, who=who, why=why)
        return str(row["record"])

    async def correct_fact(self, ident: str, value: str, *, changed: bool, who: str) -> str:
        """Another value in the place of a statement: from now on when it ``changed``, else for all its time.

        Answers the id of the new one (NotFound, Conflict, BadInput).
        """

        def work(tx: Tx) -> str:
            row = rows.get(tx.conn, ident)
            if row["ended"]:
                raise Conflict("This statement is past already; write a new one instead.")
            given = typed(value, row["value"])
            new = _mine(row["record"], row["attribute"], given, tx.now if changed else row["valid_from"], who)
            if row["attribute"] in MANY or row["state"] == "disputed":
                facts.end(tx, ident, why="it has changed" if changed else "corrected", actor=who)
            return facts.state(tx, new).id

        return await self._store.write(work)

    async def state_fact(self, record: str, attribute: str, value: str, *, since: str = "", who: str) -> str:
        """The operator writes a fact about a record (BadInput). Answers its id."""
        try:
            day = date.fromisoformat(since).isoformat() if since else ""
        except ValueError:
            raise BadInput(f"since: {since[:40]!r} is no day; write it like 2026-11-21.", field="since") from None
        new = _mine(record, " ".join(attribute.split()), typed(value, None), day, who)
        return str((await self._curating.state(new))["id"])


def reason(text: str) -> str:
    """Why something ends, in a line (BadInput)."""
    plain = " ".join(text.split())
    if not plain or len(plain) > MOST_REASON:
        raise BadInput(f"why: give a reason, 1 to {MOST_REASON} characters; nothing was changed.", field="why")
    return plain


def _fact_of(row: Mapping[str, Any]) -> str:
    """The fact an item stands for, "" for none."""
    kind, _, ident = str(row["ref"]).partition(":")
    return ident if row["kind"] == "fact" and kind == "fact" else ""


def _mine(record: str, attribute: str, value: Any, since: str, who: str) -> NewFact:
    """A statement on the operator's word."""
    new = NewFact(record, attribute, value, valid_from=since, source=OPERATOR, origin=(OPERATOR,), actor=who)
    return replace(new, trust="confirmed", confidence="stated")


def typed(text: str, former: Any) -> Any:
    """What was typed, in the form of the value it takes the place of: money stays money (BadInput)."""
    text = text.strip()
    if not text:
        raise BadInput("value: write what is the case, or forget it instead; nothing was changed.", field="value")
    if isinstance(former, Mapping) and {"minor", "currency"} <= former.keys():
        return _money(text, str(former["currency"]))
    if isinstance(former, int | float) and not isinstance(former, bool):
        try:
            return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
        except ValueError:
            raise BadInput(f"value: {text[:40]!r} is no number; nothing was changed.", field="value") from None
    return text


def _money(text: str, currency: str) -> dict[str, Any]:
    """ "EUR 1,200.50" or "1200" as minor units; the mark before two last digits is the decimal one."""
    found = _MONEY.fullmatch(text)
    try:
        if found is None:
            raise InvalidOperation
        plain = re.sub(r"[., ](?=\d{3}(?:\D|$))", "", found[2]).replace(",", ".").replace(" ", "")
        code = (found[1] or found[3] or currency).upper()
        return {"minor": money.minor(Decimal(plain), code), "currency": code}
    except (InvalidOperation, ValueError):
        raise BadInput(f"value: {text[:40]!r} is no amount; write it like EUR 1,200.", field="value") from None
