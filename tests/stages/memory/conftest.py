"""The stores that memory runs on: SQLite and Postgres, fresh for each test."""

from tests.engine.store.conftest import kind, opener, store, url

__all__ = ["kind", "opener", "store", "url"]
