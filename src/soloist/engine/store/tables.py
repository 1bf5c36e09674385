"""Every table of Soloist, in portable SQLAlchemy Core; engine checkpoints live in tables of their own.

Conventions: ids are UUIDv7 text, instants are UTC ISO 8601 text with microseconds (they sort), money is minor units,
JSON is compact text with sorted keys so that the bytes that were hashed are the bytes that are stored.
"""

from __future__ import annotations

import sqlalchemy as sa

from soloist.engine.store import tables_agents as tables_agents  # so that the metadata is whole
from soloist.engine.store import tables_memory as tables_memory
from soloist.engine.store import tables_out as tables_out
from soloist.engine.store import tables_spend as tables_spend
from soloist.engine.store.columns import integer as _int
from soloist.engine.store.columns import json_text as _json
from soloist.engine.store.columns import metadata as metadata
from soloist.engine.store.columns import text as _text

meta = sa.Table("meta", metadata, _text("key", primary_key=True), _text("value"))

journal_head = sa.Table(
    "journal_head",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
    _int("seq"),
    _text("hash"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    _text("id", unique=True),
    _text("source"),
    _text("external_id"),
    _text("kind"),
    _text("subject"),
    _text("run"),
    _text("actor"),
    _text("at"),
    sa.Column("body", sa.Text),
    sa.Column("salt", sa.LargeBinary),
    _text("body_hash"),
    _text("hash"),
    sa.UniqueConstraint("source", "external_id"),
    sa.Index("ix_events_subject_seq", "subject", "seq"),
    sa.Index("ix_events_kind_seq", "kind", "seq"),
    sa.Index("ix_events_run_seq", "run", "seq"),
    sa.Index("ix_events_at", "at"),
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    _text("hash"),
    _text("at"),
    _text("signature"),
)

assets = sa.Table(
    "assets",
    metadata,
    _text("hash", primary_key=True),
    _int("size"),
    _text("mime"),
    sa.Column("bytes", sa.LargeBinary),
    _text("path"),
    _text("at"),
    _json("origin"),
)

records = sa.Table(
    "records",
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _int("version"),
    _text("title"),
    _text("state"),
    _json("body"),
    _text("created"),
    _text("updated"),
    _int("schema"),
    _json("owners"),
    _text("merged_into"),
    sa.Index("ix_records_merged_into", "merged_into"),
    sa.Index("ix_records_kind_updated", "kind", "updated", "id"),
)

record_versions = sa.Table(
    "record_versions",
    metadata,
    _text("record", primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    _json("body"),
    _text("actor"),
    _text("reason"),
    _text("event"),
    _text("run"),
    _text("at"),
    _text("title"),
    _text("state"),
    _int("schema"),
    _json("owners"),
    sa.Index("ix_record_versions_event", "event"),
)

identities = sa.Table(
    "identities",
    metadata,
    _text("id", primary_key=True),
    _text("scheme"),
    _text("value"),
    _text("record"),
    _text("rule"),
    _json("evidence"),
    _text("event"),
    _text("at"),
    _text("ended"),
    _text("ended_event"),
    sa.Index(
        "uq_identities_live",
        "scheme",
        "value",
        unique=True,
        sqlite_where=sa.text("ended=''"),
        postgresql_where=sa.text("ended=''"),
    ),
    sa.Index("ix_identities_record", "record"),
)

conversations = sa.Table(
    "conversations",
    metadata,
    _text("id", primary_key=True),
    _text("record"),
    _text("channel"),
    _text("subject"),
    _text("state"),
    _text("head"),
    _text("last_in"),
    _text("last_out"),
    _text("created"),
    sa.Index("ix_conversations_record", "record"),
)

messages = sa.Table(
    "messages",
    metadata,
    _text("id", primary_key=True),
    _text("conversation"),
    _text("event"),
    _text("direction"),
    _text("message_id"),
    _text("sender"),
    _text("sender_name"),
    _text("answer_to"),
    _json("recipients"),
    _text("subject"),
    _text("text"),
    _text("asset"),
    _text("at"),
    _text("kind"),
    _text("language"),
    _text("text_hash"),
    _json("references"),
    _json("attachments"),
    _json("automatic"),
    _json("defects"),
    _json("understanding"),
    _json("flags"),
    _text("place"),
    _json("summary"),
    _text("date"),
    _json("origin"),
    sa.Index("ix_messages_sender", "sender"),
    sa.Index("ix_messages_conversation_at", "conversation", "at"),
    sa.Index("ix_messages_message_id", "message_id"),
    sa.Index("ix_messages_event", "event"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    _text("id", primary_key=True),
    _text("type"),
    _text("state"),
    _text("waits_for"),
    _text("title"),
    _text("subject"),
    _text("subject_kind"),
    _text("record"),
    _text("conversation"),
    _text("run"),
    _text("why"),
    _json("detail"),
    _json("options"),
    _json("estimate"),
    _int("value_minor"),
    _text("currency"),
    _int("judgement"),
    _text("deadline"),
    _text("at_expiry"),
    _text("snoozed_until"),
    _text("created"),
    _text("updated"),
    _text("closed"),
    _json("decision"),
    _text("urgency"),
    _text("bundle"),
    _text("delegate"),
    _text("shown"),
    _json("seen"),
    _json("work"),
    _text("lane"),
    _text("sla"),
    sa.Index("ix_tasks_state_created", "state", "waits_for", "created", "id"),
    sa.Index("ix_tasks_subject", "subject"),
)

notes = sa.Table(
    "annotations",
    metadata,
    _text("id", primary_key=True),
    _text("object"),
    _text("kind"),
    _text("body"),
    _text("actor"),
    _text("at"),
    sa.Index("ix_annotations_object", "object", "at"),
)

contexts = sa.Table(
    "contexts",
    metadata,
    _text("id", primary_key=True),
    _text("run"),
    _json("records"),
    _json("messages"),
    _text("house_book"),
    _json("parameters"),
    _text("hash"),
    _text("at"),
    _text("retrieval"),
    _json("packed"),
    _json("origin"),
    sa.Index("ix_contexts_run", "run"),
)

proposals = sa.Table(
    "proposals",
    metadata,
    _text("id", primary_key=True),
    _text("noun"),
    _text("source"),
    _text("source_ref"),
    _text("run"),
    _text("agent"),
    _text("connector"),
    _text("operation"),
    _json("payload"),
    _text("payload_hash"),
    _json("assets"),
    _int("version", 1),
    _text("state"),
    _text("class"),
    _text("risk"),
    _text("undo"),
    _text("way_back"),
    _text("reason"),
    _json("evidence"),
    _json("questions"),
    _text("confidence"),
    _int("cost_micro"),
    _text("record"),
    _text("conversation"),
    _text("thread_head"),
    _text("context"),
    _text("policy_version"),
    _text("expires"),
    _text("created"),
    _text("updated"),
    _text("superseded_by"),
    _int("hold_ms"),
    _text("primitive"),
    _text("audience"),
    _text("bundle"),
    _int("place"),
    _int("amount_minor"),
    _text("currency"),
    _json("recipients"),
    _json("flags"),
    _json("origin"),
    sa.Index("ix_proposals_bundle", "bundle"),
    sa.Index("ix_proposals_operation_created", "connector", "operation", "created"),
    sa.Index("ix_proposals_state_created", "state", "created", "id"),
    sa.Index("ix_proposals_conversation", "conversation"),
    sa.Index("ix_proposals_run", "run"),
    sa.Index(
        "uq_proposals_source_ref",
        "source",
        "source_ref",
        unique=True,
        sqlite_where=sa.text("source_ref<>''"),
        postgresql_where=sa.text("source_ref<>''"),
    ),
)

proposal_versions = sa.Table(
    "proposal_versions",
    metadata,
    _text("proposal", primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    _json("payload"),
    _text("payload_hash"),
    _text("actor"),
    _text("at"),
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    _text("id", primary_key=True),
    _text("proposal"),
    _text("payload_hash"),
    _text("answer"),
    _text("rule"),
    _text("reason"),
    _text("policy_version"),
    _text("mode"),
    _text("when"),
    _text("grant"),
    _json("gates"),
    _json("trace"),
    _text("at"),
    sa.Index("ix_verdicts_proposal", "proposal"),
)

approvals = sa.Table(
    "approvals",
    metadata,
    _text("id", primary_key=True),
    _text("proposal"),
    _text("payload_hash"),
    _text("decision"),
    _text("who"),
    _text("via"),
    _text("reason"),
    _json("edits"),
    _text("seal"),
    _text("at"),
    _text("until"),
    sa.Index("ix_approvals_proposal", "proposal", "at"),
)

effects = sa.Table(
    "effects",
    metadata,
    _text("id", primary_key=True),
    _int("ordinal"),
    _text("proposal"),
    _text("group"),
    _text("run"),
    _text("source_ref"),
    _text("connector"),
    _text("operation"),
    _text("class"),
    _text("state"),
    _int("version", 1),
    _int("attempts"),
    _text("key"),
    _text("provider_ref"),
    _text("payload_hash"),
    _text("request_hash"),
    _text("not_before"),
    _text("boot"),
    _json("evidence"),
    _json("undo_plan"),
    _text("undoes"),
    _text("created"),
    _text("updated"),
    _text("first_attempt"),
    _int("lookups"),
    _json("late"),
    _text("waits"),
    sa.UniqueConstraint("proposal", "group"),
    sa.Index("ix_effects_provider_ref", "connector", "provider_ref"),
    sa.Index("ix_effects_state", "state", "not_before"),
    sa.Index("ix_effects_ordinal", "ordinal"),
    sa.Index("ix_effects_key", "key"),
)

effect_attempts = sa.Table(
    "effect_attempts",
    metadata,
    _text("effect", primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    _text("boot"),
    _text("request_hash"),
    _text("started"),
    _text("ended"),
    _text("outcome"),
    _text("evidence"),
)

runs = sa.Table(
    "runs",
    metadata,
    _text("id", primary_key=True),
    _text("flow"),
    _text("version"),
    _text("parent"),
    _text("input"),
    _text("subject"),
    _text("state"),
    _text("note"),
    _text("error"),
    _text("started"),
    _text("ended"),
    _text("agent"),
    _json("origin"),
    _json("made_with"),
    _int("cost_micro"),
    _int("tokens"),
    sa.Index("ix_runs_started", "started", "id"),
    sa.Index("ix_runs_state_started", "state", "started", "id"),
    sa.Index(
        "ix_runs_pending",
        "started",
        sqlite_where=sa.text("state='pending'"),
        postgresql_where=sa.text("state='pending'"),
    ),
    sa.Index("ix_runs_parent", "parent"),
    sa.Index("ix_runs_agent", "agent", "started"),
)

run_steps = sa.Table(
    "run_steps",
    metadata,
    _text("run", primary_key=True),
    _text("step", primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    _int("position"),
    _json("input"),
    _json("output"),
    _json("detail"),
    _text("started"),
    _text("ended"),
    _text("error"),
)

operators = sa.Table("operators", metadata, _text("id", primary_key=True), _text("password"))

sessions = sa.Table(
    "sessions",
    metadata,
    _text("id", primary_key=True),
    _text("csrf"),
    _text("created"),
    _text("used"),
    _text("expires"),
    _text("agent"),
    _text("ended"),
)

links = sa.Table(
    "links",
    metadata,
    _text("id", primary_key=True),
    _text("purpose"),
    _text("created"),
    _text("expires"),
    _text("used"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    _text("id", primary_key=True),
    _text("name", unique=True),
    _json("scopes"),
    _text("created"),
    _text("expires"),
    _text("used"),
    _text("ended"),
)

secrets = sa.Table(
    "secrets", metadata, _text("name", primary_key=True), sa.Column("sealed", sa.LargeBinary), _text("updated")
)

streams = sa.Table(
    "intake_streams",  # the durable engine has a table "streams" in the same SQLite file
    metadata,
    _text("connection", primary_key=True),
    _text("stream", primary_key=True),
    _text("cursor"),
    _text("state"),
    _int("done"),
    _int("total"),
    _text("trouble"),
    _text("updated"),
)

thread_ids = sa.Table(
    "thread_ids",
    metadata,
    _text("ref", primary_key=True),
    _text("conversation"),
    sa.Index("ix_thread_ids_conversation", "conversation"),
)

labels = sa.Table(
    "labels",
    metadata,
    _text("id", primary_key=True),
    _text("message"),
    _text("skill"),
    _text("label"),
    _text("was"),
    _text("source"),
    _text("who"),
    _text("at"),
    sa.Index("ix_labels_skill_at", "skill", "at"),
    sa.Index("ix_labels_message", "message"),
)

workers = sa.Table(
    "workers",
    metadata,
    _text("boot", primary_key=True),
    _text("kind"),
    _text("executor"),
    _text("host"),
    _int("pid"),
    _text("started"),
    _text("seen"),
    _text("ended"),
)

search_rows = sa.Table(
    "search_rows",  # what the full-text index "search_words" stands for; that one differs between the stores
    metadata,
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("ref"),
    _int("digest"),
    sa.Index("uq_search_rows_ref", "ref", unique=True),
)
