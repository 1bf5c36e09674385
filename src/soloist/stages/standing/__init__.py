"""Standing rules: what the operator said once is kept to wherever it applies."""

from soloist.stages.standing.decide import Dressed, Facts, Rule, dress, fits, kept
from soloist.stages.standing.steps import Standing

__all__ = ["Dressed", "Facts", "Rule", "Standing", "dress", "fits", "kept"]
