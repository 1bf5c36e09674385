"""Memory: the frozen context that one agent run saw; retrieval of more than a thread comes with the memory part."""

from soloist.stages.memory.steps import Memory

__all__ = ["Memory"]
