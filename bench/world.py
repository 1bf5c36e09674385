"""What several benchmarks stand on: throw-away folders, stores, an opened sample home; measures nothing."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from soloist.app import App
from soloist.cli import starter
from soloist.engine.store import base, migrate
from soloist.engine.store.store import Store
from soloist.kernel.proposal import NewProposal, api_proposal_id

_numbers = itertools.count(1)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder on the disk of the system's temporary files, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="soloist-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def new_store(path: Path) -> Store:
    """An empty migrated store whose checkpoints carry a short stand-in for a signature."""
    url = base.sqlite_url(path)
    migrate.prepare(url)
    return Store(url, sign=lambda data: data[:8])


def enquiry() -> tuple[str, dict[str, Any]]:
    """The name and the payload of an enquiry that nobody has sent before."""
    number = next(_numbers)
    payload = {
        "from": f"ada{number}@okafor-ceramics.example",
        "name": "Ada Okafor",
        "subject": f"New online shop, number {number}",
        "text": f"Hello Mara,\n\nwe need a new online shop for our ceramics, about {number} products. Our budget is "
        "6000 EUR and we would like to start in spring. Could you tell me what it would cost?\n\nBest wishes\nAda",
    }
    return f"bench-{number}", payload


@contextlib.contextmanager
def home() -> Iterator[App]:
    """The opened home of Studio Linde, as `soloist init` makes it; nothing runs in it yet."""
    with folder() as root:
        starter.write_into(root, business="Studio Linde", timezone="Europe/Berlin", language="en")
        app = App(root)
        try:
            yield app
        finally:
            app.close()


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[App]:
    """The same home with its engine launched."""
    with home() as app:
        await app.start()
        try:
            yield app
        finally:
            await app.stop()


def mail_proposal(number: int) -> Any:
    """A reply to a new address that nobody has proposed before; policy asks the operator."""
    return NewProposal(
        id=api_proposal_id("bench", str(number)),
        connector="mail",
        operation="mail.send",
        payload={
            "to": [f"ada{number}@okafor-ceramics.example"],
            "subject": f"Your new online shop, number {number}",
            "body": "Dear Ada,\n\nthank you for your message. A shop like yours takes about six weeks.\n\nMara Linde",
        },
        reason="Ada Okafor asked about a shop",
        source="api:bench",
        source_ref=str(number),
    )
