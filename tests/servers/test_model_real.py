"""The whole way to a real model server: text, a schema, streaming, books, a server that is slow and one that dies."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput

from soloist import config
from soloist.engine.store import model_calls, spent
from soloist.engine.store.store import Store
from soloist.kernel.errors import ModelTrouble
from soloist.kernel.spend import Payer
from soloist.stages.runtime.models import Models, Question, Try
from soloist.stages.spend import Spend
from tests.engine.store import databases
from tests.servers import lines

pytestmark = pytest.mark.servers

_SPEC = importlib.util.spec_from_file_location("model_server", Path(__file__).parent / "model_server.py")
assert _SPEC is not None
assert _SPEC.loader is not None
server_module: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(server_module)
SCHEMA = {
    "type": "object",
    "properties": {"intent": {"type": "string", "enum": ["lead", "invoice", "spam"]}, "urgent": {"type": "boolean"}},
    "required": ["intent", "urgent"],
    "additionalProperties": False,
}


class Sorted(BaseModel):
    urgent: bool


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    process, url = server_module.started()
    yield url
    process.kill()
    process.wait()


@pytest.fixture
def dying() -> Iterator[tuple[subprocess.Popen[str], str]]:
    process, url = server_module.started()
    yield process, url
    process.kill()
    process.wait()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(databases.migrated("sqlite", tmp_path))
    yield opened
    opened.close()


def models(store: Store, url: str, **more: Any) -> Models:
    part = {
        "kind": "llama.cpp",
        "base_url": url,
        "model": "smollm2",
        "window": 2048,
        "max_output": 48,
        "timeout": "10m",
    }
    settings = config.parse({"models": {"small": {**part, **more}}})
    return Models(store, settings, Spend(store, settings, worker="me"), secret=lambda _name: "")


def rows(store: Store) -> list[dict[str, Any]]:
    return store.read_now(lambda conn: model_calls.listed(conn))


def held(store: Store) -> int:
    return store.read_now(lambda conn: spent.read(conn, [spent.GATE]))[spent.GATE].held_tokens


async def test_a_text_is_written_and_its_tokens_are_counted(served: str, store: Store) -> None:
    answer = await models(store, served).ask(Question("Be short.", "Say hello to Ada."), Payer("r", "s"))
    assert answer.value
    assert (answer.author, answer.cost_micro) == ("llama.cpp/smollm2", 0)
    assert 0 < answer.tokens_in <= rows(store)[0]["detail"]["held_tokens"]
    assert 0 < answer.tokens_out <= 48
    assert held(store) == 0


async def test_an_answer_keeps_its_schema(served: str, store: Store) -> None:
    text = "Could you send me a quote for a website?"
    answer = await models(store, served).ask(Question("Sort this mail.", text, SCHEMA), Payer("r", "s"))
    assert answer.value["intent"] in ("lead", "invoice", "spam")
    assert isinstance(answer.value["urgent"], bool)
    assert answer.notes == ()


async def test_a_text_comes_as_it_is_written_and_is_recorded(served: str, store: Store) -> None:
    asked = Question("Be short.", "Name three colours.")
    pieces = [piece async for piece in models(store, served).stream(asked, Payer("r", "s"))]
    assert len(pieces) > 3
    assert "".join(pieces[:-1]) == pieces[-1].value
    again = await models(store, "http://127.0.0.1:9/v1").ask(asked, Payer("r2", "s"))
    assert (again.recorded, again.value) == (True, pieces[-1].value)


async def test_an_agent_of_the_library_answers_through_our_books(served: str, store: Store) -> None:
    ours = models(store, served)
    model = await ours.for_agent(Try(Payer("r", "s", agent="intake"), ours.order()))
    done = await Agent(model, output_type=NativeOutput(Sorted)).run("The site is down, please help now!")
    assert isinstance(done.output.urgent, bool)
    assert [(row["agent"], row["state"]) for row in rows(store)] == [("intake", "answered")]


async def test_a_server_that_does_not_answer_is_not_waited_for(
    dying: tuple[subprocess.Popen[str], str], store: Store
) -> None:
    process, url = dying
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(ModelTrouble, match="within 1 s") as error:
        await models(store, url, timeout="1s").ask(Question("Be short.", "Hello"), Payer("r", "s"))
    os.kill(process.pid, signal.SIGCONT)
    assert error.value.extra["fault"] == "timeout"
    assert held(store) == 0


async def test_a_server_that_dies_while_it_writes_is_a_fault_and_counts(
    dying: tuple[subprocess.Popen[str], str], store: Store
) -> None:
    process, url = dying
    passed = bytearray()

    def beginning(words: bytes) -> bytes:
        """Its first words; the rest stays on the way, so that it dies before the answer is whole."""
        through = words if passed.count(b"data:") < 4 else b""
        passed.extend(words)
        return through

    async with lines.proxy(int(url.rpartition(":")[2].removesuffix("/v1")), beginning) as line:
        asked = models(store, f"http://127.0.0.1:{line.port}/v1", max_output=400)
        coming = asked.stream(Question("Write much.", "Tell a long story."), Payer("r", "s"))
        assert await anext(coming)
        process.kill()
        with pytest.raises(ModelTrouble, match="did not answer|cut") as error:
            async for _ in coming:
                pass
    assert error.value.extra["fault"] in ("transient", "unreachable")
    assert (rows(store)[0]["state"], held(store)) == ("failed", 0)
    with pytest.raises(ModelTrouble) as gone:
        await models(store, url).ask(Question("Be short.", "Hello"), Payer("r2", "s"))
    assert gone.value.extra["fault"] == "unreachable"
