"""The mail adapter's parts without a server: tokens, cursors, borders, names of folders, hints, words of faults."""

import asyncio
import imaplib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from imapclient.exceptions import ProtocolError

from soloist.plugins.connectors.mail import CONNECTORS, idle, imap, mailbox, reading, sent, tokens, words
from soloist.plugins.connectors.mail.server import Credential, Server
from soloist.sdk import Ctx, HttpAnswer, MaybeSent, NotSent, Trouble
from soloist.sdk.testing import BrokenHttp, FakeHttp

MAIL = next(one for one in CONNECTORS if one.kind == "mail")
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ASK = {"token_url": "https://login.example/token", "client_id": "mine", "refresh_secret": "refresh", "username": "mara"}


def ctx_with(reply: Callable[..., HttpAnswer], **settings: Any) -> Ctx:
    own = {**ASK, "auth": "xoauth2", **settings}
    return Ctx("post", own, http=FakeHttp(reply), secrets={"refresh": "r1", "hush": "s3"}, clock=lambda: NOW)


def gives(**body: Any) -> Callable[..., HttpAnswer]:
    return lambda *_: HttpAnswer(200, {"date": "Sat, 21 Nov 2026 09:30:07 GMT"}, json.dumps(body).encode())


# ----- tokens


async def test_many_sign_ins_at_once_share_one_refresh() -> None:
    kept, ctx = tokens.Tokens(), ctx_with(gives(access_token="a1", expires_in=3600), client_secret="hush")
    found = await asyncio.gather(*(kept.credential(ctx) for _ in range(5)))
    assert {credential.secret for credential, _ in found} == {"a1"}
    assert [old for _, old in found].count(False) == 1
    ((method, _url, _headers, body),) = ctx.http.sent
    assert (method, body) == (
        "POST",
        b"grant_type=refresh_token&refresh_token=r1&client_id=mine&client_secret=s3",
    )
    assert kept.skew(ctx) == 7.0


async def test_a_token_is_not_used_in_its_last_minute() -> None:
    kept, ctx = tokens.Tokens(), ctx_with(gives(access_token="a1", expires_in=59))
    for _ in range(2):
        await kept.credential(ctx)
    assert len(ctx.http.sent) == 2


async def test_a_new_consent_forgets_the_old_token() -> None:
    kept, ctx = tokens.Tokens(), ctx_with(gives(access_token="a1"))
    await kept.credential(ctx)
    ctx.secrets["refresh"] = "r2"
    assert (await kept.credential(ctx))[1] is False
    assert b"refresh_token=r2" in ctx.http.sent[-1][3]


