"""Signing in with a real provider process: consent redirect, PKCE, refusals, the terminal's own callback."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from soloist.cli import connect_steps
from soloist.engine import oauth
from soloist.kernel.errors import BadInput, NotAllowed
from tests.servers import oauth_server

pytestmark = pytest.mark.servers
HERE = "http://localhost:9/connect/callback"


@pytest.fixture(scope="module")
def provider() -> Iterator[oauth_server.Provider]:
    with oauth_server.running() as found:
        yield found


@pytest.fixture
def client(provider: oauth_server.Provider) -> oauth.Client:
    return oauth.Client(
        "mine", provider.authorize_url, provider.token_url, "mail", client_secret="hush", allow_private=True
    )


def consent(begun: oauth.Begun) -> str:
    """What a browser does with the link: the address it is sent back to."""
    return httpx.get(begun.url, timeout=120).headers["location"]


async def test_consent_leads_back_and_the_code_is_exchanged(provider, client):
    begun = oauth.begin(client, HERE, "mara@linde.example")
    tokens = await oauth.finish(client, begun, consent(begun))
    assert tokens.refresh and tokens.access
    form = provider.asked()
    assert (form["client_id"], form["client_secret"], form["redirect_uri"]) == ("mine", "hush", HERE)
    assert tokens.refresh not in repr(tokens)
    assert "hush" not in repr(client)


async def test_a_wrong_verifier_gets_no_token(client):
    begun = oauth.begin(client, HERE)
    answer = consent(begun)
    with pytest.raises(NotAllowed, match="Nothing was stored"):
        await oauth.finish(client, replace(begun, verifier="x" * 64), answer)


async def test_an_answer_with_another_state_is_not_ours(client):
    begun, other = oauth.begin(client, HERE), oauth.begin(client, HERE)
    with pytest.raises(BadInput, match="does not belong"):
        await oauth.finish(client, begun, consent(other))


async def test_a_refusal_is_said_in_the_providers_words(client):
    begun = oauth.begin(replace(client, client_id="refused"), HERE)
    with pytest.raises(NotAllowed, match=r"access_denied: The user said no\."):
        await oauth.finish(client, begun, consent(begun))


async def test_a_provider_that_is_not_there_is_said(client):
    away = replace(client, token_url="http://localhost:9/token")
    begun = oauth.begin(client, HERE)
    with pytest.raises(NotAllowed, match="was not reached"):
        await oauth.finish(away, begun, consent(begun))


async def test_private_addresses_need_leave(client):
    begun = oauth.begin(client, HERE)
    with pytest.raises(NotAllowed, match="private network"):
        await oauth.finish(replace(client, allow_private=False), begun, consent(begun))


def test_the_terminal_prints_the_link_and_takes_the_answer(client, capsys):
    def browse() -> None:
        for _ in range(2400):
            said.append(capsys.readouterr().out)
            if link := re.search(r"http://\S+/authorize\S+", "".join(said)):
                done.append(httpx.get(link[0], follow_redirects=True, timeout=120).text)
                return
            threading.Event().wait(0.05)

    said: list[str] = []
    done: list[str] = []
    browser = threading.Thread(target=browse)
    browser.start()
    tokens = asyncio.run(connect_steps._sign_in(client, "mara@linde.example", connect_steps.Wish()))
    browser.join()
    assert tokens.refresh
    assert "You can close this window" in done[0]


class Devices:
    """A provider of device codes: pending twice, once too quick, then a token."""

    def __init__(self, last: dict[str, Any]) -> None:
        self.answers = [{"error": "authorization_pending"}, {"error": "slow_down"}, last]
        self.slept: list[float] = []

    async def ask(self, client: oauth.Client, url: str, body: str, resolver: Any) -> dict[str, Any]:
        if url.endswith("/devicecode"):
            assert body == "scope=mail"
            return {"device_code": "d", "user_code": "ABCD", "verification_uri": "https://x.example", "interval": 1}
        return self.answers.pop(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_a_device_code_waits_as_long_as_it_is_told(client, monkeypatch):
    devices = Devices({"access_token": "a", "refresh_token": "r"})
    monkeypatch.setattr(oauth, "_ask", devices.ask)
    client = replace(client, device_url="https://login.example/devicecode")
    code = await oauth.begin_device(client)
    tokens = await oauth.finish_device(client, code, sleep=devices.sleep)
    assert (code.typed, tokens.refresh, devices.slept) == ("ABCD", "r", [1, 1, 6])


async def test_a_device_that_says_no_ends_the_wait(client, monkeypatch):
    devices = Devices({"error": "authorization_declined"})
    monkeypatch.setattr(oauth, "_ask", devices.ask)
    with pytest.raises(NotAllowed, match="authorization_declined"):
        await oauth.finish_device(client, oauth.DeviceCode("p", "t", "c", 1.0), sleep=devices.sleep)
