"""Dealings: what was offered, billed, paid, planned and promised with a client, and its figures; it writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from soloist.engine.store import clients, relations
from soloist.engine.store.reading import Connection
from soloist.insight import remembered, views, words

SHOWN = 8
"""Lines of a section before the rest folds away."""
FIRST_OF = ("preference", "contract", "terms")
GROUPS: Mapping[str, str] = {"preference": "Preferences", "contract": "Contracts", "terms": "Terms"}
"""Facts by the beginning of their attribute: curated knowledge that stands first and has a name of its own."""
_ROOTS = {"prefer": "preference", "likes": "preference", "dislikes": "preference", "wants": "preference"}
_ROOTS |= {"contract": "contract", "agreement": "contract", "retainer": "contract", "licence": "contract"}
_ROOTS |= {"terms": "terms", "payment term": "terms", "rate": "terms", "hourly": "terms", "discount": "terms"}
_ROOTS |= {"notice": "terms", "delivery": "terms", "price": "terms"}
_TITLES = {
    "project": "Projects",
    "offer": "Offers",
    "invoice": "Invoices",
    "payment": "Payments",
    "meeting": "Meetings",
    "document": "Documents on file",
    "conversation": "Calls and talks",
}
_OWES = ("sent", "overdue")


@dataclass(frozen=True)
class Line:
    """One object: what it is, where it leads, its state, an amount, a day or instant, a tone."""

    text: str
    href: str
    state: str = ""
    amount: str = ""
    at: str = ""
    tone: str = ""

    @property
    def day(self) -> str:
        """The day in words when ``at`` is a day and no instant."""
        try:
            found = date.fromisoformat(self.at) if len(self.at) == 10 else None
        except ValueError:
            found = None
        return f"{found.day} {found:%b %Y}" if found else ""


@dataclass(frozen=True)
class Section:
    """Objects of one kind; ``rest`` folds away."""

    kind: str
    title: str
    lines: tuple[Line, ...]
    rest: tuple[Line, ...] = ()
    total: str = ""


@dataclass(frozen=True)
class Promise:
    """Something that was promised: by whom, when it is due, whether it was kept, the words, where they stand."""

    text: str
    ours: bool
    due: str
    state: str
    tone: str
    href: str
    quote: str = ""


@dataclass(frozen=True)
class Dealings:
    """Everything of the business with one client."""

    figures: tuple[views.Number, ...]
    next: tuple[Line, ...]
    past: tuple[Line, ...]
    sections: tuple[Section, ...]
    promises: tuple[Promise, ...]
    facts: tuple[tuple[str, tuple[remembered.FactLine, ...]], ...]
    disputed: int
    summaries: tuple[remembered.MemoryLine, ...]
    also: tuple[Line, ...]


def of(conn: Connection, ident: str, idents: Sequence[str], *, now: str, last: str = "") -> Dealings:
    """What there is with a client whose records are ``idents``; ``last`` is the instant of the last message."""
    rows = _pointing(conn, idents)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_kind.setdefault(row["kind"], []).append(row)
    bills = by_kind.get("invoice", [])
    paid = _payments(conn, by_kind.get("payment", []), bills)
    by_kind["payment"] = paid
    meets = [*by_kind.pop("appointment", [])]
    coming, gone = _appointments(meets, now)
    known = remembered.about(conn, ident, now=now)
    open_sums = _open(bills, paid)
    return Dealings(
        figures=tuple(_figures(open_sums, _late(bills, now), last, coming)),
        next=tuple(coming),
        past=tuple(gone[:SHOWN]),
        sections=tuple(_sections(by_kind, open_sums, now)),
        promises=tuple(_promises(known, clients.promises_of(conn, idents))),
        facts=tuple(grouped(known.current)),
        disputed=len(known.disputed),
        summaries=tuple(summaries(known)),
        also=tuple(_line(row, now) for kind, some in by_kind.items() if kind not in _KNOWN for row in some)[:SHOWN],
    )


def _pointing(conn: Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Records that point at the client, each once, without what was retired or merged away."""
    found: dict[str, dict[str, Any]] = {}
    for row in relations.about(conn, idents):
        if row["state"] != "retired" and not row["merged_into"]:
            found.setdefault(row["id"], row)
    return [*found.values()]


