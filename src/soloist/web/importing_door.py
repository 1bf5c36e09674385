"""The console's way to imports and the export of everything; loaded when it is first asked for; it holds no rule."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from soloist.app import App
from soloist.flows import exporting, exports
from soloist.flows.import_mail import Mailing
from soloist.flows.importing import Importing, targets_of
from soloist.insight import importing as views

_BLOCK = 256 * 1024


class Imports:
    """Imports of one running App."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app
        self._flow, self._mail = Importing(app.desk), Mailing(app.desk)

    async def lines(self) -> list[views.Line]:
        """Every import."""
        return await self._app.store.read(views.lines)

    async def page(self, ident: str) -> views.ImportPage:
        """One import (NotFound)."""
        return await self._app.store.read(lambda conn: views.page(conn, ident, targets_of(conn, ident)))

    async def begin(self, name: str, data: bytes, kind: str, who: str) -> str:
        """Take a file in and have it read; its id. A mailbox file is read at once (BadInput, TooLarge)."""
        if data.startswith(b"From "):
            with tempfile.TemporaryDirectory(prefix="soloist-mail-") as folder:
                path = Path(folder) / "mail.mbox"
                path.write_bytes(data)
                return await self._mail.take(path, who=who)
        return await self._flow.begin(name, data, kind=kind, who=who)

    async def kind(self, ident: str, kind: str) -> None:
        """Another kind: the columns are guessed anew."""
        await self._flow.guess_again(ident, kind)

    async def map(self, ident: str, kind: str, columns: Mapping[str, str], who: str) -> None:
        """Which column leads where; then the dry run begins."""
        await self._flow.map(ident, kind, columns, who=who)

    async def sheet(self, ident: str, sheet: str, who: str) -> None:
        """Another sheet of a spreadsheet is read."""
        await self._flow.sheet(ident, sheet, who=who)

    async def take(self, ident: str, choices: Mapping[int, str], rest: str, who: str) -> None:
        """Keep the choices for rows that have to be looked at and for the rest of them, then take over."""
        await self._flow.choose(ident, choices, rest=rest, who=who)
        await self._flow.take(ident, who=who)

    async def undo(self, ident: str, who: str) -> None:
        """Take the whole import back."""
        await self._flow.undo(ident, who=who)

    async def export(self, who: str) -> Iterator[bytes]:
        """Everything of this home as a zip in pieces; the file it is made in goes away afterwards."""
        await exports.note(self._app.store, who)
        return self._zip()

    def _zip(self) -> Iterator[bytes]:
        with tempfile.TemporaryDirectory(prefix="soloist-export-") as folder:
            path = Path(folder) / "export.zip"
            exporting.write(self._app.store, self._app.home, self._app.vault, path)
            with path.open("rb") as source:
                yield from _pieces(source)


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    while block := source.read(_BLOCK):
        yield block
