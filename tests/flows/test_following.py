"""Following: turns follow each other at once while there is work, a fault is told and does not end them."""

from __future__ import annotations

import asyncio
import logging

from soloist.flows import following

NONE = following.Pauses(at_the_start=0.0, breath=0.0, look_every=60.0, after_a_fault=0.0)


async def test_turns_go_on_while_there_is_work_and_after_a_fault(caplog):
    answers = [True, OSError("the disk is full"), True, False]
    made, over = [], asyncio.Event()

    async def turn() -> bool:
        made.append(answers[len(made)])
        if len(made) == len(answers):
            over.set()
        if isinstance(made[-1], Exception):
            raise made[-1]
        return made[-1]

    with caplog.at_level(logging.ERROR, "soloist.memory"):
        task = asyncio.create_task(following.follow(turn, NONE, log="soloist.memory", trouble="it has to wait"))
        await asyncio.wait_for(over.wait(), 60)
        task.cancel()
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
