"""Files from elsewhere: read, mapped, tried, taken over, undone; bad input first."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine import failpoint
from soloist.engine.store import imports, records, tasks
from soloist.engine.worker import LocalWorker
from soloist.flows.importing import BATCH, MOST_BYTES, Importing, said
from soloist.kernel.errors import BadInput, Conflict, NotFound, TooLarge
from tests.flows import dirty
from tests.plugins.skills.test_sheets import book

PEOPLE = (
    "First Name,Last Name,E-mail 1 - Value,Phone 1 - Value,Organization Name,Labels\n"
    "Ada,Okafor,ada@okafor-ceramics.example,+49 40 1234,Okafor Ceramics,* myContacts ::: client\n"
    "Jonas,Brandt,jonas@brandt-physio.example,,Brandt Physiotherapie,\n"
)


class Killed(Exception):
    """The process ended here."""


class Desk:
    """Imports of one home without a server: each step is done at once."""

    def __init__(self, app: App, worker: LocalWorker) -> None:
        self.app, self.work = app, Importing(app.desk)
        app.desk.intake.ask_many = worker.call_many

    def row(self, ident: str) -> dict[str, Any]:
        return self.app.store.read_now(lambda conn: imports.get(conn, ident))

    def rows(self, ident: str, *outcomes: str) -> list[dict[str, Any]]:
        return self.app.store.read_now(lambda conn: imports.rows(conn, ident, outcomes=outcomes, limit=10_000))

    def records(self, kind: str) -> list[dict[str, Any]]:
        return self.app.store.read_now(lambda conn: records.listed(conn, kind, before=None, limit=10_000))

    async def read(self, text: str | bytes, name: str = "file.csv", kind: str = "") -> str:
        data = text if isinstance(text, bytes) else text.encode()
        ident = await self.work.begin(name, data, kind=kind, who="operator", run=False)
        await self.work.step("", ident, "read")
        return ident

    async def tried(self, text: str | bytes, name: str = "file.csv", kind: str = "") -> str:
        ident = await self.read(text, name, kind)
        row = self.row(ident)
        await self.work.map(ident, row["kind"], row["mapping"]["fields"], who="operator", run=False)
        await self.work.step("", ident, "check")
        return ident

    async def taken(self, text: str | bytes, name: str = "file.csv", kind: str = "") -> str:
        ident = await self.tried(text, name, kind)
        await self.work.take(ident, who="operator", run=False)
        await self.work.work(ident)
        return ident

    async def undone(self, ident: str) -> dict[str, int]:
        await self.work.undo(ident, who="operator", run=False)
        await self.work.unwork(ident)
        return dict(self.row(ident)["counts"])


@pytest.fixture(scope="module")
def reader() -> LocalWorker:
    return LocalWorker()


@pytest.fixture
def desk(app: App, reader: LocalWorker) -> Desk:
    return Desk(app, reader)


# ----- bad input


@pytest.mark.parametrize(
    ("data", "said_of_it"),
    [
        (b"PK\x03\x04rest of an xlsx", "damaged"),
        (b"<!DOCTYPE html><html>sign in</html>", "no table"),
        (b"BEGIN:VCARD\nFN:Nobody", "no end"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", ""),
    ],
)
async def test_a_file_that_is_none_of_them_says_what_it_is(desk: Desk, data: bytes, said_of_it: str):
    ident = await desk.read(data)
    row = desk.row(ident)
    unread = [line["match"] for line in desk.rows(ident, "unreadable")]
    assert said_of_it in str(row["report"]) + " ".join(unread)
    assert desk.records("person") == []


async def test_nothing_and_too_much_are_refused(desk: Desk):
    with pytest.raises(BadInput, match="empty"):
        await desk.read(b"  \n ")
    with pytest.raises(TooLarge, match="split the file"):
        await desk.read(b"a" * (MOST_BYTES + 1))


async def test_a_column_that_leads_nowhere_is_named(desk: Desk):
    ident = await desk.read(PEOPLE)
    for columns in ({"0": "no_such_field"}, {"99": "name"}, {"0": ""}):
        with pytest.raises(BadInput, match=r"columns: "):
            await desk.work.map(ident, "person", columns, who="operator", run=False)
    with pytest.raises(BadInput, match="kind: one of"):
        await desk.work.map(ident, "starship", {"0": "name"}, who="operator", run=False)


async def test_nothing_is_taken_before_its_dry_run_and_nothing_is_undone_before_it_was_taken(desk: Desk):
    ident = await desk.read(PEOPLE)
    for act in (desk.work.take, desk.work.undo):
        with pytest.raises(Conflict, match="mapping"):
            await act(ident, who="operator", run=False)
    with pytest.raises(NotFound):
        await desk.work.take("nothing", who="operator")


async def test_rows_that_cannot_be_read_keep_their_raw_line(desk: Desk):
    ident = await desk.tried(
        'Name;Email\n"Open;a@b.example\nAda;ada@okafor-ceramics.example;too;many\nJonas;jonas@b.example\n'
    )
    unread = desk.rows(ident, "unreadable")
    assert [(one["given"]["line"], one["given"]["raw"]) for one in unread] == [
        (2, '"Open;a@b.example'),
        (3, "Ada;ada@okafor-ceramics.example;too;many"),
    ]
    assert desk.row(ident)["counts"] == {"new": 1, "unreadable": 2}


async def test_a_value_that_does_not_fit_is_told_and_left_out(desk: Desk):
    ident = await desk.tried("Rechnungsnummer;Betrag;Rechnungsdatum\n2026-1;viel;heute\n2026-2;1.190,00 €;3.11.2026\n")
    assert desk.row(ident)["kind"] == "invoice"
    (bad,), (good,) = desk.rows(ident, "lacking"), desk.rows(ident, "new")
    assert "is missing" in " ".join(bad["detail"]["notes"])
    assert good["read"]["body"]["amount"] == {"minor": 119000, "currency": "EUR"}
    assert good["read"]["body"]["issued"] == "2026-11-03"


# ----- the way of a file


async def test_a_known_export_is_recognised_and_taken_over(desk: Desk):
    ident = await desk.taken(PEOPLE)
    assert desk.row(ident)["mapping"]["source"] == "Google Contacts"
    ada = next(row for row in desk.records("person") if row["title"] == "Ada Okafor")
    assert ada["body"] == {
        "name": "Ada Okafor",
        "emails": ["ada@okafor-ceramics.example"],
        "phones": ["+49 40 1234"],
        "company_name": "Okafor Ceramics",
        "tags": ["client"],
        "origin": "import",
    }
    assert set(ada["owners"].values()) == {"outside"}


async def test_the_same_file_again_adds_nothing(desk: Desk):
    await desk.taken(PEOPLE)
    again = await desk.taken(PEOPLE)
    assert desk.row(again)["counts"] == {"known": 2}
    assert len(desk.records("person")) == 2


async def test_one_card_for_a_file_and_it_takes_it_over(desk: Desk):
    ident = await desk.tried(PEOPLE)
    card = desk.app.store.read_now(lambda conn: tasks.open_for(conn, ident))
    assert card["title"] == "file.csv was read: 2 new"
    await desk.app.desk.decide_card(card["id"], "take", digest="", who="operator", via="test")
    await desk.work.work(ident)
    assert (desk.row(ident)["state"], len(desk.records("person"))) == ("done", 2)


async def test_leaving_it_takes_nothing(desk: Desk):
    ident = await desk.tried(PEOPLE)
    card = desk.app.store.read_now(lambda conn: tasks.open_for(conn, ident))
    await desk.app.desk.decide_card(card["id"], "leave", digest="", who="operator", via="test")
    assert (desk.row(ident)["state"], desk.records("person")) == ("left", [])


async def test_what_the_operator_set_is_never_overwritten(desk: Desk):
    await desk.taken(PEOPLE)
    ada = next(row for row in desk.records("person") if row["title"] == "Ada Okafor")
    body = {**ada["body"], "company_name": "Okafor Studio", "role": "owner"}
    await desk.app.desk.records.put("person", ada["id"], ada["version"], body, actor="operator")
    ident = await desk.taken("Name,Email,Company,Role\nAda Okafor,ada@okafor-ceramics.example,Okafor GmbH,boss\n")
    now = desk.app.store.read_now(lambda conn: records.get(conn, ada["id"]))
    assert (now["body"]["company_name"], now["body"]["role"]) == ("Okafor Studio", "owner")
    (line,) = desk.rows(ident)
    assert line["detail"]["keeps"]["role"] == {"mine": "owner", "offered": "boss", "owner": "operator"}


async def test_a_difference_waits_for_a_person_who_can_take_it(desk: Desk):
    await desk.taken(PEOPLE)
    ident = await desk.tried("Name,Email,Company\nAda Okafor,ada@okafor-ceramics.example,Okafor GmbH\n")
    (line,) = desk.rows(ident, "review")
    assert line["detail"]["differs"] == {"company_name": {"mine": "Okafor Ceramics", "offered": "Okafor GmbH"}}
    with pytest.raises(BadInput, match="choice"):
        await desk.work.choose(ident, {line["n"]: "burn"}, who="operator")
    await desk.work.choose(ident, {line["n"]: "take"}, who="operator")
    await desk.work.take(ident, who="operator", run=False)
    await desk.work.work(ident)
    ada = next(row for row in desk.records("person") if row["title"] == "Ada Okafor")
    assert (ada["body"]["company_name"], ada["owners"]["company_name"]) == ("Okafor GmbH", "operator")


async def test_the_same_name_alone_is_a_doubt_and_not_a_match(desk: Desk):
    await desk.taken(PEOPLE)
    ident = await desk.tried("Name,Phone\nAda Okafor,+49 30 77\nNew One,\nNew One,\n")
    lines = desk.rows(ident)
    assert [line["outcome"] for line in lines] == ["review", "new", "review"]
    await desk.work.choose(ident, {lines[0]["n"]: "new", lines[2]["n"]: "leave"}, who="operator")
    await desk.work.take(ident, who="operator", run=False)
    await desk.work.work(ident)
    assert sorted(row["title"] for row in desk.records("person")).count("Ada Okafor") == 2
    assert desk.row(ident)["counts"] == {"left": 1, "made": 2}


async def test_two_rows_of_one_person_are_one_record(desk: Desk):
    text = (
        "Name,Email,Phone\nAda Okafor,ada@okafor-ceramics.example,\nAda Okafor,ADA@okafor-ceramics.example,+49 40 9\n"
    )
    ident = await desk.taken(text)
    (ada,) = desk.records("person")
    assert ada["body"]["phones"] == ["+49 40 9"]
    assert desk.row(ident)["counts"] == {"filled": 1, "made": 1}


async def test_references_lead_to_records_by_their_names(desk: Desk):
    await desk.taken(PEOPLE)
    text = "Rechnungsnummer;Kunde;Betrag;Status\n2026-1;Ada Okafor;100;bezahlt\n2026-2;Niemand;5;offen\n"
    ident = await desk.taken(text)
    ada = next(row for row in desk.records("person") if row["title"] == "Ada Okafor")
    by_number = {row["title"]: row for row in desk.records("invoice")}
    assert by_number["2026-1"]["body"]["client"] == ada["id"]
    assert by_number["2026-1"]["state"] == "paid"
    assert "'Niemand' is not known here" in desk.rows(ident)[1]["detail"]["notes"][0]


# ----- undo


async def test_undo_takes_back_what_was_made_and_what_was_added(desk: Desk):
    await desk.taken(PEOPLE)
    text = PEOPLE.replace("+49 40 1234", "+49 40 999") + "New,One,new@one.example,,,\n"
    ident = await desk.taken(text)
    assert await desk.undone(ident) == {"known": 1, "undone": 2}
    by_title = {row["title"]: row for row in desk.records("person")}
    assert by_title["Ada Okafor"]["body"]["phones"] == ["+49 40 1234"]
    assert by_title["New One"]["state"] == "retired"
    again = await desk.taken(text)
    assert desk.row(again)["counts"] == {"filled": 1, "known": 1, "made": 1}


async def test_a_record_changed_since_is_listed_and_left(desk: Desk):
    ident = await desk.taken(PEOPLE)
    ada = next(row for row in desk.records("person") if row["title"] == "Ada Okafor")
    await desk.app.desk.records.put("person", ada["id"], 1, {**ada["body"], "role": "owner"}, actor="operator")
    assert await desk.undone(ident) == {"kept": 1, "undone": 1}
    now = desk.app.store.read_now(lambda conn: records.get(conn, ada["id"]))
    assert (now["version"], now["body"]["role"]) == (2, "owner")


async def test_undo_of_rows_that_met_in_one_record_goes_back_step_by_step(desk: Desk):
    text = "Name,Email,Phone\nAda,ada@okafor-ceramics.example,\nAda,ada@okafor-ceramics.example,+49 40 9\n"
    ident = await desk.taken(text)
    assert await desk.undone(ident) == {"undone": 2}
    assert [row["state"] for row in desk.records("person")] == ["retired"]


async def test_undo_of_three_rows_in_one_record_and_of_two_in_one_that_was_there(desk: Desk):
    await desk.taken(PEOPLE)
    rows = [f"Ada Okafor,ada@okafor-ceramics.example,+49 40 {n}" for n in (5, 6)]
    rows += [f"New One,new@one.example,+49 30 {n}" for n in (7, 8, 9)]
    ident = await desk.taken("Name,Email,Phone\n" + "\n".join(rows) + "\n")
    assert desk.row(ident)["counts"] == {"filled": 4, "made": 1}
    assert await desk.undone(ident) == {"undone": 5}
    by_title = {row["title"]: row for row in desk.records("person")}
    assert by_title["Ada Okafor"]["body"]["phones"] == ["+49 40 1234"]
    assert by_title["New One"]["state"] == "retired"


# ----- stopped in the middle


async def test_stopped_in_the_middle_it_goes_on_and_nothing_is_double(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    rows = "".join(f"Person {n},p{n}@x{n}.example\n" for n in range(2 * BATCH + 5))
    ident = await desk.tried(f"Name,Email\n{rows}")
    await desk.work.take(ident, who="operator", run=False)

    def die(point: str) -> None:
        if point == "import.batch":
            raise Killed(point)

    monkeypatch.setattr(failpoint, "hit", die)
    with pytest.raises(Killed):
        await desk.work.work(ident)
    monkeypatch.undo()
    assert len(desk.records("person")) == BATCH
    assert await Importing(desk.app.desk).go_on() == [ident]
    assert len(desk.records("person")) == 2 * BATCH + 5
    assert said(desk.row(ident)["counts"]) == f"{2 * BATCH + 5} made"


async def test_two_processes_at_once_do_nothing_twice(desk: Desk):
    rows = "".join(f"Person {n},p{n}@x{n}.example\n" for n in range(BATCH + 5))
    ident = await desk.tried(f"Name,Email\n{rows}")
    await desk.work.take(ident, who="operator", run=False)
    await asyncio.gather(*(desk.work.step("", ident, "take") for _ in range(3)))
    assert len(desk.records("person")) == BATCH + 5


# ----- other forms


async def test_contacts_of_every_version(desk: Desk, tmp_path: Path):
    cards = (
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen\r\n"
        "TEL;CELL:+49 170 1\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Okafor\r\nitem1.EMAIL;type=INTERNET:ada@okafor-ceramics.example\r\n"
        "ORG:Okafor Ceramics;Shop\r\nNOTE:one\\, two\\nthree\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Jonas Brandt\r\nTEL;VALUE=uri:tel:+49-40-2\r\nUID:urn:uuid:7\r\nEND:VCARD\r\n"
    )
    await desk.taken(cards, "contacts.vcf")
    found = {row["title"]: row["body"] for row in desk.records("person")}
    assert found["Jürgen Müller"]["phones"] == ["+49 170 1"]
    assert found["Ada Okafor"]["note"] == "one, two\nthree"
    assert found["Ada Okafor"]["company_name"] == "Okafor Ceramics"
    assert found["Jonas Brandt"]["phones"] == ["+49-40-2"]


async def test_a_calendar_file_becomes_appointments(desk: Desk):
    await desk.taken(PEOPLE)
    text = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1@x\r\nSUMMARY:Fitting\r\nDTSTART;TZID=Europe/Berlin:20260301T100000\r\n"
        "DTEND;TZID=Europe/Berlin:20260301T110000\r\nATTENDEE;CN=Ada:mailto:ada@okafor-ceramics.example\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    await desk.taken(text, "cal.ics")
    (one,) = desk.records("appointment")
    ada = next(row for row in desk.records("person") if row["title"] == "Ada Okafor")
    assert (one["title"], one["body"]["begins"]) == ("Fitting", "2026-03-01T09:00:00.000000Z")
    assert one["body"]["people"] == [ada["id"]]


# ----- what a person chooses


ODD = "Wer;Wie erreichen;Hund;Seit\nAda Okafor;ada@okafor-ceramics.example;Bello;2024\n"
CHOSEN = {"0": "name", "1": "emails", "2": "as_note"}


async def test_chosen_columns_are_remembered_for_a_file_with_the_same_ones(desk: Desk):
    first = await desk.read(ODD)
    await desk.work.map(first, "person", CHOSEN, who="operator", run=False)
    again, other = await desk.read(ODD, "next.csv"), await desk.read(ODD.replace("Hund", "Katze"))
    assert desk.row(again)["mapping"]["fields"] == CHOSEN
    assert desk.row(again)["mapping"]["remembered"]["name"] == "file.csv"
    assert desk.row(other)["mapping"].get("remembered") is None
    await desk.work.step("", first, "check")
    assert desk.rows(first)[0]["read"]["body"]["note"] == "Hund: Bello"


async def test_what_was_only_guessed_is_not_remembered(desk: Desk):
    await desk.tried("Name;Ort\nAda;Hamburg\n")
    assert desk.row(await desk.read("Name;Ort\nJonas;Bremen\n"))["mapping"].get("remembered") is None


async def test_the_newest_choice_holds(desk: Desk):
    for fields in (CHOSEN, {"0": "name"}):
        ident = await desk.read(ODD)
        await desk.work.map(ident, "person", fields, who="operator", run=False)
    assert desk.row(await desk.read(ODD))["mapping"]["fields"] == {"0": "name"}


async def test_a_known_file_is_tried_without_asking_and_an_unknown_one_waits(desk: Desk):
    for text, state in ((PEOPLE, "checking"), (ODD, "mapping")):
        ident = await desk.work.begin("file.csv", text.encode(), who="operator", run=False)
        await desk.work.step("a run of the server", ident, "read")
        assert desk.row(ident)["state"] == state


async def test_another_sheet_is_read_instead(desk: Desk):
    blob = book(Kunden=[["Name", "E-Mail"], ["Ada", "ada@a.example"]], Alt=[["Name", "Ort"], ["Jonas", "Bremen"]])
    ident = await desk.read(blob, "kunden.xlsx")
    assert (desk.row(ident)["format"], desk.row(ident)["mapping"]["sheet"]) == ("xlsx", "Kunden")
    with pytest.raises(BadInput, match="There are: Kunden, Alt"):
        await desk.work.sheet(ident, "Neu", who="operator", run=False)
    await desk.work.sheet(ident, "Alt", who="operator", run=False)
    await desk.work.step("", ident, "read")
    assert desk.row(ident)["mapping"]["columns"] == ["Name", "Ort"]
    assert [row["given"]["cells"] for row in desk.rows(ident)] == [["Jonas", "Bremen"]]


async def test_one_word_for_all_rows_to_be_looked_at(desk: Desk):
    await desk.taken(PEOPLE)
    rows = "Ada Okafor,ada@okafor-ceramics.example,Okafor GmbH\nJonas Brandt,jonas@brandt-physio.example,Brandt GmbH\n"
    ident = await desk.tried(f"Name,Email,Company\n{rows}")
    first = desk.rows(ident, "review")[0]
    with pytest.raises(BadInput, match="choice"):
        await desk.work.choose(ident, {}, rest="burn", who="operator")
    assert await desk.work.choose(ident, {first["n"]: "leave"}, rest="take", who="operator") == 1
    await desk.work.take(ident, who="operator", run=False)
    await desk.work.work(ident)
    assert desk.row(ident)["counts"] == {"filled": 1, "left": 1}
    assert {row["body"]["company_name"] for row in desk.records("person")} == {"Okafor Ceramics", "Brandt GmbH"}


async def test_a_doubt_that_nobody_answered_makes_nobody_one_with_another_and_nothing_twice(desk: Desk):
    await desk.taken(PEOPLE)
    for counts in ({"made": 1}, {"known": 1}):
        ident = await desk.tried("Name,Phone\nAda Okafor,+49 30 77\n")
        assert desk.row(ident)["counts"].keys() <= {"review", "same"}
        await desk.work.take(ident, who="operator", run=False)
        await desk.work.work(ident)
        assert desk.row(ident)["counts"] == counts
    adas = [row["body"]["phones"] for row in desk.records("person") if row["title"] == "Ada Okafor"]
    assert sorted(adas) == [["+49 30 77"], ["+49 40 1234"]]


async def test_a_column_of_addresses_is_known_by_what_is_in_it(desk: Desk):
    ident = await desk.read(
        "Wer;Wie erreichen\nAda Okafor;ada@okafor-ceramics.example\nJonas;-\nMina;mina@sato.example\n"
    )
    assert desk.row(ident)["mapping"]["fields"] == {"1": "emails"}


async def test_companies_among_people_become_companies_and_go_back_with_them(desk: Desk):
    ident = await desk.taken(
        "Name;Firma;E-Mail\nAda;Okafor Ceramics;ada@a.example\n;Brandt Physio;praxis@brandt.example\n"
    )
    assert [row["title"] for row in desk.records("company")] == ["Brandt Physio"]
    assert await desk.undone(ident) == {"undone": 2}
    assert desk.records("company")[0]["state"] == "retired"


async def test_a_file_makes_one_card_however_many_rows_it_has(desk: Desk):
    ident = await desk.tried(dirty.table(300), "alt.csv")
    assert sum(desk.row(ident)["counts"].values()) == 300
    cards = desk.app.store.read_now(lambda conn: tasks.cards(conn, "open"))
    assert [card["subject"] for card in cards] == [ident]
