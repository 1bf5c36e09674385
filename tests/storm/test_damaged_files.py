"""Damaged SQLite files: a write-ahead log that is cut at page borders, and bits that flip; found, or nothing is wrong.

A cut log leaves an earlier, whole state: a prefix of the journal that verifies. A flipped bit in anything that the
journal holds is found by the check of the file or by ``soloist verify``; flips that change nothing are counted.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.app import App
from soloist.engine.store.tables import metadata
from tests.acceptance.driving import Served
from tests.acceptance.nursery import Nursery
from tests.storm.size import scale
from tests.storm.storming import Storm

pytestmark = pytest.mark.storm
SEED, FLIPS, CUTS, PAGE, FRAME = 20261121, scale(500, 30), scale(250, 12), 4096, 4096 + 24


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Path:
    """A home whose server was killed in the middle of its work; its log is still beside the database."""
    storm = Storm(tmp_path_factory.mktemp("damaged"), nursery, SEED, share=0.0)
    storm.begin()
    storm.run(30.0, 3, trouble=lambda _storm: None)
    served: Served = storm.served
    served.kill()
    kept = copied(storm.home, storm.folder / "kept")  # before the last reader closes, which would empty the log
    storm.end()
    return kept


def copied(home: Path, to: Path) -> Path:
    """The home with its database and log, without the shared memory file, as after a power cut."""
    shutil.copytree(home, to, ignore=shutil.ignore_patterns("*.db-shm", "logs"))
    return to


def seen(home: Path) -> tuple[str, dict[str, Any]]:
    """What opening and checking says ("" when nothing is wrong), and everything that can be read."""
    try:
        app = App(home)
    except Exception as error:
        return f"refused: {error!r}", {}
    try:
        whole = app.store.read_now(lambda conn: conn.exec_driver_sql("PRAGMA integrity_check").scalar())
        faults = app.verify_journal().faults
        rows = app.store.read_now(everything)
        return ("" if whole == "ok" and not faults else f"{str(whole)[:60]}; {faults[:1]}"), rows
    except Exception as error:  # a text that is bytes now may stop any line: it is found, and nothing is served
        return f"refused: {error!r}", {}
    finally:
        app.close()


def everything(conn: sa.Connection) -> dict[str, Any]:
    """Every row of every table of ours."""
    return {name: sorted(map(repr, conn.execute(sa.text(f'SELECT * FROM "{name}"')).all())) for name in metadata.tables}


def test_a_cut_log_leaves_an_earlier_whole_state(home: Path, tmp_path: Path) -> None:
    log = home / "soloist.db-wal"
    frames = (log.stat().st_size - 32) // FRAME
    cuts = sorted({max(0, frames - n * max(1, min(frames, 256) // CUTS)) for n in range(CUTS)})
    wrong, lengths = [], []
    for cut in cuts:
        place = copied(home, tmp_path / f"cut-{cut}")
        with (place / "soloist.db-wal").open("r+b") as file:
            file.truncate(32 + cut * FRAME)
        said, rows = seen(place)
        lengths.append(len(rows.get("events", [])))
        if said and not said.startswith("refused"):
            wrong.append((cut, said))
        shutil.rmtree(place)
    print(f"P17 log cut at {len(cuts)} page borders of {frames}: {len(wrong)} served wrongly;", end=" ")
    print(f"the journal had {lengths[0]} to {lengths[-1]} rows, each time a whole earlier state")
    assert wrong == []
    assert lengths == sorted(lengths)


def test_a_flipped_bit_is_found_or_changes_nothing(home: Path, tmp_path: Path) -> None:
    base = copied(home, tmp_path / "base")
    said, before = seen(base)  # opening puts the log into the database
    assert said == ""
    data, chance, found = (base / "soloist.db").read_bytes(), random.Random(SEED), Counter[str]()
    served_wrongly: list[str] = []
    for number in range(FLIPS):
        place, flipped = copied(base, tmp_path / f"flip-{number}"), bytearray(data)
        flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (place / "soloist.db").write_bytes(flipped)
        said, rows = seen(place)
        changed = [name for name in before if rows and rows[name] != before[name]]
        found["found" if said else "changed, not found" if changed else "changes nothing"] += 1
        served_wrongly += changed if not said else []
        shutil.rmtree(place)
    told = ", ".join(f"{count} {what}" for what, count in found.most_common())
    print(f"P17 bit flips: {FLIPS} (seed {SEED}): {told}; not found in {dict(Counter(served_wrongly))}")
    assert "events" not in served_wrongly
