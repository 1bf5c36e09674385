"""Keeping as people see it: the rules of retention in words, collections, and every kind with what may change in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import erased, kinds, retention, snapshots
from soloist.engine.store.reading import Connection
from soloist.stages.memory import retaining

words, known = retaining.words, retaining.known
GROUPS = {"memory": "Memory", "records": "Records", "mail": "Mail and files", "work": "Work"}


@dataclass(frozen=True)
class RuleLine:
    """One rule as it stands: ``days`` in force, in words, what happens then."""

    name: str
    label: str
    days: int
    said: str
    then: str
    law: str
    least: int
    rows: int = 0
    bytes: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class KindLine:
    """One kind of record: what may change in it, whether that is written down, how long it is kept (D8)."""

    kind: str
    label: str
    count: int
    fixed: tuple[str, ...]
    audited: tuple[str, ...]
    kept: str
    rule: str


@dataclass(frozen=True)
class Page:
    """Everything about how long what is kept."""

    version: int
    groups: tuple[tuple[str, tuple[RuleLine, ...]], ...]
    kinds: tuple[KindLine, ...]
    versions: tuple[Mapping[str, Any], ...]
    collections: tuple[Mapping[str, Any], ...]
    snapshots: tuple[Mapping[str, Any], ...]
    erasures: tuple[Mapping[str, Any], ...]


def label(name: str) -> str:
    """What a rule is about."""
    return known()[name].label


def page(conn: Connection, version: int, days: Mapping[str, int], found: list[dict[str, Any]]) -> Page:
    """The whole page; ``found`` is what would leave now by these days."""
    return Page(
        version,
        tuple(_groups(days, found)),
        tuple(_kinds(conn, days)),
        tuple(retention.policies(conn, 10)),
        tuple(retention.collections(conn, 10)),
        tuple(snapshots.listed(conn, limit=10)),
        tuple(erased.listed(conn, 10)),
    )


def _groups(days: Mapping[str, int], found: list[dict[str, Any]]) -> list[tuple[str, tuple[RuleLine, ...]]]:
    lines: dict[str, list[RuleLine]] = {group: [] for group in GROUPS}
    for name, rule in known().items():
        rows = [row for row in found if row["rule"] == name]
        shown = tuple(text for row in rows for text in row["examples"])[:3]
        total, size = sum(row["rows"] for row in rows), sum(row["bytes"] for row in rows)
        said = (name, rule.label, days[name], words(days[name]), rule.then, rule.law, rule.least)
        lines[rule.group].append(RuleLine(*said, total, size, shown))
    return [(GROUPS[group], tuple(rules)) for group, rules in lines.items()]


def _kinds(conn: Connection, days: Mapping[str, int]) -> list[KindLine]:
    """Every kind there is with its mutability and its length of keeping."""
    counts = kinds.counts(conn)
    found = []
    for kind in kinds.everything(conn):
        rule = f"records.{kind.name}"
        kept = words(days[rule]) if days.get(rule) else kind.retention or "for good"
        by = {name: kind.may_change(name) for name in kind.fields}
        fixed = tuple(sorted(name for name, how in by.items() if how == "once"))
        audited = tuple(sorted(name for name, how in by.items() if how == "audit"))
        found.append(
            KindLine(kind.name, kind.plural or kind.label, counts.get(kind.name, 0), fixed, audited, kept, rule)
        )
    return found


def collections(conn: Connection, limit: int = 50, before: tuple[str, str] | None = None) -> list[dict[str, Any]]:
    """Collections, the newest first."""
    return [{**row, "dry": bool(row["dry"])} for row in retention.collections(conn, limit, before)]
