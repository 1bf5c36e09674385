"""Console: the Door over a real App: reads through insight, acts through the desk; it holds no rule of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from soloist.app import App
from soloist.config import seconds
from soloist.engine.stopping import standing
from soloist.flows import safety, snoozing
from soloist.flows.takeover import Review
from soloist.insight import activity, explanation, inbox, records, runs, setup, sheets, takeover, views
from soloist.insight.live import Feed, News
from soloist.kernel.errors import BadInput, Conflict
from soloist.web.actions_door import Actions
from soloist.web.attention_door import Time
from soloist.web.bills_door import Bills
from soloist.web.confidence_door import Proved
from soloist.web.doors import Decision
from soloist.web.failures_door import Failures
from soloist.web.giving_door import Handing
from soloist.web.intents_door import Wanted
from soloist.web.keeping_door import Kept
from soloist.web.learning_door import Learning
from soloist.web.letters_door import Letters
from soloist.web.library_door import Library
from soloist.web.memory_door import Remembering
from soloist.web.merging_door import Merges
from soloist.web.packages_door import Packaged
from soloist.web.playbooks_door import Books
from soloist.web.policy_door import Policies
from soloist.web.reconcile_door import Reconcile
from soloist.web.records_door import Book
from soloist.web.registry_door import Registered
from soloist.web.rules_door import Rules
from soloist.web.safety_door import Safety
from soloist.web.spend_door import Spending
from soloist.web.talking_door import Talks
from soloist.web.work_door import Work


class Console:
    """One App as the pages see it."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._desk, self._access = app.desk, app.access
        self.feed = Feed(app.store)
        self.library, self.letters = Library(app), Letters(app)
        self.safety = Safety(app)
        self.memory = Remembering(app)
        self.work, self.books = Work(app), Books(app)
        self.bills = Bills(app)
        self.spending = Spending(app)
        self.learning = Learning(app)
        self.rules = Rules(app)
        self.proved, self.wanted = Proved(app), Wanted(app)
        self.time = Time(app, self._offered)
        self.failures = Failures(app)
        self.policies = Policies(app)
        self.actions = Actions(app)
        self.kept = Kept(app)
        self.reconcile = Reconcile(app)
        self.book = Book(app)
        self.merges = Merges(app)
        self.registry, self.packages = Registered(app), Packaged(app)
        self.handing, self.talks = Handing(app), Talks(app)

    @property
    def _now(self) -> str:
        return self._desk.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    async def frame(self) -> views.Frame:
        """What surrounds every page."""
        business, now = self._desk.settings.business, self._now
        (waiting, stopped, seq), halted = await self._desk.store.read(
            lambda conn: (inbox.standing(conn, now), standing(conn, self._desk.effects.halt))
        )
        return views.Frame(
            business.name,
            business.timezone,
            business.language,
            waiting,
            stopped or (halted[0].since if halted else ""),
            self._desk.settings.sample,
            now=now,
            seq=seq,
            halted=tuple(halted),
        )

    async def inbox(self, current: str = "", after: str = "") -> views.InboxPage:
        """The queue in the order of judgement."""
        now, follow_up = self._now, seconds(self._desk.settings.intake.follow_up_after)
        page = await self._desk.store.read(
            lambda conn: inbox.page(conn, now=now, current=current, follow_up=follow_up, after=after)
        )
        return replace(page, current=await self._offered(page.current)) if page.current else page

    async def sheet(self, card: str) -> views.Sheet:
        """One card, open or decided."""
        return await self._offered(await self._desk.store.read(lambda conn: sheets.sheet(conn, card)))

    async def _offered(self, sheet: views.Sheet) -> views.Sheet:
        """What can be done with a card besides deciding it: mornings it can wait for, and whether it may leave."""
        if sheet.state != "open":
            return sheet
        now, zone = self._now, self._desk.settings.business.timezone
        later = tuple(snoozing.offered(sheet.due, now, zone))
        sheet = await self.letters.offered(sheet)
        return replace(sheet, later=later, observed=await asyncio.to_thread(self._only_observes, sheet))

    def _only_observes(self, sheet: views.Sheet) -> bool:
        """Whether the connection it would leave by only reads for now."""
        connector = sheet.connector
        return bool(connector) and self._desk.observe_only(connector)

    async def decide(self, card: str, decision: Decision) -> views.Outcome:
        """Commit a decision through the desk."""
        if decision.option == "defer":
            digest, who = decision.payload_hash, decision.who
            await snoozing.snooze(self._desk, card, decision.until, digest=digest, who=who, via="console")
            return await self.outcome(card) or views.Outcome(card, "Put off.")
        await self._desk.decide_card(
            card,
            decision.option,
            digest=decision.payload_hash,
            who=decision.who,
            via="console",
            edits=decision.edits or None,
            reason=decision.reason,
        )
        return await self.outcome(card) or views.Outcome(card, "Done.")

    async def outcome(self, card: str) -> views.Outcome | None:
        """What became of a card that was just decided."""
        now, zone = self._now, self._desk.settings.business.timezone
        return await self._desk.store.read(lambda conn: inbox.outcome(conn, card, now, zone))

    async def undo(self, card: str, who: str, bundle: bool = False) -> views.Outcome:
        """Take back the proposal a card or id stands for, or wake a card; Conflict says why it cannot be."""
        if await snoozing.wake(self._desk, card, who=who):
            return views.Outcome(card, "It is back in the inbox.")
        if told := await self.merges.undo(card, who):
            return views.Outcome(card, told)
        proposal = await self._desk.store.read(lambda conn: explanation.proposal_of(conn, card))
        if not proposal:
            raise Conflict("There is nothing here that can be taken back.")
        await self._desk.undo_proposal(proposal, who=who, bundle=bundle)
        return await self.outcome(card) or views.Outcome(card, "It is being taken back.", tone="warn")

    async def seen(self) -> None:
        """Start the "since" line anew."""
        await self._desk.store.write(inbox.mark_seen, full=False)

    async def looked(self, who: str, seq: int) -> None:
        """Keep how far the operator has looked."""
        await self._desk.store.write(lambda tx: inbox.look(tx, who, seq), full=False)

    async def live(self, owner: str, after: int) -> AsyncIterator[News | None]:
        """What became old, for one open page, for as long as its session holds."""
        async for news in self.feed.listen(owner, after):
            session = await self._access.session(owner) if owner else None
            if owner and (session is None or not session.live(self._desk.store.clock().timestamp())):
                return
            yield news

    async def takeover(self, connection: str) -> takeover.TakeoverPage:
        """What a mailbox that was read back holds."""
        folder, half = self._desk.home.assets, self._desk.connections.get(connection)
        past = [name for name, stream in half.streams().items() if stream.past] if half else []
        return await self._desk.store.read(lambda conn: takeover.page(conn, folder, connection, past))

    async def take_over(self, connection: str, chosen: Mapping[str, Sequence[str]], who: str) -> None:
        """Add what was ticked."""
        await Review(self._desk).accept(connection, chosen, who=who)

    async def stop(self, on: bool, who: str) -> None:
        """Halt everything outbound, or let it go on."""
        await (safety.press(self._desk, who=who, way="console") if on else safety.release(self._desk, who=who))

    async def activity(self, group: str = "", query: str = "", before: str = "", after: str = "") -> views.ActivityPage:
        """A page of what happened."""
        return await self._desk.store.read(
            lambda conn: activity.page(conn, group=group, query=query, before=before, after=after)
        )

    async def records(
        self,
        kind: str = "",
        query: str = "",
        after: str = "",
        *,
        state: str = "",
        sort: str = "",
        direction: str = "",
    ) -> views.RecordsPage:
        """A page of records of one kind."""
        asked = {"kind": kind, "query": query, "after": after, "state": state, "sort": sort, "direction": direction}
        return await self._desk.store.read(lambda conn: records.page(conn, **asked))

    async def record(self, kind: str, ident: str) -> views.RecordPage:
        """One record with its history."""
        return await self._desk.store.read(lambda conn: records.record(conn, kind, ident))

    async def runs(self, state: str = "", before: str = "") -> views.RunsPage:
        """A page of runs."""
        return await self._desk.store.read(lambda conn: runs.page(conn, state=state, before=before))

    async def run(self, ident: str) -> views.RunPage:
        """One run with its steps."""
        return await self._desk.store.read(lambda conn: runs.run(conn, ident))

    async def why(self, ident: str) -> views.WhyPage:
        """Any proposal, effect, card, message, event or run explained."""
        zone = self._desk.settings.business.timezone
        return await self._desk.store.read(lambda conn: explanation.page(conn, ident, zone))

    async def settings(self, session: str = "") -> views.SettingsPage:
        """Settings, access and connectors."""
        desk, now, listed = self._desk, self._now, self._connectors()
        home, rules = str(desk.home.root), desk.judging.rules.written
        return await desk.store.read(
            lambda conn: setup.page(
                conn, desk.settings, now=now, home=home, session=session, connectors=listed, rules=rules
            )
        )

    def _connectors(self) -> list[Mapping[str, Any]]:
        """Connections and what they can do outside."""
        return [
            {
                "connector": half.name,
                "kind": half.kind,
                "operations": [
                    {"name": op.name, "class": op.effect_class, "risk": op.risk, "hold": op.hold}
                    for op in half.operations().values()
                ],
            }
            for half in self._desk.connections.values()
        ]

    async def end_access(self, what: str, ident: str) -> None:
        """End a session or an API token."""
        if what == "sessions":
            await self._access.revoke(ident)
        elif what == "tokens":
            await asyncio.to_thread(self._access.revoke_token, ident)
        else:
            raise BadInput("Only sessions and tokens can be ended.")
