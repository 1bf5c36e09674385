"""How large the storm is: the full counts of the promises for a night, or a part that fits beside everything else.

``SOLOIST_STORM=full`` gives the full counts; anything else, or nothing, gives the counts of continuous integration.
"""

from __future__ import annotations

import os
from typing import TypeVar

N = TypeVar("N", int, float)
FULL = os.environ.get("SOLOIST_STORM", "ci") == "full"


def scale(full: N, ci: N) -> N:
    """The count (or the seconds) of this run."""
    return full if FULL else ci
