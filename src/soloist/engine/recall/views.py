"""Views that are kept: what masks showed of the index a moment ago, for as long as it cannot have changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from soloist.engine.recall.index import FOREVER, Moment, View, view
from soloist.engine.recall.legs import Mask

MOST = 4
"""Views that are kept: two bytes for each row of the home and view."""


@dataclass(frozen=True)
class Kept:
    """A view, and the instants (millionths of a second) from and before which it holds."""

    shown: View
    since: int
    until: int


class Views:
    """Of the questions asked last; for questions about now alone, as only these come again."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, Kept] = OrderedDict()

    def view(self, moment: Moment, mask: Mask, now: int, upto: int) -> View:
        """As ``index.view``: the one that is kept when it would come out the same, else a new one."""
        numbers = moment.columns["n"]
        whole = not len(numbers) or mask.newest >= int(numbers[-1])
        if mask.seq < moment.seq or not whole:
            return view(moment, mask, now, upto)
        filters = (mask.scopes, mask.tiers, mask.kinds, mask.records, mask.threads)
        key = (moment.changes, moment.vectors.model if moment.vectors else "", upto, filters)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.since <= now < kept.until:
                self._kept.move_to_end(key)
                return kept.shown
        shown = view(moment, mask, now, upto)
        expires = moment.columns["expires"]
        until = int(expires.min(initial=FOREVER, where=expires > now))
        with self._lock:
            self._kept[key] = Kept(shown, now, until)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return shown
