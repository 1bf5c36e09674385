"""Router: the local classifier as a model of the agent library, and a language model behind it; it starts nothing.

The classifier answers with probabilities; when one of its two gates is shut it hands the whole step to the next model.
This module loads the library, so it is imported only when a language model is asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, create_model
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model
from pydantic_ai.models.decision import (
    ChoiceAnswer,
    ChoiceQuestion,
    DecisionHandOff,
    DecisionModel,
    DecisionModelSettings,
    DecisionRequest,
    DecisionResponse,
)
from pydantic_ai.models.fallback import FallbackModel

from soloist.kernel.confidence import WHOLE, Threshold
from soloist.kernel.errors import ModelTrouble
from soloist.sdk.asking import GUARD, marked
from soloist.stages.runtime.routing import OPERATOR, Routed, route

NONE = "none_of_these"
LOCAL = "local-router"
Tells = Callable[[str], Awaitable[Mapping[str, Any]]]
"""What the worker makes of a text: {model, how, probabilities, in_scope}."""
Proved = Callable[[str], Threshold]
"""What is proved of an intent."""


class Unsure(DecisionHandOff):
    """One of the two gates is shut: the next model may say, else the operator."""

    def __init__(self, found: Routed) -> None:
        self.found = found
        super().__init__(LOCAL, found.told, found.confidence / WHOLE, found.why)

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return self.__class__, (self.found,)


class LocalRouter(DecisionModel):
    """Picks one of the operator's intents; the numbers come from the worker process, which alone loads the models."""

    def __init__(self, tells: Tells, proved: Proved = lambda _told: Threshold()) -> None:
        """``proved`` gives the threshold of the intent that is told."""
        super().__init__()
        self._tells, self._proved = tells, proved

    @property
    def model_name(self) -> str:
        """As answers name it."""
        return LOCAL

    @property
    def system(self) -> str:
        """On this machine."""
        return "local"

    @property
    def base_url(self) -> str:
        """Nothing is sent anywhere."""
        return "local://"

    async def decide(self, request: DecisionRequest, model_settings: DecisionModelSettings) -> DecisionResponse:
        """Answer one pick-one question; Unsure when a gate is shut, ModelAPIError for any other question."""
        found = await self._tells(request.state if isinstance(request.state, str) else str(request.state))
        answers = {name: self._answer(name, question, found) for name, question in request.questions.items()}
        return DecisionResponse(answers=dict(answers), model_name=str(found.get("model") or LOCAL))

    def _answer(self, name: str, question: Any, found: Mapping[str, Any]) -> ChoiceAnswer:
        chances: Mapping[str, float] = found.get("probabilities") or {}
        if not isinstance(question, ChoiceQuestion) or not set(chances) <= set(question.criteria):
            raise ModelAPIError(LOCAL, f"The question {name!r} is not one that your examples answer.")
        first = route(found)
        routed = route(found, self._proved(first.told)) if first.told else first
        if routed.intent == OPERATOR:
            raise Unsure(routed)
        whole = {label: float(chances.get(label, 0.0)) for label in question.criteria}
        return ChoiceAnswer(choice=routed.intent, confidence=whole[routed.intent], probabilities=whole)


async def ask(
    text: str,
    intents: Mapping[str, str],
    local: LocalRouter,
    behind: Model,
    *,
    examples: Sequence[tuple[str, str]] = (),
) -> Routed:
    """What a text wants, by the classifier or else by the model behind it; CapReached and ModelTrouble go through.

    ``intents`` are names with what each is about, ``examples`` (text, intent) from the operator, shown as data.
    """
    choices = [*intents, NONE]
    names: Any = Literal[tuple(choices)]  # the names are the operator's
    told = "; ".join(f"{name}: {about}" for name, about in intents.items())
    output = create_model(
        "Wanted",
        __doc__="What the message wants.",
        intent=(names, Field(description=f"Which of these the message wants. {told}; {NONE}: anything else.")),
    )
    shown = "\n".join(f"{intent}: {marked(example)}" for example, intent in examples)
    more = f" Messages that were told before, with what they wanted:\n{shown}\n" if shown else " "
    agent = Agent(
        FallbackModel(local, behind, fallback_on=(ModelAPIError,)),
        name="router",
        output_type=output,
        instructions=f"Say which one intent the message has.{more}{GUARD}",
    )
    try:
        done = await agent.run(marked(text))
    except UnexpectedModelBehavior as error:
        raise ModelTrouble(f"The model named none of your intents: {error}.", fault="malformed") from error
    response = [one for one in done.all_messages() if isinstance(one, ModelResponse)][-1]
    chosen = str(done.output.model_dump()["intent"])
    if response.provider_name == local.system or response.model_name == LOCAL:
        return Routed(chosen, "It is like your examples.", response.model_name or LOCAL, "local", chosen)
    by = str(getattr(response, "model_name", "") or "")
    if chosen == NONE:
        return Routed(OPERATOR, "The model says that it wants none of your intents.", by, "model")
    return Routed(chosen, "A language model read it so.", by, "model", chosen)
