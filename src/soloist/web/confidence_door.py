"""The doors' way to confidence: figures of what may go alone, samples judged; it sets no threshold."""

from __future__ import annotations

from typing import Any

from soloist.app import App
from soloist.flows.confidence import Confidence
from soloist.flows.sampling import Sampling
from soloist.insight import confidence
from soloist.insight.confidence import ConfidencePage


class Proved:
    """One App's thresholds and samples."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app

    async def page(self) -> ConfidencePage:
        """Every skill's figures as they are now, and what is to be looked at."""
        kept = Confidence(self._app.desk)
        if await kept.due():
            await kept.refit()
        wanted = self._app.settings.confidence
        return await self._app.store.read(lambda conn: confidence.page(conn, wanted))

    async def judge(self, ident: str, said: str, who: str) -> dict[str, Any]:
        """The operator's word on a sample (NotFound, Conflict, BadInput)."""
        return await Sampling(self._app.desk).judge(ident, said, who=who)
