"""Static files as they are served: small, typed, kept, and nothing beside them."""

import json

import pytest

from soloist.web.render import STATIC


def test_text_is_compressed_for_those_who_read_gzip(console):
    packed = console.get("/static/app.css")
    plain = console.get("/static/app.css", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == (STATIC / "app.css").read_bytes()
    assert int(packed.headers["content-length"]) < len(plain.content) / 2


def test_pages_are_not_compressed_since_they_hold_the_form_token(console):
    assert "content-encoding" not in console.get("/").headers


def test_what_is_compressed_already_is_left_alone(console):
    font = console.get("/static/vendor/inter-latin-wght.woff2")
    assert "content-encoding" not in font.headers
    assert font.content == (STATIC / "vendor/inter-latin-wght.woff2").read_bytes()


@pytest.mark.parametrize("path", ["../render.py", "..%2frender.py", "vendor/../../render.py", "none.css"])
def test_nothing_outside_the_folder_is_served(console, path):
    assert console.get(f"/static/{path}").status_code == 404


def test_the_worker_may_speak_for_the_whole_console_and_is_asked_for_anew(console):
    answer = console.get("/static/sw.js")
    assert answer.headers["service-worker-allowed"] == "/"
    assert answer.headers["cache-control"] == "no-cache"
    assert len((STATIC / "sw.js").read_text().splitlines()) <= 40


def test_what_the_worker_keeps_is_there_and_is_no_data(console):
    text = (STATIC / "sw.js").read_text()
    named = json.loads(text.partition("SHELL = ")[2].partition("]")[0].replace("'", '"') + "]")
    assert all((STATIC / name).is_file() for name in named)


def test_the_manifest_is_one(console):
    answer = console.get("/static/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    assert all((STATIC / icon["src"].removeprefix("/static/")).is_file() for icon in answer.json()["icons"])
