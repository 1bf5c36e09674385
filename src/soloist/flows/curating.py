"""Curating: what a person or program does with single items: promote, correct, forget, make a task; documents kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from soloist.engine.store import assets, corrections, memories, outcomes, records, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.corrections import NewCorrection
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.remembering import ask, remember
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.fact import NewFact
from soloist.kernel.ids import derived
from soloist.kernel.memory import NewMemory
from soloist.kernel.origin import OPERATOR, OUTSIDE
from soloist.stages.memory import facts, writing
from soloist.stages.runtime import wording

MOST_TEXT = 16_000
"""Characters of a corrected item."""
_COPIED = tuple(one.name for one in fields(NewMemory) if one.name not in ("span", "expires"))


class Curating:
    """Each act writes a new row and ends the old one, so that what was known earlier can still be read."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._desk, self._store = desk, desk.store

    async def promote(self, ident: str, *, who: str) -> dict[str, Any]:
        """Keep an item for good on a person's word: a canonical, confirmed row in its place (NotFound, Conflict)."""
        return await self._anew(ident, who, "promoted", tier="canonical", trust="confirmed")

    async def correct(self, ident: str, text: str, *, who: str) -> dict[str, Any]:
        """Say in an item's place what is right; the words as they were stay in the history (BadInput, Conflict)."""
        text = text.replace("\x00", "").strip()
        if not text or len(text) > MOST_TEXT:
            raise BadInput(f"text: 1 to {MOST_TEXT} characters; nothing was changed.", field="text")
        return await self._anew(ident, who, "corrected", text=text, trust="confirmed")

    async def _anew(self, ident: str, who: str, why: str, **changed: Any) -> dict[str, Any]:
        """A new row in an item's place, with where both are from."""

        def work(tx: Tx) -> dict[str, Any]:
            row = _live(tx, ident)
            if all(row[name] == value for name, value in changed.items()):
                return row
            kept = {name: row[name] for name in _COPIED} | {"pinned": bool(row["pinned"])}
            origin = writing.union(row["origin"] or (), (who,))
            span = (row["span_from"], row["span_to"]) if "text" not in changed else (0, 0)
            item = NewMemory(**{**kept, **changed, "origin": origin, "span": span})
            (made,) = memories.add(tx, [item], actor=who)
            memories.end(tx, [ident], why=why, actor=who, superseded_by=made)
            if "text" in changed:
                said = ({"text": row["text"]}, {"text": changed["text"]})
                far = wording.distance(row["text"], changed["text"])
                corrections.note(tx, NewCorrection("memory", ident, *said, far, who, sort=row["kind"]))
            return memories.get(tx.conn, made)

        return await self._store.write(work)

    async def forget(self, ident: str, *, who: str, why: str = "forgotten") -> dict[str, Any]:
        """End an item: it is found no more; the row stays until retention or an erasure takes it (NotFound)."""

        def work(tx: Tx) -> dict[str, Any]:
            memories.end(tx, [ident], why=why[:200] or "forgotten", actor=who)
            return memories.get(tx.conn, ident)

        return await self._store.write(work)

    async def make_task(self, ident: str, *, who: str, title: str = "") -> dict[str, Any]:
        """A card that reminds of an item; asking twice is one card (NotFound)."""

        def work(tx: Tx) -> dict[str, Any]:
            row = _live(tx, ident)
            first = title.strip() or " ".join(row["text"].split())
            card = tasks.open_card(
                tx,
                derived("memory task", ident),
                "manual",
                first[:160],
                subject=ident,
                subject_kind="memory",
                record=row["record"],
                conversation=row["thread"] if row["kind"] == "message" else "",
                why=f"You made this from something that is remembered: {first[:300]}",
                options=[{"name": "done", "label": "Done", "consequence": "The card closes."}, tasks.LATER],
                estimate=300,
                deadline=later(tx.now, 7 * 86400),
                at_expiry="Nothing is done.",
            )
            tx.append("memory.task_made", subject=ident, payload={"card": card}, actor=who)
            return {"card": card}

        return await self._store.write(work)

    # ----- facts and results

    async def state(self, new: NewFact) -> dict[str, Any]:
        """A statement by a person or program: {fact, state, new, against} (BadInput names the field)."""

        def work(tx: Tx) -> dict[str, Any]:
            done = facts.state(tx, new)
            if done.new and done.state == "disputed":
                ask(tx, done)
            return {"id": done.id, "state": done.state, "new": done.new, "against": list(done.against)}

        return await self._store.write(work)

    async def confirm(self, ident: str, *, who: str) -> dict[str, Any]:
        """A statement is right, by a person's word; it is trusted from now on (NotFound)."""

        def work(tx: Tx) -> dict[str, Any]:
            done = facts.confirm(tx, ident, actor=who)
            if card := tasks.open_for(tx.conn, ident):
                tasks.close(tx, card["id"], "done", {"option": "take"}, actor=who)
            return {"id": done.id, "state": done.state, "new": done.new, "against": list(done.against)}

        return await self._store.write(work)

    async def end_fact(self, ident: str, *, who: str, why: str = "taken back") -> None:
        """A statement is taken back, and the question about it closes; what was known stays readable (NotFound)."""

        def work(tx: Tx) -> None:
            facts.end(tx, ident, why=why[:200] or "taken back", actor=who)
            if card := tasks.open_for(tx.conn, ident):
                tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": ""}, actor=who)

        await self._store.write(work)

    async def note_outcome(self, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
        """Attach a measured result to what it is the result of: {id, new} (BadInput)."""

        def work(tx: Tx) -> dict[str, Any]:
            ident, new = outcomes.note(tx, given, actor=who)
            return {"id": ident, "new": new}

        return await self._store.write(work)

    # ----- documents and intermediate results

    async def keep_document(self, name: str, data: bytes, text: str, **about: Any) -> dict[str, Any]:
        """Keep a document as an asset and what it says as a pointer with the places of its parts.

        ``about``: mime, record, ref, at, who. Answers {asset, ids}; the same bytes again are the same document. What a
        program sends is unverified, what the operator keeps is confirmed; in both cases the tier is "session".
        """
        who = str(about.get("who", "operator"))
        path = assets.write_file(self._desk.home.assets, data)

        def work(tx: Tx) -> dict[str, Any]:
            if record := about.get("record", ""):
                records.get(tx.conn, record)
            mime = str(about.get("mime") or "text/plain")
            mine = who == writing.OPERATOR
            digest = assets.keep(tx, data, mime, path, origin=OPERATOR if mine else OUTSIDE)
            base = NewMemory(
                text="",
                source="document",
                asset=digest,
                ref=str(about.get("ref") or f"document:{digest[:32]}"),
                at=str(about.get("at") or tx.now),
                actor="you" if mine else who,
                record=str(record),
                origin=(who,) if mine else (f"{writing.OUTSIDE}:{who}",),
                trust="confirmed" if mine else "unverified",
            )
            items = writing.of_document(base, name, text, size=len(data), mime=mime)
            return {"asset": digest, "ids": remember(tx, items, actor=who)}

        return await self._store.write(work)


def _live(tx: Tx, ident: str) -> dict[str, Any]:
    """An item that lasts (NotFound; Conflict when it has ended)."""
    row = memories.get(tx.conn, ident)
    if row["ended"]:
        raise Conflict(f"This item has ended ({row['ended_why'] or 'ended'}); nothing was changed.")
    return row
