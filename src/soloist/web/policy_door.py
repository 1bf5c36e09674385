"""The console's way to policy: rules in plain words, grants, trying a change on the past; it holds no rule."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from soloist.app import App
from soloist.config import Rule
from soloist.engine.stopping import standing
from soloist.flows.desk import Desk
from soloist.flows.ruling import Ruling, Trial
from soloist.insight import explanation, policy, routing
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

    async def routing(self) -> tuple[routing.Group, ...]:
        """Every rule that routes something, as it is in force now."""
        desk, now = self._app.desk, self._ruling.now
        given, kinds = await self._app.store.read(lambda conn: routing.stored(conn, now))
        halted = await self._app.store.read(lambda conn: standing(conn, desk.effects.halt))
        there = routing.Standing(
            tuple(_source(desk, name) for name in desk.connections),
            tuple((rule.name, rule.when, rule.then) for rule in self._app.judging.rules.written),
            given,
            kinds,
            desk.takers,
            tuple(f"{one.way}, by {one.by}" for one in halted),
        )
        return routing.groups(self._app.settings, there)

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


def _source(desk: Desk, name: str) -> routing.Source:
    """A connection as the page of routes needs it; a broken one has no streams."""
    half = desk.connections[name]
    try:
        streams = tuple(half.streams())
    except (ValueError, KeyError):
        streams = ()
    part = desk.settings.connectors.get(name)
    hook = bool(part and part.webhook_secret)
    return routing.Source(name, half.kind, streams, tuple(half.operations()), not desk.observe_only(name), hook)


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
