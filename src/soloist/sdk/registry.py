"""Registry: the list a plugin's ``register(registry)`` function fills; it finds nothing and loads nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from soloist.sdk.connector import Connector
from soloist.sdk.skill import Skill


@dataclass
class Registry:
    """Skills and connectors by name, agents by the folder that holds their agent.toml, playbooks by their file."""

    skills: dict[str, Skill] = field(default_factory=dict)
    connectors: dict[str, Connector] = field(default_factory=dict)
    agents: dict[str, Path] = field(default_factory=dict)
    playbooks: dict[str, Path] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def add_skill(self, skill: Skill) -> None:
        """Add a skill; a second one of the same name is an error (ValueError), never a silent replacement."""
        if skill.name in self.skills:
            raise ValueError(f"two skills are called {skill.name}")
        self.skills[skill.name] = skill

    def add_connector(self, connector: Connector) -> None:
        """Add a kind of connector; ValueError when the kind exists."""
        if connector.kind in self.connectors:
            raise ValueError(f"two connectors are called {connector.kind}")
        self.connectors[connector.kind] = connector

    def add_agent(self, name: str, folder: Path) -> None:
        """Add an agent's folder; ValueError when the name exists."""
        if name in self.agents:
            raise ValueError(f"two agents are called {name}")
        self.agents[name] = folder

    def add_playbook(self, name: str, file: Path) -> None:
        """Add a playbook's file; ValueError when the name exists."""
        if name in self.playbooks:
            raise ValueError(f"two playbooks are called {name}")
        self.playbooks[name] = file
