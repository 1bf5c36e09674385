"""The first start without a browser, a real process each time: what a new home says, refuses and survives."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app
from soloist.engine.store import tables

LINK = re.compile(r"Open (http://localhost:\d+)(\S*)")
SUBMITTED = sa.select(tables.events.c.id).where(tables.events.c.kind == "form.submitted")
ASKS = "Hello,\n\nwe need a new website, about five pages. Our budget is 3,500 EUR. Could you do that?\n\nNora Feld\n"


def until(true: Callable[[], Any], seconds: float = 180.0) -> Any:
    """The first true answer."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"not true within {seconds:.0f} s"
        time.sleep(0.1)
    return found


def soloist(*words: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run([sys.executable, "-m", "soloist", *words], capture_output=True, text=True, timeout=300)


class Server:
    """``soloist up`` on a home, on a free port."""

    def __init__(self, home: Path) -> None:
        self.home, self.log = home, home.parent / f"{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "soloist", "up", "--home", str(home), "--no-open", "--port", "0"]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ})
        found = until(lambda: LINK.search(self.log.read_text()) or self.process.poll() is not None)
        assert isinstance(found, re.Match), self.log.read_text()
        self.base, self.path = found[1], found[2]
        until(lambda: self.get("/readyz").status_code == 200)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.base + path, timeout=120)

    def end(self) -> float:
        """Ask it to end; seconds until it did."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return time.monotonic() - began

    def told(self, command: str, *words: str) -> Any:
        """What a reading command says about this home, while it runs."""
        return json.loads(CliRunner().invoke(app, [command, *words, "--home", str(self.home), "--json"]).stdout)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("first") / "home")
    yield server
    server.end()


def deliver(server: Server, name: str, raw: bytes) -> None:
    """Put a mail into the folder that mail is read from."""
    folder = server.home / "mail/in/new"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / name).write_bytes(raw)
    (folder.parent / name).rename(folder / name)


def mail(subject: str, *, sender: str = "nora@feld-yoga.example") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "me@localhost", subject
    message["Message-ID"] = f"<{subject.replace(' ', '-')}@first.example>"
    message.set_content(ASKS)
    return message


def card_about(server: Server, words: str) -> Any:
    """The open card whose title holds these words."""
    return next((card for card in server.told("inbox") if words in card["title"]), None)


def test_a_new_home_is_healthy_and_lets_one_in_once(up: Server) -> None:
    assert up.get("/healthz").json() == {"ok": True}
    ready = up.get("/readyz").json()
    assert (ready["ok"], ready["engine"], ready["database"]) == (True, True, True)
    with httpx.Client(base_url=up.base, headers={"Origin": up.base}, timeout=120) as browser:
        assert "Set your password" in browser.get(up.path).text
        answer = browser.post(up.path, data={"password": "a calm desk at the window"}, follow_redirects=True)
        assert "Nothing needs you" in answer.text
        assert browser.get(up.path).status_code == 410
    assert up.get("/").status_code == 303


def test_a_second_server_on_the_same_home_is_refused(up: Server) -> None:
    done = soloist("up", "--home", str(up.home), "--no-open", "--port", "0")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("soloist: Soloist already runs on this home")
    assert done.stderr.count("\n") == 1
    assert up.get("/healthz").status_code == 200


def test_a_port_in_use_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = soloist("up", "--home", str(tmp_path / "home"), "--no-open", "--port", port)
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "home/soloist.db").exists()


def test_it_ends_when_asked_and_starts_again(tmp_path: Path) -> None:
    server = Server(tmp_path / "home")
    assert server.end() < 60
    assert server.process.returncode in (0, -signal.SIGTERM)
    again = Server(tmp_path / "home")
    assert again.get("/readyz").json()["ok"]
    assert again.end() < 60


def test_a_form_field_of_a_megabyte_is_refused_and_not_kept(up: Server) -> None:
    given = {"name": "Nora", "email": "nora@feld-yoga.example", "message": "x" * 1_000_000}
    answer = httpx.post(up.base + "/f/contact", data=given, headers={"Origin": up.base}, timeout=120)
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/html")
    home = App(up.home)
    try:
        assert home.store.read_now(lambda conn: conn.execute(SUBMITTED).all()) == []
    finally:
        home.close()


def test_a_mail_of_50_mb_is_noted_and_the_rest_goes_on(up: Server) -> None:
    large = mail("Everything at once", sender="ida@moor.example")
    large.add_attachment(os.urandom(37 * 1024 * 1024), maintype="application", subtype="octet-stream")
    deliver(up, "large.eml", large.as_bytes())
    deliver(up, "small.eml", mail("A small one").as_bytes())
    until(lambda: card_about(up, "A small one"))
    until(lambda: (up.home / "mail/in/cur/large.eml:2,").exists() or (up.home / "mail/in/new/large.eml").exists())
    card = until(lambda: card_about(up, "Everything at once"))
    assert "The mail is larger than 25 MB; only its beginning was read." in json.dumps(up.told("why", card["id"]))


def test_a_broken_mail_does_not_stop_the_next(up: Server) -> None:
    deliver(up, "broken.eml", b"\xff\xfe\x00 From nobody\nContent-Type: multipart/mixed; boundary=\n\n--\n\x80\x81")
    deliver(up, "empty.eml", b"")
    deliver(up, "after.eml", mail("After the broken one").as_bytes())
    assert until(lambda: card_about(up, "After the broken one"))
    until(lambda: not list((up.home / "mail/in/new").glob("broken*")))
    assert up.told("status")["runs_failed"] == 0


def test_an_archive_that_unpacks_to_much_is_left_packed(up: Server) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"{number}.txt", b"0" * 50_000_000)
    bomb = mail("With an archive")
    bomb.add_attachment(packed.getvalue(), maintype="application", subtype="zip", filename="plan.zip")
    deliver(up, "bomb.eml", bomb.as_bytes())
    assert until(lambda: card_about(up, "With an archive"))
    kept = sum(path.stat().st_size for path in (up.home / "assets").rglob("*") if path.is_file())
    assert kept < 120 * 1024 * 1024
    assert up.get("/readyz").json()["ok"]


def test_the_sample_is_not_put_into_a_real_home(up: Server) -> None:
    done = soloist("demo", "--home", str(up.home), "--no-open", "--port", "0")
    assert done.returncode == 1
    assert "is a real home" in done.stderr
    assert "sample = true" not in (up.home / "soloist.toml").read_text()
