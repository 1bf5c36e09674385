"""Confidence as a page and as rows: what each skill may do alone by the operator's decisions; it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from soloist.config import Confidence
from soloist.engine.store import samples, thresholds
from soloist.engine.store.reading import Connection
from soloist.kernel.confidence import Threshold, missing

STATES = {"uncalibrated": "not proved yet", "alone": "proved", "asks": "asks you"}


@dataclass(frozen=True)
class Line:
    """One skill in one language and group: decisions, how many were right, the lower bound in percent, in words.

    ``told`` is how often it answered, ``alone`` how often nobody was asked; ``value`` is the measured confidence in
    percent from which on it is proved, 0 while it is not; ``more`` right decisions are missing.
    """

    skill: str
    language: str
    group: str
    title: str
    state: str
    state_said: str
    said: str
    told: int
    alone: int
    labels: int
    right: int
    bound: float
    value: float
    more: int
    target: float
    sampled: int = 0
    sampled_right: int = 0
    at: str = ""


@dataclass(frozen=True)
class Sample:
    """One thing that went alone and was drawn for the operator to look at."""

    id: str
    object: str
    skill: str
    told: str
    language: str
    title: str
    sender: str
    text: str
    at: str
    choices: tuple[tuple[str, str], ...] = ()
    """(what is said, its words) of each answer."""


@dataclass(frozen=True)
class ConfidencePage:
    """Every skill's figures, and what is to be looked at."""

    lines: tuple[Line, ...]
    samples: tuple[Sample, ...]
    target: float
    per_week: int
    look_at: float


def page(conn: Connection, wanted: Confidence) -> ConfidencePage:
    """Everything about what may go alone."""
    waiting = tuple(_sample(row) for row in samples.waiting(conn))
    return ConfidencePage(tuple(lines(conn, wanted)), waiting, wanted.target, wanted.per_week, wanted.look_at)


def lines(conn: Connection, wanted: Confidence) -> list[Line]:
    """Every skill, language and group that anything is known of, those with most decisions first."""
    kept = {(row["skill"], row["language"], row["grouping"]): row for row in thresholds.listed(conn)}
    told = {(row["skill"], row["language"], row["grouping"]): row for row in samples.counts(conn)}
    found = [_line(place, kept.get(place), told.get(place, {}), wanted) for place in {*kept, *told}]
    return sorted(found, key=lambda line: (line.skill, -line.labels, -line.told, line.language, line.group))


def _line(place: tuple[str, str, str], row: Any, told: Any, wanted: Confidence) -> Line:
    skill, language, group = place
    target = wanted.of(skill)
    judged, right = int(told.get("judged", 0)), int(told.get("right", 0))
    found: Threshold = (
        row["found"] if row else Threshold(labels=judged, right=right, more=missing(right, judged, target))
    )
    sample = ((row["detail"] or {}).get("sample") if row else None) or [0, 0]
    return Line(
        skill,
        language,
        group,
        title(skill, language, group),
        found.state,
        STATES[found.state],
        said(skill, (language, group), found, target),
        int(told.get("told", 0)),
        int(told.get("alone", 0)),
        found.labels,
        found.right,
        found.bound / 100,
        found.value / 100 if found.state == "alone" else 0.0,
        found.more,
        target,
        int(sample[1]),
        int(sample[0]),
        str(row["at"]) if row else "",
    )


_ASIDE = (("right", "Rightly set aside"), ("enquiry", "It is an enquiry"), ("client", "It is from a client"))
_OTHER = (("right", "It was right"), ("wrong", "It was wrong"))


def _sample(row: Any) -> Sample:
    text = " ".join(str(row["text"] or "").split())
    return Sample(
        row["id"],
        row["object"],
        row["skill"],
        row["label"],
        row["language"],
        str(row["subject"] or row["label"]),
        str(row["sender_name"] or row["sender"] or ""),
        text[:400],
        row["at"],
        _ASIDE if row["skill"] == "kind" else _OTHER,
    )


NAMES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "": "any language"}
_TOLD = {
    ("kind", "aside"): "Setting messages aside",
    ("kind", "answered"): "What a message is about",
    ("intent", ""): "What a message wants",
    ("draft_reply", ""): "Replies",
    ("draft_follow_up", ""): "Reminders",
}


def title(skill: str, language: str, group: str) -> str:
    """A threshold's subject in words."""
    what = _TOLD.get((skill, group)) or _TOLD.get((skill, ""), skill.replace("_", " "))
    more = "" if (skill, group) in _TOLD or not group else f" ({group.replace('_', ' ')})"
    return f"{what}{more} in {NAMES.get(language, language)}"


def said(skill: str, place: tuple[str, str], found: Threshold, target: float) -> str:
    """Where a threshold stands, in plain words; ``place`` is its language and group."""
    name = title(skill, *place)
    if found.state == "alone":
        above = "" if found.value <= 0 else f" with a measured confidence of {found.value / 100:.0f} % or more"
        return (
            f"{name}: {found.right} of {found.labels}{above} were right, so with 95 % certainty at least "
            f"{found.bound / 100:.1f} % are. That is enough ({target:.0%}); these may go alone."
        )
    decisions = "1 more decision" if found.more == 1 else f"{found.more:,} more decisions"
    if found.state == "asks":
        return (
            f"{name}: {found.right} of {found.labels} were right, fewer than {target:.0%}. It asks you; "
            f"{decisions}, all right, would prove it."
        )
    so_far = f"{name}: {found.right} of {found.labels} were right so far."
    return f"{so_far} {decisions}, all right, until it is proved ({target:.0%})."
