"""Night: questions of work by morning wait for cheap hours or lie with a provider as a batch; none is late unsaid.

A run that asks such a question is parked. What wakes it: the batch has answered (then its answer is a recording), its
hours have begun, the batch is taking too long, or this computer slept through the night.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from soloist.config import Settings
from soloist.engine.store import night_jobs, tasks
from soloist.engine.store.clock import from_iso, iso, later
from soloist.engine.store.night_jobs import ASKED, LEFT, SENDING, SENT, TO_SEND, WAITS
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.errors import ModelTrouble, SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.night import local, minutes, next_at
from soloist.kernel.spend import Payer
from soloist.sdk.flow import Verbs
from soloist.stages.runtime.models import Question, nightly
from soloist.stages.runtime.models.nightly import Nightly

if TYPE_CHECKING:
    from soloist.stages.runtime.models.batches import Batches, Looked

SUBJECT = "night"
LOOK_EVERY = 60.0
FALL_BACK = 3600.0
"""Seconds before the morning at which what a batch has not answered is asked for at once."""
BATCH_LEAST = 2 * 3600.0
"""Seconds that a batch must have until the morning for it to be worth handing in."""
LOST_AFTER = 48 * 3600.0
"""Seconds after which a batch that its provider says nothing of is given up, its worst case counted as spent."""
BACKSTOP = 7 * 86400.0
"""Seconds after the morning when a parked run goes on by itself, whatever became of its job."""
Job = dict[str, Any]
_KEPT = ("instructions", "text", "schema", "least", "most", "model", "max_output", "skill", "origin", "before")
"""What of a question is kept for its batch."""
_log = logging.getLogger("soloist.night")


class Night:
    """The night lane of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given and only used; it knows its models already."""
        self._desk, self._nightly, self._hours = desk, Nightly(desk.models), desk.settings.night
        desk.takers[SUBJECT] = self.answer
        desk.models.night = self

    def take(self, settings: Settings) -> None:
        """Take over [night] as it is now; work that was put there keeps the morning it was promised for."""
        self._hours = settings.night

    # ----- what a run does

    async def kept(self, question: Question, payer: Payer, do: Verbs) -> None:
        """Come back when a question of work by morning is to be asked; any other at once."""
        if question.lane != "morning" and not payer.task:
            return
        put = await do.step(f"night.{payer.step}", partial(self._put, question, payer))
        if put["wait"]:
            await do.wait_for(put["id"], put["wait"])

    async def _put(self, question: Question, payer: Payer, _run: str) -> dict[str, Any]:
        """Write the job; {id, wait} with wait 0 when there is nothing to wait for."""
        return await self._desk.store.write(partial(self._put_in, question=question, payer=payer))

    def _put_in(self, tx: Tx, question: Question, payer: Payer) -> dict[str, Any]:
        marked = question.lane == "morning" or night_jobs.marked(tx.conn, payer.task)
        name = nightly.first(self._desk.models, question) if marked else ""
        if not name or (not question.fresh and self._nightly.recorded(tx, self._nightly.asked(question, name)[1])):
            return {"id": "", "wait": 0}
        ident, due = derived("night", f"{payer.run}|{payer.step}"), self.due(tx.now)
        state = self._place(name, tx.now, due)
        if not state:
            return {"id": "", "wait": 0}
        row = {"run": payer.run, "task": payer.task, "provider": name, "state": state, "due": due}
        asked = {
            "question": {name: getattr(self._nightly.clean(question), name) for name in _KEPT},
            "payer": asdict(payer),
        }
        night_jobs.put(tx, {"id": ident, **row, "request": asked, "response": {}})
        wait = (from_iso(due) - from_iso(tx.now)).total_seconds() + BACKSTOP
        return {"id": ident, "wait": wait}

    def due(self, now: str) -> str:
        """The next morning after an instant."""
        here = local(from_iso(now), self._desk.settings.business.zone)
        return iso(next_at(here, minutes(self._hours.ready)))

    def _place(self, name: str, now: str, due: str) -> str:
        """Where a question waits: for a batch, for its hours, or nowhere ("") when it may as well be asked now."""
        part = self._desk.models.parts[name]
        if part.batches and later(now, BATCH_LEAST) <= due:
            return TO_SEND
        return WAITS if self._opens(name, now) not in ("", now) and self._opens(name, now) < due else ""

    def _opens(self, name: str, now: str) -> str:
        """When the cheap hours of a model, else those of the house, begin next; ``now`` while they run."""
        part = self._desk.models.parts.get(name)
        hours = part.off_peak.hours if part is not None and part.off_peak is not None else self._hours.hours
        here = local(from_iso(now), self._desk.settings.business.zone)
        return now if hours.holds(here) else iso(hours.opens(here))

    # ----- what the server does beside its flows

    async def follow(self) -> None:
        """Look after the night for as long as the server runs."""
        while True:
            try:
                await self.look()
            except SoloistError as error:
                _log.warning("the night could not be looked after: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """One look: wake what is due, hand batches in, fetch what they answered."""
        jobs, now = await self._desk.store.read(night_jobs.open_), iso(self._desk.store.clock())
        for job in [job for job in jobs if not job["request"]]:
            await self._desk.store.write(partial(self._erased, job=job))
        jobs = [job for job in jobs if job["request"]]
        await self._late([job for job in jobs if job["state"] in (WAITS, TO_SEND) and now >= job["due"]])
        for job in jobs:
            if job["state"] == WAITS and now < job["due"] and (how := self._how(job, now)):
                await self._wake(job, how)
        for group in _groups(job for job in jobs if job["state"] == TO_SEND and now < job["due"]):
            await self._hand_in(group)
        for group in _groups(job for job in jobs if job["state"] in (SENDING, SENT, LEFT)):
            await self._fetch(group, now)

    def _how(self, job: Job, now: str) -> str:
        """Why a waiting job goes on now, "" while it waits: its hours run, or no more of them come before morning."""
        opens = self._opens(job["provider"], now)
        return "hours" if opens == now else "slept" if opens >= job["due"] else ""

    async def _wake(self, job: Job, how: str) -> None:
        """Let the run of a job go on."""
        await self._desk.store.write(lambda tx: _wake_in(tx, job, how))

    async def _late(self, jobs: Sequence[Job]) -> None:
        """What was promised for a morning that is over: done at once and said, or asked about; one card for all."""
        if not jobs:
            return

        def work(tx: Tx) -> None:
            ask, idents = self._hours.late == "ask", [job["id"] for job in jobs]
            card = derived("night", f"late|{'|'.join(sorted(idents))}")
            tasks.open_card(tx, card, SUBJECT, **_late_card(jobs, ask=ask), subject=card)
            if ask:
                night_jobs.change(tx, idents, ASKED, sent=card)
                return
            for job in jobs:
                _wake_in(tx, job, "late")

        await self._desk.store.write(work)

    def answer(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """What the operator says about work that was late."""
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        jobs = [job for job in night_jobs.open_(tx.conn) if job["state"] == ASKED and job["sent"] == card["id"]]
        if option == "tonight":
            night_jobs.change(tx, [job["id"] for job in jobs], WAITS, due=self.due(tx.now), sent="")
            return {"state": "waiting"}
        for job in jobs:
            _wake_in(tx, job, "late")
        return {"state": "running" if jobs else "closed"}

    # ----- batches

    async def _hand_in(self, jobs: Sequence[Job]) -> None:
        """Hold the worst case of each question back, write that they are being sent, and hand them in together."""
        name, group = jobs[0]["provider"], derived("batch", "|".join(job["id"] for job in jobs))
        try:
            endpoint = self._nightly.batches(name)
            bodies = {job["id"]: await endpoint.body(self._nightly.asked(_question(job), name)[0]) for job in jobs}
        except SoloistError as error:
            _log.warning("a batch could not be handed in: %s", error.detail)
            await self._instead(jobs)
            return
        held = []
        for job in jobs:
            if call := await self._nightly.begin(_question(job), _payer(job), name):
                held.append({**job, "response": {"call": call}})
            else:  # a cap says no: the run finds so by itself, with the card that offers the way on
                await self._wake(job, "cap")
        for job in held:
            await self._desk.store.write(partial(_sending, job=job, group=group))
        if held:
            await self._send(endpoint, group, held, {job["id"]: bodies[job["id"]] for job in held})

    async def _send(self, endpoint: Batches, group: str, jobs: Sequence[Job], bodies: Mapping[str, Any]) -> None:
        try:
            batch = await endpoint.send(group, bodies)
        except ModelTrouble as error:
            _log.warning("a batch was not taken: %s", error.detail)
            if not error.extra.get("left", True):
                await self._given_back(jobs, error.detail)
            return
        idents = [job["id"] for job in jobs]
        await self._desk.store.write(lambda tx: night_jobs.change(tx, idents, SENT, batch=batch, sent=tx.now))

    async def _given_back(self, jobs: Sequence[Job], said: str) -> None:
        """A batch that never was: nothing is owed, and its questions wait for their hours."""

        def work(tx: Tx) -> None:
            for job in jobs:
                self._nightly.free_in(tx, job["response"]["call"], said)
                night_jobs.change(tx, [job["id"]], WAITS, batch="", response={})

        await self._desk.store.write(work)

    async def _instead(self, jobs: Sequence[Job]) -> None:
        """Without a batch: in their hours."""
        idents = [job["id"] for job in jobs]
        await self._desk.store.write(lambda tx: night_jobs.change(tx, idents, WAITS))

    async def _fetch(self, jobs: Sequence[Job], now: str) -> None:
        """How a batch stands; what it does not answer in time is asked at once, and it is looked at until it ends."""
        name, batch, unsure = jobs[0]["provider"], jobs[0]["batch"], jobs[0]["state"] == SENDING
        try:
            endpoint = self._nightly.batches(name)
            if unsure:
                batch = await endpoint.found(batch)
                if not batch:
                    await self._given_back(jobs, "The batch was never handed in.")
                    return
                idents = [job["id"] for job in jobs]
                await self._desk.store.write(lambda tx: night_jobs.change(tx, idents, SENT, batch=batch, sent=tx.now))
            found = await endpoint.look(batch)
            if found.state != "runs":
                await self._answered(jobs, name, found)
                return
            if waiting := [job for job in jobs if job["state"] != LEFT and now >= later(job["due"], -FALL_BACK)]:
                await self._leave(waiting)
                await endpoint.cancel(batch)
        except SoloistError as error:
            _log.warning("a batch could not be looked at: %s", error.detail)
            await self._unsaid(jobs, now)

    async def _unsaid(self, jobs: Sequence[Job], now: str) -> None:
        """Nobody says how a batch stands: before the morning its runs go on, and after days it counts as paid."""
        await self._leave([job for job in jobs if job["state"] != LEFT and now >= later(job["due"], -FALL_BACK)])
        for job in [job for job in jobs if now >= later(job["created"], LOST_AFTER)]:
            await self._desk.store.write(partial(self._lose, job=job))

    async def _leave(self, jobs: Sequence[Job]) -> None:
        """Runs go on by an ordinary call; the batch is settled when it ends."""

        def work(tx: Tx) -> None:
            for job in jobs:
                tx.send(job["run"], job["id"], {"how": "batch too slow"})
                night_jobs.change(tx, [job["id"]], LEFT)

        if jobs:
            await self._desk.store.write(work)

    def _lose(self, tx: Tx, job: Job) -> None:
        self._nightly.lost_in(tx, job["response"]["call"])
        _wake_in(tx, job, "batch lost")

    def _erased(self, tx: Tx, job: Job) -> None:
        """A job whose words were erased: nothing is asked, and what lies with the provider counts as the worst."""
        if call := (job["response"] or {}).get("call"):
            self._nightly.lost_in(tx, call)
        _wake_in(tx, job, "erased")

    async def _answered(self, jobs: Sequence[Job], name: str, found: Looked) -> None:
        """Settle what was answered and let the runs go on; the rest of a batch costs nothing and is asked at once."""
        for job in jobs:
            row = found.came.get(job["id"])
            came = await self._nightly.came(name, _question(job), row) if row else None
            said = found.said or f"The batch ended as {found.state} without an answer."

            def work(tx: Tx, job: Job = job, came: Any = came, said: str = said) -> None:
                call = job["response"]["call"]
                if came is not None:
                    self._nightly.end_in(tx, call, came)
                else:
                    self._nightly.free_in(tx, call, said)
                good = came is not None and not came.fault
                _wake_in(tx, job, "batch" if good else "batch failed")

            await self._desk.store.write(work)


def _wake_in(tx: Tx, job: Mapping[str, Any], how: str) -> None:
    """The job is over; its run goes on, unless it did before."""
    if job["state"] != LEFT:
        tx.send(job["run"], job["id"], {"how": how})
    night_jobs.over(tx, job["id"], {**(job["response"] or {}), "how": how})


def _sending(tx: Tx, job: Job, group: str) -> None:
    """Before anything is sent: a restart looks for the batch by this name."""
    night_jobs.change(tx, [job["id"]], SENDING, batch=group, response=job["response"])


def _groups(jobs: Any) -> list[list[Job]]:
    """Jobs of the same model and batch together."""
    found: dict[tuple[str, str, bool], list[Job]] = {}
    for job in jobs:
        found.setdefault((job["provider"], job["batch"], job["state"] == SENDING), []).append(job)
    return list(found.values())


def _question(job: Mapping[str, Any]) -> Question:
    return Question(**job["request"]["question"])


def _payer(job: Mapping[str, Any]) -> Payer:
    given = job["request"]["payer"]
    return Payer(**{**given, "parents": tuple(given["parents"])})


def _late_card(jobs: Sequence[Job], *, ask: bool) -> dict[str, Any]:
    """One card for all that was promised for a morning that is over."""
    many, due = len(jobs), min(job["due"] for job in jobs)
    what = "1 piece of work" if many == 1 else f"{many} pieces of work"
    who = sorted({job["request"]["payer"]["agent"] or job["request"]["payer"]["flow"] for job in jobs} - {""})
    now = {"name": "now", "label": "Do it now", "consequence": "It is done at once, at the price by day."}
    tonight = {"name": "tonight", "label": "Next night", "consequence": "It is ready the morning after."}
    fine = {"name": "fine", "label": "Fine", "consequence": "Nothing changes; it is being done."}
    done = "Nothing was asked yet." if ask else "It is being done now."
    return {
        "title": f"Late: {what} for the morning of {due[:10]}",
        "subject_kind": SUBJECT,
        "why": f"Soloist did not run in the hours that such work is done in. {done}",
        "detail": {"work": many, "for": ", ".join(who), "due": due},
        "options": [now, tonight] if ask else [fine],
        "estimate": 15,
        "judgement": 0,
        "at_expiry": "Nothing changes.",
    }
