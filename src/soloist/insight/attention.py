"""Attention: what the operator's time goes to, measured, and the plan for what waits; it decides and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from soloist.config import Attention
from soloist.engine.store import attention as history
from soloist.engine.store import effects, reading, settings
from soloist.engine.store.clock import from_iso, later
from soloist.engine.store.reading import Connection
from soloist.insight import planning, words
from soloist.kernel.errors import BadConfig

SET = "attention"
"""Key under which the home keeps what was set in the console; it wins over soloist.toml, name by name."""

LONGEST = 15 * 60.0
"""Seconds a look counts at most: a card left open over lunch was not looked at for an hour."""

ENOUGH = 5
"""Decisions of a type from which its own history says how long the next one takes."""

USUAL = 60.0
ARRIVED = ("mail.received", "form.submitted", "message.received")
DAY = 86_400.0


@dataclass(frozen=True)
class Measures:
    """Figures over some days. Seconds are None while nothing was decided; shares are of decided proposals, 0 to 1."""

    days: int
    decisions: int
    decisions_per_day: float
    median_seconds: float | None
    p90_seconds: float | None
    share_edited: float | None
    share_unedited: float | None
    cards: int
    messages: int
    cards_per_100_messages: float | None
    minutes: float
    minutes_per_day: float
    outcomes: Mapping[str, int]
    done_outside: int
    decisions_per_outcome: float | None
    interruptions: int


@dataclass(frozen=True)
class Line:
    """A card in the plan, in words."""

    card: str
    title: str
    note: str
    until: str = ""


@dataclass(frozen=True)
class AttentionPage:
    """What is set, where it was set, the plan, and the figures of a week and a month."""

    rules: Attention
    own: bool
    now: tuple[Line, ...]
    later: tuple[Line, ...]
    urgent: int
    minutes_now: float
    minutes_left: float
    closes: str
    next_window: str
    interrupted: int
    week: Measures
    month: Measures


def rules(conn: Connection, file: Attention) -> Attention:
    """What holds: soloist.toml, with what was set in the console over it."""
    text = settings.value(conn, SET)
    return merged(file, json.loads(text)) if text else file


def merged(file: Attention, values: Mapping[str, Any]) -> Attention:
    """The settings with some of them replaced; BadConfig names what is wrong with them."""
    try:
        return Attention.model_validate({**file.model_dump(), **values})
    except ValueError as error:
        faults: list[Any] = getattr(error, "errors", list)()
        place = ".".join(map(str, faults[0]["loc"])) if faults else SET
        said = str(faults[0]["msg"]).removeprefix("Value error, ") if faults else str(error)
        raise BadConfig(f"{place}: {said}. Nothing was changed.", field=place) from error


def estimates(conn: Connection, now: str) -> planning.Estimate:
    """Seconds a card takes: the median of its type in the operator's own history, else what the card says."""
    spent: dict[str, list[float]] = {}
    for row in history.decided(conn, later(now, -90 * DAY), ("card.done",), 500):
        if (took := _took(row)) is not None:
            spent.setdefault(str(row["type"]), []).append(took)
    usual = {type_: median(found) for type_, found in spent.items() if len(found) >= ENOUGH}
    return lambda card: usual.get(str(card["type"])) or float(card["estimate"] or 0) or USUAL


def planned(conn: Connection, file: Attention, zone: str, now: str) -> planning.Plan:
    """The plan for everything that waits now."""
    cards = reading.waiting(conn, now, reading.CAP)
    spent = measured_seconds(history.decided(conn, planning.day_began(zone, now), ("card.done",), 500))
    return planning.plan(cards, rules(conn, file), zone, now, estimate=estimates(conn, now), spent=spent)


def page(conn: Connection, file: Attention, zone: str, now: str) -> AttentionPage:
    """The page about the operator's time."""
    plan = planned(conn, file, zone, now)
    return AttentionPage(
        rules=rules(conn, file),
        own=bool(settings.value(conn, SET)),
        now=tuple(_line(slot) for slot in plan.now[:50]),
        later=tuple(_line(slot) for slot in plan.later[:50]),
        urgent=len(plan.urgent),
        minutes_now=sum(slot.seconds for slot in plan.now) / 60,
        minutes_left=plan.seconds_left / 60,
        closes=plan.closes,
        next_window=plan.next_window,
        interrupted=history.interruptions(conn, planning.day_began(zone, now)),
        week=measures(conn, now, 7),
        month=measures(conn, now, 30),
    )


