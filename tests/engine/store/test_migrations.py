"""The schema on disk: what the migrations build is what the code expects, and no home is changed without a copy."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from soloist.engine.store import base, migrate, settings
from soloist.engine.store.store import Store
from soloist.engine.store.tables import metadata
from soloist.kernel.errors import StoreTrouble
from tests.engine.store import databases


def _schema(url: str) -> dict[str, list[str]]:
    with databases.engine(url).connect() as conn:
        seen = sa.inspect(conn)
        return {table: sorted(c["name"] for c in seen.get_columns(table)) for table in seen.get_table_names()}


def _plain(value: object) -> str:
    """The same text for the same thing, conditions of indexes included."""
    return str({k: _plain(v) for k, v in value.items()}) if isinstance(value, dict) else str(value)


def _reflected(url: str) -> dict[str, str]:
    """Each table's columns, keys and indexes as text, without the table of the migrations themselves."""
    found = {}
    with databases.engine(url).connect() as conn:
        seen = sa.inspect(conn)
        for table in set(seen.get_table_names()) - {"alembic_version"}:
            parts = [seen.get_columns(table), [seen.get_pk_constraint(table)]]
            parts += [seen.get_unique_constraints(table), seen.get_indexes(table)]
            found[table] = "\n".join(sorted(_plain(item) for part in parts for item in part))
    return found


def _mark(url: str, version: str) -> None:
    with databases.engine(url).begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num=:v"), {"v": version})


def test_migrated_database_has_no_difference_to_the_code(url: str) -> None:
    with databases.engine(url).connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrated_database_is_built_like_the_declared_one(kind: str, url: str, tmp_path: Path) -> None:
    """Defaults and conditions of indexes too, which the comparison above does not see."""
    declared = databases.empty(kind, tmp_path)
    metadata.create_all(databases.engine(declared))
    wanted, built = _reflected(declared), _reflected(url)
    assert set(wanted) == set(metadata.tables)
    assert built == wanted


def test_preparing_twice_is_harmless(kind: str, tmp_path: Path) -> None:
    url = databases.empty(kind, tmp_path)
    migrate.prepare(url, tmp_path / "backups")
    before = _schema(url)
    migrate.prepare(url, tmp_path / "backups")
    assert _schema(url) == before
    assert not (tmp_path / "backups").exists()


def test_prepared_database_starts_an_empty_journal(url: str) -> None:
    with databases.engine(url).connect() as conn:
        assert conn.execute(sa.text("SELECT one, seq, hash FROM journal_head")).all() == [(1, 0, "")]


def test_newer_schema_is_refused_and_left_alone(url: str, tmp_path: Path) -> None:
    _mark(url, "9999")
    before = _schema(url)
    with pytest.raises(StoreTrouble, match=r"schema 9999; this version knows up to 0001.*Nothing was changed"):
        migrate.prepare(url, tmp_path / "backups")
    assert _schema(url) == before
    assert not (tmp_path / "backups").exists()


def test_first_schema_names_no_table_of_the_code() -> None:
    """A released migration must not change when the code's tables do."""
    text = (Path(migrate.__file__).parent / "migrations/versions/v0001_first.py").read_text(encoding="utf-8")
    assert "soloist.engine" not in text


def test_a_file_is_copied_before_it_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older version is feigned by its number; the copy is complete although the log was not written back."""
    url = databases.migrated("sqlite", tmp_path)
    store = Store(url)
    store.write_now(lambda tx: settings.put(tx, "name", "Studio Linde"))
    monkeypatch.setattr(migrate, "KNOWN", ("0000", "0001"))
    monkeypatch.setattr(migrate, "_upgrade", lambda engine: _mark(url, "0001"))
    _mark(url, "0000")
    migrate.prepare(url, tmp_path / "backups")
    store.close()
    copy = Store(base.sqlite_url(tmp_path / "backups" / "before-0001-from-0000.db"))
    assert copy.read_now(lambda c: settings.value(c, "name")) == "Studio Linde"
    assert copy.read_now(migrate.current) == "0000"
    copy.close()


def test_failed_migration_changes_nothing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = databases.empty(kind, tmp_path)

    def fail(*_args: object) -> None:
        raise OSError("the disk went away")

    monkeypatch.setattr(migrate.journal_head, "insert", fail)
    with pytest.raises(OSError, match="disk"):
        migrate.prepare(url)
    assert _schema(url) == {}
