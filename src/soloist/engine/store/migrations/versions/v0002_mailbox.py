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
    op.add_column("messages", _text("date"))
    op.create_index("ix_messages_sender", "messages", ["sender"])
    op.add_column("effects", sa.Column("late", sa.Text()))
    op.create_index("ix_effects_key", "effects", ["key"])
    _streams()
    _thread_ids()
    _labels()
    _workers()
    _search()


def _text(name: str) -> sa.Column[str]:
    """Text that is never NULL; a new object each time, since a column belongs to one table."""
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _number(name: str) -> sa.Column[int]:
    """A 64-bit number that is never NULL."""
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _streams() -> None:
    op.create_table(
        "intake_streams",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        _text("cursor"),
        _text("state"),
        _number("done"),
        _number("total"),
        _text("trouble"),
        _text("updated"),
        sa.PrimaryKeyConstraint("connection", "stream", name="pk_intake_streams"),
    )


def _thread_ids() -> None:
    op.create_table(
        "thread_ids",
        sa.Column("ref", sa.Text(), nullable=False),
        _text("conversation"),
        sa.PrimaryKeyConstraint("ref", name="pk_thread_ids"),
    )
    op.create_index("ix_thread_ids_conversation", "thread_ids", ["conversation"])


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


def _search() -> None:
    """The full-text index keeps words without their text; it is filled from the journal after the server started."""
    op.create_table(
        "search_rows",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("ref"),
        _number("digest"),
        sa.PrimaryKeyConstraint("n", name="pk_search_rows"),
    )
    op.create_index("uq_search_rows_ref", "search_rows", ["ref"], unique=True)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TABLE search_words (n BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
        op.execute("CREATE INDEX ix_search_words ON search_words USING gin (words)")
        return
    op.execute(
        "CREATE VIRTUAL TABLE search_words USING fts5(words, content='', contentless_delete=1, prefix='2 3', "
        "tokenize=\"ascii tokenchars '_'\")"
    )
