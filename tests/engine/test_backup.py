"""Backup and restore of a home: what comes back, what is refused, and that no key and no plain text is in the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from soloist.engine import archive, backup, recovery, stopping
from soloist.engine.keyring import Keyring
from soloist.engine.store import assets, base, journal, settings
from soloist.engine.store.store import Store
from soloist.engine.vault import Vault
from soloist.kernel.errors import BadInput, Conflict
from tests.engine.small_home import CANARY, LETTER, Small


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Small]:
    made = Small(tmp_path, "sqlite")
    yield made
    made.store.close()


def test_everything_comes_back_on_a_new_machine(plain: Small, tmp_path: Path) -> None:
    made = backup.make(plain.house, tmp_path / "to")
    plain.fill("after the cut")
    root, url = tmp_path / "new", plain.url_for(tmp_path)
    done = backup.restore(made.path, root, plain.sheet(), url=url)
    assert (root / "templates/offer.txt").read_text() == "Dear {{ name }}"
    assert {p.stat().st_mode & 0o777 for p in (root / "keys").iterdir()} == {0o600}
    vault = Vault(root / "keys")
    store = Store(url or base.sqlite_url(root / "soloist.db"), sign=vault.sign)
    report = store.read_now(lambda conn: journal.verify(conn, vault.verify))
    assert (report.faults, report.events) == ([], done.cut_seq + 1)
    assert Keyring(store, vault).secret("mailbox") == CANARY
    (asset,) = store.read_now(lambda conn: [p for p in (root / "assets").rglob("*") if p.is_file()])
    assert LETTER.encode() * 5000 == store.read_now(lambda conn: assets.load(conn, root / "assets", asset.name))
    assert stopping.Halt(root).by_file() is False
    assert "safe mode" in store.read_now(stopping.Halt(root).pressed)
    assert store.read_now(stopping.cut)["cut_at"] == made.at
    store.close()


def test_the_drill_finds_nothing_wrong_and_leaves_nothing(plain: Small, tmp_path: Path) -> None:
    made = backup.make(plain.house, tmp_path / "to")
    found = backup.drill(plain.house, made.path)
    assert (found.faults, found.secrets, found.opened, found.assets) == ([], 1, 1, 1)
    assert found.events == made.cut_seq
    assert found.rows > 3


def test_no_key_and_no_text_is_readable_in_the_file(plain: Small, tmp_path: Path) -> None:
    made = backup.make(plain.house, tmp_path / "to")
    data = made.path.read_bytes()
    names = archive.reading(made.path, plain.vault.backup_key(), lambda _name: None)
    assert not [name for name in names if "keys" in name or name.endswith((".key", ".lock"))]
    assert made.path.stat().st_mode & 0o777 == 0o600
    for word in (CANARY.encode(), LETTER.encode(), b"Studio Linde", *plain.vault.every().values()):
        assert word not in data
    assert not list(plain.home.backups.iterdir())


def test_every_changed_or_missing_byte_is_noticed(plain: Small, tmp_path: Path) -> None:
    made = backup.make(plain.house, tmp_path / "to")
    data, bad = made.path.read_bytes(), tmp_path / "bad.backup"
    for place in range(0, len(data), max(1, len(data) // 8)):
        bad.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(BadInput):
            backup.restore(bad, tmp_path / "new", plain.sheet())
        bad.write_bytes(data[:place])
        with pytest.raises(BadInput):
            backup.restore(bad, tmp_path / "new", plain.sheet())
    assert not (tmp_path / "new").exists()


def test_another_homes_sheet_and_a_full_folder_are_refused(plain: Small, tmp_path: Path) -> None:
    made = backup.make(plain.house, tmp_path / "to")
    other = recovery.of(Vault(tmp_path / "other"))
    with pytest.raises(BadInput, match="The sheet is of the home"):
        backup.restore(made.path, tmp_path / "new", other)
    with pytest.raises(Conflict, match="is not empty"):
        backup.restore(made.path, plain.home.root, plain.sheet())
    with pytest.raises(BadInput, match="no backup of Soloist"):
        backup.restore(plain.home.toml, tmp_path / "new", plain.sheet())


def test_the_drill_says_what_is_wrong(plain: Small, tmp_path: Path) -> None:
    plain.store.write_now(lambda tx: settings.put(tx, "x", "y"))
    (asset,) = [p for p in plain.home.assets.rglob("*") if p.is_file()]
    asset.unlink()
    found = backup.drill(plain.house, backup.make(plain.house, tmp_path / "to").path)
    assert found.faults == [f"The file of asset {asset.name[:12]} is missing or another one."]


def test_old_ones_are_removed_and_the_newest_kept(plain: Small, tmp_path: Path) -> None:
    made = [backup.make(plain.house, tmp_path / "to").path for _ in range(3)]
    assert len(set(made)) == 3
    other = backup.House(plain.home, plain.house.url, Vault(tmp_path / "another"))
    backup.make(other, tmp_path / "to")
    backup.prune(plain.house, tmp_path / "to", 2)
    assert len(backup.listed(tmp_path / "to")) == 3  # two of this home, and the other home's
