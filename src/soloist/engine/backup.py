"""Backup: everything of one home but its keys as one encrypted file, the drill that tries it, and putting it back.

Nothing here reaches the outside. A restored home is marked, so that nothing leaves it before its operator has looked.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from soloist import __version__
from soloist.config import Home
from soloist.engine import archive, stopping
from soloist.engine.recovery import Sheet, home_id
from soloist.engine.store import base, copying, journal, migrate, settings
from soloist.engine.store.clock import iso, utc_now
from soloist.engine.store.store import Store
from soloist.engine.vault import Vault
from soloist.kernel.errors import BadInput, Conflict, SoloistError

ENDING = ".backup"
MANIFEST = "manifest.json"
DATABASE = "soloist.db"
NOT_KEPT = {"keys", "backups", "logs", "assets", "soloist.lock", stopping.FILE}
"""Top names of the home that no backup holds; the database and the assets go in by their own way."""


@dataclass(frozen=True)
class House:
    """What is backed up: the folder, the database, the keys."""

    home: Home
    url: str
    vault: Vault


@dataclass(frozen=True)
class Made:
    """A backup that was written: where, how large in bytes, in how many seconds, to which event it reaches."""

    path: Path
    size: int
    seconds: float
    at: str
    cut_seq: int
    files: int


def make(house: House, to: Path) -> Made:
    """Write a backup while everything goes on (OSError when the folder cannot be written)."""
    began = time.monotonic()
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _workshop(house.home.backups) as bench:
        cut = _cut(house.url, bench)
        at = iso(utc_now())
        head = {
            "at": at,
            "home": home_id(house.vault.install_key()),
            "kind": "sqlite" if base.is_sqlite(house.url) else "postgres",
            "schema": cut.schema,
            "cut_seq": cut.seq,
            "version": __version__,
        }
        path = _name(to, at)
        with archive.writing(path, house.vault.backup_key(), head) as out:
            for part in [bench / DATABASE, *sorted(bench.glob("postgres/*"))]:
                if part.exists():
                    out.put_file(part.relative_to(bench).as_posix(), part)
            _put_folder(out, "assets", house.home.assets, set())
            _put_folder(out, "home", house.home.root, NOT_KEPT | {to.name if to.parent == house.home.root else ""})
            signature = house.vault.sign(journal.signed_bytes(cut.seq, cut.hash)).hex()
            manifest = {**head, "cut": asdict(cut), "signature": signature, "files": dict(out.files)}
            out.put(MANIFEST, json.dumps(manifest, sort_keys=True).encode())
    return Made(path, path.stat().st_size, time.monotonic() - began, at, cut.seq, len(out.files))


def _cut(url: str, bench: Path) -> copying.Cut:
    """The database as it is at one instant."""
    if base.is_sqlite(url):
        return copying.cut_sqlite(url, bench / DATABASE)
    return copying.cut_postgres(url, bench / "postgres")


@contextlib.contextmanager
def _workshop(near: Path) -> Iterator[Path]:
    """A folder only we can read, gone afterwards; one that a killed process left is cleared away after a day."""
    near.mkdir(parents=True, exist_ok=True)
    for left in near.glob(".making-*"):
        if time.time() - left.stat().st_mtime > 86400:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=near) as name:
        yield Path(name)


def _name(to: Path, at: str) -> Path:
    """A name that is not taken; names sort by time."""
    stamp = datetime.fromisoformat(at).strftime("%Y%m%d-%H%M%S")
    names = (f"soloist-{stamp}{f'-{n}' if n else ''}{ENDING}" for n in range(1000))
    return next(to / name for name in names if not (to / name).exists())


def _put_folder(out: archive.Writing, name: str, folder: Path, without: set[str]) -> None:
    """Every plain file below a folder; one that goes away meanwhile is not there any more."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        top = relative.parts[0]
        skipped = top in without or top.startswith(DATABASE) or top.startswith(".making-")
        if skipped or path.suffix in (".tmp", ".part", ENDING) or path.is_symlink() or not path.is_file():
            continue
        with contextlib.suppress(FileNotFoundError):
            if name == "home":
                out.put(f"{name}/{relative.as_posix()}", path.read_bytes())
            else:
                out.put_file(f"{name}/{relative.as_posix()}", path)


def listed(folder: Path, home: str = "") -> list[dict[str, Any]]:
    """The backups of a folder, newest first: path, at, size; of one home or of all. What is none is left out."""
    found = []
    for path in sorted(folder.glob(f"soloist-*{ENDING}"), reverse=True) if folder.is_dir() else []:
        try:
            told = archive.head(path)
            if home in ("", told["home"]):
                found.append({"path": path, "at": told["at"], "size": path.stat().st_size})
        except (OSError, BadInput, KeyError):
            continue
    return found


