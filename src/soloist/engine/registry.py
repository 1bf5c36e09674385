"""Registry: finds plugins by entry point and hands out the reading half of each connector; it never writes outside."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import datetime
from functools import lru_cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, cast

from soloist.engine.connections import Connection
from soloist.kernel.errors import BadInput
from soloist.sdk import (
    Arrival,
    Connector,
    Ctx,
    Health,
    Hint,
    Lookup,
    Manifest,
    MaybeSent,
    NotSent,
    Operation,
    Page,
    Receipt,
    Registry,
    Stream,
    Thing,
    Trouble,
)

T = TypeVar("T")

GROUP = "soloist.plugins"
ONLY = "SOLOIST_PLUGINS"
"""Environment variable: names of entry points to load, separated by commas; unset loads all, "" loads none."""


def load() -> Registry:
    """Every plugin that can be loaded; a broken one is named in ``troubles`` and the rest go on."""
    registry = Registry()
    only = os.environ.get(ONLY)
    wanted = None if only is None else {name.strip() for name in only.split(",")}
    for name, register in _found().items():
        if wanted is None or name in wanted:
            _take(registry, name, register)
    return registry


def _found() -> dict[str, Callable[[], Callable[[Registry], None]]]:
    """Loaders by plugin name; the shipped ones are there even when the distribution is not installed."""
    found: dict[str, Callable[[], Callable[[Registry], None]]] = {
        point.name: _loader(point) for point in _points(entry_points, tuple(sys.path))
    }
    if "shipped" not in found:
        found = {"shipped": _shipped, **found}
    return found


@lru_cache(maxsize=4)
def _points(find: Callable[..., Iterable[EntryPoint]], path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """The entry points of our group; a process looks through all that is installed once for each path."""
    return tuple(sorted(find(group=GROUP), key=lambda point: point.name))


def _loader(point: EntryPoint) -> Callable[[], Callable[[Registry], None]]:
    return lambda: point.load()


def _shipped() -> Callable[[Registry], None]:
    register: Callable[[Registry], None] = importlib.import_module("soloist.plugins").register
    return register


def _take(registry: Registry, name: str, loader: Callable[[], Callable[[Registry], None]]) -> None:
    """Let one plugin register on the side, then take over what it added without a clash of names."""
    own = Registry()
    try:
        loader()(own)
    except Exception as error:  # noqa: BLE001  # a plugin is someone else's code: one fault must not stop the rest
        registry.troubles.append(f"{name}: {type(error).__name__}: {error}")
    registry.troubles.extend(own.troubles if name == "shipped" else (f"{name}: {text}" for text in own.troubles))
    for skill in own.skills.values():
        if lacking := skill.lacks():
            registry.troubles.append(f"{name}: {lacking}.")
            continue
        _add(registry, name, partial(registry.add_skill, skill))
    for connector in own.connectors.values():
        _add(registry, name, partial(registry.add_connector, connector))
    for agent, folder in own.agents.items():
        _add(registry, name, partial(registry.add_agent, agent, folder))
    for playbook, file in own.playbooks.items():
        _add(registry, name, partial(registry.add_playbook, playbook, file))


def _add(registry: Registry, name: str, add: Callable[[], None]) -> None:
    try:
        add()
    except ValueError as error:
        registry.troubles.append(f"{name}: {error}")


_SOME_INSTANT = "2026-01-01T00:00:00.000000Z"


class ReadingHalf:
    """What everyone but the outbound door may use of a connection: check, pull, done_with, operations."""

    def __init__(self, connection: Connection, adapter: Connector, ctx: Ctx) -> None:
        """``ctx`` is the Ctx made for this connection."""
        self.name = connection.name
        self.kind = connection.kind
        self.manifest = adapter.manifest
        self.address = str(connection.settings.get("address", ""))
        self.consistency = str(connection.settings.get("consistency") or adapter.manifest.consistency)
        self._adapter, self._ctx = adapter, ctx

    def operations(self) -> Mapping[str, Operation]:
        """The operations this connection declares."""
        return self._adapter.operations(self._ctx)

    def check_payload(self, operation: str, payload: Mapping[str, Any]) -> str:
        """Render a payload without sending it and give the preview (BadInput names the field at fault)."""
        try:
            return self._adapter.prepare(self._ctx, operation, payload, "a" * 26, _SOME_INSTANT).preview
        except ValueError as error:
            raise BadInput(f"payload.{error}", field=f"payload.{str(error).partition(':')[0]}"[:80]) from error

    async def check(self) -> Health:
        """Whether the other side is there; writes nothing."""
        return await self._adapter.check(self._ctx)

    def streams(self) -> Mapping[str, Stream]:
        """What can be pulled, by name."""
        return self._adapter.streams(self._ctx)

    def pull(self, stream: str, cursor: str) -> AsyncIterator[Page]:
        """Pages of arrivals of one stream after the cursor (Trouble when the other side is at fault)."""
        return _within_faults(self._adapter.pull(self._ctx, stream, cursor))

    def watch(self, stream: str) -> AsyncIterator[Hint]:
        """Hints that something may have come; it ends when there is nothing to listen to."""
        return self._adapter.watch(self._ctx, stream)

    async def find(self, operation: str, payload: Mapping[str, Any], *, key: str, created_at: str) -> Lookup:
        """Look up what an operation with this key would have left outside; writes nothing (BadInput)."""
        try:
            plan = self._adapter.prepare(self._ctx, operation, payload, key, created_at)
        except ValueError as error:
            raise BadInput(f"payload.{error}") from error
        return await self._adapter.find(self._ctx, plan)

    def way_back(self, operation: str, payload: Mapping[str, Any], *, key: str, created_at: str, ref: str) -> str:
        """The request that would take back the thing with a provider's id, "" for none; nothing is sent."""
        try:
            forward = self._adapter.prepare(self._ctx, operation, payload, key, created_at)
        except ValueError:
            return ""
        back = self._adapter.undo(self._ctx, forward, Receipt(ref))
        return f"{back.preview} {back.request.hex()}" if back else ""

    def contract(self, operation: str) -> tuple[Mapping[str, Any], ...]:
        """The payload fields an operation uses: {field, place, needed}; empty when the adapter does not tell."""
        own = getattr(self._adapter, "contract", None)
        return tuple(own(self._ctx, operation)) if own else ()

    def listed(self) -> tuple[str, ...]:
        """The operations whose results can be listed, by the manifest or by a ``list`` in their configuration."""
        own = getattr(self._adapter, "listed", None)
        return tuple(own(self._ctx)) if own else self.manifest.inventory

    def inventory(self, operation: str, since: datetime) -> AsyncIterator[Thing]:
        """What there is outside of an operation's results since an instant (Trouble when it cannot be listed)."""
        return _within_faults(self._adapter.inventory(self._ctx, operation, since))

    def done_with(self, arrival: Arrival) -> None:
        """The arrival was committed: put it aside where the adapter keeps what was taken in (nothing by default)."""
        self._adapter.done_with(self._ctx, arrival)


