"""One kill storm: a home, its processes, counting providers, hands that work through the API and one that kills."""

from __future__ import annotations

import json
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from soloist.engine.store.runs import AGAIN
from tests.acceptance.driving import Served, begun, until
from tests.acceptance.nursery import Born, Nursery
from tests.storm.claims import AT_REST, Story
from tests.storm.providers import Providers
from tests.storm.size import FULL

CALLS = {"A": ("shop", "charge"), "B": ("diary", "book"), "C": ("pager", "notify"), "M": ("relay", "mail.send")}
PER_KILL = 8
"""Proposals for each kill, as in the full count: 8,000 for 1,000."""
HANDS = 4
LIFE = (0.05, 0.9)
"""Seconds from a start to the next kill; a start takes about half a second."""
ASKS = "Hello,\n\nwe need a new website with about five pages. Our budget is 3,500 EUR.\n\nNora\n"
MORE = """
[mail]
hold = "0s"
out = "relay"
[brief]
enabled = false
"""


Trouble = Callable[["Storm"], None]


class Store:
    """Looks into the database of a home from outside."""

    Trouble = sa.exc.SQLAlchemyError

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url)

    def ask(self, sql: str, **values: Any) -> list[Any]:
        """Rows, straight from the database."""
        with self.engine.connect() as conn:
            return [tuple(row) for row in conn.execute(sa.text(sql), values)]

    def end(self) -> None:
        """Close it."""
        self.engine.dispose()


