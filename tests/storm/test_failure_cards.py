"""Every failure has one card, however often it happens: faults of steps, providers, sources, files and mail."""

import asyncio
import contextlib
import email
import email.policy
from collections import Counter
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.flows import failing
from soloist.flows.sources import Line
from soloist.flows.troubles import Supervisor
from soloist.kernel.errors import BadInput, NotFound
from soloist.kernel.proposal import NewProposal
from soloist.sdk import Trouble
from tests.flows.conftest import House, Open, house, mail, worker  # noqa: F401  # fixtures

pytestmark = pytest.mark.storm

JSON = "Content-Type: application/json\r\n"


def says(status: int, body: bytes = b"{}", headers: str = JSON) -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


ANSWERS = {
    "bad-request": says(400),
    "sign-in": says(401),
    "forbidden": says(403),
    "not-there": says(404),
    "gone": says(410),
    "invalid": says(422, b'{"error": "the amount is missing"}'),
    "conflict": says(409),
    "broken": says(500),
    "down": says(503, b"<h1>back soon</h1>", "Content-Type: text/html\r\n"),
    "html": says(200, b"<html>please sign in</html>", "Content-Type: text/html\r\n"),
    "cut": says(200, b'{"id": "x", "amou'),
    "short": says(200, b"x" * 99)[:-90],
    "huge": says(200, b'{"id": "' + b"x" * 8 * 1024 * 1024 + b'"}'),
    "moved": says(302, b"", "Location: http://169.254.169.254/latest/\r\n"),
    "nothing": b"",
    "good": says(200, b'{"id": "n1"}'),
}
BAD = [name for name in ANSWERS if name != "good"]
SHOP = """
[connectors.{name}]
kind = "http"
base_url = "http://127.0.0.1:{port}/{name}"
allow_private_network = true
[connectors.{name}.operations.notify]
method = "POST"
path = "/notes"
class = "C"
timeout = "2s"
"""
STEPS = {
    "receive": ("intake", "receive", TypeError("unsupported operand")),
    "identify": ("records", "identify", KeyError("person")),
    "recall": ("memory", "recall", NotFound("There is no house book 'a'.")),
    "think": ("runtime", "think", BadInput("the message has no words")),
    "await": ("approvals", "await_state", ZeroDivisionError("division by zero")),
}
"""A fault of our own in a step on the way in: the stage, its method, what it fails with."""
OUT = {
    "intend": ("effects", "intend", RuntimeError("no such table")),
    "look": ("effects", "look", IndexError("list index out of range")),
    "record sent": ("conversation", "record_sent", ValueError("not a day")),
}
"""The same on the way out."""
SOURCES = ("auth", "forbidden", "protocol_drift", "bug")
TIMES = 3


@pytest.fixture
async def street() -> AsyncIterator[int]:
    """One server that plays every service by the first part of the path; its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(h[15:]) for h in head.lower().split("\r\n") if h.startswith("content-length:")), 0)
        await reader.readexactly(length)
        with contextlib.suppress(ConnectionError):
            writer.write(ANSWERS[head.split("/")[1]])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def asked(home: House) -> list[dict[str, Any]]:
    """Open cards about something that failed."""
    kinds = ("failure", "unknown_outcome")
    return [row for row in home.rows("tasks", state="open") if row["type"] in kinds or row["subject_kind"] == "policy"]


async def proposed(home: House, name: str, number: int) -> dict[str, Any]:
    """A proposal to one of the services."""
    new = NewProposal(
        id=f"00000000-0000-5000-8000-{number:012}",
        connector=name,
        operation="notify",
        payload={"note": f"for {name}"},
        reason="A note is due",
        source="api:test",
        source_ref=f"{name} {number}",
    )
    await home.desk.propose_over_api(new, actor="token:test")
    return next(row for row in home.rows("proposals") if row["id"] == new.id)


async def ended(home: House, flow: str) -> None:
    """No run of a flow is under way."""
    await home.until(lambda: not [r for r in home.rows("runs", flow=flow) if r["state"] in ("pending", "running")], 900)


async def faults_of_steps(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step fails several times with other inputs."""
    for name, (stage, method, error) in STEPS.items():

        async def boom(*_args: Any, error: Exception = error, **_named: Any) -> Any:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(getattr(home.desk, stage), method, boom)
            for turn in range(TIMES):
                text = f"Hello,\n\nwe need a website for {name} {turn}. Our budget is 3,000 EUR.\n\nNora\n"
                sender = f"Nora <{name}{turn}@feld-yoga.example>"
                await home.take_in(mail(text, sender=sender, ident=f"{name}{turn}@x.example"))
            await ended(home, "proposal" if name == "await" else "intake")


