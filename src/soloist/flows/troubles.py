"""Troubles: a run that failed becomes one card with the exact input, the trace and what can be done; never silence."""

from __future__ import annotations

import traceback

from soloist.engine.store import runs, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound, SoloistError
from soloist.kernel.ids import derived


class Troubles:
    """Hears of the end of every run."""

    def __init__(self, store: Store) -> None:
        """The store is given."""
        self._store = store

    async def finished(self, run: str, error: Exception | None) -> None:
        """Mark a run done, or failed with a card."""
        if error is None:
            await self._store.write(lambda tx: runs.move(tx, run, "done"), full=False)
        else:
            trace = "".join(traceback.format_exception(error))[-6000:]
            await self._store.write(lambda tx: self._failed(tx, run, error, trace))

    def _failed(self, tx: Tx, run: str, error: Exception, trace: str) -> None:
        """One card for one run."""
        said = error.detail if isinstance(error, SoloistError) else f"{type(error).__name__}: {error}"
        runs.move(tx, run, "failed", error=f"{said}\n\n{trace}")
        try:
            row = runs.get(tx.conn, run)
        except NotFound:
            row = {"flow": run, "input": "", "subject": ""}
        tx.append("run.failed", subject=run, payload={"flow": row["flow"], "why": said[:500]}, run=run)
        tasks.open_card(
            tx,
            derived("failed run", run),
            "failure",
            f"{row['flow'].capitalize()} did not finish",
            subject=run,
            subject_kind="run",
            run=run,
            why=f"{said} The exact input and the trace are on the page of the run.",
            detail={"input": row["input"], "error": said},
            options=[
                {"name": "retry", "label": "Try again", "consequence": "A new run begins with the same input."},
                {"name": "leave", "label": "Leave it", "consequence": "Nothing more is done; the input is kept."},
            ],
            estimate=60,
            judgement=1,
            deadline=later(tx.now, 30 * 86400),
            at_expiry="Nothing more is done; the input is kept.",
        )
