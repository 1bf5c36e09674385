"""Calendars: events of a published calendar become appointments of the people in them; nothing is written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from soloist.engine.store import assets, calendars, events, kinds, records, runs, streams
from soloist.engine.store.clock import iso
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel import identity
from soloist.kernel.errors import BadInput, SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.kind import move_fault
from soloist.sdk import Arrival, Page, Stream
from soloist.stages.records import owners

KIND = "calendar"
READ, UNREAD = "calendar.read", "calendar.unread"
"""Events: an object of a calendar was read, or could not be."""
BACK, AHEAD = timedelta(days=90), timedelta(days=365)
STATES = {"planned": "confirmed", "tentative": "proposed", "cancelled": "cancelled"}
OUTSIDE = "outside"


class Calendars:
    """Takes pages of calendars; one object of a calendar and its cursor are one transaction with its page."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process; pages of the kind "calendar" come here."""
        self._desk, self._store = desk, desk.store
        desk.intake.pages[KIND] = self.take

    async def take(self, source: str, stream: Stream, page: Page) -> int:
        """Commit a page with its cursor; how many objects were new or changed."""
        now, zone = self._store.clock(), self._desk.settings.business.timezone
        given = {"start": iso(now - BACK), "end": iso(now + AHEAD), "zone": zone}
        raws = [arrival.raw for arrival in page.arrivals]
        self._desk.runtime.roster.under("scheduler", "read_event")
        answers = await self._desk.intake.ask_many("read_event", [given] * len(raws), raws, timeout=20.0)

        def work(tx: Tx) -> int:
            fresh = 0
            for arrival, answer in zip(page.arrivals, answers, strict=True):
                fresh += self._object(tx, source, arrival, answer, given["start"])
            for name in page.gone:
                self._gone(tx, source, name, given["start"])
            self._advance(tx, source, stream, page)
            return fresh

        return await self._store.write(work, full=False)

    def _advance(self, tx: Tx, source: str, stream: Stream, page: Page) -> None:
        """The cursor, when it was read last, and after the first whole reading the review of whom the operator met."""
        row = streams.get(tx.conn, source, stream.name)
        done = row["done"] + len(page.arrivals)
        state = "reading" if page.complete else "going on"
        streams.put(tx, source, stream.name, cursor=page.cursor, state=state, done=done, total=done, trouble="")
        if page.note:
            tx.append("stream.read_again", subject=source, payload={"stream": stream.name, "note": page.note, "new": 0})
        run = f"takeover:{source}"
        if page.complete and done and not runs.exists(tx.conn, run):
            tx.start(run, "takeover", source, subject=source)

    def _object(self, tx: Tx, source: str, arrival: Arrival, answer: dict[str, Any] | SoloistError, start: str) -> bool:
        """One object of the calendar as its appointments; False when it was read before."""
        if events.named(tx.conn, source, arrival.external_id) is not None:
            return False
        path = assets.write_file(self._desk.home.assets, arrival.raw)
        digest = assets.keep(tx, arrival.raw, "text/calendar", path)
        subject = subject_of(source, arrival.external_id.partition("@")[0])
        found: dict[str, Any] = (
            {"events": [], "faults": [answer.detail]} if isinstance(answer, SoloistError) else answer
        )
        faults, made = list(found["faults"]), list[str]()
        for event in found["events"]:
            try:
                made.append(self._appointment(tx, source, arrival.origin, event))
            except BadInput as error:  # a schema of the operator's own: its neighbours are taken all the same
                faults.append(error.detail)
        unread = bool(faults) and not made
        if not unread:  # one that cannot be read any more stays as it was known
            self._cancel(tx, [one for one in self._before(tx, subject) if one not in made], start)
        tx.append(
            UNREAD if unread else READ,
            subject=subject,
            source=source,
            external_id=arrival.external_id,
            payload={"asset": digest, "size": len(arrival.raw), "records": made, "faults": faults[:5]},
            actor="outside",
        )
        return True

    @staticmethod
    def _before(tx: Tx, subject: str) -> list[str]:
        """The appointments that the last reading of an object gave."""
        event = events.newest_of(tx.conn, READ, subject)
        return list((event["payload"] or {}).get("records", [])) if event else []

    def _gone(self, tx: Tx, source: str, name: str, start: str) -> None:
        """An object that is no longer in the calendar."""
        subject = subject_of(source, name)
        if before := self._before(tx, subject):
            self._cancel(tx, before, start)
            tx.append(READ, subject=subject, payload={"records": [], "gone": True, "faults": []}, actor="outside")

    def _cancel(self, tx: Tx, idents: Sequence[str], start: str) -> None:
        """Appointments that the calendar no longer has; those from before its window only went out of sight."""
        kind = kinds.current(tx.conn, "appointment")
        for ident in idents:
            row = records.get(tx.conn, ident)
            held = (row.get("owners") or {}).get("begins") == "operator" or row["merged_into"]
            if held or str(row["body"].get("begins", "")) < start or row["state"] == "cancelled":
                continue
            if kind is None or not move_fault(kind, row["state"], "cancelled"):
                why = "it is no longer in the calendar"
                records.write(tx, ident, row["version"], {}, why=why, state="cancelled", by=OUTSIDE)

    def _appointment(self, tx: Tx, source: str, uid: str, event: Mapping[str, Any]) -> str:
        """The record of one occurrence: new, or with what the calendar says now; what the operator set stays."""
        ident = derived("appointment", source, uid, event["occurrence"])
        body, state = self._body(tx, source, uid, event), STATES.get(event["state"], "confirmed")
        known = records.history(tx.conn, ident, limit=1)
        if not known:
            why = "read from the calendar"
            records.create(tx, "appointment", body["subject"], body, ident=ident, state=state, why=why, by=OUTSIDE)
            return ident
        row, kind = records.get(tx.conn, ident), kinds.current(tx.conn, "appointment")
        if row["merged_into"]:  # it stands for itself no more; the one it was merged into has its own event
            return ident
        fields = owners.split(row["body"], row.get("owners") or {}, body, OUTSIDE, kind).written
        moves = kind is not None and move_fault(kind, row["state"], state)
        state = row["state"] if moves or row["state"] == "done" else state
        if fields or state != row["state"]:
            title = str(fields.get("subject") or row["title"])
            why = "the calendar was changed"
            records.write(tx, ident, row["version"], fields, why=why, state=state, title=title, by=OUTSIDE)
        return ident

    def _body(self, tx: Tx, source: str, uid: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an appointment."""
        own = self._own()
        guests = [one for one in event["attendees"] if one["address"] not in own]
        if event["organizer"] and event["organizer"] not in own | {one["address"] for one in guests}:
            guests.append({"address": event["organizer"], "name": "", "answer": "organizer"})
        outside = {
            "uid": uid, "attendees": guests, "zone": event["zone"], "link": event["link"],
            "day": event["day"], "organizer": event["organizer"],
        }  # fmt: skip
        found = {
            "subject": event["title"] or "Without a title",
            "begins": event["start"],
            "ends": event["end"],
            "place": event["place"],
            "note": event["text"],
            "people": self._known(tx, guests),
            "calendar": source,
            "external": outside,
            "origin": "calendar",
        }
        return {name: value for name, value in found.items() if value not in ("", [])}

    def _known(self, tx: Tx, guests: Sequence[Mapping[str, Any]]) -> list[str]:
        """Those of them who are records."""
        found = (records.identified(tx.conn, "email", identity.normal_address(one["address"])) for one in guests)
        people = [one for one in found if one and records.get(tx.conn, one)["kind"] == "person"]
        return list(dict.fromkeys(people))

    def _own(self) -> set[str]:
        links = [half.address for half in self._desk.connections.values()]
        return {one.casefold() for one in (self._desk.settings.business.email, *links) if one}

    def relink(self, tx: Tx, source: str) -> int:
        """Link the appointments of a calendar to people who became records since; how many were changed."""
        count = 0
        for row in calendars.appointments(tx.conn, source):
            guests = (row["body"].get("external") or {}).get("attendees", [])
            known = list(row["body"].get("people") or [])
            new = [one for one in self._known(tx, guests) if one not in known]
            if new:
                why = "they are known now"
                records.write(tx, row["id"], row["version"], {"people": [*known, *new]}, why=why, by=OUTSIDE)
                count += 1
        return count


def subject_of(source: str, name: str) -> str:
    """What events about an object of a calendar are about."""
    return f"{source}:{name}"
