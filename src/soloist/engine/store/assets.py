"""Assets: bytes by their hash, small ones in a row, large ones in a file that was synced before the row."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex

import sqlalchemy as sa

from soloist.engine.store.tables import assets
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.hashing import sha256
from soloist.kernel.origin import OUTSIDE, Origin, of

IN_ROW = 64 * 1024
"""Largest asset, in bytes, that is kept inside the database."""


def write_file(folder: Path, data: bytes) -> str:
    """Put large bytes into their file and sync it; returns the path below ``folder``, "" when they fit a row."""
    if len(data) <= IN_ROW:
        return ""
    digest = sha256(data)
    relative = f"{digest[:2]}/{digest}"
    target = folder / relative
    if target.exists() and sha256(target.read_bytes()) == digest:
        return relative
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{digest}.{token_hex(4)}.tmp")  # the same mail may be read twice at once
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    for folder_of_name in (target.parent, folder):
        _sync_folder(folder_of_name)
    return relative


def keep(tx: Tx, data: bytes, mime: str, path: str, *, origin: Origin = OUTSIDE) -> str:
    """Add the asset row unless it is there; ``path`` is what ``write_file`` returned. Returns the hash.

    The same bytes from a second place have both origins from then on; what nobody labels is from outside.
    """
    digest = sha256(data)
    known = tx.conn.execute(sa.select(assets.c.origin).where(assets.c.hash == digest)).first()
    if known is None:
        row = {"hash": digest, "size": len(data), "mime": mime, "bytes": None if path else data, "path": path}
        tx.run(assets.insert(), {**row, "at": tx.now, "origin": origin.told()})
    elif (whole := of(known.origin) | origin) != of(known.origin):
        tx.run(assets.update().where(assets.c.hash == digest).values(origin=whole.told()))
    return digest


def origin_of(conn: sa.Connection, digest: str) -> Origin:
    """Where the bytes come from, with the asset as a source; outside for one that is gone or was never labelled."""
    row = conn.execute(sa.select(assets.c.origin).where(assets.c.hash == digest)).first() if digest else None
    return of(row.origin if row is not None else None) | Origin(
        sources=frozenset({f"asset:{digest}"} if digest else ())
    )


def load(conn: sa.Connection, folder: Path, digest: str) -> bytes:
    """The bytes of an asset (NotFound when there is none, or when they are gone or no longer what was stored)."""
    row = conn.execute(sa.select(assets).where(assets.c.hash == digest)).first()
    if row is None:
        raise NotFound(f"There is no asset {digest}.")
    try:
        data = bytes(row.bytes) if row.bytes is not None else (folder / row.path).read_bytes()
    except OSError as error:
        raise NotFound(f"The file of asset {digest} cannot be read ({error.strerror}).") from error
    if sha256(data) != digest:
        raise NotFound(f"The stored bytes of asset {digest} have been changed outside Soloist; they are not used.")
    return data


def _sync_folder(folder: Path) -> None:
    """Make the new name durable where the platform can sync a folder."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
