"""Wire: one request to one model through the model library, as JSON in and JSON out; it keeps no books."""

from __future__ import annotations

import asyncio
import importlib
import json
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from soloist.config import seconds
from soloist.engine.egress import Resolver, system_resolver
from soloist.kernel.errors import BadConfig
from soloist.kernel.model import Fault
from soloist.kernel.model_settings import ModelPart
from soloist.kernel.spend import Actual
from soloist.sdk import NotSent

if TYPE_CHECKING:
    from pydantic_ai.models import Model, ModelRequestParameters

ADDRESSES = {
    "ollama": "http://localhost:11434/v1",
    "llama.cpp": "http://localhost:8080/v1",
    "anthropic": "https://api." + "anth" + "ropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
"""Where a kind is asked when ``base_url`` is empty."""
UNSAID = Actual(None)
"""What a provider that says nothing of its usage says."""


@dataclass(frozen=True)
class Sent:
    """One request: the library's messages as JSON, its settings, and what kind of answer is wanted."""

    messages: list[dict[str, Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    parameters: ModelRequestParameters | None = None


@dataclass(frozen=True)
class Came:
    """What came of a request: the library's response as JSON, or a fault. ``left`` is False when nothing was sent.

    ``actual`` has None where the provider said nothing.
    """

    response: dict[str, Any] | None = None
    actual: Actual = UNSAID
    fault: Fault | None = None
    said: str = ""
    retry_after: float = 0.0
    left: bool = True


def load() -> None:
    """Import what every request needs; for a thread."""
    importlib.import_module("pydantic_ai.direct")
    importlib.import_module("pydantic_ai.models.openai")
    importlib.import_module("genai_prices")


def address(part: ModelPart) -> str:
    """Where a model is asked, "" for one that is asked nowhere."""
    return part.base_url or ADDRESSES.get(part.kind, "")


def build(part: ModelPart, name: str, secret: str, resolver: Resolver = system_resolver) -> Model:
    """The library's model (BadConfig when an extra is missing or the address cannot be used)."""
    from soloist.stages.runtime.models import transport, written

    if part.kind == "recorded":
        return written.model(part)
    private = part.local if part.allow_private_network is None else part.allow_private_network
    patience = seconds(part.timeout)
    try:
        client = transport.client(
            address(part), allow_private=private, patience=patience, ca_file=part.ca_file, resolver=resolver
        )
        return built(part, name, secret, client)
    except (NotSent, OSError) as error:
        raise BadConfig(f"models.{name}: {error}", field=f"models.{name}") from error
    except ImportError as error:
        raise BadConfig(
            f"models.{name}: the kind {part.kind} needs more to be installed: pip install 'soloist[{part.kind}]'",
            field=f"models.{name}.kind",
        ) from error


def built(part: ModelPart, name: str, secret: str, client: Any) -> Model:
    if part.kind == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        their = AnthropicProvider(api_key=secret, base_url=address(part), http_client=client)
        their.client.max_retries = 0
        return AnthropicModel(part.model, provider=their)
    if part.kind == "google":
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        google = GoogleProvider(api_key=secret, base_url=address(part), http_client=client)
        return GoogleModel(part.model, provider=google)
    from openai import AsyncOpenAI
    from pydantic_ai.models.ollama import OllamaModel
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.ollama import OllamaProvider
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    ours = AsyncOpenAI(base_url=address(part), api_key=secret or "none", http_client=client, max_retries=0)
    if part.kind == "ollama":
        return OllamaModel(part.model, provider=OllamaProvider(openai_client=ours))
    if "//api.openai.com/" in f"{part.base_url}/":
        return OpenAIChatModel(part.model, provider=OpenAIProvider(openai_client=ours))
    return OpenAIChatModel(part.model, provider=OpenAICompatibleProvider(name, openai_client=ours))


# ----- what is asked


def question(instructions: str, turns: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Messages of the library as JSON: ``turns`` are {"by": "us" or "model", "text"}, the instructions come first."""
    from pydantic_ai.messages import (
        ModelMessage,
        ModelMessagesTypeAdapter,
        ModelRequest,
        ModelResponse,
        TextPart,
        UserPromptPart,
    )

    found: list[ModelMessage] = []
    for turn in turns:
        if turn["by"] == "model":
            found.append(ModelResponse(parts=[TextPart(turn["text"])]))
        else:
            found.append(ModelRequest(parts=[UserPromptPart(turn["text"])], instructions=instructions or None))
    return list(json.loads(ModelMessagesTypeAdapter.dump_json(found)))


def parameters(part: ModelPart, instructions: str, schema: Mapping[str, Any] | None) -> ModelRequestParameters:
    """What kind of answer is wanted: plain text, or JSON by a schema, where the server takes one by its own way."""
    from pydantic_ai.messages import InstructionPart
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition

    parts = [InstructionPart(content=instructions)] if instructions else None
    if schema is None:
        return ModelRequestParameters(instruction_parts=parts)
    strict = None if part.kind == "anthropic" else False  # there a schema is always strict, and False is refused
    wanted = OutputObjectDefinition(json_schema=dict(schema), name="answer", strict=strict)
    mode: Any = "native" if part.schema_output else "prompted"
    return ModelRequestParameters(
        instruction_parts=parts, output_mode=mode, output_object=wanted, allow_text_output=True
    )


def told(sent: Sent) -> dict[str, Any]:
    """What of a request is kept: messages, and of the parameters what the model sees."""
    found: dict[str, Any] = {"messages": sent.messages, "settings": dict(sent.settings)}
    if (given := sent.parameters) is not None:
        tools = [*given.function_tools, *given.output_tools]
        found["tools"] = [[tool.name, tool.description, tool.parameters_json_schema] for tool in tools]
        found["schema"] = given.output_object.json_schema if given.output_object else None
        found["mode"] = given.output_mode
        found["instructions"] = [part.content for part in given.instruction_parts or ()]
    return found


def fitting(model: Model, sent: Sent) -> Sent:
    """The same, with the schema said in words where this model takes none by its own way."""
    given = sent.parameters
    if given is None or given.output_mode != "native" or model.profile.get("supports_json_schema_output", False):
        return sent
    return replace(sent, parameters=replace(given, output_mode="prompted"))


def text_of(response: Mapping[str, Any]) -> str:
    """The text of an answer, without what a model thought before."""
    return "".join(str(part.get("content", "")) for part in response["parts"] if part.get("part_kind") == "text")


# ----- asking


async def request(model: Model, sent: Sent, timeout: float) -> Came:
    """Ask once; whatever goes wrong is a fault and not an exception. ``timeout`` in seconds is for the whole answer."""
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    try:
        sent = fitting(model, sent)
        messages = ModelMessagesTypeAdapter.validate_python(sent.messages)
        async with asyncio.timeout(timeout):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                response = await model_request(
                    model,
                    messages,
                    model_settings=dict(sent.settings),  # type: ignore[arg-type]  # a typed dict of the library
                    model_request_parameters=sent.parameters,
                )
    except Exception as error:  # noqa: BLE001  # whatever a model or its library does is told as one kind of fault
        return failed(error, timeout)
    return answered(response)


async def stream(model: Model, sent: Sent, timeout: float) -> AsyncIterator[str | Came]:
    """Ask once and give the text as it comes; the last thing is what came of it."""
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.messages import ModelMessagesTypeAdapter, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

    until = asyncio.get_running_loop().time() + timeout
    try:
        sent = fitting(model, sent)
        messages = ModelMessagesTypeAdapter.validate_python(sent.messages)
        settings: Any = dict(sent.settings)
        opening = model_request_stream(
            model, messages, model_settings=settings, model_request_parameters=sent.parameters
        )
        async with opening as coming:
            events = aiter(coming)
            while True:
                async with asyncio.timeout_at(until):  # never around a yield: the reader's own task waits there
                    event = await anext(events, None)
                if event is None:
                    break
                if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart) and event.part.content:
                    yield event.part.content
                elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                    yield event.delta.content_delta
            came = answered(coming.get())
    except Exception as error:  # noqa: BLE001  # the same
        came = failed(error, timeout)
    yield came


def answered(response: Any) -> Came:
    """A response of the library as JSON, with its usage where the provider gave it."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    value = json.loads(ModelMessagesTypeAdapter.dump_json([response]))[0]
    usage = response.usage
    given = bool(usage.input_tokens or usage.output_tokens)
    actual = Actual(None, usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) if given else Actual(None)
    if response.finish_reason == "content_filter":
        return Came(value, actual, "refused", "The provider's filter cut the answer off.")
    if not response.parts or not (text_of(value).strip() or any(p.get("tool_name") for p in value["parts"])):
        return Came(value, actual, "malformed", "The model answered with nothing.")
    return Came(value, actual)


def failed(error: Exception, timeout: float) -> Came:
    """What an exception of the library means, in our words, and whether it can have cost anything."""
    from pydantic_ai import exceptions as theirs

    from soloist.stages.runtime.models.written import NotWritten

    said = " ".join(str(getattr(error, "message", "") or error).split())[:300]
    if isinstance(error, NotWritten):
        return Came(actual=Actual(0, 0, 0), fault="refused", said=said, left=False)
    retry = float(getattr(error, "retry_after", 0) or 0)
    nothing = Actual(0, 0, 0)
    phase = getattr(error, "phase", None)
    if isinstance(error, theirs.ModelConnectionError) and phase in ("connect", "pool"):
        return Came(actual=nothing, fault="unreachable", said=f"The model was not reached: {_cause(error)}", left=False)
    if isinstance(error, (TimeoutError, theirs.ModelTimeoutError, theirs.ModelRequestTimeout)):
        return Came(fault="timeout", said=f"No whole answer came within {timeout:g} s, so it was not waited for.")
    kinds: tuple[tuple[Any, Fault], ...] = (
        (theirs.ModelContextWindowExceededError, "too_long"),
        (theirs.ModelAuthenticationError, "unauthorised"),
        (theirs.ModelNotFoundError, "unauthorised"),
        (theirs.ModelQuotaExceededError, "unauthorised"),
        (theirs.ModelRateLimitError, "rate_limited"),
        (theirs.ContentFilterError, "refused"),
        (theirs.ModelRequestRejectedError, _rejected(said)),
    )
    for kind, fault in kinds:
        if isinstance(error, kind):
            return Came(actual=nothing, fault=fault, said=said, retry_after=retry)
    if isinstance(error, (theirs.ModelConnectionError, theirs.ModelServerError, theirs.ModelUnavailableError)):
        return Came(fault="transient", said=f"The model did not answer: {_cause(error)}", retry_after=retry)
    if isinstance(error, theirs.ModelHTTPError):
        return Came(fault="transient", said=said, retry_after=retry)
    return Came(fault="malformed", said=f"What the model answered cannot be read: {said}")


def _cause(error: BaseException) -> str:
    """The innermost reason, which is our own egress where the line was the trouble."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:300] or type(error).__name__


def _rejected(said: str) -> Fault:
    """Why a request was not taken, where the library has no name of its own for it."""
    words = said.lower()
    if "context" in words and any(one in words for one in ("exceed", "too long", "length", "size", "larger")):
        return "too_long"
    return "unauthorised" if "api key" in words or "api_key" in words else "refused"
