"""A home of every earlier release opens in this one: its journal verifies and what was parked goes on."""

import asyncio
import tarfile
from pathlib import Path

import pytest

from soloist.app import App
from soloist.engine.store import effects, migrate, proposals, tasks
from soloist.stages.approvals import Decision

HOMES = Path(__file__).parents[1] / "data/homes"


async def _until(true) -> None:
    for _ in range(6000):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("not within two minutes")


@pytest.mark.parametrize("release", ["0001", "0002", "0003", "0004"])
async def test_a_home_of_an_earlier_release_goes_on(release: str, tmp_path: Path):
    with tarfile.open(HOMES / f"{release}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    app = App(tmp_path)
    assert app.store.read_now(migrate.current) == migrate.HEAD
    assert (tmp_path / f"backups/before-{migrate.HEAD}-from-{release}.db").exists()
    assert app.verify_journal().faults == []
    cards = app.store.read_now(lambda conn: tasks.cards(conn, "open"))
    card = next(c for c in cards if c["title"].startswith("Reply to Emily Carter"))
    waiting = app.store.read_now(lambda conn: proposals.get(conn, card["subject"]))
    said = Decision("approve", waiting["payload_hash"], "operator", "test")
    await app.desk.approvals.decide(waiting["id"], said)  # before the start: its time box ended long ago
    await app.start()
    try:
        await _until(lambda: app.store.read_now(lambda conn: effects.of_proposal(conn, waiting["id"])))
        assert app.verify_journal().faults == []
    finally:
        await app.stop()
        app.close()
