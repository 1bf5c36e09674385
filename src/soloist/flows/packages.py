"""Packages: skills with code of others are installed by file, reviewed, accepted or not, and kept by their hash."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.sandbox import packages as files
from soloist.engine.sandbox.calls import Installed, Sandbox
from soloist.engine.sandbox.levels import Levels, Tested
from soloist.engine.store import packages, settings
from soloist.engine.store.clock import from_iso
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.engine.worker import Worker
from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotFound, SoloistError
from soloist.kernel.package import PackageSpec
from soloist.sdk import Registry
from soloist.stages.runtime import contracts

LOG = logging.getLogger("soloist.packages")
TRUST = "packages.trusted"
"""When the operator said that code of others may run with limits only; "" never."""
LOOKED = 100_000
"""Characters of one file that are shown for a review."""
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
_TAKEN = frozenset({"model_config", "model_fields", "model_computed_fields"})


class Packages:
    """The packages of one home and the sandbox that runs them."""

    def __init__(self, store: Store, home: Home, chosen: Settings, registry: Registry, worker: Worker) -> None:
        """Takes up what was accepted before; ``registry`` and ``worker`` learn of those skills."""
        self._store, self._home, self._chosen = store, home, chosen
        self._registry, self._worker = registry, worker
        self._own: set[str] = set()
        self._seen: tuple[Any, ...] | None = None
        self.sandbox = Sandbox(home.root, Levels(home.root, chosen.skills.sandbox), self._values)
        worker.others = self.sandbox
        store.read_now(self.look)

    def _values(self) -> dict[str, str]:
        """What can be granted, as it is now."""
        one = self._chosen.business
        names = ("name", "language", "timezone", "currency", "phone_region")
        today = from_iso(self._store.clock().isoformat()).astimezone(one.zone).date().isoformat()
        return {"today": today, **{f"business.{name}": str(getattr(one, name)) for name in names}}

    def look(self, conn: Any) -> None:
        """Take over what is accepted now; one small query when nothing changed."""
        seen = (packages.mark(conn), settings.value(conn, TRUST))
        if seen == self._seen:
            return
        self.sandbox.trusted = bool(seen[1])
        found = [_installed(self._home.root, row) for row in packages.listed(conn, ["accepted"])]
        self.sandbox.installed = {one.spec.name: one for one in found}
        for name in self._own:
            self._registry.skills.pop(name, None)
        ours = {name: one for name, one in self.sandbox.skills().items() if name not in self._registry.skills}
        self._registry.skills.update(ours)
        self._own, self._seen = set(ours), seen
        self._worker.versions = {name: one.version for name, one in self._registry.skills.items()}

    # ----- what the operator does

    async def install(self, path: Path, *, who: str) -> dict[str, Any]:
        """Read a folder or an archive and keep it until it is decided on (NotFound, BadInput, BadConfig, TooLarge)."""
        return await self._keep(await asyncio.to_thread(files.read, path), path.name, who)

    async def upload(self, name: str, file: Any, *, who: str) -> dict[str, Any]:
        """The same of an archive that was handed in; ``file`` is an open binary file."""
        return await self._keep(await asyncio.to_thread(files.unpacked, name, file), name, who)

    async def _keep(self, found: Mapping[str, bytes], source: str, who: str) -> dict[str, Any]:
        reviewed = files.review(found)
        for skill in reviewed.skills:
            self._free(skill, reviewed.spec.name)
        row = {
            "name": reviewed.spec.name,
            "hash": reviewed.hash,
            "version": reviewed.spec.version,
            "source": source,
            "content": reviewed.content(),
        }

        def work(tx: Tx) -> dict[str, Any]:
            packages.add(tx, row, who=who)
            files.keep(self._home.root, reviewed, found)
            return packages.get(tx.conn, reviewed.spec.name, reviewed.hash)

        return await self._store.write(work)

    def _free(self, skill: str, package: str) -> None:
        """Conflict when another plugin or package has a skill of that name."""
        one = self._registry.skills.get(skill)
        if one is not None and one.module != f"package:{package}":
            raise Conflict(f"There is a skill called {skill} already ({one.module}); nothing was installed.")

    async def accept(self, name: str, begins: str, *, who: str, granted: Sequence[str] | None = None) -> dict[str, Any]:
        """Accept exactly the content with this hash, after it kept its promises behind the walls.

        ``granted`` are those of its declared needs that it gets, None for all. BadConfig with what it did not keep:
        then it goes on waiting. NotFound, Conflict, NotAllowed when there is no sandbox.
        """
        row = await self._store.read(lambda conn: packages.get(conn, name, begins))
        if row["state"] == "accepted":
            raise Conflict(f"{name} {row['version']} is accepted already.")
        spec = PackageSpec.model_validate(row["content"]["spec"])
        given = tuple(spec.needs if granted is None else granted)
        if more := [one for one in given if one not in spec.needs]:
            raise BadInput(f"{more[0][:80]!r} is not among what {name} declares to need.", field="granted")
        one = _installed(self._home.root, {**row, "granted": given, "contracts": []})
        try:
            told = await self._tried(one, row["content"]["skills"])
        except BadConfig as error:
            said = error.detail
            await self._store.write(lambda tx: packages.note(tx, name, row["hash"], said))
            raise
        values: dict[str, Any] = {"granted": list(given), "contracts": told}
        await self._store.write(lambda tx: packages.decide(tx, name, row["hash"], "accepted", who=who, **values))
        await self._store.read(self.look)
        return await self._store.read(lambda conn: packages.get(conn, name, row["hash"]))

    async def _tried(self, one: Installed, promised: Mapping[str, str]) -> list[dict[str, Any]]:
        """Load it behind the walls for the first time and hold its examples against it (BadConfig)."""
        try:
            told = await self.sandbox.describe(one)
        except SoloistError as error:
            if error.detail.startswith("Skills of others are not run here"):
                raise
            raise BadConfig(f"It was not accepted. {error.detail}") from error
        _as_promised(told, promised)
        for skill in told:
            self._free(skill["name"], one.spec.name)
        trial = Sandbox(self._home.root, self.sandbox.levels, self._values, trusted=self.sandbox.trusted)
        trial.installed = {one.spec.name: _with(one, told)}
        for own in trial.skills().values():
            results = await contracts.try_out(trial, own)
            if failed := [f"{result.example}: {'; '.join(result.faults)}" for result in results if not result.ok]:
                amiss = f"{len(failed)} of {len(results)} examples of {own.name} do not hold"
                raise BadConfig(f"It was not accepted: {amiss}. {failed[0][:400]}")
        trial.close()
        return told

    async def refuse(self, name: str, begins: str, *, who: str, why: str = "") -> None:
        """Turn down what waits; its files are gone, that it was there is kept (NotFound, Conflict)."""
        row = await self._store.read(lambda conn: packages.get(conn, name, begins))
        if row["state"] != "waiting":
            raise Conflict(f"{name} {row['version']} does not wait; it is {row['state']}.")
        await self._end(row, "refused", who, why)

    async def remove(self, name: str, *, who: str, why: str = "") -> None:
        """Take a package out of use and out of the home (NotFound)."""
        rows = await self._store.read(lambda conn: packages.of(conn, name))
        live = [row for row in rows if row["state"] in ("accepted", "waiting", "replaced")]
        if not live:
            raise NotFound(f"There is no package called {name[:80]!r}.")
        for row in live:
            await self._end(row, "removed", who, why)

    async def _end(self, row: Mapping[str, Any], state: str, who: str, why: str) -> None:
        given = (row["name"], row["hash"])
        await self._store.write(lambda tx: packages.decide(tx, *given, state, who=who, why=why))
        await asyncio.to_thread(files.discard, self._home.root, *given)
        await self._store.read(self.look)

    async def trust(self, *, who: str, yes: bool) -> None:
        """Say that code of others may run with limits only where no sandbox is there; or take it back."""

        def work(tx: Tx) -> None:
            tx.append("packages.trusted" if yes else "packages.distrusted", subject="packages", payload={}, actor=who)
            settings.put(tx, TRUST, tx.now if yes else "")

        await self._store.write(work)
        await self._store.read(self.look)

    # ----- what there is

    async def tested(self, *, again: bool = False) -> Tested:
        """What the self-test says."""
        return await asyncio.to_thread(self.sandbox.levels.tested, again=again)

    def amiss(self) -> dict[str, str]:
        """Of every accepted package whose files are no longer those that were accepted, a sentence by its name."""
        found = {}
        for one in self.sandbox.installed.values():
            if differences := files.changed(one.folder, one.files):
                told = "; ".join(differences[:3])
                said = f"The skills of the package {one.spec.name} are not run: {told}, after you accepted it."
                found[one.spec.name] = f"{said} Install it again, or remove it."
        return found

    async def at_start(self) -> None:
        """Test the sandbox where something is to be run in it, and say what is not run."""
        if not self.sandbox.installed:
            return
        found = await self.tested()
        LOG.info("sandbox: %s", found.level)
        for trouble in [*(await asyncio.to_thread(self.amiss)).values(), *([] if found.holds else found.lacking)]:
            LOG.warning(trouble)

    def text(self, row: Mapping[str, Any], name: str) -> str:
        """A file of a package, for a person who reviews it (NotFound)."""
        if name not in row["content"]["files"]:
            raise NotFound(f"There is no file {name[:120]!r} in {row['name']}.")
        path = files.folder_of(self._home.root, row["name"], row["hash"]) / name
        if not path.is_file():
            return ""
        return path.read_text(encoding="utf-8", errors="replace")[:LOOKED]


def _installed(home: Path, row: Mapping[str, Any]) -> Installed:
    content = row["content"]
    return Installed(
        spec=PackageSpec.model_validate(content["spec"]),
        hash=row["hash"],
        folder=files.folder_of(home, row["name"], row["hash"]),
        files=content["files"],
        skills={skill["name"]: skill for skill in row["contracts"] or []},
        granted=tuple(row["granted"] or ()),
    )


def _with(one: Installed, told: Sequence[Mapping[str, Any]]) -> Installed:
    skills = {skill["name"]: skill for skill in told}
    return Installed(one.spec, one.hash, one.folder, one.files, skills, one.granted)


def _as_promised(told: Sequence[Mapping[str, Any]], promised: Mapping[str, str]) -> None:
    """BadConfig unless the code holds exactly the skills its files of examples name, with types that can be told."""
    found = {str(skill["name"]): str(skill["version"]) for skill in told}
    for name, version in promised.items():
        if found.get(name) != version:
            said = f"has version {found[name]!r}" if name in found else "holds no such skill"
            raise BadConfig(
                f"It was not accepted: {name}.examples.yaml names version {version!r}, and the code {said}."
            )
    if more := sorted(set(found) - set(promised)):
        raise BadConfig(f"It was not accepted: its code holds the skill {more[0][:80]!r}, which has no examples.")
    for skill in told:
        for side in ("input", "output"):
            for field in skill[side].get("properties", {}):
                if not _FIELD.match(field) or field in _TAKEN:
                    raise BadConfig(f"It was not accepted: {skill['name']}: {side} has a field called {field[:40]!r}.")
