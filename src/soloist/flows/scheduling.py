"""Scheduling: free times from the appointments that are kept, letters about them, and an appointment once both agree.

What is free is counted, never guessed. Nothing is written into a calendar outside.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from soloist.config import seconds
from soloist.engine.store import bills, conversations, effects, proposals, records, releases, runs, tasks
from soloist.engine.store import scheduled as rows
from soloist.engine.store.clock import iso
from soloist.engine.store.tx import Tx
from soloist.flows import replies, wording
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.kernel import slots
from soloist.kernel.errors import SoloistError
from soloist.kernel.identity import normal_address
from soloist.kernel.ids import derived
from soloist.kernel.origin import Origin
from soloist.kernel.proposal import NewProposal, agent_proposal_id
from soloist.kernel.slots import Slot
from soloist.kernel.work import WorkItem
from soloist.stages.runtime.replying import pieces

AGENT = "scheduler"
SOURCE = f"agent:{AGENT}"
LOOK_EVERY = 3.0
"""Seconds between two looks whether a letter that settles an appointment has left."""
HAPPENED = ("succeeded", "resolved_done")
_log = logging.getLogger("soloist.scheduling")


@dataclass(frozen=True)
class Asked:
    """What a message wants with an appointment, what we offered before, the appointments with its sender."""

    message: Mapping[str, Any]
    people: tuple[str, ...]
    told: Mapping[str, Any]
    offered: Sequence[Slot] = ()
    known: Sequence[Mapping[str, Any]] = ()
    busy: Sequence[Slot] = ()
    invitation: Mapping[str, Any] = field(default_factory=dict)
    months: Sequence[Slot] = ()


@dataclass(frozen=True)
class Plan:
    """What is proposed: a kind of letter with times, and what follows once it has left."""

    kind: str
    times: Sequence[Slot] = ()
    taken: bool = False
    settles: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    notes: tuple[str, ...] = ()


class Scheduling:
    """Answers one message about an appointment, and writes what was agreed."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk
        self._done: set[str] = set()

    # ----- one message

    async def answer(self, run: str, message_id: str, who: Mapping[str, Any]) -> dict[str, Any]:
        """Propose the letter about a message, or write what it settles; {taken} says whether it was about that."""
        agent = self._desk.runtime.roster.working(AGENT)
        agent.may_read("appointment")
        message = await self._desk.store.read(lambda conn: conversations.message(conn, message_id))
        own, settings = _own(message), self._desk.settings
        given = {
            "text": f"{own}\n",
            "now": message["at"],
            "timezone": settings.business.timezone,
            "language": message["language"] or settings.business.language,
            "length": settings.scheduling.length,
        }
        told = await self._use(run, message, "meeting_times", given)
        asked = await self._desk.store.read(lambda conn: self._asked(conn, message, who, told))
        if told["act"] == "none" and not (told["times"] or asked.offered):
            return {"taken": False}
        if not told["times"]:
            asked = replace(asked, months=await self._months(run, message, given))
        phone = await self._phone(run, asked)
        if agreed := self._agreed(asked):
            return await self._desk.store.write(lambda tx: self._settled(tx, run, asked, agreed, phone))
        if told["act"] == "cancel":
            return await self._cancel(run, asked)
        plan = self._plan(asked)
        return await self._propose(run, asked, plan, phone) if plan else {"taken": False}

    async def invited(self, run: str, message_id: str, part: int, who: Mapping[str, Any]) -> dict[str, Any]:
        """Read a calendar's message: an invitation is answered by a draft, a cancellation by whoever invited counts."""
        message = await self._desk.store.read(lambda conn: conversations.message(conn, message_id))
        raw = await self._desk.store.read(lambda conn: _raw(conn, self._desk, message))
        given = {"now": message["at"], "timezone": self._desk.settings.business.timezone, "part": part}
        found = await self._use(run, message, "read_invitation", given, raw)
        if found["method"] not in ("request", "cancel") or not found["uid"]:
            return {"taken": False, "faults": found["faults"]}
        told = {"act": "propose", "times": [], "minutes": 0, "call": False}
        asked = await self._desk.store.read(lambda conn: self._asked(conn, message, who, told, found))
        if found["method"] == "cancel":
            return await self._uninvited(run, asked)
        return await self._propose(run, asked, self._reply_to(asked), "")

    def _reply_to(self, asked: Asked) -> Plan:
        """Yes to an invitation when its time is free, else other times."""
        event = asked.invitation["event"]
        slot = Slot(datetime.fromisoformat(event["start"]), datetime.fromisoformat(event["end"]))
        same = next((row for row in asked.known if _uid(row) == asked.invitation["uid"]), None)
        busy = [one for one in asked.busy if same is None or one != _slot(same)]
        why = slots.free(slot, busy, self._rules, zone=self._zone, now=self._now)
        told = ["The answer goes as words: their calendar program is not told by a file of its own."]
        told += ["It repeats; only its first time was looked at."] if asked.invitation["repeats"] else []
        body = {"uid": asked.invitation["uid"], "subject": event["title"], "place": event["place"]}
        body |= {"link": event["link"], "organizer": event["organizer"]}
        if why in ("taken", "past"):
            return Plan("offer", self._offers(asked, minutes=0), taken=True, why=_WHY[why], notes=tuple(told))
        settles = {**body, "begins": iso(slot.begins), "ends": iso(slot.ends)}
        settles |= {"record": same["id"]} if same else {}
        told += [_WHY[why]] if why else []
        return Plan("confirm", [slot], settles=settles, why="They invite you, and the time is free.", notes=tuple(told))

    def _asked(
        self,
        conn: Any,
        message: Mapping[str, Any],
        who: Mapping[str, Any],
        told: Mapping[str, Any],
        invitation: Mapping[str, Any] | None = None,
    ) -> Asked:
        """The message beside what we know: offers on its thread, appointments with its sender, what is taken."""
        now = iso(self._now - timedelta(days=1))
        coming = rows.appointments(conn, since=now, until=iso(self._now + timedelta(days=400)))
        person = str(who.get("person") or "") or (
            records.identified(conn, "email", normal_address(str(message["sender"] or "nobody@invalid"))) or ""
        )
        company = str(who.get("company") or "")
        people = tuple(one for one in (person, company) if one)
        known = [row for row in coming if _with(row, people, str(message["sender"]))]
        newest = [
            row
            for row in proposals.on_conversation(conn, message["conversation"], "approved")
            if row["source"] == SOURCE
        ][-1:]
        offered = [_span(one) for row in newest for one in (row["evidence"] or {}).get("meeting", {}).get("offers", [])]
        return Asked(message, people, told, offered, known, [_slot(row) for row in coming], invitation or {})

    def _agreed(self, asked: Asked) -> Slot | None:
        """The one time of ours that they take: by naming it, or by saying yes to a single one."""
        if not asked.offered or asked.told["act"] in ("cancel", "decline", "move"):
            return None
        named = {
            offer
            for offer in asked.offered
            for one in asked.told["times"]
            if (one["exact"] and _span(one).begins == offer.begins) or (not one["exact"] and _span(one).meets(offer))
        }
        if len(named) == 1:
            return named.pop()
        if not named and asked.told["act"] == "confirm" and not asked.told["times"] and len(asked.offered) == 1:
            return asked.offered[0]
        return None

    def _plan(self, asked: Asked) -> Plan | None:
        """The letter: confirm the first time of theirs that is free, else offer some."""
        moves = asked.told["act"] == "move" and asked.known
        old = asked.known[0] if moves and len(asked.known) == 1 else None
        busy = [one for one in asked.busy if old is None or one != _slot(old)]
        exact = [_span(one) for one in asked.told["times"] if one["exact"]]
        why = ""
        for slot in exact if asked.told["act"] != "decline" else ():
            why = slots.free(slot, busy, self._rules, zone=self._zone, now=self._now)
            if not why or why == "soon":
                settles = {"begins": iso(slot.begins), "ends": iso(slot.ends)}
                settles |= {"record": old["id"]} if old else {}
                notes = (_WHY["soon"],) if why else ()
                said = "They name a time that is free." if not old else "They move the appointment to a free time."
                return Plan("confirm", [slot], settles=settles, why=said, notes=notes)
        windows = [_span(one) for one in asked.told["times"] if not one["exact"]]
        found = self._offers(asked, minutes=int(asked.told["minutes"]), windows=windows or asked.months)
        if not found:
            return None
        told = _WHY.get(why, "") or "They ask for an appointment; these times are free."
        return Plan("offer", found, taken=bool(exact) and why in ("taken", "hours", "past"), why=told)

    def _offers(self, asked: Asked, *, minutes: int, windows: Sequence[Slot] = ()) -> list[Slot]:
        """Free times within what they leave open; anywhere, when nothing is free there."""
        rules, now = self._rules, self._now
        length = timedelta(minutes=minutes or rules.length)
        refused = asked.offered if asked.told["act"] == "decline" else ()
        wish = slots.Wish(length, rules.offers, [one for one in windows if one.ends > now], refused)
        busy = asked.busy
        found = slots.offers(wish, busy, rules, zone=self._zone, now=now)
        if not found and wish.windows:
            found = slots.offers(slots.Wish(length, rules.offers, (), refused), busy, rules, zone=self._zone, now=now)
        return found

    # ----- letters

    async def _propose(self, run: str, asked: Asked, plan: Plan, phone: str) -> dict[str, Any]:
        """A letter as a proposal; what it settles is written when it has left."""
        message = asked.message
        said = {"text": _own(message)[:20_000], "default": self._desk.settings.business.language}
        language = await self._use(run, message, "language", said)
        given = {
            "kind": plan.kind,
            "times": [{"begins": iso(one.begins), "ends": iso(one.ends)} for one in plan.times],
            "taken": plan.taken,
            "moved": bool(plan.settles.get("record")),
            "timezone": self._zone.key,
            "place": str(plan.settles.get("place", "")),
            "language": message["language"] or language["language"],
            "sender_name": message["sender_name"],
            "subject": message["subject"],
            **await wording.frame(self._desk, AGENT),
        }
        to = str(message["answer_to"] or message["sender"])
        kept = await replies.ruled(self._desk, await self._use(run, message, "draft_meeting", given), to)
        draft = kept.draft
        check = {
            "draft": dict(draft),
            "house_book": given["house_book"],
            "message_text": f"{message['subject']}\n{message['text']}",
            "recipient": to,
            "allowed_recipients": [message["sender"], *(message["recipients"] or [])],
        }
        faults = (await self._use(run, message, "check_draft", check, agent="supervisor"))["faults"]
        letter = _Letter(plan, draft, to, (*map(str, faults), *kept.faults), kept.used, phone)
        return await self._desk.store.write(lambda tx: self._put(tx, run, asked, letter))

    def _put(self, tx: Tx, run: str, asked: Asked, letter: _Letter) -> dict[str, Any]:
        """The proposal, once; an older draft on the thread is withdrawn."""
        message, plan = asked.message, letter.plan

        def propose() -> dict[str, Any]:
            replies.withdraw_older(self._desk, tx, message["conversation"])
            agent = self._desk.runtime.roster.get(AGENT)
            agent.may_propose(MAIL_OPERATION, proposals.made_in(tx.conn, run))
            thread = conversations.get(tx.conn, message["conversation"])
            out = self._desk.mail_out(thread["channel"])
            settles = {**plan.settles, "phone": letter.phone} if plan.settles else {}
            meeting: dict[str, Any] = {"kind": plan.kind, "settles": settles, "people": list(asked.people)}
            if plan.kind == "offer":
                meeting["offers"] = [{"begins": iso(one.begins), "ends": iso(one.ends)} for one in plan.times]
            new = NewProposal(
                id=agent_proposal_id(run, "meeting", 0),
                connector=out,
                operation=MAIL_OPERATION,
                payload=replies.on_thread(message, letter.to, letter.draft),
                reason=plan.why,
                source=SOURCE,
                run=run,
                agent=agent.label,
                evidence={
                    "message": message["id"],
                    "meeting": meeting,
                    "template": letter.draft["template"],
                    "notes": [*plan.notes, *letter.draft["notes"]],
                    "follow_up": plan.kind != "offer",
                },
                questions=tuple({"text": f"The draft was checked and has a fault: {one}"} for one in letter.faults),
                record=next(iter(asked.people), ""),
                conversation=message["conversation"],
                thread_head=thread["head"],
                expires_in=seconds(self._desk.settings.intake.reply_within),
                title=f"Reply to {message['sender_name'] or message['sender']}: {message['subject']}"[:160],
                new_recipient=normal_address(letter.to) != normal_address(message["sender"]),
                thread_known=True,
                origin=_origin(message),
            )
            made = self._desk.runtime.roster.made_with(AGENT)
            releases.made_with(tx, run, {**made, "pieces": pieces((), "supervisor")})
            done = self._desk.approvals.propose(tx, new, self._desk.facts(out, MAIL_OPERATION), actor=new.agent)
            self._desk.standing.note(tx, letter.used, done["id"], run)
            return {"taken": True, "act": plan.kind, "proposals": [done["id"]]}

        return dict(runs.once(tx, run, "propose", propose, given={"message": message["id"]}))

    # ----- what is agreed

    def _settled(self, tx: Tx, run: str, asked: Asked, slot: Slot, phone: str) -> dict[str, Any]:
        """They took a time we offered: it is an appointment, unless it is taken by now; then the operator is asked."""

        def write() -> dict[str, Any]:
            message = asked.message
            busy = [_slot(row) for row in rows.appointments(tx.conn, since=iso(slot.begins - timedelta(days=1)),
                                                            until=iso(slot.ends + timedelta(days=1)))]  # fmt: skip
            if any(slot.meets(one) for one in busy):
                return {"taken": False, "act": "none"}
            settles = {"begins": iso(slot.begins), "ends": iso(slot.ends), "phone": phone}
            why = f"{message['sender']} took the time you offered"
            ident = self._write(tx, run, settles, asked.people, _Made(str(message["conversation"]), message, why))
            releases.made_with(tx, run, {**self._desk.runtime.roster.made_with(AGENT), "agent": ""})
            tasks.annotate(tx, message["id"], "scheduler", "They took a time you offered; it is in your appointments.")
            return {"taken": True, "act": "agreed", "appointment": ident}

        return dict(runs.once(tx, run, "agreed", write, given={"message": asked.message["id"]}))

    def _write(self, tx: Tx, run: str, settles: Mapping[str, Any], people: Sequence[str], made: _Made) -> str:
        """The appointment that was agreed: a new record, or the one that moves."""
        agent = self._desk.runtime.roster.get(AGENT)
        if record := str(settles.get("record", "")):
            row = records.get(tx.conn, record)
            fields = {"begins": settles["begins"], "ends": settles["ends"]}
            agent.may_write("appointment", fields)
            state = "confirmed" if row["state"] in ("", "proposed") else row["state"]
            records.write(
                tx, record, row["version"], fields, why=made.why, run=run, actor=AGENT, by="system", state=state
            )
            return record
        kinds = {one: records.get(tx.conn, one)["kind"] for one in people}
        outside = {"uid": settles["uid"], "organizer": settles.get("organizer", "")} if settles.get("uid") else {}
        note = "\n".join(
            part for part in (settles.get("phone") and f"Phone: {settles['phone']}", settles.get("link")) if part
        )
        subject = str(settles.get("subject") or (made.message or {}).get("subject") or "Appointment")
        body = {
            "subject": subject[:300],
            "client": next(iter(people), ""),
            "people": [one for one, kind in kinds.items() if kind == "person"],
            "begins": settles["begins"],
            "ends": settles["ends"],
            "place": str(settles.get("place", ""))[:300],
            "note": note,
            "external": outside,
            "origin": "outside",
        }
        body = {name: value for name, value in body.items() if value not in ("", [], {})}
        agent.may_write("appointment", body)
        ident = derived("appointment", made.key, settles["begins"])
        if not records.history(tx.conn, ident, limit=1):
            records.create(
                tx,
                "appointment",
                "",
                body,
                ident=ident,
                state="confirmed",
                why=made.why,
                run=run,
                actor=AGENT,
                by="system",
            )
        return ident

    async def _cancel(self, run: str, asked: Asked) -> dict[str, Any]:
        """They cancel: the one appointment with them they mean; which one it is must be plain."""
        days = [_span(one) for one in asked.told["times"]]
        meant = [row for row in asked.known if not days or any(_slot(row).meets(one) for one in days)]
        if len(meant) != 1:
            return {"taken": False}
        await self._desk.store.write(lambda tx: self._off(tx, run, asked, meant[0]))
        plan = Plan("cancelled", [_slot(meant[0])], why="They cancel the appointment; it is cancelled in your records.")
        return await self._propose(run, asked, plan, "")

    async def _uninvited(self, run: str, asked: Asked) -> dict[str, Any]:
        """A calendar cancels: it counts when it comes from whoever invited."""
        sender, organizer = str(asked.message["sender"]).casefold(), str(asked.invitation["event"].get("organizer", ""))
        same = [row for row in asked.known if _uid(row) == asked.invitation["uid"]]
        if not same or sender != (organizer or sender):
            return {"taken": False}
        return await self._desk.store.write(lambda tx: self._off(tx, run, asked, same[0]))

    def _off(self, tx: Tx, run: str, asked: Asked, row: Mapping[str, Any]) -> dict[str, Any]:
        """An appointment does not take place, on the word of somebody it was made with."""

        def write() -> dict[str, Any]:
            self._desk.runtime.roster.get(AGENT).may_write("appointment", ["state"])
            now = records.get(tx.conn, row["id"])
            if now["state"] != "cancelled":
                why = f"{asked.message['sender']} cancelled it"
                records.write(
                    tx, now["id"], now["version"], {}, why=why, run=run, actor=AGENT, by="system", state="cancelled"
                )
            return {"taken": True, "act": "cancelled", "appointment": now["id"]}

        return dict(runs.once(tx, run, "off", write, given={"message": asked.message["id"]}))

    # ----- after a letter has left

    async def follow(self) -> None:
        """Write what was agreed by letters that have left, for as long as the server runs."""
        while True:
            try:
                await self.look()
            except SoloistError as error:
                _log.warning("appointments were not written: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> list[str]:
        """Write the appointments of letters that have left since; their ids."""
        ready = await self._desk.store.read(self._left)
        return await self._desk.store.write(lambda tx: [self._after(tx, row) for row in ready]) if ready else []

    def _left(self, conn: Any) -> list[dict[str, Any]]:
        found = []
        for row in bills.proposed(conn, SOURCE, ("approved",))[-200:]:
            settles = ((row["evidence"] or {}).get("meeting") or {}).get("settles")
            if not settles or row["id"] in self._done:
                continue
            if any(one["state"] in HAPPENED for one in effects.of_proposal(conn, row["id"])):
                found.append(row)
        return found

    def _after(self, tx: Tx, row: Mapping[str, Any]) -> str:
        """One letter that has left: the appointment it confirms."""
        meeting = row["evidence"]["meeting"]
        run = f"{row['run']}"
        self._done.add(str(row["id"]))

        def write() -> dict[str, Any]:
            message = conversations.message(tx.conn, row["evidence"]["message"])
            made = _Made(str(row["id"]), message, "you confirmed the time they named")
            return {"appointment": self._write(tx, run, meeting["settles"], meeting["people"], made)}

        return str(runs.once(tx, run, "appointment", write, given={"proposal": row["id"]})["appointment"])

    # ----- small things

    async def _months(self, run: str, message: Mapping[str, Any], given: Mapping[str, Any]) -> list[Slot]:
        """The months they name without a day, as windows."""
        asks = {name: given[name] for name in ("text", "now", "timezone", "language")}
        found = []
        for one in (await self._use(run, message, "dates", asks))["dates"]:
            first = datetime.fromisoformat(one["day"]).replace(day=1, tzinfo=self._zone)
            if one["precision"] == "month":
                found.append(Slot(first, (first + timedelta(days=32)).replace(day=1)))
        return found

    async def _phone(self, run: str, asked: Asked) -> str:
        """The number they want to be called at, "" when they speak of no call or name none."""
        if not asked.told["call"]:
            return ""
        given = {"text": _own(asked.message)[:30_000], "region": self._desk.settings.business.phone_region}
        found = (await self._use(run, asked.message, "phones", given))["phones"]
        return next((str(one["e164"]) for one in found if one["valid"]), "")

    async def _use(
        self,
        run: str,
        message: Mapping[str, Any],
        skill: str,
        given: Mapping[str, Any],
        blob: bytes = b"",
        *,
        agent: str = AGENT,
    ) -> Mapping[str, Any]:
        item = WorkItem(run, skill, agent, skill, given, origin=_origin(message), flow="intake", blob=blob)
        return (await self._desk.runtime.work(item)).value

    @property
    def _rules(self) -> Any:
        return self._desk.settings.scheduling

    @property
    def _zone(self) -> Any:
        return self._desk.settings.business.zone

    @property
    def _now(self) -> datetime:
        return self._desk.store.clock()


@dataclass(frozen=True)
class _Letter:
    """A draft with what it rests on."""

    plan: Plan
    draft: Mapping[str, Any]
    to: str
    faults: tuple[str, ...]
    used: tuple[tuple[str, str], ...]
    phone: str


@dataclass(frozen=True)
class _Made:
    """By what an appointment came about: a key that makes it one, the message, why."""

    key: str
    message: Mapping[str, Any] | None
    why: str


_WHY = {
    "taken": "The time they name is taken in your calendar; these are free.",
    "hours": "The time they name is outside the hours you work; these are free.",
    "past": "The time they name is over; these are free.",
    "soon": "The time they name is sooner than you usually take appointments; it is free.",
}


def _own(message: Mapping[str, Any]) -> str:
    """What they newly wrote."""
    return str((message["understanding"] or {}).get("own_text") or message["text"] or "")


def _origin(message: Mapping[str, Any]) -> Origin:
    return Origin(frozenset({"outside", "own"}), frozenset({f"message:{message['id']}"}))


def _raw(conn: Any, desk: Desk, message: Mapping[str, Any]) -> bytes:
    from_mail: bytes = rows.raw(conn, desk.home.assets, str(message["asset"]))
    return from_mail


def _span(one: Mapping[str, Any]) -> Slot:
    return Slot(datetime.fromisoformat(one["begins"]), datetime.fromisoformat(one["ends"]))


def _slot(row: Mapping[str, Any]) -> Slot:
    """When an appointment is; one without an end takes an hour."""
    begins = datetime.fromisoformat(str(row["body"]["begins"]))
    ends = row["body"].get("ends")
    return Slot(begins, datetime.fromisoformat(str(ends)) if ends else begins + timedelta(hours=1))


def _uid(row: Mapping[str, Any]) -> str:
    return str((row["body"].get("external") or {}).get("uid", ""))


def _with(row: Mapping[str, Any], people: Sequence[str], address: str) -> bool:
    """Whether an appointment is with these records, or with who writes from this address."""
    body = row["body"]
    guests = (body.get("external") or {}).get("attendees") or []
    there = {*(body.get("people") or []), body.get("client")} & set(people)
    return bool(there) or any(one.get("address", "").casefold() == address.casefold() for one in guests)