def _line(slot: planning.Slot) -> Line:
    """A card of the plan."""
    note = f"It {slot.why}." if slot.why else f"About {words.lasted(max(slot.seconds, 10.0))}."
    return Line(str(slot.card["id"]), str(slot.card["title"]), note, slot.until)


def measures(conn: Connection, now: str, days: int) -> Measures:
    """The figures of the last days."""
    since = later(now, -days * DAY)
    seq = history.seq_at(conn, since)
    rows = history.decided(conn, since)
    done = [row for row in rows if row["ended"] == "card.done"]
    took = sorted(found for row in done if (found := _took(row)) is not None)
    approved = [row for row in done if (row["decision"] or {}).get("option") == "approve"]
    edited = sum(1 for row in approved if (row["decision"] or {}).get("edited"))
    opened, arrived = history.counted(conn, ("card.opened",), seq), history.counted(conn, ARRIVED, seq)
    outside = history.counted(conn, ("effect.succeeded",), seq)
    minutes = measured_seconds(done) / 60
    return Measures(
        days=days,
        decisions=len(done),
        decisions_per_day=round(len(done) / days, 2),
        median_seconds=round(median(took), 1) if took else None,
        p90_seconds=round(took[min(len(took) - 1, int(len(took) * 0.9))], 1) if took else None,
        share_edited=_share(edited, len(approved)),
        share_unedited=_share(len(approved) - edited, len(approved)),
        cards=opened,
        messages=arrived,
        cards_per_100_messages=round(100 * opened / arrived, 1) if arrived else None,
        minutes=round(minutes, 1),
        minutes_per_day=round(minutes / days, 2),
        outcomes=_outcomes(rows),
        done_outside=outside,
        decisions_per_outcome=round(len(done) / outside, 2) if outside else None,
        interruptions=history.counted(conn, (history.INTERRUPTED,), seq),
    )


def measured_seconds(rows: Sequence[Mapping[str, Any]]) -> float:
    """Seconds in which at least one of these cards lay open before its decision: what overlaps counts once."""
    spans = sorted((row["shown"], row["at"]) for row in rows if row["shown"] and row["shown"] <= row["at"])
    total, end = 0.0, ""
    for shown, at in spans:
        begins = max(shown, end, later(at, -LONGEST))
        if begins < at:
            total += (from_iso(at) - from_iso(begins)).total_seconds()
        end = max(end, at)
    return total


def _took(row: Mapping[str, Any]) -> float | None:
    """Seconds from the first look at a card to its decision; None for one that was decided unseen by the console."""
    if not row["shown"] or row["shown"] > row["at"]:
        return None
    return min(LONGEST, (from_iso(row["at"]) - from_iso(row["shown"])).total_seconds())


def _outcomes(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How cards ended: approved as they were, edited, rejected, each other option, expired, withdrawn."""
    found: dict[str, int] = {}
    for row in rows:
        said = row["decision"] or {}
        name = str(said.get("option") or "") if row["ended"] == "card.done" else row["ended"].removeprefix("card.")
        name = "approve edited" if name == "approve" and said.get("edited") else name or "closed"
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def exposition(conn: Connection, now: str) -> str:
    """The figures in the text form that watchers read, each with the days it is over."""
    lines = []
    for days in (7, 30):
        for name, value in asdict(measures(conn, now, days)).items():
            if isinstance(value, int | float) and name != "days":
                lines.append((f"soloist_attention_{name}", f'{{days="{days}"}}', value))
    found = effects.headline(conn)
    lines += [(f"soloist_effects_{name}", "", found[name]) for name in ("unknown", "needs_human")]
    lines.append(("soloist_cards_waiting", "", reading.waiting_count(conn, now)))
    names = sorted({name for name, _, _ in lines})
    out = []
    for name in names:
        out.append(f"# TYPE {name} gauge")
        out += [f"{name}{label} {value:g}" for found_name, label, value in lines if found_name == name]
    return "\n".join(out) + "\n"
