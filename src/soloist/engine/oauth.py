"""OAuth: a sign-in with the operator's own client id, by authorization code with PKCE or by device code.

Parameters and PKCE come from Authlib; every request to the provider goes through Egress. Nothing is stored here.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from authlib.common.security import generate_token
from authlib.oauth2.auth import encode_client_secret_post, encode_none
from authlib.oauth2.rfc6749.errors import MismatchingStateException, MissingCodeException
from authlib.oauth2.rfc6749.parameters import (
    parse_authorization_code_response,
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from soloist.engine.egress import Egress, Resolver, system_resolver
from soloist.kernel.errors import BadInput, NotAllowed
from soloist.sdk import MaybeSent, NotSent

WITHIN = 30.0
"""Seconds the provider may take for one answer."""
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_LONGEST_WAIT = 15 * 60.0
_SLOWER = 5.0

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Client:
    """The operator's own registration with a provider; without ``client_secret`` a public client."""

    client_id: str
    authorize_url: str
    token_url: str
    scope: str
    client_secret: str = field(default="", repr=False)
    device_url: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    allow_private: bool = False


@dataclass(frozen=True)
class Begun:
    """A sign-in that waits for the person: the link to open, and what proves that the answer belongs to it."""

    url: str
    redirect: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class Tokens:
    """What the provider gave; ``refresh`` is the one to keep."""

    refresh: str = field(repr=False)
    access: str = field(repr=False)


@dataclass(frozen=True)
class DeviceCode:
    """What a person types at ``page`` on any device; ``code`` is ours to ask with, every ``pause`` seconds."""

    page: str
    typed: str
    code: str = field(repr=False)
    pause: float = 5.0
    ends_in: float = 900.0


def begin(client: Client, redirect: str, login: str = "") -> Begun:
    """The link that asks for consent; ``login`` is the address that the provider may fill in."""
    state, verifier = generate_token(48), generate_token(64)
    url = prepare_grant_uri(
        client.authorize_url,
        client.client_id,
        "code",
        redirect_uri=redirect,
        scope=client.scope,
        state=state,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **({"login_hint": login} if login else {}),
        **dict(client.extra),
    )
    return Begun(url, redirect, state, verifier)


async def finish(client: Client, begun: Begun, answer: str, *, resolver: Resolver = system_resolver) -> Tokens:
    """Exchange the address the browser came back with for tokens (NotAllowed, BadInput say what went wrong)."""
    query = {key: values[0] for key, values in parse_qs(urlsplit(answer).query).items()}
    if "error" in query and query.get("state", begun.state) == begun.state:
        raise NotAllowed(_refused(query))
    try:
        code = parse_authorization_code_response(answer, state=begun.state)["code"]
    except (MissingCodeException, MismatchingStateException) as error:
        raise BadInput(
            "This answer does not belong to the sign-in that was begun here, so nothing was done. Begin it again."
        ) from error
    body = prepare_token_request(
        "authorization_code", redirect_uri=begun.redirect, code=code, code_verifier=begun.verifier
    )
    return _tokens(await _ask(client, client.token_url, body, resolver))


async def begin_device(client: Client, *, resolver: Resolver = system_resolver) -> DeviceCode:
    """Ask for a code that a person types on another device (NotAllowed when the provider gives none)."""
    if not client.device_url:
        raise BadInput("This provider gives no code for another device; open the link in a browser instead.")
    body = prepare_token_request("", scope=client.scope).partition("&")[2]
    given = await _ask(client, client.device_url, body, resolver)
    if not given.get("device_code"):
        raise NotAllowed(_refused(given))
    page = str(given.get("verification_uri") or given.get("verification_url") or "")
    pause, ends_in = float(given.get("interval", 5)), float(given.get("expires_in", 900))
    return DeviceCode(page, str(given.get("user_code", "")), str(given["device_code"]), pause, ends_in)


async def finish_device(
    client: Client, device: DeviceCode, *, resolver: Resolver = system_resolver, sleep: Sleep = asyncio.sleep
) -> Tokens:
    """Wait until the person has typed the code (NotAllowed when they refuse or the code runs out)."""
    pause, ends = device.pause, time.monotonic() + min(device.ends_in, _LONGEST_WAIT)
    body = prepare_token_request(DEVICE_GRANT, device_code=device.code)
    while time.monotonic() < ends:
        await sleep(pause)
        given = await _ask(client, client.token_url, body, resolver)
        if given.get("error") == "slow_down":
            pause += _SLOWER
        elif given.get("error") != "authorization_pending":
            return _tokens(given)
    raise NotAllowed("The code was not typed in time. Nothing was stored; begin again.")


async def _ask(client: Client, url: str, body: str, resolver: Resolver) -> Mapping[str, Any]:
    """One form to the provider and its JSON answer, of any status (NotAllowed when there is none)."""
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    sign = encode_client_secret_post if client.client_secret else encode_none
    _, _, signed = sign(client, "POST", url, {}, body)
    try:
        egress = Egress.for_url(url, allow_private=client.allow_private, resolver=resolver)
        answer = await egress.send("POST", url, headers=headers, body=signed.encode(), timeout=WITHIN)
        given = json.loads(answer.body)
    except (NotSent, MaybeSent) as error:
        raise NotAllowed(f"The provider's sign-in was not reached: {error} Nothing was stored.") from error
    except ValueError as error:
        raise NotAllowed(f"{urlsplit(url).hostname} gave an answer that is not JSON. Nothing was stored.") from error
    return cast(Mapping[str, Any], given if isinstance(given, dict) else {})


def _tokens(given: Mapping[str, Any]) -> Tokens:
    if given.get("error") or not given.get("access_token"):
        raise NotAllowed(_refused(given))
    if not given.get("refresh_token"):
        raise NotAllowed(
            "The provider gave no refresh token, so the sign-in would end within the hour. Nothing was stored. Remove "
            "the earlier consent in your account with the provider, then sign in again."
        )
    return Tokens(str(given["refresh_token"]), str(given["access_token"]))


def _refused(given: Mapping[str, Any]) -> str:
    """The provider's own words, without anything secret: an error holds no token."""
    kind, words = str(given.get("error", "no token"))[:80], " ".join(str(given.get("error_description", "")).split())
    said = f"{kind}: {words[:300]}" if words else kind
    return f"The provider refused the sign-in ({said}). Nothing was stored."
