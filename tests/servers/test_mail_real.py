"""The mail adapter against a real Dovecot and Postfix: sign-in, reading, hints, sending, and what breaks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from soloist.plugins.connectors.mail import idle, reading
from soloist.sdk import Absent, Done, Found, Hint, Refused, Trouble, Unknown
from soloist.sdk.folders import BEGINNING, MESSAGE, TOO_LARGE
from soloist.sdk.testing import Case, StreamCase, check_connector, check_stream
from tests.acceptance.ports import free_port
from tests.servers import lines
from tests.servers.dovecot_postfix import MailHouse
from tests.servers.mail_house import MAIL, ctx_for, mail, plain, pulled, raws
from tests.servers.mail_server import PASSWORD

pytestmark = pytest.mark.servers
AT = "2026-11-21T09:30:00+00:00"
LETTER = {"to": ["ada@studio-linde.example"], "subject": "Größe", "body": "Guten Tag"}


@pytest.fixture(scope="module")
def house() -> Iterator[MailHouse]:
    made = MailHouse()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
async def left() -> AsyncIterator[None]:
    """No test leaves a line to the next one."""
    yield
    await MAIL.close()


@pytest.fixture
def user(house: MailHouse) -> str:
    return house.guest()


async def start(house: MailHouse, user: str, **settings: object) -> str:
    """A live cursor at the end of the inbox."""
    return (await pulled(ctx_for(house, user, **settings), "inbox:INBOX"))[-1].cursor


# ----- signing in


async def test_a_check_signs_in_to_both_servers_and_shows_five_subjects(house: MailHouse, user: str) -> None:
    house.deliver(user, *(mail(n, subject=f"=?utf-8?q?Gr=C3=B6=C3=9Fe_{n}?=") for n in range(7)))
    found = await MAIL.check(ctx_for(house, user))
    assert (found.state, found.remote) == ("ok", "localhost (Dovecot)")
    assert found.samples == tuple(f"Größe {n}" for n in (6, 5, 4, 3, 2))
    assert await quiet(house, user) == 0


async def test_starttls_signs_in(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user, imap_port=house.imap, imap_security="starttls")
    assert (await MAIL.check(ctx)).state == "ok"


async def test_a_wrong_password_is_auth_and_speaks_of_app_passwords(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user, secrets={"pw": "hush-wrong"})
    found = await MAIL.check(ctx)
    assert found.state == "auth"
    assert "app password" in found.detail and "hush-wrong" not in found.detail
    with pytest.raises(Trouble, match="app password") as caught:
        await pulled(ctx, "inbox:INBOX")
    assert caught.value.fault == "auth"


async def test_a_refused_password_is_shown_once_until_a_person_asks(house: MailHouse, user: str) -> None:
    async with lines.proxy(house.imap) as line:
        ctx = plain(house, user, line.port, password_secret="wrong", secrets={"wrong": "wr0ng"})
        tries = [pulled(ctx, stream) for stream in ("inbox:INBOX", "sent", "past:inbox:INBOX", "past:sent")]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert [fault.fault for fault in found] == ["auth"] * 4
        assert line.opened == 1
        assert (await MAIL.check(ctx)).state == "auth"
        assert line.opened == 2
        right = plain(house, user, line.port, password_secret="wrong", secrets={"wrong": PASSWORD})
        assert (await pulled(right, "inbox:INBOX"))[-1].complete


async def test_a_password_that_is_not_in_the_vault_is_auth(house: MailHouse, user: str) -> None:
    found = await MAIL.check(ctx_for(house, user, secrets={}))
    assert (found.state, "not there" in found.detail) == ("auth", True)


async def test_reading_that_works_and_sending_that_does_not_are_told_apart(house: MailHouse, user: str) -> None:
    found = await MAIL.check(ctx_for(house, user, smtp_port=9))
    assert (found.state, found.detail[:41]) == ("down", "Reading works, sending does not. localhos")


async def test_a_folder_that_is_not_there_is_named_with_those_that_are(house: MailHouse, user: str) -> None:
    found = await MAIL.check(ctx_for(house, user, folders=["INBOX", "Kunden"]))
    assert found.state == "degraded"
    assert "Kunden" in found.detail and "Drafts" in found.detail
    with pytest.raises(Trouble) as caught:
        await pulled(ctx_for(house, user), "inbox:Kunden")
    assert caught.value.fault == "not_found"


BAD = {
    "expired": ({"days": -1}, "has expired"),
    "self-signed": ({}, "self-signed"),
    "strange authority": ({"issuer": "Strangers"}, "this computer does not know"),
}


@pytest.mark.parametrize("fault", BAD)
async def test_a_bad_certificate_is_named_and_nothing_is_said_to_it(
    house: MailHouse, tmp_path: Path, fault: str
) -> None:
    given, words = BAD[fault]
    pem = lines.certificate(tmp_path / "bad.pem", "localhost", **given)
    async with lines.listening_tls(pem) as server:
        trusted = str(pem) if fault == "expired" else ""
        with pytest.raises(Trouble, match=words) as caught:
            await pulled(ctx_for(house, "mara", imap_port=server.port, ca_file=trusted), "inbox:INBOX")
        await asyncio.sleep(0.05)
        assert server.said == b""
    assert caught.value.fault == "unavailable"


async def test_a_certificate_for_another_name_is_named(house: MailHouse) -> None:
    async def here(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    ctx = ctx_for(house, "mara", imap_host="mail.other.example", resolver=here)
    with pytest.raises(Trouble, match="made out to another name.*mail.other.example"):
        await pulled(ctx, "inbox:INBOX")


async def test_a_server_without_encryption_gets_no_password(house: MailHouse, user: str) -> None:
    async with lines.proxy(house.imap, lambda words: words.replace(b" STARTTLS", b"")) as line:
        ctx = ctx_for(house, user, imap_port=line.port, imap_security="starttls")
        with pytest.raises(Trouble, match="offers no encryption"):
            await pulled(ctx, "inbox:INBOX")
        assert b"AUTHENTICATE" not in line.said and b"LOGIN" not in line.said


async def test_no_password_leaves_unencrypted_to_another_computer(
    house: MailHouse, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soloist.plugins.connectors.mail.imap.own_computer", lambda _sock: False)
    async with lines.proxy(house.imap) as line:
        with pytest.raises(Trouble, match="without encryption"):
            await pulled(plain(house, user, line.port), "inbox:INBOX")
        assert line.said == b""


async def test_login_is_used_where_a_server_offers_nothing_else(house: MailHouse, user: str) -> None:
    async with lines.proxy(house.imap, lambda words: words.replace(b"AUTH=", b"XUTH=")) as line:
        await pulled(plain(house, user, line.port), "inbox:INBOX")
        assert b" LOGIN " in line.said


# ----- reading


async def test_a_new_live_stream_takes_nothing_old_and_then_everything_new(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user)
    house.deliver(user, *(mail(n) for n in range(3)))
    first = await pulled(ctx, "inbox:INBOX")
    assert (raws(first), first[-1].complete) == ([], True)
    house.deliver(user, *(mail(n) for n in range(3, 6)))
    found = await pulled(ctx, "inbox:INBOX", first[-1].cursor)
    assert raws(found) == [mail(n) for n in range(3, 6)]
    again = await pulled(ctx, "inbox:INBOX", found[-1].cursor)
    assert (raws(again), again[-1].cursor) == ([], found[-1].cursor)


async def test_reading_leaves_no_mark_and_keeps_the_marks_there_are(house: MailHouse, user: str) -> None:
    ctx, cursor = ctx_for(house, user), await start(house, user)
    house.deliver(user, mail(1))
    house.deliver(user, mail(2), read=True)
    (page,) = await pulled(ctx, "inbox:INBOX", cursor)
    assert [arrival.flags for arrival in page.arrivals] == [(), ("\\Seen",)]
    assert [arrival.kind for arrival in page.arrivals] == [MESSAGE, MESSAGE]
    folder, validity, number = page.arrivals[0].place.split("/")
    assert (folder, validity.isdigit(), number) == ("INBOX", True, "1")
    assert house.doveadm("search", "-u", user, "mailbox", "INBOX", "unseen").count("\n") == 1


async def test_a_mail_with_a_thousand_recipients_and_a_large_attachment_comes_whole(
    house: MailHouse, user: str
) -> None:
    cursor = await start(house, user)
    many = "Cc: " + ",\r\n ".join(f"guest{n}@okafor-ceramics.example" for n in range(1000)) + "\r\n"
    attachment = 'Content-Type: application/pdf; name="plan.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
    sent = mail(1, more=many + attachment, body="QUJD" * 19 * 40_000)
    house.deliver(user, sent)
    assert raws(await pulled(ctx_for(house, user), "inbox:INBOX", cursor)) == [sent]


async def test_a_mail_over_the_limit_comes_with_its_beginning_only(house: MailHouse, user: str) -> None:
    cursor = await start(house, user)
    large = mail(1, body="x" * 300_000)
    house.deliver(user, large, mail(2))
    ctx = ctx_for(house, user)
    ctx = type(ctx)(**{**vars(ctx), "settings": {**ctx.settings, "max_bytes": 100_000}})
    (page,) = await pulled(ctx, "inbox:INBOX", cursor)
    assert [(a.kind, a.raw) for a in page.arrivals] == [(TOO_LARGE, large[:BEGINNING]), (MESSAGE, mail(2))]


async def test_pages_hold_a_budget_of_bytes(house: MailHouse, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BUDGET", 5000)
    cursor = await start(house, user)
    sent = [mail(n, body="y" * 2000) for n in range(5)]
    house.deliver(user, *sent)
    found = await pulled(ctx_for(house, user), "inbox:INBOX", cursor)
    assert [len(page.arrivals) for page in found] == [2, 2, 1]
    assert raws(found) == sent


async def test_numbers_far_apart_are_found(house: MailHouse, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WIDTH", 3)
    house.deliver(user, *(mail(n) for n in range(1, 60)))
    house.doveadm("expunge", "-u", user, "mailbox", "INBOX", "uid", "2:30,32:58")
    for stream, wanted in (("past:inbox:INBOX", [59, 31, 1]),):
        assert raws(await pulled(ctx_for(house, user), stream)) == [mail(n) for n in wanted]
    validity = (await pulled(ctx_for(house, user), "inbox:INBOX"))[-1]
    cursor = reading.Cursor(uidvalidity=reading.Cursor.read(validity.cursor).uidvalidity).text()  # type: ignore[union-attr]  # it is one
    assert raws(await pulled(ctx_for(house, user), "inbox:INBOX", cursor)) == [mail(n) for n in (1, 31, 59)]


@pytest.mark.parametrize("first", ["inbox:INBOX", "past:inbox:INBOX"])
async def test_past_and_live_leave_no_gap_and_share_no_mail(house: MailHouse, user: str, first: str) -> None:
    ctx = ctx_for(house, user)
    house.deliver(user, *(mail(n) for n in range(60)))
    second = "past:inbox:INBOX" if first == "inbox:INBOX" else "inbox:INBOX"
    pages = {first: [await anext(MAIL.pull(ctx, first, ""))]}
    house.deliver(user, *(mail(n) for n in range(60, 65)))
    pages[second] = await pulled(ctx, second)
    pages[first] += await pulled(ctx, first, pages[first][0].cursor)
    pages["inbox:INBOX"] += await pulled(ctx, "inbox:INBOX", pages["inbox:INBOX"][-1].cursor)
    past, live = raws(pages["past:inbox:INBOX"]), raws(pages["inbox:INBOX"])
    assert past == [mail(n) for n in reversed(range(60))]
    assert live == [mail(n) for n in range(60, 65)]


async def test_the_past_ends_at_its_day_and_knows_its_size(house: MailHouse, user: str) -> None:
    house.deliver(user, *(mail(n) for n in range(70)))
    old = mail(99)
    house.deliver(user, old, at=time.time() - 33 * 86400)
    found = await pulled(ctx_for(house, user, back_fill="30d"), "past:inbox:INBOX")
    assert [page.total for page in found] == [70, 70]
    assert (len(raws(found)), old in raws(found)) == (70, False)
    assert [page.complete for page in found] == [False, True]


def saved(house: MailHouse, raw: bytes) -> Path:
    path = house.root / "one.eml"
    path.write_bytes(raw)
    return path


async def test_new_numbers_lead_to_a_full_reading_that_is_told(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user)
    sent = [mail(n) for n in range(60)]
    house.deliver(user, *sent)
    cursor = (await pulled(ctx, "inbox:INBOX"))[-1].cursor
    await asyncio.sleep(1.1)  # UIDVALIDITY is a time in seconds
    house.renumber(user)
    house.deliver(user, mail(60))
    found = await pulled(ctx, "inbox:INBOX", cursor)
    assert set(raws(found)) == {*sent, mail(60)}
    assert [bool(page.note) for page in found] == [True, False]
    assert "anew" in found[0].note
    house.deliver(user, mail(61))
    assert raws(await pulled(ctx, "inbox:INBOX", found[-1].cursor)) == [mail(61)]


async def test_an_unreadable_cursor_leads_to_a_full_reading(house: MailHouse, user: str) -> None:
    house.deliver(user, mail(1))
    for wrong in ("{", '{"v": 2}', '{"v": 1, "uid": "x"}'):
        (page,) = await pulled(ctx_for(house, user), "inbox:INBOX", wrong)
        assert (len(page.arrivals), bool(page.note)) == (1, True)


async def test_one_line_is_kept_for_a_purpose(house: MailHouse, user: str) -> None:
    ctx, cursor = ctx_for(house, user), await start(house, user)
    for _ in range(5):
        await pulled(ctx, "inbox:INBOX", cursor)
    await until(lambda: house.connections(user) == 1)
    house.doveadm("kick", user)
    await until(lambda: house.connections(user) == 0)
    assert len(await pulled(ctx, "inbox:INBOX", cursor)) == 1
    await until(lambda: house.connections(user) == 1)


async def test_another_folder_is_read_and_a_mailbox_without_sent_mail_has_no_such_stream(
    house: MailHouse, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.doveadm("mailbox", "create", "-u", user, "Anfragen & Größen")
    house.doveadm("save", "-u", user, "-m", "Anfragen & Größen", str(saved(house, mail(1))))
    ctx = ctx_for(house, user, folders=["INBOX", "Anfragen & Größen"])
    assert raws(await pulled(ctx, "past:inbox:Anfragen & Größen")) == [mail(1)]
    monkeypatch.setattr("soloist.plugins.connectors.mail.mailbox.sent_folder", lambda *_: "")
    (page,) = await pulled(ctx, "sent")
    assert "no folder for sent mail" in page.note
    assert [again.note for again in await pulled(ctx, "sent", page.cursor)] == [""]
    assert "sent" not in MAIL.streams(ctx)
    assert MAIL.operations(ctx)["mail.send"].effect_class == "C"
    assert [hint async for hint in MAIL.watch(ctx, "sent")] == []


@pytest.mark.parametrize("stream", ["inbox:INBOX", "past:inbox:INBOX"])
async def test_a_folder_conforms_as_a_stream(house: MailHouse, user: str, stream: str) -> None:
    ctx = ctx_for(house, user)
    begin = (await pulled(ctx, "inbox:INBOX"))[-1].cursor if stream == "inbox:INBOX" else ""
    house.deliver(user, *(mail(n) for n in range(130)))
    await check_stream(StreamCase(MAIL, stream, lambda: ctx, 130, begin))


# ----- hints


async def test_a_mail_gives_a_hint_at_once(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user)
    hints = MAIL.watch(ctx, "inbox:INBOX")
    assert await anext(hints) == Hint("listening")
    began = time.monotonic()
    house.deliver(user, mail(1))
    assert await asyncio.wait_for(anext(hints), 120.0) == Hint("new mail")
    print(f"pushed mail to hint: {time.monotonic() - began:.2f} s")
    await hints.aclose()
    assert await quiet(house, user) == 0


async def until(holds: Callable[[], bool]) -> None:
    """Wait up to two minutes for something."""
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.05)


async def quiet(house: MailHouse, user: str) -> int:
    """How many connections are left when all that end have ended."""
    await until(lambda: house.connections(user) == 0)
    return house.connections(user)


async def test_listening_is_begun_anew_and_misses_nothing(
    house: MailHouse, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "AGAIN", 0.1)
    async with lines.proxy(house.imap) as line:
        heard: list[Hint] = []

        async def watch() -> None:
            async for hint in MAIL.watch(plain(house, user, line.port), "inbox:INBOX"):
                heard.append(hint)

        task = asyncio.create_task(watch())
        await until(lambda: heard == [Hint("listening")])
        for number in range(3):
            turns = line.said.count(b"DONE\r\n")
            await until(lambda turns=turns: line.said.count(b"DONE\r\n") >= turns + 3)  # what came before was told
            told = len(heard)
            house.deliver(user, mail(number))
            await until(lambda told=told: len(heard) > told)
        assert set(heard[1:]) == {Hint("new mail")}
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_server_without_push_ends_watching_and_is_polled(house: MailHouse, user: str) -> None:
    async with lines.proxy(house.imap, lambda words: words.replace(b" IDLE", b"")) as line:
        ctx = plain(house, user, line.port, poll="20s")
        assert MAIL.streams(ctx)["inbox:INBOX"].watched
        assert [hint async for hint in MAIL.watch(ctx, "inbox:INBOX")] == []
        stream = MAIL.streams(ctx)["inbox:INBOX"]
        assert (stream.watched, stream.every) == (False, 20.0)


async def test_a_line_that_ends_while_listening_is_trouble(house: MailHouse, user: str) -> None:
    hints = MAIL.watch(ctx_for(house, user), "inbox:INBOX")
    await anext(hints)
    house.doveadm("kick", user)
    with pytest.raises(Trouble) as caught:
        await asyncio.wait_for(anext(hints), 120.0)
    assert caught.value.fault == "unavailable"


async def test_a_cancelled_watch_leaves_no_line(house: MailHouse, user: str) -> None:
    async def watch() -> None:
        async for _hint in MAIL.watch(ctx_for(house, user), "inbox:INBOX"):
            pass

    task = asyncio.create_task(watch())
    await until(lambda: house.connections(user) > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await quiet(house, user) == 0


# ----- sending


async def test_sending_conforms(house: MailHouse, user: str) -> None:
    await check_connector(
        Case(MAIL, "mail.send", LETTER, lambda: ctx_for(house, user), secret="pw-hush", proves_absence=False)
    )


async def test_what_is_sent_arrives_and_a_copy_is_kept_and_found(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user)
    plan = MAIL.prepare(ctx, "mail.send", LETTER, "key-sent-0001", AT)
    assert plan.operation.effect_class == "B'"
    before = await MAIL.find(ctx, plan)
    assert isinstance(before, Absent) and "Gesendet" in before.proof
    done = await MAIL.execute(ctx, plan)
    assert isinstance(done, Done) and "a copy is in Gesendet" in done.receipt.detail
    assert isinstance(await MAIL.find(ctx, plan), Found)
    other = MAIL.prepare(ctx, "mail.send", LETTER, "key-other-001", AT)
    assert isinstance(await MAIL.find(ctx, other), Absent)
    (page,) = await pulled(ctx, "past:sent")
    assert [(a.raw, a.flags) for a in page.arrivals] == [(plan.request, ("\\Seen",))]


async def test_a_copy_that_is_there_already_is_not_put_there_twice(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user)
    plan = MAIL.prepare(ctx, "mail.send", LETTER, "key-twice-001", AT)
    for _ in range(2):
        assert isinstance(await MAIL.execute(ctx, plan), Done)
    assert len(raws(await pulled(ctx, "past:sent"))) == 1


async def test_a_copy_that_fails_does_not_undo_the_sending(house: MailHouse, user: str) -> None:
    def no_append(words: bytes) -> bytes | None:
        return None if words.startswith(b"+") else words

    async with lines.proxy(house.imap, no_append) as line:
        ctx = plain(house, user, line.port)
        done = await MAIL.execute(ctx, MAIL.prepare(ctx, "mail.send", LETTER, "key-copy-0001", AT))
    assert isinstance(done, Done)
    assert "no copy could be put" in done.receipt.detail


async def test_a_provider_that_keeps_copies_gets_none_from_us(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user, provider="google")
    plan = MAIL.prepare(ctx, "mail.send", LETTER, "key-google-01", AT)
    assert plan.operation.effect_class == "B'"
    assert "copy" not in (await MAIL.execute(ctx, plan)).receipt.detail
    never = ctx_for(house, user, keep_sent="no")
    assert MAIL.operations(never)["mail.send"].effect_class == "C"


class Liar:
    """Takes a mail and says it did not."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        self.taken.append(envelope.content)
        return "451 4.3.0 try again later"


