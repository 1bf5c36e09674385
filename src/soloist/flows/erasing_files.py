"""Files of an erasure: a person is struck out of logs, their mails are removed, and every byte is looked through."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.store import traces
from soloist.engine.store.traces import Trace, Traces

ENDING = ".backup"
LIST = "erasures.log"
DERIVED = ("recall",)
"""Folders of the home that are made anew from the database when they are gone."""
SAMPLE = 40
"""Writings of one person that are looked for in files, besides what was given."""


@dataclass
class Proof:
    """What a search through every byte showed; texts only as salted hashes."""

    files: int = 0
    bytes: int = 0
    texts: int = 0
    hits: int = 0
    in_files: dict[str, int] = field(default_factory=dict)
    left: list[dict[str, str]] = field(default_factory=list)
    """Files of the operator's own that still name the person, and why."""
    in_database: bool = False
    words: set[str] = field(default_factory=set)
    """Single words that were found somewhere; others may bear them."""


def mine(home: Home, settings: Settings, found: Traces) -> dict[str, int]:
    """Clear the home's own files: logs are struck out, mails that hold a trace and derived files go."""
    done = {"lines struck from logs": 0, "mails removed": 0, "old copies removed": 0, "derived files removed": 0}
    for path in _below(home.logs):
        done["lines struck from logs"] += _strike_log(path, found)
    for folder in {home.path(part) for part in (settings.mail.maildir_in, settings.mail.maildir_out, "mail")} | {
        home.path(settings.mail.drop)
    }:
        for path in _below(folder):
            if found.in_bytes(_read(path)):
                path.unlink(missing_ok=True)
                done["mails removed"] += 1
    for name in DERIVED:
        for path in _below(home.root / name):
            path.unlink(missing_ok=True)
            done["derived files removed"] += 1
    low = traces.needles(trace.text for trace in found.all)
    for path in sorted(home.backups.glob("before-*.db")):
        if traces.in_file(path, low, {})[1]:
            path.unlink(missing_ok=True)
            done["old copies removed"] += 1
    return {name: count for name, count in done.items() if count}


def remove_assets(home: Home, paths: Iterable[str]) -> int:
    """Files of assets whose rows are gone."""
    gone = 0
    for relative in paths:
        path = home.assets / relative
        if path.is_file():
            path.unlink()
            gone += 1
    return gone


def _below(folder: Path) -> Iterator[Path]:
    """Plain files below a folder; links are not followed."""
    for root, _folders, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            if not path.is_symlink() and path.is_file():
                yield path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _strike_log(path: Path, found: Traces) -> int:
    """Strike out in place, so that whoever writes on at the end goes on doing so; the lines that changed."""
    data = _read(path)
    lines = data.splitlines(keepends=True)
    struck = [found.struck_bytes(line) for line in lines]
    changed = sum(old != new for old, new in zip(lines, struck, strict=True))
    if changed:
        with path.open("r+b") as file:
            file.write(b"".join(struck))
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    return changed


# ----- the proof


def searched(home: Home, given: Iterable[Trace], writings: Iterable[str], *, own: Iterable[str] = ()) -> Proof:
    """Look through every file of the home but keys and encrypted backups. ``own`` are files of the operator's."""
    known = list(given)
    texts = {trace.text for trace in known} | set(sorted(writings)[:SAMPLE])
    low, raw = traces.needles(texts), traces.packed(texts)
    singles = set(traces.words(known)) - {text.lower() for text in texts}
    low |= {piece: text for piece, text in traces.needles(singles).items() if b"\x00" not in piece}
    matcher, proof, yours = Traces(known), Proof(texts=len(texts) + len(singles)), set(own)
    for path in files(home):
        relative = path.relative_to(home.root).as_posix()
        try:
            size, found = traces.in_file(path, low, raw)
        except FileNotFoundError:
            continue
        proof.files, proof.bytes = proof.files + 1, proof.bytes + size
        proof.words |= set(found) & singles
        count = sum(n for text, n in found.items() if text not in singles)
        if not count and size < 1_000_000 and path.suffix not in (".db", "") and matcher.in_bytes(_read(path)):
            count = 1
        if count and relative in yours:
            why = "This file is your own; take the name out by hand."
            proof.left.append({"file": relative, "why": why})
        elif count:
            proof.in_files[relative] = count
            proof.hits += count
    proof.in_database = any(name.startswith(home.database.name) for name in proof.in_files)
    return proof


def files(home: Home) -> Iterator[Path]:
    """Every file that could hold somebody's data in the clear."""
    for path in _below(home.root):
        top = path.relative_to(home.root).parts[0]
        if top != home.keys.name and path.suffix != ENDING:
            yield path


def own_files(home: Home, settings: Settings) -> list[str]:
    """The operator's own texts: nobody but the operator changes them."""
    chosen = [home.toml.name, settings.intake.house_book]
    found = [name for name in chosen if (home.root / name).is_file()]
    for folder in (settings.intake.templates, "policies", "kinds", "playbooks", "plugins"):
        base = home.path(folder)
        if base.is_relative_to(home.root):
            found += [path.relative_to(home.root).as_posix() for path in _below(base)]
    return sorted(found)


def hashed(salt: bytes, texts: Iterable[str]) -> list[str]:
    """Salted hashes under which a proof names what was looked for."""
    return sorted(hashlib.sha256(salt + text.casefold().encode()).hexdigest()[:32] for text in texts)


def told(proof: Proof) -> dict[str, Any]:
    """The proof as it is kept."""
    return {
        "files": proof.files,
        "bytes": proof.bytes,
        "texts": proof.texts,
        "hits": proof.hits,
        "in": proof.in_files,
        "left": proof.left,
    }
