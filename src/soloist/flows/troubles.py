"""Troubles: a fault becomes one failure with the exact inputs, the trace and what can be done; never silence."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from soloist.engine.store import effects, failures, runs, tasks
from soloist.engine.store.clock import from_iso, later
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.flows import failing
from soloist.kernel.errors import Conflict, NotFound, SoloistError
from soloist.kernel.ids import derived

LOOK_EVERY = 5.0
"""Seconds between two looks for what is to be tried again."""
DEAD_EVERY = 12
"""Looks between two searches for runs that the engine has given up."""
TRACE = 6000
NAMES = {"intake": "Taking in a message", "reply": "Drafting a reply", "sent": "Filing a sent mail"}
"""Flows as the operator knows them; another one is called by its name."""

DeadLetters = Callable[[], Awaitable[Sequence[tuple[str, str]]]]
"""Runs that the engine has given up and that have not ended for us: (run, why)."""


class Troubles:
    """Hears of the end of every run."""

    def __init__(self, store: Store) -> None:
        """The store is given."""
        self._store = store

    async def finished(self, run: str, error: Exception | None) -> None:
        """Mark a run done, or failed with its place on the board."""
        if error is None:
            await self._store.write(lambda tx: self._done(tx, run), full=False)
        else:
            trace = "".join(traceback.format_exception(error))[-TRACE:]
            await self._store.write(lambda tx: self._failed(tx, run, error, trace))

    def _done(self, tx: Tx, run: str) -> None:
        """It worked; a failure that this try mends is over."""
        runs.move(tx, run, "done")
        if failing.AGAIN in run:
            worked(tx, run)

    def _failed(self, tx: Tx, run: str, error: Exception, trace: str) -> None:
        """The run has failed; the same fault before has its row already."""
        said = failing.said(error)
        runs.move(tx, run, "failed", error=f"{said}\n\n{trace}")
        try:
            row = runs.get(tx.conn, run)
        except NotFound:
            row = {"flow": run, "input": "", "subject": ""}
        tx.append("run.failed", subject=run, payload={"flow": row["flow"], "why": said[:500]}, run=run)
        ident = derived("failure", row["flow"], failing.signature(error))
        name = NAMES.get(row["flow"], row["flow"].capitalize())
        fault = {
            "kind": "run",
            "title": f"{name} did not finish",
            "why": said,
            "where": row["flow"],
            "input": row["input"],
            "trace": trace,
            "done": "",
        }
        case = {"run": run, "origin": failing.origin(run), "at": tx.now, "input": row["input"], "next": ""}
        follow(tx, failures.note(tx, ident, fault, case), run)


def follow(tx: Tx, failure: Mapping[str, Any], run: str) -> None:
    """Decide what follows from the newest case: another try, a word to the operator, or all of them set aside."""
    cases = [dict(case) for case in failure["runs"]]
    do, wait = failing.decide(cases, run, from_iso(tx.now))
    if do == "retry":
        cases[-1]["next"] = later(tx.now, wait)
        done = f"It is tried again at {cases[-1]['next'][11:16]} UTC without you."
    elif do == "tell":
        done = f"It was tried {len(failing.TRIES) + 1} times. It is not tried again by itself."
    else:
        for case in cases:
            case["next"] = ""
        done = f"It failed {failure['times']} times. It is set aside and not tried again by itself."
        failures.move(tx, failure["id"], "quarantined", "the same fault again and again")
        if _nothing_works(tx, failure, cases):
            failures.hold(tx, failure["where"], True, actor="soloist")
            done += f" Nothing else of {failure['where']} worked meanwhile, so new ones wait."
    failures.keep(tx, failure["id"], cases)
    _card(tx, failure, cases, done, tell=do != "retry")


def _nothing_works(tx: Tx, failure: Mapping[str, Any], cases: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no run of the same flow ended well since the first of the cases."""
    return failure["kind"] == "run" and not runs.any_done_since(tx.conn, failure["where"], cases[0]["at"])


def _card(tx: Tx, failure: Mapping[str, Any], cases: Sequence[Any], done: str, *, tell: bool) -> None:
    """The one card of a failure: on the board, and in the inbox once a person is needed."""
    held = failure["where"] in failures.held(tx.conn)
    aside = failures.get(tx.conn, failure["id"])["state"] == "quarantined"
    choices = failing.options(failure["title"], len(cases), quarantined=aside, held=held, flow=failure["where"])
    times = "" if failure["times"] == 1 else f" It happened {failure['times']} times."
    values = {
        "waits_for": "operator" if tell else "board",
        "why": f"{failure['why']} {done}{times} The exact input and the trace are on the board of failures.",
        "detail": {"input": failure["input"], "error": failure["why"], "done": done, "times": failure["times"]},
        "options": choices,
        "judgement": 2 if aside else 1,
        "run": cases[-1]["run"],
    }
    failures.told(tx, failure["id"], done, choices)
    if card := tasks.open_for(tx.conn, failure["id"]):
        tasks.reopen(tx, card["id"], **values)
        return
    tasks.open_card(
        tx,
        derived("failed", failure["id"], failure["times"]),
        "failure",
        failure["title"],
        subject=failure["id"],
        subject_kind="failure",
        estimate=60,
        deadline=later(tx.now, 30 * 86400),
        at_expiry="Nothing more is done; the inputs are kept.",
        **values,
    )


