"""The stores that every test here runs on: SQLite and Postgres, fresh for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soloist.engine.store.store import Store
from tests.engine.store import databases

Opener = Callable[..., Store]


@pytest.fixture(params=databases.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, tmp_path: Path) -> str:
    return databases.migrated(kind, tmp_path)


@pytest.fixture
def opener(url: str) -> Iterator[Opener]:
    """Opens stores on one database, as several processes would."""
    opened: list[Store] = []

    def open_one(**options: object) -> Store:
        opened.append(Store(url, **options))  # type: ignore[arg-type]  # the options of Store
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> Store:
    return opener()
