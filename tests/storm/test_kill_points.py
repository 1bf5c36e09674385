"""The process dies at every point on the way of a mail and of calls of each class; after a restart nothing is doubled.

The points are not listed here: one life without a death writes down every point it reaches (each step of each flow
before and after, each commit, each side of each call), and then one life for each of them ends there. In continuous
integration the commits are a sample; ``SOLOIST_STORM=full`` goes over every hit of every point.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from soloist.cli import starter
from soloist.engine import failpoint
from tests.acceptance.driving import Served, token, told, until
from tests.acceptance.nursery import Nursery
from tests.storm.providers import Providers
from tests.storm.size import FULL
from tests.storm.storming import CALLS, Store

pytestmark = pytest.mark.storm
DIED = 137
ASKS = "Hello,\n\nwe need a new website with about five pages. Our budget is 3,500 EUR.\n\nNora Feld\n"
COMMITS = ("before commit", "committed")
SAMPLE = 120
"""In continuous integration every so-and-so-many-th commit."""
PATIENCE = 4.0
"""Seconds to wait for a death at a commit after everything has ended: they are joined differently in every life."""
SURE = 180.0
"""The same for a point that every life reaches, sooner or later on a busy machine."""


def prepare(folder: Path) -> tuple[Path, str]:
    """A home with the starter files, no hold, a token and a mail that waits; nothing has run on it."""
    home = folder / "home"
    toml = starter.write_into(home, business="Feld", timezone="UTC", language="en")[0]
    text = toml.read_text().replace('hold = "30s"', 'hold = "0s"')
    assert 'hold = "0s"' in text
    toml.write_text(text)
    message = EmailMessage()
    message["From"], message["To"] = "Nora Feld <nora@feld-yoga.example>", "me@localhost"
    message["Subject"], message["Message-ID"] = "A new website", "<first@feld-yoga.example>"
    message.set_content(ASKS)
    (home / "mail/in/new").mkdir(parents=True)
    (home / "mail/in/new/first.eml").write_bytes(message.as_bytes())
    return home, token(home)


class Life:
    """A copy of the prepared home with its own providers, which cut the line after the first deed of each call."""

    def __init__(self, prepared: tuple[Path, str], folder: Path, nursery: Nursery, **env: str) -> None:
        self.key, self.home = prepared[1], folder / "home"
        folder.mkdir()
        shutil.copytree(prepared[0], self.home)
        self.providers = Providers(folder, faults="first")
        with (self.home / "soloist.toml").open("a") as toml:
            toml.write(self.providers.toml())
        self.served = Served(self.home, nursery=nursery)
        self.store = Store(f"sqlite:///{self.home / 'soloist.db'}")
        self.first, self.proposed = env, False

    def live(self) -> int | None:
        """Work until everything has ended or the process has died, then start again and work to the end."""
        try:
            self.served.start(ready=False, **self.first)
            until(lambda: self.served.dead() or self.step(), 600, what="the end of the first life")
            past = time.monotonic() + self.patience()
            while not self.served.dead() and time.monotonic() < past:
                time.sleep(0.05)
            code = self.served.process.poll() if self.served.process else None
            self.served.kill()
            self.served.start()
            until(self.step, 600, 0.1, what="everything at rest")
            return code
        finally:
            self.served.kill()

    def patience(self) -> float:
        """Seconds to wait for a death once everything has ended."""
        point = self.first.get("SOLOIST_FAILPOINT", "").rpartition(":")[0]
        return (PATIENCE if FULL or point in COMMITS else SURE) if point else 0.0

    def step(self) -> bool:
        """Propose once, approve what waits; whether everything has ended. Trouble means not yet."""
        try:
            if not self.proposed:
                for class_ in "ABC":
                    connector, operation = CALLS[class_]
                    ref = f"{class_}-1"
                    body = {"connector": connector, "operation": operation, "payload": {"ref": ref}, "reason": "paid"}
                    self.post("/proposals", {**body, "source_ref": ref})
                self.proposed = True
            for ident, digest in self.store.ask("SELECT id, payload_hash FROM proposals WHERE state='waiting'"):
                self.post(f"/proposals/{ident}/approval", {"decision": "approve", "payload_hash": digest})
            return self.at_rest()
        except (httpx.HTTPError, Store.Trouble):
            return False

    def post(self, path: str, body: dict[str, Any]) -> None:
        """One request that is answered 2xx, or httpx.HTTPError."""
        url = f"http://127.0.0.1:{self.served.port}/api/v1{path}"
        answer = self.served.client.post(url, headers={"Authorization": f"Bearer {self.key}"}, json=body)
        answer.raise_for_status()

    def at_rest(self) -> bool:
        """Whether nothing is left but the waiting for an answer to our mail, and a person's word."""
        effects = Counter(row[0] for row in self.store.ask("SELECT state FROM effects"))
        open_runs = set(self.store.ask("SELECT flow, state FROM runs WHERE state<>'done' AND flow<>'brief'"))
        return effects == {"succeeded": 3, "needs_human": 1} and open_runs <= {
            ("followup", "running"), ("followup", "waiting"), ("effect", "running"), ("effect", "waiting"),
        } and bool(self.store.ask("SELECT 1 FROM runs WHERE flow='followup'"))  # fmt: skip

    def held(self) -> dict[str, Any]:
        """What is in the home and at the providers in the end."""
        try:
            count = {table: self.store.ask(f"SELECT count(*) FROM {table}")[0][0] for table in ("proposals", "effects")}
            return {
                **count,
                "mails": len(list((self.home / "mail/out/new").iterdir())),
                "deeds": dict(self.providers.deeds()),
                "kinds": dict(self.store.ask("SELECT kind, count(*) FROM records GROUP BY kind")),
                "cards": self.store.ask("SELECT count(*) FROM tasks WHERE type='unknown_outcome' AND state='open'"),
                "failed": self.store.ask("SELECT flow, error FROM runs WHERE state='failed'"),
            }
        finally:
            self.store.end()
            self.providers.end()


