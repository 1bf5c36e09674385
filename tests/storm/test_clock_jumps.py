"""Clocks that jump: a real server under libfaketime, and the brief through leap days and summer time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from soloist.app import App
from soloist.flows.briefing import Briefing, due
from tests.acceptance.nursery import Nursery
from tests.engine.store import databases
from tests.storm.claims import faults
from tests.storm.size import scale
from tests.storm.storming import Storm

pytestmark = pytest.mark.storm
SEED = 20261121
JUMPS = (1.0, -1.0, 3600.0, -3600.0, 86400.0, -86400.0, -600.0)
TIMES = scale(140, 3)
LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
DAYS = ("2028-02-27", "2028-03-10", "2028-03-24", "2028-03-31", "2028-09-29", "2028-10-27", "2028-11-03")[
    :: scale(1, 3)
]
"""Days before a leap day and before both changes of the clock in each zone; each walk takes five days."""


@pytest.fixture(scope="module")
def jumping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Nursery, Path]]:
    """A nursery whose processes read how far their clock is off from a file; timers are not touched."""
    library = next(iter(Path("/usr/lib").rglob("faketime/libfaketimeMT.so.1")), Path(LIBRARY))
    assert library.exists(), "make storm installs faketime"
    file = tmp_path_factory.mktemp("faketime") / "clock"
    file.write_text("+0")
    made = Nursery(
        LD_PRELOAD=str(library),
        FAKETIME_TIMESTAMP_FILE=str(file),
        FAKETIME_CACHE_DURATION="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        DONT_FAKE_MONOTONIC="1",
    )
    yield made, file
    made.end()


def put(file: Path, seconds: float) -> None:
    """Say how far the clock is off, at one moment: of an empty file the library makes an error of every look."""
    draft = file.with_suffix(".part")
    draft.write_text(f"{seconds:+.0f}")
    draft.replace(file)


@pytest.mark.parametrize("store", databases.KINDS)
def test_jumps_of_the_clock_lose_and_double_nothing(store: str, jumping: tuple[Nursery, Path], tmp_path: Path) -> None:
    nursery, file = jumping
    put(file, 0.0)
    off = [0.0]
    url = databases.empty("postgres", tmp_path) if store == "postgres" else ""
    storm = Storm(tmp_path / "storm", nursery, SEED, url=url, share=0.0)

    def jump(storm: Storm) -> None:
        off[0] += JUMPS[storm.kills % len(JUMPS)]
        put(file, off[0])
        time.sleep(1.1)  # the library looks once a second

    time.sleep(1.1)  # the same
    try:
        storm.begin(workers=1 if url else 0)
        storm.run(1800.0, TIMES, fewest=TIMES, trouble=jump)
        put(file, off[0] + 2 * 86400)  # what was put off while the clock was ahead is due at last
        storm.settle()
        found = [*storm.lost(), *faults(storm.story()), *storm.troubles]
        died = storm.ask("SELECT count(*) FROM events WHERE kind='process.died'")[0][0]
        tries = storm.ask("SELECT max(attempts) FROM effects")[0][0]
        print(
            f"P18 {store}: {storm.kills} jumps of 1 s to a day, {len(storm.made)} proposals, {len(found)} lost,",
            end=" ",
        )
        print(f"doubled or claimed wrongly; {died} processes taken for dead, at most {tries} attempts")
        assert (found, died) == ([], 0)
        assert storm.kills == TIMES
    finally:
        storm.end()


@pytest.mark.parametrize("zone", ZONES)
async def test_each_day_has_one_brief_through_every_jump(zone: str, tmp_path: Path) -> None:
    (tmp_path / "soloist.toml").write_text(f'[business]\ntimezone = "{zone}"\nemail = "mara@studio-linde.example"\n')
    app = App(tmp_path)
    app.store.writer.send = lambda *_: None  # no engine runs here, so there is nobody to wake
    try:
        walks = [await _walk(app, zone, datetime.fromisoformat(day).replace(tzinfo=UTC)) for day in DAYS]
    finally:
        app.close()
    looks, asked = sum(walk[0] for walk in walks), sum(len(walk[1]) for walk in walks)
    wrong = [day for _, days in walks for day, count in days.items() if count != 1]
    print(f"P18 brief {zone}: {looks} looks over leap day and summer time with jumps, {asked} days, {len(wrong)} wrong")
    assert wrong == []
    assert 5 * len(DAYS) <= asked <= 6 * len(DAYS)


async def _walk(app: App, zone: str, now: datetime) -> tuple[int, dict[str, int]]:
    """Look at the clock through five days with jumps in between; how often each day was asked for."""
    chance, end = random.Random(f"{SEED}{zone}{now}"), now + timedelta(days=5)
    briefing, looks = Briefing(app.desk), 0
    asked: dict[str, int] = {}
    while now < end:
        app.store.clock = lambda at=now: at
        if await briefing.ask():
            day = due(now, zone, app.desk.settings.brief.at)
            asked[day] = asked.get(day, 0) + 1
        looks += 1
        now += timedelta(seconds=chance.choice((2400, 2400, 2400, 1, -1, 3600, -3600, -600)))
    return looks, asked
