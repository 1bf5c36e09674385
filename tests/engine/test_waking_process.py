"""A real server that is stopped for a few seconds, as by a closed lid: it notices, writes it down and catches up."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from email.message import EmailMessage
from pathlib import Path

from tests.acceptance.driving import SOLOIST, Served, environment, token, until

PAUSED = 4.0


def mail(subject: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"] = "Ada Okafor <ada@okafor-ceramics.example>", "mara@studio-linde.example"
    made["Subject"], made["Message-ID"] = subject, f"<{subject.replace(' ', '.')}@okafor-ceramics.example>"
    made.set_content("Could we move our call to Tuesday, please?")
    return made.as_bytes()


def events(served: Served, key: str, kind: str) -> list[dict[str, object]]:
    found = served.ask("GET", "/events", key, params={"limit": 100}).json()["items"]
    return [event for event in found if event["kind"] == kind]


def test_a_server_that_was_stopped_catches_up(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key = token(home)
    served = Served(home)
    served.start(SOLOIST_WAKE_AFTER="2")
    assert served.process is not None
    try:
        time.sleep(3)
        served.process.send_signal(signal.SIGSTOP)
        (home / "drop").mkdir(exist_ok=True)
        (home / "drop" / "one.eml").write_bytes(mail("While you slept"))
        time.sleep(PAUSED)
        served.process.send_signal(signal.SIGCONT)
        (woke,) = until(lambda: events(served, key, "machine.woke"), what="machine.woke")
        assert PAUSED - 2 <= woke["payload"]["slept_seconds"] <= PAUSED + 30
        until(lambda: not list((home / "drop").glob("*.eml")), what="the mail of the pause")
        assert served.is_ready()
        assert events(served, key, "clock.jumped") == []
    finally:
        served.process.send_signal(signal.SIGCONT)
        served.kill()
    words = [*SOLOIST, "logs", "--home", str(home), "--level", "warning", "--json"]
    said = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True).stdout
    assert any("slept for" in json.loads(line)["event"] for line in said.splitlines())
