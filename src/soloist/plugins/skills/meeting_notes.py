"""The skill ``meeting_notes``; how it is done stands in ``_meeting``, and what a model is asked in ``_meeting_ask``."""

from __future__ import annotations

from soloist.plugins.skills._meeting import In, Out, find
from soloist.sdk import skill

__all__ = ["meeting_notes"]


@skill("meeting_notes", version="1")
def meeting_notes(value: In) -> Out:
    """Read decisions, tasks, open questions and the next meeting from a transcript or notes."""
    return find(value)
