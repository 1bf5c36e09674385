"""Skill bounce: who was not reached by a mail that came back, why, and which mail it was; it decides nothing."""

from __future__ import annotations

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills import _bounce
from soloist.sdk import skill


class In(Frozen):
    """Nothing but the raw mail, which is the blob."""


class Recipient(Frozen):
    """One recipient that was not reached.

    ``action`` is failed (it will not arrive), delayed (it may still arrive) or reported (they complained about it);
    ``status`` is an RFC 3463 code such as 5.1.1 or empty; ``reason`` is in the words of the mail server.
    """

    address: str
    action: str
    status: str
    reason: str


class Out(Frozen):
    """What a bounce says; ``original_message_id`` without angle brackets, ``permanent`` when it will not arrive."""

    recipients: list[Recipient] = Field(default=[])
    original_message_id: str = ""
    permanent: bool = False


@skill("bounce", version="1")
def bounce(value: In, blob: bytes) -> Out:
    """Read a bounce (RFC 5322 bytes): recipients with reasons, the mail it is about, whether it is final."""
    found = _bounce.read(blob)
    return Out(
        recipients=[
            Recipient(address=one.address, action=one.action, status=one.status, reason=one.reason)
            for one in found.recipients
        ],
        original_message_id=found.original_message_id,
        permanent=found.permanent,
    )
