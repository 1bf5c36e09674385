"""The pages of budgets and models over a real home with a provider on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soloist.app import App
from soloist.kernel.spend import Held, Payer, Worst
from soloist.stages.spend import Refused
from soloist.web.console import Console
from soloist.web.pages import routes
from soloist.web.pages.edge import faults
from tests.stages.models.conftest import provider_module
from tests.stages.runtime.poet import Here

TOML = """
[models.small]
base_url = "{url}"
model = "tiny"
allow_private_network = true
[models.paid]
base_url = "{url}"
model = "tiny"
allow_private_network = true
price = {{ input = "1", output = "4", currency = "EUR" }}
"""


@pytest.fixture
def provider() -> Iterator[Any]:
    with provider_module.serving(provider_module.Provider("ready")) as served:
        yield served


@pytest.fixture
def home(tmp_path: Path, provider: Any) -> Path:
    (tmp_path / "soloist.toml").write_text(TOML.format(url=provider.url))
    return tmp_path


@pytest.fixture
def console(home: Path) -> Iterator[TestClient]:
    app = App(home)
    app.desk.runtime._worker = Here(*app.registry.skills.values())
    inner = Starlette(routes=routes(), exception_handlers=faults())
    inner.state.soloist = Console(app)
    yield TestClient(inner, follow_redirects=False)
    app.close()


def test_a_home_without_models_says_so(real_console: TestClient) -> None:
    assert "No model is set" in real_console.get("/models").text
    assert "The month will come to about" in real_console.get("/budgets").text


def test_a_cap_is_set_extended_and_taken_out(real_console: TestClient) -> None:
    given = {"most": "3", "span": "day", "scope": "agent", "subject": "writer"}
    assert real_console.post("/budgets", data=given).status_code == 303
    assert "3.00 EUR for a day for the agent writer" in real_console.get("/budgets").text
    assert real_console.post("/budgets/agent.day.money.writer/extension").status_code == 303
    assert "0.00 EUR of 3.75 EUR" in real_console.get("/budgets").text
    assert real_console.post("/budgets/agent.day.money.writer/end").status_code == 303
    assert "agent writer" not in real_console.get("/budgets").text


def test_one_tap_on_its_card_extends_a_cap(app: App, real_console: TestClient) -> None:
    spend, asked = app.desk.spend, Worst(30_000, 100)
    real_console.post("/budgets", data={"most": "0.02", "span": "day", "scope": "agent", "subject": "writer"})
    refused = asyncio.run(spend.begin(Payer("r", "1", agent="writer"), asked))
    assert isinstance(refused, Refused)
    page = real_console.get(f"/?card={refused.card}").text
    assert "Allow 0.01 EUR more" in page
    assert 'value="extend"' in page
    assert "reached" in real_console.get("/budgets").text
    assert real_console.post(f"/cards/{refused.card}/decision", data={"option": "extend"}).status_code == 303
    page = real_console.get("/budgets").text
    assert ("Extended until" in page, "0.00 EUR of 0.03 EUR" in page, ">reached<" in page) == (True, True, False)
    assert isinstance(asyncio.run(spend.begin(Payer("r", "2", agent="writer"), asked)), Held)
    assert "0.03 EUR of 0.03 EUR" in real_console.get("/budgets").text


def test_what_cannot_be_is_said_beside_the_form(real_console: TestClient) -> None:
    page = real_console.post("/budgets", data={"most": "lots", "span": "day"})
    assert (page.status_code, "write a limit like" in page.text, 'value="lots"' in page.text) == (422, True, True)


def test_a_model_is_asked_for_one_word(console: TestClient, provider: Any) -> None:
    assert "price unknown" in console.get("/models").text
    assert "openai/tiny answered" in console.post("/models/paid/check").text
    provider.reply = lambda _p, _b: 401
    page = console.post("/models/paid/check")
    assert (page.status_code, "status 401" in page.text) == (502, True)
    assert "unauthorised 1" in console.get("/models").text


def test_a_trial_says_its_cost_before_it_begins(console: TestClient, provider: Any) -> None:
    page = console.post("/models/paid/try").text
    assert "questions to paid: likely 0.0" in page
    assert (provider.asked, "No model was tried yet" in page) == ([], True)
    assert console.post("/models/paid/try", data={"yes": "1"}).headers["location"] == "/models#trials"
    assert "Under way" in console.get("/models").text
    assert console.post("/models/nobody/try").status_code == 404


def test_a_changed_file_is_taken_over_while_it_runs(home: Path) -> None:
    app = App(home)
    text = (home / "soloist.toml").read_text()
    (home / "soloist.toml").write_text(text.replace("models.small", "models.other") + '\n[budgets]\nday = "7"\n')
    app.connect()
    assert [*app.desk.models.parts] == ["other", "paid"]
    assert 7_000_000 in [cap.most for cap in app.store.read_now(app.desk.spend.caps)]
    (home / "soloist.toml").write_text(text + '\n[budgets]\nday = "7 JPY"\n')
    app.connect()
    assert [*app.desk.models.parts] == ["other", "paid"]
    app.close()
