"""The third schema: policy versions, grants, autonomy, sagas, mismatches, failures, decision codes; it only adds."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEXTS = {
    "tasks": ("urgency", "bundle", "delegate", "shown"),
    "proposals": ("primitive", "audience", "bundle", "currency"),
    "verdicts": ("grant",),
    "effects": ("waits",),
}
_JSONS = {"tasks": ("seen",), "proposals": ("recipients", "flags"), "verdicts": ("gates",)}
_NUMBERS = {"proposals": ("place", "amount_minor")}


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
    op.create_index("ix_proposals_bundle", "proposals", ["bundle"])
    op.create_index("ix_proposals_operation_created", "proposals", ["connector", "operation", "created"])
    op.create_index("ix_effects_provider_ref", "effects", ["connector", "provider_ref"])
    _policy()
    _undoing()
    _troubles()
    _codes()


def _text(name: str) -> sa.Column[str]:
    """Text that is never NULL; a new object each time, since a column belongs to one table."""
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _number(name: str) -> sa.Column[int]:
    """A 64-bit number that is never NULL."""
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _table(name: str, key: tuple[str, ...], *columns: sa.Column[Any]) -> None:
    """A table with text keys."""
    keys = (sa.Column(part, sa.Text(), nullable=False) for part in key)
    op.create_table(name, *keys, *columns, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"))


def _texts(*names: str) -> list[sa.Column[str]]:
    return [_text(name) for name in names]


def _jsons(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text()) for name in names]


def _policy() -> None:
    _table(
        "policies",
        ("version",),
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        *_jsons("rules"),
        *_texts("source", "who", "why", "at"),
    )
    op.create_index("ix_policies_n", "policies", ["n"])
    _table(
        "grants",
        ("id",),
        *_texts("state", "title", "connector", "operation", "agent", "level"),
        *_jsons("gates"),
        *_texts("when", "mode", "window"),
        _number("limit_minor"),
        _text("currency"),
        _number("per_day"),
        *_texts("source", "proposal"),
        *_jsons("basis"),
        *_texts("who", "why", "created", "until", "ended", "ended_why"),
    )
    op.create_index("ix_grants_state", "grants", ["state", "connector", "operation"])
    _table(
        "autonomy",
        ("agent", "operations"),
        _text("level"),
        *(_number(name) for name in ("straight", "decided", "edited")),
        *_texts("offered", "changed", "why"),
    )


def _undoing() -> None:
    _table(
        "sagas",
        ("id",),
        *_texts("bundle", "state"),
        *_jsons("steps"),
        *_texts("who", "why", "created", "updated"),
    )
    op.create_index("ix_sagas_bundle", "sagas", ["bundle"])


def _troubles() -> None:
    _table(
        "mismatches",
        ("id",),
        *_texts("connector", "kind", "state", "title", "ref", "effect", "record"),
        *_jsons("inside", "outside", "fields", "decision"),
        *_texts("first_seen", "last_seen", "closed"),
    )
    op.create_index("ix_mismatches_state", "mismatches", ["state", "connector"])
    _table(
        "failures",
        ("id",),
        *_texts("kind", "state", "title", "why", "where", "input", "trace", "done"),
        *_jsons("options", "runs"),
        _number("times"),
        *_texts("first_seen", "last_seen", "closed"),
    )
    op.create_index("ix_failures_state", "failures", ["state", "last_seen"])


def _codes() -> None:
    _table(
        "decision_codes",
        ("id",),
        *_texts("card", "option", "payload_hash", "kind", "sent_to", "created", "expires", "used", "outcome"),
    )
    op.create_index("ix_decision_codes_card", "decision_codes", ["card"])
