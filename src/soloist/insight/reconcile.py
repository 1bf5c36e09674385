"""Inside and outside side by side: what was compared, each difference and what can be done; it compares nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import mismatches, reading, searching, settings
from soloist.engine.store.reading import Connection
from soloist.kernel.mismatch import DIFFERS, KINDS, MEANING, Option, options

SHOWN = 100
"""Differences of one connection on the page."""
HANDS = "manual"
"""Type of the cards that need a person's hands outside."""
_FIGURES = {
    "listed": "{} listed outside",
    "matched": "{} agree",
    "settling": "{} settling",
    "own_hand": "{} sent by you elsewhere",
    "before": "{} from before this home did such things",
    "taken_away": "{} taken away by the program that sends them on",
}


@dataclass(frozen=True)
class Linked:
    """A connection as the registry has it; ``operations`` are (name, class, lag in seconds, whether it is listed)."""

    name: str
    kind: str
    title: str
    consistency: str
    operations: tuple[tuple[str, str, float, bool], ...] = ()


@dataclass(frozen=True)
class Pair:
    """One field on both sides."""

    name: str
    inside: str
    outside: str
    differs: bool = False


@dataclass(frozen=True)
class Line:
    """One difference with both sides and what can be done about it."""

    id: str
    connector: str
    operation: str
    kind: str
    kind_name: str
    meaning: str
    title: str
    state: str
    first: str
    last: str
    inside: str
    outside: str
    outside_at: str = ""
    pairs: tuple[Pair, ...] = ()
    choices: tuple[Option, ...] = ()
    effect: str = ""
    settled: str = ""
    waits: str = ""


@dataclass(frozen=True)
class Compared:
    """One connection: when it was compared last, what came of it, and its differences."""

    name: str
    title: str
    consistency: str
    good: str
    tried: str
    troubles: tuple[str, ...]
    figures: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    lines: tuple[Line, ...]
    more: int = 0
    running: bool = False


@dataclass(frozen=True)
class Hand:
    """A task that needs a person's hands outside."""

    card: str
    title: str
    todo: str
    since: str


@dataclass(frozen=True)
class ReconcilePage:
    """Everything on the page; ``cannot`` are connections of which nothing can be listed."""

    open: int
    oldest: str
    connections: tuple[Compared, ...]
    hands: tuple[Hand, ...]
    cannot: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """One area in which two copies may differ for a while: what it is, who is right, for how long, what is done."""

    name: str
    where: str
    owner: str
    lag: str
    done: str
    now: str = ""


def standing(conn: Connection) -> dict[str, Any]:
    """For health: how many differences are open, and since when the oldest is."""
    count, oldest = mismatches.standing(conn)
    return {"open": count, "oldest": oldest}


def page(conn: Connection, links: Sequence[Linked]) -> ReconcilePage:
    """The page as it is now."""
    count, oldest = mismatches.standing(conn)
    able = [link for link in links if any(listed for *_, listed in link.operations)]
    writes = [link for link in links if link.operations and link not in able]
    return ReconcilePage(
        count,
        oldest,
        tuple(_compared(conn, link) for link in able),
        tuple(_hand(card) for card in reading.open_of_type(conn, HANDS, SHOWN)),
        tuple(link.name for link in writes),
    )


def rows(conn: Connection, state: str, after: tuple[str, str], limit: int) -> list[dict[str, Any]]:
    """Differences as the API gives them, oldest first."""
    return [as_json(row) for row in mismatches.listed(conn, state, after=after, limit=limit)]


def row(conn: Connection, ident: str) -> dict[str, Any]:
    """One difference as the API gives it (NotFound)."""
    return as_json(mismatches.get(conn, ident))


