"""Folder files: single names only, links lead nowhere, a name is never overwritten."""

import os
from pathlib import Path

import pytest

from soloist.engine.files import FolderFiles
from soloist.kernel.errors import BadInput


@pytest.fixture
def files(tmp_path: Path) -> FolderFiles:
    return FolderFiles(tmp_path / "mail")


def test_a_new_file_appears_whole_and_leaves_no_draft(files: FolderFiles, tmp_path: Path) -> None:
    assert files.write_new("new", "a.soloist", b"hello") is True
    assert files.read("new", "a.soloist", 100) == b"hello"
    assert list((tmp_path / "mail/tmp").iterdir()) == []


def test_a_second_file_of_that_name_is_not_written(files: FolderFiles) -> None:
    files.write_new("new", "a", b"first")
    assert files.write_new("new", "a", b"second") is False
    assert files.read("new", "a", 100) == b"first"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\0b"])
def test_a_path_is_not_a_name(files: FolderFiles, name: str) -> None:
    for call in (files.exists, lambda f, n: files.read(f, n, 9), lambda f, n: files.write_new(f, n, b"")):
        with pytest.raises(BadInput):
            call("new", name)


def test_a_linked_file_is_not_read(files: FolderFiles, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    files.write_new("new", "a", b"")
    (tmp_path / "mail/new/link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic"):
        files.read("new", "link", 100)
    assert files.names("new") == ["a"]


def test_a_linked_folder_is_not_entered(files: FolderFiles, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mail/new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"symbolic|Not a directory"):
        files.write_new("new", "a", b"x")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_pipe_is_not_read(files: FolderFiles, tmp_path: Path) -> None:
    files.write_new("new", "a", b"")
    os.mkfifo(tmp_path / "mail/new/pipe")
    with pytest.raises(OSError, match="not a regular file"):
        files.read("new", "pipe", 100)


def test_moving_gives_a_number_to_a_taken_name(files: FolderFiles) -> None:
    files.write_new("done", "a.eml", b"old")
    files.write_new("new", "a.eml", b"new")
    files.move("new", "a.eml", "done")
    assert files.names("done") == ["a-2.eml", "a.eml"]
    assert files.read("done", "a.eml", 9) == b"old"


def test_names_leave_out_dot_files_and_folders(files: FolderFiles, tmp_path: Path) -> None:
    files.write_new("", "a.eml", b"")
    (tmp_path / "mail/.hidden").write_text("")
    assert files.names("") == ["a.eml"]


def test_reading_stops_at_the_limit(files: FolderFiles) -> None:
    files.write_new("new", "a", b"0123456789")
    assert files.read("new", "a", 4) == b"0123"
