"""Work of agents over the API: begun once for a ref, estimated, read; what does not fit names its field."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from soloist.engine.store import tables
from soloist.flows.giving import item_of

TOPICS = {"skill": "topics", "input": {"text": "The logo. The website."}}


async def test_work_is_begun_once_for_a_ref_and_is_listed(running: Any, http: Any, eventually: Any) -> None:
    first = await http.post("/agents/researcher/work", json={**TOPICS, "ref": "r1"})
    again = await http.post("/agents/researcher/work", json={**TOPICS, "ref": "r1"})
    assert (first.status_code, again.status_code) == (202, 200)
    run = first.json()["id"]
    assert again.json()["id"] == run
    listed = await eventually("/agents/researcher/work", lambda body: body.get("items"))
    assert [row["id"] for row in listed["items"]] == [run]
    done = await eventually(f"/agents/researcher/work/{run}", lambda body: body.get("result"))
    assert (done["author"], done["result"]["came"]) == ("rules, no model", "done")


async def test_an_estimate_keeps_nothing(app: Any, http: Any) -> None:
    found = (await http.post("/agents/researcher/estimates", json=TOPICS)).json()
    assert (found["worst_micro"], found["said"]) == (0, "No model is asked, so it costs nothing.")
    assert app.store.read_now(lambda conn: conn.execute(tables.runs.select()).all()) == []


@pytest.mark.parametrize("way", ["work", "estimates"])
@pytest.mark.parametrize(
    ("agent", "body", "status", "said"),
    [
        ("reseacher", TOPICS, 404, "did you mean 'researcher'"),
        ("researcher", {**TOPICS, "skill": "sumary"}, 403, "may not use the skill sumary"),
        ("researcher", {"skill": "topics", "input": {}}, 422, "input.text"),
        ("researcher", {"input": {"questoin": "x"}}, 422, "did you mean 'question'"),
        ("researcher", {**TOPICS, "lane": "later"}, 422, "lane"),
        ("researcher", {**TOPICS, "lan": "now"}, 422, "lan"),
    ],
)
async def test_what_does_not_fit_names_its_field(
    app: Any, http: Any, way: str, agent: str, body: dict[str, Any], status: int, said: str
) -> None:
    answer = await http.post(f"/agents/{agent}/{way}", json=body)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert app.store.read_now(lambda conn: conn.execute(tables.runs.select()).all()) == []


async def test_a_reader_may_estimate_and_not_begin(clients: Any) -> None:
    reader = clients("read", "reader")
    assert (await reader.post("/agents/researcher/estimates", json=TOPICS)).status_code == 200
    assert (await reader.post("/agents/researcher/work", json=TOPICS)).status_code == 403


async def test_what_a_program_hands_on_is_outside_when_it_says_so(app: Any, http: Any) -> None:
    for said, label in (("own", "operator"), ("outside", "outside")):
        made = await http.post("/agents/researcher/work", json={**TOPICS, "ref": said, "written_from": said})
        assert made.status_code == 202
        item = app.store.read_now(partial(item_of, run=made.json()["id"]))
        assert item.origin.labels == {label}


LINES = {"skill": "subject_lines", "input": {"text": "The new kiln is there."}, "work": "offer subject lines"}


async def test_an_agent_gains_nothing_by_asking_an_abler_one(
    app: Any, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call(*_: Any, **__: Any) -> dict[str, Any]:
        return {"lines": []}

    monkeypatch.setattr(app.worker, "call", call)
    for changed, status, said in (
        ({"given_by": ["researcher"]}, 403, "researcher@1 may not hand offer subject lines to editor"),
        ({"given_by": ["publisher"], "work": "send it"}, 403, "may not hand send it to editor"),
        ({"given_by": ["publisher"], "input": {"text": "x", "instead_of": "y"}}, 403, "may not hand instead_of"),
        ({"given_by": ["triage", "publisher"]}, 404, "no agent called 'triage'"),
        ({"given_by": ["researcher", "publisher"]}, 403, "may not use the skill subject_lines"),
        ({"given_by": ["publisher"], "skill": ""}, 422, "names the skill"),
    ):
        answer = await http.post("/agents/editor/work", json={**LINES, **changed})
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert app.store.read_now(lambda conn: conn.execute(tables.runs.select()).all()) == []
    made = await http.post("/agents/editor/work", json={**LINES, "given_by": ["publisher"]})
    item = app.store.read_now(partial(item_of, run=made.json()["id"]))
    assert (item.given_by, item.work) == (("publisher",), "offer subject lines")
    contract = app.desk.runtime._working.contract(item)
    publisher, editor = (app.desk.runtime.roster.get(one) for one in ("publisher", "editor"))
    assert set(contract.skills) <= set(publisher.skills) & set(editor.skills)
    assert (contract.operations, contract.limits.seconds) == (
        (),
        min(publisher.limits.seconds, editor.limits.seconds),
    )