def as_json(found: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its options; ``needs_hands`` when one of them, or what was decided, is work for a person."""
    names = ["id", "connector", "kind", "state", "title", "ref", "effect", "record"]
    names += ["first_seen", "last_seen", "closed"]
    decision = found["decision"] or {}
    can = options(found) if found["state"] in ("open", "accepted") else ()
    return {
        **{name: found[name] for name in names},
        "operation": (found["inside"] or {}).get("operation", ""),
        "inside": found["inside"] or {},
        "outside": found["outside"] or {},
        "fields": found["fields"] or [],
        "decision": decision,
        "needs_hands": bool(decision.get("card")) and found["state"] == "fixing",
        "options": [
            {"name": one.name, "label": one.label, "consequence": one.consequence, "hands": one.hands} for one in can
        ],
    }


def figures(conn: Connection, connector: str) -> dict[str, dict[str, Any]]:
    """How the last comparisons of a connection went, by operation."""
    found: dict[str, dict[str, Any]] = json.loads(settings.value(conn, f"reconcile.{connector}") or "{}")
    return found


def comparisons(conn: Connection, links: Sequence[Linked]) -> list[dict[str, Any]]:
    """How the last comparisons went, one line for each operation that can be listed."""
    names = ("listed", "matched", "settling", "mismatches")
    found = []
    for link in links:
        kept = figures(conn, link.name)
        for operation in (name for name, _, _, listed in link.operations if listed):
            one = kept.get(operation, {})
            line = {"connector": link.name, "operation": operation}
            line |= {name: one.get(name, "") for name in ("at", "good", "trouble")}
            found.append({**line, **{name: int(one.get(name, 0)) for name in names}})
    return found


def _compared(conn: Connection, link: Linked) -> Compared:
    kept = figures(conn, link.name)
    kept = {name: kept[name] for name, _, _, listed in link.operations if listed and name in kept}
    live = mismatches.of(conn, link.name, ("open", "fixing", "accepted"))
    live.sort(key=lambda one: (("open", "fixing", "accepted").index(one["state"]), one["first_seen"]))
    counts = {name: sum(one["kind"] == kind and one["state"] == "open" for one in live) for kind, name in KINDS.items()}
    sums = {name: sum(int(one.get(name, 0)) for one in kept.values()) for name in _FIGURES}
    return Compared(
        link.name,
        link.title,
        link.consistency,
        min((one.get("good", "") for one in kept.values()), default=""),
        max((one.get("at", "") for one in kept.values()), default=""),
        tuple(f"{name}: {one['trouble']}" for name, one in kept.items() if one.get("trouble")),
        tuple(told.format(sums[name]) for name, told in _FIGURES.items() if sums[name]),
        tuple((name, count) for name, count in counts.items() if count),
        tuple(_line(one) for one in live[:SHOWN]),
        more=max(0, len(live) - SHOWN),
    )


def _line(found: Mapping[str, Any]) -> Line:
    inside, outside = found["inside"] or {}, found["outside"] or {}
    return Line(
        found["id"],
        found["connector"],
        str(inside.get("operation", "")),
        found["kind"],
        KINDS[found["kind"]],
        MEANING[found["kind"]],
        found["title"],
        found["state"],
        found["first_seen"],
        found["last_seen"],
        _inside(found, inside),
        f"There as {outside['ref']}" if outside.get("ref") else "Not there",
        outside_at=str(outside.get("at") or ""),
        pairs=_pairs(found, inside, outside),
        choices=options(found) if found["state"] in ("open", "accepted") else (),
        effect=found["effect"],
        settled=_settled(found),
        waits=_waits(found),
    )


_STATES = {
    "succeeded": "Done",
    "resolved_done": "Done, by your word",
    "needs_human": "Not known whether it happened",
    "unknown": "Not known whether it happened",
    "reconciling": "Being looked up",
    "resolved_not_done": "Not done, by your word",
    "failed": "Refused, not done",
    "compensated": "Taken back",
    "compensation_failed": "Done; taking it back failed",
    "intended": "Waits to be sent",
    "claimed": "Waits to be sent",
}


def _inside(found: Mapping[str, Any], inside: Mapping[str, Any]) -> str:
    return _STATES.get(str(inside.get("state")), "") if found["effect"] else "Not known here"


def _pairs(found: Mapping[str, Any], inside: Mapping[str, Any], outside: Mapping[str, Any]) -> tuple[Pair, ...]:
    """Every field of either side; those that differ stand first."""
    here, there = inside.get("fields") or {}, outside.get("fields") or {}
    differ = {line["field"]: line for line in found["fields"] or []}
    names = [*differ, *(name for name in {**there, **here} if name not in differ)]
    found_pairs = []
    for name in names:
        mine = differ[name]["inside"] if name in differ else here.get(name)
        theirs = differ[name]["outside"] if name in differ else there.get(name)
        found_pairs.append(Pair(name, _plain(mine), _plain(theirs), name in differ and found["kind"] == DIFFERS))
    return tuple(found_pairs)


def _plain(value: Any) -> str:
    """A value as one piece of text; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _settled(found: Mapping[str, Any]) -> str:
    """What was decided about an accepted one."""
    if found["state"] != "accepted":
        return ""
    return "Accepted as it is." if found["kind"] != "unattributed" else "Kept as known."


def _waits(found: Mapping[str, Any]) -> str:
    """Where the mending of one goes on: the address of a card or of what is done."""
    decision = found["decision"] or {}
    if found["state"] != "fixing":
        return ""
    if decision.get("card"):
        return f"/cards/{decision['card']}"
    return f"/why/{decision.get('proposal') or decision.get('effect') or found['effect']}"


def _hand(card: Mapping[str, Any]) -> Hand:
    return Hand(card["id"], card["title"], str((card["detail"] or {}).get("todo", "")), card["created"])


# ----- consistency domains


def domains(conn: Connection, links: Sequence[Linked], *, backup: str = "", zone: str = "UTC") -> tuple[Domain, ...]:
    """Every area in which two copies may differ for a while; ``backup`` is when the newest one was made."""
    behind = searching.behind(conn)
    return (
        Domain(
            "Records, cards, effects, journal",
            "The database of this home",
            "This home",
            "Never: one transaction writes them together",
            "The journal is a signed chain; soloist verify looks for a changed row.",
        ),
        *(_domain(conn, link) for link in links),
        Domain(
            "Search index",
            "The database of this home",
            "The journal; the index can be made anew from it",
            "A second or two",
            "It follows the journal by itself; a search waits for it for a moment.",
            now="up to date" if not behind else f"{behind} events behind",
        ),
        Domain(
            "What the local model has learned",
            "Files of this home",
            "Your answers",
            "Until enough new answers have come",
            "It is fitted anew by itself; until then the model in use stays.",
        ),
        Domain(
            "Checkpoints of the journal that you keep elsewhere",
            "Where you put them",
            "The copy elsewhere, against a changed journal here",
            "Until the next one is exported",
            "soloist verify compares the chain with them.",
        ),
        Domain(
            "Backups",
            "The folder backups, and where you copy it",
            "This home, until a backup is restored",
            "All that was written since the last backup",
            "A restored backup sends nothing until what happened after it was compared with the outside.",
            now=backup,
        ),
    )


def _domain(conn: Connection, link: Linked) -> Domain:
    """A connection as a domain: what lies outside, who is right, what is compared."""
    listed = [name for name, _, _, can in link.operations if can]
    lag = max((seconds for *_, seconds, _ in link.operations), default=0.0)
    writes = ", ".join(name for name, *_ in link.operations)
    if not link.operations:
        owner = "The outside; here is a copy of what came"
        done = "Read again and again; what came once is kept as it came."
    elif listed:
        owner = "The outside for what is there, this home for what was sent and why"
        done = f"Compared each night, after a restart with doubts, and on demand: {', '.join(listed)}."
    else:
        owner = "The outside for what is there, this home for what was sent and why"
        done = "Not compared: no list of it is declared. An uncertain outcome is looked up or asked about one by one."
    kept = figures(conn, link.name)
    last = max((one.get("good", "") for one in kept.values()), default="")
    return Domain(
        f"{link.name}{f': {writes}' if writes else ''}",
        link.title or link.kind,
        owner,
        link.consistency or (f"Up to {lag:g} seconds" if link.operations else "Until it is read next"),
        done,
        now=f"compared {last[:16].replace('T', ' ')} UTC" if last else "",
    )
