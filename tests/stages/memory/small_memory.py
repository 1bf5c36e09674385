"""A memory on a fresh store with a made-up model: vectors that depend on the words of a text alone."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.store.store import Store
from soloist.flows.embedding import Embedding
from soloist.kernel.errors import WorkerTrouble
from soloist.stages.memory import Memory


class Model:
    """Answers ``local.embed``: each word is some numbers, a text their sum; another ``name`` is another model."""

    def __init__(self, name: str = "a") -> None:
        self.name = name
        self.broken = ""
        self.missing = ""

    async def call(self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0) -> Any:
        assert skill == "local.embed"
        if self.missing:
            return {"vectors": [], "name": "", "sha256": "", "tokenizer": "", "size": 0, "trouble": self.missing}
        if any(self.broken and self.broken in text for text in value["texts"]):
            raise WorkerTrouble("The reading process died.")
        vectors = [base64.b64encode(self.vector(text)).decode() for text in value["texts"]]
        told = {"name": self.name, "sha256": f"sha of {self.name}", "tokenizer": "t", "size": 384, "trouble": ""}
        return {"vectors": vectors, **told}

    def vector(self, text: str) -> bytes:
        sums = [0.0] * 384
        for word in text.lower().split():
            seed = hashlib.sha256(f"{self.name} {word}".encode()).digest() * 12
            sums = [old + seed[place] - 127.5 for place, old in enumerate(sums)]
        length = math.sqrt(sum(number * number for number in sums)) or 1.0
        return struct.pack("<384h", *(round(number / length * 32767) for number in sums))


def memory(store: Store, folder: Path, model: Model | None = None) -> Memory:
    """Opened as another process would."""
    return Memory(store, Home(folder), Settings(), model)


async def embedded(store: Store, opened: Memory) -> None:
    """Every row gets its vector."""
    work = Embedding(store, opened)
    while await work.turn():
        pass
