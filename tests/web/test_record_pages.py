"""Records in the console over a real App: forms from the schema, undo, both versions side by side, owners, drafts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import records
from soloist.stages.records import NewRecord


@pytest.fixture
def console(real_console: Any) -> Any:
    return real_console


async def made(app: App, kind: str, **body: Any) -> str:
    return (await app.desk.records.create(NewRecord(kind, body), actor="operator"))["id"]


def row(app: App, ident: str) -> dict[str, Any]:
    return app.store.read_now(lambda conn: records.get(conn, ident))


def test_every_kind_is_listed_and_has_an_empty_form(console) -> None:
    text = console.get("/records/kinds").text
    kinds = re.findall(r'href="/records/(\w+)/new"', text)
    assert len(kinds) == 17
    for kind in kinds:
        assert console.get(f"/records/{kind}/new").status_code == 200
    assert console.get("/records/nothing/new").status_code == 422


FORM = {"f.number": "R-14", "f.amount": "1.200,50 EUR", "f.due": "2026-12-01", "state": "sent"}


def test_a_record_is_made_from_a_form(app, console) -> None:
    answer = console.post("/records/invoice/new", data=FORM)
    assert answer.status_code == 303
    ident = re.search(r"/records/invoice/([^?]+)", answer.headers["location"])[1]
    assert row(app, ident)["body"]["amount"] == {"minor": 120050, "currency": "EUR"}
    assert "Kept as version 1." in console.get(answer.headers["location"]).text


WRONG = [
    ("f.amount", "a lot", "amount: needs an amount"),
    ("f.due", "soon", "due: needs a day"),
    ("f.number", "", "needs it"),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_what_is_wrong_is_said_and_what_was_entered_stays(console, name, value, said) -> None:
    answer = console.post("/records/invoice/new", data={**FORM, name: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="R-14"' in answer.text or name == "f.number"


async def test_one_field_is_changed_in_place_and_undone(app, console) -> None:
    ident = await made(app, "idea", name="A newsletter", text="First.\n\nSecond.")
    saved = console.post(f"/records/idea/{ident}/edit", data={"version": "1", "f.text": "First.\r\n\r\nThird."})
    assert row(app, ident)["body"] == {"name": "A newsletter", "text": "First.\n\nThird."}
    page = console.get(saved.headers["location"]).text
    assert "Saved as version 2." in page
    console.post(f"/records/idea/{ident}/restore", data={"version": "2", "number": "1"})
    assert (row(app, ident)["body"]["text"], row(app, ident)["version"]) == ("First.\n\nSecond.", 3)


async def test_a_late_save_shows_both_and_loses_nothing(app, console) -> None:
    ident = await made(app, "person", name="Ada", note="Likes blue.", tags=["shop"])
    path = f"/records/person/{ident}"
    console.post(f"{path}/edit", data={"version": "1", "f.name": "Ada Okafor", "f.tags": "shop\nceramics"})
    mine = {"version": "1", "f.name": "Ada O.", "f.note": "Likes blue and green.", "f.tags": "shop\nspring"}
    late = console.post(f"{path}/edit", data=mine)
    assert late.status_code == 412
    assert row(app, ident)["body"]["name"] == "Ada Okafor"
    for said in ("You read version 1; it is at version 2", "Ada Okafor", "Ada O.", "Likes blue and green."):
        assert said in late.text
    picks = {"pick.name": "theirs", "pick.note": "yours", "pick.tags": "both"}
    console.post(f"{path}/merge", data={**mine, "version": "2", **picks})
    assert row(app, ident)["body"] == {
        "name": "Ada Okafor",
        "note": "Likes blue and green.",
        "tags": ["shop", "ceramics", "spring"],
    }


async def test_a_field_nobody_picked_is_asked_for_again(app, console) -> None:
    ident = await made(app, "idea", name="One")
    mine = {"version": "1", "read": "1", "f.name": "Two & a half"}
    answer = console.post(f"/records/idea/{ident}/merge", data=mine)
    assert answer.status_code == 422
    assert "choose which one stays" in answer.text
    assert 'name="f.name" value="Two &amp; a half"' in answer.text
    assert row(app, ident)["version"] == 1


async def test_of_many_versions_the_newest_are_shown_with_what_each_changed(app, console, monkeypatch) -> None:
    monkeypatch.setattr("soloist.insight.records.MOST_VERSIONS", 2)
    ident = await made(app, "idea", name="One", text="The same.")
    for version, name in ((1, "Two"), (2, "Three")):
        console.post(f"/records/idea/{ident}/edit", data={"version": str(version), "f.name": name})
    page = console.get(f"/records/idea/{ident}").text
    assert page.count('name="number" value="1"') == 0
    assert "The newest 2 of 3 versions" in page
    assert "<del>One</del>" in page


async def test_owners_are_shown_and_changed(app, console) -> None:
    ident = await made(app, "person", name="Ada")
    assert "set by you" in console.get(f"/records/person/{ident}").text
    console.post(f"/records/person/{ident}/owners", data={"version": "1", "field": "name", "by": "outside"})
    assert row(app, ident)["owners"] == {"name": "outside"}
    assert "set by messages and imports" in console.get(f"/records/person/{ident}").text


async def test_a_draft_is_generated_again_and_passages_are_chosen(app, console) -> None:
    ident = await made(app, "draft", name="Post", text="Glaze one. Price 10.", base="Glaze. Price 9.")
    path = f"/records/draft/{ident}"
    console.post(f"{path}/generated", data={"version": "1", "text": "Glaze. Price 11. New line."})
    page = console.get(path).text
    assert "1 passage to choose" in page
    assert row(app, ident)["body"]["text"].startswith("Glaze one. Price 10.")
    console.post(f"{path}/passages", data={"version": "2", "number": "0", "pick": "new"})
    assert "Price 11." in row(app, ident)["body"]["text"]


@pytest.mark.parametrize("again", ["Glaze. Price 11. New line.", "Glaze. Price 11. Newer line."])
async def test_a_passage_nobody_chose_stays_open_when_it_is_generated_once_more(app, console, again) -> None:
    ident = await made(app, "draft", name="Post", text="Glaze one. Price 10.", base="Glaze. Price 9.")
    path = f"/records/draft/{ident}"
    console.post(f"{path}/generated", data={"version": "1", "text": "Glaze. Price 11. New line."})
    console.post(f"{path}/generated", data={"version": "2", "text": again})
    assert "1 passage to choose" in console.get(path).text
    assert row(app, ident)["body"]["text"] == "Glaze one. Price 10."
    console.post(f"{path}/passages", data={"version": "3", "number": "0", "pick": "yours"})
    console.post(f"{path}/generated", data={"version": "4", "text": again})
    assert "passage to choose" not in console.get(path).text


def test_what_was_written_is_escaped(app, console) -> None:
    answer = console.post("/records/idea/new", data={"f.name": "<script>x</script>", "f.text": "</textarea><b>"})
    page = console.get(answer.headers["location"]).text
    assert "<script>x" not in page
    assert "</textarea><b>" not in page


@pytest.mark.parametrize("sent", [{}, {"version": "x"}, {"version": "9" * 40}, {"version": "1", "f.nonsense": "1"}])
async def test_odd_forms_are_refused_plainly(app, console, sent) -> None:
    ident = await made(app, "idea", name="One")
    assert console.post(f"/records/idea/{ident}/edit", data=sent).status_code == 422
    assert row(app, ident)["version"] == 1
