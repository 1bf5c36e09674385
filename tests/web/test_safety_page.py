"""The page about safety: it shows what is halted, what a restore found and what will leave, and its forms do it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soloist.web.pages import routes
from soloist.web.pages.edge import faults
from tests.web.fake_door import FakeDoor


@pytest.fixture
def door() -> FakeDoor:
    return FakeDoor()


@pytest.fixture
def client(door: FakeDoor) -> Iterator[TestClient]:
    app = Starlette(routes=routes(), exception_handlers=faults())
    app.state.soloist = door
    with TestClient(app) as opened:
        yield opened


@pytest.mark.parametrize(
    "words",
    [
        "safe mode: nothing leaves",
        "Two copies of one home would both work",
        "Your new shop",
        "ada@okafor-ceramics.example",
        "diary: the server cannot be reached",
        "4.0 days old",
        "3 of 3 secrets opened",
        "soloist recovery-sheet",
        "All backups are on this machine",
    ],
)
def test_the_page_says(client: TestClient, words: str) -> None:
    assert words in client.get("/safety").text


@pytest.mark.parametrize("act", ["backup", "drill", "look"])
def test_each_form_does_what_it_says(client: TestClient, door: FakeDoor, act: str) -> None:
    answer = client.post(f"/safety/{act}")
    assert (answer.status_code, door.safety.done) == (200, [act])
    assert 'role="status"' in answer.text


def test_going_on_ends_safe_mode(client: TestClient, door: FakeDoor) -> None:
    page = client.post("/safety/leave").text
    assert door.safety.done == ["leave operator"]
    assert "safe mode is over" in page
    assert "Go on: let it leave" not in page


def test_settings_lead_to_the_page(client: TestClient) -> None:
    assert 'href="/safety"' in client.get("/settings").text
