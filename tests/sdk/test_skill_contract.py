"""The file of examples of a skill: what is refused in it, and what a promise with a tolerance holds against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from soloist.kernel.errors import BadConfig, BadInput
from soloist.sdk import skill
from soloist.sdk.testing import skills

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-skill.md"
GOOD = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]


class Name(BaseModel):
    name: str


class Greeting(BaseModel):
    text: str


@skill("greet", version="1")
def greet(value: Name) -> Greeting:
    """Greet a person."""
    return Greeting(text=f"Hello {value.name}")


def test_the_example_of_the_page_is_accepted():
    contract = skills.parse(GOOD, "x")
    for example in contract.examples:
        try:
            answer: Any = greet.call(example.input)
        except ValueError as error:
            answer = error
        assert skills.judge(contract, example, answer).ok


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("expect:", "expct:", "did you mean 'expect'?"),
        ("    hostile: true ", "    hostile: false ", "none is `hostile: true`"),
        ("language: fr", "language: de", "2 (de, en), at least 3"),
        ("name: ein Umlaut", "name: a plain name", "two examples are called 'a plain name'"),
        ("refuses: name ", "why: none ", "needs either `expect` or `refuses`"),
        ("author: by hand", "autor: by hand", "did you mean 'author'?"),
        ("  large: The same; no model is asked.\n", "", "tiers.large: Field required"),
        ("text: true", "text: true\ntext: false", "the key 'text' twice"),
        ("\nexamples:", "\nexamples: [", "this is no YAML"),
    ],
)
def test_a_wrong_file_says_what_would_be_right(old: str, new: str, said: str):
    assert old in GOOD
    with pytest.raises(BadConfig, match="greet.yaml") as error:
        skills.parse(GOOD.replace(old, new, 1), "greet.yaml")
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["2026-11-21", "yes", "no", "on", "12:30", "0123", "1_000"])
def test_words_of_other_yaml_stay_texts(text: str):
    found = skills.parse(GOOD.replace("text: Hello Ada}", f"text: {text}}}", 1), "x")
    assert found.examples[0].expect == {"text": text}


def test_a_tag_of_python_is_refused():
    with pytest.raises(BadConfig, match="no YAML"):
        skills.parse(GOOD.replace("Hello Ada", "!!python/object/apply:os.system ['true']", 1), "x")


def judged(wanted: Any, got: Any, **tolerance: Any) -> bool:
    """Whether an output ``{"at": got}`` keeps the promise ``{"at": wanted}``."""
    example = skills.Example.model_validate(
        {"name": "one", "expect": {"at": wanted}, "tolerance": {"at": tolerance} if tolerance else {}}
    )
    contract = skills.parse(GOOD, "x")
    return skills.judge(contract, example, {"at": got}).ok


@pytest.mark.parametrize(
    ("wanted", "got", "tolerance", "holds"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {}, True),
        ({"a": 1}, {"a": 2, "b": 2}, {}, False),
        ({"a": 1}, {"b": 2}, {}, False),
        ([1, 2], [1, 2, 3], {}, False),
        (1, True, {}, False),
        (10.0, 10.04, {"number": 0.05}, True),
        (10.0, 10.06, {"number": 0.05}, False),
        (100, 102, {"share": 0.02}, True),
        (100, 103, {"share": 0.02}, False),
        (100, "100", {"share": 0.02}, False),
        ("Hello Ada", "hello  ada", {"text": 1.0}, True),
        ("Hello Ada", "Goodbye", {"text": 0.8}, False),
        (["Ada", "Jonas"], "Jonas met ADA", {"contains": True}, True),
        (["Ada", "Emily"], "Jonas met ADA", {"contains": True}, False),
        ("key", ["the KEY is"], {"lacks": True}, False),
        ("key", ["nothing"], {"lacks": True}, True),
        ([{"a": 1}, {"a": 2}], [{"a": 2, "b": 0}, {"a": 1}], {"set": True}, True),
        ([1, 1], [1, 2], {"set": True}, False),
        ([1], [2, 1], {"set": True}, False),
        ([1], [2, 1], {"subset": True}, True),
        ([3], [2, 1], {"subset": True}, False),
    ],
)
def test_a_promise_holds_or_not(wanted: Any, got: Any, tolerance: dict[str, Any], holds: bool):
    assert judged(wanted, got, **tolerance) == holds


def test_a_refusal_is_held_against_its_words():
    contract = skills.parse(GOOD, "x")
    refused = contract.examples[-1]
    assert skills.judge(contract, refused, BadInput("name: missing")).ok
    assert not skills.judge(contract, refused, BadInput("it rains")).ok
    assert "had to be refused" in skills.judge(contract, refused, {"text": "Hello"}).faults[0]
    assert "it was refused" in skills.judge(contract, contract.examples[0], BadInput("no")).faults[0]


def test_a_blob_never_leads_out_of_the_folder(tmp_path: Path):
    example = skills.Example(name="one", refuses="x", blob_file="../secret")
    with pytest.raises(BadConfig, match="leads out"):
        skills.blob_of(example, tmp_path)


def test_a_skill_without_examples_says_where_they_have_to_stand():
    assert str(greet.examples) in greet.lacks()
    with pytest.raises(BadConfig, match=r"greet\.examples\.yaml is missing"):
        skills.read(greet)