class Storm:
    """Everything of one storm. ``url`` is a Postgres database, "" for SQLite; ``plant`` a fault put in on purpose."""

    def __init__(
        self,
        folder: Path,
        nursery: Nursery,
        seed: int,
        *,
        url: str = "",
        plant: str = "",
        share: float = 0.25,
        faults: str = "",
    ) -> None:
        self.folder, self.nursery, self.chance = folder, nursery, random.Random(seed)
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        (self.home / "mail/in/new").mkdir(parents=True)
        (self.home / "mail/in/tmp").mkdir()
        self.providers = Providers(
            folder, seed=seed, share=share, faults=faults or ("after" if plant else "put off" if FULL else "")
        )
        (self.home / "soloist.toml").write_text(self.providers.toml() + MORE)
        env = {**({"SOLOIST_DATABASE": url} if url else {}), **({"SOLOIST_PLANT": plant} if plant else {})}
        self.env, self.url = env, url
        self.patient = bool(plant)
        """Whether a kill waits until the server is ready: with few kills each should fall into work."""
        self.served = Served(self.home, nursery=nursery, **env)
        self.workers: list[Born] = []
        self.store = Store(url or f"sqlite:///{self.home / 'soloist.db'}")
        self.ask = self.store.ask
        self.events: dict[str, str] = {}
        self.made: dict[str, str] = {}
        self.approved: set[str] = set()
        self.answered = self.kills = self.enquiries = self.next = self.set_aside = 0
        self.troubles: list[str] = []
        self.notes: list[Any] = []
        """What a trouble saw, for its own test."""
        self.took: list[float] = []
        """Seconds until the last submission was answered, and until everything was at rest."""
        self.again: Counter[str] = Counter()
        self.lock, self.over = threading.Lock(), threading.Event()

    # ----- processes

    def begin(self, workers: int = 0) -> None:
        """Start the server, and workers beside it on Postgres."""
        self.served.start()
        self.key = self.spoken("token", "create", "--scope", "read,propose,approve", "--name", "storm").split()[-1]
        for _ in range(workers):
            self.workers.append(self.worker())

    def worker(self) -> Born:
        """One more worker."""
        process = begun(["worker", "--home", str(self.home)], self.folder / "worker.log", self.nursery, **self.env)
        assert isinstance(process, Born)
        return process

    def spoken(self, *words: str) -> str:
        """What a command says."""
        log = self.folder / f"said-{words[0]}.log"
        process = begun([*words, "--home", str(self.home)], log, self.nursery, **self.env)
        assert process.wait(300) == 0, log.read_text()
        return log.read_text()

    def verified(self) -> dict[str, Any]:
        """What the check of the journal says."""
        text = self.spoken("verify", "--json")  # a warning on the error stream may stand before it
        return dict(json.loads(text[text.index("{") : text.rindex("}") + 1]))

    def kill_for(self, seconds: float, most: int, fewest: int, trouble: Trouble) -> None:
        """Make trouble again and again at random moments, so long and at most so often; slow machines take longer."""
        end = time.monotonic() + seconds
        while self.kills < fewest or (self.kills < most and time.monotonic() < end):
            if self.patient:
                until(self.served.is_ready, what="ready")
            time.sleep(self.chance.uniform(*LIFE))
            trouble(self)
            with self.lock:
                self.kills += 1
        self.over.set()

    def kill_one(self) -> None:
        """Kill one of the processes and start another in its place at once."""
        victim = self.chance.randrange(1 + len(self.workers))
        if victim == 0:
            self.served.kill()
            self.served.start(ready=False)
        else:
            self.workers[victim - 1].kill()
            self.workers[victim - 1].wait()
            self.workers[victim - 1] = self.worker()

    def end(self) -> None:
        """End every process."""
        self.over.set()
        for process in self.workers:
            process.kill()
        self.served.kill()
        self.providers.end()
        self.store.end()

    # ----- work

    def work(self) -> None:
        """One pair of hands: the next number, as far as the kills allow, until the storm is over."""
        while True:
            with self.lock:
                number = self.next
                due = number < (self.kills + 1) * PER_KILL
                self.next += due
            if not due and self.over.is_set():
                return
            if not due:
                time.sleep(0.02)
                continue
            try:
                self.one(number)
            except Exception as error:
                self.troubles.append(f"{number}: {error!r}")

    def one(self, number: int) -> None:
        """One event and one decided proposal; every tenth is rejected; now and then somebody new writes."""
        if number % 40 == 0:
            self.enquire(number)
        class_ = "ABCM"[number % 4]
        ref = f"{class_}-{number}" if class_ != "M" else f"m{number}@storm.example"
        event = {"source": "orders", "external_id": ref, "kind": "order.paid", "payload": {"ref": ref}}
        self.events[ref] = self.said("POST", "/events", event)["id"]
        connector, operation = CALLS[class_]
        mail = {"to": [ref], "subject": f"Order {number}", "body": "Thank you."}
        payload = mail if class_ == "M" else {"ref": ref, "number": number}
        body = {"connector": connector, "operation": operation, "payload": payload, "source_ref": ref}
        made = self.said("POST", "/proposals", {**body, "reason": "an order was paid"})
        self.made[ref] = made["id"]
        decision = "reject" if number % 10 == 9 else "approve"
        said = {"decision": decision, "payload_hash": made["payload_hash"]}
        self.said("POST", f"/proposals/{made['id']}/approval", said)
        if decision == "approve":
            self.approved.add(ref)

    def said(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """An answer 2xx, asked for over any number of deaths."""
        answer = self.served.ask(method, path, self.key, json=body)
        assert answer.status_code in (200, 201, 202), f"{path}: {answer.status_code} {answer.text}"
        with self.lock:
            self.answered += 1
        return answer.json()

    def enquire(self, number: int) -> None:
        """An enquiry of somebody new, as a mail program delivers it."""
        message = EmailMessage()
        message["From"], message["To"] = f"Nora Feld <nora@yoga-{number}.example>", "me@localhost"
        message["Subject"], message["Message-ID"] = "A new website", f"<{number}@yoga.example>"
        message.set_content(ASKS)
        draft = self.home / "mail/in/tmp" / str(number)
        draft.write_bytes(message.as_bytes())
        draft.rename(self.home / "mail/in/new" / str(number))
        with self.lock:
            self.enquiries += 1

    def sign(self) -> None:
        """What a person does now and then: approve the replies that wait, let what was set aside go on.

        Trouble means a later try. Work in whose middle the process ended five times is set aside on a card.
        """
        waiting = "SELECT id, payload_hash FROM proposals WHERE state='waiting' AND payload LIKE '%@yoga-%'"
        aside = "SELECT id FROM tasks WHERE state='open' AND options LIKE '%\"name\":\"retry\"%'"
        try:
            for ident, digest in self.ask(waiting):
                self.post(f"/proposals/{ident}/approval", {"decision": "approve", "payload_hash": digest})
            for (card,) in self.ask(aside):
                self.set_aside += self.post(f"/cards/{card}/decision", {"option": "retry"}) == 200
        except (httpx.TransportError, sa.exc.SQLAlchemyError):
            time.sleep(0.1)

    def post(self, path: str, body: dict[str, Any]) -> int:
        """Ask once; the status."""
        url = f"http://127.0.0.1:{self.served.port}/api/v1{path}"
        return httpx.post(url, headers={"Authorization": f"Bearer {self.key}"}, json=body, timeout=20).status_code

    def keep_signing(self) -> None:
        """The same until the storm is over."""
        while not self.over.wait(0.5):
            self.sign()

    def run(self, seconds: float, most: int, *, fewest: int = 1, trouble: Trouble | None = None) -> None:
        """Hands and kills (or another trouble) at the same time, then calm."""
        hands = [threading.Thread(target=self.work, daemon=True) for _ in range(HANDS)]
        hands.append(threading.Thread(target=self.keep_signing, daemon=True))
        for hand in hands:
            hand.start()
        self.kill_for(seconds, most, fewest, trouble or Storm.kill_one)
        for hand in hands:
            hand.join(900)
        self.providers.calm()
        until(self.served.is_ready, what="ready after the storm")

    # ----- after it

    def at_rest(self) -> bool:
        """Whether everything that was asked for has come to its end."""
        self.sign()
        try:
            states = Counter(dict(self.ask("SELECT state, count(*) FROM effects GROUP BY state")))
            replies = self.ask("SELECT count(*) FROM proposals WHERE payload LIKE '%@yoga-%' AND state='approved'")[0][
                0
            ]
        except sa.exc.SQLAlchemyError:
            return False
        return (
            set(states) <= AT_REST
            and states.total() >= len(self.approved) + self.enquiries
            and replies >= self.enquiries
        )

    def settle(self, seconds: float = 900.0) -> None:
        """Wait until everything is at rest; fails with what is not."""
        end = time.monotonic() + seconds
        while not self.at_rest():
            assert time.monotonic() < end, f"not at rest: {self.under_way()}"
            time.sleep(0.3)

    def under_way(self) -> Any:
        """What has not ended, for the message of a failure."""
        effects = self.ask('SELECT "class", state, attempts, not_before, id FROM effects ORDER BY ordinal')
        flows = self.ask("SELECT flow, state, error, count(*) FROM runs WHERE state<>'done' GROUP BY 1, 2, 3")
        open_ones = [row for row in effects if row[1] not in AT_REST]
        counted = f"{len(effects)} effects, {len(self.approved)} approved, {self.enquiries} enquiries"
        return f"{counted}; {len(open_ones)} open: {open_ones[:5]} {flows[:9]}"

    def resolve(self) -> None:
        """Answer two of three open questions as a person who looked at the provider would."""
        deeds = self.providers.deeds()
        rows = self.effects()
        for number, row in enumerate(row for row in rows if row["state"] == "needs_human"):
            if number % 3 == 2:
                continue
            done = deeds[row["source_ref"]]
            outcome = "happened" if done else ("send_again", "did_not_happen")[number % 2]
            self.again[row["source_ref"]] += outcome == "send_again"
            body = {"outcome": outcome, "payload_hash": row["payload_hash"]}
            self.said("POST", f"/effects/{row['id']}/resolution", body)

    def effects(self) -> list[dict[str, Any]]:
        """Every effect, named by the reference that the providers know; mails by their recipient."""
        query = (
            'SELECT e.id, e.connector, e."class" AS "class", e.state, e.attempts, e.payload_hash, e.source_ref, '
            "p.payload AS payload FROM effects e JOIN proposals p ON p.id=e.proposal ORDER BY e.ordinal"
        )
        with self.store.engine.connect() as conn:
            rows = [dict(row) for row in conn.execute(sa.text(query)).mappings()]
        for row in rows:
            if row["connector"] == "relay":
                row["source_ref"] = re.findall(r'"to":\["([^"]+)"', str(row.pop("payload")))[0]
        return rows

    def story(self) -> Story:
        """What the checker needs."""
        cards = {row[0] for row in self.ask("SELECT subject FROM tasks WHERE state='open'")}
        effects = self.effects()
        replies = {row["source_ref"] for row in effects if "@yoga-" in row["source_ref"]}
        return Story(self.providers.deeds(), effects, self.approved | replies, self.again, cards)

    def lost(self) -> list[str]:
        """Everything that was answered 2xx and is not there, or not as it was said."""
        events = {row[0] for row in self.ask("SELECT id FROM events")}
        proposals = dict(self.ask("SELECT id, state FROM proposals"))
        found = [f"the event of {ref} is lost" for ref, ident in self.events.items() if ident not in events]
        for ref, ident in self.made.items():
            wanted = "approved" if ref in self.approved else "rejected"
            if proposals.get(ident) != wanted:
                found.append(f"the proposal of {ref} was {wanted} and is {proposals.get(ident, 'lost')}")
        leads = self.ask("SELECT count(*) FROM records WHERE kind='lead'")[0][0]
        if leads != self.enquiries:
            found.append(f"{self.enquiries} people wrote, there are {leads} leads")
        return found

    def mended(self) -> bool:
        """What a person does, then whether each run that failed has a later try that did not."""
        self.sign()
        try:
            return not self.given_up()
        except sa.exc.SQLAlchemyError:
            return False

    def given_up(self) -> list[tuple[str, str]]:
        """Runs that failed and have no later try that goes on or is done: (flow, error)."""
        rows = [(run.partition(AGAIN)[0], *more) for run, *more in self.ask("SELECT id, flow, state, error FROM runs")]
        well = {first for first, _flow, state, _error in rows if state != "failed"}
        return [(flow, error) for first, flow, _state, error in rows if first not in well]

    def cut_short(self) -> set[str]:
        """References of effects that are not known because a process died, or waited too long, in their call."""
        of = {row["id"]: row["source_ref"] for row in self.effects()}
        why = "evidence LIKE 'the process died%' OR evidence LIKE '%No answer came within%'"
        return {of[row[0]] for row in self.ask(f"SELECT effect FROM effect_attempts WHERE {why}")}

    def listed(self) -> dict[str, str]:
        """References of effects that a person was ever asked about, and when the first card came."""
        of = {row["id"]: row["source_ref"] for row in self.effects()}
        cards = self.ask("SELECT subject, min(created) FROM tasks WHERE type='unknown_outcome' GROUP BY subject")
        return {of[subject]: created for subject, created in cards}

    def stop_gently(self) -> None:
        """End the server as an operator does."""
        assert self.served.process is not None
        self.served.process.send_signal(signal.SIGTERM)
        self.served.process.wait(300)
