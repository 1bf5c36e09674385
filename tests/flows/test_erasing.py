"""Erasing a person: nothing of them is left in any byte of the home, nothing of anybody else is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import conversations, memories, records, searching
from soloist.engine.store.searching import GROUPS
from soloist.flows.erasing import Erasing
from soloist.flows.indexing import Indexing
from soloist.kernel.errors import BadInput, NotFound
from tests.flows import person

RED = "Mark all prices in red"


@pytest.fixture
def planted(app: App) -> dict[str, str]:
    made = person.plant(app)
    asyncio.run(Indexing(app.store).catch_up(5))
    return made


def erase(app: App, asked: str, **more: Any) -> dict[str, Any]:
    return Erasing.of(app.desk).erase_now(asked, who="operator", **more)


def test_nothing_of_a_person_is_left_and_the_chain_holds(app: App, planted: dict[str, str]) -> None:
    assert person.left(app)
    done = erase(app, planted["person"])
    assert done["state"] == "done"
    assert done["proof"]["hits"] == 0
    assert done["proof"]["files"] >= 3
    assert person.left(app) == []
    report = app.verify_journal()
    assert report.faults == []
    assert report.erased >= 4


def test_others_keep_what_is_theirs(app: App, planted: dict[str, str]) -> None:
    erase(app, person.NAME)
    read = app.store.read_now
    assert read(lambda conn: records.get(conn, planted["ada"]))["title"] == "Ada Okafor"
    text = read(lambda conn: conversations.message(conn, planted["theirs"]))["text"]
    assert text == "I met\n[erased] yesterday. Lunch on Friday?"
    assert read(lambda conn: memories.get(conn, planted["tea"]))["text"] == "Ada likes tea"
    assert read(lambda conn: memories.get(conn, planted["other"]))["text"] == "Ada knows [erased]"
    assert (app.home.root / "mail/in/cur/other.mail").exists()
    bill = read(lambda conn: records.get(conn, planted["bill"]))
    assert (bill["title"], bill["body"]["number"]) == ("2026-014 [erased]", "2026-014")


def test_what_is_theirs_is_gone(app: App, planted: dict[str, str]) -> None:
    erase(app, person.ADDRESS)
    for ident in (planted["person"], planted["lead"]):
        with pytest.raises(NotFound):
            app.store.read_now(lambda conn, i=ident: records.get(conn, i))
    message = app.store.read_now(lambda conn: conversations.message(conn, planted["message"]))
    assert (message["text"], message["sender"], message["asset"]) == ("", "", "")
    assert not (app.home.assets / planted["large"][:2] / planted["large"]).exists()


def test_search_finds_the_others_still(app: App, planted: dict[str, str]) -> None:
    erase(app, person.NAME)
    asyncio.run(Indexing(app.store).catch_up(5))

    def hits(text: str) -> int:
        found = app.store.read_now(lambda conn: searching.find(conn, searching.parsed(text), dict.fromkeys(GROUPS, 9)))
        return sum(len(refs) for refs in found.values())

    assert (hits("quartzmire"), hits("zebulon")) == (0, 0)
    assert hits("lunch friday") == 1
    assert hits("Ada Okafor") >= 1


def test_a_preview_writes_nothing_and_names_the_law(app: App, planted: dict[str, str]) -> None:
    seen = asyncio.run(Erasing.of(app.desk).preview(person.NAME))
    assert seen.word == person.NAME
    assert {row["kind"] for row in seen.records} == {"person", "lead"}
    assert {(trace["kind"], trace["text"]) for trace in seen.traces} >= {("address", person.ADDRESS)}
    assert [row["kind"] for row in seen.kept] == ["invoice"]
    assert "memories" in seen.mentions
    assert person.left(app)


def test_a_common_word_is_shown_and_not_struck(app: App, planted: dict[str, str]) -> None:
    mark = app.store.write_now(
        lambda tx: records.create(tx, "person", "Mark", {"name": "Mark", "emails": ["m@weber.example"]}, why="x")
    )
    app.store.write_now(lambda tx: records.create(tx, "idea", RED, {"name": RED}, why="x"))
    seen = asyncio.run(Erasing.of(app.desk).preview(mark))
    assert [one["text"] for one in seen.doubtful] == ["Mark"]
    assert seen.doubtful[0]["rows"] >= 2
    erase(app, mark)
    rows = app.store.read_now(lambda conn: records.listed(conn, "idea", before=None, limit=9))
    assert [row["title"] for row in rows] == [RED]


def test_two_of_one_name_are_told_apart(app: App, planted: dict[str, str]) -> None:
    twin = app.store.write_now(lambda tx: records.create(tx, "person", person.NAME, {}, why="another one"))
    with pytest.raises(BadInput, match="2 records are called"):
        erase(app, person.NAME)
    erase(app, planted["person"])
    assert app.store.read_now(lambda conn: records.get(conn, twin))["title"] == person.NAME


def test_who_is_not_known_is_said(app: App) -> None:
    for asked in ("Nobody Atall", "", "01990000-0000-7000-8000-000000000000"):
        with pytest.raises((NotFound, BadInput)) as refused:
            erase(app, asked)
        assert refused.value.field == "who" or "no record" in refused.value.detail


def test_an_address_without_a_record(app: App, planted: dict[str, str]) -> None:
    def work(tx: Any) -> str:
        row = {"conversation": "", "event": "", "direction": "in", "at": tx.now, "sender": "once@writer.example"}
        return conversations.add(tx, {**row, "text": "from once@writer.example"})

    ident = app.store.write_now(work)
    assert erase(app, "once@writer.example")["state"] == "done"
    assert app.store.read_now(lambda conn: conversations.message(conn, ident))["text"] == ""


def test_the_operators_own_files_are_left_and_named(app: App, planted: dict[str, str]) -> None:
    (app.home.root / "house-book.md").write_text(f"# Clients\n{person.NAME} gets 10 % off.\n")
    done = erase(app, person.NAME)
    assert done["state"] == "left"
    assert [row["file"] for row in done["proof"]["left"]] == ["house-book.md"]
    assert done["proof"]["hits"] == 0


def test_one_who_writes_again_is_new(app: App, planted: dict[str, str]) -> None:
    erase(app, person.NAME)
    assert app.store.read_now(lambda conn: records.identified(conn, "email", person.ADDRESS)) is None
    again = person.plant(app)
    assert again["person"] != planted["person"]
    assert erase(app, person.NAME)["state"] == "done"
    assert app.verify_journal().faults == []
