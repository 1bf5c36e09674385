"""Talking: work that the operator gives in plain words: read, shown, confirmed with one tap, followed up.

Nothing begins before the tap. What is read chooses among the ways that the agents in use declare; records are found by
their names and named by their ids. The operator's words are theirs; what is put below them is somebody else's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from soloist.engine.store import intents, labels, runs, talks
from soloist.engine.store.clock import iso
from soloist.engine.store.tx import Tx
from soloist.flows.again import came_of
from soloist.flows.desk import Desk
from soloist.flows.giving import GIVEN, OPERATORS, Asked
from soloist.flows.roles import WAYS, giving
from soloist.insight.talking import AGAIN, Earlier, Known, Said, Understood, parted, understood
from soloist.kernel import origin as origins
from soloist.kernel.errors import BadInput, NotAllowed, NotFound, SoloistError, TooLarge
from soloist.kernel.hashing import json_hash
from soloist.kernel.origin import Origin
from soloist.kernel.work import WorkItem

AGENT, SKILL = "intake", "read_work"
SHORTEST, LONGEST, MOST_TEXT = 2, 600, 300_000
"""Characters of what is said, and of a text put below it."""
LEARNED = 200
"""Sentences whose way the operator chose, the newest, that are read by."""
Picked = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Turn:
    """One sentence: as it was said, as it is understood, what it would cost, and its run once it was given."""

    id: str
    said: str
    quoted: int
    at: str
    who: str
    how: str = ""
    meant: Understood = field(default_factory=lambda: Understood(""))
    choices: tuple[tuple[str, str], ...] = ()
    """Way and label of the likeliest ones, the likeliest first."""
    estimate: str = ""
    run: str = ""
    agent: str = ""


class Talking:
    """Conversations in which work is given."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk, self._store, self._giving = desk, desk.store, giving(desk)

    # ----- said

    async def say(self, text: str, *, who: str, conversation: str = "") -> str:
        """Read a sentence and keep it; answers its id. Nothing begins (BadInput, TooLarge, NotFound)."""
        own, quoted = parted(text)
        if not SHORTEST <= len(own) <= LONGEST:
            told = f"said: one sentence of {SHORTEST} to {LONGEST} letters; a text for it goes below an empty line."
            raise BadInput(told, field="said")
        if len(quoted) > MOST_TEXT:
            raise TooLarge(f"said: the text below may have {MOST_TEXT} letters; this has {len(quoted)}.", field="said")
        ways, earlier = await self._store.read(lambda conn: (self._ways(conn), self._earlier(conn, conversation)))
        reading = await self.read(own, again=earlier is not None)
        meant = await self._store.read(
            lambda conn: understood(conn, ways, Said("", own, quoted, reading), reading["way"], earlier=earlier)
        )
        row = {
            "text": f"{own}\n\n{quoted}" if quoted else own,
            "origin": _origin("", outside=bool(quoted)).told(),
            "understanding": {"own_text": own, "reading": reading},
        }
        return await self._store.write(
            lambda tx: talks.say(tx, row, who=who, conversation=conversation, record=meant.client)
        )

    async def read(self, own: str, *, again: bool = False) -> dict[str, Any]:
        """The reading of one sentence: by the form of the agents' own sentences and by likeness, else by a model."""
        business = self._desk.settings.business
        says = await self._store.read(self._says)
        item = WorkItem(
            run=f"said:{json_hash([own, says])[:24]}",
            step="read",
            agent=AGENT,
            skill=SKILL,
            input={
                "said": own,
                "now": iso(self._store.clock()),
                "timezone": business.timezone,
                "ways": [{"name": name, "says": list(texts)} for name, texts in says.items()],
                "again": again,
            },
            wanted="which of the ways of giving work is meant",
            sla="now",
            origin=OPERATORS,
            flow="talking",
        )
        worked = await self._desk.runtime.work(item)
        return {name: value for name, value in worked.value.items() if name != "ask"} | {"author": worked.author}

    def _ways(self, conn: Any) -> dict[str, Known]:
        """The ways of being asked of every role that works now and has a way of its own."""
        roster = self._desk.runtime.roster
        roster.refresh(conn)
        found: dict[str, Known] = {}
        for name in sorted(set(roster.specs) & set(WAYS)):
            try:
                spec = roster.working(name)
            except NotAllowed:
                continue  # paused: it is not offered, and nothing that is said begins it
            found |= {known.name: known for wish in spec.wishes for known in [Known(spec, wish)]}
        return found

    async def ways(self) -> dict[str, str]:
        """Every way of giving work that is open now, with its label."""
        found = await self._store.read(self._ways)
        return {name: f"{known.spec.name}: {known.wish.label}" for name, known in found.items()}

    async def conversation(self, message: str) -> str:
        """The conversation of a sentence (NotFound)."""
        return str((await self._store.read(lambda conn: talks.message(conn, message)))["conversation"])

    async def within(self, conversation: str, message: str) -> None:
        """NotFound unless the sentence is one of this conversation."""
        if await self.conversation(message) != conversation:
            raise NotFound(f"There is no sentence {message[:80]!r} in this conversation.")

    def _says(self, conn: Any) -> dict[str, list[str]]:
        """Sentences that mean each way: the agents' own, those of intents that lead to one, those told before."""
        ways = self._ways(conn)
        found = {name: list(known.wish.says) for name, known in ways.items()}
        for row in intents.listed(conn):
            first = next((name for name in ways if name.partition(".")[0] == row["target"]), "")
            if row["lead"] == "agent" and first:
                found[first] += [str(one["text"])[:LONGEST] for one in row["examples"] or []][:LEARNED]
        for row in labels.of_skill(conn, SKILL, LEARNED):
            if row["label"] in found:
                found[row["label"]].append(parted(str(row["text"]))[0])
        return found

    def _earlier(self, conn: Any, conversation: str, before: str = "") -> Earlier | None:
        """The last work of a conversation, before one of its sentences; None when nothing was given (NotFound)."""
        if not conversation:
            return None
        talks.get(conn, conversation)
        last: Earlier | None = None
        for row in talks.turns(conn, conversation):
            if row["id"] == before:
                break
            if given := (row["understanding"] or {}).get("given"):
                last = Earlier(given["root"], _input(conn, given["run"]), given["run"], given.get("client", ""))
        return last

    # ----- shown

    async def turn(self, message: str, *, way: str = "", picked: Picked | None = None) -> Turn:
        """One sentence as it is understood now, as another ``way`` when one is named (NotFound)."""
        turn = await self._store.read(lambda conn: self._turn(conn, talks.message(conn, message), way, picked))
        if turn.run or not turn.meant.ready:
            return turn
        try:
            asked = await self._store.read(lambda conn: self._asked(conn, talks.message(conn, message), turn.meant))
            estimate = str((await self._giving.look(asked))["said"])
        except SoloistError as error:
            estimate = error.detail
        return replace(turn, estimate=estimate)

    async def turns(self, conversation: str) -> list[Turn]:
        """What was said in a conversation, oldest first; the last with its estimate (NotFound)."""

        def look(conn: Any) -> list[Turn]:
            talks.get(conn, conversation)
            return [self._turn(conn, row, "", None) for row in talks.turns(conn, conversation)]

        found = await self._store.read(look)
        return [*found[:-1], await self.turn(found[-1].id)] if found else []

    def _turn(self, conn: Any, row: Mapping[str, Any], way: str, picked: Picked | None) -> Turn:
        told = row["understanding"] or {}
        own, quoted = parted(str(row["text"]))
        shown = Turn(row["id"], own, len(quoted), row["at"], row["sender"])
        if given := told.get("given"):
            meant = Understood(given["way"], given["agent"], given["label"], due=given["due"])
            return replace(shown, meant=meant, run=given["run"], agent=given["agent"])
        ways, reading = self._ways(conn), told.get("reading") or {}
        earlier = self._earlier(conn, row["conversation"], row["id"])
        said = Said(row["id"], own, quoted, reading)
        chosen = way or str(reading.get("way") or "")
        meant = understood(conn, ways, said, chosen, picked=picked, earlier=earlier)
        named = {name: known.wish.label for name, known in ways.items()} | {AGAIN: "do what came before once more"}
        likely = [name for name in reading.get("ranked") or () if name in named and (name != AGAIN or earlier)]
        choices = tuple((name, named[name]) for name in likely)
        return replace(shown, how=str(reading.get("how", "")), meant=meant, choices=choices)

    async def meant(self, said: Said, likely: Sequence[str]) -> list[Understood]:
        """A sentence as each of these ways."""
        return await self._store.read(
            lambda conn: [understood(conn, ways, said, way) for ways in [self._ways(conn)] for way in likely]
        )

    # ----- given

    async def give(
        self, message: str, *, who: str, way: str = "", picked: Picked | None = None, by_morning: bool = False
    ) -> dict[str, Any]:
        """The one tap: begin what was understood, or what it was corrected to: {id, agent, skill, new, estimate}.

        Said twice it is the same work. BadInput says what is not clear yet (NotFound, NotAllowed).
        """
        turn = await self.turn(message, way=way, picked=picked)
        if not turn.run and not turn.meant.ready:
            raise BadInput(unclear(turn), field="way" if not turn.meant.way else "picked")
        row, meant = await self._store.read(lambda conn: (talks.message(conn, message), turn.meant))
        if turn.run:
            return {"id": turn.run, "agent": turn.agent, "skill": "", "new": False, "estimate": {}}
        asked = await self._store.read(lambda conn: self._asked(conn, row, meant, by_morning=by_morning))
        estimate = await self._giving.look(asked)
        return await self._store.write(lambda tx: self.give_in(tx, row, meant, asked, who=who, estimate=estimate))

    def give_in(
        self,
        tx: Tx,
        row: Mapping[str, Any],
        meant: Understood,
        asked: Asked,
        *,
        who: str,
        estimate: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The same inside a transaction; what the operator chose instead is an example from now on."""
        made = self._giving.give_in(tx, asked, who=who, estimate=estimate)
        told = dict(row["understanding"])
        read = str((told.get("reading") or {}).get("way") or "")
        earlier = self._earlier(tx.conn, row["conversation"], row["id"]) if meant.way == AGAIN else None
        given = {
            "way": meant.way,
            "root": earlier.way if earlier else meant.way,
            "agent": meant.agent,
            "label": meant.label,
            "due": meant.due,
            "client": meant.client,
            "run": made["id"],
        }
        if meant.way not in (read, AGAIN):
            labels.add(tx, row["id"], SKILL, meant.way, was=read, source="told", who=who)
        talks.became(tx, row["id"], told, {**told, "given": given})
        return made

    def take(self, tx: Tx, message: str, way: str, *, who: str) -> dict[str, Any]:
        """Begin a sentence as one way, inside a transaction and without an estimate (BadInput when it is not clear)."""
        row = talks.message(tx.conn, message)
        turn = self._turn(tx.conn, row, way, None)
        if turn.run:
            return {"id": turn.run, "new": False}
        if not turn.meant.ready:
            raise BadInput(unclear(turn), field="option")
        return self.give_in(tx, row, turn.meant, self._asked(tx.conn, row, turn.meant), who=who, estimate={})

    def _asked(self, conn: Any, row: Mapping[str, Any], meant: Understood, *, by_morning: bool = False) -> Asked:
        """The piece of work, with where each of its words comes from."""
        own, _ = parted(str(row["text"]))
        origin = _origin(row["id"], outside=meant.outside or bool((row["understanding"] or {}).get("mail")))
        if meant.way == AGAIN:
            _, came = came_of(conn, str(meant.input["earlier"]), meant.agent)
            origin |= origins.of(came.get("origin"))
        by = f", by {meant.due}" if meant.due else ""
        return Asked(
            agent=meant.agent,
            input=dict(meant.input),
            wanted=f"{own[:400]}{by}",
            sla=self._sla(meant.due),
            lane="morning" if by_morning else "now",
            subject=row["id"],
            client=meant.client,
            ref=row["id"],
            origin=origin,
        )

    def _sla(self, due: str) -> str:
        """How soon it is wanted: within the day it is due, "" for the role's own."""
        if not due:
            return ""
        today = self._store.clock().astimezone(self._desk.settings.business.zone).date()
        days = (date.fromisoformat(due) - today).days
        return "hour" if days < 1 else "day" if days == 1 else "week"


def unclear(turn: Turn) -> str:
    """What has to be said before it can begin, in one sentence."""
    meant = turn.meant
    if not meant.way:
        among = " or ".join(label for _, label in turn.choices) or "another sentence"
        return f"It is not clear what is to be done. Choose one: {among}. Nothing was begun."
    if meant.unclear:
        among = "; ".join(one.label for found in meant.unclear.values() for one in found)
        return f"More than one may be meant: {among}. Choose one; nothing was begun."
    return f"It does not say {' and '.join(meant.missing)}. Nothing was begun."


def _origin(message: str, *, outside: bool) -> Origin:
    """The operator's own words; with a text below them also somebody else's."""
    sources = frozenset({f"message:{message}"}) if message else frozenset[str]()
    return OPERATORS | Origin(frozenset({"outside"}) if outside else frozenset(), sources)


def _input(conn: Any, run: str) -> Mapping[str, Any]:
    """What a run was given; {} when it is not kept any more."""
    row = next((step for step in runs.steps_of(conn, run) if step["step"] == GIVEN), None)
    return dict((row["input"] or {}).get("input") or {}) if row else {}
