"""Agents as data: the typed form of agent.toml; a skill or operation that is not listed there cannot be used."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from soloist.kernel.errors import BadConfig, NotAllowed
from soloist.kernel.hashing import sha256


class AgentSpec(BaseModel):
    """A versioned role: what it may use, read, write and propose."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    version: str
    skills: list[str] = []
    operations: list[str] = []
    tier: int = 0
    autonomy: str = "propose"
    digest: str = ""

    @property
    def label(self) -> str:
        """Name and version, as runs and cards show it."""
        return f"{self.name}@{self.version}"

    def may_use(self, skill: str) -> None:
        """NotAllowed unless the skill is listed."""
        if skill not in self.skills:
            raise NotAllowed(f"The agent {self.label} may not use the skill {skill}; its agent.toml does not list it.")

    def may_propose(self, operation: str) -> None:
        """NotAllowed unless the operation is listed."""
        if operation not in self.operations:
            raise NotAllowed(f"The agent {self.label} may not propose {operation}; its agent.toml does not list it.")


def read_agent(folder: Path) -> AgentSpec:
    """The agent of a folder (BadConfig names the file and what is wrong)."""
    path = folder / "agent.toml"
    try:
        data = path.read_bytes()
        raw: dict[str, Any] = tomllib.loads(data.decode())
        raw = {**raw.pop("agent", {}), **raw}
        return AgentSpec.model_validate({**raw, "digest": sha256(data)[:12]})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadConfig(f"{path}: {error}") from error


def templates_of(folder: Path) -> dict[str, str]:
    """Templates by name ("enquiry.de"), from files called name.language.j2."""
    return {path.name.removesuffix(".j2"): path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.j2"))}
