"""The list of everything that can be done: to search, one by one with its uses, by page, program and command."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as soloist
from soloist.engine.rate import lines_of
from soloist.insight import actions
from soloist.web.actions_door import Actions

TOML = """
[connectors.shop]
kind = "http"
base_url = "https://shop.example"
rate = "10/s"
[connectors.shop.operations.create_charge]
method = "POST"
path = "/customers/{payload.customer}/charges"
body = { amount = "{payload.amount}", note = "{payload.note?}" }
class = "A"
key_header = "Idempotency-Key"
risk = "financial"
[connectors.shop.operations.ping]
method = "POST"
path = "/ping"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "soloist.toml").write_text(TOML)
    return tmp_path


async def lines(app: App) -> dict[str, Any]:
    return {f"{line.connector}.{line.name}": actions.as_row(line) for line in await Actions(app).lines()}


async def test_everything_is_listed_with_its_contract(home: Path, app: App) -> None:
    found = await lines(app)
    assert {"shop.create_charge", "shop.ping", "mail.mail.send", "records.record.change"} <= set(found)
    charge = found["shop.create_charge"]
    assert {f["field"]: f["needed"] for f in charge["contract"]} == {"customer": True, "amount": True, "note": False}
    assert (charge["risk"], charge["window"], charge["uses"], charge["success"]) == ("financial", 86400.0, 0, None)
    assert charge["decides"] == "you, unless a grant of yours allows it (money)"


async def test_an_operation_without_a_class_is_c_and_irreversible(home: Path, app: App) -> None:
    ping = (await lines(app))["shop.ping"]
    assert (ping["class"], ping["risk"], ping["undo"]) == ("C", "irreversible", "none")


async def test_agents_stand_beside_what_they_may_propose(app: App) -> None:
    assert (await lines(app))["mail.mail.send"]["proposers"]


async def test_a_query_needs_all_its_words(home: Path, app: App) -> None:
    found = await Actions(app).lines()
    assert [line.name for line in actions.fitting(found, "shop financial amount")] == ["create_charge"]
    assert [line.name for line in actions.fitting(found, "create charge")] == ["create_charge"]
    assert actions.fitting(found, "financial mail") == []


def test_the_pages_say_it(home: Path, real_console: TestClient) -> None:
    page = real_console.get("/actions?q=shop").text
    assert "2 of" in page
    assert "/actions/shop/create_charge" in page
    one = real_console.get("/actions/shop/create_charge").text
    assert "customer" in one
    assert "It was never used." in one
    assert real_console.get("/actions/shop/nothing").status_code == 404


def test_a_connection_that_is_down_is_shown_while_the_rest_goes_on(
    home: Path, app: App, real_console: TestClient
) -> None:
    pace = lines_of(app.home.root)
    pace.breakers.failed("shop", "401 from <the shop>", auth=True)
    pace.rates.heard(pace.shared["shop"], 200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"})
    page = real_console.get("/actions").text
    assert "is left alone" in page
    assert "401 from &lt;the shop&gt; It is tried again in 15 min." in page
    assert "Everything waits" in page
    assert page.count("no trouble") >= 3


def test_watchers_see_the_pace(home: Path, real_console: TestClient) -> None:
    text = real_console.get("/metrics").text
    assert 'soloist_connector_answers{connector="shop"} 1' in text
    assert 'soloist_rate_wait_seconds{connector="shop",for="bulk"} 0.000' in text


def test_the_story_is_shown(console: TestClient) -> None:
    assert "shop: create_charge" in console.get("/actions").text
    assert "Nothing fits" in console.get("/actions?q=zebra").text
    assert "90 % worked" in console.get("/actions/shop/create_charge").text


def test_the_command_lists_them(home: Path, app: App) -> None:
    app.close()
    said = CliRunner().invoke(soloist, ["actions", "create", "--home", str(home)])
    assert "shop.create_charge  create, class A, financial" in said.output
    as_json = CliRunner().invoke(soloist, ["actions", "charge", "--home", str(home), "--json"])
    assert [row["name"] for row in json.loads(as_json.output)["items"]] == ["create_charge"]
