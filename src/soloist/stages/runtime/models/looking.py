"""Looking: a question that a model answers as an agent of the library, looking things up; it changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from soloist.kernel.errors import ModelTrouble
from soloist.kernel.origin import Origin
from soloist.sdk.asking import marked
from soloist.stages.runtime.models import decide

if TYPE_CHECKING:
    from pydantic_ai import Agent
    from pydantic_ai import Tool as LibraryTool


class Asked(Protocol):
    """A question, as this room needs it (``asking.Question``)."""

    @property
    def instructions(self) -> str:
        """Ours."""

    @property
    def text(self) -> str:
        """What it is about."""

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """What the answer has to fit."""

    @property
    def before(self) -> Sequence[Mapping[str, str]]:
        """What was said since."""

    @property
    def max_output(self) -> int:
        """Tokens of the answer, 0 for what the model may."""


_ASKED = {
    "type": "object",
    "properties": {"question": {"type": "string", "description": "in words, like: which fee was agreed in spring"}},
    "required": ["question"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Seen:
    """What was looked up: its text, where that is from, and the places that whoever is shown it must read."""

    text: str
    origin: Origin
    refs: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tool:
    """What a model may look up: it asks in words and is answered in words. ``reads`` is the kind it reads."""

    name: str
    summary: str
    reads: str
    look: Callable[[str], Awaitable[Seen]]


async def answer(model: Any, question: Asked, tools: Sequence[Tool], name: str) -> tuple[Any, list[Seen]]:
    """The typed answer of an agent, and what it looked up (ModelTrouble, CapReached)."""
    from pydantic_ai import exceptions as theirs

    seen: list[Seen] = []
    agent = _agent(model, question, [_tool(one, seen) for one in tools], name)
    prompt = "\n\n".join([question.text, *(turn["text"] for turn in question.before)])
    try:
        return (await agent.run(prompt)).output, seen
    except (theirs.UnexpectedModelBehavior, theirs.UsageLimitExceeded) as error:
        said = " ".join(str(error).split())[:300]
        raise ModelTrouble(f"The answer cannot be used: {said}", fault="malformed") from error


def _agent(model: Any, question: Asked, tools: Sequence[LibraryTool], name: str) -> Agent[None, dict[str, Any]]:
    """An agent whose answer fits the schema, or is asked for once more."""
    from pydantic_ai import Agent, ModelRetry, StructuredDict

    schema: Any = dict(question.schema or {"type": "object"})
    settings: Any = {"max_tokens": question.max_output} if question.max_output else None
    made: Any = Agent(
        model,
        name=name,
        instructions=question.instructions,
        output_type=StructuredDict(schema, name="answer"),
        tools=tools,
        model_settings=settings,
        retries=1,
    )

    @made.output_validator  # type: ignore[untyped-decorator]  # the library's own types do not name it
    def fits(value: dict[str, Any]) -> dict[str, Any]:
        if wrong := decide.fits(value, schema):
            raise ModelRetry(f"The answer does not fit: {wrong}.")
        return value

    return made  # type: ignore[no-any-return]  # built from a schema known at run time only


def _tool(tool: Tool, seen: list[Seen]) -> LibraryTool:
    """A tool of the library; what it gives back is data between marks."""
    from pydantic_ai import Tool as Made

    async def look(question: str) -> str:
        found = await tool.look(question)
        seen.append(found)
        return marked(found.text) if found.text else "Nothing is remembered about this."

    return Made.from_schema(look, name=tool.name, description=tool.summary, json_schema=_ASKED)
