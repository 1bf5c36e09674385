"""The console's way to memory: what is held, about whom, what was looked up and why it ranked; it holds no rule."""

from __future__ import annotations

from collections.abc import Mapping

from soloist.app import App
from soloist.flows.by_hand import Hand
from soloist.flows.embedding import Embedding
from soloist.insight import memory, ranked
from soloist.insight.memory import Wanted
from soloist.kernel.errors import BadInput, NotFound, TooLarge
from soloist.stages.memory import Search

FOUND = 12
"""Answers to a question on the page."""


class Remembering:
    """One App's memory as the pages ask for it."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._desk, self._store, self._hand = app.desk, app.store, Hand(app.desk)

    @property
    def _now(self) -> str:
        return self._store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    async def overview(self) -> memory.Overview:
        """The first page."""
        now, mark = self._now, await self._desk.memory.watermark()
        behind = mark["behind"] if mark["model"] else 0
        return await self._store.read(lambda conn: memory.overview(conn, now, behind=behind))

    async def whom(self, query: str = "", after: str = "", *, every: bool = False) -> memory.WhomPage:
        """Whom memory is about, by name."""
        return await self._store.read(lambda conn: memory.whom(conn, query=query, after=after, every=every))

    async def items(self, wanted: Wanted, before: int = 0) -> memory.ItemsPage:
        """Items that last, by pages."""
        now = self._now
        return await self._store.read(lambda conn: memory.items(conn, wanted, now, before=before))

    async def item(self, ident: str) -> memory.ItemPage:
        """One item whole (NotFound)."""
        return await self._store.read(lambda conn: memory.item(conn, ident))

    async def about(self, record: str) -> memory.AboutPage:
        """What is remembered about somebody (NotFound)."""
        now = self._now
        return await self._store.read(lambda conn: memory.about(conn, record, now))

    # ----- the operator's hand

    async def act(self, ident: str, act: str, given: Mapping[str, str], who: str) -> str:
        """Do something with an item (NotFound, BadInput, Conflict); answers the page to look at then."""
        here = f"/memory/items/{ident}"
        if act == "confirm":
            return f"/memory/items/{await self._hand.confirm(ident, who=who)}?done=confirmed"
        if act == "correct":
            made = await self._hand.correct(ident, given.get("text", ""), who=who)
            return f"/memory/items/{made}?done=corrected"
        if act == "forget":
            await self._hand.forget(ident, given.get("why", ""), who=who)
            return f"{here}?done=forgotten"
        if act in ("pin", "unpin"):
            await self._hand.pin(ident, act == "pin", who=who)
            return f"{here}?done={act}ned"
        if act == "task":
            return f"/cards/{await self._hand.make_task(ident, who=who)}"
        raise NotFound(f"Nothing called {act[:40]!r} can be done with a memory.")

    async def act_on_fact(self, ident: str, act: str, given: Mapping[str, str], who: str) -> str:
        """Do something with a fact (NotFound, BadInput, Conflict); answers the page to look at then."""
        if act == "confirm":
            stands, done = await self._hand.confirm_fact(ident, who=who), "confirmed"
        elif act == "correct":
            changed = given.get("changed") == "1"
            stands = await self._hand.correct_fact(ident, given.get("value", ""), changed=changed, who=who)
            done = "corrected"
        elif act == "forget":
            about = await self._hand.end_fact(ident, given.get("why", ""), who=who)
            return f"/memory/about/{about}?done=forgotten"
        else:
            raise NotFound(f"Nothing called {act[:40]!r} can be done with a fact.")
        about = await self._store.read(lambda conn: memory.whose_fact(conn, stands))
        return f"/memory/about/{about}?done={done}#fact-{stands}"

    async def state(self, record: str, given: Mapping[str, str], who: str) -> str:
        """Write a fact by hand (BadInput); answers the page to look at then."""
        attribute, value, since = (given.get(name, "") for name in ("attribute", "value", "since"))
        made = await self._hand.state_fact(record, attribute, value, since=since, who=who)
        return f"/memory/about/{record}?done=written#fact-{made}"

    # ----- generations of vectors

    async def build(self, who: str) -> None:
        """Begin a new generation with the installed model (Conflict, BadInput)."""
        await Embedding(self._store, self._desk.memory).begin(actor=who)

    async def end_build(self, ident: str, on: bool, who: str) -> None:
        """Switch to a generation that is being built (Conflict: not all of it is), or stop building it (NotFound)."""
        embedding = Embedding(self._store, self._desk.memory)
        await (embedding.switch(ident, actor=who) if on else embedding.give_up(ident, actor=who))

    # ----- asking

    async def ask(self, asked: Mapping[str, str], who: str) -> ranked.AskPage:
        """Put a question and show its answer; a question that cannot be put comes back with what is wrong."""
        if not asked.get("q", "").strip():
            return await self._store.read(lambda conn: ranked.form(conn, asked))
        search = Search(
            query=asked["q"],
            k=FOUND,
            tiers=_one(asked.get("tier", "")),
            scopes=_one(asked.get("scope", "")),
            records=await self._family(asked.get("about", "")),
            as_of=asked.get("as_of", ""),
            actor=who,
        )
        try:
            found = await self._desk.memory.search(search)
        except (BadInput, TooLarge) as error:
            said = error.detail
            return await self._store.read(lambda conn: ranked.form(conn, asked, said))
        since = asked.get("as_of", "")
        return await self._store.read(lambda conn: ranked.page(conn, found.id, as_of=since))

    async def _family(self, record: str) -> tuple[str, ...]:
        """A record with what was merged into it; () for none."""
        return tuple(await self._store.read(lambda conn: memory.family(conn, record))) if record else ()

    async def retrieval(self, ident: str) -> ranked.AskPage:
        """A question out of the log (NotFound)."""
        return await self._store.read(lambda conn: ranked.page(conn, ident))

    async def replay(self, ident: str) -> ranked.Replay:
        """Ask the same again and compare (NotFound)."""
        done = await self._desk.memory.replay(ident)
        return await self._store.read(lambda conn: ranked.replay(conn, done))

    async def log(self, before: str = "") -> ranked.Log:
        """Questions that were asked, newest first."""
        return await self._store.read(lambda conn: ranked.log(conn, before))


def _one(text: str) -> tuple[str, ...]:
    """A filter of the form: nothing, or one value."""
    return (text,) if text else ()
