"""The composition root: settings, store, stages and flows of one home are put together here and nowhere else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from soloist import config
from soloist.engine import registry
from soloist.engine.keyring import Keyring
from soloist.engine.lock import ServerLock
from soloist.engine.store import base, journal, migrate
from soloist.engine.store import settings as switches
from soloist.engine.store.access import AccessRows
from soloist.engine.store.clock import Clock, new_id, utc_now
from soloist.engine.store.store import Store
from soloist.engine.vault import Vault
from soloist.engine.worker import Worker
from soloist.flows import beside, equipped, every, running, spending
from soloist.flows.desk import Desk
from soloist.flows.judging import Judging
from soloist.flows.links import Links
from soloist.flows.packages import Packages
from soloist.flows.sources import Sources
from soloist.stages.approvals import Approvals
from soloist.stages.conversation import Conversation
from soloist.stages.effects import Effects, open_door
from soloist.stages.intake import Intake
from soloist.stages.memory import Memory
from soloist.stages.records import Records
from soloist.stages.runtime import Runtime


class App:
    """One home, opened. ``start`` makes it a server; without it everything but waiting work can be done (CLI)."""

    def __init__(self, root: Path, *, database: str = "", clock: Clock = utc_now) -> None:
        """Create or migrate the home (BadConfig, StoreTrouble); nothing runs yet."""
        self.home = config.Home(root)
        for folder in (root, self.home.assets, self.home.keys, self.home.backups, self.home.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self.settings = config.read(self.home.toml, strict=False)
        self.judging = Judging(self.home, self.settings, clock)
        self.vault = Vault(self.home.keys)
        url = database or base.sqlite_url(self.home.database)
        migrate.prepare(url, self.home.backups)
        self.store = Store(url, clock=clock, sign=self.vault.sign)
        self.store.writer.send = self._first_send
        self.access = AccessRows(self.store)
        self.keyring = Keyring(self.store, self.vault)
        self.registry, self.worker = registry.load(), Worker()
        self.boot = new_id(clock())
        self.links = Links(self.home, self.settings, self.registry, self.keyring)
        self.desk = equipped(self._desk(), self.registry.playbooks)
        self.sources = Sources(self.desk.intake, self.store, self.desk.connections)
        self.lock = ServerLock(self.home.lock, url)
        self.presence = running.presence(self.store, self.lock, self.boot, self.desk.effects, self.vault.install_key())
        self.engine: Any = None
        self.following, self.started = running.beside(), time.time()

    def _desk(self) -> Desk:
        """The stages with their collaborators."""
        store, home, chosen = self.store, self.home, self.settings
        key = self.vault.install_key()
        door = open_door(chosen, home.root, self.registry, self.keyring)
        return Desk(
            store=store,
            home=home,
            settings=chosen,
            connections=self.links.halves,
            packages=Packages(store, home, chosen, self.registry, self.worker),
            intake=Intake(store, home, chosen, self.worker),
            records=Records(store),
            memory=Memory(store, home, chosen, self.worker),
            runtime=Runtime(store, home, chosen, self.worker, self.registry.agents, skills=self.registry.skills),
            approvals=Approvals(store, self.judging.judge, self.links.check_payload, key, self.judging.hindered),
            conversation=Conversation(store, chosen),
            effects=Effects(store, door, boot=self.boot, install_key=key, allowed=self.judging.still_allowed),
            judging=self.judging,
        )

    def _first_send(self, conn: Any, run: str, topic: str, message: Any) -> None:
        """Load the engine's client when the first message is sent, so that readers never pay for it."""
        from soloist.engine.durable import sender

        self.store.writer.send = sender(self.store.url)
        self.store.writer.send(conn, run, topic, message)

    async def start(self, kind: str = "server") -> None:
        """Settle and launch."""
        await self.settle(kind)
        await self.launch()

    async def settle(self, kind: str = "server") -> None:
        """Take the locks (StoreTrouble when a server runs); what a dead process was calling becomes unknown."""
        if kind == "server":
            self.lock.take()
        await self.presence.begin(kind)

    async def launch(self) -> None:
        """Launch the engine; a server begins to pull. Decisions made before this are carried out now."""
        self.engine = await running.launch(self.store, every(self.desk), self.presence)
        if self.presence.kind == "server":
            self.sources.start()
        self.following = running.beside(self.links.follow(self._linked), *beside(self.desk, self.presence.kind))

    def connect(self, again: str = "") -> None:
        """Take over soloist.toml as it is now (BadConfig changes nothing); ``again`` is opened afresh in any case."""
        self.links.reread(again)
        self._linked()

    def _linked(self) -> None:
        """The way out and the sources follow the connections there are now, models and caps their settings."""
        spending.take(self.desk, self.links.settings)
        self.desk.effects.connect(self.links.settings)
        self.sources.refresh()

    def verify_journal(self) -> journal.Report:
        """Recompute the whole chain and every signature."""
        return self.store.read_now(lambda conn: journal.verify(conn, self.vault.verify))

    def address(self) -> str:
        """Where the console was served last, "" when never."""
        return self.store.read_now(lambda conn: switches.value(conn, "console.address"))

    def remember_address(self, address: str) -> None:
        """Keep where the console is served."""
        self.store.write_now(lambda tx: switches.put(tx, "console.address", address), full=False)

    async def stop(self) -> None:
        """Stop pulling, let open calls end, close the engine; parked runs go on at the next start."""
        self.following()
        await self.sources.stop()
        await self.desk.effects.drain()
        if self.engine is not None:
            await self.engine.close()
        await self.presence.end()
        self.lock.release()

    def close(self) -> None:
        """Close what is open."""
        self.desk.memory.close()
        self.worker.close()
        self.store.close()


def sqlite_version() -> str:
    """The SQLite that comes with this installation (StoreTrouble when it is too old)."""
    return str(base.sqlite_module().sqlite_version)