REFUSALS = {
    "revoked": (HttpAnswer(400, {}, b'{"error": "invalid_grant"}'), "auth", None),
    "wrong client": (HttpAnswer(401, {}, b'{"error": "invalid_client"}'), "auth", None),
    "too many": (HttpAnswer(429, {"retry-after": "17"}, b""), "unavailable", 17.0),
    "down": (HttpAnswer(503, {}, b"<html>"), "unavailable", 120.0),
    "no token": (HttpAnswer(200, {}, b"{}"), "protocol_drift", None),
    "a token with a line break": (HttpAnswer(200, {}, b'{"access_token": "a\\r\\nX: y"}'), "protocol_drift", None),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refused_token_is_the_right_trouble_without_a_secret(name: str) -> None:
    answer, fault, after = REFUSALS[name]
    with pytest.raises(Trouble) as caught:
        await tokens.Tokens().credential(ctx_with(lambda *_: answer))
    assert (caught.value.fault, caught.value.retry_after) == (fault, after)
    assert "r1" not in str(caught.value).split()


@pytest.mark.parametrize("error", [NotSent("no line"), MaybeSent("cut")])
async def test_a_token_server_that_cannot_be_reached_is_unavailable(error: Exception) -> None:
    ctx = Ctx("post", ASK, http=BrokenHttp(error), secrets={"refresh": "r1"})
    with pytest.raises(Trouble) as caught:
        await tokens.Tokens().credential(ctx)
    assert caught.value.fault == "unavailable"


async def test_a_missing_refresh_token_is_auth() -> None:
    with pytest.raises(Trouble, match="not in the vault") as caught:
        await tokens.Tokens().credential(Ctx("post", ASK))
    assert caught.value.fault == "auth"


def test_a_credential_is_not_printed() -> None:
    assert "s3cret" not in f"{Credential('mara', 's3cret')!r}"


# ----- cursors and borders


def folder(uidnext: int, validity: int = 7) -> imap.Folder:
    return imap.Folder("INBOX", uidnext - 1, uidnext, validity, 0)


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = reading.Cursor(uidvalidity=7, uid=12, modseq=3, since="1-Jan-2026", top=9, total=5, done=2)
    assert reading.Cursor.read(cursor.text()) == cursor
    assert json.loads(reading.Cursor(uidvalidity=7, uid=12).text()) == {
        "v": 1,
        "uidvalidity": 7,
        "uid": 12,
        "modseq": 0,
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"v": 2}', '{"v": 1, "uid": "5"}', '{"v": 1, "more": 1}'])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert reading.Cursor.read(text) is None


def test_the_side_that_comes_first_fixes_the_border_once() -> None:
    borders = reading.Borders()
    assert borders.fix(("post",), folder(100), "live") == 99
    assert borders.fix(("post",), folder(105), "past") == 99
    assert borders.fix(("post",), folder(110), "past") == 109
    assert borders.fix(("post",), folder(120), "past") == 119
    assert borders.fix(("post",), folder(130, validity=8), "live") == 129


def test_a_border_is_not_kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    borders = reading.Borders()
    borders.fix(("post",), folder(100), "live")
    monkeypatch.setattr(reading, "MEET_WITHIN", -1.0)
    assert borders.fix(("post",), folder(105), "past") == 104


def test_a_day_is_written_as_imap_writes_it() -> None:
    assert reading.since_day(datetime(2026, 3, 1, tzinfo=UTC)) == "28-Feb-2026"


def test_runs_of_numbers_are_joined() -> None:
    assert imap._set([5, 1, 2, 3, 9]) == "1:3,5,9"


# ----- folders and streams


class Listed:
    """A line that only lists folders."""

    def __init__(self, *found: tuple[tuple[bytes, ...], str, str]) -> None:
        self._found = found

    def folders(self) -> list[tuple[tuple[bytes, ...], str, str]]:
        return list(self._found)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ([((b"\\HasNoChildren", b"\\Sent"), "/", "Ausgang"), ((), "/", "Sent")], "Ausgang"),
        ([((), ".", "INBOX"), ((), ".", "INBOX.Gesendete Objekte")], "INBOX.Gesendete Objekte"),
        ([((), "/", "Éléments envoyés")], "Éléments envoyés"),
        ([((b"\\Noselect",), "/", "Sent"), ((), "/", "[Gmail]/Sent Mail")], "[Gmail]/Sent Mail"),
        ([((), "/", "Archive/Sent"), ((), "/", "Sent")], "Sent"),
        ([((), "", "INBOX"), ((), "/", "Absent")], ""),
    ],
)
def test_the_folder_of_sent_mail_is_found_by_mark_or_name(found: Any, wanted: str) -> None:
    assert sent.sent_folder(Listed(*found), "") == wanted


def test_the_operators_own_folder_comes_first() -> None:
    assert sent.sent_folder(Listed(), "Raus") == "Raus"


def test_streams_are_live_and_past_for_each_folder_and_for_sent() -> None:
    found = MAIL.streams(Ctx("post", {"folders": ["INBOX", "Anfragen"], "poll": "5m"}))
    assert list(found)[:3] == ["inbox:INBOX", "inbox:Anfragen", "sent"]
    assert {name for name, stream in found.items() if stream.past} == {f"past:{name}" for name in list(found)[:3]}
    assert {s.direction for n, s in found.items() if "sent" in n} == {"out"}
    assert {(s.every, s.deletes) for s in found.values()} == {(300.0, "none")}


