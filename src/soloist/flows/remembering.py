"""Remembering: memory and facts follow the journal, a little behind, in small writes that hold nobody up.

What came in and went out, notes, decisions with a reason, changes of records and results become items of memory; what
messages and records state becomes facts. A turn is repeated without harm: every item has a name (``ref``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.engine.store import facts as rows
from soloist.engine.store import gathering, history, memories, outcomes, records, settings, tasks
from soloist.engine.store.clock import from_iso, iso, later
from soloist.engine.store.tx import Tx
from soloist.flows import following
from soloist.flows.desk import Desk
from soloist.flows.following import Pauses
from soloist.kernel import inbound
from soloist.kernel.errors import BadInput
from soloist.kernel.fact import NewFact
from soloist.kernel.hashing import sha256
from soloist.kernel.identity import normal_address
from soloist.kernel.ids import derived
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import facts, writing

MARK = "memory.mark"
"""Key under which the home keeps how far the journal is remembered: {seq, waits}."""
TURN = 50
"""Events that are remembered in one transaction."""
PAUSES = Pauses(at_the_start=4.0, breath=0.02, look_every=1.0, after_a_fault=30.0)
PATIENCE = 60.0
"""Seconds that a message may wait to be understood and for its sender to be known."""
MOST_CARDS = 5
"""Questions about contradictions that are open at once; further ones stand on the memory page."""
_RESULTS = {
    ("offer", "accepted"),
    ("offer", "declined"),
    ("offer", "rejected"),
    ("invoice", "paid"),
    ("invoice", "overdue"),
    ("project", "done"),
    ("publication", "published"),
    ("lead", "won"),
    ("lead", "lost"),
}
_EFFECTS = {"effect.failed": "failed", "effect.compensated": "taken_back"}
_ENDS = {"succeeded": True, "resolved_done": True, "failed": False, "resolved_not_done": False}


@dataclass
class Turn:
    """What one transaction writes: the mark it begins at, the next one, and what lies between."""

    before: str
    after: str = ""
    items: list[NewMemory] = field(default_factory=list)
    facts: list[NewFact] = field(default_factory=list)
    gone: list[tuple[str, str, Any, str]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    waits: dict[str, str] = field(default_factory=dict)


class Remembering:
    """Brings memory up to date; several processes may, since a turn that another one made is not written."""

    def __init__(self, desk: Desk) -> None:
        """Questions about contradictions are answered here from now on."""
        self._desk, self._store = desk, desk.store
        desk.takers["fact"] = self.about_fact

    async def turn(self) -> bool:
        """Remember the next piece of the journal; False when there was nothing to do."""
        now = iso(self._store.clock())
        turn = await self._store.read(lambda conn: gather(conn, now))
        if turn is None:
            return False
        return bool(await self._store.write(lambda tx: keep(tx, turn), full=False))

    async def catch_up(self, within: float = 30.0) -> None:
        """Remember until there is nothing left, or until so many seconds are over."""
        await following.catch_up(self.turn, within)

    async def follow(self) -> None:
        """For as long as the server runs; a fault is written to the log and the next try waits."""
        await following.follow(
            self.turn, PAUSES, log="soloist.memory", trouble="memory could not be brought up to date"
        )

    def about_fact(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """The operator's word on a contradiction: what is known stays, or the new one takes its place."""
        tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        row = rows.get(tx.conn, card["subject"])
        if row["ended"] or option not in ("take", "keep"):
            return {"state": "closed"}
        if option == "take":
            return {"state": "taken", "fact": facts.confirm(tx, row["id"], actor=who).id}
        facts.end(tx, row["id"], why="you kept what was known", actor=who)
        return {"state": "kept"}


# ----- reading


def behind(conn: Any) -> int:
    """Events that are not remembered yet."""
    return max(0, rows.head(conn) - int(_mark(conn)["seq"]))


def _mark(conn: Any) -> dict[str, Any]:
    text = settings.value(conn, MARK)
    return dict(json.loads(text)) if text else {"seq": 0, "waits": {}}


