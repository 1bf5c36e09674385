"""Calls: skills with code of others by name, each call in a process of its own; it decides on none of them."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from soloist.engine.sandbox import levels, packages, runs
from soloist.kernel import errors
from soloist.kernel.package import SCRATCH, PackageSpec
from soloist.sdk import Skill

AT_ONCE = 2
"""Processes with code of others that run together."""
MOST_IN = 16 * 1024 * 1024
TRUSTED = (errors.BadInput, errors.TooLarge, errors.NotAllowed, errors.NotFound, errors.WorkerTrouble)
"""Errors that code of others may name; any other becomes WorkerTrouble."""


@dataclass(frozen=True)
class Installed:
    """A package that was accepted: where it lies, what every file of it has to be, what was granted to it."""

    spec: PackageSpec
    hash: str
    folder: Path
    files: Mapping[str, str]
    skills: Mapping[str, Mapping[str, Any]]
    granted: tuple[str, ...]


@dataclass
class Sandbox:
    """The accepted packages of one home. ``values`` gives what can be granted; ``trusted`` whether level 3 may run."""

    home: Path
    levels: levels.Levels
    values: Callable[[], Mapping[str, str]]
    trusted: bool = False
    installed: dict[str, Installed] = field(default_factory=dict)
    places: Mapping[str, Skill] = field(default_factory=dict)
    """Shipped skills whose place a package takes, by name: they answer where the package gives no answer that fits."""
    failing: dict[str, int] = field(default_factory=dict)
    """How often in a row a package gave none, by the name of the skill."""
    fell_back: Callable[[str, errors.SoloistError], Awaitable[None]] | None = None
    """Is told of each time the shipped skill had to answer; it never fails."""
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(AT_ONCE, thread_name_prefix="soloist-sandbox"), repr=False
    )

    def holds(self, skill: str) -> bool:
        """Whether a skill is one of others."""
        return self._of(skill) is not None

    def _of(self, skill: str) -> Installed | None:
        return next((one for one in self.installed.values() if skill in one.skills), None)

    def skills(self) -> dict[str, Skill]:
        """The accepted skills as the rest of the house knows skills; none of them can be run but by ``call``."""
        return {
            name: _instead(self.places[name], one, contract) if name in self.places else _stand_in(one, contract)
            for one in self.installed.values()
            for name, contract in one.skills.items()
        }

    async def call(
        self, skill: str, value: Mapping[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run a skill behind the walls (BadInput, TooLarge, NotAllowed, WorkerTrouble); at most ``timeout`` seconds."""
        one = self._of(skill)
        if one is None:
            raise errors.NotFound(f"There is no skill called {skill[:80]!r}.")
        request = {"do": "call", "skill": skill, "value": dict(value)}
        told = _fitting(one.skills[skill], await self._run(one, request, blob, timeout=timeout, who=skill), skill)
        if skill in self.places:
            told = typed(self.places[skill], told)
            self.failing.pop(skill, None)
        return told

    async def outcome(
        self, skill: str, value: Mapping[str, Any], blob: bytes, *, timeout: float
    ) -> dict[str, Any] | errors.SoloistError:
        """As ``call``, with the error handed over instead of raised."""
        try:
            return await self.call(skill, value, blob, timeout=timeout)
        except errors.SoloistError as error:
            return error

    async def describe(self, one: Installed) -> list[dict[str, Any]]:
        """Load a package behind the walls and tell the types of its skills (WorkerTrouble)."""
        told = await self._run(one, {"do": "describe"}, b"", timeout=one.spec.limits.wall, who=one.spec.name)
        return [dict(skill) for skill in told["skills"]]

    async def _run(
        self, one: Installed, request: dict[str, Any], blob: bytes, *, timeout: float, who: str
    ) -> dict[str, Any]:
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: self.run(one, request, blob, timeout=timeout, who=who)
        )
        return await work

    def run(self, one: Installed, request: dict[str, Any], blob: bytes, *, timeout: float, who: str) -> dict[str, Any]:
        """One request in a process of its own; what it answered."""
        level = self.level()
        if differences := packages.changed(one.folder, one.files):
            raise errors.NotAllowed(
                f"{who} was not run: its code is not what you accepted ({'; '.join(differences[:3])}). Install and "
                f"accept it again, or remove it: soloist skills remove {one.spec.name}."
            )
        place = levels.Place(str(one.folder), one.spec.modules, self._scratch(one))
        given = {name: value for name, value in self.values().items() if name in one.granted}
        if place.scratch:
            given[SCRATCH] = "/scratch" if level == "bubblewrap" else place.scratch
        try:
            data = runs.framed({**request, "given": given}, blob)
        except (TypeError, ValueError) as error:
            raise errors.BadInput(f"{who} can only be given JSON values: {error}") from error
        if len(data) > MOST_IN:
            raise errors.TooLarge(f"{len(data)} bytes are more than the {MOST_IN} that {who} can be given.")
        began, limits = time.monotonic(), one.spec.limits
        wall = min(timeout, limits.wall)
        try:
            line = levels.command(level, place, limits, self.home)
            ended = runs.run(*line, data, timeout=wall, output=limits.output_kb << 10)
        except OSError as error:
            raise errors.WorkerTrouble(f"The process for {who} could not be started: {error}.") from error
        finally:
            if place.scratch:
                shutil.rmtree(place.scratch, ignore_errors=True)
        return _answer(ended, one, who, wall, time.monotonic() - began)

    def level(self) -> str:
        """The level that is used (NotAllowed when there is none and the operator has not said that they trust)."""
        tested = self.levels.tested()
        if tested.holds or self.trusted:
            return tested.level
        raise errors.NotAllowed(
            f"Skills of others are not run here: {'; '.join(tested.lacking) or 'no sandbox holds'}. "
            "Install bubblewrap, or say that you trust their code as your own: soloist skills trust yes."
        )

    def _scratch(self, one: Installed) -> str:
        if SCRATCH not in one.granted:
            return ""
        return tempfile.mkdtemp(prefix="soloist-scratch-")

    def close(self) -> None:
        """Take no further calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _answer(ended: runs.Ended, one: Installed, who: str, wall: float, took: float) -> dict[str, Any]:
    """What a process answered, or a sentence of why there is nothing."""
    limits = one.spec.limits
    if why := _stopped(ended, limits.seconds, limits.output_kb, wall):
        raise errors.WorkerTrouble(f"{who} {why}. Nothing was changed.")
    try:
        told = json.loads(ended.answer)
        if not isinstance(told, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError) as error:
        said = ended.said.decode("utf-8", "replace").strip().splitlines()
        tail = f" It last said: {said[-1][:200]}" if said else ""
        raise errors.WorkerTrouble(
            f"{who} ended after {took:.1f} s without an answer that can be read.{tail}"
        ) from error
    if isinstance(told.get("ok"), dict):
        return dict(told["ok"])
    kind = getattr(errors, str(told.get("error", "")), errors.WorkerTrouble)
    kind = kind if kind in TRUSTED else errors.WorkerTrouble
    told_field = told.get("field")
    raise kind(
        f"{who}: {str(told.get('message') or 'no usable answer')[:600].rstrip('.')}.",
        field=told_field[:80] if isinstance(told_field, str) else None,
    )


def _stopped(ended: runs.Ended, seconds: int, output_kb: int, wall: float) -> str:
    """Why a process was stopped, as the end of a sentence; "" when it was not."""
    if ended.stopped == "time":
        return f"took longer than {wall:g} s and was stopped"
    if ended.stopped == "output":
        return f"answered more than the {output_kb} KB it may and was stopped"
    if ended.stopped == "noise":
        return f"printed more than {runs.NOISE >> 20} MB and was stopped"
    killed = {-signal.SIGXCPU, 128 + signal.SIGXCPU, -signal.SIGKILL, 128 + signal.SIGKILL}
    if not ended.answer and ended.code in killed:
        return f"needed more than the {seconds} s of computing time it may have and was stopped"
    return ""


def _fitting(contract: Mapping[str, Any], told: dict[str, Any], who: str) -> dict[str, Any]:
    """An answer that has the fields of its type (WorkerTrouble); the process that checked it may be led astray."""
    schema = contract["output"]
    known = schema.get("properties", {})
    missing = [name for name in schema.get("required", ()) if name not in told]
    strange = [name for name in told if name not in known]
    if missing or strange:
        amiss = f"{missing[0]} is missing" if missing else f"{strange[0][:40]!r} is not foreseen"
        raise errors.WorkerTrouble(f"{who}: its answer does not fit its contract: {amiss}.")
    return told


def typed(shipped: Skill, told: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in the type of the shipped skill, to the last value (WorkerTrouble): what follows relies on it."""
    try:
        found = shipped.output.model_validate(told).model_dump(mode="json")
        if not _placed(found):
            raise errors.WorkerTrouble(f"{shipped.name}: its answer does not fit: words that begin before their text.")
        return found
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "it"
        raise errors.WorkerTrouble(f"{shipped.name}: its answer does not fit: {place}: {fault['msg']}.") from error


