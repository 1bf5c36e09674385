"""A fake outside for effects: providers of class A, B and C, a door to them, a clock, and a process that can die."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from soloist.engine.rate import Breakers
from soloist.engine.stopping import Halt
from soloist.engine.store import base, effects, migrate, proposals, workers
from soloist.engine.store.store import Store
from soloist.kernel.hashing import json_hash, keyed, payload_hash
from soloist.kernel.proposal import SEAL, sealed_text
from soloist.sdk import Absent, CannotTell, Done, Found, Operation, Plan, Receipt, Refused, Unknown
from soloist.stages.effects import Effects

KEY = b"k" * 32
WINDOW, LAG = 3600.0, 2.0


class Died(BaseException):
    """The process ended here."""


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def add(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """What really happened outside. A forgets a key after its window; B shows a write only after its lag."""

    clock: Clock
    done: Counter[str] = field(default_factory=Counter)
    first: dict[str, datetime] = field(default_factory=dict)
    payloads: dict[str, set[str]] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    next: str = "done"

    def knows(self, plan: Plan) -> bool:
        """Whether a provider of class A still holds this key."""
        seen = self.first.get(plan.key)
        return plan.operation.effect_class == "A" and seen is not None and self.age(seen) < WINDOW

    def age(self, moment: datetime) -> float:
        return (self.clock() - moment).total_seconds()

    def do(self, plan: Plan) -> None:
        if plan.operation.name.endswith(".undo"):
            self.removed.add(plan.key)
        elif not self.knows(plan):
            self.done[plan.key] += 1
            self.first[plan.key] = self.clock()
        self.payloads.setdefault(plan.key, set()).add(plan.request.decode())


class FakeDoor:
    """The outbound door in front of the world; ``world.next`` says how the next call goes."""

    def __init__(self, world: World) -> None:
        self.world, self.halt, self.breakers = world, Halt(), Breakers()

    def connect(self, *_given: Any) -> None:
        """Nobody adds a connection here."""

    def operation(self, connector: str, operation: str) -> Operation:
        return Operation(operation, operation, undo="exact", key_window=WINDOW, lookup_lag=LAG)  # type: ignore[arg-type]

    def prepare(self, connector: str, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        return Plan(self.operation(connector, operation), key, json_hash(dict(payload)).encode(), "")

    def undo(self, connector: str, plan: Plan, receipt: Receipt) -> Plan:
        operation = Operation(f"{plan.operation.name}.undo", plan.operation.effect_class, key_window=WINDOW)
        return Plan(operation, plan.key, plan.request, "")

    async def execute(self, connector: str, plan: Plan, *, urgent: bool = False) -> Done | Refused | Unknown:
        how, self.world.next = self.world.next, "done"
        self.world.calls[plan.key] += 1
        if how == "crash_before":
            raise Died
        if how in ("done", "crash_after", "unknown_after"):
            self.world.do(plan)
        if how == "crash_after":
            raise Died
        if how.startswith("unknown"):
            return Unknown("the line broke")
        if how in ("later", "away"):
            return Refused("too many requests", retry_after=5.0, limited=how == "later")
        return Refused("no", auth=how == "auth") if how in ("refused", "auth") else Done(Receipt(f"ref-{plan.key}"))

    async def find(self, connector: str, plan: Plan) -> Found | Absent | CannotTell:
        how, self.world.next = self.world.next, "done"
        if how.startswith("crash"):
            raise Died
        if how.startswith("unknown"):
            return CannotTell("the search failed")
        undo = plan.operation.name.endswith(".undo")
        seen = self.world.first.get(plan.key)
        there = seen is not None and self.world.age(seen) >= LAG * 0.9
        if undo:
            there = plan.key in self.world.removed
        return Found(Receipt(f"ref-{plan.key}")) if there else Absent("looked, not there")


class Rig:
    """A store with one Effects stage; ``restart`` is a new process on the same rows."""

    store_type: type[Store] = Store
    door_type: type[FakeDoor] = FakeDoor
    stage_type: type[Effects] = Effects

    def __init__(self, folder: Path, template: Path) -> None:
        shutil.copy(template, folder / "soloist.db")
        self.clock = Clock()
        self.world = World(self.clock)
        self.store = self.store_type(base.sqlite_url(folder / "soloist.db"), clock=self.clock)
        self.store.writer._engines[True] = self.store.writer._engines[False]  # the disk is not under test here
        self.boots = self.made = 0
        self.stage = self._new_stage()

    def _new_stage(self) -> Effects:
        self.boots += 1
        door: Any = self.door_type(self.world)
        boot = f"boot-{self.boots}"
        row = {"kind": "server", "executor": "soloist", "host": "here", "pid": self.boots}
        self.store.write_now(lambda tx: workers.begin(tx, boot, row))
        return self.stage_type(self.store, door, boot=boot, install_key=KEY, allowed=lambda _row: "")

    def approved(self, class_: str, *, hold: float = 0.0) -> str:
        """An approved proposal; its id."""
        self.made += 1
        ident, payload = f"proposal-{self.made}", {"to": ["ada@okafor-ceramics.example"], "n": self.made}
        digest = payload_hash("fake", class_, payload)
        row = {"id": ident, "connector": "fake", "operation": class_, "class": class_, "payload": payload}
        row |= {"payload_hash": digest, "reason": "test", "source_ref": "", "hold_ms": int(hold * 1000)}

        def work(tx: Any) -> None:
            proposals.insert(tx, row, actor="test")
            said = {"proposal": ident, "payload_hash": digest, "decision": "approve", "who": "operator"}
            said |= {"via": "test", "reason": ""}
            seal = SEAL + keyed(KEY, sealed_text({**said, "at": tx.now}))
            proposals.add_approval(tx, {**said, "seal": seal})
            proposals.move(tx, ident, "approved", actor="operator")

        self.store.write_now(work)
        return ident

    async def intended(self, class_: str, *, hold: float = 0.0) -> str:
        """An intended effect; its id."""
        proposal = self.approved(class_, hold=hold)
        await self.stage.intend(f"proposal:{proposal}", proposal)
        return str(self.store.read_now(lambda conn: effects.of_proposal(conn, proposal))[0]["id"])

    def row(self, effect: str) -> dict[str, Any]:
        return self.store.read_now(lambda conn: effects.get(conn, effect))

    def rows(self) -> list[dict[str, Any]]:
        return self.store.read_now(lambda conn: effects.listed(conn, after=0, limit=1000))

    async def advance(self, effect: str, how: str = "done") -> str:
        """One turn of the effect's run; a death is followed by a restart, and by the same step again as replay does."""
        move = await self.stage.look("run", effect)
        self.world.next = how
        steps = {"attempt": self.stage.attempt, "look_up": self.stage.look_up}
        try:
            if move["do"] in steps:
                await steps[move["do"]]("run", effect)
            elif move["do"] == "ask":
                await self.stage.ask("run", effect, move["why"])
        except Died:
            await self.restart()
            self.world.next = "done"
            await steps[move["do"]]("run", effect)
        return str(self.row(effect)["state"])

    async def restart(self) -> None:
        """A new process: another boot, then the sweep."""
        self.stage = self._new_stage()
        self.store.write_now(lambda tx: workers.end_others(tx, f"boot-{self.boots}"))
        await self.stage.sweep()

    def close(self) -> None:
        self.store.close()


def template(folder: Path) -> Path:
    """A migrated, empty database file to copy."""
    migrate.prepare(base.sqlite_url(folder / "template.db"))
    return folder / "template.db"
