"""A recorded day is done again to the same words, although the world has moved on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import replay
from soloist.app import App
from soloist.engine.worker import Worker
from tests.flows.conftest import prepare


@pytest.fixture
def app(tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setattr("soloist.app.Worker", lambda: worker)
    prepare(tmp_path / "home", "", {})
    made = App(tmp_path / "home")
    yield made
    made.close()


async def test_a_day_comes_out_the_same(app: App) -> None:
    told = await replay.day(app, 12)
    replay._moved_on(app)
    found = await replay.again(app)
    assert told["runs"] == 12 and not told["failed"] and told["edited"] and told["rejected"]
    assert found["same"] == 12 and found["unexplained"] == 0, replay.odd(app)
