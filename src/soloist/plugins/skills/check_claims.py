"""The skill ``check_claims``; how it is done stands in ``_claims`` and ``_tone``."""

from __future__ import annotations

from soloist.plugins.skills._claims import In, Out, check
from soloist.sdk import skill

__all__ = ["check_claims"]


@skill("check_claims", version="2")
def check_claims(value: In) -> Out:
    """Find what a draft claims that its context does not hold, and words that press, shout or address wrongly."""
    return check(value)
