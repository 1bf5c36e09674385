"""Durations as operators write them, for plugin authors; the parser is the one soloist.toml uses."""

from __future__ import annotations

from soloist.config import seconds

__all__ = ["seconds"]