def gather(conn: Any, now: str) -> Turn | None:
    """The next turn, None when there is nothing to do."""
    text, mark = settings.value(conn, MARK), _mark(conn)
    found = gathering.after(conn, int(mark["seq"]), TURN)
    turn = Turn(text)
    _messages(conn, turn, found, {**mark["waits"]}, now)
    _notes(conn, turn, found)
    _decisions(conn, turn, found)
    _records(conn, turn, found)
    _effects(conn, turn, found)
    _outcomes(conn, turn, found)
    seq = int(found[-1]["seq"]) if found else int(mark["seq"])
    turn.after = json.dumps({"seq": seq, "waits": turn.waits}, separators=(",", ":"), sort_keys=True)
    return None if turn.after == text or (not text and not found) else turn


def _of(found: Sequence[Mapping[str, Any]], *kinds: str) -> list[str]:
    """Subjects of events whose kind begins with one of these, once each."""
    return [*dict.fromkeys(row["subject"] for row in found if row["kind"].startswith(kinds) and row["subject"])]


def _messages(conn: Any, turn: Turn, found: Sequence[Mapping[str, Any]], waits: Mapping[str, str], now: str) -> None:
    """Messages that are whole: understood, on their thread, and with a known sender where there is one."""
    asked = {row["subject"]: row["at"] for row in found if row["kind"].startswith("message.") and row["subject"]}
    asked |= gathering.sent(conn, _of(found, "effect.succeeded"))
    asked |= waits
    past = [row["id"] for row in found if row["kind"] in (inbound.MAIL_SEEN, inbound.MAIL_SENT)]
    there = gathering.messages_of(conn, [*asked], past) if asked or past else []
    for message in there:
        since = asked.get(message["id"], "")
        mine = message["direction"] == "out"
        record = (message["whose"] if mine else "") or _sender(conn, message) or message["whose"]
        if message["kind"] in writing.ASIDE or (message["automatic"] and not message["understanding"]):
            continue
        young = bool(since) and later(since, PATIENCE) > now
        unread = message["direction"] == "in" and not message["understanding"]
        if young and (unread or (message["direction"] == "in" and not record and message["kind"] != "unsure")):
            turn.waits[message["id"]] = since
            continue
        turn.items += writing.of_message(message, record, gathering.place(conn, message))
        turn.facts += facts.of_message(message, record, history.record_kind(conn, record))
        if message["direction"] == "in" and (before := gathering.answered(conn, message)):
            turn.results.append(_answer(message, before))
    missing = {ident: since for ident, since in asked.items() if ident not in {m["id"] for m in there}}
    turn.waits |= {ident: since for ident, since in missing.items() if later(since, PATIENCE) > now}


def _sender(conn: Any, message: Mapping[str, Any]) -> str:
    """The record behind a message's address, "" for nobody known."""
    address = message["sender"] if message["direction"] == "in" else next(iter(message["recipients"] or []), "")
    return (records.identified(conn, "email", normal_address(address)) or "") if "@" in str(address) else ""


def _answer(message: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, Any]:
    """Somebody answered what was sent: how many hours later."""
    hours = (from_iso(message["at"]) - from_iso(before["at"])).total_seconds() / 3600
    about = {"object": before["proposal"], "kind": "reply", "metric": "answered", "ref": f"message:{message['id']}"}
    return {**about, "value": f"{max(0.0, hours):.1f}", "unit": "hours", "source": "message", "at": message["at"]}


def _notes(conn: Any, turn: Turn, found: Sequence[Mapping[str, Any]]) -> None:
    """What the operator or a delegate wrote down."""
    objects = _of(found, "note.", "card.commented")
    cards = {card["id"]: card["record"] for card in gathering.cards_of(conn, objects)}
    for note in gathering.notes_of(conn, objects):
        turn.items.append(writing.of_note(note, cards.get(note["object"], note["object"])))


