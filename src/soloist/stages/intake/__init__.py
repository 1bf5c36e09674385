"""Intake: what arrives is kept and committed before it is acknowledged, then read and put on its thread."""

from soloist.stages.intake.steps import Intake

__all__ = ["Intake"]
