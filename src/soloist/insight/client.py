"""One page for each client: everything with a person, or with a company and its people; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from soloist.engine.store import assets, clients, contexts, records, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.insight import dealings, names, sheets, views, words
from soloist.insight import records as tables
from soloist.kernel.errors import NotFound

PAGE = 25
LONG = 3000
"""Characters of a message that stand on this page; the whole of it is one click away."""
SHORT = 140
KINDS = tables.CLIENTS


@dataclass(frozen=True)
class Item:
    """One line of a list: what it is, where it leads, its state or note, an instant, a tone."""

    text: str
    href: str
    note: str = ""
    at: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Document:
    """A file that came with or went out with a message; ``href`` is its download, "" when it cannot be had."""

    name: str
    size: str
    mime: str
    href: str
    at: str
    about: Item


@dataclass(frozen=True)
class Said:
    """One message of the timeline: its own words, or the beginning of them when ``cut``, with a line of them."""

    id: str
    at: str
    out: bool
    who: str
    subject: str
    line: str
    text: str
    summary: tuple[str, ...] = ()
    cut: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Note:
    """What somebody wrote down."""

    at: str
    who: str
    text: str


@dataclass(frozen=True)
class ClientPage:
    """Everything with one client; ``next`` leads to older messages."""

    id: str
    kind: str
    title: str
    record: str
    facts: tuple[views.FieldLine, ...] = ()
    people: tuple[Item, ...] = ()
    intents: tuple[Item, ...] = ()
    cards: tuple[Item, ...] = ()
    proposals: tuple[Item, ...] = ()
    follow_ups: tuple[Item, ...] = ()
    returned: tuple[Item, ...] = ()
    documents: tuple[Document, ...] = ()
    notes: tuple[Note, ...] = ()
    history: tuple[Item, ...] = ()
    timeline: tuple[Said, ...] = ()
    counted: str = ""
    next: str = ""
    older: bool = False
    business: dealings.Dealings | None = None
    merged: str = ""


def page(conn: Connection, ident: str, *, before: str = "", follow_up: float = 0.0, now: str = "") -> ClientPage:
    """The page of a person or company (NotFound); ``before`` is what the link to older messages carried.

    ``follow_up``: seconds after which a reminder is proposed.
    """
    record = _client(conn, ident)
    people = clients.people_of(conn, ident) if record["kind"] == "company" else []
    idents = clients.with_merged(conn, [ident, *(row["id"] for row in people)])
    at, _, last = before.replace("\x00", "").partition("~")
    rows = clients.messages_of(conn, idents, before=(at, last) if last else None, limit=PAGE + 1)
    shown, leads = rows[:PAGE], clients.leads_of(conn, idents)
    end = shown[-1] if len(rows) > PAGE else None
    cards = clients.open_cards(conn, idents)
    figures, now = clients.counted(conn, idents), now or contexts.now_of(conn)
    newest = max((last for _, _, last in figures.values()), default="")
    return ClientPage(
        id=ident,
        kind=record["kind"],
        title=record["title"] or "No name",
        record=f"/records/{record['kind']}/{ident}",
        facts=tuple(_facts(conn, record, leads, cards)),
        people=tuple(Item(row["title"], f"/clients/{row['id']}", _list(row["body"].get("emails"))) for row in people),
        intents=tuple(map(_intent, leads)),
        cards=tuple(map(_card, cards)),
        proposals=tuple(_proposals(conn, idents, cards)),
        follow_ups=tuple(_follow_up(row, follow_up) for row in clients.pending_follow_ups(conn, idents)),
        returned=tuple(map(_returned, clients.returned(conn, idents))),
        documents=tuple(_documents(conn, ident, idents)),
        notes=tuple(_notes(conn, ident)),
        history=tuple(_history(conn, record)),
        timeline=tuple(map(_said, shown)),
        counted=_counted(figures),
        next=f"/clients/{ident}?" + urlencode({"before": f"{end['at']}~{end['id']}"}) + "#messages" if end else "",
        older=bool(last),
        business=dealings.of(conn, ident, idents, now=now, last=newest),
        merged=record["merged_into"],
    )


def _client(conn: Connection, ident: str) -> dict[str, Any]:
    """The record of a client (NotFound, also for a record that is nobody)."""
    record = records.get(conn, ident)
    if record["kind"] not in KINDS:
        raise NotFound(f"{record['title']!r} is a {record['kind']}, not a person or a company.")
    return record


def _facts(
    conn: Connection, record: Mapping[str, Any], leads: Sequence[Mapping[str, Any]], cards: Sequence[Mapping[str, Any]]
) -> Iterator[views.FieldLine]:
    """Who it is, in a few lines."""
    body = record["body"]
    company = str(body.get("company") or "")
    if body.get("company_name") or company:
        name = str(body.get("company_name") or "") or records.get(conn, company)["title"]
        yield views.FieldLine("Company", name, href=f"/clients/{company}" if company else "")
    for label, key in (("Address", "emails"), ("Phone", "phones"), ("Domain", "domain"), ("Language", "language")):
        if value := _list(body.get(key)):
            yield views.FieldLine(label, value)
    if value := _value(leads, cards):
        yield views.FieldLine("Value", value)
    if record["state"]:
        yield views.FieldLine("State", record["state"].replace("_", " "))


def _list(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _value(leads: Sequence[Mapping[str, Any]], cards: Sequence[Mapping[str, Any]]) -> str:
    """What they said they can spend on what is open, and what open cards are about; each sum in its own currency."""
    sums: dict[str, int] = {}
    for lead in leads:
        highest = [b["high"] for b in lead["body"].get("budgets") or [] if isinstance(b, dict) and b.get("high")]
        if lead["state"] not in ("lost", "closed", "retired") and highest:
            best = max(highest, key=lambda money: int(money["minor"]))
            sums[best["currency"]] = sums.get(best["currency"], 0) + int(best["minor"])
    if sums:
        return "budgets they named: " + ", ".join(words.money(minor, code) for code, minor in sorted(sums.items()))
    for card in cards:
        if card["value_minor"]:
            sums[card["currency"]] = sums.get(card["currency"], 0) + int(card["value_minor"])
    return "open cards: " + ", ".join(words.money(m, code) for code, m in sorted(sums.items())) if sums else ""


def _intent(row: Mapping[str, Any]) -> Item:
    """An enquiry with its state, and the verdict where that is another word."""
    verdict = str(row["body"].get("verdict") or "")
    said = [row["state"], verdict if verdict != row["state"] else ""]
    note = ", ".join(part.replace("_", " ") for part in said if part)
    return Item(row["title"], f"/records/lead/{row['id']}", note, row["updated"])


def _card(row: Mapping[str, Any]) -> Item:
    kind, _icon = sheets.kind_of(row)
    return Item(row["title"], f"/?card={row['id']}", kind, row["deadline"])


def _proposals(conn: Connection, idents: Sequence[str], cards: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    """Waiting proposals that no open card of the list is about."""
    told = {card["subject"] for card in cards}
    for row in clients.waiting_proposals(conn, idents):
        if row["id"] not in told:
            yield Item(names.proposal_title(row), f"/why/{row['id']}", row["agent"] or row["source"], row["expires"])


def _follow_up(row: Mapping[str, Any], after: float) -> Item:
    due = later(row["started"], after) if after and row["started"] else ""
    return Item(row["subject"] or "no subject", f"/runs/{row['id']}", "a reminder is proposed if nobody answers", due)


def _returned(row: Mapping[str, Any]) -> Item:
    """A mail that came back after it was sent."""
    late = row["late"] if isinstance(row["late"], dict) else {"reason": str(row["late"])}
    reason = str(late.get("reason") or late.get("note") or late.get("why") or "it came back")
    return Item(names.proposal_title({"payload": row["payload"]}), f"/why/{row['id']}", reason, row["updated"], "bad")


def _documents(conn: Connection, ident: str, idents: Sequence[str]) -> Iterator[Document]:
    """Files with where they came from, newest first."""
    for row in clients.with_documents(conn, idents):
        way = "you sent" if row["direction"] == "out" else "they sent"
        about = Item(row["subject"] or "no subject", f"/why/{row['id']}", way)
        for file in row["attachments"] or []:
            part, size = file.get("part"), file.get("size")
            yield Document(
                name=str(file.get("name") or "unnamed"),
                size=bytes_said(size) if isinstance(size, int) else "",
                mime=str(file.get("mime") or ""),
                href=f"/clients/{ident}/files/{row['id']}/{part}" if isinstance(part, int) else "",
                at=row["at"],
                about=about,
            )


def bytes_said(size: int) -> str:
    """A size as a person reads it."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def file_of(conn: Connection, folder: Path, ident: str, *, message: str, part: int) -> tuple[bytes, dict[str, Any]]:
    """The stored mail that a file of a client is in, and what is known of the file (NotFound).

    ``folder`` holds the large assets.
    """
    record = _client(conn, ident)
    people = clients.people_of(conn, ident) if record["kind"] == "company" else []
    idents = clients.with_merged(conn, [ident, *(person["id"] for person in people)])
    row = clients.message_with(conn, idents, message)
    for file in (row or {}).get("attachments") or []:
        if row and row["asset"] and file.get("part") == part:
            return assets.load(conn, folder, row["asset"]), dict(file)
    raise NotFound("There is no such file of this client; the mail it was in may have been erased.")


