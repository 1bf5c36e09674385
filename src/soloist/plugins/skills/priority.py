"""The skill ``priority``; how it is done stands in ``_priority``."""

from __future__ import annotations

from soloist.plugins.skills._priority import In, Out, judge
from soloist.sdk import skill

__all__ = ["priority"]


@skill("priority", version="1")
def priority(value: In) -> Out:
    """Tell how soon a message wants an answer and how much it matters, with every reason."""
    return judge(value)
