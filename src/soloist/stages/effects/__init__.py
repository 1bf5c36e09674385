"""Effects: the one door out; every life of an approved proposal at the outside, at most once without a person's word."""

from soloist.stages.effects.steps import Effects, open_door

__all__ = ["Effects", "open_door"]
