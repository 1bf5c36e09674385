"""A skill and an agent of these tests: the poet writes a line of at most forty letters, by a model if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.sdk import Skill, skill
from soloist.sdk.asking import GUARD, Ask, marked

SCHEMA = {
    "type": "object",
    "properties": {"line": {"type": "string"}},
    "required": ["line"],
    "additionalProperties": False,
}
TOML = """
name = "poet"
version = "1"
kind = "task"
summary = "Writes one line about what it is given, for tests of work with models."
tier = 3
skills = ["verse"]
reads = ["memory", "conversation"]
{more}
[limits]
timeout = "60s"
{limits}
[failures.objected]
again = 1
then = ["operator"]
{failures}
"""


class In(Frozen):
    about: str
    needed: bool = False
    least: int = 2
    answer: dict[str, Any] | None = None
    author: str = ""


class Out(Frozen):
    line: str
    why: str = ""
    faults: list[str] = Field(default=[])
    ask: Ask | None = None


@skill("verse", version="1")
def verse(value: In) -> Out:
    """Write a line."""
    if value.answer is None:
        text = "" if value.needed else f"On {value.about}."
        question = {"instructions": f"Write a line. {GUARD}", "given": marked(value.about), "answer_schema": SCHEMA}
        return Out(line=text, why="Two words are enough.", ask=Ask(**question, least=value.least, needed=value.needed))
    line = str(value.answer["line"])
    faults = [f"The line has {len(line)} letters, more than 40."] if len(line) > 40 else []
    return Out(line=line, why=f"By {value.author}.", faults=faults)


class Here:
    """Skills run in this process; ``asked`` are what they were given."""

    def __init__(self, *skills: Skill) -> None:
        self.skills = {one.name: one for one in skills}
        self.asked: list[Mapping[str, Any]] = []
        self.fails: list[Exception] = []

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        self.asked.append(value)
        if self.fails:
            raise self.fails.pop(0)
        return self.skills[skill].call(value, blob)


def folder(root: Path, name: str = "poet", more: str = "", limits: str = "", failures: str = "") -> Path:
    """The folder of the poet, or of another like it."""
    place = root / "folders" / name
    place.mkdir(parents=True)
    text = TOML.format(more=more, limits=limits, failures=failures).replace('"poet"', f'"{name}"')
    (place / "agent.toml").write_text(text, encoding="utf-8")
    (place / "instructions.md").write_text("# Poet\n\nWrite one line, in plain words, and nothing else.\n")
    return place
