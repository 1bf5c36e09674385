"""Corrections as a page: what was changed, what each led to, and whether drafts of like cases need less; reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from soloist.engine.store import corrections, trials, wordings
from soloist.engine.store.reading import Connection
from soloist.insight import diff
from soloist.insight.views import FieldDiff
from soloist.stages.runtime import wording

PAGE = 30
KINDS = {
    "edit": "You changed a draft",
    "reject": "You rejected a proposal",
    "undo": "You took something back",
    "own_answer": "You wrote your own answer",
    "route": "You said what a message is",
    "field": "You corrected a field",
    "memory": "You corrected what is remembered",
}
LED_TO = {
    "edit": "An example for the next like draft, and a test for every new version.",
    "own_answer": "An example for the next like draft, and a test for every new version.",
    "reject": "Its reason goes with the next like case; nothing like it goes alone for now.",
    "undo": "Nothing like it goes alone for now; a test for every new version.",
    "route": "A label: the local model learns from it at its next fit.",
    "field": "A test for every new version; the field stays as you wrote it.",
    "memory": "The former words are found no more.",
}
MAIL = "mail.send"
WEEKLY = 62
"""Days up to which the figure goes by weeks."""


@dataclass(frozen=True)
class Line:
    """One correction; ``far`` is its distance in percent, ``fields`` what was changed in it."""

    id: str
    kind: str
    said: str
    led_to: str
    at: str
    object: str
    agent: str
    skill: str
    sort: str
    language: str
    reason: str
    far: float
    fields: tuple[FieldDiff, ...] = ()
    run: str = ""


@dataclass(frozen=True)
class Offered:
    """A change that was made again and again: what would stand instead of what, in how many cases."""

    skill: str
    language: str
    sort: str
    old: str
    new: str
    cases: int


@dataclass(frozen=True)
class Period:
    """Drafts decided in a month or week: how many, how many as they were, and the mean distance in percent."""

    month: str
    drafts: int
    as_is: int
    mean: float


@dataclass(frozen=True)
class Figure:
    """Whether like cases need less: one kind of message in one language, month by month, in words."""

    sort: str
    language: str
    periods: tuple[Period, ...]
    said: str


@dataclass(frozen=True)
class Page:
    """The page of the corrections."""

    lines: tuple[Line, ...]
    offers: tuple[Offered, ...]
    wordings: tuple[Mapping[str, Any], ...]
    figures: tuple[Figure, ...]
    counts: Mapping[str, int]
    next: str = ""


def page(conn: Connection, offers: Sequence[wording.Offer], *, before: str = "") -> Page:
    """Newest first; ``before`` is the id of the last one seen."""
    rows = corrections.listed(conn, before=before, limit=PAGE + 1)
    return Page(
        lines=tuple(line(row) for row in rows[:PAGE]),
        offers=tuple(map(offered, offers)),
        wordings=tuple(wordings.in_use(conn)),
        figures=tuple(figures(conn)),
        counts=corrections.counts(conn),
        next=f"/corrections?before={rows[PAGE - 1]['id']}" if len(rows) > PAGE else "",
    )


def offered(offer: wording.Offer) -> Offered:
    """An offer as a line."""
    change = offer.change
    return Offered(offer.skill, offer.language, offer.sort, change.old, change.new, len(offer.cases))


def line(row: Mapping[str, Any]) -> Line:
    """One correction as a line."""
    given, wanted = row["given"] or {}, row["wanted"] or {}
    pairs = [(name, given.get(name), wanted.get(name)) for name in wanted if given.get(name) != wanted.get(name)]
    texts = [(name, _text(old), _text(new)) for name, old, new in pairs]
    names = ("id", "kind", "at", "object", "agent", "skill", "sort", "language", "reason", "run")
    return Line(
        **{name: row[name] for name in names},
        said=KINDS.get(row["kind"], row["kind"]),
        led_to=LED_TO.get(row["kind"], ""),
        far=row["distance"] / 10,
        fields=tuple(diff.field(name.replace("_", " "), old, new) for name, old, new in texts),
    )


def _text(value: Any) -> str:
    """A value as a person reads it."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def figures(conn: Connection) -> list[Figure]:
    """The mean edit distance of drafts by kind of message, language and month, from the decisions themselves.

    A draft that was approved as it was has distance 0; one that was rejected or taken back has 100 %.
    """
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for row in corrections.decided(conn, MAIL):
        evidence = row["evidence"] or {}
        sort = str(evidence.get("kind") or ("follow_up" if evidence.get("follow_up") else ""))
        language = str(evidence.get("language") or str(evidence.get("template", "")).rpartition(".")[2])
        if sort:
            found.setdefault((sort, language), []).append((row["updated"], int(row["distance"] or 0)))
    return [_figure(sort, language, rows) for (sort, language), rows in sorted(found.items())]


def _figure(sort: str, language: str, rows: Sequence[tuple[str, int]]) -> Figure:
    """By month; by week while there is less than two months of it."""
    span = _day(max(at for at, _ in rows)) - _day(min(at for at, _ in rows))
    by: dict[str, list[int]] = {}
    for at, value in rows:
        week = _day(at).isocalendar()
        name = at[:7] if span.days > WEEKLY else f"{week.year}, week {week.week:02d}"
        by.setdefault(name, []).append(value)
    periods = []
    for name, values in sorted(by.items()):
        mean = round(sum(values) / len(values) / 10, 1)
        periods.append(Period(name, len(values), sum(1 for value in values if not value), mean))
    return Figure(sort, language, tuple(periods[-12:]), _said(periods))


