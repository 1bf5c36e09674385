"""Sidecar: the index on disk, so that a start need not make it anew; checked when it is read, never trusted.

One file holds the columns, the postings and the names; a file for each block of vectors is named by its own hash.
All of it can be deleted at any time. Whoever holds the lock writes; other processes read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from soloist.engine.recall import places, words
from soloist.engine.recall.arrays import Array, Column, Names
from soloist.engine.recall.index import COLUMNS, NAMES, Index
from soloist.engine.recall.postings import Piece, Postings
from soloist.engine.recall.vectors import BLOCK, SIZE, WORDS, Vectors

SCHEMA = 1
NAME = "index.bin"
DIGEST = 32
_PIECE = ("stems", "starts", "rows", "counts")


def save(index: Index, folder: Path, mark: str) -> None:
    """Write the index; ``mark`` is the journal's hash at its sequence. OSError leaves the former one as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    with index.lock:
        arrays, head = _taken(index)
        head["mark"] = mark
        rooms = {model: (dict(room.blocks), set(room.changed)) for model, room in index.vectors.items()}
        for room in index.vectors.values():
            room.changed = set()
    for model, (blocks, changed) in rooms.items():
        head["vectors"][model]["blocks"] = _write_blocks(index, folder, model, (blocks, changed))
    _write(folder / NAME, head, arrays)
    named = {name for room in head["vectors"].values() for name in room["blocks"].values()}
    for path in folder.glob("*.i16"):
        if path.name not in named:
            path.unlink(missing_ok=True)


def _taken(index: Index) -> tuple[dict[str, Array], dict[str, Any]]:
    """Arrays and header of one moment; what can change in place is copied."""
    index.threads.settle()
    arrays = {f"column.{name}": column.view for name, column in index.columns.items()}
    arrays["column.ended"] = arrays["column.ended"].copy()
    piece = index.postings.whole()
    arrays |= {f"posting.{name}": getattr(piece, name) for name in _PIECE}
    arrays |= {"thread.keys": index.threads.keys, "thread.rows": index.threads.rows}
    vectors = {}
    for number, (model, room) in enumerate(index.vectors.items()):
        arrays |= {f"bits.{number}": room.bits.view.copy(), f"has.{number}": room.has.view.copy()}
        vectors[model] = {"number": number, "upto": room.upto, "blocks": {}}
    head = {
        "schema": SCHEMA,
        "analysis": words.VERSION,
        "seq": index.seq,
        "newest": index.newest,
        "names": {name: list(index.names[name].texts) for name in NAMES},
        "vectors": vectors,
    }
    return arrays, head


def _write_blocks(index: Index, folder: Path, model: str, room: tuple[Mapping[int, Array], set[int]]) -> dict[str, str]:
    """Files of all blocks of a model; those that changed are written and mapped back in place of the memory."""
    blocks, changed = room
    named = {}
    for number, block in sorted(blocks.items()):
        if number in changed or not isinstance(block, np.memmap):
            name = f"{hashlib.sha256(_bytes(block)).hexdigest()[:40]}.i16"
            if not (folder / name).exists():
                _put(folder / name, [_bytes(block)])
            full = number < max(blocks)  # the last one goes on growing in memory
            with index.lock:
                here = index.vectors[model]
                if full and number not in here.changed and here.blocks.get(number) is block:
                    here.blocks[number] = _mapped(folder / name)
        else:
            name = Path(str(block.filename)).name
            if not (folder / name).exists():  # it was removed with rows that left, which this block never held
                _put(folder / name, [_bytes(block)])
        named[str(number)] = name
    return named


def spill(room: Vectors, folder: Path) -> None:
    """Write the full blocks that changed and map them (OSError: the rest stays); a later ``save`` names the files.

    The caller holds the lock of the index.
    """
    for number in sorted(room.changed - {max(room.blocks)}):
        block = room.blocks[number]
        path = folder / f"{hashlib.sha256(_bytes(block)).hexdigest()[:40]}.i16"
        if not path.exists():
            _put(path, [_bytes(block)])
        room.blocks[number] = _mapped(path)
        room.changed.discard(number)