def worked(tx: Tx, run: str) -> None:
    """A try went well: its case is over, and with the last one the failure."""
    first = failing.origin(run)
    for row in failures.listed(tx.conn, ["open", "quarantined"]):
        left = [case for case in row["runs"] or [] if case["origin"] != first]
        if len(left) == len(row["runs"] or []):
            continue
        failures.keep(tx, row["id"], left)
        if not left:
            close(tx, row["id"], "It worked when it was tried again.", state="withdrawn", who="soloist")


def close(tx: Tx, ident: str, why: str, *, state: str, who: str) -> None:
    """A failure is over, and so is its card."""
    failures.move(tx, ident, "closed", why, actor=who)
    if card := tasks.open_for(tx.conn, ident):
        tasks.close(tx, card["id"], state, {"option": "", "reason": why}, actor=who)


def run_again(tx: Tx, run: str) -> str:
    """A new run with the input of one that failed, which does nothing twice that a try before it committed; its id.

    One try at a time: a try that is under way, or has worked, is answered instead (Conflict: see ``runs.committed``).
    """
    runs.listening(tx.conn, failing.origin(run))  # whoever sends it a word waits for the new try, or is before it
    tries = runs.tries(tx.conn, failing.origin(run)) or [runs.get(tx.conn, run)]
    first, newest = tries[0], tries[-1]
    if newest["state"] != "failed":
        return str(newest["id"])
    again = f"{first['id']}{failing.AGAIN}{len(tries)}"
    kept = runs.committed(tx.conn, [one["id"] for one in tries])
    if tx.start(again, first["flow"], first["input"], subject=first["subject"], parent=first["parent"]):
        runs.carry_over(tx, kept, again)
        if first["flow"] == "effect":
            effects.hand_over(tx, first["input"], again)
    return again


def take(tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
    """Carry out what the operator chose on the card of a failure."""
    row = failures.get(tx.conn, card["subject"])
    if option in ("hold", "release"):
        failures.hold(tx, row["where"], option == "hold", actor=who)
        _card(tx, row, row["runs"], row["done"], tell=True)
        return {"state": "held" if option == "hold" else "goes on"}
    if option == "leave":
        close(tx, row["id"], "You left it.", state="done", who=who)
        return {"state": "closed"}
    failures.hold(tx, row["where"], False, actor=who)
    newest = {case["origin"]: case["run"] for case in row["runs"]}
    for first, run in newest.items():
        run_again(tx, run)
        _tried(tx, row["id"], first)
    tasks.close(tx, card["id"], "done", {"option": option, "cases": len(newest)}, actor=who)
    if row["state"] == "quarantined":
        failures.move(tx, row["id"], "open", "you asked for another try", actor=who)
    return {"state": "running again"}


def _tried(tx: Tx, ident: str, first: str) -> None:
    """Only the newest case of a chain stays, so that a person's try is counted anew."""
    row = failures.get(tx.conn, ident)
    kept = {case["origin"]: {**case, "next": "", "at": "1970-01-01T00:00:00.000000+00:00"} for case in row["runs"]}
    others = [case for case in row["runs"] if case["origin"] != first]
    failures.keep(tx, ident, [*others, kept[first]])


class Supervisor:
    """Tries again what is due, and finds what the engine has given up, for as long as the server runs."""

    def __init__(self, store: Store, dead: DeadLetters) -> None:
        """``dead`` looks into the engine's own tables."""
        self._store, self._dead = store, dead
        self._finished = Troubles(store).finished

    async def follow(self) -> None:
        """Look for as long as the process lives; trouble with the database is told and does not end it."""
        look = 0
        while True:
            try:
                await self.once(dead=look % DEAD_EVERY == 0)
            except SoloistError as error:
                logging.getLogger("soloist.supervisor").warning("could not look after failures: %s", error)
            look += 1
            await asyncio.sleep(LOOK_EVERY)

    async def once(self, *, dead: bool = True) -> None:
        """One look."""
        due = await self._store.read(self._due)
        if due:
            await self._store.write(self._retry)
        for run, why in await self._dead() if dead else ():
            await self._finished(run, SoloistError(why))

    def _due(self, conn: Any) -> bool:
        now = self._store.clock().isoformat()
        return any(
            case["next"] and from_iso(case["next"]) <= from_iso(now)
            for row in failures.listed(conn, ["open"])
            for case in row["runs"] or []
        )

    @staticmethod
    def _retry(tx: Tx) -> None:
        """Begin what is due."""
        for row in failures.listed(tx.conn, ["open"]):
            cases = [dict(case) for case in row["runs"] or []]
            due = [case for case in cases if case["next"] and case["next"] <= tx.now]
            for case in due:
                case["next"] = ""
                try:
                    run_again(tx, case["run"])
                except Conflict as error:
                    _card(tx, row, cases, error.detail, tell=True)
            if due:
                failures.keep(tx, row["id"], cases)
