"""Confidence: each word of the operator is a label; thresholds follow from the labels, and drift takes them back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from soloist.engine.store import samples, settings, tasks, thresholds
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.insight import confidence as words
from soloist.kernel import confidence
from soloist.kernel.confidence import WHOLE, Threshold
from soloist.kernel.ids import derived

DAY = 86_400.0
LOOKED_BACK = 90 * DAY
"""How long a sample counts for drift."""
KEPT = 365 * DAY
"""How long what a skill told is kept when nobody judged it; judged rows are kept, since thresholds rest on them."""
SUBJECT = "threshold"
SEEN = {"name": "seen", "label": "I have seen it", "consequence": "The card closes. It goes on asking."}
_COUNTED = "thresholds.counted"
Learned = Callable[[Tx, Mapping[str, Any], str, str], None]
_RIGHT = {"approved": True, "edited": False, "rejected": False, "corrected": False}


class Confidence:
    """The thresholds of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given; ``equip`` makes it hear of decisions."""
        self._desk = desk
        self._before: Learned = lambda _tx, _proposal, _said, _who: None

    def equip(self) -> None:
        """Hear of every decision from now on, after whoever heard of them before."""
        self._before, self._desk.approvals.learned = self._desk.approvals.learned, self.learned
        self._desk.takers[SUBJECT] = self.seen

    # ----- labels

    def learned(self, tx: Tx, proposal: Mapping[str, Any], said: str, who: str) -> None:
        """A person approved, edited, rejected or corrected a proposal: a label for the skill that made it."""
        self._before(tx, proposal, said, who)
        if not proposal["agent"] or said not in _RIGHT:
            return
        ident = told_of(tx, proposal, alone=False)
        samples.judge(tx, ident, said, _RIGHT[said])
        if said in ("approved", "edited"):
            self._kind_was_right(tx, proposal)

    @staticmethod
    def _kind_was_right(tx: Tx, proposal: Mapping[str, Any]) -> None:
        """Whoever answers a message as what it was taken for says that it is that."""
        kind = str((proposal["evidence"] or {}).get("kind") or "")
        head = proposal["thread_head"]
        told = samples.find(tx.conn, head, "kind") if kind and head else None
        if told and not told["outcome"]:
            samples.judge(tx, told["id"], kind, confidence.alike(told["label"], kind))

    def seen(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """A card that tells of drift was read."""
        if option == tasks.LATER["name"]:
            tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
            return {"state": "waiting"}
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        return {"state": "closed"}

    # ----- thresholds

    async def due(self) -> bool:
        """Whether something was judged since the thresholds were made."""
        return await self._desk.store.read(
            lambda conn: settings.value(conn, _COUNTED) != json.dumps(samples.changed(conn))
        )

    async def refit(self) -> int:
        """Make every threshold anew from the operator's decisions; answers how many there are."""

        def work(tx: Tx) -> int:
            found = samples.changed(tx.conn)
            settings.put(tx, _COUNTED, json.dumps(found))
            return sum(self._skill(tx, skill) for skill, _, _ in found)

        return await self._desk.store.write(work)

    async def thin(self) -> int:
        """Drop what nobody judged in a year; answers how many."""
        return await self._desk.store.write(lambda tx: samples.thin(tx, later(tx.now, -KEPT)))

    def _skill(self, tx: Tx, skill: str) -> int:
        """The thresholds of one skill, language by language and group by group."""
        target = self._desk.settings.confidence.of(skill)
        since = later(tx.now, -LOOKED_BACK)
        seen, known = samples.looked_at(tx.conn, skill, since), thresholds.details(tx.conn, skill)
        groups = samples.judged(tx.conn, skill)
        for place, labels in groups.items():
            language, group = place
            before, detail = known.get(place, (Threshold(), {}))
            start = str(detail.get("since") or "")
            found = confidence.threshold([one.label for one in labels if one.at >= start], target)
            found = replace(found, of=len(labels))
            right, of = seen.get(place, (0, 0))
            kept = {"target": target, "since": start, "sample": [right, of]}
            if confidence.drifted(before, right, of):
                found = replace(found, state="asks", value=WHOLE)
                kept["since"] = since
                self._tell(tx, place, skill, before, (right, of))
            why = words.said(skill, place, found, target)
            thresholds.put(tx, skill, language, group, found, why=why, detail=kept)
        return len(groups)

    @staticmethod
    def _tell(tx: Tx, place: tuple[str, str], skill: str, before: Threshold, seen: tuple[int, int]) -> None:
        """A card: what went alone was looked at and is not as good as it was."""
        right, of = seen
        tasks.open_card(
            tx,
            derived("drift", skill, *place, tx.now),
            "question",
            f"{words.title(skill, *place)} asks again"[:160],
            subject=derived("threshold", skill, *place),
            subject_kind=SUBJECT,
            why=(
                f"Of {of} you looked at, {right} were right; it went alone because at least "
                f"{before.bound / 100:.0f} % were. It asks you again until your decisions prove it anew."
            ),
            options=[SEEN, tasks.LATER],
            estimate=20,
            judgement=1,
            deadline=later(tx.now, 14 * DAY),
            at_expiry="It goes on asking.",
        )


def told_of(tx: Tx, proposal: Mapping[str, Any], *, alone: bool) -> str:
    """The row of a proposal as something its skill told; drafts have no confidence but that of all of them."""
    skill, language, group = samples.place_of(tx.conn, proposal)
    known = samples.find(tx.conn, proposal["id"], skill)
    facts = {"language": language, "grouping": group, "confidence": WHOLE, "label": str(proposal["operation"])}
    return str(known["id"]) if known else samples.tell(tx, proposal["id"], skill, **facts, alone=int(alone))
