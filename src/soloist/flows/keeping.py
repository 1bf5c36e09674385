"""Keeping: snapshots, and retention: tried without writing, carried out in small steps, every night by itself."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from soloist.config import Home
from soloist.engine.store import asof, erased, retention, settings, snapshots
from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.errors import BadInput, SoloistError
from soloist.stages.memory import retaining

EVERY = 20 * 3600.0
"""Seconds between two collections of the server at least; they are made at night."""
NIGHT = range(2, 5)
LOOK_EVERY = 600.0
COMPACT_OVER = 20_000_000
"""Bytes let go after which the file is made smaller as well."""
_log = logging.getLogger("soloist.keeping")


async def snapshot(store: Store, label: str, *, who: str, as_of: str = "") -> dict[str, Any]:
    """Name an instant, now when none is given (BadInput for one before the first event)."""
    label = " ".join(label.split())
    if not label:
        raise BadInput("label: give the snapshot a name by which you will know it again.", field="label")

    def work(tx: Any) -> dict[str, Any]:
        seq = asof.sequence(tx.conn, as_of) if as_of else 0
        return snapshots.make(tx, label, seq=seq, actor=who)

    return await store.write(work)


@dataclass(frozen=True)
class Keeping:
    """The retention of one home."""

    store: Store
    home: Home

    @classmethod
    def of(cls, desk: Desk) -> Keeping:
        """The retention of a desk's home."""
        return cls(desk.store, desk.home)

    # ----- the policy

    def rules(self, conn: Any) -> tuple[int, dict[str, int]]:
        """(version, days by rule); version 0 are the defaults."""
        row = retention.policy(conn)
        return (row["version"], retaining.checked({}, row["rules"])) if row else (0, retaining.defaults())

    async def put(self, given: Mapping[str, Any], *, who: str, why: str = "") -> dict[str, Any]:
        """Change some days (BadInput); the version in force: {version, rules, hash, who, why, at}."""

        def work(tx: Tx) -> dict[str, Any]:
            _version, current = self.rules(tx.conn)
            return retention.put(tx, retaining.checked(given, current), who=who, why=why)

        return await self.store.write(work)

    # ----- what would leave, and leaving

    async def preview(self, given: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """What would leave now, by the policy or by one with these days changed; nothing is written (BadInput)."""

        def work(conn: Any) -> list[dict[str, Any]]:
            at = self._moment(conn, given)
            found = [retention.counted(conn, job, at) for job in self._jobs(conn)]
            return found + list(self._files(conn, at))

        return await self.store.read(work)

    def _moment(self, conn: Any, given: Mapping[str, Any] | None = None) -> retention.Moment:
        _version, days = self.rules(conn)
        days = retaining.checked(given or {}, days)
        return retention.moment(conn, iso(self.store.clock()), days, retaining.CLOSED)

    @staticmethod
    def _jobs(conn: Any) -> list[retention.Job]:
        return retention.jobs(list(retaining.KINDS), retention.engine_job(conn))

    @staticmethod
    def _files(conn: Any, at: retention.Moment) -> Iterator[dict[str, Any]]:
        for rule, name, rows in (
            ("mail.originals", "originals of mails leave", retention.originals(conn, at, 100_000)),
            ("assets.unused", "files that nothing points at leave", retention.unused(conn, at)),
        ):
            size = sum(row["size"] for row in rows)
            shown = [row["hash"][:12] for row in rows[:3]]
            yield {"name": name, "rule": rule, "rows": len(rows), "bytes": size, "examples": shown}

    async def collect(self, *, who: str, dry: bool = False) -> dict[str, Any]:
        """Carry the policy out in small transactions, or only count; the collection as a row."""
        if dry:
            counts = _told(await self.preview())
            version = await self.store.read(lambda conn: self.rules(conn)[0])
            return await self.store.write(
                lambda tx: retention.add(tx, counts, policy_version=version, dry=True, who=who)
            )
        return await asyncio.to_thread(self.collect_now, who=who)

    def collect_now(self, *, who: str) -> dict[str, Any]:
        """The same from a thread. What a dead process had taken before is told with this one."""
        version, at, jobs = self.store.read_now(
            lambda conn: (self.rules(conn)[0], self._moment(conn), self._jobs(conn))
        )
        while self.store.write_now(lambda tx: retention.redate(tx, at)):
            pass
        for job in jobs:
            while self._step(job, at):
                pass
        for name, find, leave in (
            ("originals of mails leave", retention.originals, retention.forget_originals),
            ("files that nothing points at leave", retention.unused, retention.drop_assets),
        ):
            while self._files_leave(name, at, find, leave):
                pass

        def end(tx: Tx) -> dict[str, Any]:
            counts = json.loads(settings.value(tx.conn, retention.PROGRESS) or "{}")
            return retention.add(tx, counts, policy_version=version, dry=False, who=who)

        row = self.store.write_now(end)
        if sum(part["bytes"] for part in row["counts"].values()) > COMPACT_OVER:
            erased.compact(self.store.url, self.store.write_now)
        return row

    def _step(self, job: retention.Job, at: retention.Moment) -> int:
        """One small transaction; the rows it took."""

        def work(tx: Tx) -> int:
            rows, size = retention.some_of(tx, job, at)
            if rows:
                _note(tx, job.name, rows, size)
            return rows

        return self.store.write_now(work)

    def _files_leave(
        self, name: str, at: retention.Moment, find: Callable[..., list[dict[str, Any]]], leave: Callable[..., None]
    ) -> int:
        """Rows of assets first, their files after the commit; a file that a crash leaves is found by no row."""
        found = self.store.read_now(lambda conn: find(conn, at))[: retention.BATCH]

        def work(tx: Tx) -> None:
            leave(tx, [row["hash"] for row in found])
            _note(tx, name, len(found), sum(row["size"] for row in found))

        if found:
            self.store.write_now(work)
            for row in found:
                if row["path"]:
                    (self.home.assets / row["path"]).unlink(missing_ok=True)
        return len(found)

    # ----- by itself

    async def follow(self, zone: Any) -> None:
        """Collect every night, for as long as the server runs."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if await self.due(zone):
                    await self.collect(who="soloist")
            except (SoloistError, OSError) as error:
                _log.warning("what has had its time could not be collected: %s", error)

    async def due(self, zone: Any) -> bool:
        """Whether it is night and the last collection is long enough ago."""
        now = self.store.clock()
        if now.astimezone(zone).hour not in NIGHT:
            return False
        last = await self.store.read(retention.last)
        return not last or (now - from_iso(last)).total_seconds() >= EVERY


def _note(tx: Tx, name: str, rows: int, size: int) -> None:
    """What has been taken so far, in the transaction that takes it."""
    known = json.loads(settings.value(tx.conn, retention.PROGRESS) or "{}")
    part = known.setdefault(name, {"rows": 0, "bytes": 0})
    part["rows"], part["bytes"] = part["rows"] + rows, part["bytes"] + size
    settings.put(tx, retention.PROGRESS, json.dumps(known, sort_keys=True))


def _told(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts of a preview as a collection keeps them."""
    return {row["name"]: {"rows": row["rows"], "bytes": row["bytes"]} for row in found if row["rows"]}
