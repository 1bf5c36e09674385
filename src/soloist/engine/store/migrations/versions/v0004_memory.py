"""The fourth schema: memory, facts, kinds of records, merges, retention, erasure, take-over; it only adds."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TEXTS = {
    "records": ("merged_into",),
    "record_versions": ("title", "state"),
    "contexts": ("retrieval",),
    "identities": ("ended_event",),
}
_JSONS = {"records": ("owners",), "record_versions": ("owners",), "contexts": ("packed",)}
_NUMBERS = {"records": ("schema",), "record_versions": ("schema",)}


def upgrade() -> None:
    """Add tables, columns and indexes; rows that exist stay as they are."""
    for table, names in _TEXTS.items():
        for name in names:
            op.add_column(table, _text(name))
    for table, names in _JSONS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text()))
    for table, names in _NUMBERS.items():
        for name in names:
            op.add_column(table, _number(name))
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_records_merged_into", "records", ["merged_into"])
    op.create_index("ix_record_versions_event", "record_versions", ["event"])
    _items()
    _vectors()
    _looked_up()
    _facts()
    _kinds()
    _merges()
    _sessions()
    _keeping()
    _imports()


def _text(name: str) -> sa.Column[str]:
    """Text that is never NULL; a new object each time, since a column belongs to one table."""
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _number(name: str) -> sa.Column[int]:
    """A 64-bit number that is never NULL."""
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _ordinal(name: str) -> sa.Column[int]:
    """A number that is the place of the row in SQLite's file."""
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, nullable=False, autoincrement=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [_text(name) for name in names]


def _jsons(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text()) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [_number(name) for name in names]


def _table(name: str, key: tuple[sa.Column[Any], ...], *columns: sa.Column[Any] | sa.Constraint) -> None:
    """A table with its key."""
    op.create_table(name, *key, *columns, sa.PrimaryKeyConstraint(*(part.name for part in key), name=f"pk_{name}"))


def _items() -> None:
    _table(
        "memories",
        (_ordinal("n"),),
        *_texts("id", "tier", "scope", "kind", "text", "hash", "source", "ref", "at", "actor", "thread"),
        *_numbers("ordinal"),
        *_texts("record", "asset"),
        *_numbers("span_from", "span_to"),
        *_jsons("origin"),
        *_texts("trust"),
        *_numbers("importance", "pinned"),
        *_jsons("tags", "detail"),
        *_texts("run", "created", "event", "ended", "ended_why", "expires", "superseded_by", "used"),
        *_numbers("uses"),
        sa.UniqueConstraint("id", name="uq_memories_id"),
    )
    op.create_index("ix_memories_ended", "memories", ["ended"])
    op.create_index("ix_memories_hash", "memories", ["hash"])
    op.create_index("ix_memories_record", "memories", ["record", "n"])
    op.create_index("ix_memories_ref", "memories", ["ref"])
    op.create_index("ix_memories_scope", "memories", ["scope", "n"])
    op.create_index("ix_memories_thread", "memories", ["thread", "ordinal"])
    op.create_index("ix_memories_tier_expires", "memories", ["tier", "expires"])


def _vectors() -> None:
    _table(
        "embedding_models",
        (_key("id"),),
        *_texts("name", "sha256", "tokenizer", "rule"),
        *_numbers("size"),
        *_texts("state", "created", "event", "ended"),
    )
    _table(
        "embeddings",
        (
            _key("model"),
            sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        ),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        *_texts("hash"),
    )


def _looked_up() -> None:
    _table(
        "retrievals",
        (_key("id"),),
        *_texts("run", "step", "actor", "query"),
        sa.Column("vector", sa.LargeBinary()),
        *_texts("model", "scope"),
        *_jsons("parameters"),
        *_texts("parameters_hash"),
        *_numbers("seq", "newest", "behind"),
        *_texts("at"),
        *_numbers("k"),
        *_jsons("hits"),
        *_texts("hits_hash"),
        *_jsons("detail"),
        *_texts("created"),
    )
    op.create_index("ix_retrievals_created", "retrievals", ["created", "id"])
    op.create_index("ix_retrievals_run", "retrievals", ["run"])
    _table(
        "context_memories",
        (
            _key("context"),
            sa.Column("place", sa.BigInteger(), nullable=False, autoincrement=False),
        ),
        *_texts("retrieval"),
        *_numbers("rank", "n"),
        *_texts("memory", "hash", "part"),
        *_numbers("span_from", "span_to"),
    )
    op.create_index("ix_context_memories_memory", "context_memories", ["memory"])


