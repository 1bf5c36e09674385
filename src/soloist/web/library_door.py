"""The console's way to what is kept about clients: pages, files, tables as CSV, search; it holds no rule."""

from __future__ import annotations

import base64
import re
from typing import Any

from soloist.app import App
from soloist.config import seconds
from soloist.flows import noting
from soloist.flows.indexing import Indexing
from soloist.insight import client, records, search

FRESH_WITHIN = 0.3
"""Seconds that a search waits for the index to catch up with what happened a moment ago."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff/\\\\:*?\"<>|]+")


class Library:
    """One App's records as the pages ask for them."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app
        self._indexing = Indexing(app.store)

    async def csv(self, kind: str, **asked: str) -> list[str]:
        """The whole filtered table in pieces, all from one moment; ``asked`` as ``records.csv_pieces`` takes it."""
        return await self._app.store.read(lambda conn: list(records.csv_pieces(conn, kind, **asked)))

    async def search(self, text: str, *, only: str = "", before: int = 0) -> search.SearchPage:
        """What fits, in groups; what was written a moment ago is found as well."""
        await self._indexing.catch_up(FRESH_WITHIN)
        return await self._app.store.read(lambda conn: search.page(conn, text, only=only, before=before))

    async def client(self, ident: str, before: str = "") -> client.ClientPage:
        """Everything with a person or a company (NotFound)."""
        wait = seconds(self._app.settings.intake.follow_up_after)
        now = self._app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return await self._app.store.read(lambda conn: client.page(conn, ident, before=before, follow_up=wait, now=now))

    async def note(self, ident: str, text: str, who: str) -> None:
        """Keep a note on a client (NotFound, BadInput)."""
        await noting.add(self._app.store, ident, text, who=who)

    async def file(self, ident: str, message: str, part: int) -> tuple[str, bytes]:
        """Name and bytes of a file of a client, taken out of the stored mail by the limited worker (NotFound)."""
        folder = self._app.home.assets
        raw, known = await self._app.store.read(
            lambda conn: client.file_of(conn, folder, ident, message=message, part=part)
        )
        self._app.desk.runtime.roster.under("intake", "read_part")
        found: dict[str, Any] = await self._app.worker.call("read_part", {"part": part}, raw)
        return safe_name(str(known.get("name") or found["name"])), base64.b64decode(found["base64"])


def safe_name(name: str) -> str:
    """A file name without folders, hidden characters and what systems refuse; its ending stays."""
    plain = _UNSAFE.sub("_", name).strip(" .")
    return plain[:60] + plain[-60:] if len(plain) > 120 else plain or "file"
