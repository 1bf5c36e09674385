"""Reading mail files from a folder, shared by connectors that take mail in; it moves nothing and keeps no state."""

from __future__ import annotations

from collections.abc import Sequence

from soloist.kernel.hashing import sha256
from soloist.sdk.connector import Arrival, Ctx, Files, Page

MESSAGE = "mail.message"
TOO_LARGE = "mail.too_large"
UNREADABLE = "mail.unreadable"
"""Kinds of arrival: a whole message, the beginning of one over the limit, the name of a file that cannot be read."""

BEGINNING = 64 * 1024
"""How much of a message over the limit is kept, in bytes."""
PAGE = 50
"""Files on one page."""


def granted(ctx: Ctx) -> Files:
    """The folder of this connector; ValueError when none was granted."""
    if ctx.files is None:
        raise ValueError(f"{ctx.name}: no folder was granted to this connector")
    return ctx.files


def page(files: Files, folder: str, names: Sequence[str], *, limit: int, cursor: str = "", complete: bool) -> Page:
    """The named files as arrivals; ``limit`` in bytes. The external id is the hash of what was read, so that the same
    bytes delivered twice are one event."""
    arrivals = tuple(_arrival(files, folder, name, limit) for name in names)
    return Page(arrivals, cursor, complete=complete)


def _arrival(files: Files, folder: str, name: str, limit: int) -> Arrival:
    try:
        raw = files.read(folder, name, limit + 1)
    except OSError as error:
        reason = f"{name}: {error.strerror or error}".encode(errors="replace")
        return Arrival(f"unreadable@{sha256(name.encode(errors='surrogateescape'))}", UNREADABLE, reason, origin=name)
    if len(raw) > limit:
        return Arrival(f"raw@{sha256(raw)}", TOO_LARGE, raw[:BEGINNING], origin=name)
    return Arrival(f"raw@{sha256(raw)}", MESSAGE, raw, origin=name)
