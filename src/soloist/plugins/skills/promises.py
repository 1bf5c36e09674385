"""The skill ``promises``; how it is done stands in ``_promises``."""

from __future__ import annotations

from soloist.plugins.skills._promises import In, Out, find
from soloist.sdk import skill

__all__ = ["promises"]


@skill("promises", version="1")
def promises(value: In) -> Out:
    """Find what the writer of a message promised to do."""
    return find(value)
