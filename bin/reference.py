"""Writes docs/reference from the code: settings, states and errors; with --check it only says what is out of date."""

from __future__ import annotations

import inspect
import json
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from soloist import config
from soloist.kernel import errors, lives
from soloist.kernel.states import Machine
from soloist.sdk.faults import ADVICE

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "Made from the code by `make reference`; do not edit."


def settings() -> str:
    """Every key of soloist.toml."""
    lines = ["# Settings in soloist.toml", "", NOTE]
    lines += ["", "Times are written like 30s, 10m, 24h, 5d or 2w. An unknown key is refused and named.", ""]
    for place, model in [("(top level)", config.Settings), *_tables(config.Settings, "")]:
        rows = list(_rows(model))
        if rows:
            lines += [f"## `{place}`", "", inspect.getdoc(model) or "", ""]
            lines += ["| key | type | default | meaning |", "|---|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _tables(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Each nested table with its heading, in the order of the fields."""
    for name, info in model.model_fields.items():
        found = _model(info.annotation)
        if found is None:
            continue
        key = f"{prefix}{info.alias or name}"
        shape = get_origin(info.annotation)
        heading = {dict: f"[{key}.NAME]", list: f"[[{key}]]"}.get(typing.cast(Any, shape), f"[{key}]")
        yield heading, found
        yield from _tables(found, heading.strip("[]") + ".")


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model, get_args(annotation))), None)


def _rows(model: type[BaseModel]) -> Iterator[str]:
    """A table line for each plain key."""
    for name, info in model.model_fields.items():
        if _model(info.annotation) is None:
            default = info.get_default(call_default_factory=True)
            shown = "needed" if default is PydanticUndefined else f"`{json.dumps(default)}`"
            meaning = info.description or ""
            yield f"| `{info.alias or name}` | {_kind(info.annotation)} | {shown} | {meaning} |"


def _kind(annotation: Any) -> str:
    """A type in plain words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin is list:
        return "list of " + _kind(inner[0])
    if origin is dict:
        return "table of " + _kind(inner[1])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(part) for part in inner if part is not type(None))
    return {str: "text", int: "whole number", bool: "true or false", float: "number"}.get(annotation, "any value")


def states() -> str:
    """Every declared machine with its moves."""
    lines = ["# States", "", NOTE, ""]
    for machine in vars(lives).values():
        if isinstance(machine, Machine):
            lines += [f"## {machine.noun.capitalize()}", "", f"Begins as **{machine.start}**.", ""]
            lines += ["| state | can become |", "|---|---|"]
            lines += [
                f"| {state} | {', '.join(sorted(to)) or 'nothing: an end'} |" for state, to in machine.moves.items()
            ]
            lines += [""]
    return "\n".join(lines)


def faults() -> str:
    """Every error class: status, whose turn it is, whether anything left the house."""
    lines = [
        "# Errors",
        "",
        NOTE,
        "",
        "| class | status | whose turn | left the house | meaning |",
        "|---|---|---|---|---|",
    ]
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.SoloistError):
            said = " ".join((inspect.getdoc(kind) or "").split())
            lines.append(f"| {kind.__name__} | {kind.status} | {kind.turn} | {kind.left_house} | {said} |")
    return "\n".join([*lines, ""])


def troubles() -> str:
    """What can go wrong outside, and what is done about it."""
    lines = ["# Faults of connectors", "", NOTE, ""]
    lines += ["Every failure of every connector is one of these; an adapter names it, the core alone decides.", ""]
    lines += ["| fault | means | a write may have left | tried again | what is done |", "|---|---|---|---|---|"]
    for fault, advice in ADVICE.items():
        lines.append(f"| {fault} | {advice.means} | {advice.sent} | {advice.retry} | {advice.does} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Write the pages, or with --check name those that differ; the exit code counts them."""
    stale = 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in (
        ("settings.md", settings),
        ("states.md", states),
        ("errors.md", faults),
        ("faults.md", troubles),
    ):
        path, text = FOLDER / name, page().rstrip() + "\n"
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"docs/reference/{name} is out of date; run make reference")
            stale += 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
