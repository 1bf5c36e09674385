"""Packages as a page shows them: what is installed or waits, its files, what it declares, what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.engine.store import packages
from soloist.engine.store.reading import Connection
from soloist.insight import diff
from soloist.insight.views import FieldDiff
from soloist.kernel.package import CAPABILITIES, PackageSpec

STATES = {
    "waiting": ("waits for your word", "warn"),
    "accepted": ("accepted", "go"),
    "replaced": ("replaced", ""),
    "refused": ("refused", "bad"),
    "removed": ("removed", ""),
}
LEVELS = {
    "bubblewrap": "Level 1, bubblewrap: a file system of its own, no network, few calls to the kernel, limits",
    "landlock": "Level 2, Landlock: sees its own files only, no network, few calls to the kernel, limits",
    "none": "Level 3, none: limits only",
}


@dataclass(frozen=True)
class PackageLine:
    """One content of a package in the list."""

    name: str
    version: str
    hash: str
    state: str
    why: str
    summary: str
    author: str
    source: str
    skills: tuple[tuple[str, str], ...]
    needs: tuple[tuple[str, str, bool], ...]
    files: tuple[tuple[str, int, str], ...]
    limits: str
    at: str
    decided: str
    amiss: str = ""
    replaces: str = ""
    tried: Mapping[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Its state in words."""
        return STATES.get(self.state, (self.state, ""))[0]

    @property
    def tone(self) -> str:
        """How its state is shown."""
        return "bad" if self.amiss else STATES.get(self.state, ("", ""))[1]

    @property
    def amiss_of(self) -> tuple[Mapping[str, Any], ...]:
        """Examples that did not hold, or whose answer is another, when it was held against the shipped skill."""
        return tuple(one for one in self.tried.get("examples", ()) if one["outcome"] != "holds")

    @property
    def trial(self) -> tuple[str, ...]:
        """How it did against the shipped skill, in sentences; none before it was tried."""
        return outcome(self.tried) if self.tried else ()

    @property
    def href(self) -> str:
        """Its own page."""
        return f"/packages/{self.name}/{self.hash[:16]}"


@dataclass(frozen=True)
class PackagesPage:
    """Every package and the walls around them; ``attempts`` are what, refused, said."""

    lines: tuple[PackageLine, ...]
    level: str
    holds: bool
    trusted: bool
    lacking: tuple[str, ...]
    attempts: tuple[tuple[str, bool, str], ...]

    @property
    def words(self) -> str:
        """The level in words."""
        return LEVELS[self.level]


@dataclass(frozen=True)
class PackagePage:
    """One content whole: its texts, and what differs from the one in use."""

    line: PackageLine
    texts: tuple[tuple[str, str], ...]
    against: str
    differs: tuple[FieldDiff, ...]
    others: tuple[PackageLine, ...]


def line(row: Mapping[str, Any], amiss: Mapping[str, str]) -> PackageLine:
    """A row as the pages show it; ``amiss`` says by package what is wrong with the files of the one in use."""
    content, spec = row["content"], PackageSpec.model_validate(row["content"]["spec"])
    granted, one = set(row["granted"] or ()), spec.limits
    memory = f"{one.memory_mb} MB of memory"
    return PackageLine(
        name=row["name"],
        version=row["version"],
        hash=row["hash"],
        state=row["state"],
        why=row["why"],
        summary=spec.summary,
        author=spec.author,
        source=row["source"],
        skills=tuple(content["skills"].items()),
        needs=tuple((need, CAPABILITIES[need], need in granted) for need in spec.needs),
        files=tuple((name, content["sizes"][name], digest) for name, digest in content["files"].items()),
        limits=f"{one.seconds} s of computing time, {memory}, an answer of {one.output_kb} KB",
        at=row["at"],
        decided=row["decided"],
        amiss=amiss.get(row["name"], "") if row["state"] == "accepted" else "",
        replaces=spec.replaces,
        tried=row["tried"] or {},
    )


def outcome(tried: Mapping[str, Any]) -> tuple[str, ...]:
    """What came of a package that was held against a shipped skill: examples, corrections, time, models."""
    fixed, ms, asks = tried["corrections"], tried["ms"], tried["asks"]
    told = [
        f"Held against {tried['against']}: {tried['held']} examples hold, {tried['changed']} of them with another "
        f"answer; {tried['failed']} do not hold."
    ]
    if fixed["tried"]:
        told.append(
            f"Of {fixed['tried']} kept corrections it does worse on {fixed['worse']} and better on {fixed['better']}."
        )
    else:
        told.append("No kept correction used this skill, so it was tried on none.")
    told.append(f"An answer takes {ms['after']} ms instead of {ms['before']} ms.")
    if asks["before"] or asks["after"]:
        told.append(f"A model would be asked in {asks['after']} examples instead of {asks['before']}.")
    return tuple(told)


def content(conn: Connection, name: str, begins: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One content by the first digits of its hash, and all of that name (NotFound, Conflict)."""
    return packages.get(conn, name, begins), packages.of(conn, name)


def lines(conn: Connection, amiss: Mapping[str, str]) -> list[PackageLine]:
    """What waits and what is in use, then what was before."""
    now = packages.listed(conn, ["waiting", "accepted"])
    before = packages.listed(conn, ["replaced", "refused", "removed"])
    return [line(row, amiss) for row in [*now, *before]]


def compared(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[FieldDiff, ...]:
    """What differs between the texts of two contents, file by file."""
    names: Sequence[str] = sorted({*old, *new})
    changed = [name for name in names if old.get(name) != new.get(name)]
    return tuple(diff.field(name, old.get(name, ""), new.get(name, "")) for name in changed)
