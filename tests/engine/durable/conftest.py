"""A store for each engine test: on SQLite, or on both kinds where a test asks for ``kind``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from soloist.engine.store.store import Store
from tests.engine.durable.rig import Steps
from tests.engine.store import databases


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def url(kind: str, tmp_path: Path) -> str:
    return databases.migrated(kind, tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    yield opened
    opened.close()


@pytest.fixture
def steps(store: Store) -> Steps:
    return Steps(store)