async def test_a_server_that_takes_a_mail_and_denies_it_leaves_it_to_a_person(house: MailHouse, user: str) -> None:
    liar = Liar()
    known = {"authenticator": lambda *_: AuthResult(success=True), "auth_require_tls": False}
    controller = Controller(liar, hostname="127.0.0.1", port=free_port(), ready_timeout=120, **known)
    controller.start()
    try:
        ctx = ctx_for(house, user, smtp_host="127.0.0.1", smtp_port=controller.port, smtp_security="none")
        plan = MAIL.prepare(ctx, "mail.send", LETTER, "key-liar-0001", AT)
        outcome = await MAIL.execute(ctx, plan)
        looked_up = await MAIL.find(ctx, plan)
    finally:
        controller.stop()
    assert len(liar.taken) == 1
    assert isinstance(outcome, Unknown) and "451" in outcome.evidence
    assert isinstance(looked_up, Absent) and "Gesendet" in looked_up.proof


async def test_a_refused_mail_leaves_no_copy(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user)
    plan = MAIL.prepare(ctx, "mail.send", {**LETTER, "to": ["nobody@studio-linde.example"]}, "key-refused-1", AT)
    assert isinstance(await MAIL.execute(ctx, plan), Refused)
    assert raws(await pulled(ctx, "past:sent")) == []


