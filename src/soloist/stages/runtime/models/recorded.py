"""Recorded: what a model answered to exactly this question once; it asks none, writes nothing and counts nothing."""

from __future__ import annotations

from typing import Any

from soloist.config import seconds
from soloist.engine.store import recordings, trials
from soloist.kernel.model_settings import ModelPart
from soloist.stages.runtime.models import decide, wire


def answer(conn: Any, part: ModelPart, run: str, skill: str) -> Any | None:
    """What a model answered to the question that a skill asked in a run, None when it was never asked that.

    The question is the one that is kept with the call, whoever answered it then.
    """
    for told in trials.asked(conn, run, skill):
        most = min(int(told["settings"].get("max_tokens") or part.max_output), part.max_output)
        settings = {**told["settings"], "max_tokens": most, "timeout": seconds(part.timeout)}
        plain = {**told, "settings": settings, "messages": decide.lasting(told["messages"])}
        kept = recordings.get(conn, decide.key(part.kind, part.model, plain))
        if kept is None or not kept["response"]:
            continue
        text = wire.text_of(kept["response"])
        try:
            return decide.parsed(text) if told.get("schema") else text
        except ValueError:
            return None
    return None
