"""Policy: which proposal may leave, which waits for the operator's word, which is refused; it carries nothing out."""

from soloist.stages.policy import gates, grants, ladder, links, looked, rulebook, taint, unusual
from soloist.stages.policy.decide import INTERNAL, Rules, compile_rules, judge
from soloist.stages.policy.facts import FIELDS, RATES, Facts
from soloist.stages.policy.gates import GATES
from soloist.stages.policy.grants import Grant
from soloist.stages.policy.looked import Looked
from soloist.stages.policy.replay import Former, Replayed, replay

__all__ = [
    "FIELDS",
    "GATES",
    "INTERNAL",
    "RATES",
    "Facts",
    "Former",
    "Grant",
    "Looked",
    "Replayed",
    "Rules",
    "compile_rules",
    "gates",
    "grants",
    "judge",
    "ladder",
    "links",
    "looked",
    "replay",
    "rulebook",
    "taint",
    "unusual",
]
