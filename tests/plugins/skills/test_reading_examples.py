"""Every example of the reading skills holds, and every span they claim is verbatim."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

import soloist.plugins.skills as room

NAMES = ("strip_reply", "language", "contact", "dates", "money", "kind", "understand", "qualify")
FOLDER = Path(room.__file__).parent / "examples"


def examples():
    for name in NAMES:
        for index, example in enumerate(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))):
            yield pytest.param(name, example, id=f"{name}-{index}")


def call(name, value):
    return getattr(importlib.import_module(f"soloist.plugins.skills.{name}"), name).call(value)


def spans(value):
    if isinstance(value, dict):
        if set(value) == {"text", "start", "end"}:
            yield value
        for part in value.values():
            yield from spans(part)
    elif isinstance(value, list):
        for part in value:
            yield from spans(part)


@pytest.mark.parametrize(("name", "example"), list(examples()))
def test_example_holds(name, example):
    answer = call(name, example["input"])
    assert {key: answer[key] for key in example["expect"]} == example["expect"]


@pytest.mark.parametrize(("name", "example"), list(examples()))
def test_spans_are_verbatim(name, example):
    given, answer = example["input"], call(name, example["input"])
    own = answer.get("own_text", given.get("own_text", given.get("text", "")))
    sources = (own, given.get("signature", answer.get("signature", "")))
    for item in spans(answer):
        assert item["text"]
        assert item["text"] in {source[item["start"] : item["end"]] for source in sources}


@pytest.mark.parametrize("name", NAMES)
def test_module_holds_one_skill_of_its_name(name):
    skill = getattr(importlib.import_module(f"soloist.plugins.skills.{name}"), name)
    assert (skill.name, skill.takes_blob, bool(skill.summary)) == (name, False, True)
