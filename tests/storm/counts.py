"""The table at the end of a storm: every count that its tests print is said again, in the order of the promises."""

from __future__ import annotations

import re
from typing import Any

import pytest

PROMISED = re.compile(r"^(P\d+|J\d+|H\d+|Cost|Stop|spend|erasure|an import)(?:-P\d+)?\b.*:", re.MULTILINE)
"""A line that says how often a promise was tried and how often it was broken."""
_LINES: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the lines with counts; with several workers the reports come together in the process that prints."""
    if "storm" in report.keywords and report.when in ("call", "teardown"):
        lines = [line for line in report.capstdout.splitlines() if PROMISED.match(line)]
        _LINES.extend(line for line in lines if line not in _LINES)


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
