"""Take-over as a page: what a mailbox says about clients, open threads and promises, ready to be ticked."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soloist.engine.store import assets, events
from soloist.engine.store.reading import Connection
from soloist.insight import mailboxes

FOUND, TAKEN = "takeover.found", "takeover.taken"
"""Events: lists were put together, and the operator took them over."""


@dataclass(frozen=True)
class Item:
    """One line with its box: ``value`` is what the form sends, ``evidence`` what it rests on."""

    value: str
    title: str
    evidence: str
    at: str = ""
    ticked: bool = False


@dataclass(frozen=True)
class TakeoverPage:
    """The three lists; ``taken`` says what was taken over already, ``reading`` how far the mail was read."""

    connection: str
    clients: tuple[Item, ...] = ()
    threads: tuple[Item, ...] = ()
    promises: tuple[Item, ...] = ()
    taken: str = ""
    reading: str = ""


def findings(conn: Connection, folder: Path, connection: str) -> dict[str, Any] | None:
    """What the last look at a mailbox found: {clients, threads, promises}; None before there was one."""
    event = events.newest_of(conn, FOUND, connection)
    return json.loads(assets.load(conn, folder, event["payload"]["asset"])) if event else None


def page(conn: Connection, folder: Path, connection: str, past: Collection[str]) -> TakeoverPage:
    """The review of one mailbox; before its mail was read the page says how far its ``past`` streams are."""
    found = findings(conn, folder, connection)
    if found is None:
        (line,) = mailboxes.lines(conn, [mailboxes.Known(connection, "", "", True, past=past)])
        return TakeoverPage(connection, reading=_reading(line))
    taken = events.newest_of(conn, TAKEN, connection)
    return TakeoverPage(
        connection,
        clients=tuple(_client(one) for one in found["clients"]),
        threads=tuple(_thread(one) for one in found["threads"]),
        promises=tuple(_promise(one) for one in found["promises"]),
        taken=_taken(taken["payload"]) if taken else "",
    )


def _reading(line: mailboxes.MailboxLine) -> str:
    if line.past_state == "done":
        return "All mail was read; the lists are being put together."
    if line.past_state:
        total = f" of {line.past_total}" if line.past_total else ""
        return f"{line.past_done}{total} mails were read so far. The lists come when all are read."
    return "No mail of this mailbox was read yet."


def _client(one: Mapping[str, Any]) -> Item:
    first, last = one["first"][:10], one["last"][:10]
    what = "appointments" if one.get("met") else "mails"
    evidence = f"{one['address']}, {one['count']} {what} between {first} and {last}"
    return Item(one["address"], one["name"] or one["address"], evidence, ticked=one["ticked"])


def _thread(one: Mapping[str, Any]) -> Item:
    who = one["sender_name"] or one["sender"]
    return Item(
        one["message"],
        f"{who}: {one['subject'] or 'no subject'}",
        f"{one['kind']}, {one['sender']}",
        at=one["at"],
        ticked=one["ticked"],
    )


def _promise(one: Mapping[str, Any]) -> Item:
    day = f", by {one['day']}" if one["day"] else ""
    return Item(one["id"], f"\u201c{one['words']}\u201d", f"to {one['to']}{day}", at=one["at"], ticked=one["ticked"])


def _taken(counts: Mapping[str, Any]) -> str:
    names = (("clients", "clients"), ("threads", "threads"), ("promises", "promises"))
    return ", ".join(f"{counts.get(key, 0)} {name}" for key, name in names)
