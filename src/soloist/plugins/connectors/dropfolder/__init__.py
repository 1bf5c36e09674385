"""Drop folder: .eml files that a person or another program puts into a folder come in as mail; it sends nothing.

A file is taken when it was not written to for a second, or has the size it had at the look before; after its event
was committed it moves to ``done`` under its own name.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Protocol, cast

from soloist.sdk import Arrival, Base, Ctx, Health, Manifest, Page, Stream
from soloist.sdk.connector import Files
from soloist.sdk.folders import LOOK_EVERY, PAGE, granted, health, page

AT_REST = 1.0
"""Seconds without a write after which a file counts as whole."""


class Dated(Files, Protocol):
    """Files that also tell the age in seconds and the size in bytes."""

    def age(self, folder: str, name: str) -> tuple[float, int]: ...


class DropFolder(Base):
    """The adapter; the cursor is JSON: the sizes of the files that were still young at the last look."""

    kind = "dropfolder"
    manifest = Manifest(title="Drop folder", capabilities=("mail",), files="folder", quality="gold")

    def streams(self, ctx: Ctx) -> Mapping[str, Stream]:
        """The folder itself."""
        return {"files": Stream("files", every=LOOK_EVERY)}

    async def check(self, ctx: Ctx) -> Health:
        """Whether the folder can be listed and its files read."""
        return health(ctx, "")

    async def pull(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]:
        """Whole .eml files in pages; the last page's cursor carries the sizes of the young ones."""
        files = cast(Dated, granted(ctx))
        whole, young = _sorted_out(files, _sizes(cursor))
        limit, mark = int(ctx.settings["max_bytes"]), json.dumps(young, sort_keys=True)
        for start in range(0, max(len(whole), 1), PAGE):
            names = whole[start : start + PAGE]
            yield page(files, "", names, limit=limit, cursor=mark, complete=start + PAGE >= len(whole))

    def done_with(self, ctx: Ctx, arrival: Arrival) -> None:
        """The message was committed: put the file aside."""
        files = granted(ctx)
        if files.exists("", arrival.origin):
            files.move("", arrival.origin, "done")


def _sorted_out(files: Dated, before: dict[str, int]) -> tuple[list[str], dict[str, int]]:
    """Names that are whole, and the sizes of those that may still be written."""
    whole, young = [], {}
    for name in files.names(""):
        if not name.lower().endswith(".eml"):
            continue
        try:
            age, size = files.age("", name)
        except FileNotFoundError:
            continue  # taken away between the two looks
        if age >= AT_REST or before.get(name) == size or age < -60:  # a time in the future says nothing about age
            whole.append(name)
        else:
            young[name] = size
    return whole, young


def _sizes(cursor: str) -> dict[str, int]:
    """The sizes a cursor carries; an unreadable cursor is an empty one."""
    try:
        value = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return {str(name): size for name, size in value.items() if isinstance(size, int)} if isinstance(value, dict) else {}


CONNECTOR = DropFolder()
