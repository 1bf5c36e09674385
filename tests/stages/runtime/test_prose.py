"""Work of which a model may write a part: checked, said again, put by rules instead, left to the operator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from soloist.engine.store import model_calls
from soloist.engine.store.store import Store
from soloist.kernel.errors import NotAllowed, WorkerTrouble
from soloist.kernel.origin import Origin
from soloist.kernel.work import WorkItem
from soloist.stages.runtime.models import Parked, Parking, Seen, Tool
from soloist.stages.runtime.working import Working

Make = Callable[..., Working]
ITEM = WorkItem("r1", "write", "poet", "verse", {"about": "rain"}, origin=Origin(frozenset({"outside"})))
NEEDED = replace(ITEM, input={"about": "rain", "needed": True})
LONG = "Rain falls on the roofs of the town and on the harbour."


def line(text: str) -> str:
    return json.dumps({"line": text})


def script(provider: Any, *said: Any) -> None:
    left = list(said)
    provider.reply = lambda _p, _b: left.pop(0) if len(left) > 1 else left[0]


def faults(store: Store) -> list[str]:
    return [row["fault"] for row in store.read_now(lambda conn: model_calls.listed(conn))[::-1]]


async def test_a_model_writes_where_contract_and_house_allow_it(house: Make, provider: Any) -> None:
    provider.reply = line("Rain sings.")
    worked = await house().work(ITEM)
    assert worked.tries == ()
    assert (worked.came, worked.value["line"], worked.author, worked.tier) == ("done", "Rain sings.", "openai/tiny", 3)
    assert worked.origin.labels == {"outside", "model"}
    assert worked.rationale == "By openai/tiny. Written by openai/tiny."
    assert "ask" not in worked.value


async def test_it_says_what_it_was_estimated_at_and_what_it_came_to(house: Make, provider: Any) -> None:
    provider.reply = line("Rain sings.")
    worked = await house().work(ITEM)
    assert worked.cost["micro"] == provider.micro(1_000_000, 4_000_000) > 0
    assert (worked.cost["calls"], worked.cost["models"]) == (1, {"small": "tiny"})
    assert worked.estimate["model"] == "small"
    assert worked.estimate["worst_micro"] >= worked.cost["micro"]


async def told_before(_item: Any) -> list[dict[str, str]]:
    return [{"given": "Wet.", "wanted": "It rains."}]


async def test_the_role_and_the_standing_rules_go_before_the_question(house: Make, provider: Any) -> None:
    provider.reply = line("Rain sings.")
    working = house()
    working.standing = lambda _conn, agent, _client: [f"Never rhyme, {agent}."]
    working.cases = told_before
    await working.work(ITEM)
    system, text = (message["content"] for message in provider.asked[0]["messages"])
    assert system.index("in plain words") < system.index("Never rhyme, poet.") < system.index("Write a line.")
    assert text.index("It rains.") < text.index("<<<TEXT\nrain")


@pytest.mark.parametrize(
    ("models", "more", "why"),
    [
        ({}, {}, "No model is set."),
        (None, {"limits": "model_calls = 0"}, "limits.model_calls in its agent.toml is 0"),
    ],
)
async def test_without_a_model_the_rules_write(house: Make, provider: Any, models: Any, more: Any, why: str) -> None:
    worked = await house(models, **more).work(ITEM)
    assert (worked.came, worked.author, worked.value["line"]) == ("fallback", "rules", "On rain.")
    assert why in worked.rationale
    assert (provider.asked, worked.cost["micro"]) == ([], 0)


async def test_a_tier_above_the_contract_is_not_asked(house: Make, provider: Any) -> None:
    worked = await house().work(replace(ITEM, least=4))
    assert "may use models up to tier 3, and this needs a hosted large model (tier 4)" in worked.rationale
    assert provider.asked == []


async def test_what_cannot_do_without_a_model_is_the_operators(house: Make) -> None:
    worked = await house({}).work(NEEDED)
    assert (worked.came, worked.value["line"]) == ("operator", "")
    assert "No model is set" in worked.faults[0]


async def test_what_does_not_hold_is_said_once_more_in_plain_sentences(house: Make, provider: Any) -> None:
    script(provider, line(LONG), line("Rain sings."))
    worked = await house().work(ITEM)
    assert (worked.came, worked.value["line"]) == ("done", "Rain sings.")
    said = provider.asked[1]["messages"][-1]["content"]
    assert "- The line has 55 letters, more than 40." in said
    assert [(one["what"], one["fault"]) for one in worked.tries] == [("answer", "objected")]


async def test_the_first_answer_is_shown_to_the_model_again(house: Make, provider: Any) -> None:
    script(provider, line(LONG), line("Rain sings."))
    await house().work(ITEM)
    assert [message["role"] for message in provider.asked[1]["messages"]] == ["system", "user", "assistant", "user"]


async def test_after_that_the_rules_write_and_nothing_spent_is_lost(house: Make, provider: Any) -> None:
    provider.reply = line(LONG)
    worked = await house().work(ITEM)
    assert (worked.came, worked.author, worked.value["line"]) == ("fallback", "rules", "On rain.")
    assert worked.cost["micro"] == provider.micro(1_000_000, 4_000_000)
    assert (worked.cost["calls"], len(worked.tries)) == (2, 2)
    assert "did not pass the checks" in worked.rationale


async def test_where_rules_have_nothing_the_operator_gets_what_the_model_wrote(house: Make, provider: Any) -> None:
    provider.reply = line(LONG)
    worked = await house().work(NEEDED)
    assert (worked.came, worked.value["line"], worked.author) == ("operator", LONG, "openai/tiny")
    assert worked.faults == ("The line has 55 letters, more than 40.",)


async def test_the_contract_says_how_often_it_is_asked_again(house: Make, provider: Any) -> None:
    provider.reply = line(LONG)
    working = house(failures='[failures.output]\nagain = 3\nthen = ["operator"]')
    small = {"type": "object", "properties": {"line": {"type": "string", "maxLength": 3}}}
    item = replace(ITEM, input={"about": "rain"}, schema={**small, "additionalProperties": True})
    provider.reply = line("Rain sings.")
    worked = await working.work(item)
    assert len(provider.asked) == 4
    assert worked.faults == ("Line has 8 characters, more than 3.",)


async def test_whoever_checks_may_object(house: Make, provider: Any) -> None:
    script(provider, line("Rain sings."), line("Rain falls."))

    async def check(value: Any, _seen: Sequence[Seen]) -> list[str]:
        return ["Rain does not sing."] if "sings" in value["line"] else []

    worked = await house().work(ITEM, check=check)
    assert (worked.value["line"], worked.faults) == ("Rain falls.", ())
    assert "- Rain does not sing." in provider.asked[1]["messages"][-1]["content"]


async def test_rules_are_checked_too(house: Make) -> None:
    async def check(value: Any, _seen: Sequence[Seen]) -> list[str]:
        return [f"Not {value['line']}"]

    worked = await house({}).work(ITEM, check=check)
    assert (worked.came, worked.faults) == ("fallback", ("Not On rain.",))


# ----- what may go wrong with a model


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (500, "transient"),
        (429, "rate_limited"),
        (401, "unauthorised"),
        ((200, b"<html>"), "malformed"),
        ("Certainly! Here is a line.", "malformed"),
        ("la la la " * 120, "looping"),
        ((400, {"error": {"message": "no", "code": "content_filter"}}), "refused"),
    ],
)
async def test_a_model_that_fails_leaves_what_the_rules_write_with_a_note(
    house: Make, provider: Any, store: Store, said: Any, fault: str
) -> None:
    provider.reply = said
    worked = await house().work(ITEM)
    assert (worked.came, worked.value["line"]) == ("fallback", "On rain.")
    assert worked.tries[-1]["fault"] == fault
    assert worked.rationale.startswith("Two words are enough. By rules. ")
    rows = store.read_now(lambda conn: model_calls.listed(conn))
    assert {row["state"] for row in rows} <= {"failed", "answered"}
    assert worked.cost["micro"] == sum(row["cost_micro"] for row in rows)


async def test_a_server_that_is_gone(house: Make) -> None:
    price = {"input": "1", "output": "4", "currency": "EUR"}
    gone = {"base_url": "http://127.0.0.1:9/v1", "model": "tiny", "allow_private_network": True, "price": price}
    worked = await house({"small": gone}).work(ITEM)
    assert (worked.came, worked.tries[-1]["fault"], worked.cost["micro"]) == ("fallback", "unreachable", 0)
    assert "The model was not reached" in worked.rationale


async def test_a_model_that_answers_in_ten_minutes_is_not_waited_for(house: Make, provider: Any, store: Store) -> None:
    provider.pause = 3.0
    worked = await house().work(replace(ITEM, timeout=1.0))
    assert (worked.came, worked.tries[-1]["fault"]) == ("fallback", "timeout")
    assert worked.cost["seconds"] < 60
    (row,) = store.read_now(lambda conn: model_calls.listed(conn))
    assert row["cost_micro"] == row["reserved_micro"] > 0


async def test_work_that_is_called_off_leaves_nothing_held_back(house: Make, provider: Any, store: Store) -> None:
    provider.pause, task = 2.0, asyncio.create_task(house().work(ITEM))
    for _ in range(6000):
        await asyncio.sleep(0.01)
        if provider.asked:
            break
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (row,) = store.read_now(lambda conn: model_calls.listed(conn))
    assert (row["state"], row["cost_micro"]) == ("lost", row["reserved_micro"])


@pytest.mark.parametrize("limits", ["model_calls = 1", "tokens = 1200", 'money = "0.0030 EUR"'])
async def test_the_limits_of_a_role_hold_for_its_run(house: Make, provider: Any, store: Store, limits: str) -> None:
    provider.reply = line(LONG)
    worked = await house(budgets={}, limits=limits).work(ITEM)
    assert (worked.came, worked.tries[-1]["fault"]) == ("fallback", "cap")
    assert "would be passed" in worked.rationale
    assert len(provider.asked) <= 1
    assert faults(store)[-1] == "cap"


async def test_what_another_agent_used_in_the_run_does_not_count_against_a_role(house: Make, provider: Any) -> None:
    provider.reply = line("Rain sings.")
    working = house(limits="model_calls = 1")
    assert (await working.work(ITEM)).author == "openai/tiny"
    again = replace(ITEM, step="other", input={"about": "snow"})
    assert (await working.work(again)).tries[-1]["fault"] == "cap"
    assert (await working.work(replace(again, run="r2"))).author == "openai/tiny"


async def test_a_cap_of_the_house_ends_it_with_a_card(house: Make, store: Store) -> None:
    worked = await house(budgets={"run": "0.0001"}).work(ITEM)
    assert (worked.came, worked.tries[-1]["fault"]) == ("fallback", "cap")


async def test_a_step_that_is_done_again_pays_nobody_twice(house: Make, provider: Any) -> None:
    script(provider, line(LONG), line("Rain sings."))
    first = await house().work(ITEM)
    again = await house().work(ITEM)
    assert (again.value, again.cost["micro"], len(provider.asked)) == (first.value, first.cost["micro"], 2)


async def test_a_recording_that_no_longer_fits_is_not_used(house: Make, provider: Any, store: Store) -> None:
    provider.reply = line("Rain sings.")
    await house().work(ITEM)
    answer = {"kind": "response", "parts": [{"part_kind": "text", "content": '{"verse": 1}'}], "usage": {}}
    store.write_now(lambda tx: tx.run(recordings_of().update().values(response=answer)))
    worked = await house().work(replace(ITEM, run="r2"))
    assert (worked.value["line"], len(provider.asked)) == ("Rain sings.", 2)


async def test_a_replay_without_a_recording_asks_nobody(house: Make, provider: Any) -> None:
    worked = await house(replay=True).work(ITEM)
    assert worked.came == "fallback"
    assert "no recording of this question" in worked.rationale
    assert provider.asked == []


def recordings_of() -> Any:
    from soloist.engine.store.tables_spend import recordings

    return recordings


# ----- looking things up


def called(name: str, **args: Any) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
    return {"content": None, "tool_calls": [call]}


def memory(*found: str, reads: str = "memory") -> Tool:
    async def look(question: str) -> Seen:
        return Seen(f"{question}: {' '.join(found)}", Origin(frozenset({"contact"}), frozenset({"m1"})))

    return Tool("look_up", "What is remembered.", reads, look)


async def test_a_model_may_look_something_up_before_it_writes(house: Make, provider: Any) -> None:
    script(provider, called("look_up", question="which roof"), called("final_result", line="Rain on slate."))
    checked = []

    async def check(_value: Any, seen: Sequence[Seen]) -> list[str]:
        checked.extend(one.text for one in seen)
        return []

    worked = await house().work(ITEM, check=check, tools=[memory("slate")])
    assert (worked.value["line"], worked.author, worked.cost["calls"]) == ("Rain on slate.", "openai/tiny", 2)
    assert worked.origin == Origin(frozenset({"outside", "contact", "model"}), frozenset({"m1"}))
    assert checked == ["which roof: slate"]
    assert "<<<TEXT\nwhich roof: slate" in provider.asked[1]["messages"][-1]["content"]


async def test_a_tool_it_was_not_given_is_not_called(house: Make, provider: Any) -> None:
    script(provider, called("wire_money", to="Victor"))
    worked = await house().work(ITEM, tools=[memory("slate")])
    assert (worked.came, worked.value["line"]) == ("fallback", "On rain.")
    assert worked.tries[-1]["fault"] == "forbidden_tool"


async def test_a_model_that_looks_up_the_same_again_and_again_is_stopped(house: Make, provider: Any) -> None:
    script(provider, called("look_up", question="which roof"))
    worked = await house().work(ITEM, tools=[memory("slate")])
    assert (worked.came, worked.tries[-1]["fault"], len(provider.asked)) == ("fallback", "looping", 3)


async def test_an_answer_of_an_agent_that_does_not_fit_is_asked_for_once_more(house: Make, provider: Any) -> None:
    script(provider, called("final_result", verse="Rain."), called("final_result", line="Rain."))
    worked = await house().work(ITEM, tools=[memory("slate")])
    assert (worked.value["line"], len(provider.asked)) == ("Rain.", 2)


async def test_what_the_contract_does_not_let_it_read_is_no_tool(house: Make) -> None:
    with pytest.raises(NotAllowed, match="may not read invoice"):
        await house().work(ITEM, tools=[memory(reads="invoice")])


# ----- the skill itself


async def test_a_reading_process_that_failed_is_tried_again_as_the_contract_says(house: Make) -> None:
    working = house({}, failures='[failures.skill]\nagain = 1\nwait = "0s"\nthen = ["operator"]')
    working._worker.fails = [WorkerTrouble("It died.")]  # type: ignore[attr-defined]  # of these tests
    worked = await working.work(ITEM)
    assert (worked.value["line"], worked.tries[0]["fault"]) == ("On rain.", "skill")


async def test_one_that_fails_every_time_is_a_fault_of_the_run(house: Make) -> None:
    working = house({})
    working._worker.fails = [WorkerTrouble("It died.")] * 2  # type: ignore[attr-defined]  # of these tests
    with pytest.raises(WorkerTrouble):
        await working.work(ITEM)


async def test_a_long_wait_leaves_the_process_and_goes_on_in_the_next(
    house: Make, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soloist.stages.runtime.models.decide.USUAL_WAIT", 600.0)
    script(provider, 429, line("Rain sings."))
    with pytest.raises(Parked) as pause:
        await house().work(ITEM, Parking("r1", 0))
    assert pause.value.seconds == 600.0
    worked = await house().work(ITEM, Parking("r1", 1))  # another process: nothing is known but the ledger
    assert (worked.came, worked.value["line"]) == ("done", "Rain sings.")
    assert len(provider.asked) == 2
