"""Archive: one encrypted file of named parts, written and read as a stream; it knows nothing of what is in it.

Layout: a line of magic, the length of a JSON head, the head (clear, authenticated), then pieces of 1 MiB, each sealed
by AES-256-GCM under a key made for this file alone. The nonce is the piece's number and whether it is the last, so that
a changed, swapped, missing or added piece is noticed. Inside is a compressed tar.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from soloist.kernel.errors import BadInput

MAGIC = b"SOLOIST BACKUP 1\n"
PIECE = 1024 * 1024
_TAG = 16
_LONGEST_HEAD = 64 * 1024
_BLOCK = 256 * 1024


class _Sealing(io.RawIOBase):
    """A file to write to, that seals what passes through."""

    def __init__(self, out: BinaryIO, key: AESGCM, bound_to: bytes) -> None:
        super().__init__()
        self._out, self._key, self._bound_to = out, key, bound_to
        self._waiting, self._count = bytearray(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        while len(self._waiting) > PIECE:
            self._piece(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(data)

    def end(self) -> None:
        """Write the last piece, which says that it is the last."""
        self._piece(bytes(self._waiting), last=True)

    def _piece(self, plain: bytes, *, last: bool) -> None:
        self._out.write(self._key.encrypt(_nonce(self._count, last), plain, self._bound_to))
        self._count += 1


class _Opening(io.RawIOBase):
    """A file to read from, that opens what passes through; BadInput when a piece is not what was written."""

    def __init__(self, source: BinaryIO, key: AESGCM, bound_to: bytes) -> None:
        super().__init__()
        self._source, self._key, self._bound_to = source, key, bound_to
        self._ready, self._at, self._count, self._ended = b"", 0, 0, False
        self._next = source.read(PIECE + _TAG)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._at == len(self._ready) and not self._ended:
            self._piece()
        part = self._ready[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _piece(self) -> None:
        sealed, self._next = self._next, self._source.read(PIECE + _TAG)
        self._ended = not self._next
        try:
            self._ready = self._key.decrypt(_nonce(self._count, self._ended), sealed, self._bound_to)
        except InvalidTag as error:
            raise BadInput(
                "The backup is damaged, cut short, or another home's: a piece does not open with this key. "
                "Nothing was restored from it. Try an older one."
            ) from error
        self._at, self._count = 0, self._count + 1


class Writing:
    """An archive that is being written; ``files`` is what went in: name -> {sha256, size}."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        """The open tar."""
        self._tar = tar
        self.files: dict[str, dict[str, Any]] = {}

    def put(self, name: str, data: bytes) -> None:
        """Add bytes."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), 0o600
        self._tar.addfile(entry, io.BytesIO(data))
        self.files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}

    def put_file(self, name: str, path: Path) -> None:
        """Add a file that nobody changes meanwhile, without reading it into memory."""
        with path.open("rb") as source:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = os.fstat(source.fileno()).st_size, 0o600
            counted = _Counted(source)
            self._tar.addfile(entry, counted)
        self.files[name] = {"sha256": counted.hash.hexdigest(), "size": entry.size}


class _Counted:
    """Reads through and hashes what it reads."""

    def __init__(self, source: BinaryIO) -> None:
        self._source, self.hash = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.hash.update(data)
        return data


@contextmanager
def writing(path: Path, secret: bytes, head: dict[str, Any]) -> Iterator[Writing]:
    """Write an archive; it has its name only when it is whole and on the disk."""
    draft = path.with_name(f"{path.name}.part")
    told = json.dumps({**head, "salt": os.urandom(32).hex()}, sort_keys=True).encode()
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as out:
            start = MAGIC + len(told).to_bytes(4, "big") + told
            out.write(start)
            sealing = _Sealing(out, _key(secret, told), start)
            with (
                gzip.GzipFile(fileobj=sealing, mode="wb", compresslevel=1, mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                yield Writing(tar)
            sealing.end()
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def head(path: Path) -> dict[str, Any]:
    """What an archive says of itself in the clear (BadInput when it is none); believed only once it is opened."""
    with path.open("rb") as source:
        return _head(source)[0]


def _head(source: BinaryIO) -> tuple[dict[str, Any], bytes, bytes]:
    """(head, its bytes, everything up to here)."""
    if source.read(len(MAGIC)) != MAGIC:
        raise BadInput("This file is no backup of Soloist. Nothing was changed.")
    size = source.read(4)
    told = source.read(min(int.from_bytes(size, "big"), _LONGEST_HEAD))
    try:
        value = json.loads(told)
        bytes.fromhex(value["salt"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput("The first bytes of this backup are damaged. Nothing was changed.") from error
    return value, told, MAGIC + size + told


def reading(path: Path, secret: bytes, take: Callable[[str], Path | None]) -> dict[str, dict[str, Any]]:
    """Read a whole archive: ``take(name)`` says where a part is written, None for nowhere. BadInput when it is damaged.

    Answers what was in it: name -> {sha256, size}. Names lead to where ``take`` says and nowhere else.
    """
    found: dict[str, dict[str, Any]] = {}
    with path.open("rb") as source:
        _, told, start = _head(source)
        opening = io.BufferedReader(_Opening(source, _key(secret, told), start), PIECE)
        try:
            with gzip.GzipFile(fileobj=opening, mode="rb") as packed:
                with tarfile.open(fileobj=packed, mode="r|") as tar:
                    for entry in tar:
                        name = _safe(entry)
                        found[name] = _part(tar, entry, take(name))
                while packed.read(PIECE):
                    pass  # to the very end, so that a cut tail is noticed
        except (tarfile.TarError, gzip.BadGzipFile, EOFError) as error:
            raise BadInput("The backup is damaged. Nothing was restored from it. Try an older one.") from error
    return found


def _safe(entry: tarfile.TarInfo) -> str:
    """The name of a part; BadInput for anything but a plain file below the top."""
    name = PurePosixPath(entry.name)
    if not entry.isreg() or name.is_absolute() or ".." in name.parts or "\\" in entry.name:
        raise BadInput(f"The backup holds a part that is no plain file: {entry.name!r}. Nothing was restored from it.")
    return entry.name


def _part(tar: tarfile.TarFile, entry: tarfile.TarInfo, target: Path | None) -> dict[str, Any]:
    """Write one part to its place and answer its hash."""
    source, hashed = tar.extractfile(entry), hashlib.sha256()
    assert source is not None
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
    with open(target or os.devnull, "wb") as out:
        while block := source.read(_BLOCK):
            hashed.update(block)
            out.write(block)
        if target is not None:
            out.flush()
            os.fsync(out.fileno())
    return {"sha256": hashed.hexdigest(), "size": entry.size}


def _key(secret: bytes, told: bytes) -> AESGCM:
    """The key of one file."""
    salt = bytes.fromhex(json.loads(told)["salt"])
    return AESGCM(HKDF(hashes.SHA256(), 32, salt, b"soloist backup 1").derive(secret))


def _nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])
