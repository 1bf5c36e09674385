"""Judging: policy as one pure function of a proposal's facts, asked when it is made, edited, and about to leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        self._own = settings.business.email.casefold()
        self.observe_only: Callable[[str], bool] = lambda _connector: False

    def judge(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The verdict on the facts of one proposal, now."""
        verdict = asdict(policy.judge(self.rules, policy.Facts(**facts, now=self._clock().astimezone(self._zone))))
        if verdict["answer"] == "ask" and self._to_oneself(facts):
            verdict |= {"answer": "allow", "rule": "built in: letters to yourself", "mode": "audit"}
        if verdict["answer"] == "allow" and self.observe_only(str(facts["connector"])):
            verdict |= {"answer": "ask", "reason": f"{facts['connector']} only reads until you allow it to send."}
        return verdict

    def _to_oneself(self, facts: Mapping[str, Any]) -> bool:
        """Whether it is a letter of Soloist to the operator's own address and nobody else."""
        to = [str(address).casefold() for address in facts["recipients"]]
        return facts["source"] == "soloist" and facts["operation"] == "mail.send" and to == [self._own]

    def hindered(self, connector: str) -> str:
        """Why nothing may leave by a connection although a person approves, "" when it may."""
        if not self.observe_only(connector):
            return ""
        return (
            f"{connector} only reads for now, so nothing can be sent by it and the card stays open. "
            f"Allow it under Settings, Mailboxes, or run: soloist connect allow-sending {connector}"
        )

    def still_allowed(self, proposal: Mapping[str, Any]) -> str:
        """Policy once more, right before something leaves: "" or why not. ``approved_by`` is "approve" or "allow"."""
        if why := self.hindered(proposal["connector"]):
            return why
        verdict = self.judge(facts_for_policy(proposal, proposal["payload"]))
        if verdict["answer"] == "deny":
            return f"Policy denies it by now: {verdict['reason']}"
        if verdict["answer"] == "ask" and proposal["approved_by"] == "allow":
            return f"Policy asks for your word by now: {verdict['reason']}"
        return ""
