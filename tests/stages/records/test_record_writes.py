"""Writes of records over a real home: what imports may do, who owns what afterwards, bodies brought forward."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import kinds, records, relations
from soloist.engine.store.tables import records as table
from soloist.engine.store.tables_memory import relations as links
from soloist.kernel.errors import BadInput, Conflict, StaleVersion
from soloist.kernel.kind import Field, Migration
from soloist.stages.records import NewRecord


def merge_in(app: App, kind: str, ident: str | None, **fields: Any) -> dict[str, Any]:
    return app.store.write_now(lambda tx: app.desk.records.merge_in(tx, kind, ident, fields, why="a CSV file"))


def row(app: App, ident: str) -> dict[str, Any]:
    return app.store.read_now(lambda conn: records.get(conn, ident))


async def made(app: App, kind: str, **body: Any) -> str:
    return (await app.desk.records.create(NewRecord(kind, body), actor="operator"))["id"]


def test_an_import_makes_a_record_of_its_own(app: App) -> None:
    done = merge_in(app, "person", None, name="Ada Okafor", emails=["ada@okafor-ceramics.example"], role="")
    assert (done["new"], done["version"], done["written"]) == (True, 1, ["emails", "name"])
    assert row(app, done["record"])["owners"] == {"emails": "outside", "name": "outside"}
    assert row(app, done["record"])["title"] == "Ada Okafor"


async def test_an_import_never_overwrites_what_the_operator_set(app: App) -> None:
    ident = await made(app, "person", name="Ada Okafor", emails=["a@x.example"])
    done = merge_in(app, "person", ident, name="A. Okafor", emails=["b@x.example"], role="potter", note="")
    assert (row(app, ident)["body"]["name"], row(app, ident)["body"]["role"]) == ("Ada Okafor", "potter")
    assert done["change"]["fields"] == {"name": "A. Okafor", "emails": ["b@x.example"]}
    assert merge_in(app, "person", ident, role="potter")["version"] == done["version"]


async def test_an_import_that_does_not_fit_writes_nothing(app: App) -> None:
    ident = await made(app, "person", name="Ada")
    with pytest.raises(BadInput, match="birthday: needs a day"):
        merge_in(app, "person", ident, role="potter", birthday="spring")
    assert row(app, ident)["version"] == 1


async def test_what_was_taken_back_belongs_to_whom_it_belonged(app: App) -> None:
    ident = merge_in(app, "person", None, name="Ada", company_name="Okafor")["record"]
    change = {"record": ident, "version": 1, "fields": {"company_name": "Okafor Ceramics"}}
    assert (await app.desk.records.apply("run", change, actor="operator"))["ok"]
    assert row(app, ident)["owners"]["company_name"] == "operator"
    app.store.write_now(lambda tx: app.desk.records.take_back_in(tx, change, actor="operator"))
    assert (row(app, ident)["body"]["company_name"], row(app, ident)["owners"]["company_name"]) == ("Okafor", "outside")


async def test_going_back_needs_the_newest_version(app: App) -> None:
    ident = await made(app, "offer", subject="Shop", number="A-1")
    await app.desk.records.change(ident, 1, {"subject": "New shop"}, actor="operator", state="sent")
    with pytest.raises(StaleVersion):
        await app.desk.records.restore("offer", ident, 1, 1, actor="operator")
    back = await app.desk.records.restore("offer", ident, 2, 1, actor="operator")
    assert (back["title"], back["state"], back["version"]) == ("A-1: Shop", "", 3)


async def test_records_from_before_schemas_are_brought_forward(app: App) -> None:
    ada = await made(app, "person", name="Ada")
    ident = await made(app, "invoice", number="R-1", amount={"minor": 1, "currency": "EUR"}, client=ada)
    app.store.write_now(lambda tx: tx.run(table.update().values(owners=None, schema=0)))
    app.store.write_now(lambda tx: tx.run(links.delete()))
    assert await app.desk.records.catch_up() == 2
    assert await app.desk.records.catch_up() == 0
    assert (row(app, ident)["version"], row(app, ident)["owners"]["client"]) == (1, "operator")
    assert [one["id"] for one in app.store.read_now(lambda conn: relations.about(conn, ada))] == [ident]


async def test_a_newer_schema_makes_a_version_of_each_body_it_changes(app: App) -> None:
    ident = await made(app, "idea", name="A newsletter")
    known = app.store.read_now(lambda conn: kinds.everything(conn))
    idea = next(kind for kind in known if kind.name == "idea")
    fields = {"headline": Field("headline"), **{name: one for name, one in idea.fields.items() if name != "name"}}
    step = Migration(2, rename={"name": "headline"}, default={"tags": ["old"]})
    newer = replace(idea, revision=2, fields=fields, title=("{headline}",), migrations=(step,))
    app.store.write_now(lambda tx: kinds.declare(tx, [newer if kind.name == "idea" else kind for kind in known]))
    assert await app.desk.records.catch_up() == 1
    assert row(app, ident)["body"] == {"headline": "A newsletter", "tags": ["old"]}
    assert row(app, ident)["owners"] == {"headline": "operator", "tags": "system"}
    newest, first = app.store.read_now(lambda conn: records.history(conn, ident))
    assert (newest["reason"], first["body"]) == ("brought to the newest schema of its kind", {"name": "A newsletter"})


def test_a_record_of_a_kind_nobody_declared_can_still_be_read(app: App) -> None:
    gone = {"id": "x", "kind": "boat", "version": 1, "title": "Elbe", "state": "", "body": {"sails": 2}}
    app.store.write_now(lambda tx: tx.run(table.insert(), {**gone, "created": tx.now, "updated": tx.now}) and None)
    assert row(app, "x")["body"] == {"sails": 2}


async def test_a_draft_has_one_publish_state_on_a_channel(app: App) -> None:
    draft = await made(app, "draft", name="Autumn")
    first = NewRecord("publication", {"name": "Autumn", "draft": draft, "channel": "blog"}, state="published")
    ident = (await app.desk.records.create(first, actor="operator"))["id"]
    await app.desk.records.create(replace(first, body={**first.body, "channel": "mail"}), actor="operator")
    with pytest.raises(Conflict, match="says where this draft stands"):
        await app.desk.records.create(first, actor="operator")
    await app.desk.records.change(ident, 1, {}, actor="operator", state="withdrawn")
    await app.desk.records.create(first, actor="operator")
    with pytest.raises(Conflict):
        await app.desk.records.change(ident, 2, {}, actor="operator", state="planned")