def _payments(
    conn: Connection, own: Sequence[dict[str, Any]], bills: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Payments that name the client or one of its invoices, newest first."""
    named = relations.about(conn, [row["id"] for row in bills], kind="payment") if bills else []
    found = {row["id"]: row for row in (*own, *named) if row["state"] != "retired"}
    return sorted(found.values(), key=lambda row: str(row["body"].get("on") or ""), reverse=True)


# ----- figures


def _minor(value: Any) -> tuple[str, int] | None:
    """Currency and minor units of an amount, None when it is none."""
    if isinstance(value, Mapping) and isinstance(value.get("minor"), int) and value.get("currency"):
        return str(value["currency"]), int(value["minor"])
    return None


def _open(bills: Sequence[Mapping[str, Any]], paid: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, int]]:
    """By invoice that is owed: currency and what is left of it; what came in another currency pays nothing off."""
    came: Counter[tuple[str, str]] = Counter()
    for row in paid:
        sum_ = _minor(row["body"].get("amount"))
        if sum_ and row["state"] == "received" and row["body"].get("direction") != "out":
            came[str(row["body"].get("invoice") or ""), sum_[0]] += sum_[1]
    found = {}
    for row in bills:
        sum_ = _minor(row["body"].get("amount"))
        if sum_ and row["state"] in _OWES and (left := sum_[1] - came[row["id"], sum_[0]]) > 0:
            found[str(row["id"])] = (sum_[0], left)
    return found


def _late(bills: Sequence[Mapping[str, Any]], now: str) -> int:
    return sum(_overdue(row, now) for row in bills)


def _overdue(row: Mapping[str, Any], now: str) -> bool:
    """Whether an invoice is owed and its day is over."""
    due = str(row["body"].get("due") or "")
    return row["state"] == "overdue" or bool(row["state"] == "sent" and due and due < now[:10])


def _figures(
    open_sums: Mapping[str, tuple[str, int]], late: int, last: str, coming: Sequence[Line]
) -> Iterator[views.Number]:
    """The few figures at the head of the page; instants are left to the page to say."""
    sums: dict[str, int] = {}
    for currency, minor in open_sums.values():
        sums[currency] = sums.get(currency, 0) + minor
    if sums:
        said = ", ".join(words.money(minor, currency) for currency, minor in sorted(sums.items()))
        yield views.Number("Open", said, f"{words.counted(late, 'invoice')} overdue" if late else "")
    if last:
        yield views.Number("Last contact", last, "instant")
    if coming:
        yield views.Number("Next appointment", coming[0].at, "instant")


# ----- sections

_KNOWN = {*_TITLES, "person", "company", "lead", "appointment"}


def _sections(
    by_kind: Mapping[str, Sequence[Mapping[str, Any]]], open_sums: Mapping[str, tuple[str, int]], now: str
) -> Iterator[Section]:
    for kind, title in _TITLES.items():
        rows = by_kind.get(kind, ())
        found = sorted((_line(row, now, open_sums) for row in rows), key=lambda line: line.at, reverse=True)
        found.sort(key=lambda line: line.tone != "bad")
        if found:
            total = words.counted(len(found), kind) if len(found) > SHOWN else ""
            yield Section(kind, title, tuple(found[:SHOWN]), tuple(found[SHOWN:]), total)


_DAYS = ("issued", "on", "at", "begins", "due", "published_on")


def _line(row: Mapping[str, Any], now: str, open_sums: Mapping[str, tuple[str, int]] | None = None) -> Line:
    """One object in a line."""
    body, state = row["body"], str(row["state"]).replace("_", " ")
    sum_ = _minor(body.get("amount") or body.get("price"))
    amount, tone = words.money(sum_[1], sum_[0]) if sum_ else "", ""
    if row["kind"] == "invoice":
        left = (open_sums or {}).get(row["id"])
        if left and sum_ and left[1] != sum_[1]:
            amount = f"{words.money(left[1], left[0])} of {amount} open"
        state, tone = ("overdue", "bad") if _overdue(row, now) else (state, "go" if row["state"] == "paid" else "")
    day = next((str(body[name]) for name in _DAYS if body.get(name)), row["updated"])
    return Line(row["title"] or "No name", f"/records/{row['kind']}/{row['id']}", state, amount, day, tone)


def _appointments(rows: Sequence[Mapping[str, Any]], now: str) -> tuple[list[Line], list[Line]]:
    """What is to come, the next first, and what is over, the last first; what was cancelled is neither."""
    live = [row for row in rows if row["state"] != "cancelled"]
    lines = [
        Line(row["title"], f"/records/appointment/{row['id']}", row["state"], at=str(row["body"].get("begins") or ""))
        for row in live
    ]
    ends = {
        line.href: str(row["body"].get("ends") or row["body"].get("begins") or "")
        for line, row in zip(lines, live, strict=True)
    }
    coming = sorted((line for line in lines if ends[line.href] >= now), key=lambda line: line.at)
    gone = sorted((line for line in lines if ends[line.href] < now), key=lambda line: line.at, reverse=True)
    return coming, gone


# ----- what is remembered


def group_of(attribute: str) -> str:
    """preference, contract or terms for a curated fact, "" for any other."""
    plain = attribute.casefold().replace("_", " ")
    if plain in GROUPS:
        return plain
    return next((group for root, group in _ROOTS.items() if plain.startswith(root)), "")


def grouped(
    facts: Sequence[remembered.FactLine], *, whole: bool = False
) -> Iterator[tuple[str, tuple[remembered.FactLine, ...]]]:
    """Facts under the names of their groups, the curated ones first.

    Unless the ``whole`` is asked for, promises and what stands elsewhere on the page of a client are left out.
    """
    plain = [fact for fact in facts if whole or fact.attribute.casefold() not in _SHOWN_ELSEWHERE]
    for group in FIRST_OF:
        if some := tuple(fact for fact in plain if group_of(fact.attribute) == group):
            yield GROUPS[group], some
    if rest := tuple(fact for fact in plain if not group_of(fact.attribute)):
        yield "Other facts", rest if whole else rest[: SHOWN * 2]


_SHOWN_ELSEWHERE = {"name", "email", "language", "promise"}


def summaries(known: remembered.About) -> Iterator[remembered.MemoryLine]:
    """The newest summaries of what was said."""
    rows = [row for tier in ("canonical", "session") for row in known.memories.get(tier, ()) if row.kind == "summary"]
    yield from sorted(rows, key=lambda row: row.at, reverse=True)[:3]


def _promises(known: remembered.About, cards: Sequence[Mapping[str, Any]]) -> Iterator[Promise]:
    """What was promised by either side, what is open first: facts that say so, and cards about the operator's own."""
    held = [fact for fact in (*known.current, *known.past) if fact.attribute.casefold() == "promise"]
    found = [*(_promise(fact, fact in known.current) for fact in held), *map(_own, cards)]
    yield from sorted(found, key=lambda one: (one.state != "open", one.due or "9"))[: SHOWN * 2]


def _own(card: Mapping[str, Any]) -> Promise:
    """A promise of the operator's that a card reminds of; what was answered "done" was kept."""
    option = str((card["decision"] or {}).get("option", "")) if card["state"] != "open" else ""
    state = {"done": "kept", "drop": "dropped"}.get(option, "over") if card["state"] != "open" else "open"
    tone = {"open": "warn", "kept": "go"}.get(state, "")
    text = card["title"].removeprefix(clients.PROMISED)
    return Promise(text, True, str(card["deadline"])[:10], state, tone, f"/cards/{card['id']}")


def _promise(fact: remembered.FactLine, stands: bool) -> Promise:
    """One promise; whose it is, is said by who spoke."""
    ours = fact.source in ("operator", "sent") or fact.value.casefold().startswith(("we ", "i "))
    state = "open" if stands else (fact.ended or "over")
    href = remembered.href_of({"ref": fact.ref, "record": ""})
    return Promise(fact.value, ours, fact.valid_to[:10], state, "warn" if stands else "go", href, fact.quote)
