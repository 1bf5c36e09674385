"""The skill ``kind``; how it is done stands in ``_kind``, which other skills share."""

from __future__ import annotations

from soloist.plugins.skills._kind import In, Out, tell_kind
from soloist.sdk import skill

__all__ = ["kind"]


@skill("kind", version="1")
def kind(value: In) -> Out:
    """Decide what a message is to the business."""
    return tell_kind(value)
