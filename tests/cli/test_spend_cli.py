"""``soloist models`` and ``soloist budget`` on a real home, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as commands
from soloist.engine.store import labels
from soloist.engine.store.tables import messages
from tests.stages.models.conftest import part, provider_module

TOML = """
[models.small]
base_url = "{url}"
model = "tiny"
allow_private_network = true
price = {{ input = "1", output = "4", currency = "EUR" }}
[models.odd]
base_url = "https://llm.example.com/v1"
model = "unheard"
key = "mine"
[budgets]
day = ["1 EUR", "200k tokens"]
agents = {{ "*" = {{ day = "0.50" }} }}
"""


@pytest.fixture
def provider() -> Any:
    assert part
    with provider_module.serving(provider_module.Provider("ready")) as served:
        yield served


@pytest.fixture
def home(tmp_path: Path, provider: Any) -> Path:
    (tmp_path / "soloist.toml").write_text(TOML.format(url=provider.url))
    App(tmp_path).close()
    return tmp_path


def run(home: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(commands, [*words, "--home", str(home)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def test_models_are_listed_with_what_is_wrong_with_them(home: Path) -> None:
    said = run(home, "models")
    assert "1 in, 4 out EUR for a million tokens; your own price" in said
    assert "nobody knows its price" in said
    assert "soloist secret set mine" in said


def test_no_model_is_said_plainly(tmp_path: Path) -> None:
    App(tmp_path).close()
    assert "No model is set" in run(tmp_path, "models")


def test_a_model_is_checked_with_books_kept(home: Path) -> None:
    assert "openai/tiny answered 'ready'" in run(home, "models", "check", "small")
    assert json.loads(run(home, "budget", "--json"))["today"] > 0
    assert "1 calls in 30 days" in run(home, "models")


def test_what_a_model_says_comes_with_its_author_and_cost(home: Path) -> None:
    said = run(home, "models", "say", "small", "Are you there?").splitlines()
    assert said[0] == "ready"
    assert said[1].startswith("openai/tiny: ")
    assert json.loads(run(home, "budget", "--json"))["today"] > 0


def test_an_unknown_model_is_named(home: Path) -> None:
    assert "Known: small, odd" in run(home, "models", "check", "smal", code=1)


def test_a_model_is_tried_on_the_operators_own_cases(home: Path, provider: Any) -> None:
    app = App(home)
    for n, kind in enumerate(["enquiry", "spam", "spam"]):
        row = {"id": f"m{n}", "conversation": "c", "subject": f"Mail {n}", "text": "Hello", "at": "2026"}
        app.store.write_now(lambda tx, row=row: tx.run(messages.insert(), row))
        app.store.write_now(
            lambda tx, n=n, kind=kind: labels.add(tx, f"m{n}", "kind", kind, was="spam", source="t", who="o")
        )
    app.close()
    provider.reply = '{"kind": "spam"}'
    plan = json.loads(run(home, "models", "try", "small", "--skill", "kind", "--estimate", "--json"))
    assert (len(plan["cases"]), 0 < plan["likely"] <= plan["worst"], provider.asked) == (3, True, [])
    run(home, "models", "try", "small", "--skill", "kind")
    (kept,) = json.loads(run(home, "models", "trials", "--json"))["items"]
    (told,) = kept["skills"]
    assert (told["cases"], told["good"], told["rules"], told["tier"]) == (3, 2, 667, 0)
    assert "Leave it to the rules" in told["said"]
    assert 0 < kept["micro"] == told["micro"] <= kept["worst_micro"]
    assert "kind" in run(home, "models", "trials")


def test_caps_are_shown_set_extended_and_taken_out(home: Path) -> None:
    assert "house.day.tokens" in run(home, "budget")
    assert "3.00 EUR for a month for the agent writer" in run(home, "budget", "set", "3", "--agent", "writer")
    assert "0.25 EUR more until" in run(home, "budget", "extend", "house.day.money")
    assert "0.00 EUR of 1.25 EUR" in run(home, "budget")
    run(home, "budget", "remove", "agent.month.money.writer")
    assert "writer" not in run(home, "budget")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "many"), "write a limit like"),
        (("set", "3", "--span", "week"), "one of call, run, day, month, total"),
        (("set", "3", "--agent", "a", "--flow", "b"), "one agent, one flow or one client"),
        (("extend", "house"), "no key of a cap"),
        (("extend", "house.total.runs"), "There is no cap"),
    ],
)
def test_what_cannot_be_is_said(home: Path, words: tuple[str, ...], said: str) -> None:
    assert said in run(home, "budget", *words, code=1)
