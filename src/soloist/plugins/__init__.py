"""The plugins that ship with Soloist, found by the same entry point as anyone else's."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from soloist.sdk import Registry, Skill


def register(registry: Registry) -> None:
    """Add every skill, connector, agent and playbook below this one; a broken one is listed, not fatal."""
    here = Path(__file__).parent
    for room in ("skills", "connectors"):
        for name in _modules(room):
            try:
                module = importlib.import_module(f"{__name__}.{room}.{name}")
                _add(registry, module)
            except Exception as error:  # noqa: BLE001  # a plugin is someone else's code: one fault must not stop the rest
                registry.troubles.append(f"{room}/{name}: {type(error).__name__}: {error}")
    for folder in sorted((here / "agents").iterdir()):
        if (folder / "agent.toml").is_file():
            registry.add_agent(folder.name, folder)
    for file in sorted((here / "playbooks").glob("*.toml")):
        registry.add_playbook(file.stem, file)


@cache
def _modules(room: str) -> tuple[str, ...]:
    """The plugins of a room by name; what is installed stays the same while a process runs."""
    found = pkgutil.iter_modules([str(Path(__file__).parent / room)])
    return tuple(info.name for info in found if not info.name.startswith("_"))


def _add(registry: Registry, module: object) -> None:
    """Take the Skill objects and the ``CONNECTOR`` (or several ``CONNECTORS``) of one module."""
    for value in vars(module).values():
        if isinstance(value, Skill) and value.module == getattr(module, "__name__", ""):
            registry.add_skill(value)
    for connector in (getattr(module, "CONNECTOR", None), *getattr(module, "CONNECTORS", ())):
        if connector is not None:
            registry.add_connector(connector)
