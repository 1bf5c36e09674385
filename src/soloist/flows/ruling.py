"""Ruling: the operator changes policy: from a card in plain words, by a rule of their own, by grants; tried before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from soloist.config import Rule
from soloist.engine.store import corrections, grants, proposals
from soloist.engine.store.clock import iso
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.flows.judging import FILE, Judging
from soloist.kernel.errors import BadConfig, BadInput
from soloist.stages import policy
from soloist.stages.policy import rulebook, sentences
from soloist.stages.policy.grants import checked, ready

LAST = 200
"""Proposals of the past on which a change is tried."""


@dataclass(frozen=True)
class Change:
    """One proposal of the past that would go differently: as policy says now, and as it would say."""

    proposal: str
    title: str
    at: str
    now: str
    then: str
    why: str
    wanted: str = ""

    @property
    def against(self) -> bool:
        """Whether it would go further from what the operator decided (``wanted``: ask, allow, "" when nothing was)."""
        return bool(self.wanted) and abs(_ORDER[self.then] - _ORDER[self.wanted]) >= abs(
            _ORDER[self.now] - _ORDER[self.wanted]
        )


_ORDER = {"deny": 0, "ask": 1, "allow": 2}


@dataclass(frozen=True)
class Trial:
    """What a change of policy would have done to the newest proposals; ``form`` is its file form."""

    words: str
    form: str
    tried: int
    changes: tuple[Change, ...]

    @property
    def against(self) -> int:
        """How many would go against what the operator decided."""
        return sum(change.against for change in self.changes)


class Ruling:
    """Changes of policy by the operator."""

    def __init__(self, store: Store, judging: Judging, zone: str) -> None:
        """``judging`` holds the rules in force; ``zone`` is the operator's."""
        self._store, self._judging, self._zone = store, judging, ZoneInfo(zone)

    @property
    def now(self) -> str:
        """The instant of the store's clock, as stored."""
        return iso(self._store.clock())

    async def sayable(self, proposal: str) -> list[sentences.Sentence]:
        """What can be said about a proposal in plain words (NotFound)."""
        facts = await self._store.read(lambda conn: self._facts(conn, proposal))
        return sentences.fitting(facts, self._today(), self._judging.rules.bulk)

    async def try_sentence(self, proposal: str, name: str, blanks: Mapping[str, str]) -> Trial:
        """What a sentence would have done to the past; nothing is changed (BadInput, BadConfig)."""
        facts = await self._store.read(lambda conn: self._facts(conn, proposal))
        said = self._say(facts, name, blanks)
        if said.rule is not None:
            return await self.try_rule(said.rule, words=said.words)
        return await self._try(self._judging.rules, said.grant or {}, said.words, str(said.grant))

    async def say(self, proposal: str, name: str, blanks: Mapping[str, str], *, who: str) -> str:
        """Put a sentence in force (BadInput, BadConfig); answers its words."""

        def work(tx: Tx) -> str:
            said = self._say(self._facts(tx.conn, proposal), name, blanks)
            if said.rule is not None:
                self._judging.add_rule_in(tx, self._named(said.rule), who=who, why="said on a card")
            elif said.grant is not None:
                give(tx, {**said.grant, "proposal": proposal, "who": who, "why": said.words})
            return said.words

        return await self._store.write(work)

    async def try_rule(self, rule: Rule, *, words: str = "", last: int = LAST) -> Trial:
        """What one more rule would have done to the past (BadConfig with its place)."""
        text = rulebook.added(self._judging.file_text(), self._named(rule), "")
        form = rulebook.added("", rule, "").strip()
        return await self._try(self._judging.trial(text), {}, words or rule.name, form, last=last)

    async def try_file(self, text: str, *, last: int = LAST) -> Trial:
        """What another policy.toml would have done to the past (BadConfig with its place)."""
        return await self._try(self._judging.trial(text), {}, f"another {FILE}", text, last=last)

    async def add_rule(self, rule: Rule, *, who: str, why: str = "written by hand") -> str:
        """Put a rule in force; answers the new version (BadConfig changes nothing)."""
        return await self._judging.add_rule(self._named(rule), who=who, why=why)

    async def remove_rule(self, name: str, *, who: str) -> str:
        """Take a rule of policy.toml out; answers the new version (NotFound)."""
        return await self._judging.remove_rule(name, who=who, why="taken out")

    async def grant(self, given: Mapping[str, Any], *, who: str) -> str:
        """Give a grant; answers its id (BadInput names the field)."""
        return await self._store.write(lambda tx: give(tx, {**given, "who": who}))

    async def revoke(self, ident: str, *, who: str, why: str = "") -> dict[str, Any]:
        """Take a grant back (NotFound, Conflict)."""
        return await self._store.write(lambda tx: grants.revoke(tx, ident, who, why))

    # ----- how

    async def _try(
        self, rules: policy.Rules, grant: Mapping[str, Any], words: str, form: str, *, last: int = LAST
    ) -> Trial:
        """Judge the past by the rules in force and by the changed ones, with the same grants but one."""

        def work(conn: Any) -> tuple[list[policy.Former], list[policy.Grant]]:
            live = [ready(row) for row in grants.live(conn, self.now)]
            return self._judging.past(conn, last), live

        past, live = await self._store.read(work)
        more = [*live, ready({**_WHOLE, **grant, "id": "new"})] if grant else live
        now = policy.replay(self._judging.rules, past, live)
        then = policy.replay(rules, past, more)
        pairs = zip(now, then, strict=True)
        changes = [_change(one, two) for one, two in pairs if one.verdict.answer != two.verdict.answer]
        said = await self._store.read(lambda conn: [wanted(conn, one.proposal) for one in changes])
        changes = [replace(one, wanted=word) for one, word in zip(changes, said, strict=True)]
        return Trial(words, form, len(past), tuple(changes))

    def _facts(self, conn: Any, proposal: str) -> policy.Facts:
        row = proposals.get(conn, proposal)
        return self._judging.facts(conn, row, row["payload"])[0]

    def _say(self, facts: policy.Facts, name: str, blanks: Mapping[str, str]) -> sentences.Said:
        return sentences.say(name, blanks, facts, self._today(), self._judging.rules.bulk)

    def _today(self) -> Any:
        return self._store.clock().astimezone(self._zone).date()

    def _named(self, rule: Rule) -> Rule:
        """A rule under a name that is free: the same sentence may be said with other blanks."""
        taken = {known.name for known in self._judging.rules.written}
        name, number = rule.name, 2
        while name in taken:
            name, number = f"{rule.name} ({number})", number + 1
        return rule.model_copy(update={"name": name})


_WHOLE: Mapping[str, Any] = {
    "title": "",
    "connector": "",
    "operation": "",
    "agent": "",
    "gates": [],
    "when": "",
    "mode": "audit",
    "window": "",
    "limit_minor": 0,
    "currency": "",
    "per_day": 0,
}


def give(tx: Tx, given: Mapping[str, Any]) -> str:
    """Keep a grant that the operator gives (BadInput names the field); its id."""
    try:
        checked(given)
    except BadConfig as error:
        raise BadInput(error.detail, field=error.field) from error
    return grants.insert(tx, given)


def wanted(conn: Any, proposal: str) -> str:
    """What the operator's word on a proposal asks of policy: to ask, to allow, "" when they said nothing."""
    state = proposals.get(conn, proposal)["state"]
    if corrections.about(conn, proposal) or state == "rejected":
        return "ask"
    return "allow" if state == "approved" else ""


def _change(now: policy.Replayed, then: policy.Replayed) -> Change:
    former = now.former
    return Change(
        former.proposal, former.title, former.at, now.verdict.answer, then.verdict.answer, then.verdict.reason
    )
