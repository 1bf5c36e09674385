"""The walk: several processes, a provider that fails in every way, deaths, an operator; all on the real steps.

No thread and no event loop: a call is a coroutine that stands still inside the provider until the walk goes on with
it, so every order of things can be tried, and a death is a coroutine that is dropped.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from soloist.engine.store import effects, tables, workers
from soloist.engine.store.store import Store
from soloist.engine.store.writer import Unit
from soloist.flows.late import turn
from soloist.kernel.lives import EFFECT
from soloist.sdk import Done, Plan, Receipt, Refused, Unknown
from soloist.stages.effects import Effects
from soloist.stages.effects.steps import Effects as Stage
from tests.stages.effects.rig import LAG, WINDOW, FakeDoor, Rig

HOW = ("done", "done", "refused", "auth", "later", "away", "unknown_before", "unknown_after")
TIMES = (0.4, LAG, LAG, 60.0, 400.0, WINDOW * 0.7, WINDOW * 1.1)
WORDS = ("happened", "did_not_happen", "send_again")
CLASSES = ("A", "B", "B'", "C")
WHAT = (
    *["step"] * 12,
    *["time"] * 4,
    *["answer comes"] * 3,
    *["dies"] * 2,
    *["word"] * 2,
    *["stop", "sign in", "sign in", "undo", "undo", "edited", "late"],
)
"""What can happen, each as often as it is likely."""
MOST = 4
"""Proposals in one walk."""
LIVE = ("intended", "refused", "unknown", "reconciling", "attempting")
HAPPENED = ("succeeded", "compensating", "compensated", "compensation_failed")


class Here(Store):
    """The same transactions in the caller's thread."""

    writes = 0

    def write_now(self, work: Any, *, full: bool = True) -> Any:
        self.writes += 1
        unit: Unit[Any] = Unit(work, full, Future())
        self.writer._commit([unit])
        return unit.answer.result()

    async def write(self, work: Any, *, full: bool = True) -> Any:
        return self.write_now(work, full=full)

    async def read(self, query: Any) -> Any:
        return self.read_now(query)


class Pause:
    """Stands still until the walk says how it goes on."""

    def __await__(self) -> Generator[str, str, str]:
        return (yield "calling")


class Door(FakeDoor):
    """Every call stands still inside the provider; what reaches it must have its row first."""

    store: Store
    unseen: ClassVar[list[str]] = []

    async def execute(self, connector: str, plan: Plan, *, urgent: bool = False) -> Any:
        self.check(plan)
        how = await Pause()
        self.world.calls[plan.key] += 1
        if how in ("done", "unknown_after"):
            self.world.do(plan)
        if how.startswith("unknown"):
            return Unknown("the line broke")
        if how in ("later", "away"):
            return Refused("too many requests", retry_after=5.0, limited=how == "later")
        return Refused("no", auth=how == "auth") if how in ("refused", "auth") else Done(Receipt(f"ref-{plan.key}"))

    def check(self, plan: Plan) -> None:
        """A call without a committed row, past the stop button, or with other bytes than were approved."""
        undo = plan.operation.name.endswith(".undo")

        def look(conn: Any) -> list[Any]:
            table = tables.effects
            query = sa.select(table).where(table.c.state == "attempting")
            rows = [row for row in conn.execute(query).mappings() if bool(row["undoes"]) == undo]
            keys = {effects.get(conn, row["undoes"])["key"] if undo else row["key"] for row in rows}
            return [plan.key in keys, self.halt.pressed(conn)]

        seen, stopped = self.store.read_now(look)
        if not seen:
            self.unseen.append(f"no row says that {plan.key} is being called")
        if stopped:
            self.unseen.append(f"{plan.key} left although the stop button was pressed")


class Walkers(Rig):
    """Several processes on one store."""

    store_type = Here
    door_type = Door

    def _new_stage(self) -> Effects:
        made = super()._new_stage()
        made._door.store = self.store  # type: ignore[attr-defined]  # the door of the walk
        return made


@dataclass
class Call:
    """A call that stands still inside the provider."""

    worker: int
    effect: str
    go_on: Any
    late: bool = False
    """Whether its process was taken for dead meanwhile."""


