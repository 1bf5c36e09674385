"""A home that is backed up under load, goes on, is lost, and comes back; and what belongs together in a backup."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from soloist.engine import backup, recovery
from soloist.engine.store import assets, base, copying, journal
from soloist.engine.store.store import Store
from soloist.engine.vault import Vault
from tests.acceptance.driving import Served, until
from tests.storm.stopping import CALLS, Burst


def sheet_of(root: Path) -> recovery.Sheet:
    """The sheet of a home, as it is typed from paper."""
    return recovery.read(recovery.text(recovery.of(Vault(root / "keys")), business="Studio Linde", made="today"))


def torn(root: Path) -> list[str]:
    """What does not belong together in a restored home: proposals, approvals, runs, assets, the journal."""
    vault = Vault(root / "keys")
    store = Store(base.sqlite_url(root / "soloist.db"), sign=vault.sign)
    try:
        return store.read_now(lambda conn: _torn(conn, root, vault))
    finally:
        store.close()


def _torn(conn: Any, root: Path, vault: Vault) -> list[str]:
    runless = "SELECT id FROM proposals WHERE 'proposal:' || id NOT IN (SELECT id FROM runs)"
    faults = [f"proposal {row[0]} has no run" for row in conn.exec_driver_sql(runless)]
    unsaid = "SELECT id FROM proposals WHERE state='approved' AND id NOT IN (SELECT proposal FROM approvals)"
    faults += [f"proposal {row[0]} has no approval" for row in conn.exec_driver_sql(unsaid)]
    unasked = "SELECT id FROM effects WHERE run NOT IN (SELECT id FROM runs)"
    faults += [f"effect {row[0]} has no run" for row in conn.exec_driver_sql(unasked)]
    for digest, _path in copying.asset_files(conn):
        assets.load(conn, root / "assets", digest)
    return faults + journal.verify(conn, vault.verify).faults


class Lost:
    """A burst whose machine is lost some time after a backup, and the home that is restored from it."""

    def __init__(self, burst: Burst, root: Path) -> None:
        self.burst, self.root = burst, root
        self.left_open: set[str] = set()

    def propose(self, ref: str, class_: str) -> tuple[str, str]:
        """A proposal that waits for its approval: (id, hash)."""
        connector, operation = CALLS[class_]
        body = {
            "connector": connector,
            "operation": operation,
            "payload": {"ref": ref},
            "reason": "r",
            "source_ref": ref,
        }
        made = self.burst.served.ask("POST", "/proposals", self.burst.key, json=body).json()
        return made["id"], made["payload_hash"]

    def approve(self, served: Served, ident: str, digest: str) -> int:
        """Approve one; the status."""
        said = {"decision": "approve", "payload_hash": digest}
        return served.ask("POST", f"/proposals/{ident}/approval", self.burst.key, json=said).status_code

    def restore(self, path: Path) -> float:
        """Put it back with the typed sheet; the seconds it took."""
        began = time.monotonic()
        backup.restore(path, self.root, sheet_of(self.burst.home))
        return time.monotonic() - began

    def serve(self) -> Served:
        """The restored home, served."""
        served = Served(self.root, nursery=self.burst.nursery)
        self.burst.others.append(served)
        served.start()
        return served

    def at_rest(self, served: Served, wanted: set[str], seconds: float = 600.0) -> list[dict[str, Any]]:
        """Every effect, once those of ``wanted`` are there and none is on its way any more."""
        rest = {"succeeded", "needs_human", "failed", "resolved_done", "resolved_not_done"}

        def look() -> list[dict[str, Any]]:
            found = served.every("/effects", self.burst.key)
            there = wanted <= {row["source_ref"] for row in found}
            return found if there and {row["state"] for row in found} <= rest else []

        return list(until(look, seconds, 0.3, what="every effect at rest"))
