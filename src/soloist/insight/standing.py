"""Standing rules as they are shown: what was said, whom it is about, where it applied, what it would have done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import records, standing
from soloist.engine.store.reading import Connection
from soloist.kernel.money import plain

STATES = {"said": "not in force yet", "live": "in force", "ended": "taken back", "replaced": "replaced"}
_SORTS = {
    "replace": "Writes “{text}” instead of “{other}”",
    "avoid": "Never writes “{text}”; a draft that has it is marked and never goes alone",
    "include": "Adds “{text}”",
    "sign": "Signs as “{text}”",
    "greet": "Greets with “{text}”",
    "language": "Answers in {language}",
    "above": "Asks you above {amount}",
    "ask": "Asks you before anything goes out",
    "never": "Refuses whatever would go out",
    "aside": "Puts their messages aside",
    "kind": "Takes their messages for {kind}",
    "note": "Is shown beside each draft and told to a model that writes; nothing checks it by itself",
}
_TONGUES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}


@dataclass(frozen=True)
class RuleLine:
    """One standing rule in the list; ``repeats`` counts how often it had to be said again or applied by hand."""

    rule: str
    version: int
    state: str
    said: str
    means: str
    about: str
    uses: int
    repeats: int
    at: str
    who: str
    author: str
    tried: Mapping[str, Any]

    @property
    def stands(self) -> str:
        """Its state in words."""
        return STATES[self.state]

    @property
    def found(self) -> str:
        """What it would have done to the past, in a sentence."""
        looked, count = int(self.tried.get("looked", 0)), int(self.tried.get("count", 0))
        unit = str(self.tried.get("unit", "drafts"))
        return f"Of the last {looked} {unit} it would have changed {count}." if looked else f"There are no {unit} yet."


@dataclass(frozen=True)
class RulePage:
    """One rule with its versions and where it applied: {object, run, what, at}."""

    line: RuleLine
    versions: tuple[RuleLine, ...]
    applied: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class RulesPage:
    """Every rule; ``failures`` is how often the operator had to repeat one."""

    rules: tuple[RuleLine, ...]
    failures: int


def page(conn: Connection) -> RulesPage:
    """The newest version of each rule, those in force first."""
    counts = standing.counts(conn)
    order = {"live": 0, "said": 1}
    rows = sorted(standing.newest(conn), key=lambda row: order.get(row["state"], 2))
    lines = tuple(_line(conn, row, counts.get(row["rule"], 0)) for row in rows)
    return RulesPage(lines, sum(line.repeats for line in lines))


def one(conn: Connection, rule: str) -> RulePage:
    """One rule (NotFound)."""
    count = standing.counts(conn).get(rule, 0)
    versions = tuple(_line(conn, row, count) for row in standing.versions(conn, standing.get(conn, rule)["rule"]))
    return RulePage(versions[0], versions, tuple(standing.uses(conn, rule)))


def _line(conn: Connection, row: Mapping[str, Any], uses: int) -> RuleLine:
    reading = row["reading"]
    currency = str(reading.get("currency") or "EUR")
    amount = f"{plain(int(reading.get('amount_minor') or 0), currency, grouped=True)} {currency}"
    named = {**reading, "language": _TONGUES.get(str(reading.get("language")), ""), "amount": amount}
    return RuleLine(
        row["rule"],
        row["version"],
        row["state"],
        row["said"],
        _SORTS[reading["sort"]].format(**{name: named.get(name, "") for name in _NAMES}),
        _about(conn, row),
        uses,
        row["repeats"],
        row["at"],
        row["who"],
        str(reading.get("author", "rules")),
        row["tried"] or {},
    )


_NAMES = ("text", "other", "language", "amount", "kind")


def _about(conn: Connection, row: Mapping[str, Any]) -> str:
    if row["scope"] == "house":
        return "everybody"
    if row["scope"] == "record":
        return str(records.get(conn, row["subject"])["title"])
    return f"everybody at {row['subject']}" if row["scope"] == "domain" else str(row["subject"])
