"""Memory: what is remembered and how it is found again, and the frozen context that one agent run saw."""

from soloist.stages.memory.decide import Search
from soloist.stages.memory.looking import Retrieval
from soloist.stages.memory.steps import Memory

__all__ = ["Memory", "Retrieval", "Search"]
