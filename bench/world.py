"""What several benchmarks stand on: throw-away folders, stores, an opened sample home; measures nothing."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from soloist.engine.store import base, migrate
from soloist.engine.store.store import Store

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