async def faults_of_sources(home: House) -> None:
    """Every connection of the house cannot be read for a reason that is the operator's."""
    half = next(half for half in home.desk.connections.values() if half.streams())
    stream = next(iter(half.streams().values()))
    for fault in SOURCES:
        fake = type("Half", (), {"name": f"box-{fault}"})()
        line = Line(fake, stream)
        for _ in range(TIMES):
            await home.app.sources._failed(line, Trouble(fault, f"The server said: {fault}."))


async def faults_on_the_way_out(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step after an approval fails several times."""
    for place, (name, (stage, method, error)) in enumerate(OUT.items()):

        async def boom(*_args: Any, error: Exception = error, **_named: Any) -> Any:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(getattr(home.desk, stage), method, boom)
            made = [await proposed(home, "good", 100 + 10 * place + turn) for turn in range(TIMES)]
            for row in made:
                await home.say(row, "approve")
            flow = "proposal" if name == "intend" else "effect"
            await home.until(lambda made=made, flow=flow: all(failed(home, row, flow) for row in made), 900)


def failed(home: House, proposal: dict[str, Any], flow: str) -> bool:
    """Whether the run of a proposal, or that of its effect, failed."""
    row = {"id": f"proposal:{proposal['id']}"} if flow == "proposal" else {"parent": f"proposal:{proposal['id']}"}
    return bool(home.rows("runs", flow=flow, state="failed", **row))


async def a_run_given_up(home: House) -> None:
    """The engine gave up a run that waits."""
    run = f"proposal:{(await proposed(home, 'good', 999))['id']}"
    await home.until(lambda: home.rows("runs", id=run, state="waiting"))
    lost = sa.text("UPDATE workflow_status SET status='MAX_RECOVERY_ATTEMPTS_EXCEEDED' WHERE workflow_uuid=:run")
    home.app.store.write_now(lambda tx: tx.run(lost, {"run": run}))
    for _ in range(TIMES):
        await Supervisor(home.app.store, home.app.engine.dead_letters).once()


async def a_mail_that_comes_back(home: House) -> None:
    """A mail of ours is returned by the other side, told twice."""
    await home.take_in(mail(sender="Ida <ida@weber.example>", ident="ida@weber.example"))
    (reply,) = home.rows("proposals", operation="mail.send", state="waiting")
    await home.say(reply, "approve")
    await home.until(lambda: home.sent())
    (sent,) = home.sent()
    for turn in range(2):
        await home.take_in(bounce(sent["Message-ID"], f"b{turn}@mx.example"))


def bounce(about: str, ident: str) -> EmailMessage:
    """A delivery status notification: nobody has this address."""
    status = "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; ida@weber.example\nAction: failed\n"
    status += "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n"
    text = (
        f"From: MAILER-DAEMON@mx.example\nTo: mara@studio-linde.example\nSubject: Undelivered Mail\n"
        f"Message-ID: <{ident}>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\n\n'
        "--x\nContent-Type: text/plain\n\nYour mail could not be delivered.\n"
        f"--x\nContent-Type: message/delivery-status\n\n{status}\n"
        f"--x\nContent-Type: text/rfc822-headers\n\nMessage-ID: {about}\nTo: ida@weber.example\n\n--x--\n"
    )
    return email.message_from_string(text, policy=email.policy.default)  # type: ignore[return-value]


async def test_every_fault_is_one_card(
    house: Open,  # noqa: F811
    street: int,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(failing, "TRIES", (3600.0, 3600.0))  # what tries and holds do is looked at elsewhere; here
    monkeypatch.setattr(failing, "SAME", 100)  # only cards are counted, however slow the machine is
    home = await house("".join(SHOP.format(name=name, port=street) for name in ANSWERS))
    for number, name in enumerate(BAD):
        await home.say(await proposed(home, name, number), "approve")
    await home.until(lambda: len(asked(home)) >= len(BAD), 900)
    await a_mail_that_comes_back(home)
    await a_run_given_up(home)
    await faults_of_sources(home)
    await faults_on_the_way_out(home, monkeypatch)
    await faults_of_steps(home, monkeypatch)
    (home.root / "policy.toml").write_text('[[policy.rules]]\nname = "x"\nwhen = "proposal.prize > 1"\nthen = "ask"\n')
    await home.until(lambda: any(row["subject_kind"] == "policy" for row in asked(home)), 900)
    kinds = len(BAD) + len(STEPS) + len(OUT) + len(SOURCES) + 3
    cards = asked(home)
    assert Counter(row["subject"] for row in cards).most_common(1)[0][1] == 1
    assert len(cards) == kinds, "\n".join(sorted(f"{row['title']}: {row['why'][:80]}" for row in cards))
    for row in cards:
        assert row["why"], row
        assert row["options"], row
        assert all(option["consequence"] for option in row["options"]), row
    print(f"P11: {kinds} kinds of faults, most of them {TIMES} times each, {len(cards)} cards, one for each kind")
