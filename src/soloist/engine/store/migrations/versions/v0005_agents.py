"""The fifth schema: versions of agents, standing rules, corrections, calls of models, caps and spend; it only adds."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TEXTS: dict[str, tuple[str, ...]] = {"tasks": ("lane", "sla"), "runs": ("agent",)}
_JSONS: dict[str, tuple[str, ...]] = {
    "tasks": ("work",),
    "runs": ("made_with", "origin"),
    "assets": ("origin",),
    "messages": ("origin",),
    "contexts": ("origin",),
    "proposals": ("origin",),
}
_NUMBERS: dict[str, tuple[str, ...]] = {"runs": ("cost_micro", "tokens")}


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
    _versions()
    _rules()
    _corrections()
    _thresholds()
    _calls()
    _caps()
    _night()


def _text(name: str) -> sa.Column[str]:
    """Text that is never NULL; a new object each time, since a column belongs to one table."""
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _number(name: str) -> sa.Column[int]:
    """A 64-bit number that is never NULL."""
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [_text(name) for name in names]


def _jsons(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text()) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [_number(name) for name in names]


def _table(name: str, key: tuple[sa.Column[Any], ...], *columns: sa.Column[Any] | sa.Constraint) -> None:
    """A table with its key."""
    op.create_table(name, *key, *columns, sa.PrimaryKeyConstraint(*(part.name for part in key), name=f"pk_{name}"))


def _versions() -> None:
    _table(
        "published",
        (_key("id"),),
        *_texts("kind", "name", "version", "hash"),
        *_jsons("content"),
        *_texts("source"),
        *_jsons("tested"),
        *_texts("who", "why", "at", "event"),
        sa.UniqueConstraint("kind", "name", "version", "hash", name="uq_published_name"),
    )
    op.create_index("ix_published_hash", "published", ["hash"])
    _table(
        "releases",
        (
            _key("kind"),
            _key("name"),
        ),
        *_texts("version", "before"),
        *_numbers("pinned"),
        *_texts("state", "state_why", "who", "why", "at", "event"),
    )
    _table(
        "packages",
        (
            _key("name"),
            _key("hash"),
        ),
        *_texts("version", "state", "source"),
        *_jsons("content", "granted", "contracts", "tried"),
        *_texts("why", "who", "at", "decided", "event"),
    )
    op.create_index("ix_packages_state", "packages", ["state", "name"])
    op.create_index("ix_runs_agent", "runs", ["agent", "started"])


def _rules() -> None:
    _table(
        "standing_rules",
        (_key("id"),),
        *_texts("rule"),
        *_numbers("version"),
        *_texts("state", "scope", "subject", "said"),
        *_jsons("reading"),
        *_texts("hash"),
        *_jsons("tried"),
        *_numbers("repeats"),
        *_texts("who", "at", "event", "ended", "ended_why"),
        sa.UniqueConstraint("rule", "version", name="uq_standing_rules_version"),
    )
    op.create_index("ix_standing_rules_state", "standing_rules", ["state", "scope", "subject"])
    _table(
        "rule_uses",
        (
            _key("rule"),
            _key("object"),
        ),
        *_texts("run", "what", "at"),
    )
    op.create_index("ix_rule_uses_object", "rule_uses", ["object"])


def _corrections() -> None:
    _table(
        "corrections",
        (_key("id"),),
        *_texts("kind", "object", "run", "agent", "skill", "sort", "language", "context"),
        *_jsons("input", "given", "wanted"),
        *_texts("reason"),
        *_numbers("distance"),
        *_texts("state", "who", "at", "event"),
        sa.UniqueConstraint("object", "event", name="uq_corrections_event"),
    )
    op.create_index("ix_corrections_agent", "corrections", ["agent", "at"])
    op.create_index("ix_corrections_skill", "corrections", ["skill", "sort", "at"])
    op.create_index("ix_corrections_state", "corrections", ["state", "at"])
    _table(
        "trials",
        (_key("id"),),
        *_texts("kind", "name", "candidate", "baseline", "state"),
        *_jsons("totals"),
        *_texts("who", "started", "ended", "event"),
    )
    op.create_index("ix_trials_name", "trials", ["kind", "name", "started"])
    _table(
        "trial_rows",
        (
            _key("trial"),
            sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        ),
        *_texts("object", "outcome"),
        *_jsons("before", "after", "detail"),
    )
    op.create_index("ix_trial_rows_outcome", "trial_rows", ["trial", "outcome"])
    _kept_calls()


def _kept_calls() -> None:
    _table(
        "skill_calls",
        (
            _key("run"),
            _key("step"),
            sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        ),
        *_texts("skill", "version"),
        *_jsons("input"),
        *_texts("blob"),
        *_jsons("output"),
        *_texts("at"),
    )
    op.create_index("ix_skill_calls_skill", "skill_calls", ["skill", "at"])
    _table(
        "call_values",
        (_key("hash"),),
        *_texts("value"),
        *_numbers("pinned"),
        *_texts("at"),
    )
    op.create_index("ix_call_values_at", "call_values", ["pinned", "at"])
    _table(
        "wordings",
        (_key("id"),),
        *_texts("skill", "sort", "language", "old", "new"),
        *_numbers("cases"),
        *_texts("state", "who", "at", "event", "ended"),
    )
    op.create_index("ix_wordings_state", "wordings", ["state", "language"])


def _thresholds() -> None:
    _table(
        "thresholds",
        (
            _key("skill"),
            _key("language"),
            _key("grouping"),
        ),
        *_numbers("value", "labels", "right", "bound"),
        *_texts("state"),
        *_jsons("detail"),
        *_texts("at", "event"),
    )
    _table(
        "samples",
        (_key("id"),),
        *_texts("object", "skill", "language", "grouping"),
        *_numbers("confidence"),
        *_texts("label", "outcome", "card", "at", "judged"),
        *_numbers("alone"),
        *_texts("wanted", "drawn"),
        sa.UniqueConstraint("object", "skill", name="uq_samples_object"),
    )
    op.create_index("ix_samples_skill", "samples", ["skill", "at"])
    op.create_index("ix_samples_drawn", "samples", ["drawn", "outcome"])
    _table(
        "intents",
        (_key("name"),),
        *_texts("title", "lead", "target"),
        *_jsons("examples"),
        *_texts("source", "who", "at", "event", "ended"),
    )


def _calls() -> None:
    _table(
        "model_calls",
        (_key("id"),),
        *_texts("run", "step"),
        *_numbers("attempt"),
        *_texts("key", "agent", "skill", "flow", "client", "task"),
        *_numbers("tier"),
        *_texts("provider", "model", "state"),
        *_jsons("request", "response"),
        *_texts("recording", "fault", "said"),
        *_numbers("tokens_in", "tokens_out", "tokens_cached", "reserved_micro", "cost_micro"),
        *_texts("currency"),
        *_jsons("price"),
        *_numbers("milliseconds"),
        *_jsons("origin", "detail"),
        *_texts("worker", "created", "ended"),
        sa.UniqueConstraint("run", "step", "attempt", name="uq_model_calls_attempt"),
    )
    op.create_index("ix_model_calls_agent", "model_calls", ["agent", "created"])
    op.create_index("ix_model_calls_created", "model_calls", ["created", "id"])
    op.create_index("ix_model_calls_key", "model_calls", ["key"])
    op.create_index("ix_model_calls_state", "model_calls", ["state", "created"])
    _table(
        "recordings",
        (_key("key"),),
        *_texts("provider", "model", "author"),
        *_jsons("request", "response"),
        *_texts("call", "source"),
        *_numbers("uses"),
        *_texts("created", "used"),
    )
    op.create_index("ix_recordings_model", "recordings", ["model", "created"])


def _caps() -> None:
    _table(
        "caps",
        (_key("id"),),
        *_texts("scope", "subject", "span", "measure"),
        *_numbers("most", "extra"),
        *_texts("extra_until", "currency"),
        *_jsons("alerts"),
        *_texts("state", "who", "why", "at", "event"),
        sa.UniqueConstraint("scope", "subject", "span", "measure", name="uq_caps_scope"),
    )
    _table(
        "spent",
        (
            _key("scope"),
            _key("subject"),
            _key("period"),
        ),
        *_numbers("held_micro", "held_tokens", "spent_micro", "spent_tokens", "calls", "runs", "saved_micro"),
        *_texts("at"),
    )
    _table(
        "cap_alerts",
        (
            _key("cap"),
            _key("period"),
            sa.Column("share", sa.BigInteger(), nullable=False, autoincrement=False),
        ),
        *_texts("card", "at"),
    )


def _night() -> None:
    _table(
        "night_jobs",
        (_key("id"),),
        *_texts("run", "task", "provider", "batch", "state"),
        *_jsons("request", "response"),
        *_texts("due", "created", "sent", "ended"),
    )
    op.create_index("ix_night_jobs_state", "night_jobs", ["state", "due"])
