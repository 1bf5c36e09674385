"""Event: an immutable journal row; something arrived, was decided, or was done."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from soloist.kernel.errors import BadInput
from soloist.kernel.hashing import sha256

MAX_PAYLOAD = 1024 * 1024
"""Largest JSON payload of one event from outside, in bytes; larger things are assets."""

_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_NAME = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,99}\Z", re.IGNORECASE)


@dataclass(slots=True)
class Event:
    """One row of the journal; ``seq`` and ``hash`` are filled when the row is written.

    ``subject`` is the id of the object it is about ("" for none), ``actor`` who caused it
    ("operator", "token:<name>", "outside", "soloist"), ``at`` the recorded instant (UTC, ISO 8601 with microseconds).
    """

    id: str
    source: str
    external_id: str
    kind: str
    payload: dict[str, Any]
    actor: str
    at: str
    subject: str = ""
    run: str = ""
    seq: int = 0
    hash: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def body(self) -> bytes:
        """The exact bytes that are stored and hashed: compact JSON with sorted keys."""
        return body_text(self.payload).encode()


def body_text(payload: dict[str, Any]) -> str:
    """Compact JSON with sorted keys; BadInput when the value is not plain JSON."""
    try:
        text = _encode(payload)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"payload: not plain JSON ({error})", field="payload") from error
    return text


def same_body_hashes(stored: str, offered: str) -> tuple[str, str]:
    """SHA-256 of the stored and of the offered body text, as a conflict names them."""
    return sha256(stored.encode()), sha256(offered.encode())


def check_from_outside(source: str, external_id: str, kind: str) -> None:
    """Refuse names that only Soloist itself may use, or that could not be found again (BadInput names the field)."""
    for name, value in (("source", source), ("kind", kind)):
        if not _NAME.match(value):
            raise BadInput(
                f"{name}: use 1 to 100 letters, digits, dots, colons, slashes or hyphens, not {value[:60]!r}.",
                field=name,
            )
        if value.lower().startswith("soloist"):
            raise BadInput(f"{name}: names that begin with 'soloist' are kept for Soloist itself.", field=name)
    if not external_id or len(external_id) > 500 or not external_id.isprintable():
        raise BadInput("external_id: use 1 to 500 printable characters that name this delivery.", field="external_id")
