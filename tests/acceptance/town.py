"""A home on a real Postgres with a server and workers that can be killed; asks the database what became of the work."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from soloist.cli import starter
from tests.acceptance.driving import Served, begun, token, until
from tests.acceptance.nursery import Born, Nursery
from tests.engine.store import databases

ASKS = "Hello,\n\nwe need a new website with about five pages. Our budget is 3,500 EUR.\n\nNora Feld\n"


class Town:
    """Expects SOLOIST_DATABASE in the environment to be ``url``, so that every process finds the database."""

    def __init__(self, folder: Path, url: str, nursery: Nursery | None = None) -> None:
        self.home = folder / "home"
        toml = starter.write_into(self.home, business="Feld", timezone="UTC", language="en")[0]
        toml.write_text(toml.read_text().replace('hold = "30s"', 'hold = "0s"'))
        (self.home / "mail/in/new").mkdir(parents=True)
        (self.home / "mail/in/tmp").mkdir()
        self.nursery, self.url = nursery, url
        self.served = Served(self.home, nursery=nursery, SOLOIST_DATABASE=url)
        self.engine = databases.engine(url)
        self.workers: list[subprocess.Popen[bytes] | Born] = []
        self.served.start()
        self.key = token(self.home)
        self.sent: list[str] = []

    def ask(self, sql: str, **values: Any) -> list[Any]:
        """Rows, straight from the database."""
        with self.engine.connect() as conn:
            return [tuple(row) for row in conn.execute(sa.text(sql), values)]

    def worker(self, *, seen: bool = True, **env: str) -> subprocess.Popen[bytes] | Born:
        """One more worker; ``seen`` waits until the server has seen it."""
        before = len(self.ask("SELECT 1 FROM workers WHERE kind='worker'"))
        log = self.home.parent / f"worker.{len(self.workers)}.log"
        process = begun(["worker", "--home", str(self.home)], log, self.nursery, SOLOIST_DATABASE=self.url, **env)
        self.workers.append(process)
        if not seen:
            return process
        until(lambda: len(self.ask("SELECT 1 FROM workers WHERE kind='worker'")) > before, what="a worker")
        time.sleep(1.2)
        return process

    def deliver(self, name: str, count: int) -> list[str]:
        """Enquiries of new people, put into the maildir at one moment; their addresses."""
        drafts = []
        for number in range(count):
            address = f"nora-{number}@{name}.example"
            message = EmailMessage()
            message["From"], message["To"] = f"Nora Feld <{address}>", "me@localhost"
            message["Subject"], message["Message-ID"] = "A new website", f"<{address}>"
            message.set_content(ASKS)
            draft = self.home / "mail/in/tmp" / address
            draft.write_bytes(message.as_bytes())
            drafts.append(draft)
            self.sent.append(address)
        for draft in drafts:
            draft.rename(self.home / "mail/in/new" / draft.name)
        return self.sent[-count:]

    def owners(self) -> set[str]:
        """The processes in which proposals wait for their decision."""
        waiting = "SELECT 'proposal:' || id FROM proposals WHERE state='waiting'"
        rows = self.ask(
            f"SELECT executor_id FROM dbos.workflow_status WHERE status='PENDING' AND workflow_uuid IN ({waiting})"
        )
        return {row[0] for row in rows}

    def approve(self) -> int:
        """Approve every card that waits; the number of proposals there are. Trouble means a later try."""
        base, headers = f"http://127.0.0.1:{self.served.port}/api/v1", {"Authorization": f"Bearer {self.key}"}
        try:
            for ident, digest in self.ask("SELECT id, payload_hash FROM proposals WHERE state='waiting'"):
                said = {"decision": "approve", "payload_hash": digest}
                self.served.client.post(f"{base}/proposals/{ident}/approval", headers=headers, json=said)
        except httpx.TransportError:
            time.sleep(0.1)
        return int(self.ask("SELECT count(*) FROM proposals")[0][0])

    def left(self) -> Counter[str]:
        """How many mails left for each address."""
        files = (self.home / "mail/out/new").glob("*")
        texts = (path.read_bytes().decode() for path in files)
        return Counter(text.partition("\nTo: ")[2].split("\n")[0].strip().strip("<>") for text in texts)

    def answered(self, addresses: list[str], seconds: float = 900) -> None:
        """Approve what waits until each of these has a mail; fails with what is still under way."""
        end = time.monotonic() + seconds
        while open_ones := set(addresses) - set(self.left()):
            self.approve()
            assert time.monotonic() < end, f"{len(open_ones)} have no answer after {seconds:.0f} s: {self.under_way()}"
            time.sleep(0.1)

    def under_way(self) -> list[Any]:
        """What has not ended: our word, the engine's word, who has it and whether that one lives."""
        return self.ask(
            "SELECT r.flow, r.state, s.status, w.kind, w.ended, count(*) FROM runs r"
            " LEFT JOIN dbos.workflow_status s ON s.workflow_uuid=r.id LEFT JOIN workers w ON w.executor=s.executor_id"
            " WHERE r.state IN ('pending', 'running') AND r.flow<>'followup' GROUP BY 1,2,3,4,5"
        )

    def end(self) -> None:
        """Kill what runs."""
        for process in self.workers:
            process.kill()
            process.wait()
        self.served.kill()
        self.engine.dispose()
