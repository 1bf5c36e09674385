"""The configured models as one model of the agent library: durable steps, books, forbidden tools, loops."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent

from soloist.engine.store import model_calls
from soloist.engine.store.store import Store
from soloist.kernel.errors import CapReached, ModelTrouble
from soloist.kernel.spend import Payer
from soloist.stages.runtime.models import Models, Try

Make = Callable[..., Models]


class Reply(BaseModel):
    subject: str


class Remembering:
    """Steps that remember their answers as a durable run does; ``done`` counts what was really carried out."""

    def __init__(self) -> None:
        self.run, self.kept, self.n, self.done = "r1", list[str](), 0, 0

    async def step(self, _name: str, work: Callable[..., Any], *args: Any) -> Any:
        self.n += 1
        if self.n > len(self.kept):
            self.done += 1
            self.kept.append(json.dumps(await work(self.run, *args)))
        return json.loads(self.kept[self.n - 1])

    async def sleep(self, _wait: float) -> None: ...


def tool(name: str, **args: Any) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
    return {"content": None, "tool_calls": [call]}


async def agent_of(models: Models, do: Any = None, **more: Any) -> tuple[Agent[None, Reply], Any]:
    model = await models.for_agent(Try(Payer("r1", "write", agent="writer"), models.order()), do, **more)
    agent = Agent(model, name="writer", output_type=Reply)

    @agent.tool_plain
    def look(what: str) -> str:
        return f"nothing about {what}"

    return agent, model


def script(provider: Any, *said: Any) -> None:
    left = list(said)
    provider.reply = lambda _p, _b: left.pop(0) if len(left) > 1 else left[0]


async def test_an_agent_looks_something_up_and_answers(store: Store, house: Make, provider: Any) -> None:
    script(provider, tool("look", what="Ada"), tool("final_result", subject="Hello"))
    agent, model = await agent_of(house())
    assert (await agent.run("Write.")).output == Reply(subject="Hello")
    rows = store.read_now(lambda conn: model_calls.listed(conn, run="r1"))
    assert [(row["state"], row["agent"]) for row in rows] == [("answered", "writer")] * 2
    assert [one.model for one in model.asked] == ["small", "small"]


async def test_after_a_crash_no_request_is_made_twice(house: Make, provider: Any) -> None:
    script(provider, tool("look", what="Ada"), tool("final_result", subject="Hello"))
    do = Remembering()
    agent, _ = await agent_of(house(), do)
    await agent.run("Write.")
    do.n = 0
    agent, _ = await agent_of(house(), do)
    assert (await agent.run("Write.")).output == Reply(subject="Hello")
    assert (do.done, len(provider.asked)) == (2, 2)
    assert max(len(kept) for kept in do.kept) < 1024


async def test_a_tool_it_may_not_call_is_corrected_once(house: Make, provider: Any) -> None:
    script(provider, tool("wire_money", to="Victor"), tool("final_result", subject="Hello"))
    agent, _ = await agent_of(house())
    assert (await agent.run("Write.")).output.subject == "Hello"
    assert "wire_money, which it may not" in provider.asked[1]["messages"][-1]["content"]


async def test_a_tool_it_may_not_call_twice_ends_with_the_operator(house: Make, provider: Any) -> None:
    script(provider, tool("wire_money", to="Victor"))
    agent, _ = await agent_of(house())
    with pytest.raises(ModelTrouble, match="wire_money") as error:
        await agent.run("Write.")
    assert error.value.extra["fault"] == "forbidden_tool"


async def test_the_same_call_again_and_again_is_a_loop(house: Make, provider: Any) -> None:
    script(provider, tool("look", what="Ada"))
    agent, _ = await agent_of(house())
    with pytest.raises(ModelTrouble, match="look again and again"):
        await agent.run("Write.")
    assert len(provider.asked) == 3


async def test_a_run_has_an_end_even_when_no_two_calls_are_the_same(house: Make, provider: Any) -> None:
    provider.reply = lambda served, _b: tool("look", what=f"thing {len(served.asked)}")
    agent, _ = await agent_of(house(), most_requests=5)
    with pytest.raises(ModelTrouble, match="5 times"):
        await agent.run("Write.")


async def test_a_cap_ends_the_run_of_an_agent(house: Make, provider: Any) -> None:
    agent, _ = await agent_of(house(budgets={"call": "0.0001"}))
    with pytest.raises(CapReached):
        await agent.run("Write.")
    assert provider.asked == []


async def test_the_same_run_of_another_day_is_answered_from_recordings(house: Make, provider: Any) -> None:
    script(provider, tool("look", what="Ada"), tool("final_result", subject="Hello"))
    agent, _ = await agent_of(house())
    await agent.run("Write.")
    agent, model = await agent_of(house(replay=True), Remembering())
    model._tried = Try(Payer("r2", "write"), ["small"])
    assert (await agent.run("Write.")).output.subject == "Hello"
    assert [one.recorded for one in model.asked] == [True, True]
