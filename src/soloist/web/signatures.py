"""Signatures of webhooks over raw bytes: Standard Webhooks, Stripe and GitHub; pure, the clock is given."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

TOLERANCE = 300
"""Seconds that a signed timestamp may be away from now, for the schemes that sign one."""


def verified(scheme: str, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, *, now: float) -> str:
    """The name of this delivery when one of the active secrets signed these bytes, else "".

    ``headers`` have lower-case names. A scheme without delivery ids in its signature gives what its headers say.
    """
    check = {"standard": _standard, "stripe": _stripe, "github": _github}[scheme]
    for secret in secrets:
        try:
            if name := check(secret, headers, body, now):
                return name
        except (ValueError, UnicodeDecodeError, binascii.Error, OverflowError):
            continue
    return ""


def _fresh(stamp: str, now: float) -> bool:
    """Whether a timestamp in Unix seconds is near enough."""
    return stamp.isascii() and stamp.isdigit() and len(stamp) < 13 and abs(now - int(stamp)) <= TOLERANCE


def _standard(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """webhook-id, webhook-timestamp and webhook-signature ("v1,... v1,...")."""
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not name or not _fresh(stamp, now):
        return ""
    expected = Webhook(secret).sign(name, datetime.fromtimestamp(int(stamp), UTC), body.decode())
    given = headers.get("webhook-signature", "").split(" ")
    return name if any(_same(expected, one) for one in given if one.startswith("v1,")) else ""


def _stripe(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """stripe-signature: "t=...,v1=...,v1=..."; the delivery is named by its signed bytes."""
    pairs = [part.strip().partition("=") for part in headers.get("stripe-signature", "").split(",")]
    stamps = [value for key, _, value in pairs if key == "t"]
    if len(stamps) != 1 or not _fresh(stamps[0], now):
        return ""
    expected = hmac.new(secret.encode(), f"{stamps[0]}.".encode() + body, hashlib.sha256).hexdigest()
    good = any(_same(expected, value) for key, _, value in pairs if key == "v1")
    return f"sha256:{hashlib.sha256(body).hexdigest()}" if good else ""


def _github(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """x-hub-signature-256: "sha256=..."; named by its bytes, since the delivery header is not signed."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not secret or not _same(expected, headers.get("x-hub-signature-256", "")):
        return ""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _same(expected: str, given: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(expected.encode(), given.strip().encode("utf-8", "replace"))
