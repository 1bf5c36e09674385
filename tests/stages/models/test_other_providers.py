"""The other kinds of providers, by the library's own classes: what they are sent, and what their answers mean to us."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from soloist.engine.store import model_calls
from soloist.engine.store.store import Store
from soloist.kernel.errors import ModelTrouble
from soloist.kernel.model_settings import ModelPart
from soloist.kernel.spend import Payer
from soloist.stages.runtime.models import Models, Question, wire

_FAMILY = "cla" + "ude"
NAMES = {"anthropic": _FAMILY + "-haiku-4-5", "google": "gemini-2.5-flash"}
SCHEMA = {
    "type": "object",
    "properties": {"kind": {"type": "string"}},
    "required": ["kind"],
    "additionalProperties": False,
}


def anthropics(text: str, stop: str = "end_turn") -> dict[str, Any]:
    said = {"id": "m", "type": "message", "role": "assistant", "model": NAMES["anthropic"], "stop_sequence": None}
    usage = {"input_tokens": 11, "output_tokens": 3}
    return {**said, "content": [{"type": "text", "text": text}], "stop_reason": stop, "usage": usage}


def gemini(text: str, finish: str = "STOP") -> dict[str, Any]:
    parts = {"content": {"role": "model", "parts": [{"text": text}]}} if text else {}
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 3, "totalTokenCount": 14}
    return {"candidates": [{**parts, "finishReason": finish, "index": 0}], "usageMetadata": usage, "modelVersion": "g"}


def wrong(kind: str, status: int, code: str, said: str) -> dict[str, Any]:
    """An error as a provider writes it."""
    if kind == "anthropic":
        return {"type": "error", "error": {"type": code, "message": said}}
    return {"error": {"code": status, "status": code, "message": said}}


ANSWERS = {"anthropic": anthropics, "google": gemini}


class Line:
    """A model of the library whose line to the provider is this test."""

    def __init__(self, kind: str, name: str = "") -> None:
        self.part = ModelPart(kind=kind, model=name or NAMES[kind], key="k")  # type: ignore[arg-type]  # a literal
        self.answer: Callable[[], httpx2.Response] = lambda: httpx2.Response(500)
        self.asked: list[httpx2.Request] = []
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(self._one), timeout=9.0)
        self.model = wire.built(self.part, "x", "hush", client)

    def _one(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return self.answer()

    async def ask(self, status: int, body: Any, schema: Any = None, **headers: str) -> wire.Came:
        self.answer = lambda: httpx2.Response(status, json=body, headers=headers)
        settings = {"max_tokens": 50, "temperature": 0.0, "timeout": 5.0}
        messages = wire.question("Be short.", [{"by": "us", "text": "Hi"}])
        given = wire.parameters(self.part, "Be short.", schema)
        return await wire.request(self.model, wire.Sent(messages, settings, given), 5.0)

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.asked[-1].content))


@pytest.fixture(scope="module")
def lines() -> dict[str, Line]:
    return {kind: Line(kind) for kind in NAMES}


@pytest.mark.parametrize("kind", NAMES)
async def test_an_answer_comes_with_its_usage(lines: dict[str, Line], kind: str) -> None:
    came = await lines[kind].ask(200, ANSWERS[kind]("Fine."))
    assert came.response is not None
    assert (came.fault, wire.text_of(came.response)) == (None, "Fine.")
    assert (came.actual.tokens_in, came.actual.tokens_out) == (11, 3)
    asked = lines[kind].asked[-1]
    assert "hush" in (asked.headers.get("authorization", "") + asked.headers.get("x-goog-api-key", ""))
    assert "Be short." in json.dumps(lines[kind].body)
    assert "hush" not in asked.content.decode() + str(asked.url)


@pytest.mark.parametrize("kind", NAMES)
async def test_a_schema_is_sent_by_the_providers_own_way(lines: dict[str, Line], kind: str) -> None:
    came = await lines[kind].ask(200, ANSWERS[kind]('{"kind": "enquiry"}'), SCHEMA)
    assert came.fault is None
    own = lines[kind].body["output_config" if kind == "anthropic" else "generationConfig"]
    assert '"kind"' in json.dumps(own)


async def test_a_model_that_takes_no_schema_is_told_it_in_words() -> None:
    line = Line("anthropic", _FAMILY + "-3-5-haiku-latest")
    came = await line.ask(200, anthropics('{"kind": "enquiry"}'), SCHEMA)
    assert came.fault is None
    assert "output_config" not in line.body
    assert "properties" in json.dumps(line.body["system"])


FAULTS = [
    ("anthropic", 429, "rate_limit_error", "slow down", "rate_limited"),
    ("anthropic", 529, "overloaded_error", "Overloaded", "transient"),
    ("anthropic", 500, "api_error", "Internal", "transient"),
    ("anthropic", 400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum", "too_long"),
    ("anthropic", 400, "invalid_request_error", "Your credit balance is too low.", "unauthorised"),
    ("anthropic", 401, "authentication_error", "invalid x-api-key", "unauthorised"),
    ("anthropic", 404, "not_found_error", "model: unheard", "unauthorised"),
    ("anthropic", 400, "invalid_request_error", "messages: at least one", "refused"),
    ("google", 429, "RESOURCE_EXHAUSTED", "Too many requests", "rate_limited"),
    ("google", 503, "UNAVAILABLE", "The model is overloaded.", "transient"),
    ("google", 400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens", "too_long"),
    ("google", 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "unauthorised"),
    ("google", 404, "NOT_FOUND", "models/unheard is not found", "unauthorised"),
]


@pytest.mark.parametrize(("kind", "status", "code", "said", "fault"), FAULTS)
async def test_an_error_of_a_provider_is_one_of_ours(
    lines: dict[str, Line], kind: str, status: int, code: str, said: str, fault: str
) -> None:
    asked = len(lines[kind].asked)
    came = await lines[kind].ask(status, wrong(kind, status, code, said), **{"retry-after": "20"})
    assert came.fault == fault
    assert len(lines[kind].asked) == asked + 1, "the library tried again by itself, outside our books"
    assert came.retry_after == (20.0 if fault == "rate_limited" else came.retry_after)
    assert came.actual.micro == (0 if fault != "transient" else None)


@pytest.mark.parametrize(
    ("kind", "body", "fault"),
    [
        ("anthropic", anthropics("I cannot help with that.", "refusal"), "refused"),
        ("google", gemini("", "SAFETY"), "refused"),
        ("google", {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "g"}, "refused"),
        ("anthropic", {"hello": 1}, "malformed"),
        ("google", {"hello": 1}, "malformed"),
        ("anthropic", anthropics(""), "malformed"),
    ],
)
async def test_refusals_and_garbage_are_told_apart(
    lines: dict[str, Line], kind: str, body: dict[str, Any], fault: str
) -> None:
    assert (await lines[kind].ask(200, body)).fault == fault


@pytest.mark.parametrize("kind", ["anthropic", "google", "ollama", "llama.cpp", "openai"])
async def test_each_kind_is_asked_over_http_and_settled(
    store: Store, house: Callable[..., Models], provider: Any, kind: str
) -> None:
    if kind in NAMES:
        provider.reply = lambda _p, _b: (200, ANSWERS[kind]("Fine."))
    price = {"input": "1", "output": "4", "currency": "EUR"}
    part = {"kind": kind, "model": NAMES.get(kind, "tiny"), "key": "k", "price": price, "allow_private_network": True}
    base = provider.url.removesuffix("/v1") if kind in NAMES else provider.url
    answer = await house({"x": {**part, "base_url": base}}).ask(Question("Be short.", "Hi"), Payer("r", "s"))
    assert (answer.value, answer.author) == ("Fine.", f"{kind}/{part['model']}")
    row = store.read_now(lambda conn: model_calls.listed(conn))[0]
    assert (row["state"], row["tokens_in"] > 0, row["cost_micro"] > 0) == ("answered", True, True)


@pytest.mark.parametrize("kind", NAMES)
async def test_a_kind_that_is_not_installed_says_what_to_install(
    house: Callable[..., Models], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for name in (f"pydantic_ai.models.{kind}", f"pydantic_ai.providers.{kind}"):
        monkeypatch.setitem(sys.modules, name, None)
    models = house({"x": {"kind": kind, "model": "m", "key": "k", "price": {"input": "1", "output": "1"}}})
    with pytest.raises(ModelTrouble, match=rf"soloist\[{kind}\]"):
        await models.ask(Question("Be short.", "Hi"), Payer("r", "s"))
