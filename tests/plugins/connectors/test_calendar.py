"""A published calendar on a real server: bad answers first, then what changes, moves and goes."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from soloist.engine.egress import Egress
from soloist.plugins.connectors import calendar
from soloist.sdk import Ctx, Page, Trouble
from soloist.sdk.testing import StreamCase, check_stream

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SECRET = "private-0a1b2c"  # a made-up one


@dataclass
class House:
    """What the server answers, and what it was asked."""

    body: bytes = b""
    status: int = 200
    etag: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    def ctx(self, **settings: Any) -> Ctx:
        url = f"http://127.0.0.1:{self.port}/{SECRET}/basic.ics"
        own = {"url_secret": "cal-url", "base_url": f"http://127.0.0.1:{self.port}", **settings}
        http = Egress("127.0.0.1", self.port, allow_private=True)
        return Ctx("cal", own, http=http, secrets={"cal-url": url}, clock=lambda: NOW)


@pytest.fixture
def house() -> Iterator[House]:
    made = House()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append({name.lower(): value for name, value in self.headers.items()})
            known = made.etag and self.headers.get("If-None-Match") == made.etag
            self.send_response(304 if known else made.status)
            for name, value in {**made.headers, **({"ETag": made.etag} if made.etag else {})}.items():
                self.send_header(name, value)
            body = b"" if known else made.body
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # it was larger than anybody wants to read

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is written down."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def event(uid: str, title: str = "Fitting", start: str = "20261124T100000Z", *more: str) -> str:
    lines = ["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{title}", f"DTSTART:{start}", *more, "END:VEVENT"]
    return "\r\n".join(lines)


def ics(*events: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR", ""]).encode()


async def pages(ctx: Ctx, cursor: str = "") -> list[Page]:
    return [page async for page in calendar.CONNECTOR.pull(ctx, "calendar", cursor)]


# ----- bad answers


@pytest.mark.parametrize(
    ("status", "body", "fault", "words"),
    [
        (200, b"<!DOCTYPE html><title>Sign in</title>", "protocol_drift", "behind a sign-in"),
        (200, b"", "protocol_drift", "a page instead of a calendar"),
        (404, b"", "forbidden", "no calendar under this address"),
        (410, b"", "forbidden", "any more"),
        (401, b"", "auth", "not shared"),
        (403, b"", "auth", "not shared"),
        (302, b"", "protocol_drift", "leads elsewhere"),
        (429, b"", "rate_limited", "429"),
        (503, b"", "unavailable", "503"),
        (204, b"", "protocol_drift", "204"),
    ],
)
async def test_what_is_no_calendar_is_said_plainly(house: House, status: int, body: bytes, fault: str, words: str):
    house.status, house.body = status, body
    with pytest.raises(Trouble, match=words) as told:
        await pages(house.ctx())
    assert told.value.fault == fault
    assert SECRET not in str(told.value)


async def test_retry_after_is_obeyed(house: House):
    house.status, house.headers = 429, {"Retry-After": "120"}
    with pytest.raises(Trouble) as told:
        await pages(house.ctx())
    assert told.value.retry_after == 120


async def test_fifty_megabytes_are_not_read(house: House):
    house.body = ics(event("1")) + b" " * 50_000_000
    with pytest.raises(Trouble, match="larger than 5 MB") as told:
        await pages(house.ctx())
    assert SECRET not in str(told.value)


async def test_nobody_there(house: House):
    ctx = house.ctx(base_url="http://127.0.0.1:9")
    lonely = Ctx("cal", ctx.settings, http=Egress("127.0.0.1", 9, allow_private=True),
                 secrets={"cal-url": f"http://127.0.0.1:9/{SECRET}"}, clock=lambda: NOW)  # fmt: skip
    with pytest.raises(Trouble, match="not reached") as told:
        await pages(lonely)
    assert SECRET not in str(told.value)


async def test_an_address_that_is_not_kept_is_said(house: House):
    ctx = Ctx("cal", {"url_secret": "x"}, http=house.ctx().http)
    with pytest.raises(Trouble, match="not in the vault"):
        await pages(ctx)


async def test_an_event_without_an_end_costs_its_neighbours_nothing(house: House):
    house.body = ics("BEGIN:VEVENT\r\nUID:broken", event("good"))
    (page,) = await pages(house.ctx())
    assert [arrival.origin for arrival in page.arrivals] == ["good"]
    assert "1 parts of the calendar cannot be read" in page.note
    (again,) = await pages(house.ctx(), page.cursor)
    assert again.note == ""


async def test_a_spoiled_cursor_begins_anew(house: House):
    house.body = ics(event("1"))
    for cursor in ("{", "[]", '{"known": 3}'):
        (page,) = await pages(house.ctx(), cursor)
        assert len(page.arrivals) == 1


# ----- what changes


async def test_only_what_changed_is_handed_on(house: House):
    house.body = ics(event("1"), event("2"))
    (first,) = await pages(house.ctx())
    house.body = ics(event("1"), event("2", "Moved", "20261125T100000Z"), event("3"))
    (second,) = await pages(house.ctx(), first.cursor)
    assert [arrival.origin for arrival in second.arrivals] == ["2", "3"]


async def test_what_is_gone_is_told_once(house: House):
    house.body = ics(event("1"), event("2"))
    (first,) = await pages(house.ctx())
    house.body = ics(event("2"))
    (second,) = await pages(house.ctx(), first.cursor)
    (third,) = await pages(house.ctx(), second.cursor)
    assert (len(second.gone), third.gone) == (1, ())


async def test_an_unchanged_calendar_is_not_sent_again(house: House):
    house.body, house.etag = ics(event("1")), '"a"'
    (first,) = await pages(house.ctx())
    (second,) = await pages(house.ctx(), first.cursor)
    assert (second.arrivals, second.cursor) == ((), first.cursor)
    assert house.asked[1]["if-none-match"] == '"a"'


async def test_repeated_events_come_again_with_a_new_week(house: House):
    house.body, house.etag = ics(event("1"), event("2", "Yoga", "20200101T100000Z", "RRULE:FREQ=WEEKLY")), '"a"'
    (first,) = await pages(house.ctx())
    later = house.ctx()
    next_week = Ctx(
        later.name, later.settings, http=later.http, secrets=later.secrets, clock=lambda: NOW + timedelta(7)
    )
    (second,) = await pages(next_week, first.cursor)
    assert [arrival.origin for arrival in second.arrivals] == ["2"]


async def test_days_long_ago_and_far_ahead_are_left_out(house: House):
    old, far = event("old", "x", "20200101T100000Z"), event("far", "x", "20300101T100000Z")
    house.body = ics(old, far, event("now"))
    (page,) = await pages(house.ctx())
    assert [arrival.origin for arrival in page.arrivals] == ["now"]


async def test_the_conformance_suite_of_streams(house: House):
    house.body = ics(*(event(f"uid-{n}") for n in range(60)))
    await check_stream(StreamCase(calendar.CONNECTOR, "calendar", house.ctx, 60))


async def test_a_check_shows_titles_and_writes_nothing(house: House):
    house.body = ics(event("1", "Fitting with Ada"))
    health = await calendar.CONNECTOR.check(house.ctx())
    assert (health.state, health.samples) == ("ok", ("Fitting with Ada",))
    house.status = 410
    assert (await calendar.CONNECTOR.check(house.ctx())).state == "auth"


def test_the_pace_is_the_one_that_was_chosen(house: House):
    paces = {every: calendar.CONNECTOR.streams(house.ctx(every=every))["calendar"].every for every in calendar.PAUSES}
    assert paces == {"15m": 900.0, "hourly": 3600.0, "by hand": 315_360_000.0}


def test_webcal_is_https():
    assert calendar.plain(" webcal://p01.example/x ") == "https://p01.example/x"
