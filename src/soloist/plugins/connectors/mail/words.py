"""What went wrong on a line to a mail server, said as a Trouble in plain words; it decides nothing."""

from __future__ import annotations

import imaplib
import re
import ssl

from imapclient.exceptions import ProtocolError

from soloist.plugins.connectors.mail.server import certificate
from soloist.sdk import NotSent, Trouble

APP_NEEDED = (
    "Google, Microsoft, Yahoo, Apple and others take an app password or a sign-in by browser here, "
    "not the password of the account."
)
"""Said with every refused password, because that is the most common reason."""

_NOT_NOW = (b"[UNAVAILABLE]", b"[INUSE]", b"[SERVERBUG]", b"temporar", b"try again", b"deleted under us")
_TOO_MANY = (b"[limit]", b"too many", b"rate limit", b"bandwidth", b"throttl")


def trouble(host: str, error: BaseException) -> Trouble:
    """Any fault of a line as a Trouble; what it does not know is the server breaking the protocol."""
    if isinstance(error, Trouble):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return Trouble("unavailable", certificate(host, error))
    if isinstance(error, ssl.SSLError):
        return Trouble("unavailable", _no_tls(host, error))
    if isinstance(error, TimeoutError):
        return Trouble("unavailable", f"{host} did not answer in time.", retry_after=60.0)
    if isinstance(error, NotSent):
        return Trouble("unavailable", str(error), retry_after=60.0)
    if isinstance(error, OSError):
        return Trouble("unavailable", f"The line to {host} broke ({error.strerror or error}).", retry_after=60.0)
    if isinstance(error, imaplib.IMAP4.error) and not isinstance(error, ProtocolError):
        return _said_no(host, error)
    return Trouble("protocol_drift", f"{host} answered what no mail server may answer: {short(error)}")


def _no_tls(host: str, error: ssl.SSLError) -> str:
    reason = getattr(error, "reason", None)  # only set when OpenSSL gave one
    if reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"):
        return f'{host} does not speak TLS on this port. Perhaps it wants "starttls", or another port.'
    return f"No secure line to {host} could be made ({reason or error}); nothing was sent."


def _said_no(host: str, error: imaplib.IMAP4.error) -> Trouble:
    """A NO, a BAD, a BYE or the end of the line, by its words."""
    words = short(error)
    if isinstance(error, imaplib.IMAP4.abort):
        if "unexpected" in words or "announced" in words:
            return Trouble("protocol_drift", f"{host} answered what no mail server may answer: {words}")
        return Trouble("unavailable", f"{host} closed the line ({words}).", retry_after=60.0)
    if "got more than" in words:
        return Trouble("protocol_drift", f"{host} sent a line that is too long: {words}")
    found = temporary(host, words)
    return found or Trouble("rejected", f"{host} refused: {words}")


def temporary(host: str, words: str) -> Trouble | None:
    """A refusal that may pass, or None."""
    low = words.encode().lower()
    if any(mark in low for mark in _TOO_MANY):
        return Trouble("rate_limited", f"{host} wants a pause: {words}", retry_after=300.0)
    if any(mark.lower() in low for mark in _NOT_NOW):
        return Trouble("unavailable", f"{host} cannot just now: {words}", retry_after=120.0)
    return None


def short(error: BaseException | bytes) -> str:
    """A server's words on one line, at most 300 characters."""
    if isinstance(error, bytes):
        text = error.decode("utf-8", "replace")
    else:
        first = error.args[0] if error.args else error
        text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    return re.sub(r"[\x00-\x20\x7f]+", " ", text).strip()[:300] or type(error).__name__
