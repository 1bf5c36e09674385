"""What the tests of the storm share: every count they print is said again in one table at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.nursery import Nursery
from tests.storm.size import FULL

PROMISED = re.compile(r"^(P\d+|J\d+|H\d+|Cost|Stop)(?:-P\d+)?\b.*:", re.MULTILINE)
"""A line that says how often a promise was tried and how often it was broken."""
_LINES: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the lines with counts."""
    if report.when in ("call", "teardown"):
        lines = [line for line in report.capstdout.splitlines() if PROMISED.match(line)]
        _LINES.extend(line for line in lines if line not in _LINES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long belongs to the full storm."""
    late = [] if FULL else [item for item in items if item.get_closest_marker("night")]
    if late:
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if item not in late]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One table of the promises, in their order."""
    if _LINES:
        terminalreporter.section("what the storm counted")
        for line in sorted(_LINES, key=_order):
            terminalreporter.write_line(line)


def _order(line: str) -> tuple[int, str]:
    """By the number of the promise."""
    found = re.match(r"P(\d+)", line)
    return (int(found[1]) if found else 99, line)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts processes of the product in half a second."""
    made = Nursery()
    yield made
    made.end()
