"""The life of one process: started, ended and started again in one loop; the answer of a call outlives a bad moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from soloist.app import App
from soloist.engine.store import workers
from soloist.flows import running
from soloist.kernel.errors import StoreTrouble
from tests.engine.store import databases


async def test_app_starts_again_in_the_same_loop(tmp_path: Path) -> None:
    for _ in range(2):
        app = App(tmp_path)
        await app.start()
        assert [row["kind"] for row in app.store.read_now(workers.living)] == ["server"]
        await app.stop()
        assert app.store.read_now(workers.living) == []
        app.close()


def test_worker_waits_for_a_server_to_prepare_the_database(tmp_path: Path) -> None:
    assert "is empty" in running.not_prepared(databases.empty("sqlite", tmp_path))
    assert running.not_prepared(databases.migrated("sqlite", tmp_path)) == ""


def test_database_that_is_not_there_is_said() -> None:
    with pytest.raises(StoreTrouble, match="The database cannot be reached"):
        running.not_prepared("postgresql+psycopg://nobody@127.0.0.1:1/none")
