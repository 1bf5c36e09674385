"""Files of an export: a folder or a zip that is written once in one order, and read back only as it was written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from soloist.kernel.errors import BadInput, Conflict

MANIFEST = "manifest.json"
FORMAT = "soloist export 1"
_BLOCK = 256 * 1024
_ALWAYS = (1980, 1, 1, 0, 0, 0)


class Hashed:
    """Something to write to, that counts and hashes what passes through."""

    def __init__(self, out: IO[bytes]) -> None:
        """Where it goes."""
        self._out, self.hash, self.size = out, hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Write bytes."""
        self._out.write(data)
        self.hash.update(data)
        self.size += len(data)


class Writing:
    """An export that is being written; ``files`` is what went in: name -> {sha256, size}."""

    def __init__(self, zipped: zipfile.ZipFile | None, folder: Path) -> None:
        """Into a zip, or below a folder."""
        self._zip, self._folder = zipped, folder
        self.files: dict[str, dict[str, Any]] = {}

    @contextmanager
    def file(self, name: str) -> Iterator[Hashed]:
        """A further file."""
        with self._open(name) as out:
            hashed = Hashed(out)
            yield hashed
        self.files[name] = {"sha256": hashed.hash.hexdigest(), "size": hashed.size}

    def _open(self, name: str) -> IO[bytes]:
        if self._zip is not None:
            entry = zipfile.ZipInfo(name, _ALWAYS)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            return self._zip.open(entry, "w", force_zip64=True)
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


@contextmanager
def writing(target: Path) -> Iterator[Writing]:
    """A new folder, or a file ending in .zip that has its name only when it is whole (Conflict, OSError)."""
    if target.suffix.lower() != ".zip":
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise Conflict(
                f"{target} is not empty. Nothing was written. Choose a new folder, or a file ending in .zip."
            )
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield Writing(None, target)
        return
    if target.exists():
        raise Conflict(f"{target} is there already. Nothing was written. Choose another name.")
    draft = target.with_name(f"{target.name}.part")
    try:
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w+b") as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zipped:
                yield Writing(zipped, target)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


class Reading:
    """An export as it lies in a folder or zip; only files that its manifest lists can be opened."""

    def __init__(self, zipped: zipfile.ZipFile | None, folder: Path) -> None:
        """BadInput when there is no manifest that can be read."""
        self._zip, self._folder = zipped, folder
        self.manifest = self._manifest()
        self.files: dict[str, dict[str, Any]] = self.manifest["files"]

    def _manifest(self) -> dict[str, Any]:
        try:
            with self._raw(MANIFEST) as source:
                found = json.loads(source.read(64 * 1024 * 1024))
            files = found["files"]
            if found["format"] != FORMAT or not all(isinstance(one["sha256"], str) for one in files.values()):
                raise ValueError("it is of another format")
        except (OSError, KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise BadInput(
                f"This is no export of Soloist, or its {MANIFEST} is damaged ({error}). Nothing was taken in."
            ) from error
        for name in files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or "\x00" in name:
                raise BadInput(f"The export lists a file outside of itself: {name[:100]!r}. Nothing was taken in.")
        return dict(found)

    def _raw(self, name: str) -> IO[bytes]:
        if self._zip is not None:
            return self._zip.open(name)
        return os.fdopen(os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def verify(self) -> None:
        """Compare every file with its hash; BadInput names the first that is missing or another one."""
        for name, told in sorted(self.files.items()):
            found, size = hashlib.sha256(), 0
            try:
                with self._raw(name) as source:
                    while block := source.read(_BLOCK):
                        found.update(block)
                        size += len(block)
                        if size > told["size"]:
                            break
            except (OSError, KeyError, zipfile.BadZipFile, EOFError) as error:
                raise BadInput(f"{name} is missing or cannot be read. Nothing was taken in.", field=name) from error
            except Exception as error:  # the unpacking raises its own kinds on damaged bytes
                raise BadInput(f"{name} is damaged. Nothing was taken in.", field=name) from error
            if found.hexdigest() != told["sha256"]:
                raise BadInput(f"{name} is not as it was written. Nothing was taken in.", field=name)

    def open(self, name: str) -> IO[bytes]:
        """One of its files."""
        if name not in self.files:
            raise BadInput(f"The export has no file {name}. Nothing was taken in.", field=name)
        return self._raw(name)

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """A file of JSON Lines, line by line."""
        with self.open(name) as source:
            for number, line in enumerate(source, 1):
                try:
                    yield dict(json.loads(line))
                except (ValueError, TypeError) as error:
                    raise BadInput(f"{name}, line {number} is no row. Nothing was taken in.", field=name) from error


@contextmanager
def reading(source: Path) -> Iterator[Reading]:
    """An export (BadInput when it is none)."""
    if source.is_dir():
        yield Reading(None, source)
        return
    try:
        zipped = zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadInput(f"{source} is neither a folder nor a zip: {error}. Nothing was taken in.") from error
    with contextlib.closing(zipped):
        yield Reading(zipped, source)
