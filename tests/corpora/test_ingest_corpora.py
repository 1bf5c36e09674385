"""Every mail of the corpora through the whole intake of a real home: nothing is lost, nothing automatic is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from soloist.app import App
from soloist.engine.store import assets, conversations, events, proposals, runs
from soloist.kernel.hashing import sha256
from soloist.sdk import Arrival, Page, Stream
from soloist.sdk.folders import MESSAGE

pytestmark = pytest.mark.corpora


async def _settled(app: App, wanted: int) -> list[dict[str, object]]:
    """Wait until no intake run is left open."""
    for _ in range(3000):
        rows = await app.store.read(lambda conn: runs.listed(conn, before=None, limit=20_000))
        intake = [row for row in rows if row["flow"] == "intake"]
        if len(intake) >= wanted and all(row["state"] in ("done", "failed") for row in intake):
            return intake
        await asyncio.sleep(0.2)
    raise AssertionError("intake did not settle")


async def test_the_whole_email_corpus_is_ingested(tmp_path: Path, corpora: Path) -> None:
    app = App(tmp_path / "home")
    raws = {path.read_bytes() for path in sorted((corpora / "corpora" / "email").rglob("*")) if path.is_file()}
    await app.start()
    try:
        arrivals = tuple(Arrival(f"raw@{sha256(raw)}", MESSAGE, raw) for raw in raws)
        fresh = await app.desk.intake.accept_page("corpus", Stream("files"), Page(arrivals, ""))
        intake = await _settled(app, len(raws))
        kept = await app.store.read(lambda conn: [_raw(app, conn, row["input"]) for row in intake])
        made = await app.store.read(lambda conn: proposals.listed(conn, "", after=("", ""), limit=5000))
        answered = await app.store.read(
            lambda conn: [_automatic(conn, p["conversation"]) for p in made if p["conversation"]]
        )
    finally:
        await app.stop()
        app.close()
    failed = [row for row in intake if row["state"] == "failed"]
    print(f"\nmails {len(raws)}, failed {len(failed)}, proposals {len(made)}")
    assert not failed, sorted({str(row["error"]).partition("\n")[0] for row in failed})[:10]
    assert fresh == len(raws)
    assert set(kept) == raws
    assert not any(answered)


def _raw(app: App, conn: object, event: str) -> bytes:
    """The bytes that were kept for an event."""
    payload = events.get(conn, event)["payload"]  # type: ignore[arg-type]  # a connection
    return assets.load(conn, app.home.assets, payload["asset"])  # type: ignore[arg-type]  # a connection


def _automatic(conn: object, conversation: str) -> bool:
    """Whether the newest message of a conversation is automatic."""
    return bool(conversations.of(conn, conversation, 1)[-1]["automatic"])  # type: ignore[arg-type]  # a connection
