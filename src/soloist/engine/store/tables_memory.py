"""Tables of memory: items, vectors, what was looked up and used, facts, merges, retention, erasure, take-over.

Every row that can be seen "as of" an instant names the journal event that began it (``event``) and the one that ended
it (``ended``, empty while it lasts); the sequence of those events orders everything.
"""

from __future__ import annotations

import sqlalchemy as sa

from soloist.engine.store.columns import integer as _int
from soloist.engine.store.columns import json_text as _json
from soloist.engine.store.columns import metadata
from soloist.engine.store.columns import text as _text

memories = sa.Table(
    "memories",
    metadata,
    sa.Column("n", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    _text("id", unique=True),
    _text("tier"),
    _text("scope"),
    _text("kind"),
    _text("text"),
    _text("hash"),
    _text("source"),
    _text("ref"),
    _text("at"),
    _text("actor"),
    _text("thread"),
    _int("ordinal"),
    _text("record"),
    _text("asset"),
    _int("span_from"),
    _int("span_to"),
    _json("origin"),
    _text("trust"),
    _int("importance"),
    _int("pinned"),
    _json("tags"),
    _json("detail"),
    _text("run"),
    _text("created"),
    _text("event"),
    _text("ended"),
    _text("ended_why"),
    _text("expires"),
    _text("superseded_by"),
    _text("used"),
    _int("uses"),
    sa.Index("ix_memories_scope", "scope", "n"),
    sa.Index("ix_memories_thread", "thread", "ordinal"),
    sa.Index("ix_memories_record", "record", "n"),
    sa.Index("ix_memories_ref", "ref"),
    sa.Index("ix_memories_hash", "hash"),
    sa.Index("ix_memories_tier_expires", "tier", "expires"),
    sa.Index("ix_memories_ended", "ended"),
)

embedding_models = sa.Table(
    "embedding_models",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("sha256"),
    _text("tokenizer"),
    _text("rule"),
    _int("size"),
    _text("state"),
    _text("created"),
    _text("event"),
    _text("ended"),
)

embeddings = sa.Table(
    "embeddings",
    metadata,
    _text("model", primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    _text("hash"),
)

retrievals = sa.Table(
    "retrievals",
    metadata,
    _text("id", primary_key=True),
    _text("run"),
    _text("step"),
    _text("actor"),
    _text("query"),
    sa.Column("vector", sa.LargeBinary),
    _text("model"),
    _text("scope"),
    _json("parameters"),
    _text("parameters_hash"),
    _int("seq"),
    _int("newest"),
    _int("behind"),
    _text("at"),
    _int("k"),
    _json("hits"),
    _text("hits_hash"),
    _json("detail"),
    _text("created"),
    sa.Index("ix_retrievals_created", "created", "id"),
    sa.Index("ix_retrievals_run", "run"),
)

context_memories = sa.Table(
    "context_memories",
    metadata,
    _text("context", primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("retrieval"),
    _int("rank"),
    _int("n"),
    _text("memory"),
    _text("hash"),
    _text("part"),
    _int("span_from"),
    _int("span_to"),
    sa.Index("ix_context_memories_memory", "memory"),
)

facts = sa.Table(
    "facts",
    metadata,
    _text("id", primary_key=True),
    _text("record"),
    _text("attribute"),
    _json("value"),
    _text("valid_from"),
    _text("valid_to"),
    _text("source"),
    _text("ref"),
    _text("quote"),
    _json("origin"),
    _text("trust"),
    _text("confidence"),
    _text("expires"),
    _text("state"),
    _text("actor"),
    _text("run"),
    _text("created"),
    _text("event"),
    _text("ended"),
    _text("ended_why"),
    _text("superseded_by"),
    sa.Index("ix_facts_record", "record", "attribute"),
    sa.Index("ix_facts_ended", "ended"),
    sa.Index("ix_facts_ref", "ref"),
)

record_kinds = sa.Table(
    "record_kinds",
    metadata,
    _text("kind", primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    _json("schema"),
    _text("hash"),
    _text("source"),
    _text("event"),
    _text("at"),
)

relations = sa.Table(
    "relations",
    metadata,
    _text("id", primary_key=True),
    _text("record"),
    _text("role"),
    _text("other"),
    _text("source"),
    _text("event"),
    _text("at"),
    _text("ended"),
    sa.Index("ix_relations_record", "record"),
    sa.Index("ix_relations_other", "other", "role"),
)

merges = sa.Table(
    "merges",
    metadata,
    _text("id", primary_key=True),
    _text("state"),
    _text("kind"),
    _text("kept"),
    _text("other"),
    _int("score"),
    _int("margin"),
    _text("rule"),
    _json("evidence"),
    _json("before"),
    _json("choices"),
    _text("card"),
    _text("who"),
    _text("why"),
    _text("created"),
    _text("event"),
    _text("ended"),
    _text("closed"),
    sa.Index("ix_merges_state", "state", "created"),
    sa.Index("ix_merges_kept", "kept"),
    sa.Index("ix_merges_other", "other"),
)

match_keys = sa.Table(
    "match_keys",
    metadata,
    _text("key", primary_key=True),
    _text("record", primary_key=True),
    sa.Index("ix_match_keys_record", "record"),
)

work_sessions = sa.Table(
    "work_sessions",
    metadata,
    _text("id", primary_key=True),
    _text("state"),
    _text("scope"),
    _text("title"),
    _json("objectives"),
    _json("expectations"),
    _text("summary"),
    _text("carried_to"),
    _text("who"),
    _text("created"),
    _text("updated"),
    _text("closed"),
    sa.Index("ix_work_sessions_state", "state", "created"),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    _text("id", primary_key=True),
    _text("object"),
    _text("kind"),
    _text("metric"),
    _text("value"),
    _text("unit"),
    _text("source"),
    _text("ref"),
    _json("detail"),
    _text("at"),
    _text("created"),
    _text("event"),
    sa.Index("ix_outcomes_object", "object", "at"),
    sa.Index("ix_outcomes_kind", "kind", "at"),
)

retention_policies = sa.Table(
    "retention_policies",
    metadata,
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    _json("rules"),
    _text("hash"),
    _text("who"),
    _text("why"),
    _text("event"),
    _text("at"),
)

collections = sa.Table(
    "collections",
    metadata,
    _text("id", primary_key=True),
    _int("policy"),
    _int("dry"),
    _json("counts"),
    _text("hash"),
    _text("who"),
    _text("event"),
    _text("at"),
    sa.Index("ix_collections_at", "at"),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    _text("id", primary_key=True),
    _text("label"),
    _int("seq"),
    _text("root"),
    _json("counts"),
    _text("who"),
    _text("event"),
    _text("at"),
)

erasures = sa.Table(
    "erasures",
    metadata,
    _text("id", primary_key=True),
    _text("state"),
    _text("subject"),
    _text("subject_hash"),
    _json("found"),
    _json("proof"),
    _text("who"),
    _text("why"),
    _text("created"),
    _text("event"),
    _int("seq"),
    _text("done"),
)

imports = sa.Table(
    "imports",
    metadata,
    _text("id", primary_key=True),
    _text("state"),
    _text("format"),
    _text("kind"),
    _text("name"),
    _text("asset"),
    _json("mapping"),
    _json("counts"),
    _json("report"),
    _text("who"),
    _text("created"),
    _text("updated"),
    _text("event"),
    _text("ended"),
)

import_rows = sa.Table(
    "import_rows",
    metadata,
    _text("import", primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    _json("given"),
    _json("read"),
    _text("outcome"),
    _text("record"),
    _int("version"),
    _text("match"),
    _json("detail"),
    sa.Index("ix_import_rows_outcome", "import", "outcome"),
)
