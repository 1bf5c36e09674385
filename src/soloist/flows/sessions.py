"""Sessions: working sessions with what they are for, and quiet threads, both ending in a summary that can be found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import contexts, conversations, memories, records, sessions, settings
from soloist.engine.store.clock import iso, later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.following import Pauses, follow
from soloist.flows.remembering import remember
from soloist.kernel.errors import BadInput
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import writing

QUIET = 3 * 86400.0
"""Seconds without a message after which a thread gets its summary."""
IDLE = 3 * 86400.0
"""Seconds without a change after which an open working session is closed into a summary."""
PAUSES = Pauses(at_the_start=20.0, breath=1.0, look_every=600.0, after_a_fault=900.0)
MARK = "sessions.quiet"
MOST_LINES, LONGEST = 20, 500
ENOUGH = 400
"""Characters of a thread below which it is its own summary."""
_TELLING = ("decision", "note", "insight", "outcome", "meeting")


class Sessions:
    """Begins, changes, closes and carries over working sessions; sums up what went quiet."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._store = desk.store

    # ----- what a person or program says

    async def begin(self, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
        """Open a session {title, scope, objectives, expectations}; ``scope`` is a record or "" (BadInput, NotFound)."""
        _check(given)

        def work(tx: Tx) -> dict[str, Any]:
            if given.get("scope"):
                records.get(tx.conn, given["scope"])
            return self._keep(tx, sessions.begin(tx, given, who=who), who)

        return await self._store.write(work)

    async def change(self, ident: str, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
        """Say anew what an open session is about (NotFound; Conflict when it has ended)."""
        _check(given, whole=False)
        names = ("title", "objectives", "expectations")
        values = {name: given[name] for name in names if given.get(name) is not None}

        def work(tx: Tx) -> dict[str, Any]:
            sessions.change(tx, ident, who=who, **values)
            return self._keep(tx, ident, who)

        return await self._store.write(work)

    async def close(self, ident: str, *, who: str, why: str = "closed") -> dict[str, Any]:
        """End a session; its summary becomes an item of memory (NotFound; Conflict when it has ended)."""
        return await self._store.write(lambda tx: self._close(tx, ident, who=who, why=why))

    async def carry_over(self, ident: str, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
        """End a session into a new one that takes over its objectives and expectations, or those given.

        Answers the new session; the old one names it.
        """
        _check(given, whole=False)

        def work(tx: Tx) -> dict[str, Any]:
            old = sessions.get(tx.conn, ident)
            named = {name: given.get(name) or old[name] for name in ("title", "objectives", "expectations")}
            made = sessions.begin(tx, {**named, "scope": old["scope"]}, who=who)
            origin = _origin(tx, ident)
            self._close(tx, ident, who=who, why="carried over", carried_to=made)
            return self._keep(tx, made, who, origin)

        return await self._store.write(work)

    @staticmethod
    def _keep(tx: Tx, ident: str, who: str, former: Sequence[str] = ()) -> dict[str, Any]:
        """The session with its item of working memory; ``former`` is whose words it goes on with."""
        row = sessions.get(tx.conn, ident)
        origin = writing.union(former, _origin(tx, ident), [writing.voice(who)])
        lines = [row["title"], *(f"Objective: {text}" for text in row["objectives"] or [])]
        lines += [f"Expected: {text}" for text in row["expectations"] or []]
        item = NewMemory(
            text="\n".join(lines),
            tier="working",
            kind="session",
            source="session",
            ref=f"work:{ident}",
            at=row["updated"],
            actor="you" if who == writing.OPERATOR else who,
            record=row["scope"],
            origin=origin,
            trust=writing.trust_of(origin),
        )
        remember(tx, [item], actor=who)
        return row

    def _close(self, tx: Tx, ident: str, *, who: str, why: str, carried_to: str = "") -> dict[str, Any]:
        """End it, with what was noted and decided meanwhile as its summary."""
        row = sessions.get(tx.conn, ident)
        done = contexts.told_since(tx.conn, row["created"], _TELLING, row["scope"])
        item = writing.of_work({**row, "closed": tx.now}, done, _origin(tx, ident))
        state = sessions.CARRIED if carried_to else sessions.CLOSED
        row = sessions.end(tx, ident, state, who=who, summary=item.text, carried_to=carried_to)
        (made,) = remember(tx, [item], actor=who)
        working = [old["id"] for old in memories.of_ref(tx.conn, f"work:{ident}")]
        memories.end(tx, working, why=why, actor=who, superseded_by=made)
        return row

    # ----- what happens by itself

    async def turn(self) -> int:
        """Close what is idle, sum up what is quiet; how many there were."""
        now = iso(self._store.clock())
        idle = await self._store.read(lambda conn: sessions.idle(conn, later(now, -IDLE)))
        for row in idle:
            await self.close(row["id"], who="soloist", why="idle")
        return len(idle) + await self._store.write(lambda tx: self._sum_up(tx, later(now, -QUIET)), full=False)

    @staticmethod
    def _sum_up(tx: Tx, since: str) -> int:
        """The summaries of the next threads that went quiet."""
        text = settings.value(tx.conn, MARK)
        mark = tuple(json.loads(text)) if text else ("", "")
        found = sessions.quiet(tx.conn, since, mark)
        items = []
        for row in found:
            thread = conversations.of(tx.conn, row["id"], 200)
            if sum(len(message["text"]) for message in thread) >= ENOUGH and (item := writing.of_thread(row, thread)):
                items.append(item)
        if found:
            remember(tx, items, actor="soloist")
            settings.put(tx, MARK, json.dumps([found[-1]["last"], found[-1]["id"]]))
        return len(found)

    async def follow(self) -> None:
        """For as long as the server runs; a fault is written to the log and the next try waits."""
        await follow(self.turn, PAUSES, log="soloist.memory", trouble="quiet threads could not be summed up")


def _origin(tx: Tx, ident: str) -> tuple[str, ...]:
    """Whose words a session is made of: of who wrote it before, and of the sessions it was carried over from."""
    kept = [item["origin"] or () for item in memories.of_ref(tx.conn, f"work:{ident}")]
    return writing.union(*kept, [writing.voice(who) for who in sessions.writers(tx.conn, ident)])


def _check(given: Mapping[str, Any], whole: bool = True) -> None:
    """Refuse what nobody could read (BadInput names the field)."""
    title = given.get("title")
    if (whole or title is not None) and not (isinstance(title, str) and 0 < len(title.strip()) <= 200):
        raise BadInput("title: what this session is about, 1 to 200 characters.", field="title")
    for name in ("objectives", "expectations"):
        lines = given.get(name) or []
        if len(lines) > MOST_LINES or any(not str(line).strip() or len(str(line)) > LONGEST for line in lines):
            raise BadInput(f"{name}: at most {MOST_LINES} lines of 1 to {LONGEST} characters.", field=name)
