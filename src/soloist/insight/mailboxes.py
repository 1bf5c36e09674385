"""Mailboxes for the console and the command line: how far each was read, what troubles it, whether it may send."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from soloist.engine.store import settings, streams
from soloist.engine.store.reading import Connection


@dataclass(frozen=True)
class Known:
    """What the configuration says of a mailbox; ``past`` are its streams that are read once, to their end."""

    name: str
    address: str
    host: str
    observe_only: bool
    trouble: str = ""
    past: Collection[str] = ()


@dataclass(frozen=True)
class MailboxLine:
    """One mailbox: instants are ISO 8601, "" for never; ``past_total`` is 0 while it is not known."""

    name: str
    address: str
    host: str
    may_send: bool
    state: str
    tone: str
    since: str = ""
    looked: str = ""
    taken: int = 0
    trouble: str = ""
    past_done: int = 0
    past_total: int = 0
    past_state: str = ""


def lines(conn: Connection, known: Iterable[Known]) -> tuple[MailboxLine, ...]:
    """Every mailbox with its figures, in the order they are given."""
    return tuple(_line(conn, box) for box in known)


def connected_mark(name: str) -> str:
    """The key under which the instant of connecting is kept."""
    return f"connected.{name}"


def _line(conn: Connection, box: Known) -> MailboxLine:
    rows = streams.of(conn, box.name)
    live = [row for row in rows if row["stream"] not in box.past]
    past = [row for row in rows if row["stream"] in box.past]
    trouble = box.trouble or next((row["trouble"] for row in rows if row["trouble"]), "")
    looked = max((row["updated"] for row in rows), default="")
    state, tone = _state(trouble, bool(looked))
    return MailboxLine(
        name=box.name,
        address=box.address,
        host=box.host,
        may_send=not box.observe_only,
        state=state,
        tone=tone,
        since=settings.value(conn, connected_mark(box.name)),
        looked=looked,
        taken=sum(row["done"] or 0 for row in live),
        trouble=trouble,
        past_done=sum(row["done"] or 0 for row in past),
        past_total=sum(row["total"] or 0 for row in past),
        past_state=_past_state(past),
    )


def _state(trouble: str, looked: bool) -> tuple[str, str]:
    if trouble:
        return "cannot be read", "bad"
    return ("reading", "go") if looked else ("waits for its first look", "warn")


def _past_state(past: list[dict[str, str]]) -> str:
    """Of the mail from before: "" never begun, "going on", "done"."""
    if not past:
        return ""
    return "done" if all(row["state"] == "done" for row in past) else "going on"
