"""Exporting: everything of a home in open formats, in one order, as a folder or a zip; never a secret, never a key.

Twice the same home gives the same bytes, but for the instant in the manifest.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from soloist import __version__
from soloist.config import Home
from soloist.engine.sandbox.packages import KINDS
from soloist.engine.store import assets, dumping, kinds, migrate
from soloist.engine.store.clock import iso
from soloist.engine.store.copying import head_of
from soloist.engine.store.journal import signed_bytes
from soloist.engine.store.store import Store
from soloist.engine.vault import Vault
from soloist.flows import house_files, usable
from soloist.flows.house_files import FORMAT, MANIFEST, Writing
from soloist.kernel.errors import NotFound

TABLES, ASSETS, HOME = "tables", "assets", "home"
OWN_FILES = (".toml", ".md", ".txt", ".j2", ".json", ".jsonl", ".csv", ".html")
"""Endings of the operator's own files at the top of the home and in the folders below it that are theirs."""
OWN_FOLDERS = ("agents", "playbooks", "templates", "policies", "letters", "kinds")
PACKAGES = "plugins"
"""The folder of installed packages: every file of one is taken, else it would not be what was accepted."""
NEVER = frozenset({"imported.json"})


def write(store: Store, home: Home, vault: Vault, target: Path) -> dict[str, Any]:
    """Write all of it (Conflict when something is there already, OSError); what the manifest says of it."""
    with house_files.writing(target) as out:
        return store.read_now(lambda conn: _everything(conn, home, vault, store, out))


def _everything(conn: Any, home: Home, vault: Vault, store: Store, out: Writing) -> dict[str, Any]:
    """All files from one snapshot, the list of them last."""
    rows = {}
    for name in dumping.names():
        with out.file(f"{TABLES}/{name}.jsonl") as file:
            rows[name] = sum(1 for _ in map(file.write, map(dumping.line, dumping.rows(conn, name))))
    rows["assets"] = _assets(conn, home, out)
    _own_files(home, out)
    _usable(conn, home, out)
    seq, head = head_of(conn)
    manifest = {
        "format": FORMAT,
        "version": __version__,
        "schema": migrate.current(conn),
        "at": iso(store.clock()),
        "seq": seq,
        "head": head,
        "signers": _signers(conn, vault),
        "rows": rows,
        "files": dict(sorted(out.files.items())),
    }
    with out.file(MANIFEST) as file:
        file.write(json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n")
    return {**manifest, "files": len(out.files) - 1, "rows": sum(rows.values())}


def _assets(conn: Any, home: Home, out: Writing) -> int:
    """Every kept file under its hash with the ending of its type, and the list of them."""
    listed = []
    for row in dumping.asset_rows(conn):
        inside = row.pop("inside")
        try:
            data = assets.load(conn, home.assets, row["hash"]) if inside or row["path"] else None
        except NotFound:
            data = None  # erased since, or damaged: the row says what it was
        name = f"{ASSETS}/{row['hash']}{ending(row['mime'])}" if data is not None else ""
        if data is not None:
            with out.file(name) as file:
                file.write(data)
        listed.append({**row, "file": name})
    with out.file(f"{TABLES}/assets.jsonl") as file:
        for row in listed:
            file.write(dumping.line(row))
    return len(listed)


def ending(mime: str) -> str:
    """The ending of a file of a type; the same on every machine."""
    known = {"message/rfc822": ".eml", "application/json": ".json", "text/plain": ".txt", "text/calendar": ".ics"}
    return known.get(mime) or mimetypes.types_map.get(mime, ".bin")


def _own_files(home: Home, out: Writing) -> None:
    """What the operator wrote: settings, house book, agents; mail folders and what the machine made are not of it."""
    for path in _walk(home.root):
        name = f"{HOME}/{path.relative_to(home.root).as_posix()}"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        with out.file(name) as file:
            file.write(data)


def _walk(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        endings = KINDS if parts[0] == PACKAGES else OWN_FILES
        mine = len(parts) == 1 or parts[0] in (*OWN_FOLDERS, PACKAGES)
        mine = mine and parts[0] not in NEVER and path.suffix.lower() in endings
        if mine and not path.is_symlink() and path.is_file():
            yield path


def _usable(conn: Any, home: Home, out: Writing) -> None:
    """The same once more in the forms other programs read."""
    for kind in kinds.everything(conn, retired=True):
        found = dumping.records_of(conn, kind.name)
        first = next(found, None)
        if first is not None:
            with out.file(f"usable/{kind.name}.csv") as file:
                for piece in usable.csv_lines(kind, _with(first, found)):
                    file.write(piece)
    with out.file("usable/contacts.vcf") as file:
        for row in dumping.records_of(conn, "person"):
            file.write(usable.vcard(row))
    with out.file("usable/calendar.ics") as file:
        file.write(usable.CALENDAR_BEGINS)
        for row in dumping.records_of(conn, "appointment"):
            file.write(usable.event(row))
        file.write(usable.CALENDAR_ENDS)
    with out.file("usable/mail.mbox") as file:
        for row in dumping.mails(conn):
            try:
                raw = assets.load(conn, home.assets, row["asset"])
            except NotFound:
                continue
            for piece in usable.mbox(raw, row["sender"], row["at"]):
                file.write(piece)


def _with(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest


def _signers(conn: Any, vault: Vault) -> list[str]:
    """The public halves of the keys that signed the journal, so that it can be verified anywhere."""
    marks = dumping.signed(conn)
    known = [vault.public_key(), *vault.former()]
    return sorted({key.hex() for key in known if any(_by(key, mark) for mark in marks)})


def _by(key: bytes, mark: tuple[int, str, str]) -> bool:
    seq, head, signature = mark
    return Vault.signed_by(key, signed_bytes(seq, head), signature)
