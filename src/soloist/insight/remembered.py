"""Remembered: what the house knows about a record and where it keeps it, in rows for pages; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import contexts, facts, records, sessions
from soloist.engine.store.reading import Connection
from soloist.insight import words
from soloist.kernel import money
from soloist.kernel.fact import CONFIDENCES, MANY, RANK, same_value
from soloist.kernel.memory import TIERS

LINES = 3
"""Lines about somebody that stand beside a draft."""
WHOSE = {"confirmed": "you confirmed it", "rule": "by a rule", "unverified": "not confirmed"}


@dataclass(frozen=True)
class FactLine:
    """One statement as it is shown; ``against`` are the ids it contradicts, ``state`` held, disputed or past."""

    id: str
    attribute: str
    value: str
    state: str
    trust: str
    whose: str
    confidence: str
    quote: str
    source: str
    ref: str
    valid_from: str
    valid_to: str
    recorded: str
    ended: str = ""
    against: tuple[str, ...] = ()
    affordances: tuple[str, ...] = ()


@dataclass(frozen=True)
class MemoryLine:
    """One item of memory as it is shown."""

    id: str
    tier: str
    kind: str
    text: str
    at: str
    actor: str
    trust: str
    ref: str
    href: str
    expires: str
    uses: int
    pinned: bool
    origin: tuple[str, ...] = ()
    affordances: tuple[str, ...] = ()


@dataclass(frozen=True)
class SessionLine:
    """A working session as it is shown."""

    id: str
    title: str
    state: str
    objectives: tuple[str, ...]
    expectations: tuple[str, ...]
    summary: str
    created: str
    closed: str
    carried_to: str


@dataclass(frozen=True)
class About:
    """Everything remembered about one record; ``lines`` are the three that stand beside a draft."""

    record: str
    title: str
    lines: tuple[str, ...]
    current: tuple[FactLine, ...]
    disputed: tuple[FactLine, ...]
    past: tuple[FactLine, ...]
    memories: Mapping[str, tuple[MemoryLine, ...]]
    sessions: tuple[SessionLine, ...]
    outcomes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class TierLine:
    """One tier or a kind within it: rows, characters of text, the oldest instant, its rule in words."""

    tier: str
    kind: str
    rows: int
    characters: int
    oldest: str
    newest: str
    rule: str = ""
    lifetime: int = 0


def about(conn: Connection, record: str, *, now: str = "", limit: int = 50) -> About:
    """What is remembered about a record and those merged into it (NotFound)."""
    row = records.get(conn, record)
    idents = facts.family(conn, record)
    now = now or contexts.now_of(conn)
    every = facts.history(conn, idents)
    live = [fact for fact in every if not fact["ended"]]
    current, doubted = sides([fact for fact in live if fact["state"] == "held" and holds(fact, now)])
    disputed = [*(fact for fact in live if fact["state"] == "disputed"), *doubted]
    shown = {fact["id"] for fact in (*current, *disputed)}
    past = [fact for fact in every if fact["id"] not in shown]
    held = sorted(current, key=lambda fact: (fact["attribute"], fact["valid_from"]))
    items = contexts.memories_of(conn, idents, limit)
    return About(
        record=record,
        title=row["title"] or "No name",
        lines=tuple(lines(conn, idents, held, items)),
        current=tuple(fact_line(fact, "held") for fact in held),
        disputed=tuple(fact_line(fact, "disputed", against=_against(fact, held)) for fact in disputed),
        past=tuple(fact_line(fact, "past") for fact in past[:limit]),
        memories={tier: tuple(memory_line(m) for m in items if m["tier"] == tier) for tier in TIERS},
        sessions=tuple(session_line(found) for found in sessions.of_scope(conn, idents)),
        outcomes=tuple(contexts.outcomes_about(conn, idents)),
    )


def holds(fact: Mapping[str, Any], now: str) -> bool:
    """Whether a held statement is true at an instant and has not expired."""
    begun = fact["valid_from"] <= now and (not fact["valid_to"] or now < fact["valid_to"])
    return bool(begun and (not fact["expires"] or fact["expires"] > now))


def sides(held: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What holds, and what is held beside it and says otherwise, as after a merge of two records; both are shown."""
    best: dict[str, dict[str, Any]] = {}
    for fact in held:
        other = best.get(fact["attribute"])
        if other is None or _weight(fact) > _weight(other):
            best[fact["attribute"]] = fact
    beside = [
        fact
        for fact in held
        if fact["attribute"] not in MANY and not same_value(fact["value"], best[fact["attribute"]]["value"])
    ]
    names = {fact["id"] for fact in beside}
    return [fact for fact in held if fact["id"] not in names], beside


def _weight(fact: Mapping[str, Any]) -> tuple[int, str, str]:
    """Whose word counts more, then the newer one."""
    return RANK[fact["trust"]], str(fact["valid_from"]), str(fact["id"])


