"""The busiest statements: compiled once, run on the driver's own connection; for transactions that are open already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

Pick = Callable[[Mapping[str, Any]], Any]
"""Named values in the form the driver takes them: in order, or as they are."""


class Statement:
    """A statement with named values that is compiled when it is first run on a kind of database.

    Values reach the driver as they are, so columns with types of our own (JSON) do not belong here.
    """

    def __init__(self, statement: Any) -> None:
        """``statement`` is any SQLAlchemy statement whose values are all given when it is run."""
        self._statement = statement
        self._compiled: dict[str, tuple[str, Pick]] = {}

    def compiled(self, dialect: sa.Dialect) -> tuple[str, Pick]:
        """The text for the driver, and how it takes its values."""
        found = self._compiled.get(dialect.name)
        if found is None:
            text = self._statement.compile(dialect=dialect)
            pick = _in_order(text.positiontup or ()) if text.positional else dict
            found = self._compiled[dialect.name] = (str(text), pick)
        return found


def _in_order(names: Sequence[str]) -> Pick:
    """The values of these names as a tuple."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


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
        sql, pick = statement.compiled(self._dialect)
        try:
            return self._execute(sql, pick(values))
        except self._error as error:
            raise self._fault(sql, error) from error

    def many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run the statement once for each row."""
        sql, pick = statement.compiled(self._dialect)
        try:
            self._cursor().executemany(sql, list(map(pick, rows)))
        except self._error as error:
            raise self._fault(sql, error) from error

    def all(self, statement: Statement, values: Mapping[str, Any]) -> list[Any]:
        """Every row as a tuple."""
        found: list[Any] = self.run(statement, values).fetchall()
        return found

    def first(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, None when there is no row."""
        row = self.run(statement, values).fetchone()
        return row[0] if row else None

    def _fault(self, sql: str, error: Exception) -> BaseException:
        """A driver's error by SQLAlchemy's name."""
        return sa.exc.DBAPIError.instance(sql, None, error, self._error, dialect=self._dialect)


def reading(conn: sa.Connection) -> Driver:
    """A driver for reads on the snapshot of a connection, which is taken now unless it was before."""
    if not conn.in_transaction():
        conn.begin()
    return Driver(conn)
