"""What follows from each fault, who is asked next, what counts as the same question: pure."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, get_args

import pytest

from soloist.kernel.model import AFTER, Fault
from soloist.kernel.model_settings import ModelPart
from soloist.stages.runtime.models import decide, prices

ORDER = ["large", "small", "home"]


def walk(fault: Fault, order: list[str]) -> list[str]:
    """Every step after the same fault again and again."""
    done, model, steps = [], order[0], []
    for _ in range(20):
        way = decide.after(fault, model, order, done)
        done.append(way.do)
        steps.append(f"{way.do} {way.model}".strip())
        if way.do == "operator":
            return steps
        model = way.model
    raise AssertionError(f"no end: {steps}")


@pytest.mark.parametrize(
    ("fault", "steps"),
    [
        ("transient", ["again large", "smaller small", "smaller home", "operator"]),
        ("rate_limited", ["smaller small", "smaller home", "wait home", "operator"]),
        ("unreachable", ["again large", "other small", "other home", "operator"]),
        ("timeout", ["smaller small", "smaller home", "operator"]),
        ("refused", ["other small", "other home", "operator"]),
        ("too_long", ["shorten large", "other small", "other home", "operator"]),
        ("malformed", ["repair large", "other small", "other home", "operator"]),
        ("forbidden_tool", ["repair large", "operator"]),
        ("cap", ["operator"]),
        ("not_configured", ["operator"]),
    ],
)
def test_each_fault_goes_its_way(fault: Fault, steps: list[str]) -> None:
    assert walk(fault, ORDER) == steps


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_has_an_end_with_the_operator(fault: Fault) -> None:
    assert AFTER[fault][-1] == "operator"
    assert len(walk(fault, ["only"])) <= 3


def test_a_wait_is_as_long_as_was_asked_for_and_has_an_end() -> None:
    waits = [decide.after("rate_limited", "a", ["a"], [], seconds).wait for seconds in (0.0, 20.0, 9000.0)]
    assert waits == [decide.USUAL_WAIT, 20.0, decide.LONGEST_WAIT]


def test_the_larger_model_is_first_within_what_is_allowed() -> None:
    kinds = {"home": "ollama", "big": "openai", "small": "openai"}
    tiers = {"home": 0, "big": 4, "small": 3}
    parts = {n: ModelPart(kind=k, model="m", base_url="https://x.example", tier=tiers[n]) for n, k in kinds.items()}  # type: ignore[arg-type]  # literals
    assert decide.chain(parts, 2, 3) == ["small", "home"]
    assert decide.chain(parts, 2, 4) == ["big", "small", "home"]
    assert decide.chain(parts, 2, 4, first="home") == ["home", "big", "small"]


def test_the_large_tier_is_asked_for_a_reason_only() -> None:
    assert [decide.topmost(most, reason="") for most in (2, 3, 4)] == [2, 3, 3]
    assert [decide.topmost(most, reason="worth") for most in (3, 4)] == [3, 4]


def message(call: str, at: str, what: str = "Ada") -> list[dict[str, Any]]:
    part = {"part_kind": "tool-call", "tool_name": "look", "args": {"what": what}, "tool_call_id": call}
    return [{"kind": "response", "timestamp": at, "usage": {"input_tokens": 3}, "parts": [part]}]


def test_instants_and_ids_make_no_other_question() -> None:
    one, same, other = (decide.lasting(message(*given)) for given in (("a", "1"), ("b", "2"), ("a", "1", "Jo")))
    keys = [decide.key("openai", "m", {"messages": messages}) for messages in (one, same, other)]
    assert keys[0] == keys[1] != keys[2]
    assert decide.key("ollama", "m", {"messages": one}) != keys[0]


def test_the_same_call_three_times_is_a_loop() -> None:
    assert decide.looping(message("a", "1") * 2) == ""
    assert decide.looping(message("a", "1") * 3) == "look"
    assert decide.looping([*message("a", "1"), *message("b", "2", "Jo"), *message("c", "3")]) == ""


@pytest.mark.parametrize("text", ["and so on " * 100, "x" * 500 + "ha " * 400, "Dear Ada,\n" * 90])
def test_a_text_that_runs_in_a_circle_is_seen(text: str) -> None:
    assert decide.repeats(text)


@pytest.mark.parametrize(
    "text", ["ha ha ha", "Fine. " * 10, "".join(f"Item {n} costs {n * 7} EUR. " for n in range(80))]
)
def test_an_ordinary_text_is_no_circle(text: str) -> None:
    assert not decide.repeats(text)


def test_no_token_is_less_than_a_byte() -> None:
    told = {"messages": [{"content": "字" * 100}], "tools": [["look", "d", {}]]}
    assert decide.most_tokens(told) >= 300 + 7
    assert decide.likely_tokens(told) < decide.most_tokens(told)


def test_a_text_is_shortened_between_its_ends() -> None:
    text = "The beginning. " + "middle " * 500 + "the end."
    found = decide.shorter(text, 300)
    assert len(found) < 340
    assert found.startswith("The beginning.")
    assert found.endswith("the end.")
    assert decide.shorter("short", 300) == "short"


def test_a_known_model_has_the_price_of_the_list_and_an_unknown_one_the_highest() -> None:
    known = ModelPart(base_url="https://api.openai.com/v1", model="gpt-5-mini")
    assert prices.of(known, "EUR", {}).tokens_out == 2_000_000
    assert prices.of(known, "EUR", {"USD": "0.5"}).tokens_out == 1_000_000
    unknown = prices.of(ModelPart(base_url="https://llm.example.com/v1", model="unheard"), "EUR", {})
    assert (unknown.known, unknown.tokens_in > 100_000_000) == (False, True)
    assert prices.of(ModelPart(kind="ollama", model="q"), "EUR", {}).tokens_out == 0


def test_opening_a_home_loads_no_model_library() -> None:
    program = "import soloist.cli.main, soloist.app, sys; print([m for m in sys.modules if m.startswith(HEAVY)])"
    heavy = "HEAVY = ('pydantic_ai', 'openai', 'httpx2', 'genai_prices'); "
    done = subprocess.run([sys.executable, "-c", heavy + program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
