"""Identifiers: UUIDv7 from a given instant and randomness, and names derived from other ids; reads no clock itself."""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.UUID("6f1b1c1e-50f0-5e10-9a57-736f6c6f6973")


def uuid7(milliseconds: int, randomness: bytes) -> str:
    """RFC 9562 version 7 text from Unix milliseconds and 10 random bytes; sorts by time."""
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(randomness[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def derived(*parts: object) -> str:
    """The same parts give the same id for ever (UUIDv5): proposals of a step, effects of a proposal."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)))
