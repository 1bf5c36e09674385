"""What the tests of the storm share: which of them run, the longest first, and where processes come from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.nursery import Nursery
from tests.storm.size import FULL

LONGEST = ("test_kill_points", "test_two_processes", "test_kill_storm", "test_bad_days", "test_failure_cards")
"""Files that begin first, so that two workers end at about the same time."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long belongs to the full storm, and what takes longest begins first."""
    late = [] if FULL else [item for item in items if item.get_closest_marker("night")]
    if late:
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if item not in late]
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts processes of the product in half a second."""
    made = Nursery()
    yield made
    made.end()
