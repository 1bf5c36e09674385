"""The pages of skills of others: a file is handed in, its code is shown before it runs, the walls are told."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.store import packages
from tests.engine.sandbox import parcels
from tests.flows.test_packages import zipped
from tests.flows.test_replacing import terse
from tests.web.fake_packages import TRIED

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


def test_one_for_the_place_of_a_shipped_skill_is_tried_let_in_and_put_back(pages: TestClient, app: App):
    answer = pages.post("/packages", files={"file": ("terse.zip", zipped(terse()), "application/zip")})
    here = answer.headers["location"]
    page = pages.get(here).text
    assert "It would take the place of" in page and "Hold it against summary" in page
    assert "Let it take the place" not in page
    assert "so it is held against it first" in pages.post(here + "/accept").text
    row = app.store.read_now(lambda conn: packages.of(conn, "terse"))[0]
    contract = {"name": "summary", "version": "2", "summary": "", "input": {}, "output": {}, "takes_bytes": False}
    tried = {**TRIED, "contracts": [contract], "granted": []}
    app.store.write_now(lambda tx: packages.tried(tx, "terse", row["hash"], tried, who="operator"))
    page = pages.get(here).text
    for words in ("Held against summary@1", "9 examples hold, 1 of them with another answer", "410 ms instead of 3 ms"):
        assert words in page
    assert "Why use it all the same?" in page
    assert "does worse than summary@1 on 1 of 4" in pages.post(here + "/accept").text
    assert pages.post(here + "/accept", data={"anyway": "shorter"}).status_code == 303
    assert "Replaced by" in pages.get("/skills/summary").text
    assert pages.post("/packages/back/summary").headers["location"] == "/skills/summary"
    assert "Replaced by" not in pages.get("/skills/summary").text
    assert pages.post("/packages/back/summary").status_code == 404


def test_what_is_wrong_with_a_file_is_said_on_the_page(pages: TestClient):
    assert pages.post("/packages").status_code == 422
    files = {"file": ("postcodes.exe", zipped({}), "application/zip")}
    answer = pages.post("/packages", files=files)
    assert answer.status_code == 422
    assert "a package is a folder, a .zip or a .tar.gz" in answer.text
    assert pages.get("/packages/postcodes/abcd").status_code == 404
