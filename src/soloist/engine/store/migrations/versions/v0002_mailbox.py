"""The second schema: streams of a mailbox with their cursors, the operator's labels, processes; it only adds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add tables and columns; rows that exist stay as they are."""
    op.add_column("messages", sa.Column("flags", sa.Text()))
    op.add_column("messages", _text("place"))
    op.add_column("messages", sa.Column("summary", sa.Text()))
    op.add_column("effects", sa.Column("late", sa.Text()))
    _streams()
    _labels()
    _workers()


def _text(name: str) -> sa.Column[str]:
    """Text that is never NULL; a new object each time, since a column belongs to one table."""
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _number(name: str) -> sa.Column[int]:
    """A 64-bit number that is never NULL."""
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _streams() -> None:
    op.create_table(
        "streams",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        _text("cursor"),
        _text("state"),
        _number("done"),
        _number("total"),
        _text("trouble"),
        _text("updated"),
        sa.PrimaryKeyConstraint("connection", "stream", name="pk_streams"),
    )


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("id", sa.Text(), nullable=False),
        *(_text(name) for name in ("message", "skill", "label", "was", "source", "who", "at")),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
    )
    op.create_index("ix_labels_skill_at", "labels", ["skill", "at"])
    op.create_index("ix_labels_message", "labels", ["message"])


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("boot", sa.Text(), nullable=False),
        *(_text(name) for name in ("kind", "executor", "host")),
        _number("pid"),
        *(_text(name) for name in ("started", "seen", "ended")),
        sa.PrimaryKeyConstraint("boot", name="pk_workers"),
    )
