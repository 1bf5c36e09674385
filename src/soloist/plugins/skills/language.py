"""The skill ``language``; how it is done stands in ``_language``, which other skills share."""

from __future__ import annotations

from soloist.plugins.skills._language import In, Out, tell
from soloist.sdk import skill

__all__ = ["language"]


@skill("language", version="1")
def language(value: In) -> Out:
    """Tell the language of a text."""
    return tell(value.text, value.default)
