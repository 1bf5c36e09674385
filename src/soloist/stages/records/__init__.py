"""Records: who a message is from, what is written about them, and changes that a person decides."""

from soloist.stages.records.steps import Records

__all__ = ["Records"]
