"""Reading mail files from a folder, shared by connectors that take mail in; it moves nothing and keeps no state."""

from __future__ import annotations

from collections.abc import Sequence

from soloist.kernel.hashing import sha256
from soloist.sdk.connector import Arrival, Ctx, Files, Health, Page

MESSAGE = "mail.message"
TOO_LARGE = "mail.too_large"
"""Kinds of arrival: a whole message, and the beginning of one over the limit."""

BEGINNING = 64 * 1024
"""How much of a message over the limit is kept, in bytes."""
PAGE = 50
"""Files on one page."""
LOOK_EVERY = 0.5
"""Seconds between two looks at a local folder."""


def granted(ctx: Ctx) -> Files:
    """The folder of this connector; ValueError when none was granted."""
    if ctx.files is None:
        raise ValueError(f"{ctx.name}: no folder was granted to this connector")
    return ctx.files


def page(files: Files, folder: str, names: Sequence[str], *, limit: int, cursor: str = "", complete: bool) -> Page:
    """The named files as arrivals; ``limit`` in bytes. What cannot be read stays where it is and shows in ``check``.

    The external id is the hash of what was read, so that the same bytes delivered twice are one event.
    """
    found = (_arrival(files, folder, name, limit) for name in names)
    return Page(tuple(arrival for arrival in found if arrival is not None), cursor, complete=complete)


def health(ctx: Ctx, folder: str) -> Health:
    """Whether the folder can be listed and every file in it read."""
    try:
        files = granted(ctx)
        bad = [name for name in files.names(folder) if _arrival(files, folder, name, 1) is None]
    except OSError as error:
        return Health("down", f"The folder {ctx.settings.get('folder')} cannot be read: {error.strerror or error}.")
    if bad:
        return Health("degraded", f"These files in {ctx.settings.get('folder')} cannot be read: {', '.join(bad[:20])}.")
    return Health("ok")


def _arrival(files: Files, folder: str, name: str, limit: int) -> Arrival | None:
    """One file, or None when it cannot be read or was taken away."""
    try:
        raw = files.read(folder, name, limit + 1)
    except OSError:
        return None
    if len(raw) > limit:
        return Arrival(f"raw@{sha256(raw)}", TOO_LARGE, raw[:BEGINNING], origin=name)
    return Arrival(f"raw@{sha256(raw)}", MESSAGE, raw, origin=name)
