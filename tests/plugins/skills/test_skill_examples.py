"""Every example of every skill that is found holds, others' skills too; and every span a skill claims is verbatim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from soloist.engine import registry
from soloist.kernel.errors import BadConfig
from soloist.sdk import Skill
from soloist.sdk.testing import skills

FOUND = registry.load()
READERS = ("strip_reply", "language", "contact", "dates", "money", "kind", "understand", "qualify")


WRONG: list[str] = []


def contracts() -> Iterator[tuple[Skill, skills.Contract]]:
    for skill in FOUND.skills.values():
        try:
            yield skill, skills.read(skill)
        except BadConfig as error:
            WRONG.append(error.detail)


EXAMPLES = [pytest.param(s, c, e, id=f"{s.name}: {e.name}") for s, c in contracts() for e in c.examples]


def answer(skill: Skill, example: skills.Example) -> dict[str, Any] | Exception:
    blob = [skills.blob_of(example, skill.examples.parent)] if skill.takes_blob else []
    try:
        return skill.call(example.input, *blob)
    except Exception as error:
        return error


@pytest.mark.parametrize(("skill", "contract", "example"), EXAMPLES)
def test_an_example_holds(skill: Skill, contract: skills.Contract, example: skills.Example):
    assert skills.judge(contract, example, answer(skill, example)).faults == ()


def test_every_skill_that_ships_was_loaded_with_its_contract():
    assert (FOUND.troubles, WRONG) == ([], [])
    assert len(FOUND.skills) >= 15


def spans(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and set(value) == {"text", "start", "end"}:
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from spans(part)


READ = [case for case in EXAMPLES if case.values[0].name in READERS]


@pytest.mark.parametrize(("skill", "contract", "example"), READ)
def test_spans_are_verbatim(skill: Skill, contract: skills.Contract, example: skills.Example):
    given, told = example.input, answer(skill, example)
    own = told.get("own_text", given.get("own_text", given.get("text", "")))
    sources = (own, given.get("signature", told.get("signature", "")))
    for item in spans(told):
        assert item["text"]
        assert item["text"] in {source[item["start"] : item["end"]] for source in sources}