async def test_what_another_program_sends_is_seen(house: MailHouse, user: str) -> None:
    ctx = ctx_for(house, user)
    cursor = (await pulled(ctx, "sent"))[-1].cursor
    hints = MAIL.watch(ctx, "sent")
    await anext(hints)
    house.doveadm("save", "-u", user, "-m", "Gesendet", str(saved(house, mail(5))))
    await asyncio.wait_for(anext(hints), 120.0)
    await hints.aclose()
    assert raws(await pulled(ctx, "sent", cursor)) == [mail(5)]
    assert MAIL.streams(ctx)["sent"].direction == "out"


# ----- lines that break and servers that lie


async def test_a_line_cut_in_the_middle_of_a_mail_moves_no_cursor_and_loses_nothing(
    house: MailHouse, user: str
) -> None:
    cursor = await start(house, user)
    sent = [mail(n, body="z" * 4000) for n in range(120)]
    house.deliver(user, *sent)
    budget = [600_000]

    def cut(words: bytes) -> bytes | None:
        budget[0] -= len(words)
        return words if budget[0] > 0 else None

    found: list[bytes] = []
    async with lines.proxy(house.imap, cut) as line:
        ctx = plain(house, user, line.port)
        budget[0] = 300_000
        with pytest.raises(Trouble, match="closed the line|broke"):  # noqa: PT012  # the fault comes between pages
            async for page in MAIL.pull(ctx, "inbox:INBOX", cursor):
                found, cursor = found + raws([page]), page.cursor
        assert 0 < len(found) < 120
        budget[0] = 10_000_000
        assert found + raws(await pulled(ctx, "inbox:INBOX", cursor)) == sent


