"""A burst of approved effects against a counting provider, and every way of pressing the stop button."""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.driving import Served, begun, until
from tests.acceptance.nursery import Nursery
from tests.storm.providers import Providers
from tests.storm.size import scale

CALLS = {"A": ("shop", "charge"), "B": ("diary", "book"), "C": ("pager", "notify")}
WAYS = ("api", "console", "command line", "file")
WITHIN = scale(1.0, 4.0)
"""Seconds after a press in which something may still begin to leave; a busy machine may stop a call that long."""
HANDS = 3
PAUSE = 0.2
"""Seconds between two proposals of one hand; what waited long leaves one by one, so that a pile would take minutes."""
CSRF = re.compile(r'name="csrf"[^>]*(?:value|content)="([^"]+)"')


class Burst:
    """A served home and hands that propose and approve for as long as they may."""

    def __init__(self, folder: Path, nursery: Nursery, seed: int) -> None:
        self.folder, self.nursery, self.chance = folder, nursery, random.Random(seed)
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.providers = Providers(folder, share=0.0, seed=seed)
        (self.home / "soloist.toml").write_text(self.providers.toml() + "\n[brief]\nenabled = false\n")
        self.served = Served(self.home, nursery=nursery)
        self.served.start()
        self.key = self.spoken("token", "create", "--scope", "read,propose,approve", "--name", "burst").strip()
        self.browser, self.csrf = self.signed_in()
        self.number, self.lock = 0, threading.Lock()
        self.approved: set[str] = set()
        self.others: list[Served] = []

    def spoken(self, *words: str) -> str:
        """What a command says, and that it went well."""
        log = self.folder / f"said-{words[0]}.log"
        process = begun([*words, "--home", str(self.home)], log, self.nursery)
        assert process.wait(300) == 0, log.read_text()
        return log.read_text()

    def url(self, path: str) -> str:
        return f"http://localhost:{self.served.port}{path}"

    def signed_in(self) -> tuple[httpx.Client, str]:
        """A browser that is signed in, and the token of its forms."""
        browser = httpx.Client(timeout=20, follow_redirects=True)
        way_in = self.url("/welcome/" + self.spoken("open").partition("/welcome/")[2].split()[0])
        form = {"csrf": "", "password": "a sentence to remember"}
        answer = browser.post(way_in, data=form, headers={"Origin": self.url("")})
        found = CSRF.search(answer.text)
        assert answer.status_code == 200 and found is not None, answer.text[:400]
        return browser, found[1]

    # ----- the burst

    def hands(self, over: threading.Event) -> list[threading.Thread]:
        """Hands that work until it is over."""
        made = [threading.Thread(target=self._work, args=(over,)) for _ in range(HANDS)]
        for hand in made:
            hand.start()
        return made

    def _work(self, over: threading.Event) -> None:
        while not over.is_set():
            with self.lock:
                self.number += 1
                number = self.number
            self._one("ABC"[number % 3], f"r{number}")
            time.sleep(PAUSE)

    def _one(self, class_: str, ref: str) -> None:
        """Propose and approve."""
        connector, operation = CALLS[class_]
        base, headers = self.url("/api/v1"), {"Authorization": f"Bearer {self.key}"}
        body = {"connector": connector, "operation": operation, "payload": {"ref": ref}, "reason": "burst"}
        with contextlib.suppress(httpx.TransportError, KeyError, ValueError):
            client = self.served.client
            made = client.post(f"{base}/proposals", headers=headers, json={**body, "source_ref": ref}).json()
            digest = made["payload_hash"]
            said = {"decision": "approve", "payload_hash": digest}
            if client.post(f"{base}/proposals/{made['id']}/approval", headers=headers, json=said).is_success:
                with self.lock:
                    self.approved.add(ref)

    # ----- the button

    def press(self, way: str) -> None:
        """Press it."""
        if way == "api":
            assert self.api("PUT").status_code == 200
        elif way == "console":
            assert self.form("1").status_code == 200
        elif way == "file":
            (self.home / "STOP").touch()
        else:
            self.spoken("stop")

    def release(self, way: str) -> None:
        """Let it go on."""
        if way == "api":
            assert self.api("DELETE").status_code == 200
        elif way == "console":
            assert self.form("0").status_code == 200
        elif way == "file":
            (self.home / "STOP").unlink()
        else:
            self.spoken("stop", "--release")

    def api(self, method: str) -> httpx.Response:
        return self.served.ask(method, "/stop", self.key)

    def form(self, on: str) -> httpx.Response:
        form = {"csrf": self.csrf, "on": on}
        return self.browser.post(self.url("/stop"), data=form, headers={"Origin": self.url("")})

    def calls_after(self, moment: float) -> list[float]:
        """How long after a moment each later call began."""
        return [line["at"] - moment for line in self.providers.lines() if "call" in line and line["at"] > moment]

    def trial(self, way: str, *, restart: bool = False) -> float:
        """Press during a burst; how long after the press the last call began (0 for none)."""
        over = threading.Event()
        working = self.hands(over)
        time.sleep(self.chance.uniform(0.3, 0.9))
        self.press(way)
        pressed = time.time()  # to start the command takes long where much else runs
        if restart:
            self.served.kill()
            self.served.start()
        time.sleep(max(0.0, pressed + WITHIN + 0.7 - time.time()))
        over.set()
        for hand in working:
            hand.join()
        late = self.calls_after(pressed)
        self.release(way)
        return max(late, default=0.0)

    def settled(self, seconds: float = 1200.0) -> Any:
        """Everything that was approved has been done, but for what a person is asked about after a kill."""
        return until(self._all_done, seconds, 0.5, what="all of it left")

    def _all_done(self) -> bool:
        left = self.approved - set(self.providers.deeds())
        rows = self.served.every("/effects", self.key) if left else []
        return left <= {row["source_ref"] for row in rows if row["state"] == "needs_human"}

    def end(self) -> None:
        for served in (self.served, *self.others):
            served.kill()
        self.providers.end()
