"""The code budgets of the source and of the tests; prints the figures whether they hold or not."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

from tests.house.figures import beyond, measure, percentile, table

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "soloist"


def test_the_source_keeps_its_budgets(capsys: pytest.CaptureFixture[str]) -> None:
    figures = measure(SOURCE)
    with capsys.disabled():
        print(f"\n\n{table(figures)}\n")
    assert not beyond(figures), "\n".join(beyond(figures))


def test_the_tests_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    figures = measure(ROOT / "tests", module_ceiling=800)
    tests = [f.lines for f in figures.functions if f.place.partition(" ")[2].startswith("test_")]
    middle = statistics.median(tests)
    with capsys.disabled():
        print(f"\n{len(tests)} tests, lines: median {middle:.0f}, p90 {percentile(tests, 90)}, max {max(tests)}\n")
    too_long = [fault for fault in figures.faults if "the ceiling is" in fault]
    assert middle <= 12
    assert not too_long, "\n".join(too_long)


def test_the_error_tree_fits_on_a_page() -> None:
    tree = ast.parse((SOURCE / "kernel" / "errors.py").read_text(encoding="utf-8"))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert 1 <= len(classes) <= 15, classes


def test_the_composition_root_stays_small() -> None:
    lines = (SOURCE / "app.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150, f"app.py has {len(lines)} lines"
