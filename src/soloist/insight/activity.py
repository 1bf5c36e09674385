"""The activity: the journal in plain sentences, newest first; a readable log, not the log itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from soloist.engine.store import reading
from soloist.engine.store.reading import Connection
from soloist.insight import names, views

PAGE = 50
GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "arrived": ("Arrived", ("mail.received", "form.submitted", "message.received")),
    "decided": (
        "Decided",
        (
            "proposal.approved",
            "proposal.rejected",
            "proposal.edited",
            "proposal.denied",
            "card.deferred",
            "card.expired",
            "outbound.stopped",
            "outbound.released",
        ),
    ),
    "done": ("Done", ("effect.succeeded", "effect.compensated", "effect.resolved_done")),
    "failed": ("Failed", ("effect.failed", "effect.needs_human", "effect.unknown", "run.failed")),
    "changed": ("Changed", ("record.created", "record.changed", "record.merged", "record.unmerged", "identity.linked")),
}

WORDS: Mapping[str, tuple[str, str, str]] = {
    "mail.received": ("mail", "wrote", ""),
    "form.submitted": ("file-text", "sent a form", ""),
    "message.received": ("mail", "wrote", ""),
    "message.read": ("mail", "read", ""),
    "message.understood": ("list-checks", "understood", ""),
    "proposal.made": ("send", "proposed", ""),
    "proposal.edited": ("pencil", "edited", ""),
    "proposal.approved": ("check", "approved", "go"),
    "proposal.rejected": ("x", "rejected", ""),
    "proposal.denied": ("shield", "refused by policy", "warn"),
    "proposal.expired": ("clock", "let expire", "warn"),
    "proposal.corrected": ("pencil", "corrected by writing it yourself", ""),
    "message.sent_elsewhere": ("send", "sent from another program", ""),
    "mail.sent": ("send", "sent", ""),
    "mail.seen": ("mail", "looked at", ""),
    "label.given": ("check", "said what it is", ""),
    "model.refitted": ("list-checks", "learned from your answers", ""),
    "intent.changed": ("list-checks", "changed the intent", ""),
    "intent.told": ("list-checks", "knew what it wants:", ""),
    "threshold.moved": ("list-checks", "changed from when on it goes alone:", ""),
    "stream.read_again": ("mail", "read again from the beginning", "warn"),
    "mailbox.connected": ("mail", "connected a mailbox", "go"),
    "mailbox.removed": ("mail", "disconnected a mailbox", ""),
    "mailbox.may_send": ("send", "let a mailbox send", "warn"),
    "mailbox.only_reads": ("shield", "let a mailbox only read", ""),
    "secret.removed": ("shield", "removed a secret", ""),
    "takeover.found": ("list-checks", "looked through a mailbox", ""),
    "takeover.taken": ("check", "took over", "go"),
    "import.begun": ("list-checks", "began to take over", ""),
    "import.done": ("check", "took over a file", "go"),
    "import.undone": ("undo-2", "took an import back", ""),
    "import.failed": ("triangle-alert", "could not read a file", "warn"),
    "calendar.connected": ("clock", "connected a calendar", "go"),
    "calendar.removed": ("clock", "disconnected a calendar", ""),
    "calendar.unread": ("triangle-alert", "could not read an event of", "warn"),
    "home.imported": ("check", "was taken in from an export", "go"),
    "home.exported": ("file-text", "took everything out as one file", ""),
    "process.died": ("triangle-alert", "took over from a process that died", "warn"),
    "machine.woke": ("clock", "woke from sleep", ""),
    "clock.jumped": ("clock", "noticed that the clock was set", "warn"),
    "proposal.withdrawn": ("undo-2", "withdrew", ""),
    "proposal.superseded": ("undo-2", "replaced", ""),
    "card.opened": ("inbox", "asked you", ""),
    "card.done": ("check", "closed the card", ""),
    "card.deferred": ("clock", "put off", ""),
    "card.woken": ("inbox", "took up again", ""),
    "card.expired": ("clock", "let the card expire", "warn"),
    "card.withdrawn": ("undo-2", "withdrew the card", ""),
    "attention.interrupted": ("clock", "interrupted you for", "warn"),
    "attention.set": ("settings", "set windows and minutes for decisions", ""),
    "attention.reset": ("settings", "went back to the file for windows and minutes", ""),
    "review.begun": ("list-checks", "sat down to decide", ""),
    "alone.reviewed": ("list-checks", "looked at what ran alone", ""),
    "run.held": ("octagon-pause", "paused", "warn"),
    "run.released": ("play", "let go on", ""),
    "effect.intended": ("clock", "will carry out", ""),
    "effect.claimed": ("circle-dashed", "takes up", ""),
    "effect.attempting": ("play", "attempts", ""),
    "effect.succeeded": ("circle-check", "carried out", "go"),
    "effect.refused": ("circle-x", "was refused", "warn"),
    "effect.failed": ("circle-x", "could not carry out", "bad"),
    "effect.unknown": ("triangle-alert", "does not know the outcome of", "bad"),
    "effect.reconciling": ("search", "looks up", ""),
    "effect.needs_human": ("triangle-alert", "needs your word on", "bad"),
    "effect.resolved_done": ("circle-check", "marked as done", "go"),
    "effect.resolved_not_done": ("x", "marked as not done", ""),
    "effect.compensating": ("undo-2", "takes back", ""),
    "effect.compensated": ("undo-2", "took back", "go"),
    "effect.compensation_failed": ("circle-x", "could not take back", "bad"),
    "record.created": ("database", "wrote the record", ""),
    "record.changed": ("git-compare", "changed the record", ""),
    "identity.linked": ("user-round", "linked an address to", ""),
    "record.merged": ("git-compare", "merged another record into", ""),
    "record.unmerged": ("git-compare", "took a merge back of", ""),
    "record.kept_apart": ("git-compare", "kept apart from another", ""),
    "minutes.found": ("file-text", "found minutes in a file of", ""),
    "note.added": ("pencil", "wrote a note on", ""),
    "memory.written": ("history", "remembered something", ""),
    "memory.ended": ("history", "let something remembered go", ""),
    "memory.task_made": ("inbox", "made a card of something remembered", ""),
    "fact.stated": ("history", "learned about", ""),
    "fact.ended": ("history", "took back what was known about", ""),
    "outcome.noted": ("list-checks", "noted what came of", ""),
    "work_session.begun": ("play", "began a working session", ""),
    "work_session.changed": ("pencil", "changed a working session", ""),
    "work_session.closed": ("check", "closed a working session", ""),
    "work_session.carried": ("check", "carried a working session over", ""),
    "run.failed": ("circle-x", "could not finish", "bad"),
    "session.opened": ("key-round", "signed in", ""),
    "session.closed": ("log-out", "signed out", ""),
    "password.set": ("lock", "set the password", ""),
    "token.created": ("key-round", "made a token", ""),
    "token.revoked": ("lock", "revoked a token", ""),
    "mismatch.opened": ("git-compare", "found a difference outside", "warn"),
    "mismatch.closed": ("check", "no longer sees a difference", "go"),
    "mismatch.accepted": ("check", "keeps a difference as it is", ""),
    "mismatch.fixing": ("pencil", "mends a difference", ""),
    "mismatch.decided": ("list-checks", "decided about a difference", ""),
    "reconcile.asked": ("search", "asked to compare inside and outside", ""),
    "reconcile.done": ("list-checks", "compared inside and outside", ""),
    "reconcile.failed": ("circle-x", "could not compare inside and outside", "warn"),
    "reconcile.after_cut": ("search", "looked for what happened after the backup", ""),
    "outbound.stopped": ("octagon-pause", "stopped everything outbound", "bad"),
    "outbound.released": ("play", "let outbound go on", ""),
}
"""Icon, verb and tone for each kind of event; others are shown by their own name."""


def page(
    conn: Connection, *, group: str = "", query: str = "", before: str = "", after: str = ""
) -> views.ActivityPage:
    """One page; ``before`` is the sequence number that the last page ended with, nothing up to ``after`` is shown."""
    seq, least = _number(before), _number(after)
    group = group if group in GROUPS else ""
    if query:
        rows = reading.searched(conn, query[:200], seq, PAGE + 1)
    else:
        rows = reading.before(conn, seq, PAGE + 1, GROUPS[group][1])
    rows = [row for row in rows if row["seq"] > least]
    shown = rows[:PAGE]
    arrived = [row["id"] for row in shown if row["kind"] in names.OWN_KINDS]
    known = names.of(conn, [*arrived, *(row["subject"] for row in shown)])
    more = {"group": group, "q": query, "after": least, "before": shown[-1]["seq"]} if len(rows) > PAGE else {}
    return views.ActivityPage(
        entries=tuple(entry(row, known) for row in shown),
        tabs=tuple(
            views.Tab(text, f"/activity?group={name}" if name else "/activity", name == group and not query)
            for name, (text, _kinds) in GROUPS.items()
        ),
        query=query,
        after=str(least) if least else "",
        next="/activity?" + urlencode({k: v for k, v in more.items() if v}) if more else "",
    )


def _number(text: str) -> int:
    """A place in the journal from an address, 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def entry(row: Mapping[str, Any], known: Mapping[str, views.Link]) -> views.Entry:
    """One event as a sentence."""
    icon, verb, tone = WORDS.get(row["kind"], ("circle-dashed", row["kind"], ""))
    payload = row["payload"] or {}
    about = known.get(row["subject"]) or known.get(row["id"])
    if about and row["kind"] in names.OWN_KINDS:
        return views.Entry(row["seq"], row["at"], icon, "Arrived", about.text, about.href, row["source"], tone)
    text = f"{verb}: {about.text}" if about else _arrived(row, payload, verb)
    href = about.href if about else f"/why/{row['id']}" if row["kind"] in names.OWN_KINDS else ""
    note = str(payload.get("note") or payload.get("why") or "")
    return views.Entry(row["seq"], row["at"], icon, _who(row, payload), text, href, note[:200], tone)


def _arrived(row: Mapping[str, Any], payload: Mapping[str, Any], verb: str) -> str:
    if row["payload"] is None:
        return f"{verb} (erased)"
    return f"{verb}: {payload['subject']}" if payload.get("subject") else verb


def _who(row: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    """Who did it, as a person says it."""
    actor = row["actor"]
    if actor == "operator":
        return "You"
    if actor == "soloist":
        return "Soloist"
    if actor == "outside":
        return str(payload.get("name") or payload.get("from") or row["source"])
    return f"program {actor.removeprefix('token:')}" if actor.startswith("token:") else str(actor)
