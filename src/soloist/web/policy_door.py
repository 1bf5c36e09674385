"""The console's way to policy: rules in plain words, grants, trying a change on the past; it holds no rule."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from soloist.app import App
from soloist.config import Rule
from soloist.flows.ruling import Ruling, Trial
from soloist.insight import explanation, policy
from soloist.insight.policy import PolicyPage, RuleLine
from soloist.kernel.errors import BadInput, NotFound
from soloist.stages.policy.sentences import Sentence


class Policies:
    """One App's policy as the pages ask for it."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app
        self._ruling = Ruling(app.store, app.judging, app.settings.business.timezone)

    async def page(self) -> PolicyPage:
        """What is in force."""
        judging, now = self._app.judging, self._ruling.now
        own = _names(judging.file_text())
        lines = [RuleLine(rule.name, rule.when, rule.then, rule.name in own) for rule in judging.rules.written]
        version, trouble = judging.rules.version, judging.trouble
        return await self._app.store.read(
            lambda conn: policy.page(conn, lines, version=version, trouble=trouble, now=now)
        )

    async def about(self, ident: str) -> tuple[str, Sequence[Sentence]]:
        """The proposal a card or id stands for, and what can be said about it (NotFound)."""
        proposal = await self._app.store.read(lambda conn: explanation.proposal_of(conn, ident))
        if not proposal:
            raise NotFound("There is no proposal here that a rule could be made of.")
        return proposal, await self._ruling.sayable(proposal)

    async def try_sentence(self, proposal: str, name: str, blanks: Mapping[str, str]) -> Trial:
        """What a sentence would have done to the past."""
        return await self._ruling.try_sentence(proposal, name, blanks)

    async def say(self, proposal: str, name: str, blanks: Mapping[str, str], who: str) -> str:
        """Put a sentence in force."""
        return await self._ruling.say(proposal, name, blanks, who=who)

    async def try_rule(self, given: Mapping[str, str]) -> Trial:
        """What a rule would have done to the past."""
        return await self._ruling.try_rule(rule_of(given))

    async def add_rule(self, given: Mapping[str, str], who: str) -> str:
        """Put a rule in force."""
        return await self._ruling.add_rule(rule_of(given), who=who, why="written on the page of the policy")

    async def remove_rule(self, name: str, who: str) -> None:
        """Take a rule of policy.toml out."""
        await self._ruling.remove_rule(name, who=who)

    async def revoke(self, ident: str, who: str) -> None:
        """Take a grant back."""
        await self._ruling.revoke(ident, who=who, why="taken back on the page of the policy")


def rule_of(given: Mapping[str, str]) -> Rule:
    """A rule as it was typed (BadInput names the field)."""
    known = {name: str(given.get(name, "")).strip() for name in ("name", "when", "then", "mode", "window")}
    try:
        return Rule.model_validate({name: value for name, value in known.items() if value})
    except ValueError as error:
        faults: Any = getattr(error, "errors", lambda: [])()
        place = str(faults[0]["loc"][0]) if faults else "rule"
        said = {"name": "give the rule a name", "when": "write a condition", "then": "deny, ask or allow"}
        raise BadInput(f"{place}: {said.get(place, 'this cannot be used')}.", field=place) from error


def _names(text: str) -> set[str]:
    """Names of the rules of a file that was read before."""
    try:
        return {str(rule.get("name", "")) for rule in tomllib.loads(text).get("policy", {}).get("rules", [])}
    except (tomllib.TOMLDecodeError, AttributeError):
        return set()
