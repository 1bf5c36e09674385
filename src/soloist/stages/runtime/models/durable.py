"""Asking: the configured models as one model of the agent library; each request is a durable step with books kept."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from soloist.config import seconds
from soloist.kernel.errors import CapReached, ModelTrouble
from soloist.kernel.model import Next
from soloist.sdk.flow import Verbs
from soloist.stages.runtime.models import decide
from soloist.stages.runtime.models.asking import Models, Outcome, Try
from soloist.stages.runtime.models.at_once import AtOnce, Parking
from soloist.stages.runtime.models.wire import Sent


class Asking(WrapperModel):
    """For one run of one agent. What fails goes down the chain; the agent sees an answer, CapReached or ModelTrouble.

    ``asked`` are the tries of this run in their order, so that cost and authors can be told.
    """

    def __init__(
        self, models: Models, first: Model, tried: Try, do: Verbs | AtOnce, *, most_requests: int = 20
    ) -> None:
        """``first`` is the library's model of the first name in ``tried.order``: its profile shapes the requests."""
        super().__init__(first)
        self._models, self._tried, self._do, self._most = models, tried, do, most_requests
        self.asked: list[Outcome] = []
        self._requests = 0

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """One request of the agent: a few durable steps at most, mostly one."""
        self._requests += 1
        told = json.loads(ModelMessagesTypeAdapter.dump_json(messages))
        if tool := decide.looping(told):
            raise ModelTrouble(f"The model asks for {tool} again and again with the same words.", fault="looping")
        if self._requests > self._most:
            raise ModelTrouble(f"The model was asked {self._most} times in one run.", fault="looping")
        return await self._down_the_chain(told, dict(model_settings or {}), model_request_parameters)

    async def _down_the_chain(
        self, told: list[dict[str, Any]], settings: dict[str, Any], parameters: ModelRequestParameters
    ) -> ModelResponse:
        order, done = self._tried.order, list[Next]()
        model = order[0]
        while True:
            rest = [model, *(name for name in order if name != model)]
            at = Try(**{**vars(self._tried), "order": rest})
            sent = Sent(told, self._bounded(model, settings), parameters)
            outcome = await self._models.attempt(sent, at, self._do, len(self.asked) + 1)
            self.asked.append(outcome)
            fault, said, response = outcome.fault, outcome.said, dict[str, Any]()
            if not fault:
                response = await self._models.response(outcome)
                offered = [tool.name for tool in (*parameters.function_tools, *parameters.output_tools)]
                if not (tool := decide.forbidden(response, offered)):
                    return _one(response)
                fault, said = "forbidden_tool", f"The model called {tool}, which it may not."
            if fault == "cap":
                raise CapReached(said, cap=outcome.cap, card=outcome.card, call=outcome.call)
            own = self._tried.failures.get(fault)
            longest = decide.LONGEST_PARK if isinstance(self._do, Parking) else decide.LONGEST_WAIT
            whose, retry = outcome.model or model, outcome.retry_after
            way = decide.after(fault, whose, order, done, retry, own=own, longest=longest)  # type: ignore[arg-type]  # a Fault as text
            done.append(way.do)
            if way.do == "operator":
                raise ModelTrouble(said, fault=fault, call=outcome.call)
            if way.do == "repair":
                told = [*told, *decide.corrected(response, said)]
            elif way.do == "shorten":
                told = decide.shortened(told)
            if way.wait:
                await self._do.sleep(way.wait)
            model = way.model

    def _bounded(self, model: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """The settings of a model with what the agent wants, within what the model may."""
        part = self._models.parts[model]
        most = min(int(wanted.get("max_tokens") or part.max_output), part.max_output)
        return {"temperature": 0.0, **wanted, "max_tokens": most, "timeout": seconds(part.timeout)}

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: Any = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Agents are not streamed: what the operator sees as it comes is ``Models.stream``."""
        raise ModelTrouble("An agent's request is not streamed.", fault="malformed")
        yield  # makes it a generator


def _one(response: dict[str, Any]) -> ModelResponse:
    found = ModelMessagesTypeAdapter.validate_python([response])[0]
    assert isinstance(found, ModelResponse)
    return found
