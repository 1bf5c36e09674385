"""Imports and exports over the API: what cannot be done first, then a file from its bytes to its undo."""

import asyncio
import base64
import hashlib
import io
import zipfile
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.worker import LocalWorker
from soloist.flows import exports as exporting
from soloist.flows.importing import Importing
from tests.plugins.skills.test_sheets import book

ODD = (
    b"Wer;Wie erreichen;Hund\nAda Okafor;ada@okafor-ceramics.example;Bello\nJonas Brandt;jonas@brandt-physio.example;\n"
)
COLUMNS = {"Wer": "name", "Wie erreichen": "emails", "Hund": "as_note"}


def body(data: bytes, name: str = "odd.csv", **more: Any) -> dict[str, Any]:
    return {"name": name, "content": base64.b64encode(data).decode(), **more}


@pytest.fixture
def step(app: App) -> Any:
    """What the server's flow would do now."""
    app.desk.intake.ask_many = LocalWorker().call_many

    async def work(ident: str, name: str) -> None:
        await Importing(app.desk).step("", ident, name)

    return work


# ----- what is refused


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"name": "x.csv", "content": "%%%"}, "content", "base64"),
        (body(b" "), "file", "empty"),
        (body(b"From ada@x.example\n\nhello"), "content", "mailbox"),
        ({"name": "x.csv"}, "content", "needed"),
    ],
)
async def test_a_file_that_is_none_names_the_field(http: Any, sent: Any, field: str, said: str):
    answer = await http.post("/imports", json=sent)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert said in answer.json()["detail"].lower()


async def test_who_may_look_may_not_begin_and_who_may_begin_may_not_take_over(clients: Any, http: Any, step: Any):
    ident = (await http.post("/imports", json=body(ODD))).json()["id"]
    assert (await clients("read", "reader").post("/imports", json=body(ODD))).status_code == 403
    for verb in ("takeover", "undo"):
        assert (await clients("read,propose", verb).post(f"/imports/{ident}/{verb}")).status_code == 403
        assert (await http.post(f"/imports/{ident}/{verb}")).status_code == 409


async def test_columns_and_choices_that_are_not_there(http: Any, step: Any):
    ident = (await http.post("/imports", json=body(ODD))).json()["id"]
    await step(ident, "read")
    for wrong in ({"columns": {"Katze": "name"}}, {"columns": {"Wer": "tail"}}, {"columns": {}}):
        answer = await http.put(f"/imports/{ident}/mapping", json=wrong)
        assert (answer.status_code, answer.json()["field"]) == (422, "columns")
    assert (await http.put(f"/imports/{ident}/mapping", json={"sheet": "Two"})).json()["field"] == "sheet"
    assert (await http.put(f"/imports/{ident}/choices", json={"rows": {"1": "burn"}})).status_code == 422
    assert (await http.get("/imports/none/rows")).status_code == 404


# ----- imports


async def test_a_file_from_its_bytes_to_its_undo(http: Any, step: Any):
    ident = (await http.post("/imports", json=body(ODD, kind="person"))).json()["id"]
    await step(ident, "read")
    asked = (await http.put(f"/imports/{ident}/mapping", json={"columns": COLUMNS})).json()
    assert (asked["state"], asked["columns"][2]["field"]) == ("checking", "as_note")
    await step(ident, "check")
    (first, second) = (await http.get(f"/imports/{ident}/rows", params={"outcome": "new"})).json()["items"]
    assert (first["body"]["note"], second["title"]) == ("Hund: Bello", "Jonas Brandt")
    for verb, name, state in (("takeover", "take", "done"), ("undo", "undo", "undone")):
        assert (await http.post(f"/imports/{ident}/{verb}")).status_code == 202
        await step(ident, name)
        assert (await http.get(f"/imports/{ident}")).json()["state"] == state
    assert [row["id"] for row in (await http.get("/imports")).json()["items"]] == [ident]


async def test_rows_come_in_pages(http: Any, step: Any):
    ident = (await http.post("/imports", json=body(ODD))).json()["id"]
    await step(ident, "read")
    first = (await http.get(f"/imports/{ident}/rows", params={"limit": 1})).json()
    rest = (await http.get(f"/imports/{ident}/rows", params={"after": first["next"]})).json()
    assert ([row["n"] for row in first["items"]], [row["n"] for row in rest["items"]], rest["next"]) == ([1], [2], None)


async def test_what_was_chosen_is_remembered_and_another_sheet_is_read(http: Any, step: Any):
    blob = book(Kunden=[["Wer", "Hund"], ["Ada", "Bello"]], Alt=[["Name"], ["Jonas"]])
    ident = (await http.post("/imports", json=body(blob, "odd.xlsx"))).json()["id"]
    await step(ident, "read")
    await http.put(f"/imports/{ident}/mapping", json={"kind": "company", "columns": {"Wer": "name"}})
    again = (await http.post("/imports", json=body(blob, "next.xlsx"))).json()["id"]
    await step(again, "read")
    told = (await http.get(f"/imports/{again}")).json()
    assert (told["kind"], told["sheets"]) == ("company", ["Kunden", "Alt"])
    assert "as you chose them for odd.xlsx" in told["remembered"]
    assert (await http.put(f"/imports/{again}/mapping", json={"sheet": "Alt"})).json()["state"] == "reading"


# ----- exports


async def test_only_who_holds_everything_may_take_everything(clients: Any):
    http = clients("read,propose,approve")
    assert (await http.post("/exports")).status_code == 403
    assert (await http.get("/exports/none/file")).status_code == 403


async def made(http: Any) -> Any:
    return await ended(http, (await http.post("/exports")).json()["id"])


async def ended(http: Any, ident: str) -> Any:
    for _ in range(400):
        found = (await http.get(f"/exports/{ident}")).json()
        if found.get("state") != "making":
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("the export was not made")


async def test_everything_is_made_beside_other_work_and_fetched(clients: Any, app: App):
    http = clients("admin")
    found = await made(http)
    answer = await http.get(f"/exports/{found['id']}/file")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (found["bytes"], found["sha256"])
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    events = (await http.get("/events", params={"limit": 500})).json()["items"]
    assert [event["actor"] for event in events if event["kind"] == "home.exported"] == ["token:test"]


async def test_one_at_a_time_and_the_one_before_goes_away(clients: Any):
    http = clients("admin")
    first = (await http.post("/exports")).json()
    busy = await http.post("/exports")
    assert (busy.status_code, first["id"] in busy.json()["detail"]) == (409, True)
    assert (await http.get(f"/exports/{first['id']}/file")).status_code == 409
    await ended(http, first["id"])
    second = await made(http)
    assert (await http.get(f"/exports/{first['id']}")).status_code == 404
    assert [one["id"] for one in (await http.get("/exports")).json()["items"]] == [second["id"]]


async def test_a_file_waits_for_an_hour_and_not_longer(clients: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exporting, "KEPT", -1.0)
    http = clients("admin")
    ident = (await http.post("/exports")).json()["id"]
    assert "any more" in (await ended(http, ident))["detail"]
