"""Reconciling: each night, after a restart with doubts and on demand, what is outside is compared with what is here.

Nothing is mended by itself, with one exception: an effect nobody was sure of whose key the list shows has happened.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from soloist.engine.registry import ReadingHalf
from soloist.engine.store import mismatches
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.tx import Tx
from soloist.flows import marking
from soloist.flows.after_cut import Summary, everything_since, listable
from soloist.flows.comparing import Found, Rules, compare
from soloist.flows.desk import Desk
from soloist.flows.proving import proven
from soloist.kernel.errors import NotFound, SoloistError
from soloist.kernel.mismatch import UNCERTAIN
from soloist.sdk import Thing, Trouble
from soloist.sdk.flow import Flow, Verbs

__all__ = ["Reconciling", "Summary", "everything_since", "reconcile"]

WINDOW = timedelta(days=30)
"""How far back the two sides are compared."""
MARGIN = timedelta(days=1)
"""How much more of the outside is listed, so that nothing is missing at the border."""
MOST = 20_000
"""Things taken from one list; of a longer one nothing is concluded from what it does not show."""
WITHIN = 600.0
"""Seconds one list may take."""
LEAST_LAG = 2.0
HOUR = 3
"""Local hour after which the nightly comparison of a day is due."""
LOOK_EVERY = 30.0
TRIES = 6
PAUSES: Mapping[str, float] = {"rate_limited": 60.0, "unavailable": 120.0}
"""Seconds before a list that could not be had is asked for again; other faults wait for the operator or the night."""
LONGEST = 900.0
LAST = "reconcile.day"


def reconcile(desk: Desk) -> Flow:
    """One connection, operation by operation; each is compared and kept in a step of its own."""
    own = Reconciling(desk)

    async def body(do: Verbs, connector: str) -> None:
        plan = await do.step("plan", own.plan, connector)
        for operation in plan["operations"]:
            for _ in range(TRIES):
                found = await do.step(f"compare {operation}", own.step, connector, operation)
                if not found["again"]:
                    break
                await do.sleep(found["again"])

    return Flow("reconcile", body, parks=True)


@dataclass(frozen=True)
class Listing:
    """What a list showed: ``whole`` when it came to its end, ``trouble`` when it could not be had."""

    things: Sequence[Thing]
    seen: datetime
    whole: bool = True
    trouble: str = ""
    again: float = 0.0


class Reconciling:
    """Compares the connections of one desk."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    # ----- when

    async def follow(self) -> None:
        """Look at the clock for as long as the server runs; what a restart left in doubt is looked at first."""
        log = logging.getLogger("soloist.reconcile")
        first = True
        while True:
            try:
                if first:
                    await self._after_restart()
                    first = False
                await self.ask_due()
            except SoloistError as error:
                log.warning("comparing has to wait: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def ask_due(self) -> int:
        """Ask for the comparison of the day once the night's hour has come; the day a home is made has none."""
        now, zone = self._desk.store.clock(), self._desk.settings.business.zone
        local = now.astimezone(zone)
        day = f"{local:%Y-%m-%d}"
        last = await self._desk.store.read(lambda conn: switches.value(conn, LAST))
        if last and (last >= day or local.hour < HOUR):
            return 0

        def work(tx: Tx) -> int:
            switches.put(tx, LAST, day)
            names = [name for name in self.comparable() if last and self._worked(tx, name)]
            return sum(tx.start(f"reconcile:{name}:{day}", "reconcile", name, subject=name) for name in names)

        return await self._desk.store.write(work)

    def _worked(self, tx: Tx, connector: str) -> bool:
        """Whether anything was ever done by a connection; of one that only reads there is nothing to compare."""
        half = self._desk.connections[connector]
        return any(mismatches.first_done(tx.conn, connector, operation) for operation in listable(half))

    async def _after_restart(self) -> None:
        """Connections with effects of unknown outcome are compared at once."""
        open_ones = await self._desk.store.read(lambda c: mismatches.open_effects(c, sorted(UNCERTAIN)))
        for name in sorted({row["connector"] for row in open_ones} & set(self.comparable())):
            await self.ask(name)

    async def ask(self, connector: str, who: str = "soloist") -> str:
        """Compare a connection now; the id of the run (NotFound when there is no list of it)."""
        self._half(connector)

        def work(tx: Tx) -> str:
            run = f"reconcile:{connector}:{tx.now}"
            if tx.start(run, "reconcile", connector, subject=connector):
                tx.append("reconcile.asked", subject=connector, payload={}, actor=who, run=run)
            return run

        return await self._desk.store.write(work)

    def comparable(self) -> list[str]:
        """The connections of which something can be listed."""
        return sorted(name for name, half in self._desk.connections.items() if listable(half))

    def _half(self, connector: str) -> ReadingHalf:
        half = self._desk.connections.get(connector)
        if half is None or not listable(half):
            known = ", ".join(self.comparable()) or "none"
            raise NotFound(f"There is nothing to compare at {connector!r}. Known: {known}.", field="connector")
        return half

    # ----- the comparison

    async def plan(self, run: str, connector: str) -> dict[str, Any]:
        """The operations of a connection that can be listed: {operations}."""
        half = self._desk.connections.get(connector)
        return {"operations": listable(half) if half else []}

    async def step(self, run: str, connector: str, operation: str) -> dict[str, Any]:
        """List, compare and keep one operation: {again, trouble, mismatches, proven, settling}."""
        half = self._desk.connections.get(connector)
        if half is None or operation not in listable(half):
            return {"again": 0.0, "trouble": "It is no longer configured."}
        listing = await self._list(half, operation)
        return await self._desk.store.write(lambda tx: self._keep(tx, half, operation, listing, run))

    async def now(self, connector: str = "") -> list[dict[str, Any]]:
        """Compare at once, without a run, for the command line: one answer for each operation."""
        names = [self._half(connector).name] if connector else self.comparable()
        pairs = [(name, operation) for name in names for operation in listable(self._desk.connections[name])]
        found = [(name, operation, await self.step("", name, operation)) for name, operation in pairs]
        return [{"connector": name, "operation": operation, **answer} for name, operation, answer in found]

    async def _list(self, half: ReadingHalf, operation: str) -> Listing:
        """Everything the outside shows since the window began; a fault is a trouble, never "nothing there"."""
        seen = self._desk.store.clock()
        things: list[Thing] = []
        try:
            async with asyncio.timeout(WITHIN):
                async for thing in half.inventory(operation, seen - WINDOW - MARGIN):
                    things.append(thing)
                    if len(things) >= MOST:
                        return Listing(things, seen, whole=False)
        except Trouble as fault:
            again = min(fault.retry_after or PAUSES.get(fault.fault, 0.0), LONGEST)
            return Listing((), seen, trouble=fault.reason, again=again if fault.fault in PAUSES else 0.0)
        except TimeoutError:
            return Listing((), seen, trouble=f"The list had not ended after {WITHIN:.0f} seconds.")
        except Exception as error:  # noqa: BLE001  # an adapter is someone else's code: its fault is a trouble, not an end
            return Listing((), seen, trouble=f"The list could not be read ({type(error).__name__}: {error}).")
        return Listing(things, seen)

    def _keep(self, tx: Tx, half: ReadingHalf, operation: str, listing: Listing, run: str) -> dict[str, Any]:
        """Compare with what is here now, and write down what differs."""
        if listing.trouble:
            self._note(tx, half.name, operation, trouble=listing.trouble, at=iso(listing.seen))
            tx.append("reconcile.failed", subject=half.name, payload={"why": listing.trouble[:500]}, run=run)
            return {"again": listing.again, "trouble": listing.trouble[:300]}
        since = listing.seen - WINDOW
        ours = mismatches.inside(tx.conn, half.name, operation, iso(since))
        found = compare(ours, listing.things, operation, self._rules(tx, half, operation, listing))
        if doubt := improbable(ours, found):
            self._note(tx, half.name, operation, trouble=doubt, at=iso(listing.seen))
            tx.append("reconcile.failed", subject=half.name, payload={"why": doubt}, run=run)
            return {"again": 0.0, "trouble": doubt}
        for row, thing in found.proven:
            proven(tx, row["id"], row["provider_ref"] or thing.ref, f"the list of {half.name} shows it: {thing.ref}")
        told = marking.mark(tx, half.name, operation, found, ours=ours, whole=listing.whole, since=iso(since))
        figures = {
            "listed": len(listing.things),
            "matched": found.matched,
            "settling": found.settling,
            "own_hand": found.own_hand,
            "taken_away": found.taken_away,
            "before": found.before,
            "proven": len(found.proven),
            "mismatches": len(found.drifts),
            "whole": listing.whole,
        }
        self._note(tx, half.name, operation, trouble="", at=iso(listing.seen), **figures)
        payload = {"operation": operation, **figures, **told}
        tx.append("reconcile.done", subject=half.name, payload=payload, run=run)
        return {"again": 0.0, "trouble": "", **figures, **told}

    def _rules(self, tx: Tx, half: ReadingHalf, operation: str, listing: Listing) -> Rules:
        lag = max(half.operations()[operation].lookup_lag, LEAST_LAG)
        can, first = half.manifest.capabilities, mismatches.first_done(tx.conn, half.name, operation)
        return Rules(
            seen=listing.seen,
            since=listing.seen - WINDOW,
            lag=lag,
            whole=listing.whole,
            own_hand="mail" in can,
            taken_away="spool" in can,
            born=from_iso(first) if first else listing.seen,
            known_keys=frozenset(mismatches.known_keys(tx.conn, (thing.key for thing in listing.things))),
            known_refs=frozenset(mismatches.known_refs(tx.conn, half.name, (t.ref for t in listing.things))),
        )

    @staticmethod
    def _note(tx: Tx, connector: str, operation: str, **figures: Any) -> None:
        """How the last comparison of an operation went; after a fault the figures of the last good one stay."""
        kept = compared(tx.conn, connector)
        before = kept.get(operation, {})
        good = figures["at"] if not figures["trouble"] else before.get("good", "")
        kept[operation] = {**before, **figures, "good": good}
        switches.put(tx, f"reconcile.{connector}", json.dumps(kept, sort_keys=True))


def compared(conn: Any, connector: str) -> dict[str, dict[str, Any]]:
    """How the last comparisons of a connection went, by operation."""
    found: dict[str, dict[str, Any]] = json.loads(switches.value(conn, f"reconcile.{connector}") or "{}")
    return found


def improbable(ours: Sequence[Mapping[str, Any]], found: Found) -> str:
    """Why nothing is concluded: nearly all that was done is missing at once, which is rather another list; else ""."""
    missing = sum(drift.kind == "missing_outside" for drift in found.drifts)
    if missing < 20 or missing * 10 < 9 * (missing + found.matched):
        return ""
    return (
        f"The list shows {found.matched} of {missing + found.matched} things that were done. That looks like another "
        "account, or a list that leaves out older things; nothing was concluded from it."
    )
