"""An erasure outlives the death of the process and the return of an older backup: nothing of the person comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.config import Home
from soloist.engine import backup, recovery
from soloist.engine.store import base, memories
from soloist.engine.vault import Vault
from soloist.flows.erasing import Erasing
from soloist.kernel.memory import NewMemory
from tests.flows import person
from tests.storm.size import scale

pytestmark = pytest.mark.storm
ROOT = Path(__file__).parents[2]
COMMITS = scale(9, 4)
"""After so many commits of the command the process dies, each in a home of its own."""


def home_of(folder: Path) -> App:
    """A home with Zebulon in it, and somebody else."""
    app = App(folder)
    app.store.writer.send = lambda *_: None
    person.plant(app)
    other = [NewMemory(f"Ada said {n}", record="ada") for n in range(20)]
    app.store.write_now(lambda tx: memories.add(tx, other, actor="soloist"))
    return app


def command(root: Path, *words: str, fail: str = "") -> subprocess.CompletedProcess[str]:
    """A command of its own process, which may end itself at a fail point."""
    surroundings = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}", "SOLOIST_FAILPOINT": fail}
    called = [sys.executable, "-m", "soloist", *words, "--home", str(root)]
    return subprocess.run(called, capture_output=True, text=True, check=False, env=surroundings, timeout=300)


def test_a_killed_erasure_is_finished_and_never_reported_by_halves(tmp_path: Path) -> None:
    halves = 0
    for commit in range(1, COMMITS + 1):
        root = tmp_path / str(commit)
        home_of(root).close()
        said = command(root, "erase", person.ADDRESS, "--yes", "--json", fail=f"committed:{commit}")
        if said.returncode == 137:
            assert said.stdout == ""
        app = App(root)
        app.store.writer.send = lambda *_: None
        rows = app.store.read_now(_states)
        halves += rows == ["running"]
        assert rows in ([], ["running"], ["done"])
        finished = Erasing.of(app.desk).resume()
        if not rows:
            Erasing.of(app.desk).erase_now(person.ADDRESS, who="operator")
        assert (len(finished) == 1) == (rows == ["running"])
        assert app.store.read_now(_states) == ["done"]
        assert person.left(app) == []
        assert app.verify_journal().faults == []
        app.close()
    print(f"erasure killed after each of {COMMITS} commits: {halves} left half done, all finished, 0 texts left")
    assert halves


def _states(conn: Any) -> list[str]:
    return [row[0] for row in conn.exec_driver_sql("SELECT state FROM erasures")]


def restored(app: App, archive: Path, root: Path) -> App:
    """A backup put back with the home's keys, opened."""
    backup.restore(archive, root, recovery.of(app.vault))
    again = App(root)
    again.store.writer.send = lambda *_: None
    return again


def test_an_older_backup_does_not_bring_them_back(tmp_path: Path) -> None:
    app = home_of(tmp_path / "home")
    house = backup.House(Home(app.home.root), base.sqlite_url(app.home.database), Vault(app.home.keys))
    before = backup.make(house, app.home.backups)
    done = Erasing.of(app.desk).erase_now(person.NAME, who="operator", also=["the man with the slate roof"])
    assert [one["file"] for one in done["proof"]["backups"]] == [before.path.name]
    after = backup.make(house, app.home.backups)

    old = restored(app, before.path, tmp_path / "old")
    assert person.left(old) == []
    assert old.store.read_now(_states) == ["done"]
    assert old.verify_journal().faults == []
    assert len(old.store.read_now(lambda conn: memories.of_record(conn, "ada"))) == 20
    new = restored(app, after.path, tmp_path / "new")
    assert person.left(new) == []
    assert new.store.read_now(_states) == ["done"]
    print("erasure: restored from a backup before and after it, 0 texts left in either")
    for one in (app, old, new):
        one.close()


def test_a_person_known_by_nothing_but_hashes_is_found_in_the_old_copy(tmp_path: Path) -> None:
    app = home_of(tmp_path / "home")
    loose = [NewMemory("I met the Man with the slate   roof, he paid.")]
    app.store.write_now(lambda tx: memories.add(tx, loose, actor="soloist"))
    house = backup.House(Home(app.home.root), base.sqlite_url(app.home.database), Vault(app.home.keys))
    before = backup.make(house, app.home.backups)
    Erasing.of(app.desk).erase_now(person.NAME, who="operator", also=["man with the slate roof"])
    listed = (app.home.backups / "erasures.log").read_text().lower()
    assert not [text for text in (*person.TEXTS, "slate") if text.lower() in listed]
    old = restored(app, before.path, tmp_path / "old")
    assert b"slate   roof" not in old.home.database.read_bytes()
    assert person.left(old) == []
    for one in (app, old):
        one.close()


def test_a_list_of_somebody_elses_making_erases_nobody(tmp_path: Path) -> None:
    app = home_of(tmp_path / "home")
    house = backup.House(Home(app.home.root), base.sqlite_url(app.home.database), Vault(app.home.keys))
    before = backup.make(house, app.home.backups)
    forged = '{"at": "2999-01-01T00:00:00Z", "id": "x", "records": ["ada"], "keys": []}'
    (app.home.backups / "erasures.log").write_text(f"{'00' * 64} {forged}\nnonsense\n")
    old = restored(app, before.path, tmp_path / "old")
    assert person.left(old)
    assert old.store.read_now(_states) == []
    for one in (app, old):
        one.close()