def _notes(conn: Connection, ident: str) -> Iterator[Note]:
    for row in reversed(tasks.annotations_of(conn, ident)):
        who = {"operator": "You", "soloist": "Soloist"}.get(row["actor"], row["actor"])
        yield Note(row["at"], who, row["body"])


def _history(conn: Connection, record: Mapping[str, Any]) -> Iterator[Item]:
    """The newest versions of the record, in a line each."""
    for version in records.history(conn, record["id"], limit=5):
        who = {"operator": "you", "soloist": "Soloist"}.get(version["actor"], version["actor"])
        href = f"/records/{record['kind']}/{record['id']}"
        yield Item(f"Version {version['version']}", href, f"{who}: {version['reason']}", version["at"])


def _counted(figures: Mapping[str, tuple[int, str, str]]) -> str:
    """How many messages there are in both directions, and since when."""
    if not figures:
        return ""
    came, went = figures.get("in", (0, "", ""))[0], figures.get("out", (0, "", ""))[0]
    first = min(first for _, first, _ in figures.values())
    return f"{words.counted(came + went, 'message')}: {came} came, {went} went out, the first on {first[:10]}"


def _said(row: Mapping[str, Any]) -> Said:
    """One message of the timeline."""
    view = sheets.message_view(row)
    out = row["direction"] == "out"
    text = view.own_text[:LONG]
    line = " ".join(text.split())
    others = ", ".join(map(str, (row["recipients"] or [])[:3]))
    return Said(
        id=row["id"],
        at=row["at"],
        out=out,
        who=f"To {others}" if out and others else view.sender or view.address,
        subject=row["subject"] or "No subject",
        line=line[:SHORT] + (" …" if len(line) > SHORT else ""),
        text=text,
        summary=sheets.summary(row),
        cut=len(view.own_text) > LONG,
        files=view.attachments,
    )
