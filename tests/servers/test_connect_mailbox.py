"""``soloist connect`` against a real Dovecot and Postfix: by flags, with every fault an operator meets, and running."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from soloist.app import App
from soloist.cli import starter
from soloist.engine.store import tables
from tests.servers import oauth_server, story
from tests.servers.dovecot_postfix import MailHouse
from tests.servers.mail_server import PASSWORD

pytestmark = pytest.mark.servers
SUBJECTS = [
    "New online shop for spring",
    "Invoice 2026-118",
    "Re: Logo",
    "Lunch on Friday?",
    "Website for the practice",
]
ARRIVED = sa.select(tables.events.c.id).where(tables.events.c.kind == "mail.received")
LINES = 6
"""Open lines of a mailbox that is read: one kept for each of its four streams, and two that listen."""
Done = subprocess.CompletedProcess[str]


def mail(subject: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "ada@okafor-ceramics.example",
        "mara@studio-linde.example",
        subject,
    )
    message["Date"], message["Message-ID"] = "Fri, 20 Nov 2026 09:00:00 +0100", f"<{abs(hash(subject))}@okafor.example>"
    message.set_content("We need a new website, our budget is 4,000 EUR and we would like to start in March.")
    return message.as_bytes()


@pytest.fixture(scope="module")
def provider() -> Iterator[oauth_server.Provider]:
    with oauth_server.running() as found:
        yield found


@pytest.fixture(scope="module")
def house(provider: oauth_server.Provider) -> Iterator[MailHouse]:
    made = MailHouse(introspect=provider.introspect_url)
    try:
        made.start()
        made.deliver("mara", *[mail(subject) for subject in SUBJECTS])
        yield made
    finally:
        made.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    starter.write_into(place, business="Studio Linde", timezone="Europe/Berlin", language="en")
    App(place).close()
    return place


def soloist(home: Path, *words: str, given: str = "") -> Done:
    command = [sys.executable, "-m", "soloist", *words, "--home", str(home)]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=240)


def flags(house: MailHouse, **other: str) -> list[str]:
    """The flags that name this house; an empty value leaves one out."""
    given = {
        "address": "mara@studio-linde.example", "username": "mara", "ca-file": str(house.certificate),
        "imap-host": "localhost", "imap-port": str(house.imaps), "imap-security": "tls",
        "smtp-host": "localhost", "smtp-port": str(house.submission), "smtp-security": "starttls",
        **{key.replace("_", "-"): value for key, value in other.items()},
    }  # fmt: skip
    return [word for key, value in given.items() if value for word in (f"--{key}", value)]


def secrets(home: Path) -> list[str]:
    app = App(home)
    try:
        return app.keyring.names()
    finally:
        app.close()


def connect(home: Path, words: list[str], password: str = PASSWORD, private: bool = True) -> Done:
    extra = ["--password-stdin", "--yes", *(["--allow-private-network"] if private else [])]
    return soloist(home, "connect", "mail", *words, *extra, given=password + "\n")


def test_a_real_mailbox_shows_its_subjects_and_only_reads(home, house):
    done = connect(home, flags(house))
    assert done.returncode == 0, done.stderr
    assert [subject for subject in SUBJECTS if subject not in done.stdout] == []
    (row,) = json.loads(soloist(home, "connect", "list", "--json").stdout)
    assert (row["address"], row["may_send"]) == ("mara@studio-linde.example", False)
    assert PASSWORD not in (home / "soloist.toml").read_text().split()
    assert soloist(home, "connect", "test", "mailbox").returncode == 0


FAULTS = [
    ("wrong password", {}, "wrong", True, 3, "password"),
    ("certificate", {"ca_file": ""}, PASSWORD, True, 5, "certificate"),
    ("closed port", {"imap_port": "9"}, PASSWORD, True, 4, "could not be reached"),
    ("no leave for the own network", {}, PASSWORD, False, 4, "private network"),
    ("sending does not work", {"smtp_port": "9"}, PASSWORD, True, 4, "sending does not"),
]


@pytest.mark.parametrize(("name", "other", "password", "private", "code", "said"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_is_said_has_its_code_and_stores_nothing(home, house, name, other, password, private, code, said):
    before = (home / "soloist.toml").read_text()
    done = connect(home, flags(house, **other), password, private)
    assert (done.returncode, said in done.stderr.lower()) == (code, True), done.stderr
    assert "Nothing was stored." in done.stderr
    assert "Traceback" not in done.stderr
    assert (home / "soloist.toml").read_text() == before
    assert secrets(home) == []


def test_a_sign_in_with_an_own_client_id_reads_the_mailbox(home, house, provider):
    words = flags(
        house, client_id="mine", authorize_url=provider.authorize_url, token_url=provider.token_url, scope="mail"
    )
    command = [sys.executable, "-u", "-m", "soloist", "connect", "mail", *words, "--allow-private-network", "--yes"]
    process = subprocess.Popen(
        [*command, "--home", str(home)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killer = threading.Timer(240, process.kill)
    killer.start()
    assert process.stdout is not None
    link = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+/authorize\S+", line)))
    httpx.get(link, follow_redirects=True, timeout=120)
    rest, errors = process.communicate(timeout=240)
    killer.cancel()
    assert process.returncode == 0, errors
    assert SUBJECTS[0] in rest
    assert "xoauth2" in (home / "soloist.toml").read_text()
    assert secrets(home) == ["mailbox-refresh"]
    soloist(home, "secret", "set", "mailbox-refresh", given="revoked")
    ended = soloist(home, "connect", "test", "mailbox")
    assert ended.returncode == 3
    assert "has ended or was withdrawn" in ended.stderr


def test_a_running_server_takes_a_mailbox_over_and_lets_go_of_it(home, house):
    running = story.Running(home, "up").ready()
    try:
        assert "takes it over" in connect(home, flags(house)).stdout
        story.until(lambda: _row(home).get("state") == "reading")
        house.deliver("mara", mail("While it is connected"))
        story.until(lambda: _taken(home) == 1)
        story.until(lambda: house.connections("mara") == LINES)
        assert soloist(home, "connect", "remove", "mailbox", "--yes").returncode == 0
        story.until(lambda: house.connections("mara") == LINES - 2)  # it looked at the file and listens no more
        house.deliver("mara", mail("After it was removed"))
        time.sleep(4)
        assert _taken(home) == 1
        assert secrets(home) == []
    finally:
        running.end()


def _row(home: Path) -> dict[str, Any]:
    """The one mailbox as it is listed."""
    return dict(next(iter(json.loads(soloist(home, "connect", "list", "--json").stdout)), {}))


def _taken(home: Path) -> int:
    """How many mails arrived."""
    app = App(home)
    try:
        return len(app.store.read_now(lambda conn: conn.execute(ARRIVED).all()))
    finally:
        app.close()
