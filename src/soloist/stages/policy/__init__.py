"""Policy: which proposal may leave, which waits for the operator's word, which is refused; it carries nothing out."""

from soloist.stages.policy.decide import Facts, Rules, compile_rules, judge

__all__ = ["Facts", "Rules", "compile_rules", "judge"]
