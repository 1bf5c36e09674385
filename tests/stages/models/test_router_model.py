"""The local router as a model of the agent library: two gates, and a language model behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelAPIError
from pydantic_ai.models.decision import ChoiceAnswer, ChoiceQuestion, DecisionRequest, NoulQuestion

from soloist.kernel.confidence import Threshold
from soloist.kernel.errors import CapReached, ModelTrouble
from soloist.kernel.spend import Payer
from soloist.stages.runtime.models import Models, Try
from soloist.stages.runtime.models.router import LocalRouter, Unsure, ask
from soloist.stages.runtime.routing import route

INTENTS = {"move": "another day for an appointment", "pay": "how an invoice is paid"}
SURE = {"model": "intent@1", "how": "meaning", "probabilities": {"move": 0.9, "pay": 0.1}, "in_scope": True}
TORN = {**SURE, "probabilities": {"move": 0.55, "pay": 0.45}}
STRANGE = {**SURE, "in_scope": False}
NOTHING = {"model": "intent@1", "how": "", "probabilities": {}, "in_scope": False}


def local(found: dict[str, Any], proved: Threshold | None = None) -> LocalRouter:
    async def tells(_text: str) -> dict[str, Any]:
        return found

    return LocalRouter(tells, lambda _told: proved or Threshold())


def question(**more: Any) -> DecisionRequest:
    return DecisionRequest(
        state="Can we move it?", questions={"intent": ChoiceQuestion(criteria=dict(INTENTS)), **more}
    )


async def test_it_answers_with_the_probability_of_every_intent() -> None:
    response = await local(SURE).decide(question(), {})
    answer = response.answers["intent"]
    assert isinstance(answer, ChoiceAnswer)
    assert (answer.choice, answer.confidence, answer.probabilities) == ("move", 0.9, {"move": 0.9, "pay": 0.1})
    assert response.model_name == "intent@1"


@pytest.mark.parametrize(("found", "why"), [(TORN, "several"), (STRANGE, "unlike every"), (NOTHING, "this language")])
async def test_either_gate_hands_it_on(found: dict[str, Any], why: str) -> None:
    with pytest.raises(Unsure, match=why) as error:
        await local(found).decide(question(), {})
    assert error.value.found.intent == ""


async def test_what_the_operator_proved_moves_the_gate_both_ways() -> None:
    assert route(TORN, Threshold("alone", 5000)).intent == "move"
    assert route(SURE, Threshold("alone", 9500)).intent == ""
    assert "too often" in route(SURE, Threshold("asks")).why
    with pytest.raises(Unsure):
        await local(SURE, Threshold("asks")).decide(question(), {})


async def test_a_question_of_another_kind_is_not_guessed() -> None:
    with pytest.raises(ModelAPIError, match="urgent"):
        await local(SURE).decide(question(urgent=NoulQuestion(instructions="Is it urgent?")), {})


async def asked(house: Callable[..., Models], found: dict[str, Any], text: str = "Can we move it?", **more: Any) -> Any:
    """A message through the chain: the router, then the model of the house."""
    models = house(**more)
    behind = await models.for_agent(Try(Payer(f"run {text} {more}", "route", agent="intake"), models.order()))
    return await ask(text, INTENTS, local(found), behind)


def says(provider: Any, intent: str) -> None:
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "final_result", "arguments": f'{{"intent":"{intent}"}}'},
    }
    provider.reply = lambda _served, _body: {"content": None, "tool_calls": [call]}


async def test_a_sure_router_never_asks_the_language_model(house: Callable[..., Models], provider: Any) -> None:
    done = await asked(house, SURE)
    assert (done.intent, done.how, provider.asked) == ("move", "local", [])


async def test_an_unsure_one_hands_the_step_to_the_language_model(house: Callable[..., Models], provider: Any) -> None:
    says(provider, "pay")
    done = await asked(house, TORN)
    assert (done.intent, done.how, done.confidence) == ("pay", "model", 0), "a model's own word is no confidence"
    (body,) = provider.asked
    assert "<<<TEXT\nCan we move it?" in str(body["messages"][-1]["content"])
    says(provider, "none_of_these")
    assert (await asked(house, STRANGE, text="Good morning")).intent == ""


async def test_a_cap_or_a_dead_model_leaves_it_to_whoever_asked(house: Callable[..., Models], provider: Any) -> None:
    provider.reply = lambda _served, _body: {"content": "I think so."}
    with pytest.raises(ModelTrouble):
        await asked(house, TORN)
    with pytest.raises(CapReached):
        await asked(house, TORN, text="And now?", budgets={"day": "0 EUR"})
