"""A shelf in memory behind the connector contract: what lies on it can be taken, changed and doubled by others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from soloist.app import App
from soloist.engine.store import effects, mismatches, proposals, tables
from soloist.kernel.ids import derived as derived
from soloist.kernel.proposal import NewProposal
from soloist.sdk import Absent, Base, CannotTell, Ctx, Found, Lookup, Manifest, Operation, Plan, Receipt, Thing, Trouble
from soloist.stages.approvals import Decision

AGO = timedelta(minutes=30)


class Shelf(Base):
    """Things by their id; ``put`` is of class B and can be taken back, ``shout`` leaves no key."""

    kind = "shelf"
    manifest = Manifest(title="A shelf", consistency="At once.", inventory=("put", "shout", "charge"))

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.trouble: Trouble | None = None

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        return {
            "put": Operation("put", "B", risk="reversible", undo="exact", way_back="it is taken from the shelf"),
            "shout": Operation("shout", "C", risk="irreversible"),
            "charge": Operation("charge", "B", risk="financial", undo="offset", way_back="it is paid back"),
            "change": Operation("change", "B", risk="reversible", primitive="update"),
        }

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        if operation == "change" and "ref" not in payload:
            raise ValueError("ref: which thing?")
        return Plan(self.operations(ctx)[operation], key, json.dumps(payload, sort_keys=True).encode(), str(payload))

    def undo(self, ctx: Ctx, plan: Plan, receipt: Receipt) -> Plan | None:
        return Plan(plan.operation, plan.key, b"", f"take {receipt.provider_ref} away")

    async def find(self, ctx: Ctx, plan: Plan) -> Lookup:
        if self.trouble:
            return CannotTell(self.trouble.reason)
        held = next((thing for thing in self.things.values() if thing.key == plan.key), None)
        return Found(Receipt(held.ref, "on the shelf")) if held else Absent("not on the shelf")

    async def inventory(self, ctx: Ctx, operation: str, since: datetime) -> AsyncIterator[Thing]:
        if self.trouble:
            raise self.trouble
        for ref, thing in list(self.things.items()):
            if ref.startswith(operation):
                yield thing


class Stock:
    """A home with a shelf; nothing runs, so each act is one call."""

    connector = "shelf"

    def __init__(self, app: App) -> None:
        self.app, self.desk, self.shelf, self.count = app, app.desk, Shelf(), 0
        app.registry.connectors["shelf"] = self.shelf
        app.home.toml.write_text('[connectors.shelf]\nkind = "shelf"\n', encoding="utf-8")
        app.connect()

    async def proposed(self, operation: str = "put", **payload: Any) -> dict[str, Any]:
        """A waiting proposal."""
        self.count += 1
        ident = f"019a0000-0000-7000-8000-{self.count:012d}"
        given = {**self.given(), **payload}
        about = {"connector": self.connector, "operation": operation, "payload": given}
        new = NewProposal(id=ident, reason="r", source="test", **about)
        facts = replace(self.desk.facts(self.connector, operation), hold=0.0)
        await self.app.store.write(lambda tx: self.desk.approvals.propose(tx, new, facts, actor="test"))
        return self.row("proposals", ident)

    def given(self) -> dict[str, Any]:
        """What is done by default."""
        return {"name": f"bowl {self.count}", "amount": 100 + self.count}

    async def effect(self, state: str = "succeeded", operation: str = "put", **payload: Any) -> dict[str, Any]:
        """An effect in a state, long enough ago; what was done lies on the shelf."""
        proposal = await self.proposed(operation, **payload)
        said = Decision("approve", proposal["payload_hash"], "operator", "test")
        await self.desk.approvals.decide(proposal["id"], said)
        await self.desk.effects.intend(f"proposal:{proposal['id']}", proposal["id"])
        (row,) = self.app.store.read_now(lambda conn: effects.of_proposal(conn, proposal["id"]))
        ref = f"{operation}-{self.count}" if state == "succeeded" else ""
        for step in WAY[state]:
            values = {"provider_ref": ref} if step == "succeeded" else {}
            row = await self.app.store.write(lambda tx, r=row, s=step, v=values: effects.move(tx, r, s, **v))
        self.app.store.write_now(lambda tx: _age(tx, row["id"]))
        if ref and self.connector == "shelf":
            self.lay(row, ref)
        return self.row("effects", row["id"])

    def lay(self, effect: Mapping[str, Any], ref: str, *, key: str | None = None, **fields: Any) -> Thing:
        """Put on the shelf what an effect would have put there."""
        payload = self.row("proposals", effect["proposal"])["payload"]
        shown = effect["key"] if key is None else key
        self.shelf.things[ref] = Thing(
            ref, shown, payload["name"], {**payload, **fields}, (datetime.now(UTC) - AGO).isoformat()
        )
        return self.shelf.things[ref]

    def row(self, table: str, ident: str) -> dict[str, Any]:
        """One row of a table."""
        held = getattr(tables, table)
        return dict(
            self.app.store.read_now(lambda c: c.execute(held.select().where(held.c.id == ident)).mappings().one())
        )

    def kinds(self, state: str = "open") -> list[str]:
        """The kinds of the mismatches in a state."""
        return [row["kind"] for row in self.all(state)]

    def all(self, state: str = "open") -> list[dict[str, Any]]:
        """The mismatches in a state."""
        return self.app.store.read_now(lambda conn: mismatches.listed(conn, state))

    def waiting(self) -> list[dict[str, Any]]:
        """The proposals that wait."""
        return self.app.store.read_now(lambda c: proposals.listed(c, "waiting", after=("", ""), limit=100))


WAY = {
    "intended": (),
    "succeeded": ("claimed", "attempting", "succeeded"),
    "unknown": ("claimed", "attempting", "unknown"),
    "needs_human": ("claimed", "attempting", "unknown", "needs_human"),
    "resolved_not_done": ("claimed", "attempting", "unknown", "needs_human", "resolved_not_done"),
}


def _age(tx: Any, ident: str) -> None:
    """As if it had been an hour ago."""
    from soloist.engine.store.clock import later

    hour = later(tx.now, -3600)
    held = tables.effects
    tx.run(held.update().where(held.c.id == ident).values(updated=hour, first_attempt=hour, created=hour))
