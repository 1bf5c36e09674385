"""Judging: policy as one pure function of a proposal's facts, asked when it is made, edited, and about to leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from soloist.config import Settings
from soloist.engine.store.clock import Clock
from soloist.stages import policy
from soloist.stages.approvals import facts_for_policy


class Judging:
    """The operator's rules with the operator's clock."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Compile the rules (BadConfig names rule, line and column)."""
        self.rules = policy.compile_rules(settings.policy.rules)
        self._zone, self._clock = settings.business.zone, clock

    def judge(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The verdict on the facts of one proposal, now."""
        verdict = policy.judge(self.rules, policy.Facts(**facts, now=self._clock().astimezone(self._zone)))
        return asdict(verdict)

    def still_allowed(self, proposal: Mapping[str, Any]) -> str:
        """Policy once more, right before something leaves: "" or why not. ``approved_by`` is "approve" or "allow"."""
        verdict = self.judge(facts_for_policy(proposal, proposal["payload"]))
        if verdict["answer"] == "deny":
            return f"Policy denies it by now: {verdict['reason']}"
        if verdict["answer"] == "ask" and proposal["approved_by"] == "allow":
            return f"Policy asks for your word by now: {verdict['reason']}"
        return ""
