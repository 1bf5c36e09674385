"""Events of a calendar become appointments: bad ones first, then zones, moves, people who were met."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.registry import ReadingHalf
from soloist.engine.store import calendars, events, records, runs, streams
from soloist.engine.worker import LocalWorker
from soloist.flows.calendars import READ, UNREAD, Calendars
from soloist.flows.takeover import Review, findings
from soloist.plugins.connectors.calendar import CONNECTOR, KIND
from soloist.sdk import Arrival, Page, Stream
from soloist.sdk.calendars import cut
from soloist.stages.records import merging

STREAM = Stream("calendar")
NOW = datetime.now(UTC)
TOMORROW = f"{NOW + timedelta(days=1):%Y%m%d}"
LAST_WEEK = f"{NOW - timedelta(days=7):%Y%m%d}"


class Diary:
    """One home with a calendar named "cal"; a page is what the adapter would hand on."""

    def __init__(self, app: App, worker: LocalWorker) -> None:
        self.app, self.flow = app, Calendars(app.desk)
        app.desk.intake.ask_many = worker.call_many
        half = object.__new__(ReadingHalf)
        half.name, half.kind, half.manifest, half.address = "cal", "calendar", CONNECTOR.manifest, ""
        app.desk.connections["cal"] = half  # type: ignore[index]  # the links' own mapping

    async def take(self, *bodies: str, gone: tuple[str, ...] = ()) -> None:
        text = "\r\n".join(["BEGIN:VCALENDAR", *bodies, "END:VCALENDAR"])
        found = cut(text)
        arrivals = tuple(
            Arrival(f"{one.uid}@{one.digest}", KIND, found.alone(one).encode(), origin=one.uid)
            for one in found.objects.values()
        )
        await self.flow.take("cal", STREAM, Page(arrivals, "{}", gone=gone))

    def all(self) -> list[dict[str, Any]]:
        found = self.app.store.read_now(lambda conn: records.listed(conn, "appointment", before=None, limit=1000))
        return sorted(found, key=lambda row: row["body"]["begins"])


def event(uid: str, *lines: str, start: str = f"DTSTART:{TOMORROW}T100000Z") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:Fitting", start, *lines, "END:VEVENT"])


@pytest.fixture(scope="module")
def reader() -> LocalWorker:
    return LocalWorker()


@pytest.fixture
def diary(app: App, reader: LocalWorker) -> Diary:
    return Diary(app, reader)


# ----- bad input


async def test_a_broken_event_is_told_and_its_neighbour_is_there(diary: Diary):
    await diary.take(event("bad", start="DTSTART:tomorrow"), event("good"))
    (one,) = diary.all()
    assert one["body"]["external"]["uid"] == "good"
    unread = diary.app.store.read_now(lambda conn: events.newest_of(conn, UNREAD, "cal:bad"))
    assert "DTSTART cannot be read" in unread["payload"]["faults"][0]


async def test_an_appointment_that_was_merged_does_not_stop_its_calendar(diary: Diary):
    await diary.take(event("1"), event("2"))
    one, two = (row["id"] for row in diary.all())
    diary.app.store.write_now(lambda tx: merging.merge(tx, one, two, {}, who="operator"))
    uid = diary.app.store.read_now(lambda conn: records.get(conn, two))["body"]["external"]["uid"]
    await diary.take(event(uid, "LOCATION:Studio"), event("3"))
    assert len(diary.all()) == 3
    assert "place" not in diary.app.store.read_now(lambda conn: records.get(conn, two))["body"]
    diary.app.store.write_now(lambda tx: diary.flow.relink(tx, "cal"))


async def test_an_event_that_fits_no_schema_is_told_and_its_neighbour_is_there(diary: Diary, monkeypatch: Any):
    real = Calendars._body
    spoilt = lambda self, *given: real(self, *given) | ({"colour": "red"} if given[2] == "bad" else {})  # noqa: E731
    monkeypatch.setattr(Calendars, "_body", spoilt)
    await diary.take(event("bad"), event("good"))
    (one,) = diary.all()
    assert one["body"]["external"]["uid"] == "good"
    unread = diary.app.store.read_now(lambda conn: events.newest_of(conn, UNREAD, "cal:bad"))
    assert "colour: a appointment has no such field" in unread["payload"]["faults"][0]


async def test_an_event_that_breaks_later_stays_as_it_was_known(diary: Diary):
    await diary.take(event("1"))
    await diary.take(event("1", start="DTSTART:never"))
    assert [row["state"] for row in diary.all()] == ["confirmed"]


async def test_a_rule_without_an_end_gives_what_the_window_holds(diary: Diary):
    await diary.take(event("1", "RRULE:FREQ=SECONDLY"), event("2", "RRULE:FREQ=DAILY"))
    found = [row["body"]["external"]["uid"] for row in diary.all()]
    assert found.count("1") == 1
    assert 360 <= found.count("2") <= 366


async def test_an_unknown_zone_is_taken_as_the_homes_and_said(diary: Diary):
    await diary.take(event("1", start=f"DTSTART;TZID=Nowhere/Land:{TOMORROW}T100000"))
    told = diary.app.store.read_now(lambda conn: events.newest_of(conn, READ, "cal:1"))
    assert "'Nowhere/Land' is not known" in told["payload"]["faults"][0]
    assert len(diary.all()) == 1


# ----- zones


@pytest.mark.parametrize(
    ("start", "begins"),
    [
        ("DTSTART;TZID=Europe/Berlin:20261024T100000", "2026-10-24T08:00:00.000000Z"),
        ("DTSTART;TZID=Europe/Berlin:20261026T100000", "2026-10-26T09:00:00.000000Z"),
        ("DTSTART;TZID=W. Europe Standard Time:20261026T100000", "2026-10-26T09:00:00.000000Z"),
        ("DTSTART;TZID=America/New_York:20261026T100000", "2026-10-26T14:00:00.000000Z"),
        ("DTSTART:20261026T100000", "2026-10-26T09:00:00.000000Z"),
        ("DTSTART:20261026T100000Z", "2026-10-26T10:00:00.000000Z"),
        ("DTSTART;VALUE=DATE:20261026", "2026-10-25T23:00:00.000000Z"),
    ],
)
async def test_the_instant_is_right_in_every_zone(reader: LocalWorker, start: str, begins: str):
    window = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z", "zone": "Europe/Berlin"}
    text = f"BEGIN:VCALENDAR\r\n{event('1', start=start)}\r\nEND:VCALENDAR\r\n"
    found = await reader.call("read_event", window, text.encode())
    assert [one["start"] for one in found["events"]] == [begins]


async def test_ten_in_the_morning_stays_ten_when_the_clocks_change(reader: LocalWorker):
    window = {"start": "2026-10-20T00:00:00Z", "end": "2026-11-05T00:00:00Z", "zone": "Europe/Berlin"}
    body = event("1", "RRULE:FREQ=WEEKLY", start="DTSTART;TZID=Europe/Berlin:20261020T100000")
    found = await reader.call("read_event", window, f"BEGIN:VCALENDAR\r\n{body}\r\nEND:VCALENDAR\r\n".encode())
    assert [one["start"][8:13] for one in found["events"]] == ["20T08", "27T09", "03T09"]


# ----- what changes


async def test_a_moved_event_moves_its_appointment(diary: Diary):
    await diary.take(event("1"))
    await diary.take(event("1", "LOCATION:Studio", start=f"DTSTART:{TOMORROW}T150000Z"))
    (one,) = diary.all()
    assert (one["version"], one["body"]["place"], one["body"]["begins"][11:13]) == (2, "Studio", "15")


async def test_the_same_object_again_writes_nothing(diary: Diary):
    await diary.take(event("1"))
    await diary.take(event("1"))
    assert [row["version"] for row in diary.all()] == [1]


async def test_what_is_cancelled_or_gone_is_cancelled_and_kept(diary: Diary):
    await diary.take(event("1"), event("2"), event("3"))
    await diary.take(event("1", "STATUS:CANCELLED"), gone=("2",))
    assert {row["body"]["external"]["uid"]: row["state"] for row in diary.all()} == {
        "1": "cancelled",
        "2": "cancelled",
        "3": "confirmed",
    }


async def test_one_time_of_a_series_moves_and_one_falls_out(diary: Diary):
    series = event("1", "RRULE:FREQ=DAILY;COUNT=3")
    await diary.take(series)
    days = [row["body"]["begins"] for row in diary.all()]
    moved = event("1", f"RECURRENCE-ID:{TOMORROW}T100000Z", start=f"DTSTART:{TOMORROW}T120000Z")
    out = f"EXDATE:{(NOW + timedelta(days=2)):%Y%m%d}T100000Z"
    await diary.take(series.replace("RRULE", f"{out}\r\nRRULE"), moved)
    now = diary.all()
    assert len(now) == len(days) == 3
    assert [(row["body"]["begins"][11:13], row["state"]) for row in now] == [
        ("12", "confirmed"),
        ("10", "cancelled"),
        ("10", "confirmed"),
    ]


async def test_what_the_operator_set_stays(diary: Diary):
    await diary.take(event("1"))
    (one,) = diary.all()
    body = {**one["body"], "subject": "Second fitting"}
    await diary.app.desk.records.put("appointment", one["id"], 1, body, actor="operator")
    await diary.take(event("1", "LOCATION:Studio"))
    (one,) = diary.all()
    assert (one["body"]["subject"], one["body"]["place"]) == ("Second fitting", "Studio")


# ----- people


ADA = "ATTENDEE;CN=Ada Okafor:mailto:Ada@okafor-ceramics.example"


async def test_people_are_linked_by_their_address(diary: Diary):
    def known(tx: Any) -> str:
        ident = records.create(tx, "person", "Ada", {"name": "Ada"}, why="test")
        records.link(tx, "email", "ada@okafor-ceramics.example", ident, rule="test", evidence={})
        return ident

    ada = diary.app.store.write_now(known)
    await diary.take(event("1", ADA))
    (one,) = diary.all()
    assert one["body"]["people"] == [ada]


async def test_who_was_met_and_is_no_record_is_proposed_once_and_then_linked(diary: Diary):
    own = diary.app.desk.settings.business.email or "mara@studio-linde.example"
    await diary.take(event("1", ADA, f"ATTENDEE:mailto:{own}", start=f"DTSTART:{LAST_WEEK}T100000Z"), event("2", ADA))
    assert diary.app.store.read_now(lambda conn: runs.exists(conn, "takeover:cal"))
    review = Review(diary.app.desk)
    assert (await review.look("takeover:cal", "cal"))["clients"] >= 1
    found = diary.app.store.read_now(lambda conn: findings(conn, diary.app.desk, "cal"))
    assert found["clients"][0]["name"] == "Ada Okafor"
    chosen = {"clients": ["ada@okafor-ceramics.example"]}
    await review.accept("cal", chosen, who="operator")
    assert all(len(row["body"]["people"]) == 1 for row in diary.all())
    since, until = f"{NOW - timedelta(days=30):%Y-%m-%d}", f"{NOW:%Y-%m-%d}"
    (met,) = [
        one for one in diary.app.store.read_now(lambda conn: calendars.met(conn, "cal", since, until)) if one["name"]
    ]
    assert met["count"] == 1


async def test_when_it_was_read_last_is_known(diary: Diary):
    await diary.take(event("1"))
    row = diary.app.store.read_now(lambda conn: streams.get(conn, "cal", "calendar"))
    assert (row["done"], row["state"], bool(row["updated"])) == (1, "reading", True)
