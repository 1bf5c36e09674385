"""Written: a model that gives answers somebody wrote down, for the sample company and for trying; it asks nobody."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from soloist.kernel.model_settings import ModelPart

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model


class NotWritten(Exception):
    """Nobody wrote an answer to this question."""


def model(part: ModelPart) -> Model:
    """The library's model of a part of the kind recorded; it raises ``NotWritten`` for any other question."""
    from pydantic_ai.messages import ModelResponse, TextPart
    from pydantic_ai.models.function import FunctionModel

    def whole(messages: list[ModelMessage], _info: Any) -> ModelResponse:
        return ModelResponse(parts=[TextPart(answer(part, asked(messages)))])

    async def pieces(messages: list[ModelMessage], _info: Any) -> AsyncIterator[str]:
        yield answer(part, asked(messages))

    return FunctionModel(whole, stream_function=pieces, model_name=part.model)


def asked(messages: list[ModelMessage]) -> str:
    """What was asked at last."""
    from pydantic_ai.messages import UserPromptPart

    prompts = [one for message in messages for one in message.parts if isinstance(one, UserPromptPart)]
    return str(prompts[-1].content) if prompts else ""


def answer(part: ModelPart, question: str) -> str:
    """The first answer whose line stands in a question."""
    lines = {line.strip() for line in question.splitlines()}
    for one in part.answers:
        if one.when.strip() in lines:
            return one.answer if isinstance(one.answer, str) else json.dumps(one.answer, ensure_ascii=False)
    raise NotWritten(f"Nobody wrote an answer to this: {part.model} has {len(part.answers)} answers.")
