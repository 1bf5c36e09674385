"""The busiest statements: compiled once, run on the driver's own connection; for transactions that are open already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa


class Statement:
    """A statement with named values that is compiled when it is first run on a kind of database.

    Values reach the driver as they are, so columns with types of our own (JSON) do not belong here.
    """

    def __init__(self, statement: Any) -> None:
        """``statement`` is any SQLAlchemy statement whose values are all given when it is run."""
        self._statement = statement
        self._compiled: dict[str, tuple[str, Sequence[str] | None]] = {}

    def compiled(self, dialect: sa.Dialect) -> tuple[str, Sequence[str] | None]:
        """The text for the driver, and the order of its values where they have no names there."""
        found = self._compiled.get(dialect.name)
        if found is None:
            text = self._statement.compile(dialect=dialect)
            found = self._compiled[dialect.name] = (str(text), text.positiontup if text.positional else None)
        return found


class Driver:
    """Runs statements where SQLAlchemy's own way would cost ten times what the database itself needs.

    Faults are raised as SQLAlchemy raises them (DBAPIError and its kinds), without the values.
    """

    def __init__(self, conn: sa.Connection) -> None:
        """``conn`` has begun its transaction, and stays the one who ends it."""
        driver: Any = conn.connection.driver_connection
        self._cursor, self._execute = driver.cursor, driver.execute
        self._dialect = conn.dialect
        self._error: type[Exception] = conn.dialect.loaded_dbapi.Error

    def plain(self, sql: str) -> None:
        """Run a text without values or answer."""
        try:
            self._execute(sql)
        except self._error as error:
            raise self._fault(sql, error) from error

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """The driver's cursor: ``fetchone`` answers a tuple or None, ``rowcount`` how many rows were written."""
        sql, names = statement.compiled(self._dialect)
        try:
            return self._execute(sql, values if names is None else [values[name] for name in names])
        except self._error as error:
            raise self._fault(sql, error) from error

    def many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run the statement once for each row."""
        sql, names = statement.compiled(self._dialect)
        given = rows if names is None else [[row[name] for name in names] for row in rows]
        try:
            self._cursor().executemany(sql, given)
        except self._error as error:
            raise self._fault(sql, error) from error

    def _fault(self, sql: str, error: Exception) -> BaseException:
        """A driver's error by SQLAlchemy's name."""
        return sa.exc.DBAPIError.instance(sql, None, error, self._error, dialect=self._dialect)