def _day(at: str) -> date:
    return date.fromisoformat(at[:10])


def _said(periods: Sequence[Period]) -> str:
    """One sentence on the way it goes."""
    last = periods[-1]
    share = f"{last.as_is} of {last.drafts} drafts went as they were in {last.month}"
    if len(periods) < 2:
        return (
            f"{share}; you changed {last.mean} % of the text on average. There is nothing earlier to compare it with."
        )
    before = periods[-2]
    way = "less than" if last.mean < before.mean else "more than" if last.mean > before.mean else "as much as"
    return f"{share}. You changed {last.mean} % of the text on average, {way} in {before.month} ({before.mean} %)."


# ----- trials


@dataclass(frozen=True)
class TrialLine:
    """One trial: what was tried, how far it is, and how it came out in words."""

    id: str
    kind: str
    name: str
    candidate: str
    state: str
    started: str
    ended: str
    who: str
    said: str
    tone: str
    totals: Mapping[str, Any]


@dataclass(frozen=True)
class TrialRow:
    """One case of a trial side by side."""

    n: int
    object: str
    href: str
    title: str
    outcome: str
    tone: str
    cannot: str
    why: tuple[str, ...]
    unexplained: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...]
    before: float | None
    after: float | None
    field: FieldDiff | None
    wanted: str


@dataclass(frozen=True)
class TrialPage:
    """A trial with some of its rows; ``tabs`` are (outcome, count)."""

    line: TrialLine
    rows: tuple[TrialRow, ...]
    tabs: tuple[tuple[str, int], ...]
    outcome: str
    next: str


TONES = {"worse": "bad", "cannot": "warn", "differs": "warn", "better": "go", "same": ""}
WORDS = {
    "same": "the same",
    "better": "nearer to what you wanted",
    "worse": "further from what you wanted",
    "differs": "otherwise",
    "cannot": "could not be tried",
}


def trial_line(row: Mapping[str, Any]) -> TrialLine:
    """One trial as a line."""
    totals = row["totals"] or {}
    parts = [
        f"{totals[name]} {WORDS[name]}" for name in ("worse", "differs", "better", "cannot", "same") if totals.get(name)
    ]
    said = ", ".join(parts) or ("nothing was there to try" if row["state"] != "running" else "under way")
    if totals.get("distance_before") is not None:
        said += (
            f"; {totals['distance_before'] / 10} % of the text to change then, {totals['distance_after'] / 10} % now"
        )
    if totals.get("unexplained"):
        said += f"; {totals['unexplained']} with no explanation"
    bad = totals.get("worse") or totals.get("unexplained")
    candidate = row["candidate"] if row["kind"] != "policy" else "another policy.toml"
    names = ("id", "kind", "name", "state", "started", "ended", "who")
    shown = {name: row[name] for name in names}
    return TrialLine(**shown, candidate=candidate, said=said, tone="bad" if bad else "", totals=totals)


def trial_lines(conn: Connection, *, before: str = "", limit: int = PAGE) -> list[TrialLine]:
    """Trials, the newest first."""
    return [trial_line(row) for row in trials.listed(conn, before=before, limit=limit)]


def trial_page(conn: Connection, ident: str, *, outcome: str = "", after: int = -1) -> TrialPage:
    """One trial (NotFound)."""
    row = trials.get(conn, ident)
    line_ = trial_line(row)
    tabs = [(name, int(line_.totals.get(name) or 0)) for name in WORDS]
    telling = sum(count for _, count in tabs[1:])
    but = "same" if telling and not outcome else ""
    found = trials.rows_of(conn, ident, outcome=outcome, but=but, after=after, limit=PAGE + 1)
    more = f"/replay/{ident}?after={found[PAGE - 1]['n']}" if len(found) > PAGE else ""
    more += f"&outcome={outcome}" if more and outcome else ""
    rows = tuple(trial_row(one) for one in found[:PAGE])
    return TrialPage(line_, rows, tuple((n, c) for n, c in tabs if c), outcome, more)


def trial_row(row: Mapping[str, Any]) -> TrialRow:
    """One case side by side."""
    kind, _, ident = str(row["object"]).partition(":")
    detail = row["detail"] or {}
    before, after = ((row[side] or {}).get("text", "") for side in ("before", "after"))
    hrefs = {"run": f"/runs/{ident}", "proposal": f"/why/{ident}", "correction": f"/corrections#c-{ident}"}
    far = {side: detail[side] / 10 if detail.get(side) is not None else None for side in ("before", "after")}
    return TrialRow(
        n=row["n"],
        object=row["object"],
        href=hrefs.get(kind, ""),
        title=str(detail.get("title") or {"run": "Run", "proposal": "Proposal", "correction": "Correction"}[kind]),
        outcome=WORDS.get(row["outcome"], row["outcome"]),
        tone=TONES.get(row["outcome"], ""),
        cannot=str(detail.get("cannot", "")),
        why=tuple(detail.get("why") or ()),
        unexplained=tuple(detail.get("unexplained") or ()),
        steps=tuple(detail.get("steps") or ()),
        before=far["before"],
        after=far["after"],
        field=diff.field("then and now", before, after) if before != after else None,
        wanted=str(detail.get("wanted") or ""),
    )
