"""The examples of every shipped agent that name a skill are run: the skill, under the contract, keeps the promise."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import soloist.plugins
from soloist.engine import registry
from soloist.plugins.skills.check_claims import check_claims
from soloist.stages.runtime.agents import read_agent, read_folder

AGENTS = Path(soloist.plugins.__file__).parent / "agents"
FILES = {
    f"{path.parts[-3]}: {path.stem}": path
    for path in sorted(AGENTS.glob("*/examples/*.toml"))
    if "skill" in tomllib.loads(path.read_text(encoding="utf-8"))
}
SKILLS = registry.load().skills


def missed(wanted: Any, got: Any, place: str = "") -> list[str]:
    """Where an answer is not what is promised: texts have to be in it, lists of the same length, the rest the same."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [fault for key, part in wanted.items() for fault in missed(part, got.get(key), f"{place}.{key}")]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        return [fault for one, other in zip(wanted, got, strict=True) for fault in missed(one, other, f"{place}[]")]
    if isinstance(wanted, str) and isinstance(got, str):
        return [] if wanted in got else [f"{place}: {wanted!r} is not in {got!r}"]
    return [] if wanted == got else [f"{place}: {wanted!r} is promised, {got!r} came"]


@pytest.mark.parametrize("name", FILES)
def test_an_example_holds(name: str):
    path = FILES[name]
    example, folder = tomllib.loads(path.read_text(encoding="utf-8")), path.parents[1]
    read_agent(folder).may_use(example["skill"])
    skill, given = SKILLS[example["skill"]], example["input"]
    if "templates" in skill.input.model_fields:
        given = {**given, "templates": read_folder(folder)["templates"]}
    assert missed(example["expect"], skill.call(given, b"") if skill.takes_blob else skill.call(given)) == []


@pytest.mark.parametrize("path", sorted(AGENTS.glob("writer/examples/*.toml")), ids=lambda path: path.stem)
def test_what_the_writer_may_write_passes_and_the_rest_is_found(path: Path):
    example = tomllib.loads(path.read_text(encoding="utf-8"))
    given = {"language": example["language"], "context": [{"name": "house book", "text": "\n".join(example["must"])}]}
    found = check_claims.call({**given, "text": example.get("good") or example["bad"]})["findings"]
    said = [one["words"]["text"] for one in found if one["weight"] == "stop"]
    assert [want for want in example.get("finds", []) if not any(want in one for one in said)] == []
    assert "finds" in example or said == []


def test_every_shipped_agent_has_examples():
    assert [path.parent.name for path in AGENTS.glob("*/agent.toml") if not any(path.parent.glob("examples/*"))] == []
    assert sum(name.startswith(("billing", "scheduler")) for name in FILES) >= 8
