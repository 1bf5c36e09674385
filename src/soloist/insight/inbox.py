"""The inbox: what waits in the order of judgement, what happened since the last look; it ranks and decides nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from soloist.engine.store import effects, journal, proposals, reading, settings, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.engine.store.tx import Tx
from soloist.insight import objectives, ranking, sheets, views, words
from soloist.kernel.errors import NotFound

SEEN = "console.seen"
"""Key under which the home keeps how far the operator has looked, by operator: a line of JSON."""

VISIT = 600.0
"""Seconds without a look after which the next one begins a new visit."""

PAGE = 50

SINCE = (
    (("mail.received", "form.submitted", "message.received"), "arrived", "arrived", ""),
    (("effect.succeeded",), "sent or done", "done", ""),
    (("effect.failed", "run.failed"), "failed", "failed", "bad"),
    (("effect.needs_human",), "of unknown outcome", "failed", "warn"),
    (("card.expired",), "expired unanswered", "decided", "warn"),
    (("record.created", "record.changed"), "records written", "changed", ""),
)
"""Kinds of events, how they are counted in words, the filter that lists them, their tone."""


def standing(conn: Connection, now: str) -> tuple[int, str, int]:
    """How many cards wait (at most 1,000), since when everything outbound is stopped ("" when it is not), the end of
    the journal: one snapshot, so that a page knows what it shows.
    """
    return reading.waiting_count(conn, now), settings.value(conn, settings.STOP), journal.head(conn)


def page(
    conn: Connection, *, now: str, current: str = "", follow_up: float = 0.0, after: str = "", who: str = "operator"
) -> views.InboxPage:
    """The desk with one card open: the one asked for, else the most pressing.

    ``follow_up`` in seconds; ``after`` is how many rows earlier pages have shown.
    """
    cards = ranking.ranked(objectives.waiting(conn, now, reading.CAP), now)
    waiting = len(cards)
    start = int(after) if after.isdecimal() and len(after) < 6 else 0
    shown = cards[start : start + PAGE]
    looked = after_look(seen(conn, who), 0, now)
    ident = current or (shown[0]["id"] if shown else "")
    return views.InboxPage(
        waiting=waiting,
        rows=_rows(_with_proposals(conn, shown), looked.at),
        current=_sheet(conn, ident, cards, now) if ident else None,
        since_at=looked.at,
        since=_since(conn, looked.seq),
        numbers=_numbers(conn, cards, now),
        review=_review(cards, now),
        next_planned=_next(conn, follow_up),
        next=f"/?after={start + PAGE}" if start + PAGE < len(cards) else "",
    )


@dataclass(frozen=True)
class Seen:
    """How far the operator has looked: ``seq`` and ``at`` before this visit, ``look_seq`` and ``look_at`` in it."""

    seq: int = 0
    at: str = ""
    look_seq: int = 0
    look_at: str = ""


def seen(conn: Connection, who: str = "operator") -> Seen:
    """What is kept for an operator."""
    text = settings.value(conn, f"{SEEN}.{who}")
    return Seen(**json.loads(text)) if text else Seen()


def after_look(before: Seen, seq: int, now: str) -> Seen:
    """One more look at what the journal says up to ``seq``.

    The first look after ten minutes without one begins a visit: what came since the last look of the visit before
    is what has changed, and stays so until the visit is over.
    """
    seq = max(seq, before.look_seq)
    if not before.look_at:  # the very first visit: everything there is was there before it
        return Seen(before.seq, before.at, seq, now)
    if later(before.look_at, VISIT) <= now:
        return Seen(before.look_seq, before.look_at, seq, now)
    return Seen(before.seq, before.at, seq, now)


def look(tx: Tx, who: str, seq: int) -> None:
    """Note that the operator looked at a page that shows the journal up to ``seq`` (never beyond its end)."""
    seq = min(seq, reading.last_seq(tx.conn))
    _keep(tx, who, after_look(seen(tx.conn, who), seq, tx.now))


def mark_seen(tx: Tx, who: str = "operator") -> None:
    """The operator says that all of it was seen: the "since" line begins anew at this commit."""
    seq = reading.last_seq(tx.conn)
    _keep(tx, who, Seen(seq, tx.now, seq, tx.now))


def _keep(tx: Tx, who: str, found: Seen) -> None:
    settings.put(tx, f"{SEEN}.{who}", json.dumps(asdict(found)))


def _sheet(conn: Connection, ident: str, cards: Sequence[Mapping[str, Any]], now: str) -> views.Sheet | None:
    """The open card with the reason for its place in the queue."""
    try:
        found = sheets.sheet(conn, ident)
    except NotFound:
        return None
    place = next((n for n, card in enumerate(cards, 1) if card["id"] == ident), 0)
    return replace(found, rank=ranking.explain(objectives.lifted(cards, place, now), place, now)) if place else found


def _with_proposals(
    conn: Connection, cards: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    rows = reading.named(conn, "proposals", [card["subject"] for card in cards])
    return [(card, rows.get(card["subject"], {})) for card in cards]


def _rows(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], seen: str) -> tuple[views.Row, ...]:
    """The lines of the queue; cards that are decided together stand as one, where the most pressing of them stands."""
    bundles = Counter(proposal["bundle"] for _, proposal in pairs if proposal.get("bundle"))
    rows: list[views.Row] = []
    done: set[str] = set()
    for card, proposal in pairs:
        bundle = str(proposal.get("bundle") or "")
        if bundle in done:
            continue
        row = _row(card, proposal, seen)
        if bundle and bundles[bundle] > 1:
            done.add(bundle)
            row = replace(row, kind=f"{bundles[bundle]} together", icon="list-checks")
        rows.append(row)
    return tuple(rows)


def _row(card: Mapping[str, Any], proposal: Mapping[str, Any], seen: str) -> views.Row:
    """One line of the queue."""
    kind, icon = sheets.kind_of(card)
    if card["type"] == "proposal" and proposal.get("operation") == "mail.send":
        kind, icon = ("Follow-up" if (proposal["evidence"] or {}).get("follow_up") else "Reply"), "mail"
    reason, tone = _reason(card, proposal)
    return views.Row(
        id=card["id"],
        kind=kind,
        icon=icon,
        title=card["title"],
        reason=reason,
        tone=tone,
        value=words.money(card["value_minor"], card["currency"]) if card["value_minor"] else "",
        due=card["deadline"],
        mark=_mark(card, proposal, seen),
        estimate=f"about {words.lasted(float(card['estimate']))}" if card["estimate"] else "",
    )


def _mark(card: Mapping[str, Any], proposal: Mapping[str, Any], seen: str) -> str:
    """What happened to a card since the operator last looked."""
    if not seen:
        return ""
    if card["created"] > seen:
        return "new"
    if card["snoozed_until"] > seen:
        return "back"
    return "changed" if max(card["updated"], proposal.get("updated") or "") > seen else ""


def _reason(card: Mapping[str, Any], proposal: Mapping[str, Any]) -> tuple[str, str]:
    """The one thing that makes this card need a look, and its tone."""
    if card["type"] == "unknown_outcome":
        return "It may or may not have happened", "bad"
    if card["type"] == "failure":
        return str(card["why"]).split(". ")[0].rstrip(".")[:90] or "Not done", "bad"
    evidence = proposal.get("evidence") or {}
    if evidence.get("faults"):
        return "The draft has a fault", "bad"
    unmet = [a for a in evidence.get("answers") or [] if a["answer"] == "not_met"]
    if unmet:
        return "Not met: " + ", ".join(str(a["criterion"]).replace("_", " ") for a in unmet), "warn"
    if questions := proposal.get("questions"):
        return words.counted(len(questions), "open question"), "warn"
    if proposal.get("risk") == "financial":
        return "Moves money", "warn"
    return sheets.said_plainly(str(card["why"]).split(". ")[0].rstrip(".")), ""


def _since(conn: Connection, seq: int) -> tuple[views.Link, ...]:
    """What happened after a place in the journal, each count a link to its list."""
    found = []
    counts = reading.counts_since(conn, tuple(kind for kinds, *_ in SINCE for kind in kinds), seq)
    for kinds, text, group, tone in SINCE:
        count = min(sum(counts[kind] for kind in kinds), reading.CAP)
        if count:
            many = f"over {count}" if count == reading.CAP else str(count)
            after = f"&after={seq}" if seq else ""
            shown = f"{many} {_one(text) if count == 1 else text}"
            found.append(views.Link(shown, f"/activity?group={group}{after}", tone))
    return tuple(found)


def _one(text: str) -> str:
    return text.replace("records", "record")


def _numbers(conn: Connection, cards: Sequence[Mapping[str, Any]], now: str) -> tuple[views.Number, ...]:
    """What is on its way out, and how long the oldest card has waited."""
    found = [views.Number("Waiting to leave", str(reading.effects_waiting(conn))), *_doubtful(conn, now)]
    first, today = words.instant(min((card["created"] for card in cards), default="")), words.instant(now)
    if first and today:
        found.append(views.Number("Oldest", words.lasted((today - first).total_seconds())))
    return tuple(found)


def _doubtful(conn: Connection, now: str) -> tuple[views.Number, ...]:
    """What is not known outside: how much, since when, and how much of it only a person can settle."""
    outside = effects.headline(conn)
    since, today = words.instant(outside["oldest_unknown"]), words.instant(now)
    oldest = f"oldest {words.lasted((today - since).total_seconds())}" if since and today else ""
    unknown = views.Number("Not known outside", str(outside["unknown"]), oldest if outside["unknown"] else "")
    asks = views.Number("Needs your word", str(outside["needs_human"]), "" if outside["unknown"] else oldest)
    return unknown, asks


def _review(cards: Sequence[Mapping[str, Any]], now: str) -> str:
    """How long all of it takes, and how much of it can wait."""
    if not cards:
        return ""
    total = sum(float(card["estimate"] or 0) for card in cards)
    later_on = sum(1 for card in cards if not card["deadline"] or card["deadline"] > later(now, 86400))
    text = f"About {words.lasted(max(60.0, total))} in all."
    if later_on == len(cards):
        return text + " All of it can wait a day."
    return text + (f" {words.counted(later_on, 'card')} can wait a day." if later_on else "")


def _next(conn: Connection, follow_up: float) -> str:
    """The next planned thing, for an empty desk."""
    run = reading.oldest_waiting_run(conn, "followup")
    if run is None or not follow_up:
        return "New messages are read as they come in."
    message = reading.named(conn, "messages", [run["input"]]).get(run["input"])
    to = ", ".join(message["recipients"] or []) if message else "a client"
    day = later(run["started"], follow_up)[:10]
    return f"Next: if {to} does not answer, a reminder is prepared on {day}."


def outcome(conn: Connection, ident: str, now: str, zone: str = "UTC") -> views.Outcome | None:
    """What became of a card that was just decided, in one sentence; None for an unknown card."""
    try:
        card = tasks.get(conn, ident)
    except NotFound:
        return None
    proposal = proposals.find(conn, card["subject"])
    if card["state"] == "open":
        return _put_off(card, zone, now) if ranking.asleep(card, now) else None
    if proposal is None or card["type"] not in ("proposal", "change"):
        merged = card["subject_kind"] == "merge" and (card["decision"] or {}).get("option") == "merge"
        return views.Outcome(ident, sheets.sheet(conn, ident).state_line, merged)
    if proposal["state"] == "superseded":
        return views.Outcome(ident, "Taken back. Nothing was sent; it waits for you again.", tone="warn")
    if proposal["state"] != "approved":
        return views.Outcome(ident, sheets.STATES.get(proposal["state"], proposal["state"]))
    return _approved(conn, ident, proposal, now)


def _put_off(card: Mapping[str, Any], zone: str, now: str) -> views.Outcome:
    """A card that sleeps, with when it comes back as the operator's clock says it."""
    return views.Outcome(card["id"], f"Put off. It comes back {words.when(card['snoozed_until'], zone, now)}.", True)


def _approved(conn: Connection, ident: str, proposal: Mapping[str, Any], now: str) -> views.Outcome:
    """An approval: still held, leaving, or done."""
    if proposal["noun"] == "change":
        return views.Outcome(ident, "Approved. The record is being changed.")
    made = effects.of_proposal(conn, proposal["id"])
    if settings.stopped(conn):
        return views.Outcome(ident, "Approved. It waits, because everything outbound is stopped.", True, "warn")
    if any(row["attempts"] for row in made):
        return views.Outcome(ident, "Approved and carried out.")
    until = made[0]["not_before"] if made else later(proposal["updated"], proposal["hold_ms"] / 1000)
    end, base = words.instant(until), words.instant(now)
    rest = (end - base).total_seconds() if end and base else 0.0
    text = f"Approved. Runs in {max(1, round(rest))} s." if rest > 0 else "Approved. It runs now."
    return views.Outcome(ident, text, rest > 0)
