"""Contracts: what a skill promises, read from its file and held against it in the limited worker; it stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from soloist import __version__
from soloist.kernel.agent import meant
from soloist.kernel.errors import NotFound, SoloistError
from soloist.kernel.hashing import json_hash, sha256
from soloist.sdk import Skill

if TYPE_CHECKING:
    from soloist.sdk.testing.skills import Contract, Example

LONGEST = 60.0
"""Seconds that one example may take."""


class Calls(Protocol):
    """The limited worker process."""

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run a skill."""


@dataclass(frozen=True)
class Result:
    """How one example went: what it was given, what came, and what of the promise was not kept."""

    skill: str
    example: str
    author: str
    hostile: bool
    faults: tuple[str, ...]
    given: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    refused: str = ""

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return not self.faults


def of(skill: Skill) -> Contract:
    """The contract of a skill (BadConfig names the file and what would be right)."""
    from soloist.sdk.testing import skills

    return skills.read(skill)


def named(skills: Mapping[str, Skill], name: str) -> Skill:
    """A skill by its name (NotFound says which are like it)."""
    if name not in skills:
        raise NotFound(f"There is no skill called {name[:80]!r}{meant(name, skills) or '.'}")
    return skills[name]


def blob(skill: Skill, example: Example) -> bytes:
    """The bytes an example gives beside its input (BadConfig when its file cannot be read)."""
    from soloist.sdk.testing import skills

    return skills.blob_of(example, skill.examples.parent)


async def try_out(worker: Calls, skill: Skill) -> list[Result]:
    """Run every example of a skill (BadConfig for a wrong file)."""
    contract = of(skill)
    return [await _one(worker, skill, contract, example) for example in contract.examples]


async def _one(worker: Calls, skill: Skill, contract: Contract, example: Example) -> Result:
    from soloist.sdk.testing import skills

    answer: dict[str, Any] | Exception
    try:
        blob = skills.blob_of(example, skill.examples.parent)
        answer = await worker.call(skill.name, example.input, blob, timeout=LONGEST)
    except SoloistError as error:
        answer = error
    verdict = skills.judge(contract, example, answer)
    told = None if isinstance(answer, Exception) else answer
    return Result(
        skill.name,
        example.name,
        example.author or contract.author,
        example.hostile,
        verdict.faults,
        example.input,
        told,
        "" if told is not None else str(answer),
    )


def content(skill: Skill) -> dict[str, Any]:
    """What is published of a skill: its types, what it does at which tier, and every promise by its hash."""
    contract = of(skill)
    return {
        "summary": skill.summary,
        "module": skill.module,
        "input": skill.input.model_json_schema(),
        "output": skill.output.model_json_schema(mode="serialization"),
        "takes_bytes": skill.takes_blob,
        "text": contract.text,
        "tiers": contract.tiers.model_dump(),
        "author": contract.author,
        "examples": {example.name: _promise(contract, example) for example in contract.examples},
    }


def _promise(contract: Contract, example: Example) -> dict[str, Any]:
    """One example as it is kept: who wrote it, for which language, and the hash of all that it says."""
    said = example.model_dump(mode="json", exclude={"name", "why", "author", "language", "hostile"})
    said["tolerance"] = {path: t.model_dump() for path, t in {**contract.tolerance, **example.tolerance}.items()}
    return {
        "author": example.author or contract.author,
        "language": example.language,
        "hostile": example.hostile,
        "hash": digest(said),
    }


def digest(content: Mapping[str, Any]) -> str:
    """The hash of a published content."""
    return json_hash(dict(content))


def fingerprint(skills: Mapping[str, Skill]) -> str:
    """What changes whenever a contract may have: this version, and the files beside every skill; a few milliseconds."""
    folders = sorted({skill.examples.parent for skill in skills.values()})
    files = [path for folder in folders for pattern in ("*.py", "*.yaml") for path in sorted(folder.glob(pattern))]
    known = sorted(f"{skill.name}@{skill.version}" for skill in skills.values())
    return sha256("\n".join([__version__, *known, *(sha256(path.read_bytes()) for path in files)]).encode())


def broken(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Which promise of a version the same version no longer gives, as words; "" when it only promises more."""
    for key, name in (("input", "its input"), ("output", "its output"), ("takes_bytes", "whether it takes bytes")):
        if old[key] != new[key]:
            return f"{name} is of another type"
    for name, promise in old["examples"].items():
        if name not in new["examples"]:
            return f"the example {name!r} is gone"
        if new["examples"][name]["hash"] != promise["hash"]:
            return f"the example {name!r} says something else"
    return ""
