"""The schema on disk: what the migrations build is what the code expects, and no home is changed without a copy."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from soloist.engine.store import base, migrate
from soloist.engine.store.tables import metadata
from soloist.kernel.errors import StoreTrouble
from tests.engine.store import databases


def _schema(url: str) -> dict[str, list[str]]:
    with databases.engine(url).connect() as conn:
        seen = sa.inspect(conn)
        return {table: sorted(c["name"] for c in seen.get_columns(table)) for table in seen.get_table_names()}


def _declared(table: str) -> bool:
    """Whether a table stands in the code: the full-text index and its parts are made in another way on each store."""
    return table != "alembic_version" and not table.startswith("search_words")


def _plain(value: object) -> str:
    """The same text for the same thing, conditions of indexes included."""
    return str({k: _plain(v) for k, v in value.items()}) if isinstance(value, dict) else str(value)


def _reflected(url: str) -> dict[str, str]:
    """Each table's columns, keys and indexes as text, without the table of the migrations themselves."""
    found = {}
    with databases.engine(url).connect() as conn:
        seen = sa.inspect(conn)
        for table in sorted(n for n in seen.get_table_names() if _declared(n)):
            parts = [seen.get_columns(table), [seen.get_pk_constraint(table)]]
            parts += [seen.get_unique_constraints(table), seen.get_indexes(table)]
            found[table] = "\n".join(sorted(_plain(item) for part in parts for item in part))
    return found


def _mark(url: str, version: str) -> None:
    with databases.engine(url).begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num=:v"), {"v": version})


def test_migrated_database_has_no_difference_to_the_code(url: str) -> None:
    with databases.engine(url).connect() as conn:
        options = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or _declared(name)}
        context = MigrationContext.configure(conn, opts=options)
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
    with pytest.raises(StoreTrouble, match=r"schema 9999; this version knows up to 0005.*Nothing was changed"):
        migrate.prepare(url, tmp_path / "backups")
    assert _schema(url) == before
    assert not (tmp_path / "backups").exists()


def test_first_schema_names_no_table_of_the_code() -> None:
    """A released migration must not change when the code's tables do."""
    text = (Path(migrate.__file__).parent / "migrations/versions/v0001_first.py").read_text(encoding="utf-8")
    assert "soloist.engine" not in text


def _at_first_schema(url: str) -> None:
    """A database as the first version left it, with one message in it."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with databases.engine(url).begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        conn.execute(migrate.journal_head.insert().values(one=1, seq=0, hash=""))
        conn.execute(sa.text("INSERT INTO messages (id, subject) VALUES ('m1', 'A new site')"))


def test_a_home_of_the_first_version_is_migrated_with_its_rows(kind: str, tmp_path: Path) -> None:
    url = databases.empty(kind, tmp_path)
    _at_first_schema(url)
    migrate.prepare(url, tmp_path / "backups")
    with databases.engine(url).connect() as conn:
        assert migrate.current(conn) == migrate.HEAD
        assert conn.execute(sa.text("SELECT subject, place FROM messages")).all() == [("A new site", "")]


def test_a_file_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    """The copy is complete although the log was not written back."""
    url = databases.empty("sqlite", tmp_path)
    _at_first_schema(url)
    migrate.prepare(url, tmp_path / "backups")
    copy = base.reader(base.sqlite_url(tmp_path / "backups" / f"before-{migrate.HEAD}-from-0001.db"))
    with copy.connect() as conn:
        assert migrate.current(conn) == "0001"
        assert conn.execute(sa.text("SELECT subject FROM messages")).scalar() == "A new site"
    copy.dispose()


def test_failed_migration_changes_nothing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = databases.empty(kind, tmp_path)

    def fail(*_args: object) -> None:
        raise OSError("the disk went away")

    monkeypatch.setattr(migrate.journal_head, "insert", fail)
    with pytest.raises(OSError, match="disk"):
        migrate.prepare(url)
    assert _schema(url) == {}
