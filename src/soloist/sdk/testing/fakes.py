"""Stand-ins for what a Ctx grants: answers instead of a network, a dictionary instead of a disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from soloist.sdk.connector import HttpAnswer


@dataclass
class FakeHttp:
    """Answers every request with ``reply(method, url, body)`` and remembers it in ``sent``."""

    reply: Callable[[str, str, bytes | None], HttpAnswer]
    sent: list[tuple[str, str, Mapping[str, str], bytes | None]] = field(default_factory=list)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,  # the sdk's signature
    ) -> HttpAnswer:
        """Remember the request and answer it."""
        self.sent.append((method, url, dict(headers), body))
        return self.reply(method, url, body)


@dataclass
class BrokenHttp:
    """Raises the given NotSent or MaybeSent for every request."""

    error: Exception

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,  # the sdk's signature
    ) -> HttpAnswer:
        """Fail."""
        raise self.error


@dataclass
class MemoryFiles:
    """Files in memory: ``held`` maps (folder, name) to bytes."""

    held: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def read(self, folder: str, name: str, limit: int) -> bytes:
        """At most ``limit`` bytes; FileNotFoundError when there is none."""
        if (folder, name) not in self.held:
            raise FileNotFoundError(name)
        return self.held[folder, name][:limit]

    def write_new(self, folder: str, name: str, data: bytes) -> bool:
        """False when the name exists."""
        if (folder, name) in self.held:
            return False
        self.held[folder, name] = data
        return True

    def move(self, folder: str, name: str, target: str) -> None:
        """To the folder ``target``, or to ``folder/name``."""
        into, _, new_name = target.partition("/")
        self.held[into, new_name or name] = self.held.pop((folder, name))

    def exists(self, folder: str, name: str) -> bool:
        """Whether the name is there."""
        return (folder, name) in self.held

    def names(self, folder: str) -> list[str]:
        """Sorted names of one folder."""
        return sorted(name for place, name in self.held if place == folder)
