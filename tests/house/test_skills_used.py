"""Each shipped skill is listed by a shipped agent and called in a flow or stage, under a contract that lists it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "soloist"
ROOMS = ("flows", "stages", "web")
ASKS = ("call", "call_many", "ask_many")
"""What hands a skill straight to the reading process."""
FRONT_DOOR = {"read_mail", "strip_reply"}
"""Skills of intake that its stage calls before there is a message and so before any piece of work."""


@cache
def trees() -> list[ast.Module]:
    """Every module of the rooms where skills are called."""
    files = [path for room in ROOMS for path in (SOURCE / room).rglob("*.py")]
    return [ast.parse(path.read_text(encoding="utf-8")) for path in files]


def listed() -> dict[str, set[str]]:
    """Shipped agents by the skills they list."""
    found: dict[str, set[str]] = {}
    for path in sorted((SOURCE / "plugins/agents").glob("*/agent.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        for skill in told.get("skills", ()):
            found.setdefault(skill, set()).add(told["name"])
    return found


def named(tree: ast.Module, *attributes: str) -> Iterator[list[str]]:
    """The leading texts of each call of a method with one of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in attributes:
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if texts:
                yield texts


def test_every_skill_has_an_agent_and_a_call() -> None:
    skills = {path.name.removesuffix(".examples.yaml") for path in (SOURCE / "plugins/skills").glob("*.examples.yaml")}
    constants = {n.value for tree in trees() for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    assert skills == set(listed()), sorted(skills ^ set(listed()))
    assert [skill for skill in sorted(skills) if skill not in constants] == []


def test_what_goes_straight_to_the_reading_process_is_under_a_contract() -> None:
    agents = listed()
    under = {tuple(texts[:2]) for tree in trees() for texts in named(tree, "under")}
    assert [pair for pair in sorted(under) if pair[0] not in agents.get(pair[1], ())] == []
    straight = {texts[0] for tree in trees() for texts in named(tree, *ASKS) if not texts[0].startswith("local.")}
    assert straight & set(agents) == FRONT_DOOR | {skill for _, skill in under}
