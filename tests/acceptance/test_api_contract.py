"""The API from outside: a real server process, a real token, real HTTP; what was accepted survives a kill -9."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from soloist.web.server import listen
from tests.acceptance.ports import free_port

SOLOIST = (sys.executable, "-m", "soloist")
CHARGE = {
    "connector": "mail",
    "operation": "mail.send",
    "payload": {"to": ["ada@okafor-ceramics.example"], "subject": "Invoice 7", "body": "Dear Ada, it is attached."},
    "reason": "Invoice 7 is due",
    "source_ref": "invoice-7",
}


class Server:
    """A home and the process that serves it."""

    def __init__(self, home: Path) -> None:
        self.home, self.process, self.port = home, None, free_port()
        paths = [str(Path(__file__).parents[2] / "src"), os.environ.get("PYTHONPATH", "")]
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def start(self) -> None:
        command = (*SOLOIST, "up", "--home", str(self.home), "--port", str(self.port), "--no-open")
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)
        for _ in range(1800):
            assert self.process.poll() is None, "the server ended while it started"
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=60).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the server did not become ready in 180 s")

    def end(self, how: int) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(180)

    def client(self) -> httpx.Client:
        scope = ("--scope", "read,propose,approve", "--name", f"t{time.time_ns()}")
        made = subprocess.run(
            (*SOLOIST, "token", "create", "--home", str(self.home), *scope),
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", headers=headers, timeout=120)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("contract") / "home")
    made.start()
    yield made
    made.end(signal.SIGTERM)


def eventually(ask: Callable[[], Any]) -> Any:
    """The first answer that is not empty, within two minutes."""
    for _ in range(2400):
        if found := ask():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came")


def test_what_was_accepted_is_there_after_a_kill(server: Server) -> None:
    client = server.client()
    event = {"source": "shop", "external_id": "order-1", "kind": "order.paid", "payload": {"total": 4900}}
    first = client.post("/events", json=event)
    proposal = client.post("/proposals", json=CHARGE)
    assert (first.status_code, proposal.status_code) == (202, 202)
    server.end(signal.SIGKILL)
    server.start()
    again, same = client.post("/events", json=event), client.post("/proposals", json=CHARGE)
    assert (again.status_code, again.json(), same.status_code) == (200, first.json(), 200)
    assert same.json()["id"] == proposal.json()["id"]


def test_an_approved_mail_leaves_once_and_is_explained(server: Server) -> None:
    client = server.client()
    made = client.post("/proposals", json=CHARGE).json()
    said = {"decision": "approve", "payload_hash": made["payload_hash"], "edits": {"subject": "Invoice No. 7"}}
    answer = client.post(f"/proposals/{made['id']}/approval", json=said)
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    eventually(lambda: [e for e in client.get("/effects").json()["items"] if e["state"] == "succeeded"])
    sent = [path.read_text() for path in (server.home / "mail" / "out").rglob("*") if path.is_file()]
    assert len(sent) == 1
    assert "Invoice No. 7" in sent[0]
    told = client.get(f"/explanations/{made['id']}").json()
    assert told["approvals"][0]["changed"][0]["field"] == "subject"


def test_the_document_names_every_resource(server: Server) -> None:
    document = server.client().get("/openapi.json").json()
    wanted = ("events", "runs", "cards", "proposals", "effects", "stop", "operations", "connectors", "agents")
    assert {f"/{name}" for name in wanted} <= set(document["paths"])
    assert document["servers"] == [{"url": "/api/v1"}]


def test_an_answer_is_not_held_back_by_the_network_stack() -> None:
    """A listening socket that is not named as TCP leaves Nagle on, and each answer then waits 40 ms."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
