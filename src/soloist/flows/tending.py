"""Tending: what happened in the house gives the roles their work, each with its own place in the journal; none is lost
while one is paused."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from soloist.engine.store import conversations, gathering, memories, records, settings, tasks
from soloist.engine.store import runs as run_rows
from soloist.engine.store.clock import iso, later
from soloist.engine.store.facts import head
from soloist.engine.store.tx import Tx
from soloist.flows import following
from soloist.flows.desk import Desk
from soloist.flows.following import Pauses
from soloist.flows.giving import Asked, Giving
from soloist.kernel.errors import SoloistError
from soloist.kernel.message import Understanding
from soloist.kernel.origin import Origin

MARK = "tending."
"""Key before the name of a role under which the home keeps how far it has looked."""
TURN = 100
"""Events that a role looks at in one turn."""
PAUSES = Pauses(at_the_start=6.0, breath=0.05, look_every=2.0, after_a_fault=60.0)
PATIENCE = 60.0
"""Seconds after which a message is looked at although its sender is not known yet."""
LOOK_EVERY = 300.0
WORTH = ("client", "support", "billing", "scheduling")
"""Kinds of message that are triaged."""
MINUTES = re.compile(
    r"\b(?:minutes|meeting notes|notes from (?:our|the)|protokoll|gespr[aä]chsnotiz|besprechung|compte[- ]rendu|acta"
    r"|resumen de la reuni[oó]n)\b",
    re.IGNORECASE,
)
LINES = re.compile(
    r"^\s*(?:[-*\u2022]\s*)?(?:decision|decided|todo|to do|action|task|agreed|beschluss|beschlossen|aufgabe|offen"
    r"|d[eé]cision|[aà] faire|decisi[oó]n|tarea)s?\b\s*[:\-]",
    re.IGNORECASE | re.MULTILINE,
)
LONGEST = 300_000
"""Characters of minutes that are handed on."""
MINUTES_FOUND = "minutes.found"
"""Event of a message whose files hold minutes."""
_OUTSIDE = Origin(frozenset({"outside"}))
Event = Mapping[str, Any]
Finds = Callable[[Any, Desk, Sequence[Event]], list[Asked]]


def minutes(subject: str, text: str) -> bool:
    """Whether a text reads like the minutes of a meeting: its subject says so and lines are marked, or many are."""
    marked = len(LINES.findall(text[:100_000]))
    return marked >= 3 or (marked >= 1 and bool(MINUTES.search(subject) or MINUTES.search(text[:300])))


class Tending:
    """Looks at the journal for the roles, and at the clock for what comes every week."""

    def __init__(self, desk: Desk, giving: Giving) -> None:
        """The stages of one process, and the door by which work is handed out."""
        self._desk, self._store, self._giving = desk, desk.store, giving

    async def follow(self) -> None:
        """For as long as the server runs."""
        await following.follow(self.turn, PAUSES, log="soloist.roles", trouble="the roles could not look around")

    async def turn(self) -> bool:
        """One look for each role; True when one of them found more to look at."""
        more = False
        for name, finds in FINDS.items():
            more = await self._look(name, finds) or more
        return more

    async def _look(self, name: str, finds: Finds) -> bool:
        """Hand a role what happened since its last look; while it is paused its place in the journal stays."""
        if self._desk.runtime.roster.states.get(name, ("active", ""))[0] != "active":
            return False
        if name not in self._desk.runtime.roster.specs:
            return False

        def read(conn: Any) -> tuple[int, int, list[Asked]]:
            said = settings.value(conn, MARK + name)
            if not said:
                return -1, head(conn), []
            found = _ready(conn, gathering.after(conn, int(said), TURN), iso(self._store.clock()))
            return int(said), int(found[-1]["seq"]) if found else int(said), finds(conn, self._desk, found)

        was, now, asked = await self._store.read(read)
        if was == now:
            return False

        def work(tx: Tx) -> bool:
            if settings.value(tx.conn, MARK + name) != ("" if was < 0 else str(was)):
                return False  # another process made this turn
            for one in asked:
                self._giving.give_in(tx, one, who="soloist")
            settings.put(tx, MARK + name, str(now))
            return was >= 0

        return bool(await self._store.write(work, full=False))

    # ----- what comes every week

    async def by_the_clock(self) -> None:
        """Look at the clock for as long as the server runs."""
        while True:
            try:
                await self.weekly()
            except SoloistError as error:
                logging.getLogger("soloist.roles").warning("what comes every week has to wait: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def weekly(self) -> list[str]:
        """Ask for what is due this week and was not asked for: the pages, then the report of the week before."""
        business = self._desk.settings.business
        due = week_before(self._store.clock(), business.timezone)
        asked = [Asked("publisher", {"week": due.isoformat()}, ref=f"report:{due}", lane="now", origin=_OWN)]
        if self._desk.settings.watch.pages:
            asked.insert(0, Asked("competitor_watcher", {}, ref=f"watch:{due}", origin=_OWN))
        begun = []
        for one in asked:
            run = f"work:{one.agent}:{one.ref}"
            known = await self._store.read(lambda conn, run=run: run_rows.exists(conn, run) or not _old(conn, due))  # type: ignore[misc]  # bound at once
            if known or self._desk.runtime.roster.states.get(one.agent, ("active", ""))[0] != "active":
                continue
            await self._store.write(lambda tx, one=one: self._giving.give_in(tx, one, who="soloist"))  # type: ignore[misc]  # bound at once
            begun.append(run)
        return begun


_OWN = Origin(frozenset({"own"}))


def week_before(now: datetime, zone: str) -> date:
    """The Monday on which the last whole week began where the operator is."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return today - timedelta(days=today.weekday() + 7)