def _placed(value: Any) -> bool:
    """Whether all words that are quoted with their place begin in their text and end after they begin."""
    if isinstance(value, list):
        return all(_placed(one) for one in value)
    if not isinstance(value, Mapping):
        return True
    start, end = value.get("start"), value.get("end")
    fits = not (isinstance(start, int) and isinstance(end, int)) or 0 <= start <= end
    return fits and all(_placed(one) for one in value.values())


def _instead(shipped: Skill, one: Installed, contract: Mapping[str, Any]) -> Skill:
    """The shipped skill with the code of others in its place: its own types, and a version that names that code."""
    told = _stand_in(one, contract)
    version = f"{told.version}+{one.spec.name}.{one.hash[:12]}"
    return replace(told, version=version, input=shipped.input, output=shipped.output)


def _stand_in(one: Installed, contract: Mapping[str, Any]) -> Skill:
    """A skill of others as the house knows it: its types by their schemas, and no code."""

    def run(*_: Any) -> BaseModel:
        raise errors.NotAllowed(f"{contract['name']} runs in the sandbox only.")

    return Skill(
        name=contract["name"],
        version=contract["version"],
        summary=contract["summary"],
        input=_shape("Input", contract["input"]),
        output=_shape("Output", contract["output"]),
        run=run,
        takes_blob=bool(contract["takes_bytes"]),
        module=f"package:{one.spec.name}",
        folder=one.folder,
    )


class _Told(BaseModel):
    """A type that is known by its schema only."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    told: ClassVar[dict[str, Any]] = {}

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Exactly the schema that was told."""
        return dict(cls.told)


def _shape(name: str, schema: Mapping[str, Any]) -> type[BaseModel]:
    """A type with the fields of a schema, whose schema is exactly that one."""
    needed = set(schema.get("required", ()))
    fields: Any = {part: (Any, ... if part in needed else None) for part in schema.get("properties", {})}
    made: type[BaseModel] = create_model(name, __base__=_Told, **fields)
    made.told = dict(schema)  # type: ignore[attr-defined]  # of _Told
    return made
