"""The pages of skills of others: a file is handed in, its code is shown before it runs, the walls are told."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from soloist.app import App
from tests.engine.sandbox import parcels
from tests.flows.test_packages import zipped

CODE = "re.findall(r&#34;[0-9]{5}&#34;"


@pytest.fixture
def pages(real_console: TestClient) -> TestClient:
    return real_console


def test_a_file_is_handed_in_read_and_refused(pages: TestClient, app: App):
    files = {"file": ("postcodes.zip", zipped(parcels.good()), "application/zip")}
    answer = pages.post("/packages", files=files)
    assert answer.status_code == 303
    page = pages.get(answer.headers["location"]).text
    for words in (CODE, "Accept these files", "It asks for nothing but its input", "Ada Okafor"):
        assert words in page
    assert "postcodes" not in app.registry.skills
    listed = pages.get("/packages").text
    assert "waits for your word" in listed
    assert "What was tried, and what came of it" in listed
    pages.post(answer.headers["location"] + "/refuse")
    assert "They are no longer kept" in pages.get(answer.headers["location"]).text


def test_what_is_wrong_with_a_file_is_said_on_the_page(pages: TestClient):
    assert pages.post("/packages").status_code == 422
    files = {"file": ("postcodes.exe", zipped({}), "application/zip")}
    answer = pages.post("/packages", files=files)
    assert answer.status_code == 422
    assert "a package is a folder, a .zip or a .tar.gz" in answer.text
    assert pages.get("/packages/postcodes/abcd").status_code == 404
