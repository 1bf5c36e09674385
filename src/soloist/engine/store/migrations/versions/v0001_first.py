"""The first schema, as it was released: it never changes; what comes later is a migration of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    for create in (
        _annotations,
        _approvals,
        _assets,
        _checkpoints,
        _contexts,
        _conversations,
        _effect_attempts,
        _effects,
        _events,
        _identities,
        _journal_head,
        _links,
        _messages,
        _meta,
        _operators,
        _proposal_versions,
        _proposals,
        _record_versions,
        _records,
        _run_steps,
        _runs,
        _secrets,
        _sessions,
        _tasks,
        _tokens,
        _verdicts,
    ):
        create()


def _annotations() -> None:
    op.create_table(
        "annotations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_annotations"),
    )
    op.create_index("ix_annotations_object", "annotations", ["object", "at"])


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("proposal", sa.Text(), server_default="", nullable=False),
        sa.Column("payload_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column("via", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("edits", sa.Text(), nullable=True),
        sa.Column("seal", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
    )
    op.create_index("ix_approvals_proposal", "approvals", ["proposal", "at"])


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("mime", sa.Text(), server_default="", nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=True),
        sa.Column("path", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_assets"),
    )


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.Column("signature", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_checkpoints"),
    )


def _contexts() -> None:
    op.create_table(
        "contexts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), server_default="", nullable=False),
        sa.Column("records", sa.Text(), nullable=True),
        sa.Column("messages", sa.Text(), nullable=True),
        sa.Column("house_book", sa.Text(), server_default="", nullable=False),
        sa.Column("parameters", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contexts"),
    )
    op.create_index("ix_contexts_run", "contexts", ["run"])


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("head", sa.Text(), server_default="", nullable=False),
        sa.Column("last_in", sa.Text(), server_default="", nullable=False),
        sa.Column("last_out", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_record", "conversations", ["record"])


def _effect_attempts() -> None:
    op.create_table(
        "effect_attempts",
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot", sa.Text(), server_default="", nullable=False),
        sa.Column("request_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("started", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("effect", "n", name="pk_effect_attempts"),
    )


def _effects() -> None:
    op.create_table(
        "effects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("proposal", sa.Text(), server_default="", nullable=False),
        sa.Column("group", sa.Text(), server_default="", nullable=False),
        sa.Column("run", sa.Text(), server_default="", nullable=False),
        sa.Column("source_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("connector", sa.Text(), server_default="", nullable=False),
        sa.Column("operation", sa.Text(), server_default="", nullable=False),
        sa.Column("class", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("provider_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("payload_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("request_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("not_before", sa.Text(), server_default="", nullable=False),
        sa.Column("boot", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("undo_plan", sa.Text(), nullable=True),
        sa.Column("undoes", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.Text(), server_default="", nullable=False),
        sa.Column("updated", sa.Text(), server_default="", nullable=False),
        sa.Column("first_attempt", sa.Text(), server_default="", nullable=False),
        sa.Column("lookups", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_effects"),
        sa.UniqueConstraint("proposal", "group", name="uq_effects_proposal_group"),
    )
    op.create_index("ix_effects_ordinal", "effects", ["ordinal"])
    op.create_index("ix_effects_state", "effects", ["state", "not_before"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("run", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("body_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("hash", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
        sa.UniqueConstraint("source", "external_id", name="uq_events_source_external_id"),
    )
    op.create_index("ix_events_kind_seq", "events", ["kind", "seq"])
    op.create_index("ix_events_run_seq", "events", ["run", "seq"])
    op.create_index("ix_events_subject_seq", "events", ["subject", "seq"])


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.Column("record", sa.Text(), server_default="", nullable=False),
        sa.Column("rule", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("event", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
    )
    op.create_index("ix_identities_record", "identities", ["record"])
    op.create_index(
        "uq_identities_live",
        "identities",
        ["scheme", "value"],
        unique=True,
        sqlite_where=sa.text("ended=''"),
        postgresql_where=sa.text("ended=''"),
    )


def _journal_head() -> None:
    op.create_table(
        "journal_head",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hash", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_journal_head"),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.Text(), server_default="", nullable=False),
        sa.Column("expires", sa.Text(), server_default="", nullable=False),
        sa.Column("used", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), server_default="", nullable=False),
        sa.Column("event", sa.Text(), server_default="", nullable=False),
        sa.Column("direction", sa.Text(), server_default="", nullable=False),
        sa.Column("message_id", sa.Text(), server_default="", nullable=False),
        sa.Column("sender", sa.Text(), server_default="", nullable=False),
        sa.Column("sender_name", sa.Text(), server_default="", nullable=False),
        sa.Column("answer_to", sa.Text(), server_default="", nullable=False),
        sa.Column("recipients", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("asset", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("text_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("references", sa.Text(), nullable=True),
        sa.Column("attachments", sa.Text(), nullable=True),
        sa.Column("automatic", sa.Text(), nullable=True),
        sa.Column("defects", sa.Text(), nullable=True),
        sa.Column("understanding", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_conversation_at", "messages", ["conversation", "at"])
    op.create_index("ix_messages_event", "messages", ["event"])
    op.create_index("ix_messages_message_id", "messages", ["message_id"])


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )


def _operators() -> None:
    op.create_table(
        "operators",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
    )


def _proposal_versions() -> None:
    op.create_table(
        "proposal_versions",
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("payload_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("proposal", "version", name="pk_proposal_versions"),
    )


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("noun", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("source_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("run", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("connector", sa.Text(), server_default="", nullable=False),
        sa.Column("operation", sa.Text(), server_default="", nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("payload_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("assets", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("class", sa.Text(), server_default="", nullable=False),
        sa.Column("risk", sa.Text(), server_default="", nullable=False),
        sa.Column("undo", sa.Text(), server_default="", nullable=False),
        sa.Column("way_back", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("questions", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Text(), server_default="", nullable=False),
        sa.Column("cost_micro", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("record", sa.Text(), server_default="", nullable=False),
        sa.Column("conversation", sa.Text(), server_default="", nullable=False),
        sa.Column("thread_head", sa.Text(), server_default="", nullable=False),
        sa.Column("context", sa.Text(), server_default="", nullable=False),
        sa.Column("policy_version", sa.Text(), server_default="", nullable=False),
        sa.Column("expires", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.Text(), server_default="", nullable=False),
        sa.Column("updated", sa.Text(), server_default="", nullable=False),
        sa.Column("superseded_by", sa.Text(), server_default="", nullable=False),
        sa.Column("hold_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
    )
    op.create_index("ix_proposals_conversation", "proposals", ["conversation"])
    op.create_index("ix_proposals_run", "proposals", ["run"])
    op.create_index("ix_proposals_state_created", "proposals", ["state", "created", "id"])
    op.create_index(
        "uq_proposals_source_ref",
        "proposals",
        ["source", "source_ref"],
        unique=True,
        sqlite_where=sa.text("source_ref<>''"),
        postgresql_where=sa.text("source_ref<>''"),
    )


def _record_versions() -> None:
    op.create_table(
        "record_versions",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("event", sa.Text(), server_default="", nullable=False),
        sa.Column("run", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("record", "version", name="pk_record_versions"),
    )


def _records() -> None:
    op.create_table(
        "records",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created", sa.Text(), server_default="", nullable=False),
        sa.Column("updated", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_records"),
    )
    op.create_index("ix_records_kind_updated", "records", ["kind", "updated", "id"])


def _run_steps() -> None:
    op.create_table(
        "run_steps",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("input", sa.Text(), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("started", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("run", "step", "n", name="pk_run_steps"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("parent", sa.Text(), server_default="", nullable=False),
        sa.Column("input", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("started", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_parent", "runs", ["parent"])
    op.create_index(
        "ix_runs_pending",
        "runs",
        ["started"],
        unique=False,
        sqlite_where=sa.text("state='pending'"),
        postgresql_where=sa.text("state='pending'"),
    )
    op.create_index("ix_runs_started", "runs", ["started", "id"])
    op.create_index("ix_runs_state_started", "runs", ["state", "started", "id"])


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("updated", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.Text(), server_default="", nullable=False),
        sa.Column("used", sa.Text(), server_default="", nullable=False),
        sa.Column("expires", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("waits_for", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("subject_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("record", sa.Text(), server_default="", nullable=False),
        sa.Column("conversation", sa.Text(), server_default="", nullable=False),
        sa.Column("run", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("options", sa.Text(), nullable=True),
        sa.Column("estimate", sa.Text(), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), server_default="", nullable=False),
        sa.Column("judgement", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("deadline", sa.Text(), server_default="", nullable=False),
        sa.Column("at_expiry", sa.Text(), server_default="", nullable=False),
        sa.Column("snoozed_until", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.Text(), server_default="", nullable=False),
        sa.Column("updated", sa.Text(), server_default="", nullable=False),
        sa.Column("closed", sa.Text(), server_default="", nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_state_created", "tasks", ["state", "waits_for", "created", "id"])
    op.create_index("ix_tasks_subject", "tasks", ["subject"])


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("created", sa.Text(), server_default="", nullable=False),
        sa.Column("expires", sa.Text(), server_default="", nullable=False),
        sa.Column("used", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("name", name="uq_tokens_name"),
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("proposal", sa.Text(), server_default="", nullable=False),
        sa.Column("payload_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("rule", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("policy_version", sa.Text(), server_default="", nullable=False),
        sa.Column("mode", sa.Text(), server_default="", nullable=False),
        sa.Column("when", sa.Text(), server_default="", nullable=False),
        sa.Column("trace", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
    )
    op.create_index("ix_verdicts_proposal", "verdicts", ["proposal"])
