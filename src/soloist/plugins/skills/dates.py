"""The skill ``dates``; how it is done stands in ``_dates``, which other skills share."""

from __future__ import annotations

from soloist.plugins.skills._dates import In, Out, find_dates, local_day
from soloist.sdk import skill

__all__ = ["dates"]


@skill("dates", version="1")
def dates(value: In) -> Out:
    """Read the days a sender names."""
    return Out(dates=find_dates(value.text, local_day(value.now, value.timezone), value.language))
