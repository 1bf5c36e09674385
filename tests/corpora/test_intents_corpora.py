"""Routing of public intents through the product's own router, on a part of them; the whole is in the benchmarks."""

from __future__ import annotations

import pytest

from bench import intents

pytestmark = pytest.mark.corpora


def test_a_part_of_the_public_intents_is_routed(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # fixtures
    monkeypatch.setattr(intents, "CACHE", tmp_path / "vectors")
    found = {figure.name: figure.value for figure in intents.run(small=12)}
    assert found["intents: right, 10 examples each"] >= 0.92
    assert found["intents: right, 50 examples each"] >= 0.91
    assert found["intents: strangers refused at 90 % kept"] >= 0.8
    assert found["intents: calibration error, 25 examples"] < 0.1
