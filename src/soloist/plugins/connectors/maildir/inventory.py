"""What lies in an outgoing mail folder, for reconciling; it moves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from soloist.sdk import Ctx, Thing, Trouble
from soloist.sdk.folders import PAGE, granted
from soloist.sdk.sent import thing

HEAD = 32 * 1024
"""Bytes of a file that are read for its headers."""


async def lying(ctx: Ctx, since: datetime) -> AsyncIterator[Thing]:
    """Every mail in ``new`` and ``cur`` dated since an instant, or with no date (Trouble when they cannot be read)."""
    files = granted(ctx)
    for folder in ("new", "cur"):
        names = await asyncio.to_thread(_named, ctx, folder)
        for start in range(0, len(names), PAGE):
            batch = names[start : start + PAGE]
            for name in batch:
                try:
                    raw = await asyncio.to_thread(files.read, folder, name, HEAD)
                except OSError:
                    continue  # taken away by the program that sends it on
                found = thing(raw.partition(b"\r\n\r\n")[0], ref=name.partition(":")[0], domain=ctx.home_domain)
                if not found.at or datetime.fromisoformat(found.at) >= since:
                    yield found


def _named(ctx: Ctx, folder: str) -> list[str]:
    try:
        return granted(ctx).names(folder)
    except OSError as error:
        raise Trouble(
            "unavailable", f"The folder {ctx.settings.get('folder')} cannot be read: {error.strerror or error}."
        ) from error