@pytest.mark.parametrize("name", ["", "outbox", "past:", "inbox"[:3]])
def test_another_stream_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="stream"):
        mailbox.Part.of(name)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n", "Größe"),
        (b"Subject: two\r\n lines\tand\x00more", "two lines and more"),
        (b"Subject: =?nonsense?q?x?=", "=?nonsense?q?x?="),
        (b"Subject: =?utf-8?b?!!!?=", ""),
        (b"Subject: " + b"x" * 300, "x" * 99 + "…"),
        (b"", ""),
        (b"Subject: \xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_a_subject_becomes_one_short_line(header: bytes, wanted: str) -> None:
    assert mailbox.readable(header) == wanted


# ----- hints over a pair of sockets


@pytest.fixture
async def pair(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Any, socket.socket]]:
    """(what listen says, the server's end)."""
    monkeypatch.setattr(idle, "ANSWER", 0.3)
    ours, theirs = socket.socketpair()
    line = imap.Line(Server("imap.example", 993, "tls"), ours)
    hints = idle.listen(line)
    yield hints, theirs
    await hints.aclose()
    line.drop()
    theirs.close()


async def test_news_in_the_same_packet_as_the_answer_are_heard(pair: Any) -> None:
    hints, theirs = pair
    theirs.sendall(b"+ idling\r\n* 5 EXISTS\r\n* 2 EXPUNGE\r\n* OK Still here\r\n* 6 EX")
    assert [await anext(hints) for _ in range(2)] == ["listening", "new mail"]
    waiting = asyncio.ensure_future(anext(hints))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    theirs.sendall(b"ISTS\r\n")
    assert await waiting == "new mail"


async def test_news_at_the_end_of_listening_are_heard(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "AGAIN", 0.05)
    hints, theirs = pair
    theirs.sendall(b"+ idling\r\n")
    assert await anext(hints) == "listening"
    waiting = asyncio.ensure_future(anext(hints))
    await asyncio.sleep(0.1)
    theirs.sendall(b"* 5 EXISTS\r\nW1 OK done\r\n")
    assert await waiting == "new mail"
    assert theirs.recv(100) == b"W1 IDLE\r\nDONE\r\n"


ENDS = {
    "refused": (b"W1 NO not now\r\n", "rejected"),
    "goodbye": (b"+ idling\r\n* BYE shutting down\r\n", "unavailable"),
    "silence": (b"", "unavailable"),
    "no end": (b"x" * 1_100_000, "protocol_drift"),
}


@pytest.mark.parametrize("name", ENDS)
async def test_a_line_that_cannot_listen_is_trouble(pair: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hints, theirs = pair
    said, fault = ENDS[name]
    monkeypatch.setattr(idle, "LONGEST", 100_000)
    theirs.sendall(said[:150_000])
    with pytest.raises(Trouble) as caught:
        async for _why in hints:
            pass
    assert caught.value.fault == fault


# ----- words


class Expired(ssl.SSLCertVerificationError):
    """As the handshake raises it."""

    verify_code, verify_message = 10, "certificate has expired"


FAULTS: list[tuple[BaseException, str, str]] = [
    (Expired(), "unavailable", "has expired"),
    (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "unavailable", "secure line"),
    (TimeoutError(), "unavailable", "in time"),
    (ConnectionResetError(104, "Connection reset by peer"), "unavailable", "reset"),
    (imaplib.IMAP4.abort("socket error: EOF"), "unavailable", "closed the line"),
    (imaplib.IMAP4.abort("unexpected response: b'HTTP/1.1 400'"), "protocol_drift", "HTTP"),
    (imaplib.IMAP4.error("[LIMIT] Too many simultaneous connections."), "rate_limited", "pause"),
    (imaplib.IMAP4.error("[UNAVAILABLE] Temporary authentication failure."), "unavailable", "just now"),
    (imaplib.IMAP4.error("[NOPERM] no"), "rejected", "refused"),
    (ProtocolError("Expecting literal of size 9, got 5"), "protocol_drift", "literal"),
    (AssertionError(), "protocol_drift", "AssertionError"),
]


@pytest.mark.parametrize(("error", "fault", "said"), FAULTS)
def test_every_fault_has_its_class_and_words(error: BaseException, fault: str, said: str) -> None:
    found = words.trouble("imap.example", error)
    assert found.fault == fault
    assert said in found.reason and "imap.example" in found.reason


def test_a_server_cannot_make_us_hold_any_amount() -> None:
    line = imap._Imap4.__new__(imap._Imap4)  # the number is judged before the line is touched
    with pytest.raises(imaplib.IMAP4.abort, match="announced"):
        line.read(imap.LARGEST + 1)
