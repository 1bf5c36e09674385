"""Following: turns follow each other at once while there is work, a fault is told and does not end them."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from soloist.flows import following

NONE = following.Pauses(at_the_start=0.0, breath=0.0, look_every=60.0, after_a_fault=0.0)


async def test_turns_go_on_while_there_is_work_and_after_a_fault(caplog):
    answers = iter([True, OSError("the disk is full"), True, False])
    made = []

    async def turn() -> bool:
        made.append(next(answers))
        if isinstance(made[-1], Exception):
            raise made[-1]
        return made[-1]

    with caplog.at_level(logging.ERROR, "soloist.memory"), contextlib.suppress(TimeoutError):
        await asyncio.wait_for(following.follow(turn, NONE, log="soloist.memory", trouble="it has to wait"), 0.1)
    assert len(made) == 4
    assert "it has to wait" in caplog.text


async def test_catching_up_ends_with_the_work_and_with_the_time():
    left = [True, True, False, True]
    turns = []

    async def turn() -> bool:
        turns.append(1)
        return left.pop(0)

    await following.catch_up(turn, 5.0)
    assert len(turns) == 3
    await following.catch_up(turn, 0.0)
    assert len(turns) == 3
