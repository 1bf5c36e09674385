"""One question over real HTTP to a provider on this machine: books, recordings, faults and what follows from each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from soloist.engine.store import model_calls, recordings, spent
from soloist.engine.store.store import Store
from soloist.kernel.errors import CapReached, ModelTrouble
from soloist.kernel.spend import Payer
from soloist.stages.runtime.models import Models, Question
from tests.stages.models.conftest import part

Make = Callable[..., Models]
PAYER = Payer("r1", "draft", agent="writer")
SCHEMA = {
    "type": "object",
    "properties": {"intent": {"type": "string", "enum": ["lead", "spam"]}},
    "required": ["intent"],
    "additionalProperties": False,
}


def ask(text: str = "Hello", **more: Any) -> Question:
    return Question("You write short answers.", text, **more)


def calls(store: Store) -> list[dict[str, Any]]:
    return store.read_now(lambda conn: model_calls.listed(conn))[::-1]


def sums(store: Store) -> Any:
    return store.read_now(lambda conn: spent.read(conn, [spent.GATE])).get(spent.GATE)


def problem(code: str) -> dict[str, Any]:
    return {"error": {"message": "This cannot be answered.", "code": code}}


def fault_of(error: pytest.ExceptionInfo[ModelTrouble]) -> str:
    return str(error.value.extra["fault"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soloist.stages.runtime.models.decide.AGAIN_AFTER", 0.001)
    monkeypatch.setattr("soloist.stages.runtime.models.decide.USUAL_WAIT", 0.001)


async def test_an_answer_is_recorded_with_its_author_and_settled(store: Store, house: Make, provider: Any) -> None:
    answer = await house().ask(ask(), PAYER)
    assert (answer.value, answer.author, answer.recorded) == ("Fine.", "openai/tiny", False)
    assert answer.cost_micro == provider.micro(1_000_000, 4_000_000) == sums(store).spent_micro > 0
    row = calls(store)[0]
    assert (row["state"], row["agent"], row["run"]) == ("answered", "writer", "r1")
    assert store.read_now(lambda conn: recordings.get(conn, row["key"]))["author"] == "openai/tiny"  # type: ignore[index]


async def test_the_row_is_written_before_the_call_with_the_worst_case(store: Store, house: Make, provider: Any) -> None:
    seen = []
    provider.reply = lambda _p, _b: (seen.append((calls(store)[0]["state"], sums(store).held_micro)), "Fine.")[1]
    answer = await house().ask(ask(), PAYER)
    assert seen[0][0] == "reserved"
    assert seen[0][1] >= answer.cost_micro


async def test_the_same_question_is_answered_from_the_recording(store: Store, house: Make, provider: Any) -> None:
    models = house()
    await models.ask(ask(), PAYER)
    again = await models.ask(ask(), Payer("r2", "draft"))
    assert (again.value, again.recorded, again.cost_micro, len(provider.asked)) == ("Fine.", True, 0, 1)
    assert sums(store).saved_micro > 0
    assert not (await models.ask(ask(fresh=True), Payer("r3", "draft"))).recorded


async def test_a_recording_answers_with_no_network(house: Make, provider: Any) -> None:
    await house().ask(ask(), PAYER)
    asleep = house(replay=True)
    assert (await asleep.ask(ask(), Payer("r2", "x"))).value == "Fine."
    with pytest.raises(ModelTrouble, match="no recording of this question"):
        await asleep.ask(ask("Another"), Payer("r3", "x"))
    assert len(provider.asked) == 1


async def test_a_step_that_is_done_again_asks_nobody(house: Make, provider: Any) -> None:
    models = house()
    first = await models.ask(ask(fresh=True), PAYER)
    again = await models.ask(ask(fresh=True), PAYER)
    assert (again.call, len(provider.asked)) == (first.call, 1)


async def test_without_a_model_the_product_says_so(house: Make) -> None:
    with pytest.raises(ModelTrouble, match="No model is set") as error:
        await house({}).ask(ask(), PAYER)
    assert fault_of(error) == "not_configured"


async def test_answers_by_a_schema_are_values(house: Make, provider: Any) -> None:
    provider.reply = '{"intent": "lead"}'
    assert (await house().ask(ask(schema=SCHEMA), PAYER)).value == {"intent": "lead"}
    assert provider.asked[0]["response_format"]["json_schema"]["schema"]["required"] == ["intent"]


async def test_a_malformed_answer_is_repaired_once(house: Make, provider: Any) -> None:
    said = iter(["Sure! It is a lead.", '{"intent": "lead"}'])
    provider.reply = lambda _p, _b: next(said)
    answer = await house().ask(ask(schema=SCHEMA), PAYER)
    assert (answer.value, len(answer.notes)) == ({"intent": "lead"}, 1)
    assert "no JSON" in provider.asked[1]["messages"][-1]["content"]


async def test_garbage_twice_goes_to_the_next_model_then_to_the_operator(
    house: Make, provider: Any, other: Any
) -> None:
    provider.reply = other.reply = '{"intent": "gardening"}'
    models = house({"a": part(provider), "b": part(other)})
    with pytest.raises(ModelTrouble, match="not one of lead, spam") as error:
        await models.ask(ask(schema=SCHEMA), PAYER)
    assert (fault_of(error), len(provider.asked), len(other.asked)) == ("malformed", 2, 1)


@pytest.mark.parametrize(
    ("said", "fault", "asked"),
    [
        (500, "transient", 2),
        (429, "rate_limited", 2),
        (401, "unauthorised", 1),
        ((200, b"<html>"), "malformed", 2),
        (
            (400, {"error": {"message": "maximum context length is 100", "code": "context_length_exceeded"}}),
            "too_long",
            2,
        ),
        ((400, {"error": {"message": "no", "code": "content_filter"}}), "refused", 1),
        ("go on and " * 200, "looping", 1),
        ("", "malformed", 2),
    ],
)
async def test_each_fault_of_the_only_model_ends_with_the_operator(
    house: Make, provider: Any, said: Any, fault: str, asked: int
) -> None:
    provider.reply = lambda _p, _b: said
    with pytest.raises(ModelTrouble) as error:
        await house().ask(ask("A long letter. " * 40), PAYER)
    assert (fault_of(error), len(provider.asked)) == (fault, asked)


async def test_a_smaller_model_answers_when_the_large_one_is_limited(house: Make, provider: Any, other: Any) -> None:
    provider.reply = lambda _p, _b: 429
    models = house({"large": part(provider, tier=4), "small": part(other)})
    answer = await models.ask(ask(most=4, large="worth"), PAYER)
    assert (answer.value, len(provider.asked)) == ("Fine.", 1)


async def test_a_limited_model_is_left_alone_for_a_while(house: Make, provider: Any, other: Any) -> None:
    models = house({"large": part(provider, tier=4), "small": part(other)})
    models._limited["large"] = 1e12
    await models.ask(ask(most=4, large="worth"), PAYER)
    assert (len(provider.asked), len(other.asked)) == (0, 1)


async def test_a_question_that_is_too_long_is_asked_shorter(house: Make, provider: Any) -> None:
    models = house({"small": part(provider, window=1000, max_output=100)})
    answer = await models.ask(ask("One more sentence of a long letter. " * 150), PAYER)
    assert (answer.value, len(provider.asked)) == ("Fine.", 1)
    assert "[... shortened ...]" in provider.asked[0]["messages"][-1]["content"]


async def test_an_answer_that_takes_too_long_is_cut_and_counts_in_full(
    store: Store, house: Make, provider: Any
) -> None:
    provider.pause = 3.0
    models = house({"small": part(provider, timeout="0.8s")})
    with pytest.raises(ModelTrouble, match="within 0.8 s") as error:
        await models.ask(ask(), PAYER)
    row = calls(store)[0]
    assert (fault_of(error), row["cost_micro"]) == ("timeout", row["reserved_micro"])


async def test_a_model_that_is_not_there_costs_nothing(store: Store, house: Make, provider: Any) -> None:
    models = house({"small": part(provider, base_url="http://127.0.0.1:9/v1")})
    with pytest.raises(ModelTrouble, match="not reached") as error:
        await models.ask(ask(), PAYER)
    assert fault_of(error) == "unreachable"
    assert {(row["state"], row["cost_micro"]) for row in calls(store)} == {("failed", 0)}


async def test_a_model_on_this_network_needs_leave(house: Make, provider: Any) -> None:
    models = house({"small": part(provider, allow_private_network=False)})
    with pytest.raises(ModelTrouble, match="allow_private_network"):
        await models.ask(ask(), PAYER)
    assert provider.asked == []


async def test_an_answer_without_usage_counts_as_the_worst(store: Store, house: Make, provider: Any) -> None:
    provider.usage = False
    await house().ask(ask(), PAYER)
    assert calls(store)[0]["cost_micro"] == calls(store)[0]["reserved_micro"] == sums(store).spent_micro


async def test_a_model_without_a_known_price_costs_the_most(house: Make, provider: Any) -> None:
    models = house({"small": part(provider, price=None)})
    assert not models.price("small").known
    assert models.price("small").tokens_out >= 500_000_000
    with pytest.raises(CapReached):
        await models.ask(ask(max_output=1000), PAYER)


async def test_at_the_cap_nobody_is_asked(house: Make, provider: Any) -> None:
    with pytest.raises(CapReached, match="Nothing was asked"):
        await house(budgets={"call": "0.0001"}).ask(ask(), PAYER)
    assert provider.asked == []


async def test_a_secret_is_in_no_prompt_and_no_answer(store: Store, house: Make, provider: Any) -> None:
    provider.reply = "It is hunter2secret."
    models = house(hidden=lambda: ["hunter2secret"])
    answer = await models.ask(ask("My password is hunter2secret, and?"), PAYER)
    everything = json.dumps([provider.asked, calls(store)]) + answer.value
    assert "hunter2" not in everything
    assert "[secret]" in provider.asked[0]["messages"][-1]["content"]


async def test_a_missing_secret_is_said(house: Make, provider: Any) -> None:
    from soloist.kernel.errors import NotFound

    def secret(name: str) -> str:
        raise NotFound(f"There is no secret called {name!r}. Store it with: soloist secret set {name}")

    with pytest.raises(ModelTrouble, match="soloist secret set mine"):
        await house({"small": part(provider, key="mine")}, secret=secret).ask(ask(), PAYER)


async def test_a_model_is_asked_with_its_key_and_without_retries(house: Make, provider: Any) -> None:
    await house({"small": part(provider, key="k")}).ask(ask(), PAYER)
    assert provider.headers[0]["authorization"] == "Bearer key"


async def test_the_operator_sees_the_text_as_it_comes_and_the_final_is_recorded(
    store: Store, house: Make, provider: Any
) -> None:
    pieces = [piece async for piece in house().stream(ask(), PAYER)]
    assert pieces[:-1] == ["Fine", "."]
    assert (pieces[-1].value, pieces[-1].author, calls(store)[0]["state"]) == ("Fine.", "openai/tiny", "answered")
    again = [piece async for piece in house().stream(ask(), Payer("r2", "x"))]
    assert (again[0], again[-1].recorded, len(provider.asked)) == ("Fine.", True, 1)


async def test_who_stops_looking_pays_the_worst_and_nothing_stays_held(store: Store, house: Make) -> None:
    coming = house().stream(ask(), PAYER)
    assert await anext(coming) == "Fine"
    await coming.aclose()
    assert (sums(store).held_micro, sums(store).spent_micro) == (0, calls(store)[0]["reserved_micro"])


async def test_a_call_whose_process_died_is_lost_and_asked_again(store: Store, house: Make, provider: Any) -> None:
    there = asyncio.Event()
    tell = asyncio.get_running_loop().call_soon_threadsafe
    provider.reply = lambda _p, _b: (tell(there.set), time.sleep(1.0), "Too late.")[-1]
    task = asyncio.create_task(house().ask(ask(), PAYER))
    await there.wait()
    task.cancel()
    provider.reply = "Fine."
    answer = await house().ask(ask(), PAYER)
    assert [row["state"] for row in calls(store)] == ["lost", "answered"]
    assert sums(store).spent_micro == calls(store)[0]["reserved_micro"] + answer.cost_micro


async def test_a_recording_that_no_longer_fits_is_left_and_the_model_asked(
    store: Store, house: Make, provider: Any
) -> None:
    provider.reply = '{"kind": "enquiry"}'
    asked = ask(schema={"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]})
    await house().ask(asked, PAYER)
    worn = {"kind": "response", "parts": [{"part_kind": "text", "content": '{"sort": 1}'}]}
    store.write_now(lambda tx: tx.run(recordings.recordings.update().values(response=worn)))
    answer = await house().ask(asked, Payer("r2", "x"))
    assert (answer.recorded, answer.value, len(provider.asked)) == (False, {"kind": "enquiry"}, 2)
    store.write_now(lambda tx: tx.run(recordings.recordings.update().values(response=worn)))
    with pytest.raises(ModelTrouble, match="no recording of this question"):
        await house(replay=True).ask(asked, Payer("r3", "x"))
