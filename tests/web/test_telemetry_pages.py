"""How agents and workflows do: the figures of made runs, on the page, over the API, and their bounds."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import records, tables, telemetry
from soloist.engine.store.tx import Tx
from soloist.insight.telemetry import page, quantile


def made(app: App, flow: str, agent: str, seconds: list[int], failed: int = 0) -> None:
    """Runs that took so long; the first ``failed`` of them failed."""

    def work(tx: Tx) -> None:
        for n, took in enumerate(seconds):
            state = "failed" if n < failed else "done"
            row = {"id": f"{flow}:{agent}:{n}", "flow": flow, "agent": agent, "state": state, "tokens": 100}
            at = {"started": f"2026-11-20T09:{n:02}:00.000000Z", "ended": f"2026-11-20T09:{n:02}:{took:02}.000000Z"}
            tx.run(tables.runs.insert(), {**row, **at, "cost_micro": 2000})

    app.store.write_now(work)


@pytest.fixture
def worked(app: App) -> App:
    made(app, "intake", "intake@1", [1, 2, 3, 40], failed=1)
    made(app, "reply", "writer@2", [5])
    made(app, "reply", "writer@3", [7])
    return app


def test_figures_stand_by_agent_and_by_workflow(worked: App):
    found = worked.store.read_now(lambda conn: page(conn, month="2026-11", currency="EUR", stored={}))
    agents = {one.name: one for one in found.agents}
    assert (agents["intake"].runs, agents["intake"].failed, agents["intake"].share) == (4, 1, 0.25)
    assert (agents["intake"].p50, agents["intake"].p95) == (2.0, 40.0)
    assert (agents["writer"].runs, agents["writer"].tokens, agents["writer"].cost_micro) == (2, 200, 4000)
    assert {one.name for one in found.flows} == {"intake", "reply"}


def test_time_and_bytes_stand_by_agent_workflow_and_client(worked: App):
    def work(tx: Tx) -> None:
        who = records.create(tx, "person", "Ada Okafor", {}, why="test")
        tx.run(tables.assets.insert(), {"hash": "h", "size": 700})
        tx.run(tables.conversations.insert(), {"id": "k", "record": who})
        tx.run(tables.messages.insert(), {"id": "m", "conversation": "k", "event": "e", "asset": "h"})
        tx.run(tables.runs.update().where(tables.runs.c.id == "intake:intake@1:3").values(subject="e"))
        tx.run(tables.run_steps.insert(), {"run": "intake:intake@1:3", "step": "x", "n": 0, "output": "x" * 98})

    worked.store.write_now(work)
    found = worked.store.read_now(lambda conn: page(conn, month="2026-11", currency="EUR", stored={})).split.shares
    said = {one.by: (one.title or one.name, one.runs, one.seconds, one.kept) for one in reversed(found)}
    assert said["client"] == ("Ada Okafor", 1, 40.0, 800)
    assert said["agent"] == said["flow"] == ("intake", 4, 46.0, 800)


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 5), (0.95, 10), (0.0, 1), (1.0, 10)])
def test_a_quantile_is_one_of_the_times(share: float, wanted: int):
    assert quantile(range(1, 11), share) == wanted
    assert quantile([], share) is None


def test_only_the_newest_runs_are_looked_at(worked: App):
    rows = worked.store.read_now(lambda conn: telemetry.newest(conn, 3))
    assert [row.started[14:16] for row in rows] == ["03", "02", "01"]


def test_the_pages_show_them(worked: App, real_console: TestClient):
    text = real_console.get("/telemetry").text
    for words in ("25.0 %", "half", "By workflow", "Where cost arises", "database"):
        assert words.lower() in text.lower()
    assert "half within 2 s, 95 % within 40 s" in real_console.get("/agents").text


def test_an_operation_shows_what_steers_it_and_how_often_it_is_edited(real_console: TestClient):
    text = real_console.get("/actions/records/record.change").text
    for words in ("What steers it", "Grants that let it go", "Edited by you", "nothing approved yet"):
        assert words in text
