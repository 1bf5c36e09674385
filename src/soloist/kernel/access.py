"""Who may come in: sessions, API tokens, one-time links and scopes as values; reads no clock and stores nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import sha256

Scope = Literal["read", "propose", "approve", "admin"]
SCOPES: frozenset[Scope] = frozenset(get_args(Scope))

SESSION_IDLE = 12 * 3600.0
"""Seconds without a request after which a session ends."""

SESSION_MOST = 30 * 86400.0
"""Seconds after which a session ends however busy it was."""

SECRET_BYTES = 32
"""Randomness in a session id, an API token and a one-time link."""

TOKEN_PREFIX = "solo_"  # noqa: S105 - the public prefix of every token, not a token
_TOKEN = re.compile(r"solo_[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: only the hash of its id is kept. Times are Unix seconds."""

    id_hash: str
    created_at: float
    seen_at: float
    client: str = ""
    revoked: bool = False

    def live(self, now: float) -> bool:
        """True while it is neither revoked, idle too long nor too old."""
        return not self.revoked and now - self.seen_at <= SESSION_IDLE and now - self.created_at <= SESSION_MOST


@dataclass(frozen=True, slots=True)
class Token:
    """An API token: only its hash is kept. ``expires_at`` in Unix seconds, None for never."""

    name: str
    token_hash: str
    scopes: frozenset[Scope]
    expires_at: float | None = None
    revoked: bool = False

    def live(self, now: float) -> bool:
        """True while it is neither revoked nor past its end."""
        return not self.revoked and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link: it leads to choosing a password, or (sample home only) signs in at once."""

    token_hash: str
    expires_at: float
    sets_password: bool = True
    used: bool = False

    def live(self, now: float) -> bool:
        """True until it was used or its time is over."""
        return not self.used and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Principal:
    """Who stands behind one request. ``actor`` is what the journal records."""

    actor: str
    scopes: frozenset[Scope]
    session: str = ""

    def may(self, scope: Scope) -> bool:
        """True when the scope was given; ``admin`` holds every scope."""
        return scope in self.scopes or "admin" in self.scopes


def operator(id_hash: str) -> Principal:
    """The operator, signed in under the session with this hash."""
    return Principal("operator", SCOPES, id_hash)


def bearer(token: Token) -> Principal:
    """A program that showed this token."""
    return Principal(f"token:{token.name}", token.scopes)


def secret_hash(secret: str) -> str:
    """What is stored of a session id, token or link: its SHA-256. Enough, since each holds 256 random bits."""
    return sha256(secret.encode("utf-8", "surrogatepass"))


def looks_like_token(text: str) -> bool:
    """True for ``solo_`` and 43 base64url characters."""
    return bool(_TOKEN.match(text))


def parse_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """Scopes by name, for a new token; BadInput names one that does not exist, or says that none was given."""
    wanted = [name.strip().lower() for name in names if name.strip()]
    if unknown := sorted(set(wanted) - SCOPES):
        raise BadInput(f"scope: there is no scope {unknown[0]!r}; use read, propose, approve or admin.", field="scope")
    if not wanted:
        raise BadInput("scope: name at least one of read, propose, approve, admin.", field="scope")
    return frozenset(scope for scope in SCOPES if scope in wanted)