def _facts() -> None:
    _table(
        "facts",
        (_key("id"),),
        *_texts("record", "attribute"),
        *_jsons("value"),
        *_texts("valid_from", "valid_to", "source", "ref", "quote"),
        *_jsons("origin"),
        *_texts(
            "trust",
            "confidence",
            "expires",
            "state",
            "actor",
            "run",
            "created",
            "event",
            "ended",
            "ended_why",
            "superseded_by",
        ),
    )
    op.create_index("ix_facts_ended", "facts", ["ended"])
    op.create_index("ix_facts_record", "facts", ["record", "attribute"])
    op.create_index("ix_facts_ref", "facts", ["ref"])


def _kinds() -> None:
    _table(
        "record_kinds",
        (
            _key("kind"),
            sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        ),
        *_jsons("schema"),
        *_texts("hash", "source", "event", "at"),
    )
    _table(
        "relations",
        (_key("id"),),
        *_texts("record", "role", "other", "source", "event", "at", "ended"),
    )
    op.create_index("ix_relations_other", "relations", ["other", "role"])
    op.create_index("ix_relations_record", "relations", ["record"])


def _merges() -> None:
    _table(
        "merges",
        (_key("id"),),
        *_texts("state", "kind", "kept", "other"),
        *_numbers("score", "margin"),
        *_texts("rule"),
        *_jsons("evidence", "before", "choices"),
        *_texts("card", "who", "why", "created", "event", "ended", "closed"),
    )
    op.create_index("ix_merges_kept", "merges", ["kept"])
    op.create_index("ix_merges_other", "merges", ["other"])
    op.create_index("ix_merges_state", "merges", ["state", "created"])
    _table(
        "match_keys",
        (
            _key("key"),
            _key("record"),
        ),
    )
    op.create_index("ix_match_keys_record", "match_keys", ["record"])


def _sessions() -> None:
    _table(
        "work_sessions",
        (_key("id"),),
        *_texts("state", "scope", "title"),
        *_jsons("objectives", "expectations"),
        *_texts("summary", "carried_to", "who", "created", "updated", "closed"),
    )
    op.create_index("ix_work_sessions_state", "work_sessions", ["state", "created"])
    _table(
        "outcomes",
        (_key("id"),),
        *_texts("object", "kind", "metric", "value", "unit", "source", "ref"),
        *_jsons("detail"),
        *_texts("at", "created", "event"),
    )
    op.create_index("ix_outcomes_kind", "outcomes", ["kind", "at"])
    op.create_index("ix_outcomes_object", "outcomes", ["object", "at"])


def _keeping() -> None:
    _table(
        "retention_policies",
        (sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),),
        *_jsons("rules"),
        *_texts("hash", "who", "why", "event", "at"),
    )
    _table(
        "collections",
        (_key("id"),),
        *_numbers("policy", "dry"),
        *_jsons("counts"),
        *_texts("hash", "who", "event", "at"),
    )
    op.create_index("ix_collections_at", "collections", ["at"])
    _table(
        "snapshots",
        (_key("id"),),
        *_texts("label"),
        *_numbers("seq"),
        *_texts("root"),
        *_jsons("counts"),
        *_texts("who", "event", "at"),
    )
    _table(
        "erasures",
        (_key("id"),),
        *_texts("state", "subject", "subject_hash"),
        *_jsons("found", "proof"),
        *_texts("who", "why", "created", "event"),
        *_numbers("seq"),
        *_texts("done"),
    )


def _imports() -> None:
    _table(
        "imports",
        (_key("id"),),
        *_texts("state", "format", "kind", "name", "asset"),
        *_jsons("mapping", "counts", "report"),
        *_texts("who", "created", "updated", "event", "ended"),
    )
    _table(
        "import_rows",
        (
            _key("import"),
            sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        ),
        *_jsons("given", "read"),
        *_texts("outcome", "record"),
        *_numbers("version"),
        *_texts("match"),
        *_jsons("detail"),
    )
    op.create_index("ix_import_rows_outcome", "import_rows", ["import", "outcome"])