WHOLE = {
    "proposals": 4,
    "effects": 4,
    "mails": 1,
    "deeds": {"A-1": 1, "B-1": 1, "C-1": 1},
    "kinds": {"person": 1, "company": 1, "lead": 1},
    "cards": [(1,)],
    "failed": [],
}


def chosen(reached: Counter[str]) -> list[str]:
    """The points of this run, as the product names them: each name at its first hit, commits as a sample; or all."""
    if FULL:
        return [f"{name}:{n}" for name, count in reached.items() for n in range(1, count + 1)]
    commits = [f"{name}:{n}" for name in COMMITS for n in range(1, reached[name] + 1, SAMPLE)]
    return [f"{name}:1" for name in reached if name not in COMMITS] + commits


def test_death_at_every_point_loses_and_doubles_nothing(tmp_path: Path, nursery: Nursery) -> None:
    prepared = prepare(tmp_path)
    log = tmp_path / "points"
    whole = Life(prepared, tmp_path / "whole", nursery, SOLOIST_PLANT="record", SOLOIST_POINTS=str(log))
    whole.live()
    assert whole.held() == WHOLE
    reached = Counter(log.read_text().splitlines())
    assert set(failpoint.NAMES) <= set(reached), "a point is listed and never reached"
    points = chosen(reached)

    def one(point: str) -> tuple[str, int | None, dict[str, Any], list[Any]]:
        life = Life(prepared, tmp_path / point.replace(" ", "-").replace(":", "_"), nursery, SOLOIST_FAILPOINT=point)
        return guarded(life, point)

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(one, points))
    wrong = {point: found for point, _, held, faults in ends if (found := differs(held, faults))}
    alive = [point for point, code, *_ in ends if code != DIED]
    died = len(ends) - len(alive)
    print(f"P1 fail points: {len(reached)} points ({reached.total()} hits) on the way, {len(ends)} lives,", end=" ")
    print(f"{died} deaths at their point, {len(wrong)} violations")
    assert wrong == {}
    assert all(point.rpartition(":")[0] in COMMITS for point in alive), alive


def guarded(life: Life, point: str) -> tuple[str, int | None, dict[str, Any], list[Any]]:
    """One life: the point, how the process ended, what is held, faults of the journal."""
    try:
        code = life.live()
        faults = told(life.home, "verify")["faults"] if FULL else []
        return point, code, life.held(), faults
    except BaseException as error:
        error.add_note(point)
        raise


def differs(held: dict[str, Any], faults: list[Any]) -> dict[str, Any]:
    """What is not as it is after a life without a death."""
    held = {
        **held,
        "deeds": {"C-1": 1, **held["deeds"]},
    }  # a call of class C that never left is the operator's question
    found: dict[str, Any] = {name: value for name, value in held.items() if value != WHOLE[name]}
    return {**found, **({"journal": faults} if faults else {})}
