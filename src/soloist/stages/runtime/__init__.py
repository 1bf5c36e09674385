"""Runtime: agents run here; at tier 0 an agent is an ordered use of skills, and it returns proposals, never acts."""

from soloist.kernel.agent import AgentSpec
from soloist.stages.runtime.agents import read_agent
from soloist.stages.runtime.steps import Runtime

__all__ = ["AgentSpec", "Runtime", "read_agent"]