LIES = {
    "fewer bytes": lambda words: words.replace(b"RFC822.SIZE 2", b"RFC822.SIZE 9"),
    "empty": lambda words: (
        words if b"BODY[]" not in words else b'* 1 FETCH (UID 1 FLAGS () BODY[] "")\r\n' + tail(words)
    ),
    "another number": lambda words: words.replace(b"(UID 1 FLAGS", b"(UID 77 FLAGS"),
    "no mail": lambda words: words if b"BODY[]" not in words else tail(words),
    "no protocol": lambda words: words.replace(b"* 1 FETCH", b"? 1 FETCH"),
}


def tail(words: bytes) -> bytes:
    """The line that ends an answer."""
    return words.split(b"\r\n")[-2] + b"\r\n"


@pytest.mark.parametrize("lie", [name for name in LIES if name != "fewer bytes"])
async def test_a_server_that_lies_is_told_and_nothing_is_taken(house: MailHouse, user: str, lie: str) -> None:
    cursor = await start(house, user)
    house.deliver(user, mail(1))
    async with lines.proxy(house.imap, lines.whole(b" FETCH ", LIES[lie])) as line:
        with pytest.raises(Trouble) as caught:
            await pulled(plain(house, user, line.port), "inbox:INBOX", cursor)
    assert caught.value.fault == "protocol_drift"
    assert raws(await pulled(ctx_for(house, user), "inbox:INBOX", cursor)) == [mail(1)]