def _against(fact: Mapping[str, Any], held: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The statements that one contradicts."""
    mine = (other for other in held if other["attribute"] == fact["attribute"] and other["id"] != fact["id"])
    return tuple(str(other["id"]) for other in mine)


def lines(
    conn: Connection, idents: Sequence[str], held: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]]
) -> list[str]:
    """At most three lines: what is confirmed or newest about them, the newest summary or note, what is open."""
    best = sorted(held, key=lambda fact: (fact["trust"] != "confirmed", _dull(fact["attribute"]), -_number(fact)))
    found = [f"{named(fact['attribute'])}: {said(fact['value'])} ({_since(fact)})" for fact in best[:2]]
    told = next((item for item in items if item["kind"] in ("summary", "note", "decision", "insight")), None)
    if told is not None:
        first = " ".join(told["text"].split())
        found.append(f"{told['at'][:10]}: {first[:160]}{' …' if len(first) > 160 else ''}")
    return found[:LINES]


@dataclass(frozen=True)
class Given:
    """One part of memory that a run had before it, and whose word it is; ``gone`` when it was erased since."""

    part: str
    text: str
    trust: str
    ref: str
    href: str
    at: str
    rank: int = 0
    memory: str = ""
    span: tuple[int, int] = (0, 0)
    gone: bool = False


def given(conn: Connection, context: str) -> list[Given]:
    """The parts of memory of a context in their order (empty for one that had none)."""
    row = contexts.get(conn, context) if context else None
    if row is None or not row["packed"]:
        return []
    stated = {ident: fact for ident in row["packed"].get("facts") or [] if (fact := contexts.fact(conn, ident))}
    names = iter(row["packed"].get("facts") or [])
    found = []
    for piece in contexts.slices(conn, context):
        if piece["part"] == "fact":
            fact = stated.get(next(names, ""))
            found.append(_given_fact(fact) if fact else Given("fact", "", "", "", "", "", gone=True))
        else:
            found.append(_given_item(piece))
    return found


def stated(conn: Connection, context: str) -> list[dict[str, Any]]:
    """The statements of a context that are not ended since, as rows."""
    row = contexts.get(conn, context) if context else None
    idents = (row["packed"] or {}).get("facts") or [] if row else []
    found = [contexts.fact(conn, ident) for ident in idents]
    return [fact for fact in found if fact is not None and not fact["ended"]]


def _given_fact(fact: Mapping[str, Any]) -> Given:
    text = f"{named(fact['attribute'])}: {said(fact['value'])}"
    text += " (disputed)" if fact["state"] == "disputed" else ""
    href = f"/records/-/{fact['record']}"
    return Given("fact", text, fact["trust"], f"fact:{fact['id']}", href, fact["valid_from"])


def _given_item(piece: Mapping[str, Any]) -> Given:
    span = (int(piece["span_from"]), int(piece["span_to"]))
    text = str(piece["text"] or "")[span[0] : span[1]]
    if not text:
        return Given(piece["part"], "", "", "", "", "", piece["rank"], piece["memory"], span, gone=True)
    href = href_of({"ref": piece["ref"], "record": piece["record"]})
    return Given(
        piece["part"], text, piece["trust"], piece["ref"], href, piece["at"], piece["rank"], piece["memory"], span
    )


def beside(conn: Connection, context: str) -> list[dict[str, str]]:
    """At most three lines of what a context holds about them, for the card of a draft: {text, whose, ref}."""
    parts = [part for part in given(conn, context) if not part.gone]
    stated = [part for part in parts if part.part == "fact" and not _dull(part.text.partition(":")[0].casefold())]
    told = [part for part in parts if part.part != "fact"]
    best = [*stated[:2], *told][:LINES] if told else stated[:LINES]
    return [{"text": _short(part.text), "whose": _whose(part), "ref": part.ref} for part in best]


def _short(text: str, most: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most].rstrip()} …"


def _whose(part: Given) -> str:
    """When and on whose word."""
    return ", ".join(piece for piece in (part.at[:10], WHOSE.get(part.trust, "")) if piece)


def _dull(attribute: str) -> bool:
    """Whether an attribute stands on every card anyway."""
    return attribute in ("name", "email", "language", "company", "domain")


def _number(fact: Mapping[str, Any]) -> int:
    """A place in time to sort by, newest highest."""
    return int("".join(c for c in str(fact["valid_from"])[:19] if c.isdigit()).ljust(14, "0") or 0)


def _since(fact: Mapping[str, Any]) -> str:
    """When and on whose word."""
    day = str(fact["valid_from"])[:10]
    return ", ".join(part for part in (f"since {day}" if day else "", WHOSE[fact["trust"]]) if part)


def named(attribute: str) -> str:
    """An attribute as a label."""
    return attribute.replace("_", " ")[:1].upper() + attribute.replace("_", " ")[1:]


def said(value: Any) -> str:
    """A value as a person reads it; amounts carry their currency."""
    if money.is_amount(value):
        return words.money(value["minor"], value["currency"])
    if isinstance(value, dict) and {"low", "high"} <= value.keys():
        low, high = said(value["low"]), said(value["high"])
        return low if low == high else f"{low} to {high}"
    if isinstance(value, list):
        return ", ".join(map(said, value))
    return str(value)


def fact_line(fact: Mapping[str, Any], state: str, against: tuple[str, ...] = ()) -> FactLine:
    """One statement as it is shown."""
    return FactLine(
        id=fact["id"],
        attribute=named(fact["attribute"]),
        value=said(fact["value"]),
        state=state,
        trust=fact["trust"],
        whose=WHOSE[fact["trust"]],
        confidence=CONFIDENCES.get(fact["confidence"], fact["confidence"]),
        quote=fact["quote"],
        source=fact["source"],
        ref=fact["ref"],
        valid_from=fact["valid_from"],
        valid_to=fact["valid_to"],
        recorded=fact["created"],
        ended=fact["ended_why"],
        against=against,
        affordances=fact_affordances(fact),
    )


def memory_line(row: Mapping[str, Any]) -> MemoryLine:
    """One item as it is shown."""
    return MemoryLine(
        id=row["id"],
        tier=row["tier"],
        kind=row["kind"],
        text=row["text"],
        at=row["at"] or row["created"],
        actor=row["actor"],
        trust=row["trust"],
        ref=row["ref"],
        href=href_of(row),
        expires=row["expires"],
        uses=int(row["uses"]),
        pinned=bool(row["pinned"]),
        origin=tuple(row["origin"] or ()),
        affordances=affordances(row),
    )


def session_line(row: Mapping[str, Any]) -> SessionLine:
    """One working session as it is shown."""
    return SessionLine(
        id=row["id"],
        title=row["title"],
        state=row["state"],
        objectives=tuple(map(str, row["objectives"] or ())),
        expectations=tuple(map(str, row["expectations"] or ())),
        summary=row["summary"],
        created=row["created"],
        closed=row["closed"],
        carried_to=row["carried_to"],
    )


def href_of(row: Mapping[str, Any]) -> str:
    """Where what an item stands for is shown in the console, "" when nowhere."""
    kind, _, ident = str(row["ref"]).partition(":")
    if kind in ("message", "decision", "effect", "proposal", "card") and ident:
        return f"/why/{ident.partition(':')[0]}"
    return f"/records/-/{row['record']}" if row["record"] else ""


def affordances(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What can be done with an item, from its kind, tier and trust: the names of its links and buttons (E12)."""
    if row["ended"]:
        return ("open",) if href_of(row) else ()
    found = ["open"] if href_of(row) else []
    found += ["cite"] if row["tier"] != "ephemeral" else []
    found += ["promote"] if row["tier"] in ("working", "session") else []
    found += ["correct"] if row["kind"] not in ("message", "document") else []
    found += ["forget"]
    found += ["make_task"] if row["kind"] in ("message", "note", "meeting", "summary", "insight") else []
    return tuple(found)


def fact_affordances(fact: Mapping[str, Any]) -> tuple[str, ...]:
    """What can be done with a statement."""
    if fact["ended"]:
        return ("open",)
    found = ["open", "cite", "correct", "forget"]
    return tuple([*found, "confirm"] if fact["trust"] != "confirmed" else found)


def tiers(conn: Connection) -> list[TierLine]:
    """How much is kept in each tier, then in each kind of it; the rule of the tier stands with its own line."""
    found: list[TierLine] = []
    counted = contexts.counted_memories(conn)
    for tier, rule in TIERS.items():
        rows = [row for row in counted if row["tier"] == tier]
        total = {"rows": sum(r["rows"] for r in rows), "characters": sum(r["characters"] for r in rows)}
        oldest = min((r["oldest"] for r in rows), default="")
        newest = max((r["newest"] for r in rows), default="")
        found.append(TierLine(tier, "", **total, oldest=oldest, newest=newest, rule=rule.rule, lifetime=rule.lifetime))
        found += [TierLine(**row) for row in rows]
    return found


@dataclass(frozen=True)
class Cost:
    """What choosing saved: contexts looked at, tokens given and whole, the slowest packing in milliseconds."""

    contexts: int
    tokens: int
    whole_tokens: int
    share: int
    slowest_ms: float
    without: int


def cost(conn: Connection, limit: int = 500) -> Cost:
    """Tokens that were given to the newest runs beside those of the entire history (E16)."""
    rows = [row["packed"] for row in contexts.cost(conn, limit) if row["packed"]]
    tokens = sum(int(row["tokens"]) for row in rows)
    whole = sum(-(-int(row["whole"]) // 4) for row in rows)
    return Cost(
        contexts=len(rows),
        tokens=tokens,
        whole_tokens=whole,
        share=round(100 * tokens / whole) if whole else 0,
        slowest_ms=max((float(row.get("ms", 0.0)) for row in rows), default=0.0),
        without=sum(1 for row in rows if row.get("mode") == "nothing asked"),
    )
