"""Sampling: a few of what went alone are shown to the operator in a list; their word on each is a label."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from soloist.engine.store import attention, labels, proposals, samples
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.confidence import told_of
from soloist.flows.desk import Desk
from soloist.kernel.errors import BadInput, Conflict, NotFound

WEEK = 7 * 86_400.0
RIGHT, WRONG = "right", "wrong"
ANSWERED = ("enquiry", "client")
"""What a message that was set aside can be after all; it is answered then."""


class Sampling:
    """The samples of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._desk = desk

    async def draw(self) -> int:
        """Draw as many of the last week's as are wanted and not drawn yet; answers how many."""
        wanted = self._desk.settings.confidence

        def work(tx: Tx) -> int:
            since = later(tx.now, -WEEK)
            for row in attention.ran_alone(tx.conn, since):
                if row["agent"]:
                    told_of(tx, row, alone=True)
            rows, done = samples.alone(tx.conn, since), samples.drawn(tx.conn, since)
            most = min(wanted.per_week, math.ceil(wanted.look_at * (len(rows) + done))) - done
            chosen = chance(rows, max(0, most))
            samples.draw(tx, chosen)
            return len(chosen)

        return await self._desk.store.write(work)

    async def judge(self, ident: str, said: str, *, who: str) -> dict[str, Any]:
        """The operator's word on one that was drawn: right, wrong, or for a message what it is (NotFound, BadInput)."""
        return await self._desk.store.write(lambda tx: self._judge(tx, ident, said, who))

    def _judge(self, tx: Tx, ident: str, said: str, who: str) -> dict[str, Any]:
        row = samples.get(tx.conn, ident)
        if row is None:
            raise NotFound("There is no such sample.")
        if row["outcome"]:
            raise Conflict("This was judged already; nothing was changed.")
        if row["skill"] == "kind":
            return self._kind(tx, row, said, who)
        if said not in (RIGHT, WRONG):
            raise BadInput("said: right or wrong.", field="said")
        samples.judge(tx, ident, said, said == RIGHT)
        proposal = proposals.find(tx.conn, row["object"])
        if said == WRONG and proposal is not None:
            self._desk.approvals.corrected(tx, row["object"], who=who)
        return {"id": ident, "outcome": said}

    @staticmethod
    def _kind(tx: Tx, row: Mapping[str, Any], said: str, who: str) -> dict[str, Any]:
        """A message that was set aside: right, or it is something that is answered, which is begun."""
        if said not in (RIGHT, *ANSWERED):
            raise BadInput(f"said: {RIGHT}, {' or '.join(ANSWERED)}.", field="said")
        label = row["label"] if said == RIGHT else said
        labels.add(tx, row["object"], "kind", label, was=row["label"], source="sample", who=who)
        if said != RIGHT:
            tx.start(f"reply:{said}:{row['object']}", "reply", f"{said}:{row['object']}", subject=row["object"])
        return {"id": row["id"], "outcome": RIGHT if said == RIGHT else WRONG}


def chance(rows: Sequence[Mapping[str, Any]], most: int) -> list[str]:
    """So many ids, drawn by a chance that nobody can lean on and that is the same when it is drawn again."""
    drawn = sorted((sha256(f"sample {row['id']}".encode()).digest(), str(row["id"])) for row in rows)
    return [ident for _, ident in drawn[:most]]