async def test_a_server_that_counts_badly_is_borne(house: MailHouse, user: str) -> None:
    """Exchange announces sizes that are only about right; the same bytes twice are the mail."""
    cursor = await start(house, user)
    house.deliver(user, mail(1))
    async with lines.proxy(house.imap, LIES["fewer bytes"]) as line:
        assert raws(await pulled(plain(house, user, line.port), "inbox:INBOX", cursor)) == [mail(1)]
        assert line.said.count(b"BODY.PEEK[]") == 2


async def test_bytes_that_get_lost_on_the_way_are_noticed(house: MailHouse, user: str) -> None:
    cursor = await start(house, user)
    house.deliver(user, mail(1, body="x" * 500))
    lost = [100, 200]

    def lose(words: bytes) -> bytes:
        if b"BODY[]" not in words or not lost:
            return words
        size, cut = len(mail(1, body="x" * 500)), lost.pop()
        return words.replace(b"{%d}" % size, b"{%d}" % (size - cut)).replace(b"x" * cut, b"", 1)

    async with lines.proxy(house.imap, lines.whole(b"BODY[]", lose)) as line:
        with pytest.raises(Trouble, match="announced") as caught:
            await pulled(plain(house, user, line.port), "inbox:INBOX", cursor)
    assert caught.value.fault == "protocol_drift"


