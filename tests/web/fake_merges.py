"""Merges as the fake Door gives them: nothing looks alike."""

from __future__ import annotations

from soloist.insight.merging import MergesPage, Standing


class FakeMerges:
    """Pages about merges without a home."""

    async def page(self) -> MergesPage:
        return MergesPage((), (), ())

    async def standing(self, record: str) -> Standing:
        return Standing()
