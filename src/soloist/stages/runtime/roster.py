"""Roster: the agents of one process in the versions that are in use, read again when a release changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from soloist.engine.store import releases
from soloist.kernel.agent import AgentSpec, meant, narrowed
from soloist.kernel.errors import BadConfig, NotAllowed, NotFound
from soloist.sdk import Skill
from soloist.stages.runtime.agents import FILE, read_folder, spec_of, unknown


class Roster:
    """Contracts and contents by name. Until a version was published, that of the folder holds."""

    def __init__(self, folders: Mapping[str, Path], skills: Mapping[str, Skill], home: Path) -> None:
        """``folders`` are those of plugins, ``home`` holds the operator's; a wrong one becomes a trouble."""
        self.skills, self.troubles = skills, list[str]()
        self.folders: dict[str, tuple[Path, str]] = {name: (path, _source(path)) for name, path in folders.items()}
        self.own = {path.parent.name: path.parent for path in sorted(home.glob(f"*/{FILE}"))}
        self.specs: dict[str, AgentSpec] = {}
        self.contents: dict[str, Mapping[str, Any]] = {}
        self.states: dict[str, tuple[str, str]] = {}
        self.looks: list[Callable[[Any], None]] = []
        """Who else takes over what was released meanwhile, whenever this is refreshed."""
        self._seen: tuple[Any, ...] = ()
        for name, path in {**folders, **self.own}.items():
            if found := self.read(name, path):
                self.specs[name], self.contents[name] = found
        self._complete()

    def read(self, name: str, folder: Path) -> tuple[AgentSpec, dict[str, Any]] | None:
        """Contract and content of a folder; None for a wrong one, which is told once."""
        try:
            content = read_folder(folder)
            spec = spec_of(content, str(folder / FILE))
            if spec.name != name:
                raise BadConfig(f"{folder / FILE}: name: {spec.name!r}, but its folder is called {name!r}.")
        except BadConfig as error:
            self.tell(error.detail)
            return None
        return spec, content

    def tell(self, trouble: str) -> None:
        """Keep a trouble for doctor and the page of agents."""
        if trouble not in self.troubles:
            self.troubles.append(trouble)

    def _complete(self) -> None:
        """An agent that names a skill nobody knows is told; it stays, and the skill fails where it is used."""
        for name, spec in self.specs.items():
            if fault := unknown(spec, self.skills, self.specs, f"{name}/{FILE}"):
                self.tell(fault)

    def refresh(self, conn: Any) -> None:
        """Take over the releases as they are now; one small query when nothing changed."""
        for look in self.looks:
            look(conn)
        rows = releases.all_of(conn, "agent")
        seen = tuple((row["name"], row["version"], row["state"], row["event"]) for row in rows)
        if seen == self._seen:
            return
        for row in releases.in_use(conn, "agent"):
            try:
                self.specs[row["name"]] = spec_of(row["content"], f"{row['name']}@{row['version']}")
                self.contents[row["name"]] = row["content"]
            except BadConfig as error:  # a version of a newer Soloist, after going back to an older one
                self.tell(f"{error.detail} The version of its folder is used.")
            self.states[row["name"]] = (row["state"] or "active", row["state_why"])
        self._seen = seen

    def get(self, name: str) -> AgentSpec:
        """The contract in use (NotFound)."""
        if name not in self.specs:
            why = next((f" {text}" for text in self.troubles if f"/{name}/" in text), "")
            raise NotFound(f"There is no agent called {name[:80]!r}{meant(name, self.specs) or '.'}{why}")
        return self.specs[name]

    def under(self, name: str, skill: str) -> AgentSpec:
        """The contract under which the house uses a skill for an agent (NotFound, NotAllowed).

        For what goes on while an agent is paused, such as reading calendars: only the contract is asked.
        """
        spec = self.get(name)
        spec.may_use(skill)
        return spec

    def working(self, name: str) -> AgentSpec:
        """The contract of an agent that may work now (NotFound, NotAllowed for one that is paused or at its cap)."""
        spec = self.get(name)
        state, why = self.states.get(name, ("active", ""))
        if state != "active":
            said = "is paused" if state == "paused" else "has reached its cap"
            raise NotAllowed(f"The agent {spec.label} {said}{f': {why}' if why else ''}. Nothing was done.")
        return spec

    def reads(self, *names: str) -> tuple[str, ...]:
        """What the last of some agents may read when those before it handed the work on, the first one first."""
        spec = self.get(names[-1])
        for giver in reversed(names[:-1]):
            spec = narrowed(self.get(giver), spec)
        return spec.reads

    def templates(self, name: str) -> dict[str, str]:
        """The templates of the version in use, by name."""
        self.get(name)
        return dict(self.contents[name].get("templates", {}))

    def made_with(self, name: str) -> dict[str, Any]:
        """What a run of this agent is made with: the version by its hash, and the versions of its skills."""
        spec = self.get(name)
        versions = {skill: self.skills[skill].version for skill in spec.skills if skill in self.skills}
        return {"agent": spec.label, "hash": spec.digest, "skills": versions, "models": {}}


def _source(path: Path) -> str:
    """Where a folder of a plugin comes from: beside our own package, or from somebody else."""
    return "shipped" if path.parts[-4:-1] == ("soloist", "plugins", "agents") else "plugin"
