"""Records: who a message is from, what is written about them, schemas and owners, changes that a person decides."""

from soloist.stages.records.owners import may_write, split
from soloist.stages.records.steps import NewRecord, Records

__all__ = ["NewRecord", "Records", "may_write", "split"]