def _old(conn: Any, week: date) -> bool:
    """Whether the home was there in that week: a week before its first event has no report."""
    begun = gathering.after(conn, 0, 1)
    return bool(begun) and str(begun[0]["at"])[:10] <= (week + timedelta(days=6)).isoformat()


def _ready(conn: Any, found: Sequence[Event], now: str) -> list[Event]:
    """Events up to the first message whose sender is not known yet; it is waited for a little."""
    taken: list[Event] = []
    for event in found:
        if event["kind"] == "message.understood" and later(event["at"], PATIENCE) > now:
            row = conversations.message(conn, event["subject"])
            aside = row["kind"] in ("bulk", "automatic", "spam", "unsure")
            if not aside and not conversations.get(conn, row["conversation"])["record"]:
                break
        taken.append(event)
    return taken


# ----- what each role looks for


def _messages(conn: Any, found: Sequence[Event]) -> list[dict[str, Any]]:
    """Messages that were understood, once each."""
    idents = dict.fromkeys(event["subject"] for event in found if event["kind"] == "message.understood")
    return [conversations.message(conn, ident) for ident in idents]


def _of_planner(conn: Any, desk: Desk, found: Sequence[Event]) -> list[Asked]:
    """Messages and notes that read like minutes, and new goals."""
    asked = []
    for row in _messages(conn, found):
        read = Understanding.model_validate(row["understanding"])
        if row["kind"] not in ("spam", "bulk", "automatic") and minutes(row["subject"], read.own_text):
            whose = conversations.get(conn, row["conversation"])["record"]
            given = {"text": read.own_text, "subject": row["subject"], "at": row["at"], "message": row["id"]}
            origin = Origin(frozenset({"outside"}), frozenset({f"message:{row['id']}"}))
            asked.append(Asked("planner", given, subject=row["id"], client=whose, ref=row["id"], origin=origin))
    for event in found:
        if event["kind"] == MINUTES_FOUND:
            asked += _files(conn, event["subject"])
        elif event["kind"] == "note.added":
            asked += _note(conn, event)
        elif event["kind"] == "record.created":
            made = records.standing(conn, event["subject"])
            if made and made["kind"] == "goal" and event["actor"] != "soloist":
                asked.append(Asked("planner", {"goal": made["id"]}, subject=made["id"], ref=made["id"]))
    return asked


def _files(conn: Any, message: str) -> list[Asked]:
    """The files of a message that read like minutes, as they are remembered; what was forgotten is not planned."""
    row, asked = conversations.message(conn, message), []
    whose = conversations.get(conn, row["conversation"])["record"]
    for file in row["attachments"] or []:
        ref = f"document:{message}#{file['part']}"
        text = memories.text_of(conn, ref) if (file.get("read") or {}).get("minutes") else ""
        if text:
            given = {"text": text[:LONGEST], "subject": str(file["name"])[:200], "at": row["at"], "message": message}
            origin = Origin(frozenset({"outside"}), frozenset({f"message:{message}"}))
            asked.append(Asked("planner", given, subject=message, client=whose, ref=ref, origin=origin))
    return asked


