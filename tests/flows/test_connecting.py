"""Connecting: nothing is written before a test succeeded, and what is written keeps the operator's file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from soloist import config
from soloist.app import App
from soloist.engine.discovery import Found
from soloist.engine.presets import Place
from soloist.flows.connect_advice import advise, exit_code
from soloist.flows.connecting import Connecting, Mailbox, from_found
from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotFound
from tests.engine.store import databases
from tests.flows import mailbox_fake as fake

TOML = """# Mara's own notes stay where they are.
[business]
name = "Studio Linde"     # as clients see it
email = "mara@studio-linde.example"

[connectors.shop]
kind = "http"
base_url = "https://shop.example"   # the shop

[policy]
rules = []
"""
MAILBOX = Mailbox(
    "mailbox",
    "mara@studio-linde.example",
    Place("imap.linde.example", 993, "tls"),
    Place("smtp.linde.example", 587, "starttls"),
    "mara@studio-linde.example",
)
GOOD = {"mailbox-password": fake.PASSWORD}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    (tmp_path / "soloist.toml").write_text(TOML)
    opened = App(databases.home(tmp_path))
    opened.registry.connectors["mail"] = fake.FakeMail()
    yield opened
    opened.close()


@pytest.fixture
def flow(app: App) -> Connecting:
    return Connecting(app.home, app.registry, app.keyring, app.store)


async def test_a_test_stores_nothing(app, flow):
    tried = await flow.test(MAILBOX, GOOD)
    assert tried.ok
    assert tried.health.samples == fake.SUBJECTS
    assert app.keyring.names() == []
    assert app.home.toml.read_text() == TOML


async def test_what_failed_cannot_be_stored(app, flow):
    tried = await flow.test(MAILBOX, {"mailbox-password": "wrong"})
    assert tried.advice.why == "password"
    assert "[AUTHENTICATIONFAILED] Invalid credentials" in tried.advice.sentence
    with pytest.raises(Conflict, match="not stored"):
        flow.keep(tried, who="operator")
    assert (app.keyring.names(), app.home.toml.read_text()) == ([], TOML)


async def test_keeping_writes_secret_and_settings_and_keeps_every_comment(app, flow):
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    text = app.home.toml.read_text()
    assert [line for line in TOML.splitlines() if line not in text] == []
    assert (app.home.root / "soloist.toml.bak").read_text() == TOML
    assert fake.PASSWORD not in text
    part = config.read(app.home.toml).connectors["mailbox"]
    assert (part.imap_host, part.smtp_port, part.password_secret) == ("imap.linde.example", 587, "mailbox-password")
    assert app.keyring.secret("mailbox-password") == fake.PASSWORD


async def test_a_new_mailbox_only_reads_until_the_operator_allows_more(app, flow):
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    app.connect("mailbox")
    assert app.desk.observe_only("mailbox")
    await app.desk.allow_sending("mailbox", True, who="operator")
    assert not app.desk.observe_only("mailbox")
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    assert not app.desk.observe_only("mailbox")


async def test_connecting_again_takes_a_new_secret_name_so_that_a_running_server_notices(app, flow):
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    app.links.reread()
    for name in ("mailbox-password-2", "mailbox-password"):
        flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
        assert app.keyring.names() == [name]
        assert app.links.reread()
        assert (await flow.test_stored("mailbox"))[1].why == "ok"


async def test_removing_forgets_the_secret_and_the_leave_to_send(app, flow):
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    app.connect()
    await app.desk.allow_sending("mailbox", True, who="operator")
    flow.remove("mailbox", who="operator")
    assert (app.keyring.names(), list(flow.mailboxes())) == ([], [])
    assert "# the shop" in app.home.toml.read_text()
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    app.connect()
    assert app.desk.observe_only("mailbox")


async def test_a_secret_that_another_connector_names_is_not_forgotten(app, flow):
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    other = '\n[connectors.post]\nkind = "smtp"\nhost = "x.example"\npassword_secret = "mailbox-password"\n'
    app.home.toml.write_text(app.home.toml.read_text() + other)
    flow.remove("mailbox", who="operator")
    assert app.keyring.names() == ["mailbox-password"]


async def test_a_stored_mailbox_is_tested_as_it_is(flow):
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    health, advice = await flow.test_stored("mailbox")
    assert (health.state, advice.why) == ("ok", "ok")
    with pytest.raises(NotFound, match="Known: mailbox"):
        await flow.test_stored("post")


async def test_a_rotated_refresh_token_is_the_one_that_is_kept(app, flow):
    token = replace(MAILBOX, auth="xoauth2", client_id="mine", authorize_url="https://id.example/a")
    token = replace(token, token_url="https://id.example/t", scope="mail")
    flow.keep(await flow.test(token, {"mailbox-refresh": "renew"}), who="operator")
    assert app.keyring.secret("mailbox-refresh") == "renewed"
    part = config.read(app.home.toml).connectors["mailbox"]
    assert (part.auth, part.refresh_secret, part.client_secret) == ("xoauth2", "mailbox-refresh", "")


async def test_a_server_that_is_not_there_is_said(flow):
    tried = await flow.test(MAILBOX, {"mailbox-password": "no line"})
    assert (tried.advice.why, exit_code(tried.advice.why)) == ("unreachable", 4)


async def test_names_are_not_taken_twice(flow):
    flow.keep(await flow.test(MAILBOX, GOOD), who="operator")
    assert flow.free_name("mara@studio-linde.example") == "mailbox"
    assert flow.free_name("office@studio-linde.example") == "mailbox-2"
    for name, fault in (("mailbox", Conflict), ("shop", Conflict), ("drop", BadInput), ("../x", BadInput)):
        with pytest.raises(fault):
            flow.check_name(name, "office@studio-linde.example")


async def test_a_file_with_a_fault_is_left_as_it_is(app, flow):
    app.home.toml.write_text("[business\n")
    with pytest.raises(BadConfig):
        await flow.test(MAILBOX, GOOD)
    assert app.home.toml.read_text() == "[business\n"


def test_a_client_id_turns_a_google_preset_into_a_sign_in():
    place = Place("imap.gmail.com", 993, "tls")
    found = Found("ada@gmail.com", place, place, "ada@gmail.com", "here", provider="google", oauth="google")
    assert from_found(found, "mailbox").auth == "password"
    signed = from_found(found, "mailbox", client_id="mine")
    assert (signed.auth, signed.scope) == ("xoauth2", "https://mail.google.com/")
    assert dict(signed.client().extra)["access_type"] == "offline"


@pytest.mark.parametrize(
    ("state", "words", "why"),
    [
        ("auth", "b'[ALERT] Application-specific password required: https://support.google.com'", "app_password"),
        ("auth", "534-5.7.9 Please log in with your web browser and then try again.", "app_password"),
        ("auth", "535 5.7.8 Error: authentication failed: (reason unavailable)", "password"),
        ("auth", "Your account is not enabled for IMAP use. Please visit your Gmail settings page", "switch"),
        ("auth", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "switch"),
        ("down", "certificate verify failed: self-signed certificate (_ssl.c:1006)", "certificate"),
        ("down", "imap.linde.example was not reached: no answer came in time (limit 10 s).", "unreachable"),
        ("down", "192.168.1.4 belongs to this computer or a private network, so nothing was sent.", "private"),
        ("down", "localhost cannot just now: [UNAVAILABLE] Temporary authentication failure.", "later"),
        ("ok", "", "ok"),
    ],
)
def test_the_servers_words_tell_what_to_do(state, words, why):
    said = advise(state, words, provider="google")
    assert said.why == why
    assert why == "ok" or (words in said.sentence and said.todo)


@pytest.mark.parametrize("url", ["", "http://id.example/t", "javascript:alert(1)", "https://user@id.example/t"])
def test_a_sign_in_goes_to_an_address_with_tls_only(url):
    box = replace(MAILBOX, auth="xoauth2", client_id="mine", authorize_url="https://id.example/a", token_url=url)
    with pytest.raises(BadInput):
        box.client()
    with pytest.raises(BadInput):
        replace(box, authorize_url=url, token_url="https://id.example/t").client()
