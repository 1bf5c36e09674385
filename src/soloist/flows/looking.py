"""Looking: right before a mail leaves, Sent is read once more; an answer the operator just wrote stops it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from soloist.engine.store import effects, proposals, runs
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.flows.sources import pull
from soloist.kernel.errors import SoloistError
from soloist.sdk import Trouble

WITHIN = 10.0
"""Seconds the look may take; a mailbox that cannot be read now does not keep a mail from leaving."""
TAKEN_IN = 5.0
"""Seconds in which what was found has to be on its thread."""

Attempt = Callable[[str, str], Awaitable[dict[str, Any]]]


def after_a_look(desk: Desk, attempt: Attempt) -> Attempt:
    """``attempt`` with a look at Sent before the first try of a mail that answers somebody."""

    async def look_first(run: str, effect_id: str) -> dict[str, Any]:
        row = await desk.store.read(lambda conn: effects.get(conn, effect_id))
        if row["operation"] == MAIL_OPERATION and not row["attempts"] and await _answers(desk, row["proposal"]):
            await _look(desk, row["connector"])
        return await attempt(run, effect_id)

    return look_first


async def _answers(desk: Desk, proposal: str) -> bool:
    """Whether a proposal belongs to a thread."""
    return bool((await desk.store.read(lambda conn: proposals.get(conn, proposal)))["conversation"])


async def _look(desk: Desk, connector: str) -> None:
    """Pull what was sent by other means, and wait until it is on its thread."""
    half = desk.connections.get(connector)
    streams = [s for s in half.streams().values() if s.direction == "out" and not s.past] if half else []
    try:
        async with asyncio.timeout(WITHIN):
            for stream in streams:
                await pull(desk.intake, desk.store, half, stream)  # type: ignore[arg-type]  # streams only with a half
            if streams:
                await _settled(desk)
    except (SoloistError, Trouble, OSError, ValueError, TimeoutError) as error:
        logging.getLogger("soloist.looking").warning(
            "Sent of %s could not be read before sending: %s", connector, error
        )


async def _settled(desk: Desk) -> None:
    """Wait for the runs that put sent mail on its thread."""
    for _ in range(int(TAKEN_IN / 0.05)):
        if not await desk.store.read(lambda conn: runs.unfinished(conn, "sent")):
            return
        await asyncio.sleep(0.05)
