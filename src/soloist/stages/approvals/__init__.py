"""Approvals: proposals become cards, people decide on exact bytes, time boxes end in something stated."""

from soloist.stages.approvals.decide import agent_of, facts_for_policy
from soloist.stages.approvals.decide import row as proposed_row
from soloist.stages.approvals.steps import Approvals, Decision

__all__ = ["Approvals", "Decision", "agent_of", "facts_for_policy", "proposed_row"]
