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
from soloist.engine.store import packages, settings, tasks
from soloist.engine.store.clock import from_iso, later
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.engine.worker import Worker
from soloist.kernel import replacing
from soloist.kernel.agent import meant
from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotAllowed, NotFound, SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.package import PackageSpec
from soloist.sdk import Registry, Skill
from soloist.stages.runtime import contracts

LOG = logging.getLogger("soloist.packages")
TRUST = "packages.trusted"
"""When the operator said that code of others may run with limits only; "" never."""
LOOKED = 100_000
"""Characters of one file that are shown for a review."""
MOST_FAULTS = 3
"""Times in a row that a package may give no answer before the shipped skill is put back in its place."""
PLACE = "skill_place"
BACK = {
    "name": "back",
    "label": "Put the shipped one back",
    "consequence": "The skill that came with Soloist answers again; the package is kept and can be accepted again.",
}
KEEP = {
    "name": "keep",
    "label": "Leave it",
    "consequence": "The package is asked first again, and the shipped skill answers where it does not.",
}
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
_TAKEN = frozenset({"model_config", "model_fields", "model_computed_fields"})


class Packages:
    """The packages of one home and the sandbox that runs them."""

    def __init__(self, store: Store, home: Home, chosen: Settings, registry: Registry, worker: Worker) -> None:
        """Takes up what was accepted before; ``registry`` and ``worker`` learn of those skills."""
        self._store, self._home, self._chosen = store, home, chosen
        self._registry, self._worker = registry, worker
        self._shipped, self._own = dict(registry.skills), set[str]()
        self._stale: dict[str, str] = {}
        self._seen: tuple[Any, ...] | None = None
        self.sandbox = Sandbox(home.root, Levels(home.root, chosen.skills.sandbox), self._values)
        self.sandbox.fell_back = self._fell_back
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
        found, places = self._standing(packages.listed(conn, ["accepted"]))
        self.sandbox.places = {**self.sandbox.places, **places}  # a place is there before and after who takes it
        self.sandbox.installed = {one.spec.name: one for one in found}
        self.sandbox.places = places
        ours = self.sandbox.skills()
        for name in self._own - set(ours):
            if name in self._shipped:
                self._registry.skills[name] = self._shipped[name]
            else:
                self._registry.skills.pop(name, None)
        self._registry.skills.update(ours)
        self._own, self._seen = set(ours), seen
        self._worker.versions = {name: one.version for name, one in self._registry.skills.items()}

    def _standing(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Installed], dict[str, Skill]]:
        """What is accepted, with the skills it may answer as, and the shipped ones whose place is taken."""
        found, places, self._stale = list[Installed](), dict[str, Skill](), {}
        for row in rows:
            one = _installed(self._home.root, row)
            name, against = one.spec.replaces, str((row["tried"] or {}).get("against", ""))
            if name and against == self.against(name) and not replacing.refusal(name):
                places[name] = self._shipped[name]
            elif name:
                self._stale[one.spec.name] = (
                    f"The package {one.spec.name} does not answer as {name}: it was held against {against}, and "
                    f"{self.against(name) or 'none'} is installed now. Put it back, and hold it against that one."
                )
            mine = [told for skill, told in one.skills.items() if skill in places or skill not in self._shipped]
            found.append(_with(one, mine))
        return found, places

    def against(self, skill: str) -> str:
        """The shipped skill of a name with its version, "" when there is none."""
        one = self._shipped.get(skill)
        return f"{skill}@{one.version}" if one is not None else ""

    # ----- what the operator does

    async def install(self, path: Path, *, who: str) -> dict[str, Any]:
        """Read a folder or an archive and keep it until it is decided on (NotFound, BadInput, BadConfig, TooLarge)."""
        return await self._keep(await asyncio.to_thread(files.read, path), path.name, who)

    async def upload(self, name: str, file: Any, *, who: str) -> dict[str, Any]:
        """The same of an archive that was handed in; ``file`` is an open binary file."""
        return await self._keep(await asyncio.to_thread(files.unpacked, name, file), name, who)

    async def _keep(self, found: Mapping[str, bytes], source: str, who: str) -> dict[str, Any]:
        reviewed = files.review(found)
        self._fits(reviewed.spec, reviewed.skills)
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

    def _fits(self, spec: PackageSpec, skills: Mapping[str, str]) -> None:
        """Conflict when a name is taken; BadConfig, NotAllowed when the place of a shipped skill cannot be taken."""
        if spec.replaces:
            self.shipped(spec.replaces)
            if set(skills) != {spec.replaces}:
                told = f"holds that one skill and no other, not {', '.join(sorted(skills))}"
                raise BadConfig(f"A package that takes the place of {spec.replaces} {told}.", field="replaces")
        for skill in skills:
            self._free(skill, spec)

    def shipped(self, name: str) -> Skill:
        """The shipped skill whose place may be taken (BadConfig for none of that name, NotAllowed)."""
        one = self._shipped.get(name)
        if one is None or not one.module.startswith("soloist."):
            hint = meant(name, self._shipped) or "."
            raise BadConfig(f"replaces: no skill called {name[:80]!r} came with Soloist{hint}", field="replaces")
        if why := replacing.refusal(name):
            raise NotAllowed(f"{why} Nothing was installed.", field="replaces")
        return one

    def _free(self, skill: str, spec: PackageSpec) -> None:
        """Conflict when another plugin or package has a skill of that name."""
        one = self._registry.skills.get(skill)
        free = skill == spec.replaces and skill in self._shipped
        if one is not None and one.module != f"package:{spec.name}" and not free:
            place = "" if replacing.refusal(skill) else f' To take its place, skill.toml says replaces = "{skill}".'
            raise Conflict(f"There is a skill called {skill} already ({one.module}); nothing was installed.{place}")

    async def accept(
        self, name: str, begins: str, *, who: str, granted: Sequence[str] | None = None, anyway: str = ""
    ) -> dict[str, Any]:
        """Accept exactly the content with this hash, after it kept its promises behind the walls.

        ``granted`` are those of its declared needs that it gets, None for all. BadConfig with what it did not keep:
        then it goes on waiting. NotFound, Conflict, NotAllowed when there is no sandbox. One that takes the place of a
        shipped skill was held against it before; ``anyway`` is why it may do worse on what was corrected.
        """
        row = await self._store.read(lambda conn: packages.get(conn, name, begins))
        if row["state"] == "accepted":
            raise Conflict(f"{name} {row['version']} is accepted already.")
        spec = PackageSpec.model_validate(row["content"]["spec"])
        if spec.replaces:
            return await self._take_place(row, spec, who=who, granted=granted, anyway=anyway)
        given = self.given(spec, granted)
        one = _installed(self._home.root, {**row, "granted": given, "contracts": []})
        try:
            told = await self._tried(one, row["content"]["skills"])
        except BadConfig as error:
            said = error.detail
            await self._store.write(lambda tx: packages.note(tx, name, row["hash"], said))
            raise
        return await self._use(row, who, {"granted": list(given), "contracts": told})

    async def _use(self, row: Mapping[str, Any], who: str, values: Mapping[str, Any]) -> dict[str, Any]:
        name = row["name"]
        await self._store.write(lambda tx: packages.decide(tx, name, row["hash"], "accepted", who=who, **values))
        await self._store.read(self.look)
        return await self._store.read(lambda conn: packages.get(conn, name, row["hash"]))

    @staticmethod
    def given(spec: PackageSpec, granted: Sequence[str] | None) -> tuple[str, ...]:
        """What a package is granted, None for all it needs (BadInput for something it does not declare)."""
        given = tuple(spec.needs if granted is None else granted)
        if more := [one for one in given if one not in spec.needs]:
            raise BadInput(f"{more[0][:80]!r} is not among what {spec.name} declares to need.", field="granted")
        return given

    async def _take_place(
        self, row: Mapping[str, Any], spec: PackageSpec, *, who: str, granted: Sequence[str] | None, anyway: str
    ) -> dict[str, Any]:
        """Put a package in the place of a shipped skill, by what it was found to do (Conflict, BadConfig)."""
        self.shipped(spec.replaces)
        label, tried = f"{spec.name} {spec.version}", row["tried"] or {}
        given = self.given(spec, tried.get("granted") if granted is None else granted)
        if (tried.get("against"), tried.get("granted")) != (self.against(spec.replaces), list(given)):
            how = f"soloist skills compare {spec.name} --hash {row['hash'][:16]}"
            told = f"{label} would take the place of {spec.replaces}, so it is held against it first: {how}"
            raise Conflict(f"{told}. Look at what came of it, then accept it.")
        if tried["failed"]:
            first = next(one for one in tried["examples"] if one["outcome"] == "fails")
            said = f"It was not accepted: {tried['failed']} examples do not hold. "
            raise BadConfig(f"{said}{first['example']}: {'; '.join(first['faults'])[:400]}")
        place = [one for one in self.sandbox.installed.values() if one.spec.replaces == spec.replaces]
        if other := next((one.spec.name for one in place if one.spec.name != spec.name), ""):
            how = f"soloist skills back {spec.replaces}"
            raise Conflict(f"The package {other} has the place of {spec.replaces}; put it back first: {how}")
        if tried["worse"] and not anyway.strip():
            fixed = tried["corrections"]
            told = (
                f"{label} does worse than {tried['against']} on {fixed['worse']} of {fixed['tried']} kept corrections"
            )
            raise Conflict(
                f"{told}: /replay/{fixed['trial']} shows them side by side. It was not accepted. To use it all the "
                "same, say why.",
                field="anyway",
                trial=fixed["trial"],
            )
        values = {"granted": list(given), "contracts": tried["contracts"], "why": anyway.strip()}
        return await self._use(row, who, values)

    async def opened(self, row: Mapping[str, Any], given: Sequence[str]) -> Installed:
        """A package loaded behind the walls, with the types of its skills (BadConfig); it is in use by nobody."""
        one = _installed(self._home.root, {**row, "granted": given, "contracts": []})
        return _with(one, await self._described(one, row["content"]["skills"]))

    def trial(self, one: Installed, *places: Skill) -> Sandbox:
        """Walls of its own for a package that is tried; whoever asked closes them."""
        made = Sandbox(self._home.root, self.sandbox.levels, self._values, trusted=self.sandbox.trusted)
        made.installed, made.places = {one.spec.name: one}, {skill.name: skill for skill in places}
        return made

    async def as_shipped(
        self,
        skill: str,
        value: dict[str, Any],
        blob: bytes = b"",
        *,
        timeout: float = 20.0,  # it must kill a process, which asyncio.timeout cannot
    ) -> dict[str, Any]:
        """What the shipped skill answers, whoever has its place."""
        return await self._worker.shipped(skill, value, blob, timeout=timeout)

    async def _described(self, one: Installed, promised: Mapping[str, str]) -> list[dict[str, Any]]:
        try:
            told = await self.sandbox.describe(one)
        except SoloistError as error:
            if error.detail.startswith("Skills of others are not run here"):
                raise
            raise BadConfig(f"It was not accepted. {error.detail}") from error
        _as_promised(told, promised)
        for skill in told:
            self._free(skill["name"], one.spec)
        return told

    async def _tried(self, one: Installed, promised: Mapping[str, str]) -> list[dict[str, Any]]:
        """Load it behind the walls for the first time and hold its examples against it (BadConfig)."""
        told = await self._described(one, promised)
        trial = self.trial(_with(one, told))
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

    async def back(self, skill: str, *, who: str, why: str = "") -> str:
        """Put the shipped skill back in its place; the package that had it, which can be accepted again (NotFound)."""
        name = await self._store.write(lambda tx: put_back(tx, skill, who=who, why=why))
        await self._store.read(self.look)
        return name

    def take(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Carry out what the operator chose on the card of a package that gave no answer."""
        if option == tasks.LATER["name"]:
            tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
            return {"state": "waiting"}
        skill = str(card["subject"]).removeprefix("skill:")
        if option == BACK["name"] and _placed(tx, skill) is not None:
            put_back(tx, skill, who=who, why="it gave no answer")
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        return {"state": "closed"}

    async def _fell_back(self, skill: str, error: SoloistError) -> None:
        """The shipped skill had to answer: a card says so, and after some times in a row it is put back."""
        times = self.sandbox.failing[skill] = self.sandbox.failing.get(skill, 0) + 1

        def work(tx: Tx) -> None:
            row = _placed(tx, skill)
            if row is None:
                return
            if over := times >= MOST_FAULTS:
                put_back(tx, skill, who="soloist", why=error.detail)
            _no_answer(tx, row, skill, error.detail, over=over)

        try:
            await self._store.write(work)
            if times >= MOST_FAULTS:
                self.sandbox.failing.pop(skill, None)
                await self._store.read(self.look)
        except SoloistError as trouble:  # the work went well by the shipped skill, and is not undone for a card
            LOG.warning("no card about %s: %s", skill, trouble)

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
        found = dict(self._stale)
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


def _placed(tx: Tx, skill: str) -> dict[str, Any] | None:
    """The accepted package that has the place of a skill."""
    rows = packages.listed(tx.conn, ["accepted"])
    return next((row for row in rows if row["content"]["spec"].get("replaces") == skill), None)


def put_back(tx: Tx, skill: str, *, who: str, why: str) -> str:
    """Take a package out of the place of a shipped skill; its files stay (NotFound); its name."""
    row = _placed(tx, skill)
    if row is None:
        raise NotFound(f"No package has the place of a skill called {skill[:80]!r}; nothing was changed.")
    packages.decide(tx, row["name"], row["hash"], "replaced", who=who, why=why or f"{skill} was put back")
    return str(row["name"])


def _no_answer(tx: Tx, row: Mapping[str, Any], skill: str, why: str, *, over: bool) -> None:
    """One open card for each place, however often it happens."""
    done = (
        f"That was {MOST_FAULTS} times in a row, so the shipped skill was put back."
        if over
        else "The shipped skill answered in its place; nothing waits and nothing was lost."
    )
    values: dict[str, Any] = {
        "why": f"{why} {done}",
        "detail": {"package": row["name"], "hash": row["hash"], "error": why},
        "options": [{**KEEP, "consequence": "The card closes; the shipped skill answers."} if over else BACK],
    }
    values["options"] += [tasks.LATER] if over else [KEEP, tasks.LATER]
    if card := tasks.open_for(tx.conn, f"skill:{skill}"):
        tasks.reopen(tx, card["id"], **values)
        return
    tasks.open_card(
        tx,
        derived(PLACE, row["hash"], tx.now),
        "question",
        f"{row['name']} gave no answer in place of {skill}"[:160],
        subject=f"skill:{skill}",
        subject_kind=PLACE,
        estimate=60,
        judgement=1,
        deadline=later(tx.now, 14 * 86_400.0),
        at_expiry="Nothing changes; the shipped skill answers where the package does not.",
        **values,
    )


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
