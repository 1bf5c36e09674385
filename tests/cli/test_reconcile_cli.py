"""The command that compares: what differs is printed, a list that fails is said, nothing is sent."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from soloist.app import App
from soloist.cli.main import app as command
from tests.flows.shelf import Shelf, Stock


@pytest.fixture
def stock(tmp_path, monkeypatch):
    """A home with something missing outside, whose adapter the command finds."""
    app = App(tmp_path)
    app.store.writer.send = lambda *_: None
    made = Stock(app)
    asyncio.run(made.effect())
    app.close()
    shelf = Shelf()
    monkeypatch.setattr("soloist.engine.registry.load", _with(shelf))
    return tmp_path, shelf


def _with(shelf):
    from soloist.engine import registry

    plain = registry.load

    def load():
        found = plain()
        found.connectors["shelf"] = shelf
        return found

    return load


def told(home, *words):
    done = CliRunner().invoke(command, ["reconcile", *words, "--home", str(home)])
    assert done.exit_code == 0, done.output
    return done.output


def test_what_differs_is_printed_and_listed_again(stock):
    home, _shelf = stock
    assert "shelf.put: 0 listed, 0 agree, 1 differ" in told(home, "shelf")
    listed = json.loads(told(home, "--list", "--json"))
    assert [(row["kind"], row["title"]) for row in listed["mismatches"]] == [("missing_outside", "bowl 1")]
    assert listed["compared"] == []


def test_a_connection_without_a_list_is_named(stock):
    done = CliRunner().invoke(command, ["reconcile", "drop", "--home", str(stock[0])])
    assert done.exit_code == 1
    assert "There is nothing to compare at 'drop'" in done.output
