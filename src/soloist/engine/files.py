"""Files: one folder tree a connector may use, reached by single names only; symbolic links are never followed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soloist.kernel.errors import BadInput


class FolderFiles:
    """The sdk's Files below ``root``; ``folder`` is one name below it, or "" for the root itself.

    Every open goes through a folder handle with O_NOFOLLOW, so a link planted by another program leads nowhere.
    OSError when the disk refuses; BadInput for a name that is not a single plain component.
    """

    def __init__(self, root: Path) -> None:
        """``root`` is made on first use."""
        self._root = root

    def read(self, folder: str, name: str, limit: int) -> bytes:
        """At most ``limit`` bytes from the beginning of a regular file."""
        with self._open(folder) as place:
            handle = os.open(_single(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise OSError(f"{name} is not a regular file")
                return file.read(limit)

    def write_new(self, folder: str, name: str, data: bytes) -> bool:
        """Write by way of ``tmp/``, synced, then appear at once under ``name``; False when that name exists already."""
        draft = f"{_single(name)[:200]}.{os.getpid()}.{os.urandom(6).hex()}"
        with self._open("tmp") as tmp, self._open(folder) as place:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=tmp)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.link(draft, name, src_dir_fd=tmp, dst_dir_fd=place, follow_symlinks=False)
            except FileExistsError:
                return False
            finally:
                os.unlink(draft, dir_fd=tmp)
            os.fsync(place)
        return True

    def move(self, folder: str, name: str, target: str) -> None:
        """Move into the folder ``target``, or to ``folder/name``; a taken name gets a number."""
        into, _, new_name = target.partition("/")
        with self._open(folder) as source, self._open(into) as place:
            wanted = _free(place, _single(new_name or name))
            os.rename(_single(name), wanted, src_dir_fd=source, dst_dir_fd=place)
            os.fsync(place)
            os.fsync(source)

    def exists(self, folder: str, name: str) -> bool:
        """Whether a file (or anything else) of that name is there."""
        with self._open(folder) as place:
            return _there(place, _single(name))

    def names(self, folder: str) -> list[str]:
        """The names of regular files, sorted; dot files, folders and links are left out."""
        with self._open(folder) as place, os.scandir(place) as entries:
            return sorted(e.name for e in entries if not e.name.startswith(".") and e.is_file(follow_symlinks=False))

    def age(self, folder: str, name: str) -> tuple[float, int]:
        """Seconds since the last write, and the size in bytes."""
        with self._open(folder) as place:
            facts = os.stat(_single(name), dir_fd=place, follow_symlinks=False)
        return time.time() - facts.st_mtime, facts.st_size

    @contextmanager
    def _open(self, folder: str) -> Iterator[int]:
        """A handle on the root or on one folder below it, which is made when missing."""
        self._root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if folder:
                if not _there(handle, _single(folder)):
                    os.mkdir(folder, 0o700, dir_fd=handle)
                below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
                os.close(handle)
                handle = below
            yield handle
        finally:
            os.close(handle)


def _single(name: str) -> str:
    """The name, when it is one plain path component."""
    if not name or name in {".", ".."} or "/" in name or "\0" in name:
        raise BadInput(f"{name[:100]!r} is not the name of a single file.", field="name")
    return name


def _there(place: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _free(place: int, name: str) -> str:
    """The name, or the first numbered one that is not taken."""
    stem, dot, ending = name.rpartition(".")
    candidate, number = name, 1
    while _there(place, candidate):
        number += 1
        candidate = f"{stem}-{number}{dot}{ending}" if stem else f"{name}-{number}"
    return candidate
