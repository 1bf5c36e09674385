"""Training: what is learnt from the operator's words is learnt beside the flows: models, thresholds, samples."""

from __future__ import annotations

import asyncio
import logging

from soloist.flows.confidence import Confidence
from soloist.flows.desk import Desk
from soloist.flows.intents import Intents
from soloist.flows.sampling import Sampling
from soloist.kernel.errors import SoloistError

LOOK_EVERY = 60.0
"""Seconds between two looks at how many new labels there are."""
DRAW_EVERY = 60
"""Looks between two draws of samples."""


async def follow(desk: Desk) -> None:
    """Look for new labels for as long as the server runs; a fit that fails leaves the model in use as it is."""
    log, turn = logging.getLogger("soloist.training"), 0
    confidence, sampling, intents = Confidence(desk), Sampling(desk), Intents(desk)
    try:
        await intents.from_file()
    except SoloistError as error:
        log.warning("intents of soloist.toml were not taken over: %s", error)
    while True:
        await asyncio.sleep(LOOK_EVERY)
        turn += 1
        try:
            if await desk.runtime.refit_due():
                found = await desk.runtime.refit()
                log.info("the local model was fitted anew: %s", found.get("why") or found.get("model"))
            if await confidence.due():
                log.info("%d thresholds were made anew", await confidence.refit())
            if await intents.due():
                found = await intents.fit()
                log.info("the intents were learned from %d examples", found["examples"])
            if turn % DRAW_EVERY == 1:
                await sampling.draw()
                await confidence.thin()
        except SoloistError as error:
            log.warning("what was said was not learnt from: %s", error)
