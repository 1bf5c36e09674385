"""What nothing uses goes back to the operating system, and a C library that cannot do so is no trouble."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from soloist.flows import sparing


def test_what_is_free_is_given_back() -> None:
    """A block is freed below one that stays, so only trimming can give it back."""
    low = [ctypes.create_string_buffer(60_000) for _ in range(400)]
    top = ctypes.create_string_buffer(60_000)
    del low
    assert sparing.give_back()
    assert len(top) == 60_000


def test_another_c_library_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_name: Any) -> Any:
        return object()

    monkeypatch.setattr(ctypes, "CDLL", none)
    assert not sparing.give_back()
