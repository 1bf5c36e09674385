"""Advice: what an operator can do when a mailbox did not let us in; it reads the server's words and asks nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from soloist.engine.presets import known

Why = Literal[
    "ok", "password", "app_password", "token", "switch", "certificate", "unreachable", "later", "private", "other"
]


@dataclass(frozen=True)
class Advice:
    """Why a test failed, in a fixed word and in sentences: what was seen, and what can be done."""

    why: Why
    seen: str
    todo: str = ""

    @property
    def sentence(self) -> str:
        """Everything to be said, in one line."""
        return f"{self.seen} {self.todo}".strip()


_SIGNS: tuple[tuple[Why, str], ...] = (
    ("certificate", r"certificate|self[- ]signed|hostname mismatch|not valid for|unable to get local issuer"),
    ("private", r"private network|belongs to this computer"),
    (
        "app_password",
        r"application[- ]specific password|app password (?:is )?required|app-specific password|InvalidSecondFactor|"
        r"via your web browser|WEBLOGIN|534[- ]5\.7\.9",
    ),
    (
        "switch",
        r"IMAP (?:access )?is (?:disabled|not enabled|turned off)|not enabled for IMAP|enable IMAP|"
        r"IMAP.{0,30}deactivated|SmtpClientAuthentication is disabled|5\.7\.139|"
        r"basic authentication is disabled|LOGINDISABLED",
    ),
    (
        "token",
        r"invalid_grant|invalid_client|expired token|token.{0,40}(?:expired|revoked)|refresh token|XOAUTH2|OAUTHBEARER",
    ),
    ("later", r"cannot just now|temporar|wants a pause|too many|try again later|no access tokens just now"),
    (
        "unreachable",
        r"not reached|could not be resolved|no address|timed? ?out|no answer|refused|unreachable|"
        r"connection failed|reset",
    ),
)

_TODO: dict[Why, str] = {
    "password": "Check the user name and the password. Many providers want a password made for mail programs.",
    "app_password": "Make a password for mail programs with your provider, and give that one.",
    "switch": "Switch on IMAP (and sending over SMTP) in the settings of your mailbox, then test again.",
    "token": "Sign in with the provider again. Check client id, client secret and the permissions "
    "of your registration.",
    "certificate": "Check the server's name. If you run the server yourself, name its certificate authority (ca_file). "
    "Soloist never goes on with a certificate that is not valid.",
    "unreachable": "Check host and port. Some networks block port 465 or 587 for sending: try the other one.",
    "later": "The server is there and wants you to wait. Test again in a few minutes.",
    "private": "If you run that server yourself, allow the private network for this mailbox.",
    "other": "Check the settings, then test again.",
}
_CODES: dict[Why, int] = {
    "ok": 0,
    "other": 1,
    "password": 3,
    "app_password": 3,
    "token": 3,
    "unreachable": 4,
    "later": 4,
    "private": 4,
    "certificate": 5,
    "switch": 6,
}


def exit_code(why: Why) -> int:
    """0 fine, 1 other, 3 sign-in refused, 4 server not reached, 5 certificate, 6 something must be switched on."""
    return _CODES[why]


def advise(state: str, detail: str, *, provider: str = "", auth: str = "password") -> Advice:
    """What to do about a health of ``state`` ("ok", "degraded", "auth", "down") with the server's words."""
    if state in ("ok", "degraded"):
        return Advice("ok", detail)
    why = _why(state, detail, auth)
    return Advice(why, detail.strip() or "The server gave no reason.", f"{_TODO[why]}{_own_words(provider, why)}")


def _why(state: str, detail: str, auth: str) -> Why:
    for why, pattern in _SIGNS:
        if why == "unreachable" and state == "auth":
            continue
        if why == "token" and auth != "xoauth2":
            continue
        if re.search(pattern, detail, re.IGNORECASE):
            return why
    if state == "auth":
        return "token" if auth == "xoauth2" else "password"
    return "unreachable" if state == "down" else "other"


def _own_words(provider: str, why: Why) -> str:
    """What is known of this provider, where it bears on the matter."""
    preset = known().get(provider)
    if preset is None:
        return ""
    if why in ("password", "app_password") and preset.password:
        return f" {preset.password}"
    return f" {preset.switch}" if why in ("switch", "password", "token") and preset.switch else ""
