"""Learning: fits the local model anew from the operator's labels; the model in use stays until the new one holds."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

from soloist.config import Home
from soloist.engine.store import conversations, labels, samples, settings
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.hashing import sha256
from soloist.stages.runtime.kinds import Choice

SKILL = "kind"
NEW_LABELS = 5
"""New labels after which fitting anew is worth it."""
TIMEOUT = 300.0
MOST = 600
"""Labels that are learned from, the newest first."""

_MODEL, _COUNT = "model.kind", "model.kind.labels"
_LEARNED = ("enquiry", "client", "support", "billing", "scheduling", "bulk", "automatic", "spam", "other")


class Fits(Protocol):
    """A process of its own for the fit."""

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run ``local.fit``."""

    def close(self) -> None:
        """End it."""


def folder(home: Home) -> Path:
    """Where fitted files lie."""
    return home.root / "models"


def fitted(conn: Any, home: Home) -> str:
    """The path of the model in use that was fitted here, "" for the shipped one."""
    name = settings.value(conn, _MODEL)
    return str(folder(home) / name) if name else ""


def due(conn: Any) -> bool:
    """Whether there are NEW_LABELS more labels than at the last fit."""
    return labels.count(conn, SKILL) - int(settings.value(conn, _COUNT) or 0) >= NEW_LABELS


def examples(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Labels as the fit takes them: the sender's own words where they were told apart from what is quoted."""
    return [
        {
            "label": row["label"],
            "subject": row["subject"],
            "text": (row["understanding"] or {}).get("own_text") or row["text"],
            "lang": row["language"] or "en",
        }
        for row in rows
        if row["label"] in _LEARNED
    ]


def told(tx: Tx, message: str, language: str, choice: Choice, *, alone: bool) -> None:
    """Keep what the local model told of a message; nothing when it was not asked."""
    if choice.told:
        facts = {"language": language, "grouping": choice.group, "confidence": choice.confidence, "label": choice.told}
        ident = samples.tell(tx, message, SKILL, **facts, alone=int(alone))
        if choice.look:
            samples.draw(tx, [ident])


def verdict(found: Mapping[str, Any]) -> str:
    """Why a new model is not taken, "" when it is: it must repeat the operator's labels as well as the one in use."""
    if found["own_right"] < found["own_before"]:
        return f"It repeats {found['own_right']} of {found['own']} of your words, the one in use {found['own_before']}."
    if 2 * found["own_right"] < found["own"]:
        return f"It repeats only {found['own_right']} of {found['own']} of your words."
    return ""


async def refit(store: Store, home: Home, fitter: Callable[[], Fits]) -> dict[str, Any]:
    """Fit, check, store the file, then switch over in one commit. Answers {adopted, why, labels, model}.

    WorkerTrouble when the fit failed; the model in use stays.
    """
    given, in_use, count = await store.read(lambda conn: _given(conn, home))
    with closing(fitter()) as process:
        value = {"examples": given, "model": in_use}
        found = await process.call("local.fit", value, timeout=TIMEOUT)
    why = verdict(found)
    name = f"kind-{found['sha256'][:16]}.npz"
    if not why:
        await asyncio.to_thread(put, home, name, found["file"], found["sha256"])

    def work(tx: Tx) -> dict[str, Any]:
        settings.put(tx, _COUNT, str(count))
        if not why:
            settings.put(tx, _MODEL, name)
        kept = {key: found[key] for key in ("sha256", "own", "own_right", "own_before")}
        tx.append("model.refitted", subject=name, payload={**kept, "adopted": not why, "why": why, **_facts(found)})
        return {"adopted": not why, "why": why, "labels": found["own"], "model": name}

    return await store.write(work)


def _given(conn: Any, home: Home) -> tuple[list[dict[str, Any]], str, int]:
    """The operator's examples, the model in use, and how many labels there are."""
    rows = labels.of_skill(conn, SKILL, MOST)
    for row in rows:
        row["understanding"] = conversations.message(conn, row["message"])["understanding"]
    return examples(rows), fitted(conn, home), labels.count(conn, SKILL)


def _facts(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the journal keeps about the data of a fit."""
    return {"examples": found["meta"]["examples"], "data": found["meta"]["data"]}


def put(home: Home, name: str, packed: str, digest: str) -> None:
    """Write a fitted file (base64) whole, then give it its name; OSError when the disk refuses."""
    path, data = folder(home) / name, base64.b64decode(packed)
    if sha256(data) != digest:
        raise OSError(f"{path.name} arrived damaged")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{token_hex(4)}.tmp")
    with draft.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