def _mapped(path: Path) -> Array:
    """A block as it lies on disk, read when it is touched."""
    return np.memmap(path, np.int16, "r", shape=(BLOCK, SIZE))


def _write(path: Path, head: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Digest of what follows, length of the header, header, arrays."""
    head["arrays"] = {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()}
    text = json.dumps(head, ensure_ascii=False).encode()
    parts: list[Any] = [len(text).to_bytes(8, "little"), text]
    parts += [_bytes(np.ascontiguousarray(array)) for array in arrays.values() if array.size]
    digest = hashlib.blake2b(digest_size=DIGEST)
    for part in parts:
        digest.update(part)
    _put(path, [digest.digest(), *parts])


def _bytes(array: Array) -> memoryview:
    """An array as it lies in memory."""
    whole: Any = array
    return memoryview(whole).cast("B")


def _put(path: Path, parts: list[Any]) -> None:
    """A whole file or none."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def load(folder: Path) -> tuple[Index, str] | None:
    """The index and its mark, None when there is none that can be trusted: missing, damaged, or made by other rules."""
    try:
        data = (folder / NAME).read_bytes()
        if hashlib.blake2b(memoryview(data)[DIGEST:], digest_size=DIGEST).digest() != data[:DIGEST]:
            return None
        size = int.from_bytes(data[DIGEST : DIGEST + 8], "little")
        start = DIGEST + 8 + size
        head = json.loads(data[DIGEST + 8 : start])
        if head["schema"] != SCHEMA or head["analysis"] != words.VERSION:
            return None
        return _index(head, _arrays(head, data, start), folder), str(head["mark"])
    except (OSError, ValueError, KeyError):
        return None


def _arrays(head: Mapping[str, Any], data: bytes, start: int) -> dict[str, Array]:
    """The arrays one after another."""
    found = {}
    for name, (kind, shape) in head["arrays"].items():
        count = int(np.prod(shape))
        found[name] = np.frombuffer(data, kind, count, start).reshape(shape)
        start += found[name].nbytes
    return found


def _index(head: Mapping[str, Any], arrays: Mapping[str, Array], folder: Path) -> Index:
    """The index as it was saved."""
    index = Index()
    index.columns = {name: Column(kind, arrays[f"column.{name}"]) for name, kind in COLUMNS.items()}
    index.names = {name: Names(head["names"][name]) for name in NAMES}
    index.postings = Postings([Piece(*(np.array(arrays[f"posting.{name}"]) for name in _PIECE))])
    index.threads = places.Threads(np.array(arrays["thread.keys"]), np.array(arrays["thread.rows"]))
    index.seq, index.newest = head["seq"], head["newest"]
    for model, told in head["vectors"].items():
        room = _room(model, told, arrays, folder)
        if room is not None:
            index.vectors[model] = room
    index.note_writers()
    return index


def _room(model: str, told: Mapping[str, Any], arrays: Mapping[str, Array], folder: Path) -> Vectors | None:
    """The vectors of a model, None when a block is missing or is not what its name says: they are read anew then."""
    room = Vectors(model, told["upto"])
    room.bits = Column(np.uint64, arrays[f"bits.{told['number']}"], width=WORDS)
    room.has = Column(np.bool_, arrays[f"has.{told['number']}"])
    for number, name in told["blocks"].items():
        block = _checked(folder / name)
        if block is None:
            return None
        room.blocks[int(number)] = block
    return room


def _checked(path: Path) -> Array | None:
    """A mapped block whose bytes are those its name was made from."""
    with contextlib.suppress(OSError, ValueError):
        block = _mapped(path)
        if hashlib.sha256(_bytes(block)).hexdigest()[:40] == path.stem:
            return block
    return None


def remove(folder: Path) -> None:
    """Delete what there is, so that nothing of erased rows is left; a process that has it open goes on without it."""
    for path in [folder / NAME, *folder.glob("*.i16"), *folder.glob("*.tmp")]:
        path.unlink(missing_ok=True)
