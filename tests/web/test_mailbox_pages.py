"""Connecting a mailbox in the console: a real App behind the pages, an adapter that knows one password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine import registry
from soloist.kernel.errors import NotFound
from soloist.web.console import Console
from soloist.web.mailbox_door import Mailboxes
from soloist.web.pages import routes
from soloist.web.pages.edge import faults
from tests.engine.store import databases
from tests.flows import mailbox_fake as fake

HERE = "/settings/mailboxes"
FORM = {
    "address": "ada@gmail.com", "name": "mailbox", "username": "ada@gmail.com", "provider": "google", "way": "password",
    "imap_host": "imap.gmail.com", "imap_port": "993", "imap_security": "tls",
    "smtp_host": "smtp.gmail.com", "smtp_port": "465", "smtp_security": "tls", "keep_sent": "no",
}  # fmt: skip


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    real = registry.load

    def load() -> Any:
        found = real()
        found.connectors["mail"] = fake.FakeMail()
        return found

    monkeypatch.setattr(registry, "load", load)
    opened = App(databases.home(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def console(app: App) -> TestClient:
    inner = Starlette(routes=routes(), exception_handlers=faults())
    inner.state.app, inner.state.soloist = app, Console(app)
    return TestClient(inner, base_url="http://localhost:8787", follow_redirects=False)


def kept(console: TestClient) -> None:
    there = console.post(f"{HERE}/try", data={**FORM, "secret": fake.PASSWORD}).headers["location"]
    assert console.post(f"{there}/keep").headers["location"] == f"{HERE}?done=connected&name=mailbox"


def test_an_empty_list_says_that_it_begins_by_reading_only(console):
    text = console.get(HERE).text
    assert "No mailbox is connected yet" in text
    assert f"{HERE}/connect" in text


def test_the_address_leads_to_settings_with_their_source(console):
    text = console.post(f"{HERE}/find", data={"address": "ada@gmail.com"}).text
    assert 'value="imap.gmail.com"' in text
    assert "what is known of Gmail" in text
    assert "App passwords" in text
    assert "http://localhost:8787/connect/callback" in text


def test_what_is_no_address_is_said_on_the_form(console):
    answer = console.post(f"{HERE}/find", data={"address": "<script>"})
    assert answer.status_code == 422
    assert "is not a mail address" in answer.text
    assert "<script>&" not in answer.text


def test_a_test_that_works_shows_five_subjects_and_stores_nothing_yet(console, app):
    answer = console.post(f"{HERE}/try", data={**FORM, "secret": fake.PASSWORD})
    text = console.get(answer.headers["location"]).text
    assert all(subject in text for subject in fake.SUBJECTS)
    assert fake.PASSWORD not in text
    assert (app.keyring.names(), app.home.toml.exists()) == ([], False)


def test_a_refused_password_is_said_and_not_shown_again(console, app):
    answer = console.post(f"{HERE}/try", data={**FORM, "secret": "wrong-one"})
    assert answer.status_code == 422
    assert "Invalid credentials" in answer.text
    assert "App passwords" in answer.text
    assert "wrong-one" not in answer.text
    assert app.keyring.names() == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("imap_host", "", "missing"),
        ("smtp_port", "0", "no port"),
        ("imap_security", "none", "no way"),
        ("secret", "", "The password"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(console, field, value, said):
    answer = console.post(f"{HERE}/try", data={**FORM, "secret": fake.PASSWORD, field: value})
    assert answer.status_code == 422
    assert said in answer.text


def test_kept_it_reads_until_sending_is_allowed(console, app):
    kept(console)
    assert app.keyring.secret("mailbox-password") == fake.PASSWORD
    assert app.desk.observe_only("mailbox")
    text = console.get(f"{HERE}?done=connected&name=mailbox").text
    assert "can send nothing until you allow it" in text
    console.post(f"{HERE}/mailbox/sending", data={"on": "1"})
    assert not app.desk.observe_only("mailbox")
    console.post(f"{HERE}/mailbox/sending", data={"on": "0"})
    assert app.desk.observe_only("mailbox")


def test_a_stored_mailbox_is_tested_and_disconnected(console, app):
    kept(console)
    assert "Invoice 2026-118" in console.post(f"{HERE}/mailbox/test").text
    assert console.post(f"{HERE}/mailbox/remove").status_code == 303
    assert (app.keyring.names(), list(app.desk.connections)) == ([], ["mail", "mail-in", "drop"])
    assert console.post(f"{HERE}/mailbox/test").status_code == 404


def test_a_test_is_kept_once(console):
    there = console.post(f"{HERE}/try", data={**FORM, "secret": fake.PASSWORD}).headers["location"]
    console.post(f"{there}/keep")
    assert console.post(f"{there}/keep").status_code == 404


def test_a_sign_in_is_a_link_to_the_provider_with_pkce(console):
    text = console.post(f"{HERE}/try", data={**FORM, "way": "sign-in", "client_id": "mine"}).text
    link = re.search(r'href="(https://accounts\.google\.com/[^"]+)"', text)[1].replace("&amp;", "&")
    assert "code_challenge_method=S256" in link
    assert "redirect_uri=http%3A%2F%2Flocalhost%3A8787%2Fconnect%2Fcallback" in link
    assert "access_type=offline" in link


def test_a_sign_in_without_a_client_id_says_so(console):
    answer = console.post(f"{HERE}/try", data={**FORM, "way": "sign-in"})
    assert answer.status_code == 422
    assert "client id of your own" in answer.text


def test_an_answer_nobody_began_is_refused(console):
    assert console.get("/connect/callback?code=x&state=y").status_code == 404


async def test_what_waits_is_seen_by_its_own_session_only(app):
    from soloist.engine.presets import Place
    from soloist.flows.connecting import Mailbox

    place = Place("imap.linde.example", 993, "tls")
    box = Mailbox("mailbox", "mara@linde.example", place, place, "mara")
    door = Mailboxes(app)
    ident, _ = await door.test("one", box, {"mailbox-password": fake.PASSWORD})
    assert door.waiting("one", ident).ok
    with pytest.raises(NotFound):
        door.waiting("other", ident)


@pytest.mark.parametrize("path", [HERE, f"{HERE}/connect"])
def test_every_form_that_posts_carries_the_session_token(console, path):
    kept(console)
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", console.get(path).text, re.S)
    assert forms
    assert all('name="csrf"' in form for form in forms)
