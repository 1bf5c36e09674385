"""Signing in: what a connector's ``auth`` adds to a request when it leaves; secrets and tokens stay in memory here."""

from __future__ import annotations

import base64
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

from soloist.kernel.errors import SoloistError
from soloist.kernel.hashing import sha256
from soloist.plugins.connectors.http.answers import parse_json
from soloist.plugins.connectors.http.rendering import with_secrets
from soloist.sdk import Ctx, MaybeSent, NotSent

EARLY = 30.0
"""Seconds before its end that a token is no longer used."""
WITHIN = 15.0
"""Seconds a token server may take."""
_USUAL_LIFE = 300.0
"""Seconds a token lives whose server does not say."""


class NoSignIn(NotSent):
    """There is no secret or no token to sign in with; waiting does not help, the operator does."""


class Signer:
    """Signs requests of every http connection; access tokens by connection and their end."""

    def __init__(self) -> None:
        """No tokens yet."""
        self._tokens: dict[str, tuple[str, float]] = {}

    async def headers(self, ctx: Ctx, data: Mapping[str, Any]) -> dict[str, str]:
        """The headers as they leave (NoSignIn, NotSent)."""
        try:
            given = with_secrets(data["headers"], ctx.secrets)
            return {**given, **await self._auth(ctx, data.get("auth") or {})}
        except (KeyError, SoloistError) as error:
            raise NoSignIn(f"A secret is not there ({error}); nothing was sent.") from error

    def forget(self, ctx: Ctx, data: Mapping[str, Any]) -> bool:
        """Drop the token that was refused; True when a new one may do."""
        return self._tokens.pop(_place(ctx, data.get("auth") or {}), None) is not None

    def used(self, ctx: Ctx, data: Mapping[str, Any]) -> list[str]:
        """Everything secret that was in this request, in the form it was sent in."""
        auth = data.get("auth") or {}
        names = [name for name in ctx.secrets if any(f"{{secret.{name}}}" in t for t in data["headers"].values())]
        names += [auth[part] for part in ("secret", "client_secret") if auth.get(part)]
        found = []
        for name in names:
            try:
                found.append(ctx.secrets[name])
            except (KeyError, SoloistError):
                continue
        if auth.get("kind") == "basic":
            found += [_basic(auth, secret) for secret in found]
        token = self._tokens.get(_place(ctx, auth))
        return [*found, token[0]] if token else found

    async def _auth(self, ctx: Ctx, auth: Mapping[str, Any]) -> dict[str, str]:
        kind = auth.get("kind")
        if not kind:
            return {}
        secret = ctx.secrets[auth["secret"]]
        if kind == "basic":
            return {"Authorization": f"Basic {_basic(auth, secret)}"}
        if kind == "header":
            return {auth["header"]: secret}
        return {"Authorization": f"Bearer {secret if kind == 'bearer' else await self._token(ctx, auth, secret)}"}

    async def _token(self, ctx: Ctx, auth: Mapping[str, Any], secret: str) -> str:
        """An access token that still lives, fetched when there is none."""
        place = _place(ctx, auth)
        token, ends = self._tokens.get(place, ("", 0.0))
        if not token or time.monotonic() > ends - EARLY:
            given = await _fetch(ctx, auth, secret)
            token, life = str(given["access_token"]), given.get("expires_in")
            if auth["kind"] == "refresh_token" and given.get("refresh_token") not in (None, secret):
                ctx.renew(auth["secret"], str(given["refresh_token"]))
                place = _place(ctx, auth)
            seconds = float(life) if isinstance(life, int | float) else _USUAL_LIFE
            self._tokens[place] = (token, time.monotonic() + max(seconds, EARLY * 2))
        return token


def _place(ctx: Ctx, auth: Mapping[str, Any]) -> str:
    """Where a token is kept: one for each secret as it is now, so that a new secret brings a new token."""
    if not auth.get("token_url"):
        return ""
    try:
        secret = ctx.secrets[auth["secret"]]
    except (KeyError, SoloistError):
        return ""
    return sha256("\n".join((ctx.name, auth["token_url"], auth["client_id"], secret)).encode())


def _basic(auth: Mapping[str, Any], secret: str) -> str:
    return base64.b64encode(f"{auth.get('username', '')}:{secret}".encode()).decode()


async def _fetch(ctx: Ctx, auth: Mapping[str, Any], secret: str) -> Mapping[str, Any]:
    """Ask the token server; whatever goes wrong there, the request itself was not sent (NoSignIn, NotSent)."""
    form = {"grant_type": auth["kind"], "client_id": auth["client_id"]}
    if auth.get("scope"):
        form["scope"] = auth["scope"]
    if auth["kind"] == "refresh_token":
        form["refresh_token"] = secret
        if auth.get("client_secret"):
            form["client_secret"] = ctx.secrets[auth["client_secret"]]
    else:
        form["client_secret"] = secret
    wanted = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    body = urllib.parse.urlencode(form).encode()
    assert ctx.http is not None
    try:
        answer = await ctx.http.send("POST", auth["token_url"], headers=wanted, body=body, timeout=WITHIN)
        given = parse_json(answer.body)
    except MaybeSent as error:
        raise NotSent(f"The sign-in gave no token ({error}); nothing was sent.") from error
    except ValueError as error:
        raise NotSent("The sign-in gave an answer that is not JSON; nothing was sent.") from error
    if answer.status >= 500 or answer.status == 429:
        raise NotSent(f"The sign-in answered {answer.status}; nothing was sent.")
    if not isinstance(given, Mapping) or not given.get("access_token"):
        said = str(given.get("error", "no token"))[:80] if isinstance(given, Mapping) else "no token"
        raise NoSignIn(f"The sign-in was refused ({answer.status}, {said}); nothing was sent.")
    return given
