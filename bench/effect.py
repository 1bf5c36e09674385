"""What an effect costs beyond its bare call: commits that wait for the disk, and CPU, against a provider of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench import world
from bench.figures import Figure, quantile
from soloist.app import App
from soloist.cli import starter
from soloist.kernel.proposal import NewProposal, api_proposal_id
from soloist.stages.approvals import Decision

EFFECTS, WARM = 60, 10
PROVIDER = """
import http.server, sys
class Asked(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "13")
        self.end_headers()
        self.wfile.write(b'{"id": "p-1"}')
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
TOML = """
[connectors.shop]
kind = "http"
base_url = "http://127.0.0.1:{port}"
allow_private_network = true
[connectors.shop.operations.charge]
method = "POST"
path = "/charges"
class = "A"
key_header = "Idempotency-Key"
"""


def run() -> list[Figure]:
    """One effect after the other on a home with its engine running; the bare calls in between."""
    with subprocess.Popen([sys.executable, "-c", PROVIDER], stdout=subprocess.PIPE, text=True) as provider:
        try:
            assert provider.stdout is not None
            return asyncio.run(_measure(int(provider.stdout.readline())))
        finally:
            provider.kill()


async def _measure(port: int) -> list[Figure]:
    with world.folder() as root:
        toml = starter.write_into(root, business="Studio Linde", timezone="Europe/Berlin", language="en")[0]
        toml.write_text(toml.read_text() + TOML.format(port=port))
        app = App(root)
        try:
            await app.start()
            found = await _compared(app)
            await app.stop()
            return found
        finally:
            app.close()


class _Counted:
    """Commits that wait for the disk, and the end of the runs of effects."""

    def __init__(self, app: App) -> None:
        self.commits, self.ended = 0, asyncio.Event()
        sa.event.listen(app.store._full, "commit", self._commit)
        finish = app.engine._finish  # type: ignore[union-attr]  # it was launched

        async def noted(run: str, error: Exception | None) -> None:
            await finish(run, error)
            if run.startswith("effect:"):
                self.ended.set()

        app.engine._finish = noted  # type: ignore[union-attr]  # the same

    def _commit(self, _conn: Any) -> None:
        self.commits += 1


async def _compared(app: App) -> list[Figure]:
    """Effects and bare calls alternate; the idle CPU of the process is taken off both."""
    counted, idle = _Counted(app), await _idle()
    commits, spent, bare, walls = [], [], [], []
    for number in range(WARM + EFFECTS):
        made = await app.desk.propose_over_api(_proposal(number), actor="token:bench")
        await asyncio.sleep(0.1)
        counted.ended.clear()
        said = Decision("approve", made["payload_hash"], who="operator", via="api")
        await app.desk.approvals.decide(made["id"], said)
        before, wall, cpu = counted.commits, time.perf_counter(), time.process_time()
        await asyncio.wait_for(counted.ended.wait(), 30)
        wall = time.perf_counter() - wall
        cpu = time.process_time() - cpu - idle * wall
        alone = await _bare(app, made["id"], idle)
        if number >= WARM:
            commits.append(counted.commits - before)
            spent.append(cpu * 1e3)
            walls.append(wall * 1e3)
            bare.append(alone * 1e3)
    beyond = median(spent) - median(bare)
    note = f"{EFFECTS} effects of class A, from the approval's commit to the end of the run; at most {max(commits)}"
    detail = f"{median(spent):.1f} ms against {median(bare):.1f} ms of the bare call, medians"
    return [
        Figure("an effect: commits that wait for the disk", sum(commits) / len(commits), "commits", "< 3.01", note),
        Figure("an effect: CPU beyond the bare call", beyond, "ms", "< 5", detail),
        Figure("an effect: approval to the end p50", quantile(walls, 0.5), "ms"),
    ]


async def _idle() -> float:
    """CPU seconds a second of the waiting process."""
    await asyncio.sleep(1)
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(3)
    return (time.process_time() - cpu) / (time.perf_counter() - wall)


async def _bare(app: App, proposal: str, idle: float) -> float:
    """CPU seconds of the same request through the same client, without anything around it."""
    door = app.desk.effects._door
    row = await app.store.read(
        lambda conn: conn.execute(
            sa.text("SELECT key, created FROM effects WHERE proposal=:id"), {"id": proposal}
        ).one()
    )
    plan = door.prepare("shop", "charge", {"number": 1}, row.key, row.created)
    wall, cpu = time.perf_counter(), time.process_time()
    await door.execute("shop", plan)
    return time.process_time() - cpu - idle * (time.perf_counter() - wall)


def _proposal(number: int) -> NewProposal:
    """A charge that nobody has proposed before."""
    return NewProposal(
        id=api_proposal_id("bench", str(number)),
        connector="shop",
        operation="charge",
        payload={"number": number},
        reason="an order was paid",
        source="api:bench",
        source_ref=str(number),
    )