def _decisions(conn: Any, turn: Turn, found: Sequence[Mapping[str, Any]]) -> None:
    """Decisions on proposals that were explained or edited; reasons given on other cards."""
    decided = _of(found, "proposal.approved", "proposal.rejected")
    for proposal, said, title in gathering.decided(conn, decided):
        item = writing.of_decision(proposal, said, title or proposal["operation"], said["at"])
        turn.items += [item] if item else []
        if said["decision"] == "approve" and said["edits"]:
            turn.results.append(_own(proposal["id"], "decision", "edited", said["id"], said["at"]))
    who = {row["subject"]: row["actor"] for row in found if row["kind"] == "card.done"}
    for card in gathering.cards_of(conn, [ident for ident in who if who[ident] != "soloist"]):
        reason = str((card["decision"] or {}).get("reason") or "")
        if reason and card["subject_kind"] != "proposal":
            said = {"id": card["id"], "decision": card["decision"].get("option", ""), "reason": reason, "edits": None}
            said["who"] = who[card["id"]]
            about = {"id": card["id"], "conversation": card["conversation"], "record": card["record"]}
            about |= {"operation": card["type"], "agent": ""}
            item = writing.of_decision(about, said, card["title"], card["closed"])
            turn.items += [item] if item else []


def _own(object_: str, kind: str, metric: str, ref: str, at: str) -> dict[str, Any]:
    return {"object": object_, "kind": kind, "metric": metric, "ref": ref, "source": "soloist", "at": at}


def _records(conn: Any, turn: Turn, found: Sequence[Mapping[str, Any]]) -> None:
    """Facts of versions that a person or a rule wrote, notes of meetings, results that states tell."""
    happened = [row["id"] for row in found if row["kind"] in ("record.created", "record.changed")]
    meetings = set()
    for version in gathering.versions_of(conn, happened) if happened else []:
        changed = facts.Changed(
            record=version["record"],
            kind=version["kind"],
            version=version["version"],
            actor=version["actor"],
            at=version["at"],
            before=version["before"] or {},
            after=version["body"] or {},
            state_before=version["state_before"] or "",
            state_after=version["state"] or "",
            owners=version["owners"],
        )
        stated, gone = facts.of_record(changed)
        turn.facts += stated
        turn.gone += [(changed.record, attribute, value, changed.actor) for attribute, value in gone]
        if changed.state_after != changed.state_before and (changed.kind, changed.state_after) in _RESULTS:
            ref = f"{changed.record}#{changed.version}"
            turn.results.append(_own(changed.record, changed.kind, changed.state_after, ref, changed.at))
        if changed.kind == "meeting":
            meetings.add(changed.record)
    for ident in sorted(meetings):
        turn.items += writing.of_meeting(records.get(conn, ident))


def _effects(conn: Any, turn: Turn, found: Sequence[Mapping[str, Any]]) -> None:
    """What became of what left: it came back, failed, or was taken back."""
    kinds = {row["subject"]: row for row in found if row["kind"] in _EFFECTS}
    for effect in gathering.effects_of(conn, [*kinds]):
        event = kinds[effect["id"]]
        metric = "returned" if effect["late"] else _EFFECTS[event["kind"]]
        ref = f"effect:{effect['id']}:{metric}"
        turn.results.append(_own(effect["proposal"], "effect", metric, ref, event["at"]))
    ended = {row["subject"]: row for row in found if row["kind"].removeprefix("effect.") in _ENDS}
    for effect in gathering.effects_of(conn, [*ended]):
        if effect["lookups"] or effect["state"].startswith("resolved"):
            turn.items += writing.of_lookup(effect, ended[effect["id"]], _ENDS.get(effect["state"]))


def _outcomes(conn: Any, turn: Turn, found: Sequence[Mapping[str, Any]]) -> None:
    """Results that somebody noted, as items that can be found."""
    happened = [row["id"] for row in found if row["kind"] == outcomes.NOTED]
    for outcome in gathering.outcomes_of(conn, happened) if happened else []:
        record, title = about_object(conn, outcome["object"])
        turn.items.append(writing.of_outcome(outcome, record, title))


def about_object(conn: Any, ident: str) -> tuple[str, str]:
    """The record an object belongs to and what to call it."""
    for proposal, _said, title in gathering.decided(conn, [ident]):
        return proposal["record"], title or proposal["operation"]
    known = records.history(conn, ident, limit=1)
    return (ident, records.get(conn, ident)["title"]) if known else ("", ident)


# ----- writing


def keep(tx: Tx, turn: Turn) -> bool:
    """Write a turn; False when somebody else has remembered it meanwhile, and nothing was written."""
    if settings.value(tx.conn, MARK) != turn.before:
        return False
    settings.put(tx, MARK, turn.after)
    for result in turn.results:
        _result(tx, result)
    remember(tx, turn.items, actor="soloist")
    for new in turn.facts:
        _fact(tx, new)
    for record, attribute, value, actor in turn.gone:
        facts.end_value(tx, record, attribute, value, actor=actor)
    return True


