"""Fail points: places where a test may end this process at once; without the environment variable they do nothing.

``SOLOIST_FAILPOINT=name:3`` ends the process at the third time ``hit("name")`` is reached, as a power cut would:
no clean-up, no flush. The names are listed in ``NAMES`` so that a test can go through all of them.
"""

from __future__ import annotations

import os

NAMES = (
    "accepted",
    "decided",
    "intended",
    "before attempting",
    "attempting",
    "called",
    "answered",
    "before commit",
    "committed",
)
"""In the order of the way of one message; "committed" counts every commit of the writer.

Every step of every flow has two more: "before:<step>" and "after:<step>", where after means that its own commit is on
the disk and the engine's note of its answer is not. An import has "import.batch" after each of its batches, a call of
a model "model reserved" before anything is sent and "model came" before it is settled.
"""


def read(text: str) -> tuple[str, int]:
    """The point and the hit at which the process ends, from ``name`` or ``name:3``; a name may hold a colon itself."""
    name, _, count = text.rpartition(":")
    return (name, int(count)) if name and count.isdigit() else (text, 1)


_NAME, _left = read(os.environ.get("SOLOIST_FAILPOINT", ""))


def hit(name: str) -> None:
    """End the process here when the environment says so."""
    global _left
    if name == _NAME:
        _left -= 1
        if _left == 0:
            os._exit(137)
