"""Rendering of reply templates in a sandbox; a broken operator template falls back to the shipped one and is named."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

SHIPPED = Path(__file__).parent.parent / "agents"
"""Folders of the shipped agents; each may hold templates, one file ``<kind>.<language>.j2`` each."""

MAX_WORDS = 250
"""Longest body of a reply, in words."""

_MAX_CHARS = 20_000


class Broken(Exception):
    """A template could not be used; the text says which one, in which line, and why."""


@lru_cache(maxsize=1)
def shipped() -> dict[str, str]:
    """The shipped templates by name, such as "enquiry.de"."""
    paths = sorted(SHIPPED.glob("*/templates/*.j2"))
    return {path.name.removesuffix(".j2"): path.read_text(encoding="utf-8") for path in paths}


def languages(kind: str, own: dict[str, str]) -> set[str]:
    """The languages a kind of reply can be written in."""
    names = (*shipped(), *own)
    return {name.rpartition(".")[2] for name in names if name.rpartition(".")[0] == kind}


def render(name: str, own: dict[str, str], values: dict[str, Any]) -> tuple[str, list[str]]:
    """The body from the operator's template of this name, else from the shipped one, and notes on what went wrong."""
    notes: list[str] = []
    if name in own:
        try:
            return _fill(name, own[name], values), notes
        except Broken as broken:
            if name not in shipped():
                raise
            notes.append(f"{broken} The shipped template was used instead.")
    return _fill(name, shipped()[name], values), notes


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # plain text, never HTML
    )


def _fill(name: str, source: str, values: dict[str, Any]) -> str:
    """Render one source to plain text; Broken names template and line."""
    from jinja2 import Template, TemplateSyntaxError

    environment, file = _environment(), f"{name}.j2"
    try:
        code = environment.compile(source, name, file)
        text = Template.from_code(environment, code, environment.make_globals(None)).render(values)
    except TemplateSyntaxError as error:
        raise Broken(f"The template {file} is broken in line {error.lineno}: {error.message}.") from error
    except Exception as error:  # the operator's own code: the reply still gets written
        line = _line_of(error, file)
        raise Broken(f"The template {file} is broken{f' in line {line}' if line else ''}: {error}.") from error
    if len(text) > _MAX_CHARS:
        raise Broken(f"The template {file} gives a text of {len(text):,} characters, more than {_MAX_CHARS:,}.")
    text = tidy(text)
    if not text:
        raise Broken(f"The template {file} gives an empty text.")
    return text


def tidy(text: str) -> str:
    """Plain text without control characters, trailing spaces or more than one empty line in a row."""
    text = "".join(c for c in text if c.isprintable() or c == "\n")
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _line_of(error: BaseException, file: str) -> int:
    """The template's line an error was raised in; 0 when it cannot be told."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
