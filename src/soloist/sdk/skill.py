"""Skill: a typed, versioned function with examples as its contract; it may read, it may not change the world.

A skill is one plain function from one pydantic model to another, marked with ``@skill``; beside its module stands
``<name>.examples.yaml``. Skills that read text or files from outside run in the limited worker process; their input
and output cross a pipe as JSON, the ``blob`` as raw bytes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel


@dataclass(frozen=True)
class Skill:
    """A registered skill: ``run(input)`` or, when ``takes_blob``, ``run(input, blob)``."""

    name: str
    version: str
    summary: str
    input: type[BaseModel]
    output: type[BaseModel]
    run: Callable[..., BaseModel]
    takes_blob: bool
    module: str
    folder: Path | None = None
    """Where its examples stand when that is not beside its module: of a skill whose module is never loaded here."""

    @property
    def instead(self) -> str:
        """Whose code answers in place of the shipped one, as ``package.hash``; "" when nobody's does."""
        return self.version.partition("+")[2]

    @property
    def examples(self) -> Path:
        """Where its examples have to stand: ``name.examples.yaml`` beside its module, whether they are there or not."""
        if self.folder is not None:
            return self.folder / f"{self.name}.examples.yaml"
        place = getattr(sys.modules.get(self.module), "__file__", None) or self.module
        return Path(place).parent / f"{self.name}.examples.yaml"

    def lacks(self) -> str:
        """Why it may not be used, as a sentence; "" when its contract is there."""
        if self.examples.is_file():
            return ""
        return (
            f"the skill {self.name} has no examples, so nothing says what it does: {self.examples} is missing. "
            "It was not loaded. Write the file (docs/how-to/write-a-skill.md) and start again"
        )

    def call(self, raw: dict[str, Any], blob: bytes = b"") -> dict[str, Any]:
        """Validate, run, validate: JSON values in, JSON values out. pydantic.ValidationError for a wrong input."""
        value = self.input.model_validate(raw)
        result = self.run(value, blob) if self.takes_blob else self.run(value)
        return self.output.model_validate(result).model_dump(mode="json")


def skill(name: str, *, version: str) -> Callable[[Callable[..., BaseModel]], Skill]:
    """Turn ``def f(value: In[, blob: bytes]) -> Out`` into a Skill; its docstring's first line is the summary."""

    def mark(function: Callable[..., BaseModel]) -> Skill:
        hints = get_type_hints(function)
        output = hints.pop("return")
        parameters = list(inspect.signature(function).parameters)
        return Skill(
            name=name,
            version=version,
            summary=(inspect.getdoc(function) or "").partition("\n")[0],
            input=hints[parameters[0]],
            output=output,
            run=function,
            takes_blob=len(parameters) > 1,
            module=function.__module__,
        )

    return mark
