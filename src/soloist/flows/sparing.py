"""Sparing: what the start and large questions left over goes back to the operating system; it frees nothing in use."""

from __future__ import annotations

import asyncio
import ctypes

AT_THE_START, EVERY = 5.0, 120.0


def give_back() -> bool:
    """Whether anything could be given back; a C library that has no way for it keeps what it has."""
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, AttributeError, TypeError):
        return False


async def follow() -> None:
    """Soon after the start, then now and then, on a thread of its own, for as long as the server runs."""
    await asyncio.sleep(AT_THE_START)
    while True:
        await asyncio.to_thread(give_back)
        await asyncio.sleep(EVERY)
