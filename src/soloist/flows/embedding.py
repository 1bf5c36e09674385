"""Embedding: vectors of what is remembered are made behind the writes, row by row, and generations of them.

A second generation is built beside the one in use and takes its place by one event; the two are never mixed.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

from soloist.engine.store import embeddings
from soloist.engine.store.store import Store
from soloist.flows import following
from soloist.kernel.errors import BadInput, SoloistError
from soloist.kernel.hashing import json_hash
from soloist.stages.memory import Memory, decide

TOGETHER = 16
"""Texts in one call: a question that comes meanwhile waits a quarter of a second for its turn."""
LOOK_EVERY = 1.0
"""Seconds between two looks for rows without a vector."""
AT_THE_START = 2.0
AFTER_A_FAULT = 30.0
PATIENCE = 60.0
MOST_TEXT = 2_000
"""Characters of a text that the model is given; it reads about 96 pieces of words."""
SPEAKER, PLAIN = "speaker: text", "text"
RULES = (SPEAKER, PLAIN)
"""What is embedded: who said it and what, or what alone. The first finds more."""


def text_of(rule: str, actor: str, text: str) -> str:
    """What the model is given of a row."""
    said = text[:MOST_TEXT]
    return f"{actor}: {said}" if rule == SPEAKER and actor else said


def generation(told: dict[str, Any], rule: str) -> dict[str, Any]:
    """A generation by the files that make it and the rule it follows; the same ones have the same id."""
    made = {"sha256": told["sha256"], "tokenizer": told["tokenizer"], "rule": rule}
    return {"id": json_hash(made)[:16], "name": told["name"], "size": told["size"], **made}


class Embedding:
    """Gives rows their vectors in the order of their numbers; several processes may, and one of them wins each turn."""

    def __init__(self, store: Store, memory: Memory) -> None:
        """The worker of memory answers ``local.embed``."""
        self._store, self._memory = store, memory
        self.trouble = ""
        """Why rows get no vectors at the moment."""

    async def turn(self) -> bool:
        """Embed the next rows of the active generation, then of the one being built; False when there was nothing."""
        active = await self._store.read(lambda conn: embeddings.in_state(conn, "active")) or await self._first()
        if active is not None and await self._piece(active):
            return True
        built = await self._store.read(lambda conn: embeddings.in_state(conn, "building"))
        return built is not None and (await self._piece(built) or await self._switch(built))

    async def _first(self) -> dict[str, Any] | None:
        """The first generation, when there is something to embed."""
        if not await self._store.read(lambda conn: embeddings.behind(conn, "")):
            return None
        told = await self._told([])
        if told is None:
            return None
        made = generation(told, SPEAKER)
        return await self._store.write(lambda tx: embeddings.begin(tx, made, actor="soloist"))

    async def _told(self, texts: list[str]) -> dict[str, Any] | None:
        """What the model answers, None with ``trouble`` set when there is none."""
        if self._memory.worker is None:
            self.trouble = "there is no worker process"
            return None
        try:
            told = await self._memory.worker.call("local.embed", {"texts": texts}, timeout=PATIENCE)
        except SoloistError as error:
            self.trouble = error.detail
            return None
        self.trouble = str(told["trouble"])
        return None if self.trouble else told

    async def _piece(self, model: dict[str, Any]) -> bool:
        """The next rows of a generation; a text that brings the worker down has its turn without a vector."""
        before, rows = await self._store.read(lambda conn: embeddings.waiting(conn, model["id"], TOGETHER))
        if not rows:
            return False
        texts = [text_of(model["rule"], row.actor, row.text) for row in rows]
        told = await self._told(texts)
        if told is None and len(rows) > 1:
            return await self._one(model, before, rows[0])
        if told is None or (trouble := decide.misfit(model, told)):
            self.trouble = self.trouble or trouble
            return False
        vectors = [base64.b64decode(vector) for vector in told["vectors"]]
        done = [(row.n, vector, row.hash) for row, vector in zip(rows, vectors, strict=True)]
        await self._store.write(lambda tx: embeddings.keep(tx, model["id"], before, done), full=False)
        return True

    async def _one(self, model: dict[str, Any], before: int, row: Any) -> bool:
        """A single row after a call with several failed; nothing is written while the model itself is the trouble."""
        alone = await self._told([text_of(model["rule"], row.actor, row.text)])
        if alone is None and await self._told([]) is None:
            return False
        if alone is not None and (trouble := decide.misfit(model, alone)):
            self.trouble = trouble
            return False
        vector = base64.b64decode(alone["vectors"][0]) if alone is not None else b""
        done = [(row.n, vector, row.hash)]
        await self._store.write(lambda tx: embeddings.keep(tx, model["id"], before, done), full=False)
        return True

    async def _switch(self, model: dict[str, Any]) -> bool:
        """A generation that is built takes over."""
        if await self._store.read(lambda conn: embeddings.behind(conn, model["id"])):
            return False
        await self._store.write(lambda tx: embeddings.switch(tx, model["id"], actor="soloist"))
        return True

    async def begin(self, rule: str = SPEAKER, *, actor: str) -> dict[str, Any]:
        """Begin a generation with the installed model: {id, state, ...} (BadInput: rule; Conflict: there is one)."""
        if rule not in RULES:
            raise BadInput(f"rule: one of {', '.join(RULES)}.", field="rule")
        told = await self._told([])
        if told is None:
            raise BadInput(f"There is no model to build with: {self.trouble}", field="model")
        made = generation(told, rule)
        return await self._store.write(lambda tx: embeddings.begin(tx, made, actor=actor))

    async def give_up(self, ident: str, *, actor: str) -> None:
        """Stop building a generation (NotFound)."""
        await self._store.write(lambda tx: embeddings.give_up(tx, ident, actor=actor))

    async def switch(self, ident: str, *, actor: str) -> None:
        """Make a built generation the one in use now (Conflict: rows are missing); ``turn`` does it by itself."""
        await self._store.write(lambda tx: embeddings.switch(tx, ident, actor=actor))

    async def generations(self) -> list[dict[str, Any]]:
        """Every generation with how many rows it is ``behind``."""

        def look(conn: Any) -> list[dict[str, Any]]:
            rows = embeddings.models(conn)
            return [
                {**row, "behind": embeddings.behind(conn, row["id"]) if row["state"] != "retired" else 0}
                for row in rows
            ]

        return await self._store.read(look)

    async def catch_up(self, within: float = 60.0) -> None:
        """Embed until nothing is left, or so many seconds are over."""
        await following.catch_up(self.turn, within)

    async def follow(self) -> None:
        """For as long as the server runs; while there is no model, words go on and this waits."""
        log, told = logging.getLogger("soloist.memory"), ""
        await asyncio.sleep(AT_THE_START)
        while True:
            try:
                await self.catch_up()
            except Exception:  # an edge: memory may fall behind, nothing else may stop for it
                log.exception("vectors could not be made")
                await asyncio.sleep(AFTER_A_FAULT)
            if self.trouble and self.trouble != told:
                log.warning("memory is searched by words only: %s", self.trouble)
            told = self.trouble
            await self._memory.keep_index()
            await asyncio.sleep(AFTER_A_FAULT if self.trouble else LOOK_EVERY)
