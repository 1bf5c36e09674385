"""Erasing: a person is taken out of everything the home holds, with a search through every byte as the proof.

One transaction takes them out of the database; what follows (files, derived indexes, the proof) is done again from the
start when the machine ends in between, and only a finished erasure is reported.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.config import seconds as seconds_of
from soloist.engine.store import erased, erasing, erasing_rows
from soloist.engine.store import settings as switches
from soloist.engine.store.clock import from_iso, iso, later
from soloist.engine.store.erasing import Subject
from soloist.engine.store.store import Store
from soloist.engine.store.traces import Trace, Traces
from soloist.engine.store.tx import Tx
from soloist.engine.vault import Vault
from soloist.flows import erasing_files
from soloist.flows.desk import Desk
from soloist.kernel.errors import Conflict, SoloistError
from soloist.kernel.hashing import keyed

PENDING = "erasures.pending"
"""Setting of a restored home: what was erased after its backup, JSON lines; done before anything else."""
TRIES = 3
_log = logging.getLogger("soloist.erasing")


@dataclass(frozen=True)
class Preview:
    """What an erasure would find; nothing is written. ``hindered`` says why it cannot be done yet."""

    title: str
    records: list[dict[str, str]]
    traces: list[dict[str, str]]
    doubtful: list[dict[str, Any]]
    owned: dict[str, int]
    mentions: dict[str, list[str]]
    kept: list[dict[str, Any]]
    backups: list[dict[str, str]]
    own_files: list[str]
    hindered: str = ""
    word: str = ""


@dataclass(frozen=True)
class Erasing:
    """Erasures of one home."""

    store: Store
    home: Home
    settings: Settings
    vault: Vault = field(repr=False)

    @classmethod
    def of(cls, desk: Desk) -> Erasing:
        """The erasures of a desk's home."""
        return cls(desk.store, desk.home, desk.settings, Vault(desk.home.keys))

    # ----- looking

    async def preview(self, asked: str, also: Sequence[str] = ()) -> Preview:
        """What is known of a person and what would become of it (NotFound, BadInput)."""
        return await self.store.read(lambda conn: self._preview(conn, asked, also))

    def _preview(self, conn: Any, asked: str, also: Sequence[str]) -> Preview:
        who = erasing.subject(conn, asked, also)
        mine, found = erasing.owned(conn, who), Traces(who.traces)
        hindered = ""
        try:
            erasing.hindered(conn, mine)
        except Conflict as error:
            hindered = error.detail
        doubtful = [self._doubtful(conn, text) for text in who.doubtful]
        named = erasing_rows.mentions(conn, found) if found else {}
        return Preview(
            title=who.title,
            records=erased.shown(conn, sorted(mine.records)),
            traces=[{"kind": trace.kind, "text": trace.text} for trace in who.traces],
            doubtful=doubtful,
            owned={name: count for name, count in mine.counts().items() if count},
            mentions={table.split(".")[-1]: [_short(text, found) for text in rows] for table, rows in named.items()},
            kept=erased.lawful(conn, who.records),
            backups=self.backups(),
            own_files=[name for name in self._own() if found.in_bytes(_bytes(self.home.root / name))],
            hindered=hindered,
            word=who.title,
        )

    @staticmethod
    def _doubtful(conn: Any, text: str) -> dict[str, Any]:
        """How often a text that could be anybody's stands somewhere; it is left unless the operator names it."""
        found = erasing_rows.mentions(conn, Traces([Trace("text", text)]))
        examples = [row[:120] for rows in found.values() for row in rows][:3]
        return {"text": text, "rows": sum(map(len, found.values())), "examples": examples}

    def backups(self) -> list[dict[str, str]]:
        """Backups that hold the person still: {file, at, until}; restoring one applies the erasure again."""
        backup = importlib.import_module("soloist.engine.backup")
        chosen, found = self.settings.backup, []
        folders = [self.home.backups, *([self.home.path(chosen.to)] if chosen.to else [])]
        every = seconds_of(chosen.every) or 86_400.0
        for folder in folders:
            for place, one in enumerate(backup.listed(folder)):
                goes = later(iso(self.store.clock()), every * max(1, chosen.keep - place))
                found.append({"file": str(one["path"]), "at": one["at"], "until": goes})
        return found

    def _own(self) -> list[str]:
        return erasing_files.own_files(self.home, self.settings)

    # ----- doing

    async def erase(self, asked: str, *, who: str, why: str = "", also: Sequence[str] = ()) -> dict[str, Any]:
        """Erase a person and prove it; the row of the erasure (NotFound, BadInput, Conflict: nothing was erased)."""
        return await asyncio.to_thread(self.erase_now, asked, who=who, why=why, also=also)

    def erase_now(self, asked: str, *, who: str, why: str = "", also: Sequence[str] = ()) -> dict[str, Any]:
        """The same from a thread without an event loop."""
        meant = self.store.read_now(lambda conn: erasing.subject(conn, asked, also))
        return self._erase(meant, who=who, why=why)

    def _erase(self, meant: Subject, *, who: str, why: str) -> dict[str, Any]:
        """Database first, in one transaction; then everything that can be done again."""
        secret = self.vault.install_key()

        def work(tx: Tx) -> str:
            ident = tx.new_id()
            keys = erased.keys(meant.traces, secret)
            erased.begin(tx, ident, who=who, why=why, keys=keys, records=meant.records)
            subject = keyed(secret, meant.traces[0].plain if meant.traces else ident)
            done = erasing.take_out(tx, meant, erasure=ident, keyed=subject, actor=who, folder=self.home.assets)
            erased.took(tx, ident, done, sealed=self._sealed(ident, meant, done), subject=subject)
            return ident

        ident = self.store.write_now(work)
        return self.finish(ident)

    def _sealed(self, ident: str, meant: Subject, done: Any) -> str:
        """What the rest of the erasure needs, sealed under its id until it is done; then it is destroyed."""
        texts = [[trace.kind, trace.text] for trace in meant.traces]
        given = {"title": meant.title, "traces": texts, "writings": sorted(done.writings), "files": done.files}
        return self.vault.seal(f"erasure:{ident}", json.dumps(given)).hex()

    def finish(self, ident: str) -> dict[str, Any]:
        """Everything after the transaction: files, derived indexes, the proof. It may be done twice."""
        row = self.store.read_now(lambda conn: erased.get(conn, ident))
        if row["state"] != "running":
            return row
        began = time.monotonic()
        given = json.loads(self.vault.open(f"erasure:{ident}", bytes.fromhex(row["subject"])))
        known = [Trace(kind, text) for kind, text in given["traces"]]
        counts = {"files of assets": erasing_files.remove_assets(self.home, given["files"])}
        counts |= erasing_files.mine(self.home, self.settings, Traces(known))
        proof = self._proved(ident, given, known)
        told = erasing_files.told(proof)
        salt = os.urandom(16)
        told |= {
            "salt": salt.hex(),
            "hashes": erasing_files.hashed(salt, {trace.text for trace in known} | set(given["writings"])),
            "words": self._words(proof),
            "done": {**row["found"]["counts"], **{name: n for name, n in counts.items() if n}},
            "backups": [{"file": Path(one["file"]).name, "until": one["until"]} for one in self.backups()],
            "server_files": "searched"
            if self._on_file
            else "not searched: the files of the Postgres server are not in this home; its tables were vacuumed",
            "seconds": round(time.monotonic() - began, 2),
        }
        self._remember(row, told)
        return self.store.write_now(lambda tx: erased.end(tx, ident, told))

    @property
    def _on_file(self) -> bool:
        return self.store.url.startswith("sqlite")

    def _proved(self, ident: str, given: Mapping[str, Any], known: list[Trace]) -> erasing_files.Proof:
        """Compact and search; what came in meanwhile, or lay in an asset nobody pointed at, is taken out as well."""
        own, folder, meant = self._own(), self.home.assets, Subject("", [], known)
        for attempt in range(TRIES):
            erased.compact(self.store.url, self.store.write_now)
            proof = erasing_files.searched(self.home, known, given["writings"], own=own)
            if not proof.hits:
                break
            _log.info("an erasure looks again: %d places are left after try %d", proof.hits, attempt + 1)
            erasing_files.remove_assets(
                self.home,
                [name.removeprefix("assets/") for name in proof.in_files if name.startswith("assets/")],
            )
            erasing_files.mine(self.home, self.settings, Traces(known))
            if proof.in_database:
                self.store.write_now(lambda tx: erased.once_more(tx, ident, meant, folder))
        return proof

    def _words(self, proof: erasing_files.Proof) -> list[dict[str, Any]]:
        """Single words of the name that are still somewhere: in how many rows of other people."""
        rows = self.store.read_now(lambda conn: erased.rows_with(conn, sorted(proof.words), self.home.assets))
        return [{"length": len(word), "rows": count} for word, count in rows.items()]

    def _remember(self, row: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """A line beside the backups, so that restoring an older one applies the erasure again; hashes and ids only."""
        found = row["found"]
        line = {"id": row["id"], "at": row["created"], "records": found["records"], "keys": found["keys"]}
        text = json.dumps(line, sort_keys=True, separators=(",", ":"))
        signed = f"{self.vault.sign(text.encode()).hex()} {text}\n"
        chosen = self.settings.backup
        for folder in [self.home.backups, *([self.home.path(chosen.to)] if chosen.to else [])]:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / erasing_files.LIST
                if row["id"] not in (path.read_text() if path.exists() else ""):
                    with path.open("a", encoding="utf-8") as file:
                        file.write(signed)
                        file.flush()
                        os.fsync(file.fileno())
            except OSError as error:
                _log.warning("%s could not be told of an erasure: %s", folder, error)

    # ----- after a restart, after a restore

    def resume(self) -> list[str]:
        """Finish what a dead process left half done; answers the ids."""
        left = self.store.read_now(erased.running)
        return [str(self.finish(ident)["id"]) for ident in left]

    def apply_pending(self) -> list[str]:
        """In a restored home: erase again whoever was erased after the backup was made, before anything is served."""
        lines = self.store.read_now(lambda conn: switches.value(conn, PENDING))
        if not lines:
            return []
        done = []
        for line in json.loads(lines):
            meant = self._known_again(line)
            if meant.records or meant.traces:
                at = from_iso(line["at"])
                why = f"Erased on {at:%d.%m.%Y}, after this backup was made; applied again when it was restored."
                done.append(str(self._erase(meant, who="operator", why=why)["id"]))
        self.store.write_now(lambda tx: switches.put(tx, PENDING, ""))
        return done

    def _known_again(self, line: Mapping[str, Any]) -> Subject:
        secret = self.vault.install_key()
        return self.store.read_now(lambda conn: erased.derived(conn, line, secret))


def equip(desk: Desk) -> None:
    """Nothing of a restored home is read before what was erased since its backup is erased again."""
    if desk.store.read_now(lambda conn: switches.value(conn, PENDING)):
        Erasing.of(desk).apply_pending()


async def follow(desk: Desk) -> None:
    """At the start of the server: finish what the one before it left half done."""
    try:
        await asyncio.to_thread(Erasing.of(desk).resume)
    except (SoloistError, OSError) as error:
        _log.warning("an erasure could not be finished yet: %s", error)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _short(text: str, found: Traces) -> str:
    """The part of a text around the first trace."""
    first = next(iter(found.inside(text)), "")
    at = max(0, text.find(first) - 40)
    return text[at : at + 120]