async def _within_faults(items: AsyncIterator[T]) -> AsyncIterator[T]:
    """The same items; what a line or a disk raises becomes a Trouble of the closed set. Reading sent nothing."""
    async with aclosing(cast(AsyncGenerator[T, None], items)) as source:
        try:
            async for item in source:
                yield item
        except (OSError, NotSent, MaybeSent) as error:
            raise Trouble("unavailable", str(error) or type(error).__name__) from error


def describe(halves: Mapping[str, ReadingHalf]) -> list[dict[str, Any]]:
    """Connections and their operations as JSON values, for doctor and the API; times in seconds."""
    return [
        {
            "connector": half.name,
            "kind": half.kind,
            "operations": [
                {
                    "name": op.name,
                    "class": op.effect_class,
                    "risk": op.risk,
                    "undo": op.undo,
                    "way_back": op.way_back,
                    "hold": op.hold,
                    "timeout": op.timeout,
                    "split": op.split,
                    "summary": op.summary,
                }
                for op in half.operations().values()
            ],
        }
        for half in halves.values()
    ]


def reading_halves(
    connections: Mapping[str, Connection], registry: Registry, context: Callable[[Connection, Manifest], Ctx]
) -> dict[str, ReadingHalf]:
    """The reading half of every connection whose adapter was loaded; the others become troubles of the registry."""
    halves: dict[str, ReadingHalf] = {}
    for name, connection in connections.items():
        adapter = registry.connectors.get(connection.kind)
        if adapter is None:
            registry.troubles.append(f"connectors.{name}: there is no adapter of the kind {connection.kind!r}")
            continue
        halves[name] = ReadingHalf(connection, adapter, context(connection, adapter.manifest))
    return halves
