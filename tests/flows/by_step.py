"""Studio Linde without an engine: a message takes its whole way step by step, here and now, and is decided."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from soloist.app import App
from soloist.engine import calls
from soloist.engine.store import calls as kept
from soloist.engine.store import proposals, runs, tables, trials
from soloist.engine.store.clock import utc_now
from soloist.flows.intake import intake
from soloist.flows.replaying import Asked, Replaying
from soloist.sdk import Arrival, Page, Stream
from soloist.stages.approvals import Decision
from tests.engine.store import databases


class Verbs:
    """The verbs of a run without the engine: a step is done at once, and the calls of its skills are kept."""

    def __init__(self, app: App, run: str) -> None:
        self.run, self._store = run, app.store

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Do it now."""
        with calls.collecting() as made:
            answer = await work(self.run, *args)
        if made:
            await self._store.write(lambda tx: kept.keep(tx, self.run, name, made), full=False)
        return answer

    async def wait_for(self, topic: str, seconds: float) -> Any:
        """Nothing comes."""
        return None

    async def sleep(self, seconds: float) -> None:
        """No pause."""

    async def patched(self, name: str) -> bool:
        """Every run is new."""
        return True


async def through(app: App, run: str, event: str) -> None:
    """One run of the intake, to its end."""
    await app.store.write(lambda tx: runs.begin(tx, run), full=False)
    await intake(app.desk).body(Verbs(app, run), event)
    await app.store.write(lambda tx: runs.move(tx, run, "done"), full=False)


class Shop:
    """One opened home in which nothing runs by itself."""

    def __init__(self, root: Path) -> None:
        self.past = timedelta()
        self.app, self.count = App(databases.home(root), clock=lambda: utc_now() + self.past), 0
        self.desk, self.store = self.app.desk, self.app.store
        self.store.writer.send = lambda *_: None

    def rows(self, table: str, **wanted: Any) -> list[dict[str, Any]]:
        """Rows of a table in the order they were made, with these column values."""
        found = self.store.read_now(lambda c: c.execute(tables.metadata.tables[table].select()).mappings().all())
        return [dict(row) for row in found if all(row[key] == value for key, value in wanted.items())]

    async def take_in(self, message: EmailMessage) -> str:
        """Read a mail and do what follows; the id of its run."""
        self.count += 1
        page = Page((Arrival(str(self.count), "mail", message.as_bytes()),), str(self.count))
        await self.desk.intake.accept_page("mail", Stream("inbox"), page)
        (run,) = self.rows("runs", flow="intake", state="pending")
        await through(self.app, run["id"], run["input"])
        return str(run["id"])

    async def proposed(self, message: EmailMessage) -> dict[str, Any]:
        """The proposal that a mail leads to."""
        run = await self.take_in(message)
        (found,) = [row for row in self.rows("proposals", run=run, state="waiting") if row["noun"] == "effect"]
        return found

    async def say(self, proposal: dict[str, Any], decision: str = "approve", **more: Any) -> None:
        """Decide on what a proposal says now."""
        said = Decision(decision, proposal["payload_hash"], "operator", "test", **more)
        await self.desk.approvals.decide(proposal["id"], said)

    async def change(self, proposal: dict[str, Any], old: str, new: str) -> None:
        """Put one phrase for another in a draft, and approve it."""
        body = proposal["payload"]["body"]
        assert old in body, body
        await self.say(proposal, edits={"body": body.replace(old, new)})

    def proposal(self, ident: str) -> dict[str, Any]:
        return self.store.read_now(lambda conn: proposals.get(conn, ident))

    async def tried(self, **asked: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A trial carried out: its row, and its rows."""
        replaying = Replaying(self.desk)
        ident = await replaying.begin(Asked(**asked), who="operator")
        row = await replaying.through(ident)
        return row, self.store.read_now(lambda conn: trials.rows_of(conn, ident))
