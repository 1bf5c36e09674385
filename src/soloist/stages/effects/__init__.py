"""Effects: the one door out; every approved proposal's life outside, at most once without a person's word."""

from soloist.stages.effects.steps import Effects, open_door
from soloist.stages.effects.waiting import turn_of, wake_bundle

__all__ = ["Effects", "open_door", "turn_of", "wake_bundle"]