def _note(conn: Any, event: Event) -> list[Asked]:
    """A note of the operator's that reads like minutes."""
    notes = [one for one in tasks.annotations_of(conn, event["subject"]) if one["kind"] == "note"]
    newest = notes[-1] if notes else None
    if newest is None or not minutes("", newest["body"]):
        return []
    given = {"text": newest["body"], "at": newest["at"]}
    return [Asked("planner", given, subject=event["subject"], client=event["subject"], ref=newest["id"])]


def _of_triage(conn: Any, desk: Desk, found: Sequence[Event]) -> list[Asked]:
    """Messages of clients that want something."""
    return [
        Asked("support_triage", {"message": row["id"]}, subject=row["id"], ref=row["id"], origin=_OUTSIDE)
        for row in _messages(conn, found)
        if row["kind"] in WORTH
    ]


def _of_keeper(conn: Any, desk: Desk, found: Sequence[Event]) -> list[Asked]:
    """Signatures of people whose record lacks what they may say, and people that were entered anew."""
    asked = []
    for row in _messages(conn, found):
        whose = conversations.get(conn, row["conversation"])["record"]
        person = records.standing(conn, whose) if whose else None
        if person is None or person["kind"] != "person" or not row["understanding"]:
            continue
        lacks = any(not person["body"].get(name) for name in ("website", "phones", "company_name"))
        if lacks and row["understanding"].get("signature"):
            given = {"message": row["id"]}
            asked.append(Asked("crm_keeper", given, subject=row["id"], ref=row["id"], origin=_OUTSIDE))
    if people := _people(conn, found):
        ref = f"people:{found[-1]['seq']}"
        asked.append(Asked("crm_keeper", {"records": people}, subject=people[0], ref=ref, origin=_OWN))
    return asked


def _of_enrichment(conn: Any, desk: Desk, found: Sequence[Event]) -> list[Asked]:
    """People with a field that the house itself can fill."""
    people = [ident for ident in _people(conn, found) if _fillable(conn, ident)]
    if not people:
        return []
    ref = f"people:{found[-1]['seq']}"
    return [Asked("enrichment", {"records": people}, subject=people[0], ref=ref, origin=_OWN)]


def _people(conn: Any, found: Sequence[Event]) -> list[str]:
    """People that were entered or changed by somebody else than the roles themselves, at most fifty a turn."""
    kinds = ("record.created", "record.changed")
    own = ("crm_keeper", "enrichment")
    idents = dict.fromkeys(e["subject"] for e in found if e["kind"] in kinds and e["actor"] not in own)
    rows = [records.standing(conn, ident) for ident in idents]
    return [row["id"] for row in rows if row and row["kind"] == "person"][:50]


def _fillable(conn: Any, ident: str) -> bool:
    row = records.standing(conn, ident)
    body = row["body"] if row else {}
    local = any(not str(one).startswith("+") for one in body.get("phones") or [])
    return bool(row) and (local or not body.get("language") or (not body.get("company") and bool(body.get("emails"))))


def _of_publisher(conn: Any, desk: Desk, found: Sequence[Event]) -> list[Asked]:
    """Planned publications whose channel is the newsletter."""
    asked = []
    for event in found:
        mine = event["actor"] == "publisher"  # it was asked for one, and is at work on it already
        row = records.standing(conn, event["subject"]) if event["kind"] == "record.created" and not mine else None
        if row is None or row["kind"] != "publication" or row["state"] not in ("planned", ""):
            continue
        if str(row["body"].get("channel") or "").strip().casefold() == "newsletter":
            asked.append(Asked("publisher", {"publication": row["id"]}, subject=row["id"], ref=row["id"]))
    return asked


FINDS: Mapping[str, Finds] = {
    "planner": _of_planner,
    "support_triage": _of_triage,
    "crm_keeper": _of_keeper,
    "enrichment": _of_enrichment,
    "publisher": _of_publisher,
}
