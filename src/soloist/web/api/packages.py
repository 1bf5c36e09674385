"""Skills with code of others over the API: what is installed, and its walls; they are accepted in person only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from soloist.web.api.asking import Reader, TheApp
from soloist.web.api.strict import StrictRoute
from soloist.web.packages_door import Packaged

router = APIRouter(route_class=StrictRoute)


class AttemptRow(BaseModel):
    """One try to break out of the sandbox."""

    what: str
    refused: bool
    said: str


class NeedRow(BaseModel):
    """A value a package asks for."""

    name: str
    words: str
    granted: bool


class ExampleTried(BaseModel):
    """An example of the shipped skill or of the package's own: holds, changed (holds otherwise) or fails."""

    whose: str
    example: str
    outcome: str
    faults: list[str]


class TriedRow(BaseModel):
    """How a package did against the shipped skill; ``ms`` and ``asks`` (of models) are {before, after}."""

    against: str
    held: int
    changed: int
    failed: int
    worse: int
    trial: str
    ms: dict[str, int]
    asks: dict[str, int]
    examples: list[ExampleTried]


class PackageRow(BaseModel):
    """One content of a package; ``amiss`` says why one that was accepted is not run, ``replaces`` whose place it takes,
    ``tried`` what came of it when it was held against that skill, null before."""

    name: str
    version: str
    hash: str
    state: str
    why: str
    summary: str
    author: str
    source: str
    skills: dict[str, str]
    needs: list[NeedRow]
    files: dict[str, str]
    limits: str
    at: str
    decided: str
    amiss: str
    replaces: str
    tried: TriedRow | None


class SandboxRow(BaseModel):
    """The walls around code of others; ``level``: bubblewrap, landlock or none. It runs when they hold, or by trust."""

    level: str
    holds: bool
    trusted: bool
    lacking: list[str]
    attempts: list[AttemptRow]
    packages: list[PackageRow]


@router.get("/sandbox", response_model=SandboxRow)
async def show_sandbox(_: Reader, app: TheApp) -> Any:
    """What the self-test of this process found, and every package that is installed."""
    view = await Packaged(app).page()
    packages = []
    for one in view.lines:
        needs = [{"name": name, "words": words, "granted": granted} for name, words, granted in one.needs]
        files = {name: digest for name, _, digest in one.files}
        tried = {**one.tried, "trial": one.tried["corrections"]["trial"]} if one.tried else None
        told = {"skills": dict(one.skills), "needs": needs, "files": files, "tried": tried}
        packages.append({**asdict(one), **told})
    attempts = [{"what": what, "refused": refused, "said": said} for what, refused, said in view.attempts]
    return {**asdict(view), "lacking": list(view.lacking), "attempts": attempts, "packages": packages}
