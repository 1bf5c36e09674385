"""Questions of skills to models: each is answered by typed fields alone, closed and with a cap on every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from soloist.engine import registry
from soloist.kernel.errors import SoloistError
from soloist.sdk.testing import skills
from soloist.stages.runtime.models.decide import MOST_ITEMS, MOST_TEXT, fits

ASKERS = {"draft_reply", "meeting_notes", "read_rule", "read_work", "subject_lines", "take_apart", "translate"}


def questions() -> Iterator[tuple[str, dict[str, Any]]]:
    """The question of each skill that asks one in an example of its contract."""
    for skill in registry.load().skills.values():
        if not hasattr(skill.output, "model_fields") or "ask" not in skill.output.model_fields or skill.takes_blob:
            continue
        wants = {"ask": True} if "ask" in skill.input.model_fields else {}
        for example in skills.read(skill).examples:
            with suppress(SoloistError):  # an example may show what is refused
                if ask := skill.call({**example.input, "answer": None, **wants}).get("ask"):
                    yield skill.name, dict(ask)
                    break


FOUND = dict(questions())


def inside(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield place, schema
    for name, one in schema.get("properties", {}).items():
        yield from inside(one, f"{place}.{name}")
    if "items" in schema:
        yield from inside(schema["items"], f"{place}[]")


def test_every_skill_that_asks_is_looked_at():
    assert set(FOUND) == ASKERS


@pytest.mark.parametrize("name", FOUND)
def test_an_answer_is_closed_typed_and_capped(name: str):
    for place, schema in inside(FOUND[name]["answer_schema"]):
        assert schema.get("type"), place
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False, place
        if schema["type"] == "string":
            assert "characters, at most" in fits("a" * (MOST_TEXT + 1), {k: schema[k] for k in schema if k != "enum"})
        if schema["type"] == "array":
            assert "entries, at most" in fits([None] * (MOST_ITEMS + 1), schema)


@pytest.mark.parametrize("name", FOUND)
def test_words_of_others_stand_between_marks(name: str):
    assert "<<<TEXT" in FOUND[name]["given"]
