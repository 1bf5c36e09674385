"""The error tree: whose turn it is, whether anything left the house, and the sentence the operator reads.

SoloistError
|-- BadInput            the caller sent something malformed              caller   nothing left
|   `-- BadConfig       soloist.toml has a wrong key or value            operator nothing left
|-- NotFound            no such object                                   caller   nothing left
|-- NotAllowed          the token, session or policy forbids it          operator nothing left
|-- Conflict            the object is not in the state the call assumes  caller   nothing left
|   |-- StaleVersion    a record was written with an old version         caller   nothing left
|   |-- StaleHash       an approval names bytes that have changed        caller   nothing left
|   `-- SameIdOtherBody an event id arrived again with another payload   caller   nothing left
|-- TooLarge            the input is over a stated limit                 caller   nothing left
|-- TooMany             a rate limit was reached                         retry    nothing left
|-- CapReached          a cap of spend would be passed                   operator nothing left
|-- ModelTrouble        a model gave no answer that can be used          retry    perhaps a question to the model
|-- StoreTrouble        the database is newer, locked, full or damaged   operator nothing left
`-- WorkerTrouble       the limited worker died or ran out of time       retry    nothing left
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

Turn = Literal["retry", "operator", "author", "caller", "nobody"]
LeftHouse = Literal["no", "yes", "unknown"]


class SoloistError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    turn: ClassVar[Turn] = "operator"
    left_house: ClassVar[LeftHouse] = "no"

    def __init__(self, detail: str = "", *, field: str | None = None, **extra: Any) -> None:
        """Carry a plain sentence, the field it is about, and facts a caller may show (JSON values)."""
        super().__init__(detail or (type(self).__doc__ or "").strip())
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.field = field
        self.extra = extra


class BadInput(SoloistError):
    """The input is not of the shape that is needed here."""

    status = 422
    turn: ClassVar[Turn] = "caller"


class BadConfig(BadInput):
    """The configuration has a key or value that cannot be used."""

    turn = "operator"


class NotFound(SoloistError):
    """There is nothing with this id."""

    status = 404
    turn = "caller"


class NotAllowed(SoloistError):
    """This is not allowed for the one who asked."""

    status = 403


class Conflict(SoloistError):
    """The object is no longer in the state this call assumes."""

    status = 409
    turn = "caller"


class StaleVersion(Conflict):
    """The record has changed since it was read."""

    status = 412


class StaleHash(Conflict):
    """The content has changed since it was looked at; nothing was approved."""


class SameIdOtherBody(Conflict):
    """This event id was already received with another payload; nothing was stored."""


class TooLarge(SoloistError):
    """The input is larger than the stated limit."""

    status = 413
    turn = "caller"


class TooMany(SoloistError):
    """Too many calls in a short time; wait and try again."""

    status = 429
    turn = "retry"


class CapReached(SoloistError):
    """A cap on spending would be passed; nothing was asked."""

    status = 402


class ModelTrouble(SoloistError):
    """A model gave no answer that can be used; ``extra["fault"]`` is the kind of fault (kernel.model.Fault)."""

    status = 502
    turn: ClassVar[Turn] = "retry"
    left_house: ClassVar[LeftHouse] = "unknown"


class StoreTrouble(SoloistError):
    """The database cannot be used as it is."""

    status = 503


class WorkerTrouble(SoloistError):
    """The reading process stopped before it had an answer."""

    status = 503
    turn = "retry"
