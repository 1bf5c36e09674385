"""The skill ``strip_reply``; how it is done stands in ``_split``, which other skills share."""

from __future__ import annotations

from soloist.plugins.skills._split import In, Out, split
from soloist.sdk import skill

__all__ = ["strip_reply"]


@skill("strip_reply", version="1")
def strip_reply(value: In) -> Out:
    """Split a message into own words, quoted words and signature."""
    return split(value.text, value.sender_name)
