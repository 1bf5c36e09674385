"""Agents as data: a folder as one content that is published and read back; and what follows from a new content."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

from soloist.kernel.agent import AgentSpec, meant, parsed
from soloist.kernel.errors import BadConfig
from soloist.kernel.hashing import json_hash

FILE, INSTRUCTIONS = "agent.toml", "instructions.md"
MOST = 256 * 1024
"""Bytes of one file of an agent."""
MANY = 200
"""Files of one agent."""

Source = Literal["shipped", "plugin", "home", "api", "cli"]


def read_folder(folder: Path) -> dict[str, Any]:
    """A folder as content: {toml, instructions, examples: {name: text}, templates: {name: text}} (BadConfig)."""
    if not (folder / FILE).is_file():
        raise BadConfig(f"{folder / FILE}: there is no such file; a folder of an agent holds one.")
    examples = {path.stem: _text(path) for path in _files(folder / "examples", "*.toml")}
    templates = {path.name.removesuffix(".j2"): _text(path) for path in _files(folder / "templates", "*.j2")}
    path = folder / INSTRUCTIONS
    instructions = _text(path) if path.exists() else ""
    return {
        "toml": _text(folder / FILE),
        "instructions": instructions,
        "examples": examples,
        "templates": templates,
    }


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if len(found) > MANY:
        raise BadConfig(f"{folder}: {len(found)} files are more than the {MANY} an agent may have.")
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST:
            raise BadConfig(f"{path}: is larger than the {MOST // 1024} KB a file of an agent may have.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: cannot be read: {error}") from error


def spec_of(content: Mapping[str, Any], place: str) -> AgentSpec:
    """The contract in a content (BadConfig: the place, the key, and what would be right)."""
    for key in content.keys() - {"toml", "instructions", "examples", "templates"}:
        raise BadConfig(f"{place}: {key}: an agent has no such part.", field=str(key))
    examples = tuple(content.get("examples", {}).items())
    return _spec(place, json_hash(dict(content)), content["toml"], content.get("instructions", ""), examples)


@lru_cache(maxsize=MANY)
def _spec(place: str, mark: str, toml: str, instructions: str, examples: tuple[tuple[str, str], ...]) -> AgentSpec:
    """The same of its parts and their hash: a start reads every folder several times and parses it once."""
    try:
        raw: dict[str, Any] = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{place}: this is no TOML: {error}.", field="toml") from error
    found = parsed(raw, place, mark)
    if len(instructions.strip()) < 40:
        raise BadConfig(f"{place}: {INSTRUCTIONS} is missing or says next to nothing.", field="instructions")
    for name, text in examples:
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise BadConfig(f"{place}: examples/{name}.toml is no TOML: {error}.", field="examples") from error
    return found


def read_agent(folder: Path) -> AgentSpec:
    """The agent of a folder (BadConfig names the file and what is wrong)."""
    found = spec_of(read_folder(folder), str(folder / FILE))
    if found.name != folder.name:
        raise BadConfig(f"{folder / FILE}: name: {found.name!r}, but its folder is called {folder.name!r}.")
    return found


def unknown(spec: AgentSpec, skills: Collection[str], agents: Collection[str], place: str) -> str:
    """The first skill or agent that a contract names and nobody knows, as a sentence; "" when all are there."""
    for skill in spec.skills:
        if skill not in skills:
            hint = meant(skill, skills)
            return f"{place}: skills: there is no skill called {skill!r}{hint or '; soloist skills list names all.'}"
    for handoff in spec.handoffs:
        if handoff.to not in agents:
            return f"{place}: handoffs: there is no agent called {handoff.to!r}{meant(handoff.to, agents) or '.'}"
    return ""


class Versioned(Protocol):
    """What is published in versions: an agent, a playbook."""

    @property
    def label(self) -> str:
        """Name and version."""

    @property
    def version(self) -> str:
        """The version alone."""

    @property
    def digest(self) -> str:
        """The hash of its content."""


@dataclass(frozen=True)
class Known:
    """What is known of a name: the hash of this version if it was published, and what is in use."""

    hash: str = ""
    in_use: str = ""
    pinned: bool = False
    source: str = ""


@dataclass(frozen=True)
class Publication:
    """What follows from a content: whether it is published and put in use, and what the operator is told."""

    publish: bool = False
    use: bool = False
    trouble: str = ""
    note: str = ""


def publication(spec: Versioned, source: Source, known: Known, place: str) -> Publication:
    """A version is never changed: another content needs another version. An upgrade moves what ships and is not
    pinned; what the operator made stays until they say otherwise."""
    if known.hash and known.hash != spec.digest:
        told = (
            f"{place}: {spec.label} was published before with another content, and a version is never changed. "
            f"What was published stays in use. Give this one another version, such as {_next(spec.version)!r}."
        )
        return Publication(trouble=told)
    if known.hash:
        return Publication(use=not known.in_use)
    if not known.in_use:
        return Publication(publish=True, use=True)
    if known.pinned:
        return Publication(publish=True, note=f"{spec.label} is there; {known.in_use} is pinned and stays in use.")
    if source in ("shipped", "plugin") and known.source not in ("shipped", "plugin"):
        return Publication(publish=True, note=f"{spec.label} is there; your own {known.in_use} stays in use.")
    return Publication(publish=True, use=True)


def _next(version: str) -> str:
    """The version after this one."""
    numbers = version.partition("-")[0].split(".")
    return ".".join([*numbers[:-1], str(int(numbers[-1]) + 1)])


def templates_of(folder: Path) -> dict[str, str]:
    """Templates by name ("enquiry.de"), from files called name.language.j2."""
    return {path.name.removesuffix(".j2"): path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.j2"))}
