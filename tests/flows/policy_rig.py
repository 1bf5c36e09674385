"""A home without an engine: proposals are judged and decided, nothing leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from soloist.app import App
from soloist.engine.store import grants, proposals, records, tables, tables_out
from soloist.engine.store.clock import iso
from soloist.kernel.origin import OWN
from soloist.kernel.proposal import CHANGE_CONNECTOR, CHANGE_FACTS, CHANGE_OPERATION, NewProposal
from soloist.stages.approvals import Decision
from tests.engine.store import databases

TOML = """
[business]
email = "mara@studio-linde.example"
timezone = "Europe/Berlin"
[connectors.shop]
kind = "http"
base_url = "https://shop.example"
[connectors.shop.operations.create_charge]
method = "POST"
path = "/charges"
class = "A"
key_header = "Idempotency-Key"
risk = "financial"
[connectors.shop.operations.put_event]
method = "PUT"
path = "/events/{key}"
class = "B"
find = { method = "GET", path = "/events/{key}" }
undo = { method = "DELETE", path = "/events/{key}" }
[connectors.shop.operations.notify]
method = "POST"
path = "/notes"
class = "C"
"""
REMINDERS = """
[[policy.rules]]
name = "reminders may go out alone"
when = 'proposal.connector == "shop" && proposal.operation == "put_event"'
then = "allow"
mode = "revert"
window = "10m"
"""
ADA = "ada@okafor-ceramics.example"


class Rig:
    """One home at a clock that a test turns."""

    def __init__(self, root: Path, more: str = "") -> None:
        self.root, self.moment, self.count = root, datetime(2026, 11, 20, 9, 0, tzinfo=UTC), 0
        root.mkdir(exist_ok=True)
        if not (root / "soloist.toml").exists():
            (root / "soloist.toml").write_text(TOML + more, encoding="utf-8")
        self.app = App(databases.home(root), clock=lambda: self.moment)
        self.desk, self.store, self.judging = self.app.desk, self.app.store, self.app.judging
        self.store.writer.send = lambda *_: None

    def later(self, **delta: float) -> None:
        self.moment += timedelta(**delta)

    async def propose(self, operation: str = "put_event", **payload: Any) -> dict[str, Any]:
        """A proposal of the script "diary"; the stored row."""
        self.count, self.moment = self.count + 1, self.moment + timedelta(seconds=1)
        connector = "mail" if operation == "mail.send" else "shop"
        new = NewProposal(
            id=f"00000000-0000-5000-8000-{self.count:012}",
            connector=connector,
            operation=operation,
            payload=payload or {"title": "Fitting", "n": self.count},
            reason="it is due",
            source="api:diary",
            source_ref=str(self.count),
            origin=OWN,
        )
        await self.desk.propose_over_api(new, actor="token:diary")
        return self.proposal(new.id)

    async def mail(self, to: str = ADA, **more: Any) -> dict[str, Any]:
        return await self.propose("mail.send", to=[to], subject="Your invoice", body="It is due.", **more)

    async def reply(self, **more: Any) -> dict[str, Any]:
        """A reply of the agent intake from a template, held, on a thread that is known."""
        self.count, self.moment = self.count + 1, self.moment + timedelta(seconds=1)
        new = NewProposal(
            id=f"00000000-0000-5000-a000-{self.count:012}",
            connector="mail",
            operation="mail.send",
            payload={"to": [ADA], "subject": "Re: kiln", "body": f"Thank you, {self.count}."},
            reason="They asked.",
            source="agent:intake",
            agent="intake@1",
            new_recipient=False,
            origin=OWN,
            **{"thread_known": True, "evidence": {"template": "enquiry.en"}, **more},
        )
        facts = self.desk.facts("mail", "mail.send")
        await self.store.write(lambda tx: self.desk.approvals.propose(tx, new, facts, actor="intake@1"))
        return self.proposal(new.id)

    async def change(self, record: str, **fields: Any) -> dict[str, Any]:
        """A record change of the agent intake."""
        self.count, self.moment = self.count + 1, self.moment + timedelta(seconds=1)
        version = self.store.read_now(lambda conn: records.get(conn, record)["version"])
        new = NewProposal(
            id=f"00000000-0000-5000-9000-{self.count:012}",
            connector=CHANGE_CONNECTOR,
            operation=CHANGE_OPERATION,
            payload={"record": record, "version": version, "fields": fields},
            noun="change",
            reason="Their message says so.",
            source="agent:intake",
            agent="intake",
            record=record,
            new_recipient=False,
            origin=OWN,
        )
        await self.store.write(lambda tx: self.desk.approvals.propose(tx, new, CHANGE_FACTS, actor="intake"))
        return self.proposal(new.id)

    async def say(self, row: dict[str, Any], decision: str = "approve", **more: Any) -> dict[str, Any]:
        self.later(seconds=1)
        said = Decision(decision, row["payload_hash"], "operator", "test", **more)
        return await self.desk.approvals.decide(row["id"], said)

    async def choose(self, card: dict[str, Any], option: str) -> dict[str, Any]:
        return await self.desk.decide_card(card["id"], option, digest="", who="operator", via="test")

    def grant(self, *gates: str, **more: Any) -> str:
        end = iso(self.moment + timedelta(days=30))
        given = {"title": "mine", "connector": "shop", "gates": gates, "until": end, "who": "operator", **more}
        return self.store.write_now(lambda tx: grants.insert(tx, given))

    def proposal(self, ident: str) -> dict[str, Any]:
        return self.store.read_now(lambda conn: proposals.get(conn, ident))

    def verdict(self, row: dict[str, Any]) -> dict[str, Any]:
        return self.store.read_now(lambda conn: proposals.verdicts_of(conn, row["id"]))[-1]

    def may_leave(self, row: dict[str, Any], by: str = "allow") -> str:
        """Policy right before it leaves."""
        self.later(seconds=1)
        asked = {**self.proposal(row["id"]), "approved_by": by}
        return self.store.write_now(lambda tx: self.judging.still_allowed({**asked, "tx": tx}))

    def card(self, type_: str) -> dict[str, Any] | None:
        found = [row for row in self.rows("tasks", state="open") if row["type"] == type_]
        assert len(found) < 2, found
        return found[0] if found else None

    def rows(self, table: str, **wanted: Any) -> list[dict[str, Any]]:
        known = getattr(tables, table, None)
        known = known if known is not None else getattr(tables_out, table)
        found = self.store.read_now(lambda c: c.execute(known.select()).mappings().all())
        return [dict(row) for row in found if all(row[key] == value for key, value in wanted.items())]

    def person(self, actor: str = "soloist", **body: Any) -> str:
        """A record of Ada."""
        about = {"name": "Ada Okafor", "emails": [ADA], "phones": [], **body}
        return self.store.write_now(
            lambda tx: records.create(tx, "person", "Ada Okafor", about, why="test", actor=actor, state="client")
        )
