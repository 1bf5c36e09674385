"""Publishing: versions of agents and contracts of skills are kept, put in use, pinned, rolled back and compared."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soloist.engine.store import failures, published, releases, settings, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.replaying import Replaying
from soloist.kernel.agent import AgentSpec, narrowed
from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotFound
from soloist.kernel.ids import derived
from soloist.stages.runtime import agents, contracts

LOG = logging.getLogger("soloist.agents")
AGENT, SKILL = "agent", "skill"
SEEN = "contracts.seen"
"""What the contracts of all skills were made from when they were published last, so that a start reads them once."""
PAUSED = "flows.paused_with_agents"
"""Flows that wait since an agent of theirs was paused, and not since a person held them."""
REFUSED = "agent_version"
SEEN_CARD = {
    "name": "seen",
    "label": "I have seen it",
    "consequence": "The card closes. The version that is in use stays in use.",
}


class Publishing:
    """The versions of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given; its roster is refreshed after every change."""
        self._store, self._roster = desk.store, desk.runtime.roster
        desk.takers[REFUSED] = seen
        self._replaying = Replaying(desk)

    async def at_start(self) -> None:
        """Publish what this installation and the home bring; what is wrong with one does not stop the others."""
        for name, (folder, source) in self._roster.folders.items():
            await self._folder(name, folder, source)
        for name, folder in self._roster.own.items():
            await self._folder(name, folder, "home")
        await self.skills()
        await self._store.read(self._roster.refresh)
        for trouble in self._roster.troubles:
            LOG.warning(trouble)

    async def _folder(self, name: str, folder: Path, source: Any) -> None:
        """Publish one folder, unless its version was published before."""
        found = await asyncio.to_thread(self._roster.read, name, folder)
        place = str(folder / agents.FILE)
        if found is None:
            return
        spec, content = found
        if fault := agents.unknown(spec, self._roster.skills, self._roster.specs, place):
            self._roster.tell(fault)
            return
        why = "came with this installation" if source != "home" else f"from {folder}"
        given = {"source": source, "place": place, "why": why}
        said = await self._store.write(lambda tx: self._publish(tx, spec, content, **given))
        if said.trouble:
            self._roster.tell(said.trouble)
            await self._store.write(lambda tx: _refused(tx, spec, said.trouble))
        if said.note:
            LOG.info(said.note)

    def _publish(
        self, tx: Tx, spec: AgentSpec, content: Mapping[str, Any], *, source: Any, place: str, why: str
    ) -> agents.Publication:
        """Keep a version of a folder, and put it in use where it is an upgrade."""
        who, known = "soloist", _known(tx, spec)
        what = agents.publication(spec, source, known, place)
        row = {"kind": AGENT, "name": spec.name, "version": spec.version, "hash": spec.digest, "content": content}
        if what.publish:
            published.add(tx, {**row, "source": source}, who=who, why=why)
        if what.use:
            releases.use(tx, AGENT, spec.name, spec.version, who=who, why=why)
        return what

    async def skills(self) -> None:
        """Publish the contract of every skill; the same version may promise more, never less."""
        mark = await asyncio.to_thread(contracts.fingerprint, self._roster.skills)
        if await self._store.read(lambda conn: settings.value(conn, SEEN)) == mark:
            return
        known = await self._store.read(lambda conn: published.hashes(conn, SKILL))
        before = len(self._roster.troubles)
        for skill in self._roster.skills.values():
            try:
                content = await asyncio.to_thread(contracts.content, skill)
            except BadConfig as error:
                self._roster.tell(error.detail)
                continue
            digest = contracts.digest(content)
            if digest not in known.get((skill.name, skill.version), ()):
                await self._contract(skill.name, skill.version, digest, content)
        if len(self._roster.troubles) == before:
            await self._store.write(lambda tx: settings.put(tx, SEEN, mark), full=False)

    async def _contract(self, name: str, version: str, digest: str, content: Mapping[str, Any]) -> None:
        def work(tx: Tx) -> str:
            old = published.version(tx.conn, SKILL, name, version)
            fault = contracts.broken(old["content"], content) if old else ""
            if fault:
                return fault
            row = {"kind": SKILL, "name": name, "version": version, "hash": digest, "content": content}
            source = "shipped" if content["module"].startswith("soloist.") else "plugin"
            published.add(tx, {**row, "source": source}, who="soloist", why="came with this installation")
            releases.use(tx, SKILL, name, version, who="soloist", why="the version that is installed")
            return ""

        if fault := await self._store.write(work):
            told = f"The skill {name}@{version} no longer promises what it promised under this version: {fault}."
            self._roster.tell(f"{told} Runs made with it may come out differently; it needs another version.")

    # ----- what the operator does

    async def publish(
        self,
        content: Mapping[str, Any],
        *,
        who: str,
        why: str,
        source: str = "api",
        use: bool = True,
        name: str = "",
        anyway: str = "",
    ) -> dict[str, Any]:
        """Publish a version from its texts and put it in use (BadConfig, BadInput, Conflict).

        ``name`` is the one it has to be of, "" for any. Answers {name, version, hash}. ``anyway`` is the reason for
        using one that does worse on what was corrected; without it that is a Conflict which names the trial.
        """
        whole = {"toml": "", "instructions": "", "examples": {}, "templates": {}, **content}
        spec = agents.spec_of(whole, agents.FILE)
        if name and spec.name != name:
            raise BadInput(f"toml: name: {spec.name!r}, but this is a version of {name!r}.", field="toml")
        if fault := agents.unknown(spec, self._roster.skills, {**self._roster.specs, spec.name: spec}, agents.FILE):
            raise BadInput(fault, field="toml")
        await self._there(spec.name)
        if use:
            why = await self._asked_first(spec, whole, why, anyway, who=who)

        def work(tx: Tx) -> None:
            what = agents.publication(spec, "home", _known(tx, spec), agents.FILE)
            if what.trouble:
                raise Conflict(what.trouble, field="toml")
            row = {"kind": AGENT, "name": spec.name, "version": spec.version, "hash": spec.digest, "content": whole}
            published.add(tx, {**row, "source": source}, who=who, why=why)
            if use or releases.find(tx.conn, AGENT, spec.name) is None:
                releases.use(tx, AGENT, spec.name, spec.version, who=who, why=why)

        await self._store.write(work)
        await self._store.read(self._roster.refresh)
        return {"name": spec.name, "version": spec.version, "hash": spec.digest}

    async def _asked_first(
        self, spec: AgentSpec, content: Mapping[str, Any], why: str, anyway: str, *, who: str
    ) -> str:
        """Why it is put in use; Conflict when it does worse on what was corrected and nobody said that it may."""
        release = await self._store.read(lambda conn: releases.find(conn, AGENT, spec.name))
        if release is None or release["version"] == spec.version or anyway.strip():
            return f"{why}; {anyway.strip()}" if anyway.strip() else why
        found = await self._replaying.worse(spec.name, spec.version, content, who=who)
        if not found["worse"]:
            return why
        better = f", and better on {found['better']}" if found["better"] else ""
        told = (
            f"{spec.label} does worse than what is in use on {found['worse']} of {found['tried']} kept corrections"
            f"{better}: /replay/{found['trial']} shows them side by side. It was not put in use. "
            "To use it all the same, say why."
        )
        raise Conflict(told, field="anyway", trial=found["trial"], worse=found["worse"], tried=found["tried"])

    async def use(
        self, name: str, version: str, *, who: str, why: str = "", pin: bool | None = None, anyway: str = ""
    ) -> dict[str, Any]:
        """Put a published version in use, pinned or not (NotFound; BadConfig when it can no longer be run).

        ``anyway`` as in ``publish``.
        """
        await self._there(name)
        row = await self._store.read(lambda conn: published.get(conn, AGENT, name, version))
        spec = agents.spec_of(row["content"], f"{name}@{version}")
        if fault := agents.unknown(spec, self._roster.skills, self._roster.specs, spec.label):
            raise BadConfig(f"{fault} The version {version} cannot be used with this installation.")
        why = await self._asked_first(spec, row["content"], why, anyway, who=who)
        await self._store.write(lambda tx: releases.use(tx, AGENT, name, version, who=who, why=why, pinned=pin))
        return await self._release(name)

    async def back(self, name: str, *, who: str, why: str = "") -> dict[str, Any]:
        """Go back to the version that was in use before, and pin it, so that no upgrade undoes it (Conflict)."""
        row = await self._store.read(lambda conn: releases.get(conn, AGENT, name))
        if not row["before"]:
            raise Conflict(f"{name} has had no other version in use than {row['version']}.")
        back = why or f"back from {row['version']}"
        return await self.use(name, row["before"], who=who, pin=True, anyway=back)

    async def switch(self, name: str, state: str, *, who: str, why: str = "") -> dict[str, Any]:
        """Let an agent work, or pause it; new runs of its flows wait meanwhile (NotFound, Conflict)."""
        spec = self._roster.get(name)
        await self._there(name)

        def work(tx: Tx) -> None:
            releases.switch(tx, AGENT, name, state, who=who, why=why)
            rows = {row["name"]: row["state"] for row in releases.all_of(tx.conn, AGENT)}
            paused = [other for other, now in rows.items() if now == "paused" and other in self._roster.specs]
            waiting = {flow for other in paused for flow in self._roster.specs[other].flows}
            for flow in spec.flows:
                _hold(tx, flow, flow in waiting, who)

        await self._store.write(work)
        return await self._release(name)

    async def _there(self, name: str) -> None:
        """Publish what a folder brings, in a home whose server has not started since."""
        if await self._store.read(lambda conn: releases.find(conn, AGENT, name)) is not None:
            return
        folder, source = self._roster.folders.get(name) or (self._roster.own.get(name), "home")
        if folder is not None:
            await self._folder(name, folder, source)

    async def _release(self, name: str) -> dict[str, Any]:
        await self._store.read(self._roster.refresh)
        return await self._store.read(lambda conn: releases.get(conn, AGENT, name))

    async def test(self, worker: contracts.Calls, name: str) -> list[contracts.Result]:
        """Run the examples of a skill, and keep how they went with its version (NotFound, BadConfig)."""
        skill = contracts.named(self._roster.skills, name)
        results = await contracts.try_out(worker, skill)
        failed = [f"{result.example}: {'; '.join(result.faults)}"[:500] for result in results if not result.ok]
        told = {"held": len(results) - len(failed), "failed": len(failed), "faults": failed[:20]}
        digest = contracts.digest(await asyncio.to_thread(contracts.content, skill))
        await self._store.write(lambda tx: published.tested(tx, SKILL, name, digest, told), full=False)
        return results

    def delegated(self, giver: str, taker: str, work: str, values: tuple[str, ...] = ()) -> AgentSpec:
        """The contract for work that one agent hands another (NotFound, NotAllowed): never more than both have."""
        one, other = self._roster.working(giver), self._roster.working(taker)
        one.may_hand(taker, work, values)
        return narrowed(one, other)


def seen(tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
    """A card that tells of a version that is not used was read, or put off."""
    if option == tasks.LATER["name"]:
        tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
        return {"state": "waiting"}
    tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
    return {"state": "closed"}


def _hold(tx: Tx, flow: str, on: bool, who: str) -> None:
    """Hold a flow for a paused agent, or let it go on; what a person holds by hand stays held."""
    ours = set(json.loads(settings.value(tx.conn, PAUSED) or "[]"))
    if on and flow not in failures.held(tx.conn):
        failures.hold(tx, flow, on, actor=who)
        settings.put(tx, PAUSED, json.dumps(sorted(ours | {flow})))
    elif not on and flow in ours:
        failures.hold(tx, flow, on, actor=who)
        settings.put(tx, PAUSED, json.dumps(sorted(ours - {flow})))


def _refused(tx: Tx, spec: AgentSpec, why: str) -> None:
    """A card, once for each text: a version that came with a folder is not used, and why."""
    tasks.open_card(
        tx,
        derived("refused", spec.name, spec.version, spec.digest),
        "question",
        f"The agent {spec.label} was not taken over"[:160],
        subject=spec.name,
        subject_kind=REFUSED,
        why=why,
        options=[SEEN_CARD, tasks.LATER],
        estimate=60,
        judgement=1,
        deadline=later(tx.now, 14 * 86_400.0),
        at_expiry="The version that is in use stays in use.",
    )


def _known(tx: Tx, spec: AgentSpec) -> agents.Known:
    """What is known of an agent's name."""
    same = published.version(tx.conn, AGENT, spec.name, spec.version)
    release = releases.find(tx.conn, AGENT, spec.name)
    if release is None:
        return agents.Known(hash=same["hash"] if same else "")
    in_use = published.version(tx.conn, AGENT, spec.name, release["version"])
    return agents.Known(
        hash=same["hash"] if same else "",
        in_use=f"{spec.name}@{release['version']}",
        pinned=bool(release["pinned"]),
        source=in_use["source"] if in_use else "shipped",
    )


def from_folder(path: Path) -> dict[str, Any]:
    """The content of a folder of the operator's (BadConfig, NotFound)."""
    if not path.is_dir():
        raise NotFound(f"{path} is no folder.")
    return agents.read_folder(path)
