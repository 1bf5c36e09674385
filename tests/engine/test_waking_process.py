"""A real server that is stopped for a few seconds, as by a closed lid: it notices, writes it down and catches up."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.acceptance.driving import SOLOIST, Served, environment, token, until

pytestmark = pytest.mark.storm

PAUSED = 4.0
HOLD = 5.0
"""Seconds between an approval and the sending, long enough that the pause begins first on a busy machine too."""
ASKS = "Hello Mara,\n\nwe need a new website, about six pages, for 3,500 EUR. Could you do that?\n\nEmily Carter\n"


def mail(ident: str, text: str, answers: str = "") -> bytes:
    made = EmailMessage()
    made["From"], made["To"] = "Emily Carter <emily@carter-bakery.example>", "mara@studio-linde.example"
    made["Subject"], made["Message-ID"] = "New website for our bakery", f"<{ident}@carter-bakery.example>"
    if answers:
        made["In-Reply-To"] = f"<{answers}@carter-bakery.example>"
    made.set_content(text)
    return made.as_bytes()


def command(home: Path, *words: str) -> str:
    """What a command prints."""
    line = [*SOLOIST, *words, "--home", str(home)]
    return subprocess.run(line, env=environment(), capture_output=True, text=True, check=True, timeout=300).stdout


def events(served: Served, key: str, kind: str) -> list[dict[str, object]]:
    found = served.ask("GET", "/events", key, params={"limit": 500}).json()["items"]
    return [event for event in found if event["kind"] == kind]


def test_a_server_that_was_stopped_catches_up(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key = token(home)
    served = Served(home)
    served.start(SOLOIST_WAKE_AFTER="2")
    assert served.process is not None
    try:
        served.process.send_signal(signal.SIGSTOP)
        (home / "drop").mkdir(exist_ok=True)
        (home / "drop" / "one.eml").write_bytes(mail("one", ASKS))
        time.sleep(PAUSED)
        served.process.send_signal(signal.SIGCONT)
        until(lambda: [e for e in events(served, key, "machine.woke") if e["payload"]["slept_seconds"] >= PAUSED - 2])
        until(lambda: not list((home / "drop").glob("*.eml")), what="the mail of the pause")
        assert served.is_ready()
        assert events(served, key, "clock.jumped") == []
    finally:
        served.process.send_signal(signal.SIGCONT)
        served.kill()
    said = command(home, "logs", "--level", "warning", "--json")
    assert any("slept for" in json.loads(line)["event"] for line in said.splitlines())


def test_what_became_due_meanwhile_does_not_go_out_over_the_clients_newer_word(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command(home, "init", "--business", "Studio Linde")
    toml = home / "soloist.toml"
    toml.write_text(toml.read_text().replace('hold = "30s"', f'hold = "{HOLD:.0f}s"'))
    (home / "drop").mkdir(exist_ok=True)
    key = token(home)
    served = Served(home)
    served.start(SOLOIST_WAKE_AFTER="2")
    assert served.process is not None
    try:
        (home / "drop" / "one.eml").write_bytes(mail("one", ASKS))
        (made,) = until(lambda: served.every("/proposals", key, state="waiting"), what="a proposal")
        said = {"decision": "approve", "payload_hash": made["payload_hash"]}
        assert served.ask("POST", f"/proposals/{made['id']}/approval", key, json=said).status_code < 300
        served.process.send_signal(signal.SIGSTOP)
        time.sleep(HOLD + PAUSED)  # late by more than what counts as a sleep here, so that the mail is read first
        (home / "drop" / "two.eml").write_bytes(mail("two", "Please stop, we have found somebody else.", "one"))
        served.process.send_signal(signal.SIGCONT)
        until(lambda: not list((home / "drop").glob("*.eml")), what="the newer mail")
        until(
            lambda: {row["state"] for row in served.every("/effects", key)} == {"resolved_not_done"}, what="held back"
        )
        until(
            lambda: {row["state"] for row in served.every("/proposals", key)} == {"superseded", "waiting"},
            what="a copy",
        )
        assert [path for path in (home / "mail/out").rglob("*") if path.is_file()] == []
    finally:
        served.process.send_signal(signal.SIGCONT)
        served.kill()
