"""Pages about what is kept: tried before it counts, erased by a typed name, and what a decision knew."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import contexts, journal, memories, records
from soloist.kernel.hashing import sha256
from soloist.kernel.memory import NewMemory
from tests.flows import person


def test_the_policy_is_tried_and_then_saved(app: App, real_console: Any) -> None:
    text = real_console.get("/keeping").text
    assert "The policy a home begins with" in text
    assert 'name="days.memory.session" value="90"' in text
    tried = real_console.post("/keeping", data={"days.memory.session": "30", "act": "try"})
    assert "Only tried" in tried.text
    assert "begins with" in real_console.get("/keeping").text
    assert real_console.post("/keeping", data={"days.memory.session": "30", "act": "keep"}).status_code == 303
    assert "Version 1 of the policy" in real_console.get("/keeping").text


@pytest.mark.parametrize(("name", "value"), [("records.invoice", "30"), ("retrievals", "soon"), ("x", "1")])
def test_days_that_cannot_be_are_refused(real_console: Any, name: str, value: str) -> None:
    refused = real_console.post("/keeping", data={f"days.{name}": value, "act": "keep"})
    assert refused.status_code == 422
    assert "Nothing was changed" in refused.text


def test_every_kind_is_listed_with_its_rules(app: App, real_console: Any) -> None:
    text = real_console.get("/keeping").text
    assert "Invoices" in text
    assert "10 years, by law" in text


def test_a_snapshot_and_a_collection_by_hand(app: App, real_console: Any) -> None:
    app.store.write_now(lambda tx: memories.add(tx, [NewMemory("x")], actor="operator"))
    assert real_console.post("/keeping/snapshots", data={"label": "before <b>it</b>"}).status_code == 303
    text = real_console.get("/keeping").text
    assert "before &lt;b&gt;it&lt;/b&gt;" in text
    path = text.split('href="/keeping/snapshots/')[1].split('"')[0]
    assert "still here, unchanged" in real_console.get(f"/keeping/snapshots/{path}").text
    assert real_console.post("/keeping/collections").headers["location"] == "/keeping?done=collected"


def test_a_person_is_looked_at_and_erased_by_name(app: App, real_console: Any) -> None:
    made = person.plant(app)
    seen = real_console.get("/erase", params={"who": person.ADDRESS})
    assert seen.status_code == 200
    assert f"Type {person.NAME} to confirm" in seen.text
    assert "sections 147 AO" in seen.text
    refused = real_console.post("/erase", data={"who": made["person"], "confirm": "Zebulon"})
    assert (refused.status_code, "Nothing was erased" in refused.text) == (422, True)
    done = real_console.post("/erase", data={"who": made["person"], "confirm": person.NAME})
    assert done.status_code == 303
    proof = real_console.get(done.headers["location"]).text
    assert "Nothing of the person is left in this home." in proof
    assert "quartzmire" not in proof.lower()
    for page in ("/", "/activity", "/records", "/runs", "/keeping", f"/why/{made['message']}"):
        assert real_console.get(page).status_code == 200, page


def test_nobody_is_said(real_console: Any) -> None:
    assert real_console.get("/erase").status_code == 200
    answer = real_console.get("/erase", params={"who": "Nobody <i>Atall</i>"})
    assert answer.status_code == 404
    assert "Nobody is known" in answer.text
    assert "<i>Atall" not in answer.text


def knowing(app: App) -> dict[str, str]:
    """A context of a run: a record at version 1, two memories; ids by name."""

    def work(tx: Any) -> dict[str, str]:
        ada = records.create(tx, "person", "Ada Okafor", {"name": "Ada Okafor", "note": "likes slate"}, why="x")
        kept, gone = memories.add(tx, [NewMemory("budget 4,000"), NewMemory("call Friday")], actor="operator")
        return {"ada": ada, "kept": kept, "gone": gone}

    made = app.store.write_now(work)

    def freeze(tx: Any) -> str:
        given = {"records": [{"id": made["ada"], "kind": "person", "version": 1, "title": "Ada Okafor"}]}
        row = {**given, "run": "run-1", "messages": [], "house_book": "", "hash": "h"}
        slices = [
            {"memory": made[name], "n": n, "hash": sha256(text.encode()), "retrieval": "", "rank": n, "part": "spans"}
            for n, (name, text) in enumerate((("kept", "budget 4,000"), ("gone", "call Friday")))
        ]
        return contexts.add(tx, {**row, "parameters": {"as_of_seq": journal.head(tx.conn)}}, slices)

    return {**made, "context": app.store.write_now(freeze)}


def test_what_it_knew_and_what_has_changed_since(app: App, real_console: Any) -> None:
    made = knowing(app)
    text = real_console.get("/knew/run-1").text
    assert "Everything it was given is as it was." in text
    app.store.write_now(lambda tx: records.write(tx, made["ada"], 1, {"note": "likes oak"}, why="x", actor="operator"))
    app.store.write_now(lambda tx: memories.end(tx, [made["gone"]], why="done", actor="operator"))
    text = real_console.get(f"/knew/{made['context']}").text
    assert "2 of the things it was given are different now." in text
    assert "oak" in text
    assert "now version 2" in text
    assert real_console.get("/knew/none").status_code == 404
