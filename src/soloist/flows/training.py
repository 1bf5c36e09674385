"""Training: the local model is fitted anew when the operator has said enough; it runs beside the flows."""

from __future__ import annotations

import asyncio
import logging

from soloist.flows.desk import Desk
from soloist.kernel.errors import SoloistError

LOOK_EVERY = 60.0
"""Seconds between two looks at how many new labels there are."""


async def follow(desk: Desk) -> None:
    """Look for new labels for as long as the server runs; a fit that fails leaves the model in use as it is."""
    log = logging.getLogger("soloist.training")
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            if await desk.runtime.refit_due():
                found = await desk.runtime.refit()
                log.info("the local model was fitted anew: %s", found.get("why") or found.get("model"))
        except SoloistError as error:
            log.warning("the local model was not fitted anew: %s", error)
