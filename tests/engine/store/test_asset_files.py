"""Bytes by their hash: where they are kept, synced before their row, and never used when changed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from soloist.engine.store import assets
from soloist.engine.store.store import Store
from soloist.kernel.errors import NotFound
from soloist.kernel.hashing import sha256


def keep(store: Store, folder: Path, data: bytes) -> str:
    path = assets.write_file(folder, data)
    return store.write_now(lambda tx: assets.keep(tx, data, "application/pdf", path))


@pytest.mark.parametrize(("size", "in_file"), [(0, False), (64 * 1024, False), (64 * 1024 + 1, True)])
def test_large_ones_are_files(store: Store, tmp_path: Path, size: int, in_file: bool) -> None:
    data = b"x" * size
    digest = keep(store, tmp_path / "assets", data)
    assert (tmp_path / "assets" / digest[:2] / digest).exists() is in_file
    assert store.read_now(lambda c: assets.load(c, tmp_path / "assets", digest)) == data
    assert keep(store, tmp_path / "assets", data) == digest == sha256(data)


def test_file_is_synced_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append("sync"), real_sync(fd))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (done.append("name"), real_replace(self, to))[1])
    assets.write_file(tmp_path, b"x" * 100_000)
    assert done[:2] == ["sync", "name"]
    assert done[2:] == ["sync", "sync"]  # the folder of the name, and the folder of that folder


def test_file_that_was_damaged_is_written_again(store: Store, tmp_path: Path) -> None:
    data = b"x" * 100_000
    digest = keep(store, tmp_path, data)
    (tmp_path / digest[:2] / digest).write_bytes(b"y" * 100_000)
    keep(store, tmp_path, data)
    assert store.read_now(lambda c: assets.load(c, tmp_path, digest)) == data


def test_file_that_is_gone_is_not_found(store: Store, tmp_path: Path) -> None:
    digest = keep(store, tmp_path, b"x" * 100_000)
    (tmp_path / digest[:2] / digest).unlink()
    with pytest.raises(NotFound, match="cannot be read"):
        store.read_now(lambda c: assets.load(c, tmp_path, digest))
    with pytest.raises(NotFound, match="There is no asset"):
        store.read_now(lambda c: assets.load(c, tmp_path, "0" * 64))


def test_same_bytes_written_by_many_at_once(tmp_path: Path) -> None:
    data, faults = os.urandom(2_000_000), []

    def write() -> None:
        try:
            assets.write_file(tmp_path, data)
        except OSError as error:
            faults.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    digest = sha256(data)
    assert faults == []
    assert [path.name for path in (tmp_path / digest[:2]).iterdir()] == [digest]
