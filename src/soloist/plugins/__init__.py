"""The plugins that ship with Soloist, found by the same entry point as anyone else's."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from soloist.sdk import Registry, Skill


def register(registry: Registry) -> None:
    """Add every skill, connector, agent and playbook below this one; a broken one is listed, not fatal."""
    here = Path(__file__).parent
    for room in ("skills", "connectors"):
        for info in pkgutil.iter_modules([str(here / room)]):
            if info.name.startswith("_"):
                continue
            try:
                module = importlib.import_module(f"{__name__}.{room}.{info.name}")
                _add(registry, module)
            except Exception as error:  # noqa: BLE001  # a plugin is someone else's code: one fault must not stop the rest
                registry.troubles.append(f"{room}/{info.name}: {type(error).__name__}: {error}")
    for folder in sorted((here / "agents").iterdir()):
        if (folder / "agent.toml").is_file():
            registry.add_agent(folder.name, folder)
    for file in sorted((here / "playbooks").glob("*.toml")):
        registry.add_playbook(file.stem, file)


def _add(registry: Registry, module: object) -> None:
    """Take the Skill objects and the ``CONNECTOR`` (or several ``CONNECTORS``) of one module."""
    for value in vars(module).values():
        if isinstance(value, Skill) and value.module == getattr(module, "__name__", ""):
            registry.add_skill(value)
    for connector in (getattr(module, "CONNECTOR", None), *getattr(module, "CONNECTORS", ())):
        if connector is not None:
            registry.add_connector(connector)
