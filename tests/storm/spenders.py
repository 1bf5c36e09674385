"""Spenders: processes of ten agents each that ask a metered provider until a cap ends them; some are killed in a call.

Run as a program with one JSON argument; prints one JSON line of figures a trial. It forks after the imports.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from soloist import config
from soloist.engine import failpoint
from soloist.engine.store import caps, model_calls, spent, workers
from soloist.engine.store.base import sqlite_url
from soloist.engine.store.store import Store
from soloist.engine.store.tables_spend import model_calls as calls
from soloist.kernel.errors import CapReached, ModelTrouble
from soloist.kernel.spend import Payer
from soloist.stages.runtime.models import Models, Question, wire
from soloist.stages.spend import Spend, sweep_in

AGENTS = 10
"""Agents of one process; two processes run at the same time."""
KILLED = ("model reserved", "by the provider", "model came")
"""Where a process dies, each in its turn: before anything is sent, while the provider works, before it is settled."""
MOST_ALIVE = 5
"""Calls after which the process that is killed is dead at the latest."""
MODES: dict[str, dict[str, Any]] = {
    "plain": {"price": {"input": "1", "output": "4", "currency": "EUR"}, "house": "0.03"},
    "unknown price": {"price": None, "house": "5"},
    "above the worst": {"price": {"input": "1", "output": "4", "currency": "EUR"}, "house": "0.2"},
    "no usage": {"price": {"input": "1", "output": "4", "currency": "EUR"}, "house": "0.03"},
}


def settings(url: str, mode: str) -> config.Settings:
    """One model of the provider, caps of the house, of each agent and of each run with its forks."""
    given = MODES[mode]
    part = {"base_url": url, "model": "metered", "allow_private_network": True, "price": given["price"]}
    house = float(given["house"])
    budgets = {
        "day": given["house"],
        "month": [],
        "run": f"{house / 5:.6f}",
        "agents": {"*": {"day": f"{house / 8:.6f}"}},
    }
    return config.parse({"models": {"m": {**part, "max_output": 120, "timeout": "20s"}}, "budgets": budgets})


async def agent(models: Models, name: str, luck: random.Random, dies: str) -> None:
    """Ask until a cap says no, half of the time in a run that was forked from the first one."""
    root = f"root-{name}"
    for n in range(200):
        forked = luck.random() < 0.5
        run = f"fork-{name}-{n}" if forked else root
        payer = Payer(run, f"s{n}.{os.getpid()}", agent=name, flow="storm", parents=(root,) if forked else ())
        text = f"{name} {root} {n} {dies} {os.getpid()} " + "Wörter 字 " * luck.randint(1, 20)
        try:
            await models.ask(Question("Be short.", text, fresh=True), payer)
        except CapReached:
            return
        except ModelTrouble:
            await asyncio.sleep(0)


def opened(home: Path) -> Store:
    """The store of a trial. Its day begins at the noon before: no cap begins anew at a midnight in its middle."""
    begun = datetime.fromtimestamp((home / "begun").stat().st_mtime, UTC)
    back = begun - begun.replace(hour=12, minute=0, second=0, microsecond=0)
    return Store(sqlite_url(home / "soloist.db"), clock=lambda: datetime.now(UTC) - back)


def other_calls(store: Store, pid: int, most: int) -> None:
    """Wait until another process has begun so many calls, or is gone: it must not find the caps used up."""
    mine = sa.select(sa.func.count()).where(calls.c.worker.like(f"%-{pid}"))
    while store.read_now(lambda conn: conn.execute(mine).scalar() or 0) < most and Path(f"/proc/{pid}/stat").exists():
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.005)


async def crowd(home: Path, url: str, mode: str, seed: int, *, dies: str, after: int = 0) -> None:
    """One process: its row, its agents, its end; ``dies`` is "place:n", the call in which it ends."""
    boot = f"boot-{seed}-{os.getpid()}"
    store = opened(home)
    if after:
        other_calls(store, after, MOST_ALIVE)
    store.write_now(lambda tx: (workers.begin(tx, boot, {"kind": "server", "pid": os.getpid()}), None)[1])
    chosen = settings(url, mode)
    models = Models(store, chosen, Spend(store, chosen, worker=boot), secret=lambda _n: "k")
    luck, (place, call) = random.Random(seed), failpoint.read(dies)
    failpoint._NAME, failpoint._left = place, call
    alive = f"k{call}" if place == KILLED[1] else "k0"
    await asyncio.gather(*(agent(models, f"a{seed % 1000}-{n}", luck, alive) for n in range(AGENTS)))
    store.close()


def forked(home: Path, url: str, mode: str, seed: int, *, dies: str = "", after: int = 0) -> int:
    """A process of its own, which begins after the process ``after`` has: its id."""
    if child := os.fork():
        return child
    try:
        asyncio.run(crowd(home, url, mode, seed, dies=dies, after=after))
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def trial(home: Path, url: str, mode: str, seed: int) -> int:
    """Two crowds, one of them killed in a call; a third takes its place and finds what was left open.

    Answers how the killed one ended: 137 or -9 when it died, 0 when it came to its own end.
    """
    place = KILLED[seed % len(KILLED)]
    first = forked(home, url, mode, seed * 10, dies=f"{place}:{random.Random(seed).randint(2, MOST_ALIVE)}")
    second = forked(home, url, mode, seed * 10 + 1, after=first)
    ended = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    if child := os.fork():
        os.waitpid(child, 0)
    else:  # a process of its own, since this one must stay without threads
        store = opened(home)
        dead = sa.text("UPDATE workers SET ended='x' WHERE pid=:pid")
        store.write_now(lambda tx: (tx.run(dead, {"pid": first}), sweep_in(tx)))
        store.close()
        os._exit(0)
    third = forked(home, url, mode, seed * 10 + 2)
    for child in (second, third):
        os.waitpid(child, 0)
    return ended


def figures(home: Path, mode: str) -> dict[str, Any]:
    """What the books of one home say at the end."""
    store = opened(home)
    now = store.clock().isoformat()
    with store._read_engine.connect() as conn:
        sums = spent.read(conn, [spent.GATE])[spent.GATE]
        rows = [dict(row) for row in conn.execute(sa.select(calls)).mappings()]
        late = 0
        for stop in caps.stops(conn, 1000):
            scope, subject, _, _ = caps.place_of(stop["cap"])
            after = [row for row in rows if row["created"] > stop["at"] and row["state"] != "refused"]
            late += sum(scope == "house" or row[scope] == subject for row in after)
        open_ = len(model_calls.orphans(conn, now))
    store.close()
    over = [row["cost_micro"] - row["reserved_micro"] for row in rows if row["state"] == "answered"]
    states = {state: sum(row["state"] == state for row in rows) for state in ("answered", "lost", "failed", "refused")}
    kept = {"spent": sums.spent_micro, "held": sums.held_micro, "late": late, "orphans": open_}
    return {**kept, **states, "settle_over": max([0, *over]), "cap": int(float(MODES[mode]["house"]) * 1_000_000)}


def warmed(url: str) -> None:
    """One request before anything forks, so that no process has to load the libraries for itself."""
    part = settings(url.replace("/v1", "/warm/v1"), "plain").models["m"]
    sent = wire.Sent(wire.question("", [{"by": "us", "text": "warm warm 0 k0 1"}]), {}, wire.parameters(part, "", None))
    asyncio.run(wire.request(wire.build(part, "m", ""), sent, 20.0))


def main(told: dict[str, Any]) -> None:
    """All trials, each on a fresh copy of the empty store."""
    warmed(told["url"])
    for n in range(told["trials"]):
        mode = told["modes"][n % len(told["modes"])]
        home = Path(told["folder"]) / f"t{n}"
        home.mkdir()
        shutil.copy(told["template"], home / "soloist.db")
        (home / "begun").touch()
        url = f"{told['url']}?".removesuffix("?").replace("/v1", f"/t{n}/v1")
        ended = trial(home, url, mode, told["seed"] + n)
        result = home / "figures.json"
        if child := os.fork():
            os.waitpid(child, 0)
        else:
            result.write_text(json.dumps(figures(home, mode)))
            os._exit(0)
        about = {"trial": n, "mode": mode, "ended": ended}
        print(json.dumps({**about, **json.loads(result.read_text())}), flush=True)
        shutil.rmtree(home)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
