"""Flow: a straight-line durable sequence of steps, and the verbs it may use; it knows no engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Verbs(Protocol):
    """What a flow may do. Every ``await`` on one of these is remembered and not repeated after a crash."""

    run: str

    async def step(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Run ``work(run, *args)`` once it has not been finished yet; its answer is small JSON (ids and hashes)."""

    async def wait_for(self, topic: str, seconds: float) -> Any:
        """Park until a message for ``topic`` comes (its JSON value) or the time is over (None)."""

    async def sleep(self, seconds: float) -> None:
        """Wait; the end of the wait survives a restart."""

    async def patched(self, name: str) -> bool:
        """Whether this run began after the change ``name``: old parked runs go on as they began."""


@dataclass(frozen=True)
class Flow:
    """A named flow: ``body(do, value)`` where value is one id."""

    name: str
    body: Callable[[Verbs, str], Awaitable[None]]
    parks: bool = False
    """Whether it may wait for a person or a timer; such runs never count against the limit of busy ones."""