def prune(house: House, folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest ``keep`` of this home; answers which went."""
    gone = [one["path"] for one in listed(folder, home_id(house.vault.install_key()))[keep:]]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


# ----- the drill


@dataclass
class Drill:
    """What trying a backup showed: ``faults`` are sentences, empty when all of it comes back."""

    path: Path
    at: str = ""
    cut_seq: int = 0
    seconds: float = 0.0
    files: int = 0
    rows: int = 0
    events: int = 0
    assets: int = 0
    secrets: int = 0
    opened: int = 0
    faults: list[str] = field(default_factory=list)


def drill(house: House, path: Path) -> Drill:
    """Restore into a folder of its own, look at everything, remove it; nothing is started and nothing leaves."""
    began, found = time.monotonic(), Drill(path)
    spare = contextlib.nullcontext("") if base.is_sqlite(house.url) else copying.spare(house.url)
    try:
        with tempfile.TemporaryDirectory(prefix="soloist-drill-") as name, spare as url:
            manifest = _take_out(path, house.vault.backup_key(), Path(name))
            found.at, found.cut_seq, found.files = manifest["at"], manifest["cut_seq"], len(manifest["files"])
            _put_database(manifest, Path(name), url := url or base.sqlite_url(Path(name) / DATABASE))
            _look(house.vault, manifest, Path(name), url, found)
    except (SoloistError, OSError) as error:
        found.faults.append(error.detail if isinstance(error, SoloistError) else str(error))
    found.seconds = time.monotonic() - began
    return found


def _look(vault: Vault, manifest: Mapping[str, Any], folder: Path, url: str, found: Drill) -> None:
    """Rows against the manifest, the journal, its signature, every asset, every secret; then the schema."""
    found.faults += [f"SQLite says: {line}" for line in copying.damaged(url)]
    had = copying.about(url).tables
    told = {name: n for name, n in manifest["cut"]["tables"].items() if name not in copying.LEFT_OUT}
    found.rows = sum(told.values())
    found.faults += [f"{name}: {had.get(name)} rows instead of {n}." for name, n in told.items() if had.get(name) != n]
    migrate.prepare(url)
    store = Store(url)
    try:
        report = store.read_now(lambda conn: journal.verify(conn, vault.verify))
        found.events = report.events
        found.faults += report.faults
        end = store.read_now(copying.head_of)
        if not vault.verify(journal.signed_bytes(*end), bytes.fromhex(manifest["signature"])):
            found.faults.append("The end of the journal is not the one that was signed.")
        for digest, place in store.read_now(lambda conn: list(copying.asset_files(conn))):
            found.assets += 1
            if manifest["files"].get(f"assets/{place}", {}).get("sha256") != digest:
                found.faults.append(f"The file of asset {digest[:12]} is missing or another one.")
        for name, blob in store.read_now(copying.sealed):
            found.secrets += 1
            _open(vault, name, blob, found)
    finally:
        store.close()


def _open(vault: Vault, name: str, blob: bytes, found: Drill) -> None:
    """Whether a secret opens with the keys there are."""
    try:
        vault.open(name, blob)
        found.opened += 1
    except SoloistError as error:
        found.faults.append(error.detail)


# ----- putting it back


@dataclass(frozen=True)
class Restored:
    """A home that was put back."""

    root: Path
    at: str
    cut_seq: int
    files: int
    seconds: float
    erased: int | None = None
    """Erasures made since, which are applied when it is first opened; None when no list of them lay beside it."""


def restore(path: Path, root: Path, sheet: Sheet, *, url: str = "") -> Restored:
    """A new home from a backup and its recovery sheet; ``url`` for Postgres.

    Conflict when the folder or the database is not empty, BadInput when sheet and backup do not belong together or the
    backup is damaged. Nothing is left behind when it fails.
    """
    began = time.monotonic()
    if not path.is_file():
        raise BadInput(f"There is no file {path}. Nothing was changed.", field="archive")
    told = archive.head(path)
    _fits(told, root, sheet, url)
    made = not root.exists()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        folder = Path(tempfile.mkdtemp(prefix=".restoring-", dir=root))
        manifest = _take_out(path, sheet.keys["backup.key"], folder)
        address = url or base.sqlite_url(folder / DATABASE)
        _put_database(manifest, folder, address)
        vault = Vault(root / "keys")
        vault.put_back(sheet.keys)
        about = {"cut_seq": manifest["cut_seq"], "cut_at": manifest["at"], "archive": path.name}
        erased = _erased_since(path.parent, vault, manifest["at"])
        _mark(address, vault, about, erased)
        _settle(folder, root)
    except BaseException:  # also when a person ends it: nothing half restored stays
        _clear(root, made)
        raise
    since = len(erased) if (path.parent / ERASURES).exists() else None
    seconds = time.monotonic() - began
    return Restored(root, manifest["at"], manifest["cut_seq"], len(manifest["files"]), seconds, since)


def _fits(told: Mapping[str, Any], root: Path, sheet: Sheet, url: str) -> None:
    """Whether this backup can be put here with this sheet."""
    if told.get("home") != sheet.home:
        raise BadInput(
            f"The sheet is of the home {sheet.home}, the backup of {told.get('home')}. Nothing was changed.",
            field="sheet",
        )
    if told.get("schema") not in migrate.KNOWN:
        raise BadInput(
            f"This backup was made by a newer Soloist ({told.get('version')}, schema {told.get('schema')}). "
            "Nothing was changed. Install that version first."
        )
    if (told.get("kind") == "postgres") == (not url or base.is_sqlite(url)):
        where = "Postgres: give its address with --database" if told.get("kind") == "postgres" else "SQLite"
        raise BadInput(f"This backup is of a home on {where}. Nothing was changed.", field="database")
    if root.exists() and any(root.iterdir()):
        raise Conflict(f"{root} is not empty. Nothing was changed. Restore into a new folder.")
    if url and not copying.is_empty(url):
        raise Conflict("The database is not empty. Nothing was changed. Restore into a new one.")


def _take_out(path: Path, secret: bytes, folder: Path) -> dict[str, Any]:
    """Unpack a whole archive below a folder and compare every hash; the manifest."""
    found = archive.reading(path, secret, lambda name: folder / name)
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput("The backup has no list of what is in it. Nothing was restored from it.") from error
    found.pop(MANIFEST)
    wrong = sorted(name for name in {*found, *manifest["files"]} if found.get(name) != manifest["files"].get(name))
    if wrong:
        raise BadInput(f"Not as it was written: {', '.join(wrong[:5])}. Nothing was restored from this backup.")
    return manifest


def _put_database(manifest: Mapping[str, Any], folder: Path, url: str) -> None:
    """On SQLite the file is there already; a Postgres database is made and filled."""
    if manifest["kind"] == "postgres":
        migrate.make(url, manifest["schema"])
        importlib.import_module("soloist.engine.durable.tables").make(url)
        copying.put_postgres(url, folder / "postgres", manifest["schema"])


ERASURES = "erasures.log"
"""Beside the backups: who was erased when, by ids and keyed hashes; each line begins with its signature."""
ERASURES_PENDING = "erasures.pending"
"""Setting of a restored home: what was erased after its backup was made; applied before anything is served."""


def _erased_since(folder: Path, vault: Vault, at: str) -> list[dict[str, Any]]:
    """Erasures of this home after an instant, from the signed list beside a backup."""
    try:
        lines = (folder / ERASURES).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        signature, _, text = line.partition(" ")
        with contextlib.suppress(ValueError, KeyError, TypeError):
            if vault.verify(text.encode(), bytes.fromhex(signature)):
                told = json.loads(text)
                found += [told] if told["at"] > at else []
    return found


def _mark(url: str, vault: Vault, about: dict[str, Any], erased: list[dict[str, Any]]) -> None:
    """From now on it is a restored home in safe mode, and an event says so."""
    migrate.prepare(url)
    store = Store(url, sign=vault.sign)

    def work(tx: Any) -> None:
        stopping.note_cut(tx, about)
        if erased:
            settings.put(tx, ERASURES_PENDING, json.dumps(erased))
        tx.append("home.restored", payload=about, actor="operator")

    try:
        store.write_now(work)
    finally:
        store.close()


def _settle(folder: Path, root: Path) -> None:
    """Everything to its place."""
    for name in ("assets", DATABASE):
        if (folder / name).exists():
            (folder / name).rename(root / name)
    for path in sorted((folder / "home").rglob("*")):
        target = root / path.relative_to(folder / "home")
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
    shutil.rmtree(folder)


def _clear(root: Path, made: bool) -> None:
    """Leave nothing of a restore that failed; the folder was empty before."""
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if made:
        root.rmdir()


def age(at: str, now: Callable[[], datetime] = utc_now) -> float:
    """Seconds since an instant; infinite for none."""
    return (now() - datetime.fromisoformat(at)).total_seconds() if at else float("inf")