async def test_a_mail_deleted_between_two_looks_is_no_lie(house: MailHouse, user: str) -> None:
    cursor = await start(house, user)
    house.deliver(user, mail(1), mail(2))

    def delete(words: bytes) -> bytes:
        if b"* SEARCH 1 2" in words:
            house.doveadm("expunge", "-u", user, "mailbox", "INBOX", "uid", "1")
        return words

    async with lines.proxy(house.imap, delete) as line:
        assert raws(await pulled(plain(house, user, line.port), "inbox:INBOX", cursor)) == [mail(2)]


async def test_a_silent_server_is_given_up(house: MailHouse, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = await start(house, user)
    house.deliver(user, mail(1))
    monkeypatch.setattr("soloist.plugins.connectors.mail.imap.READ", 1.5)
    async with lines.proxy(house.imap, lines.whole(b"SEARCH", lambda _words: b"")) as line:
        with pytest.raises(Trouble, match="did not answer in time"):
            await pulled(plain(house, user, line.port), "inbox:INBOX", cursor)


async def test_a_cancelled_pull_closes_its_line(house: MailHouse, user: str) -> None:
    cursor = await start(house, user)
    house.deliver(user, mail(1))
    await MAIL.close()
    async with lines.proxy(house.imap, lines.whole(b"BODY[]", lambda _words: b"")) as line:
        task = asyncio.create_task(pulled(plain(house, user, line.port), "inbox:INBOX", cursor))
        await until(lambda: b"BODY.PEEK" in line.said)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await quiet(house, user) == 0
