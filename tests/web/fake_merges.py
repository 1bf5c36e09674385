"""Merges as the fake Door gives them: one pair to decide, one merged, one known to be two."""

from __future__ import annotations

from typing import Any

from soloist.insight import views
from soloist.insight.merging import Beside, MergesPage, Pair, Standing

ADA = views.Link("Ada Okafor", "/records/person/p1")
OTHER = views.Link("A. Okafor", "/records/person/p2")
FIELDS = (
    Beside("Phone", "+4940123456", "040 123456", "the same", "go"),
    Beside("Name", "Ada Okafor", "A. Okafor", "nearly the same", ""),
    Beside("Address", "ada@okafor-ceramics.example", "ada.okafor@gmail.com", "different", "warn"),
)


def pair(ident: str, state: str) -> Pair:
    """Ada and perhaps Ada."""
    return Pair(
        id=ident,
        state=state,
        kind="person",
        kept=ADA,
        other=OTHER,
        sure="likely (88.0 %)",
        why="They wrote from an address that was not known.",
        fields=FIELDS,
        vetoes=("two addresses at gmail.com",),
        strong=("phone and name",),
        after="Ada Okafor stays; A. Okafor leads there and shows on the same page. Neither is rewritten.",
        at="2026-11-20T12:00:00.000000Z",
        who="operator",
        card="c1" if state == "proposed" else "",
    )


class FakeMerges:
    """Pages about merges without a home."""

    def __init__(self) -> None:
        """Nothing was decided yet."""
        self.decided: list[tuple[str, str]] = []

    async def page(self) -> MergesPage:
        return MergesPage((pair("m1", "proposed"),), (pair("m2", "merged"),), (pair("m3", "apart"),), more=2)

    async def standing(self, record: str) -> Standing:
        return Standing(None, (pair("m2", "merged"),), (pair("m1", "proposed"),), (views.FieldLine("Emails", "a, b"),))

    async def undo(self, card: str, who: str) -> str:
        return ""

    async def decide(self, ident: str, option: str, who: str) -> dict[str, Any]:
        self.decided.append((ident, option))
        return {"id": ident, "state": option}