def _result(tx: Tx, result: Mapping[str, Any]) -> None:
    """Keep a result; one that was noted with another figure stays as it is."""
    try:
        outcomes.note(tx, result, actor="soloist")
    except BadInput:
        return


def _fact(tx: Tx, new: NewFact) -> None:
    """State a fact; what contradicts a confirmed one becomes a question, unless there are enough of those."""
    try:
        done = facts.state(tx, new)
    except BadInput:  # a record that is gone, a value too long for a fact: the message itself is remembered
        return
    if done.new and done.state == "disputed":
        ask(tx, done)


def remember(tx: Tx, items: Sequence[NewMemory], *, actor: str, run: str = "") -> list[str]:
    """Write items unless they are there: the same name with the same words, or the same words about the same thing.

    An item of a known name that says something else takes the place of the old one. Answers the ids in order.
    """
    writer = "operator" if actor == "operator" else "system"
    for item in items:
        writing.check_tier(item, writer)
    kept = gathering.kept(tx.conn, [item.ref for item in items])
    hashes = [sha256(item.text.encode()) for item in items]
    same = {_place(row): row["id"] for row in gathering.saying(tx.conn, hashes)}
    fresh: dict[tuple[str, ...], NewMemory] = {}
    known: list[str | tuple[str, ...]] = []
    replaced: dict[tuple[str, ...], str] = {}
    for item, digest in zip(items, hashes, strict=True):
        old = kept.get(item.ref) if item.ref else None
        key = _place({"hash": digest, **{name: getattr(item, name) for name in _SAME}})
        key = (*key, item.ref) if item.kind == "message" else key
        if old is not None and (old["hash"], old["record"], old["thread"]) == (digest, item.record, item.thread):
            known.append(old["id"])
        elif old is None and key in same:
            known.append(same[key])
        else:
            fresh.setdefault(key, item)
            replaced |= {key: old["id"]} if old is not None else {}
            known.append(key)
    made = dict(zip(fresh, memories.add(tx, [*fresh.values()], actor=actor, run=run), strict=True))
    for key, ident in replaced.items():
        memories.end(tx, [ident], why="said anew", actor=actor, superseded_by=made[key])
    return [made[place] if isinstance(place, tuple) else place for place in known]


_SAME = ("kind", "tier", "scope", "record", "asset", "trust")


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes two items of the same words the same."""
    return (row["hash"], *(row[name] for name in _SAME))


def ask(tx: Tx, done: rows.Stated) -> None:
    """A question card: somebody says otherwise than what you confirmed. Only so many are open at once."""
    new = rows.get(tx.conn, done.id)
    others = [rows.get(tx.conn, ident) for ident in done.against]
    sure = [row for row in others if row["trust"] == "confirmed"]
    if not sure or open_questions(tx.conn) >= MOST_CARDS:
        return
    record = records.get(tx.conn, new["record"])
    said, known = facts.told(new["value"]), facts.told(sure[0]["value"])
    since = f" (since {sure[0]['valid_from'][:10]})" if sure[0]["valid_from"] else ""
    tasks.open_card(
        tx,
        derived("fact", new["id"]),
        "question",
        f"{record['title']}: which {new['attribute']} is right?"[:160],
        subject=new["id"],
        subject_kind="fact",
        record=new["record"],
        why=f"You confirmed {known}{since}; {new['actor'] or 'a message'} says {said}. Both are kept until you say.",
        detail={"known": known, "said": said, "quote": new["quote"], "ref": new["ref"]},
        options=[
            {"name": "keep", "label": f"Keep {known}"[:60], "consequence": "The other statement stays in the history."},
            {"name": "take", "label": f"Take {said}"[:60], "consequence": "It is confirmed; the former one is past."},
        ],
        estimate=20,
        judgement=1,
        deadline=later(tx.now, 30 * 86400),
        at_expiry="Both stay side by side; what you confirmed goes on to be used.",
    )


def open_questions(conn: Any) -> int:
    """How many contradictions wait for the operator."""
    return sum(1 for card in tasks.cards(conn, "open", limit=500) if card["subject_kind"] == "fact")
