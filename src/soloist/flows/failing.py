"""Failing: what follows from a fault, as pure decisions: what is the same fault, when it is tried again, when not."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from soloist.engine.store import runs
from soloist.kernel.errors import SoloistError
from soloist.kernel.hashing import sha256

TRIES = (60.0, 600.0)
"""Seconds before the first and the second try that Soloist makes by itself."""
SAME, WITHIN = 5, 600.0
"""As many of the same fault in as many seconds are set aside: trying on would only burn."""
AGAIN, origin = runs.AGAIN, runs.origin

_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|<[^<>\s]+>|\b[0-9a-f]{8,}\b|\d+|\S+@\S+|(?:/[^\s/]+){2,}")


def said(error: Exception) -> str:
    """A fault in one sentence."""
    return error.detail if isinstance(error, SoloistError) else f"{type(error).__name__}: {error}"


def signature(error: Exception) -> str:
    """The same for the same fault with other inputs: kind of error, its words without what varies, where it was met."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "soloist" in frame.filename]
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].name}" if frames else ""
    words = _VARIES.sub("#", said(error))[:300]
    return sha256(f"{type(error).__name__}|{place}|{words}".encode())[:32]


def decide(cases: Sequence[Mapping[str, Any]], run: str, now: datetime) -> tuple[str, float]:
    """What to do about the newest case, ``run``: ("retry", seconds), ("tell", 0) or ("set aside", 0).

    ``cases`` are all that are kept, the newest included: {run, origin, at}.
    """
    recent = [case for case in cases if now - datetime.fromisoformat(case["at"]) <= timedelta(seconds=WITHIN)]
    if len(recent) >= SAME:
        return "set aside", 0.0
    made = sum(1 for case in cases if case["origin"] == origin(run))
    return ("retry", TRIES[made - 1]) if made <= len(TRIES) else ("tell", 0.0)


def options(what: str, cases: int, *, quarantined: bool, held: bool, flow: str) -> list[dict[str, str]]:
    """What the operator can do about a failure, each with its consequence: two to four."""
    inputs = "the same input" if cases == 1 else f"all {cases} inputs that are kept"
    made = [
        {"name": "retry", "label": "Try again", "consequence": f"A new run begins with {inputs}."},
        {"name": "leave", "label": "Leave it", "consequence": "Nothing more is done; the inputs stay on their runs."},
    ]
    if quarantined and not held:
        hold = f"New runs of {flow} wait until you let them go on; nothing is lost."
        made.append({"name": "hold", "label": f"Hold {what}", "consequence": hold})
    if held:
        made.append({"name": "release", "label": f"Let {what} go on", "consequence": "What waited begins now."})
    return made
