"""A small home to back up: a store of either kind, a secret, a large asset and a few files; no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from soloist.config import Home
from soloist.engine import backup, recovery
from soloist.engine.keyring import Keyring
from soloist.engine.store import assets, base
from soloist.engine.store.store import Store
from soloist.engine.vault import Vault
from tests.engine.store import databases

CANARY = "canary-7f3a-secret"
LETTER = "a letter of Ada Okafor"


class Small:
    """A home with a store, a secret, an asset and a few files, on either kind of database."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.home = Home(folder / "home")
        self.home.root.mkdir()
        (self.home.root / "templates").mkdir()
        (self.home.root / "templates/offer.txt").write_text("Dear {{ name }}")
        self.home.toml.write_text("[business]\nname = 'Studio Linde'\n")
        made = databases.migrated(kind, folder)
        if kind == "sqlite":
            Path(made.removeprefix("sqlite:///")).rename(self.home.database)
            made = base.sqlite_url(self.home.database)
        self.vault = Vault(self.home.keys)
        self.store = Store(made, sign=self.vault.sign)
        self.house = backup.House(self.home, made, self.vault)
        Keyring(self.store, self.vault).put("mailbox", CANARY)
        self.fill(LETTER)

    def fill(self, text: str) -> str:
        """An event and a large asset; the asset's hash."""
        data = text.encode() * 5000
        path = assets.write_file(self.home.assets, data)

        def work(tx: Any) -> str:
            tx.append("thing.done", payload={"text": text})
            return assets.keep(tx, data, "text/plain", path)

        return self.store.write_now(work)

    def sheet(self) -> recovery.Sheet:
        return recovery.of(self.vault)

    def url_for(self, folder: Path) -> str:
        """Where a backup of it is restored to: "" on SQLite."""
        return "" if base.is_sqlite(self.house.url) else databases.empty("postgres", folder)
