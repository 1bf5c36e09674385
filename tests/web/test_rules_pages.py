"""The pages of standing rules over a real home."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soloist.app import App
from soloist.web.console import Console
from soloist.web.pages import routes
from soloist.web.pages.edge import faults
from tests.engine.store import databases


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[TestClient]:
    app = App(databases.home(tmp_path))
    inner = Starlette(routes=routes(), exception_handlers=faults())
    inner.state.soloist = Console(app)
    with TestClient(inner) as client:
        yield client
    app.close()


def test_what_is_said_is_shown_with_what_it_would_do_and_put_in_force(pages: TestClient):
    shown = pages.post("/rules", data={"said": "Sign as 'Mara'"})
    assert "Signs as “Mara”" in shown.text
    assert "not in force yet" in shown.text
    shown = pages.post("/rules/1/release")
    assert "in force, version 1" in shown.text
    assert "Sign as &#39;Mara&#39;" in pages.get("/rules").text
    pages.post("/rules/1/end")
    assert "taken back" in pages.get("/rules").text


def test_a_sentence_about_nobody_known_comes_back_with_what_was_typed(pages: TestClient):
    shown = pages.post("/rules", data={"said": "Answer Zebulon in German"})
    assert shown.status_code == 422
    assert "Nobody called “Zebulon”" in shown.text
    assert 'value="Answer Zebulon in German"' in shown.text


def test_saying_it_again_says_so(pages: TestClient):
    pages.post("/rules", data={"said": "Never write 'cheap'"})
    pages.post("/rules/1/release")
    assert "You had said this already" in pages.post("/rules", data={"said": "Do not write 'cheap'"}).text
    assert "You had to repeat yourself 1 time." in pages.get("/rules").text


def test_a_rule_that_is_not_there_is_not_found(pages: TestClient):
    assert pages.get("/rules/99").status_code == 404
