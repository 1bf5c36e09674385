"""Columns: the metadata every table belongs to and the few kinds of columns there are."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Json(TypeDecorator[Any]):
    """A JSON value as compact text with sorted keys."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Serialise; None stays NULL."""
        return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """Parse; NULL is None."""
        return None if value is None else json.loads(value)


def text(name: str, *args: Any, **options: Any) -> sa.Column[str]:
    """A text column that is never NULL; empty means nothing."""
    options.setdefault("nullable", False)
    if not options.get("primary_key"):
        options.setdefault("server_default", "")
    return sa.Column(name, sa.Text, *args, **options)


def integer(name: str, default: int = 0, **options: Any) -> sa.Column[int]:
    """A 64-bit integer column that is never NULL."""
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=str(default), **options)


def json_text(name: str, **options: Any) -> sa.Column[Any]:
    """A JSON column; NULL means not given."""
    return sa.Column(name, Json, **options)
