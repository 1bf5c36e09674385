"""Access tokens for sign-in by OAuth 2: fetched with the refresh token and kept in memory until they end."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from soloist.kernel.errors import SoloistError
from soloist.plugins.connectors.mail.server import Credential
from soloist.sdk import Ctx, HttpAnswer, MaybeSent, NotSent, Trouble

EARLY = 60.0
"""Seconds before its end at which a token is no longer used."""
WITHIN = 20.0
"""Seconds a token server has to answer."""
AGAIN = "Connect the mailbox again: soloist connect mail."


@dataclass
class _Kept:
    """One connection's token, the hash of the refresh token behind it, and a refresh token that replaced it."""

    token: str = ""
    until: float = 0.0
    behind: str = ""
    renewed: str = ""
    skew: float = 0.0
    loop: asyncio.AbstractEventLoop | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Tokens:
    """Tokens by connection; two sign-ins at the same time share one refresh, because some providers allow no other."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], _Kept] = {}

    async def credential(self, ctx: Ctx, *, fresh: bool = False) -> tuple[Credential, bool]:
        """The credential, and whether it came from memory; ``fresh`` forgets the one in memory. Trouble "auth"."""
        kept = self._of(ctx)
        username = str(ctx.settings.get("username") or "")
        async with kept.lock:
            secret = _secret(ctx, "refresh_secret")
            behind = hashlib.sha256(secret.encode()).hexdigest()
            if kept.behind != behind:  # the operator consented anew
                kept.token, kept.renewed, kept.behind = "", "", behind
            if kept.token and time.monotonic() < kept.until and not fresh:
                return Credential(username, kept.token, token=True), True
            await self._refresh(ctx, kept, kept.renewed or secret)
            return Credential(username, kept.token, token=True), False

    def skew(self, ctx: Ctx) -> float:
        """Seconds by which the token server's clock is ahead of ours, as its last answer had it."""
        return self._of(ctx).skew

    def _of(self, ctx: Ctx) -> _Kept:
        own = ctx.settings
        loop = asyncio.get_running_loop()
        key = (ctx.name, own.get("token_url"), own.get("client_id"), own.get("refresh_secret"), ctx.home_domain)
        kept = self._kept.setdefault(key, _Kept())
        if kept.loop is not loop:  # a lock belongs to one loop
            kept.loop, kept.lock = loop, asyncio.Lock()
        return kept

    async def _refresh(self, ctx: Ctx, kept: _Kept, refresh: str) -> None:
        """One request; a refresh token that was replaced is kept before the access token is used."""
        host = urlsplit(str(ctx.settings.get("token_url"))).hostname or "the token server"
        answer = await _ask(ctx, refresh, host)
        kept.skew = _skew(ctx, answer)
        body = _json(answer.body)
        if answer.status != 200:
            kept.token = ""
            raise _refused(host, answer, body)
        token, seconds = body.get("access_token"), body.get("expires_in", 3600)
        if not isinstance(token, str) or not token or any(ord(c) < 33 or ord(c) > 126 for c in token):
            raise Trouble("protocol_drift", f"{host} answered without an access token.")
        renewed = body.get("refresh_token")
        if isinstance(renewed, str) and renewed and renewed != refresh:
            name = str(ctx.settings["refresh_secret"])
            ctx.renew(name, renewed)
            try:
                kept_there = ctx.secrets[name] == renewed
            except (KeyError, SoloistError):
                kept_there = False
            if kept_there:
                kept.behind, kept.renewed = hashlib.sha256(renewed.encode()).hexdigest(), ""
            else:
                kept.renewed = renewed
        span = float(seconds) if isinstance(seconds, int | float | str) and str(seconds).isdigit() else 3600.0
        kept.token, kept.until = token, time.monotonic() + span - EARLY


async def _ask(ctx: Ctx, refresh: str, host: str) -> HttpAnswer:
    """The form of RFC 6749 section 6."""
    own = ctx.settings
    if ctx.http is None or not own.get("token_url"):
        raise Trouble("auth", f"No token_url is set, so nothing was sent. {AGAIN}")
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": str(own.get("client_id") or "")}
    if own.get("client_secret"):
        form["client_secret"] = _secret(ctx, "client_secret")
    if own.get("scope"):
        form["scope"] = str(own["scope"])
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        return await ctx.http.send(
            "POST", str(own["token_url"]), headers=headers, body=urlencode(form).encode(), timeout=WITHIN
        )
    except (NotSent, MaybeSent) as error:
        raise Trouble("unavailable", f"{host} gave no access token: {error}", retry_after=60.0) from error


def _refused(host: str, answer: HttpAnswer, body: dict[str, Any]) -> Trouble:
    """An error answer of RFC 6749 section 5.2; only its code is repeated, never the form."""
    code = str(body.get("error", ""))[:60]
    if answer.status == 429 or answer.status >= 500:
        after = answer.headers.get("retry-after", "")
        return Trouble(
            "unavailable",
            f"{host} gives no access tokens just now (answer {answer.status}).",
            retry_after=float(after) if after.isdigit() else 120.0,
        )
    if code in ("invalid_client", "unauthorized_client"):
        return Trouble("auth", f"{host} does not accept the client id or its secret ({code}).")
    return Trouble(
        "auth",
        f"The permission to read this mailbox has ended or was withdrawn ({host}: {code or answer.status}). {AGAIN}",
    )


def _secret(ctx: Ctx, setting: str) -> str:
    name = str(ctx.settings.get(setting) or "")
    try:
        return ctx.secrets[name]
    except (KeyError, SoloistError) as error:
        raise Trouble("auth", f"The secret {name or setting} is not in the vault. {AGAIN}") from error


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _skew(ctx: Ctx, answer: HttpAnswer) -> float:
    """From the Date header; whole seconds are its precision."""
    try:
        return (parsedate_to_datetime(answer.headers["date"]) - ctx.clock()).total_seconds()
    except (KeyError, ValueError, TypeError):
        return 0.0