class Lives(RuleBasedStateMachine):
    """Everything that can happen to effects, in any order."""

    empty: Path
    stage: ClassVar[type[Effects]] = Stage
    walks: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        Walkers.stage_type = self.stage
        self.rig = Walkers(Path(self.folder.name), self.empty)
        self.workers = [self.rig.stage, self.rig._new_stage()]
        self.calls: list[Call] = []
        self.words: Counter[str] = Counter()
        self.versions: dict[str, int] = {}
        self.bytes: dict[str, str] = {}
        self.tampered: dict[str, int] = {}
        self.turned: set[str] = set()
        self.rows: list[dict[str, Any]] = []
        self.seen = -1
        Door.unseen.clear()
        self.walks["sequences"] += 1

    # ----- helpers

    def run(self, work: Any) -> Any:
        """A step that calls nobody outside, to its end."""
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("it called the outside")

    def write(self, work: Callable[[Any], Any]) -> Any:
        return self.rig.store.write_now(work)

    def some(self, pick: int, *states: str) -> dict[str, Any] | None:
        found = [row for row in self.rows if not states or row["state"] in states]
        return found[pick % len(found)] if found else None

    # ----- what happens

    @initialize(classes=st.lists(st.sampled_from(CLASSES), min_size=1, max_size=MOST))
    def begins(self, classes: list[str]) -> None:
        for number, class_ in enumerate(classes):
            self.approve(class_, hold=30.0 if number == 3 else 0.0)
        self.look_at_all()

    @rule(
        what=st.sampled_from(WHAT),
        pick=st.integers(0, 7),
        worker=st.integers(0, 1),
        how=st.sampled_from(HOW),
        other=st.booleans(),
        more=st.tuples(st.sampled_from(TIMES), st.sampled_from(WORDS)),
    )
    def happens(self, what: str, pick: int, worker: int, how: str, *, other: bool, more: tuple[float, str]) -> None:
        """One thing; how likely each is, stands in WHAT."""
        if what == "step":
            self.step(pick, worker, how, other)
        elif what == "answer comes" and self.calls:
            self.answer_comes(pick, how)
        elif what == "time":
            self.time_passes(more[0])
        elif what == "dies":
            self.dies(worker, other, how == "done")
        elif what == "word":
            self.answer(pick, more[1])
        elif what == "stop":
            self.stop_button(how == "auth")
        elif what == "sign in":
            self.sign_in(other)
        elif what in ("undo", "edited", "late"):
            {"undo": self.undo, "edited": self.edited, "late": self.late_news}[what](pick)

    def approve(self, class_: str, hold: float) -> None:
        proposal = self.rig.approved(class_, hold=hold)
        self.run(self.workers[0].intend(f"proposal:{proposal}", proposal))
        self.run(self.workers[1].intend(f"proposal:{proposal}", proposal))

    def step(self, pick: int, worker: int, how: str, wait: bool) -> None:
        """One turn of an effect's run; a call ends at once, or stands still."""
        row = self.some(pick, *LIVE)
        if row is None:
            return
        ident, stage = row["id"], self.workers[worker]
        move = self.run(stage.look("run", ident))
        self.walks["steps"] += 1
        if move["do"] == "look_up":
            self.rig.world.next = "unknown_look" if how.startswith("unknown") else "done"
            self.run(stage.look_up("run", ident))
        elif move["do"] == "ask":
            self.run(stage.ask("run", ident, move["why"]))
        elif move["do"] == "attempt":
            self.begin(worker, ident)
            if self.calls and self.calls[-1].effect == ident and not wait:
                self.end(self.calls.pop(), how)

    def begin(self, worker: int, ident: str) -> None:
        """An attempt up to the provider."""
        going = self.workers[worker].attempt("run", ident)
        try:
            going.send(None)
        except StopIteration:
            return
        self.calls.append(Call(worker, ident, going))
        self.walks["calls"] += 1

    def end(self, call: Call, how: str) -> None:
        """The provider answers; one that was taken for dead did or did not do it before."""
        if call.late:
            how = "refused"
        try:
            call.go_on.send(how)
        except StopIteration:
            return
        raise AssertionError("a second call in one attempt")

    def answer_comes(self, pick: int, how: str) -> None:
        self.end(self.calls.pop(pick % len(self.calls)), how)

    def dies(self, worker: int, did: bool, comes_back: bool) -> None:
        """A process ends, or is taken for dead and comes back; its open calls did or did not reach the provider."""
        boot = self.workers[worker]._boot
        for call in [call for call in self.calls if call.worker == worker and not call.late]:
            if did:
                self.reach(call.effect)
            if comes_back:
                call.late = True
            else:
                self.calls.remove(call)
                call.go_on.close()
        self.workers[worker] = self.rig._new_stage()
        self.write(lambda tx: workers.end(tx, boot))
        self.run(self.workers[1 - worker].sweep())
        self.walks["deaths"] += 1

    def reach(self, ident: str) -> None:
        """A call whose process is gone was carried out."""
        plan = self.rig.store.read_now(lambda conn: self.workers[0]._plan(conn, ident))
        self.rig.world.do(plan)

    def time_passes(self, seconds: float) -> None:
        self.rig.clock.add(seconds)

    def stop_button(self, on: bool) -> None:
        self.run(self.workers[0].stop(on, who="operator"))

    def sign_in(self, again: bool) -> None:
        self.write(lambda tx: self.workers[0].sign_in_in(tx, "fake", again=again, who="operator"))

    def undo(self, pick: int) -> None:
        row = self.some(pick, "intended", "succeeded", "compensation_failed")
        if row and not row["undoes"] and not (row["state"] == "intended" and row["attempts"]):
            self.write(lambda tx: self.workers[0].undo_in(tx, row["id"], who="operator"))

    def answer(self, pick: int, word: str) -> None:
        if row := self.some(pick, "needs_human"):
            self.words[row["id"]] += 1
            self.run(self.workers[0].resolve(row["id"], word, row["payload_hash"], who="operator"))

    def edited(self, pick: int) -> None:
        """Somebody changes the content after it was approved."""
        row = self.some(pick, "intended", "refused", "unknown")
        if row is None or row["undoes"] or row["id"] in self.tampered:
            return
        other = {"to": ["victor@quick-offers.example"], "n": 0}
        table = tables.proposals
        self.write(
            lambda tx: tx.run(table.update().where(table.c.id == row["proposal"]).values(payload=other)) and None
        )
        self.tampered[row["id"]] = self.rig.world.done[row["key"]]

    def late_news(self, pick: int) -> None:
        row = self.some(pick, "succeeded", "resolved_done")
        if row and not row["undoes"]:
            self.turned.add(row["id"])
            self.write(lambda tx: turn(tx, effects.get(tx.conn, row["id"]), "It came back.", {"at": tx.now}))

    # ----- what must always hold

    @invariant()
    def everything_holds(self) -> None:
        self.look_at_all()

    def look_at_all(self) -> None:
        """Read once, check all; only when something was written."""
        if self.rig.store.writes == self.seen:  # type: ignore[attr-defined]  # the store of the walk
            return
        self.seen = self.rig.store.writes  # type: ignore[attr-defined]  # the same
        self.rows, attempts, cards = self.rig.store.read_now(_all)
        world = self.rig.world
        assert not Door.unseen, Door.unseen
        for row in self.rows:
            tried = [a for a in attempts if a["effect"] == row["id"]]
            self.only_declared_moves(row)
            assert row["attempts"] == len(tried), row
            if row["id"] in self.tampered and row["class"] == "A":
                assert not any("victor" in text for text in world.payloads.get(row["key"], ())), row
            assert (row["state"] == "needs_human") == (row["id"] in cards), row
            if row["undoes"]:
                continue
            self.not_twice(row, tried)
            self.claims_match(row)

    def only_declared_moves(self, row: dict[str, Any]) -> None:
        path = ["intended", *(note["state"] for note in row["evidence"])]
        for old, new in zip(path, path[1:], strict=False):
            assert old == new or new in EFFECT.moves[old], (row["id"], path)
        assert row["version"] >= self.versions.get(row["id"], 0), row
        self.versions[row["id"]] = row["version"]

    def not_twice(self, row: dict[str, Any], tried: list[dict[str, Any]]) -> None:
        """At most once without a person's word; B' and C are not even tried twice after a doubt."""
        done, words = self.rig.world.done[row["key"]], self.words[row["id"]]
        assert done <= 1 + words, row
        if row["class"] in ("B'", "C"):
            doubtful = [a for a in tried if a["outcome"] not in ("refused", "slowed", "sign-in")]
            assert len(doubtful) <= 1 + words, row
        if row["id"] in self.tampered:
            open_then = any(call.effect == row["id"] for call in self.calls)
            assert open_then or done <= self.tampered[row["id"]] + (row["attempts"] > 0), row

    def claims_match(self, row: dict[str, Any]) -> None:
        """What is said to have happened has, and the other way round, unless a person or late news said it."""
        if self.words[row["id"]] or row["id"] in self.turned:
            return
        happened = self.rig.world.done[row["key"]] > 0
        if row["state"] in HAPPENED:
            assert happened, row
        if row["state"] in ("failed", "resolved_not_done"):
            assert not happened, row

    def teardown(self) -> None:
        for call in self.calls:
            call.go_on.close()
        self.rig.close()
        self.folder.cleanup()


_EFFECTS = sa.select(tables.effects).order_by(tables.effects.c.ordinal)
_ATTEMPTS = sa.select(tables.effect_attempts)
_DOUBTS = sa.select(tables.tasks.c.subject).where(
    (tables.tasks.c.state == "open") & (tables.tasks.c.type == "unknown_outcome")
)


def _all(conn: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], set[str]]:
    """Effects in their order, attempts, and what the open cards of doubts are about."""
    rows = [dict(row) for row in conn.execute(_EFFECTS).mappings()]
    attempts = [dict(row) for row in conn.execute(_ATTEMPTS).mappings()]
    return rows, attempts, set(conn.execute(_DOUBTS).scalars())
