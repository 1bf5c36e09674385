"""The work of the kill storm under other troubles: ends on request, second servers, full disks, lost databases.

Each trouble comes again and again while hands work through the API; the same checker then looks for what was lost,
doubled or claimed wrongly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.acceptance.nursery import Nursery
from tests.engine.store import databases
from tests.storm import troubles
from tests.storm.claims import faults
from tests.storm.size import scale
from tests.storm.storming import Storm

pytestmark = pytest.mark.storm
SEED = 20261122
Trouble = Callable[[Storm], None]
DAYS: dict[str, tuple[str, Trouble | None, int, dict[str, Any]]] = {
    "P23 asked to end under load": ("sqlite", troubles.terminate, scale(200, 4), {"faults": "slow"}),
    "P24 a second server, SQLite": ("sqlite", troubles.second_server, scale(50, 2), {}),
    "P24 two servers at the same moment": ("sqlite", troubles.both_at_once, scale(50, 2), {}),
    "P24 a second server, Postgres": ("postgres", troubles.second_server, scale(50, 2), {}),
    "P16 disk full": ("sqlite", troubles.full_disk, scale(50, 2), {}),
    "P16 64 open files": ("sqlite", troubles.few_files, scale(20, 1), {}),
    "P16 killed for its memory": ("sqlite", troubles.little_memory, scale(20, 1), {}),
    "P17 database locked by another program": ("sqlite", troubles.lock(scale(30.0, 3.0)), scale(5, 1), {}),
    "P17 Postgres ends in the middle": ("postgres", troubles.crash_postgres, scale(200, 2), {}),
    "P17 answer to COMMIT lost": ("postgres", None, scale(200, 4), {}),
}
"""By promise: the store, the trouble (None: the proxy's), how often it comes, what is different at the providers."""


def day(name: str, folder: Path, nursery: Nursery, url: str) -> Storm:
    """A storm of one trouble to its end."""
    _store, trouble, times, more = DAYS[name]
    proxy = None
    if trouble is None:
        address = sa.make_url(url)
        proxy = troubles.Proxy(f"{address.query['host']}/.s.PGSQL.5432")
        trouble, url = proxy.lose_an_answer, f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/{address.database}"
    storm = Storm(folder, nursery, SEED, url=url, share=1.0 if more else 0.0, **more)
    try:
        storm.begin()
        storm.run(3600.0, times, fewest=times, trouble=trouble)
        storm.settle()
        storm.stop_gently()
        return storm
    except BaseException as error:
        error.add_note(f"{name}: {storm.kills} times, {storm.troubles[:5]} {storm.notes[-3:]}")
        storm.end()
        raise


@pytest.fixture(scope="module")
def days(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, nursery: Nursery
) -> Iterator[dict[str, Future[Storm]]]:
    """The chosen ones, three at a time, but those that crash Postgres not beside others on it."""
    chosen = [i.callspec.params["name"] for i in request.session.items if i.path == Path(__file__)]
    with ThreadPoolExecutor(3) as beside, ThreadPoolExecutor(1) as alone:
        begun = {}
        for name in chosen:
            folder, pool = tmp_path_factory.mktemp("day"), alone if DAYS[name][0] == "postgres" else beside
            url = databases.empty("postgres", folder) if DAYS[name][0] == "postgres" else ""
            begun[name] = pool.submit(day, name, folder, nursery, url)
        yield begun


NIGHT = {"P17 Postgres ends in the middle"}
"""It ends the server that the others use, so that it wants to be alone."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.night) if n in NIGHT else n for n in DAYS])
def test_a_bad_day_loses_and_doubles_nothing(name: str, days: dict[str, Future[Storm]]) -> None:
    storm = days[name].result()
    try:
        found = [*storm.lost(), *faults(storm.story()), *storm.troubles]
        unknown = storm.ask("SELECT count(*) FROM effect_attempts WHERE outcome='unknown'")[0][0]
        said = f"{storm.kills} times, {len(storm.made)} proposals, {len(found)} lost, doubled or claimed wrongly"
        print(f"{name}: {said}, {unknown} unknown; {summary(storm.notes)}")
        assert found == []
        assert storm.kills == DAYS[name][2]
        SEEN.get(name, lambda _storm, _unknown: None)(storm, unknown)
        report = storm.verified()
        assert (report["ok"], report["faults"]) == (True, [])
    finally:
        storm.end()


def summary(notes: list[Any]) -> str:
    """What a trouble saw, shortly."""
    if notes and isinstance(notes[0], float):
        return f"ended after {max(notes):.1f} s at the most"
    return ", ".join(f"{count} x {note[:90]}" for note, count in Counter(map(str, notes)).most_common(3))


def _drained(storm: Storm, unknown: int) -> None:
    assert max(storm.notes) < scale(1, 58) * troubles.DRAIN  # beside other storms on few cores it takes longer
    late = "SELECT count(*) FROM effect_attempts WHERE outcome='unknown' AND evidence LIKE '%No answer came within%'"
    assert unknown == storm.ask(late)[0][0] or max(storm.notes) >= troubles.DRAIN


def _refused(storm: Storm, unknown: int) -> None:
    assert set(storm.notes) == {"refused"}


def _said_plainly(storm: Storm, unknown: int) -> None:
    refused = [note for note in storm.notes if note.startswith(("4", "5"))]
    assert all("Nothing was written" in note for note in refused), refused


SEEN: dict[str, Callable[[Storm, int], None]] = {
    "P23 asked to end under load": _drained,
    "P24 a second server, SQLite": _refused,
    "P24 a second server, Postgres": _refused,
    "P16 disk full": _said_plainly,
}
"""What is asked of a trouble beyond that nothing was lost or doubled."""
