"""Watching: pages the operator named are fetched through the one client, read, and compared with what stood there."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from soloist.engine.egress import Egress
from soloist.engine.store import assets, records, runs
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.giving import Done, Way, use
from soloist.kernel.errors import BadInput, NotAllowed
from soloist.kernel.ids import derived
from soloist.kernel.origin import Origin
from soloist.kernel.work import Worked, WorkItem
from soloist.sdk import MaybeSent, NotSent
from soloist.sdk.flow import Verbs

TAG = "watched page"
PATIENCE = 30.0
"""Seconds that one page may take."""
BROWSES = {"accept": "text/html, text/plain;q=0.8", "user-agent": "Soloist"}
MOST_NEW = 6
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


async def watch(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """The competitor watcher's way: {page?}, one of the pages in the settings or all of them."""
    pages, wanted = list(desk.settings.watch.pages), str(item.input.get("page", ""))
    if wanted and wanted not in pages:
        raise NotAllowed(f"{wanted[:200]} is none of the pages under [watch] in soloist.toml; nothing was fetched.")
    if not pages:
        raise BadInput("There is no page under [watch] in soloist.toml; nothing was fetched.")
    parts, found, written = list[Worked](), list[dict[str, Any]](), list[str]()
    for n, page in enumerate([wanted] if wanted else pages):
        one = await _page(desk, do, item, page, n=n, parts=parts)
        found.append({key: value for key, value in one.items() if key != "document"})
        written += [one["document"]] if one.get("document") else []
    changed = sum(bool(one.get("new")) for one in found)
    failed = [one for one in found if one.get("fault")]
    said = f"{len(found)} pages read, {changed} with something new." + "".join(f" {one['fault']}" for one in failed)
    return Done(said, {"pages": found}, tuple(parts), tuple(written))


async def _page(desk: Desk, do: Verbs, item: WorkItem, page: str, *, n: int, parts: list[Worked]) -> dict[str, Any]:
    """One page: {page, new, fault?, document?}."""
    fetched = await do.step(f"fetch {n}", _fetching(desk, page))
    if fetched.get("fault"):
        return {"page": page, "new": [], "fault": fetched["fault"]}
    spec = desk.runtime.roster.working(item.agent)
    spec.may_write("document")
    raw = await desk.store.read(lambda conn: assets.load(conn, desk.home.assets, fetched["asset"]))
    outside = await desk.store.read(lambda conn: assets.origin_of(conn, str(fetched["asset"])))
    read = await use(desk, do, _with(item, raw, outside), "read_document", {}, n=n)
    parts.append(read)
    text = str(read.value["text"]).strip()
    if not read.value["readable"] or not text:
        return {"page": page, "new": [], "fault": f"{page} could not be read: {'; '.join(read.value['faults'])}"}
    before = await desk.store.read(lambda conn: _before(desk, conn, page))
    new = added(before["text"], text) if before["text"] else []
    chosen: list[str] = []
    if new:
        fresh = _with(item, b"", outside)
        points = await use(desk, do, fresh, "key_points", {"text": "\n\n".join(new), "most": MOST_NEW}, n=n)
        parts.append(points)
        chosen = [one["words"]["text"] for one in points.value["points"]]
    elif not before["text"]:
        gist = await use(desk, do, _with(item, b"", outside), "summary", {"text": text[:60_000], "most": 3}, n=n)
        parts.append(gist)
        chosen = [one["text"] for one in gist.value["sentences"]]
    kept = await do.step(f"keep {n}", _keeping(desk, page, text, chosen, first=not before["text"]))
    return {"page": page, "new": chosen if before["text"] else [], "first": not before["text"], **kept}


def _with(item: WorkItem, blob: bytes, origin: Origin) -> WorkItem:
    """The item with the bytes of a page, and labelled as text from outside."""
    return replace(item, blob=blob, origin=item.origin | origin)


def _fetching(desk: Desk, page: str) -> Any:
    """The step that fetches a page: {asset} or {fault}; it signs in nowhere and follows nothing."""

    async def step(_run: str) -> dict[str, Any]:
        private = desk.settings.watch.allow_private_network
        try:
            egress = Egress.for_url(page, allow_private=private)
            answer = await egress.send("GET", page, headers=BROWSES, body=None, timeout=PATIENCE)
        except (NotSent, MaybeSent) as error:
            return {"fault": f"{page} was not fetched: {error}"}
        if answer.status != 200:
            return {"fault": f"{page} answered with {answer.status}; nothing was compared."}
        read = Origin(frozenset({"outside"}), frozenset({f"page:{page}"}))
        path = await asyncio.to_thread(assets.write_file, desk.home.assets, answer.body)
        digest = await desk.store.write(lambda tx: assets.keep(tx, answer.body, "text/html", path, origin=read))
        return {"asset": digest}

    return step


def _before(desk: Desk, conn: Any, page: str) -> dict[str, str]:
    row = records.standing(conn, derived("watched", page))
    digest = str(row["body"].get("file") or "") if row else ""
    return {"text": assets.load(conn, desk.home.assets, digest).decode("utf-8", "replace") if digest else ""}


def added(before: str, now: str) -> list[str]:
    """Sentences that stand in the page now and did not before, in their order; a moved sentence is not new."""
    old, new = (_sentences(text) for text in (before, now))
    known = {_bare(one) for one in old}
    fresh = [one for one in new if _bare(one) not in known]
    return [one for one in fresh if not difflib.get_close_matches(one, old[:400], 1, 0.93)]


def _bare(sentence: str) -> str:
    """Its words alone."""
    return " ".join(re.findall(r"\w+", sentence.casefold()))


def _sentences(text: str) -> list[str]:
    return [one.strip() for one in _SENTENCE.split(text) if len(one.strip()) > 3][:4000]


def _keeping(desk: Desk, page: str, text: str, new: Sequence[str], *, first: bool) -> Any:
    """The step that keeps what the page says now, and in its summary what was new, in its own words."""

    async def step(run: str) -> dict[str, Any]:
        data = text.encode()
        path = await asyncio.to_thread(assets.write_file, desk.home.assets, data)

        def work(tx: Tx) -> dict[str, Any]:
            def keep() -> dict[str, Any]:
                digest = assets.keep(
                    tx, data, "text/plain", path, origin=Origin(frozenset({"outside"}), frozenset({f"page:{page}"}))
                )
                body = {"name": page, "file": digest, "mime": "text/plain", "size": len(data), "tags": [TAG]}
                return {"document": _written(tx, run, page, {**body, "summary": "" if first else "\n".join(new)})}

            return dict(runs.once(tx, run, f"keep {page}", keep, given={"page": page}))

        return await desk.store.write(work)

    return step


def _written(tx: Tx, run: str, page: str, body: Mapping[str, Any]) -> str:
    """The document of a page: new, or a further version where it says something else now."""
    ident = derived("watched", page)
    said: dict[str, Any] = {"run": run, "actor": "competitor_watcher", "by": "outside"}
    row = records.standing(tx.conn, ident)
    if row is None:
        why = "first look at a page you named"
        return records.create(tx, "document", page, dict(body), ident=ident, state="current", why=why, **said)
    if {**row["body"], **body} != row["body"]:
        records.write(tx, row["id"], row["version"], dict(body), why="the page was looked at again", **said)
    return str(row["id"])


WAY = Way(watch)
