"""A whole exported home into an empty one: everything back with the same ids, nothing sent a second time.

What was ready to leave is taken as perhaps done, as after a restore: the home begins in safe mode.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from soloist.config import Home
from soloist.engine import stopping
from soloist.engine.store import assets, base, copying, dumping, journal, migrate
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.engine.vault import Vault
from soloist.flows import house_files
from soloist.flows.desk import Desk
from soloist.flows.exporting import ASSETS, HOME, TABLES
from soloist.flows.house_files import Reading
from soloist.kernel.errors import BadInput, Conflict

MARK = "imported.json"
"""A file in the home until its first server has started: from where it came, and when that was made."""


def take_in(source: Path, root: Path, *, url: str = "") -> dict[str, Any]:
    """A home from an export; ``url`` for Postgres. {rows, files, seq, seconds}.

    Conflict when the folder or database is not empty; BadInput when the export is damaged (the file is named), is no
    export, or was made by a newer version. Nothing is left behind when it fails.
    """
    began = time.monotonic()
    with house_files.reading(source) as given:
        _fits(given, root, url)
        given.verify()
        made = not root.exists()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            rows = _put(given, Home(root), url or base.sqlite_url(root / "soloist.db"))
        except BaseException:  # also when a person ends it: nothing half taken in stays
            _clear(root, made)
            raise
    manifest = given.manifest
    return {"rows": rows, "files": len(given.files), "seq": manifest["seq"], "seconds": time.monotonic() - began}


def _fits(given: Reading, root: Path, url: str) -> None:
    """Whether it can be put here."""
    schema = given.manifest.get("schema")
    if schema not in migrate.KNOWN:
        raise BadInput(
            f"This export was made by a newer Soloist ({given.manifest.get('version')}, schema {schema}). Nothing was "
            "taken in. Install that version first."
        )
    if root.exists() and any(root.iterdir()):
        raise Conflict(
            f"{root} is not empty. Nothing was changed. Import a whole home into a new folder: --home FOLDER"
        )
    if url and not base.is_sqlite(url) and not copying.is_empty(url):
        raise Conflict("The database is not empty. Nothing was changed. Import a whole home into a new one.")


def _put(given: Reading, home: Home, url: str) -> int:
    """Rows, files and the public keys of those who signed; then the journal is verified."""
    if not base.is_sqlite(url):
        importlib.import_module("soloist.engine.durable.tables").make(url)
    rows = dumping.fill(url, given.manifest["schema"], _tables(given, home))
    migrate.prepare(url)
    vault = Vault(home.keys)
    vault.every()
    vault.add_former([bytes.fromhex(key) for key in given.manifest.get("signers", [])])
    store = Store(url)
    try:
        report = store.read_now(lambda conn: journal.verify(conn, vault.verify))
        end = store.read_now(copying.head_of)
    finally:
        store.close()
    if report.faults or end != (given.manifest["seq"], given.manifest["head"]):
        why = report.faults[0] if report.faults else "It ends elsewhere than its manifest says."
        raise BadInput(f"The journal of this export does not hold: {why} Nothing was taken in.")
    for name in given.files:
        if name.startswith(f"{HOME}/"):
            _copy(given, name, home.root / name.removeprefix(f"{HOME}/"))
    told = {"cut_seq": given.manifest["seq"], "cut_at": given.manifest["at"], "archive": "an export"}
    (home.root / MARK).write_text(json.dumps(told, sort_keys=True), encoding="utf-8")
    return rows


def _tables(given: Reading, home: Home) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """Every table with its rows; assets with their bytes, or with their file in its place."""
    listed = sorted(name for name in given.files if name.startswith(f"{TABLES}/") and name.endswith(".jsonl"))
    for name in listed:
        table = name.removeprefix(f"{TABLES}/").removesuffix(".jsonl")
        yield table, _assets(given, home, name) if table == ASSETS else given.rows(name)


def _assets(given: Reading, home: Home, name: str) -> Iterator[dict[str, Any]]:
    for row in given.rows(name):
        file = row.pop("file")
        row["bytes"] = None
        if file:
            with given.open(file) as source:
                data = source.read()
            if hashlib.sha256(data).hexdigest() != row["hash"]:
                raise BadInput(f"{file} is not the file its name says. Nothing was taken in.", field=file)
            if row["path"]:
                row["path"] = assets.write_file(home.assets, data)
            if not row["path"]:
                row["bytes"] = {"base64": base64.b64encode(data).decode("ascii")}
        yield row


def _copy(given: Reading, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with given.open(name) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out)
        out.flush()
        os.fsync(out.fileno())


def _clear(root: Path, made: bool) -> None:
    """Leave nothing of an import that failed; the folder was empty before."""
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if made:
        root.rmdir()


def arrived(desk: Desk) -> bool:
    """Before the first server of an imported home begins: safe mode, and what was under way is asked for again."""
    mark = desk.home.root / MARK
    if not mark.exists():
        return False
    told = json.loads(mark.read_text(encoding="utf-8"))

    def work(tx: Tx) -> None:
        runs = dumping.parked(tx)
        stopping.note_cut(tx, told)
        tx.append("home.imported", payload={**told, "runs": runs}, actor="operator")

    desk.store.write_now(work)
    mark.unlink()
    return True
