"""Handing a card over by the console, the API and the command line: the same act, said the same way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as command
from soloist.engine.store import tables, tasks
from soloist.kernel.access import parse_scopes
from soloist.kernel.proposal import NewProposal
from soloist.web import server
from soloist.web.console import Console
from soloist.web.pages import routes
from soloist.web.pages.edge import faults

TOML = """
[business]
name = "Studio Linde"
email = "mara@studio-linde.example"
timezone = "Europe/Berlin"
[people.anna]
name = "Anna Wolf"
email = "anna@wolf.example"
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A home with one held answer that waits."""
    (tmp_path / "soloist.toml").write_text(TOML)
    opened = App(tmp_path)
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": "Your site", "body": "Hello"}
    new = NewProposal("p1", "mail", "mail.send", payload, "She asked.", "agent:intake", title="Reply to Ada",
                      new_recipient=False, thread_known=True)  # fmt: skip
    facts = opened.desk.facts("mail", "mail.send")
    opened.store.write_now(lambda tx: opened.desk.approvals.propose(tx, new, facts, actor="intake"))
    yield opened
    opened.close()


def card(app: App) -> dict[str, Any]:
    found = app.store.read_now(lambda conn: tasks.open_for(conn, "p1"))
    assert found is not None
    return found


def letters(app: App) -> list[Any]:
    rows = app.store.read_now(lambda conn: conn.execute(tables.proposals.select()).all())
    return [row for row in rows if row.source == "soloist:delegate"]


def test_the_console_offers_it_shows_it_and_takes_it_back(app: App):
    inner = Starlette(routes=routes(), exception_handlers=faults())
    inner.state.app, inner.state.soloist = app, Console(app)
    console, ident = TestClient(inner, follow_redirects=False), card(app)["id"]
    assert "Anna Wolf" in console.get(f"/?card={ident}").text
    answer = console.post(f"/cards/{ident}/delegate", data={"to": "anna", "until": "1d"})
    assert answer.headers["location"] == f"/?card={ident}"
    text = console.get(f"/?card={ident}").text
    assert "With Anna Wolf until" in text
    assert "Take it back" in text
    app.store.write_now(lambda tx: tasks.annotate(tx, ident, "comment", "Is <b>this</b> right?", actor="anna"))
    assert "Is &lt;b&gt;this&lt;/b&gt; right?" in console.get(f"/cards/{ident}").text
    console.post(f"/cards/{ident}/delegate/back")
    assert card(app)["delegate"] == ""
    assert console.post(f"/cards/{ident}/delegate/back").status_code == 409
    assert console.post(f"/cards/{ident}/delegate", data={"to": "bob"}).status_code == 404


async def test_the_api(app: App):
    token, ident = app.access.issue_token("t", parse_scopes(["approve"]), None), card(app)["id"]
    weak = app.access.issue_token("w", parse_scopes(["read", "propose"]), None)
    wall = server.create(app, hosts=("testserver",), start=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(wall), base_url="http://testserver/api/v1") as client:
        said = {"Authorization": f"Bearer {token}"}
        path = f"/cards/{ident}/delegate"
        assert (
            await client.put(path, json={"to": "anna"}, headers={"Authorization": f"Bearer {weak}"})
        ).status_code == 403
        found = await client.put(path, json={"to": "anna", "until": "1d"}, headers=said)
        assert (found.status_code, found.json()["name"]) == (200, "Anna Wolf")
        assert (await client.put(path, json={"to": "anna", "until": "soon"}, headers=said)).status_code in (400, 422)
        assert (await client.delete(path, headers=said)).status_code == 204
        assert (await client.delete(path, headers=said)).status_code == 409
        assert (await client.put("/cards/none/delegate", json={"to": "anna"}, headers=said)).status_code == 404
    assert letters(app)[0].state == "approved"


def test_the_command_line(app: App):
    home, ident = ["--home", str(app.home.root)], card(app)["id"]
    run = CliRunner().invoke
    asked = run(command, ["delegate", ident, "anna", *home])
    assert asked.exit_code == 1
    assert letters(app) == []
    done = run(command, ["delegate", ident, "anna", "--yes", *home])
    assert "With Anna Wolf until" in done.output
    assert card(app)["delegate"] == "anna"
    assert "yours again" in run(command, ["delegate", ident, "--back", *home]).output
    assert run(command, ["delegate", ident, *home]).exit_code == 2
