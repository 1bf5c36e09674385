"""Fail points: how the environment names one."""

import pytest

from soloist.engine.failpoint import read


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("called", ("called", 1)),
        ("committed:7", ("committed", 7)),
        ("before:receive", ("before:receive", 1)),
        ("after:record sent:2", ("after:record sent", 2)),
        ("", ("", 1)),
    ],
)
def test_a_point_is_read_with_its_count(text: str, point: tuple[str, int]):
    assert read(text) == point
