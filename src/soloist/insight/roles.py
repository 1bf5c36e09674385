"""Roles: agents and skills as they stand: contract in words, versions, use, cost and edits; it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from soloist.engine.store import grants, published, releases
from soloist.engine.store import telemetry as used_store
from soloist.engine.store.reading import Connection
from soloist.insight import diff, telemetry, words
from soloist.insight.suggesting import Suggestion
from soloist.insight.views import FieldDiff
from soloist.kernel.agent import KINDS, SLA, AgentSpec
from soloist.kernel.model import TIERS
from soloist.sdk import Skill

AGENT, SKILL = "agent", "skill"
STATES = {"active": "works", "paused": "paused", "at_cap": "stopped at its cap"}
AUTONOMY = {
    "observe": "It only looks, and proposes nothing.",
    "propose": "What it proposes waits for you, unless a rule or a grant of yours lets it go.",
    "act": "What your rules and grants allow goes alone; everything else waits for you.",
}
GROUPS = ("Clients and sales", "Content", "Money", "Time and plans", "Knowledge", "Supervision")
OTHERS = "Others"
CAPABILITY = {
    "intake": GROUPS[0],
    "crm_keeper": GROUPS[0],
    "enrichment": GROUPS[0],
    "support_triage": GROUPS[0],
    "writer": GROUPS[1],
    "editor": GROUPS[1],
    "publisher": GROUPS[1],
    "billing": GROUPS[2],
    "scheduler": GROUPS[3],
    "planner": GROUPS[3],
    "researcher": GROUPS[4],
    "competitor_watcher": GROUPS[4],
    "supervisor": GROUPS[5],
}
"""Group of a shipped agent whose contract names none."""
_NOTHING: Mapping[str, Any] = {"runs": 0, "failed": 0, "cost_micro": 0, "tokens": 0, "last": ""}


@dataclass(frozen=True)
class AgentLine:
    """One agent in the list; ``edit_share`` of what a person decided, None before anything was.

    ``pieces`` is work within runs of others: their cost is counted here too, and what came of those runs.
    """

    name: str
    version: str
    kind: str
    summary: str
    tier: int
    state: str
    state_why: str
    pinned: bool
    runs: int
    failed: int
    cost_micro: int
    tokens: int
    last: str
    decided: int
    edit_share: float | None
    skills: tuple[str, ...]
    operations: tuple[str, ...]
    grants: int
    capability: str = ""
    owner: str = "soloist"
    p50: float | None = None
    p95: float | None = None
    pieces: int = 0

    @property
    def said(self) -> str:
        """Its state in words."""
        return STATES.get(self.state, self.state)


@dataclass(frozen=True)
class AgentsPage:
    """Every agent, and what is wrong with a file."""

    lines: tuple[AgentLine, ...]
    troubles: tuple[str, ...]
    suggestion: Suggestion | None = None

    @property
    def groups(self) -> tuple[tuple[str, tuple[AgentLine, ...]], ...]:
        """The agents by what they are for, in a fixed order; what names no group of its own comes last."""
        found: dict[str, list[AgentLine]] = {name: [] for name in GROUPS}
        for line in self.lines:
            found.setdefault(line.capability or OTHERS, []).append(line)
        return tuple((name, tuple(lines)) for name, lines in found.items() if lines)


@dataclass(frozen=True)
class VersionLine:
    """One published version; ``here`` says that it is in use."""

    version: str
    hash: str
    source: str
    who: str
    why: str
    at: str
    here: bool


@dataclass(frozen=True)
class AgentPage:
    """One agent whole."""

    line: AgentLine
    words: tuple[tuple[str, str], ...]
    instructions: str
    examples: tuple[tuple[str, str], ...]
    versions: tuple[VersionLine, ...]
    before: str
    runs: tuple[Mapping[str, Any], ...]
    grants: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class SkillLine:
    """One skill in the list; ``held`` and ``failed`` of its examples when they were run last (``tested``, "" never)."""

    name: str
    version: str
    summary: str
    without: str
    agents: tuple[str, ...]
    held: int
    failed: int
    tested: str
    owner: str = "soloist"
    last: str = ""
    replaced_by: str = ""

    @property
    def package(self) -> tuple[str, str]:
        """The package that has its place and how its hash begins; empty when none has."""
        name, _, begins = self.replaced_by.partition(".")
        return name, begins


@dataclass(frozen=True)
class SkillPage:
    """One skill whole; ``contract`` is what its file of examples says."""

    line: SkillLine
    takes: tuple[tuple[str, str], ...]
    gives: tuple[tuple[str, str], ...]
    takes_bytes: bool
    tiers: Mapping[str, str]
    author: str
    examples: tuple[Mapping[str, Any], ...]
    versions: tuple[VersionLine, ...]


@dataclass(frozen=True)
class Comparison:
    """Two versions beside each other; only what differs."""

    name: str
    old: str
    new: str
    fields: tuple[FieldDiff, ...]


def agents(conn: Connection, specs: Mapping[str, AgentSpec], states: Mapping[str, tuple[str, str]]) -> list[AgentLine]:
    """Every agent in the order of the names."""
    figures, edited, times = used(conn), releases.edited(conn), telemetry.times_of_agents(conn)
    rows = {row["name"]: row for row in releases.all_of(conn, AGENT)}
    live = grants.listed(conn, after="", limit=1000, state="live")
    return [
        _line(
            spec,
            rows.get(name, {}),
            states.get(name, ("active", "")),
            figures=figures,
            edited=edited,
            live=live,
            times=times.get(name, (None, None)),
        )
        for name, spec in sorted(specs.items())
    ]


def used(conn: Connection) -> dict[str, dict[str, Any]]:
    """What each agent did in the newest runs, its own and those of others it had a part in."""
    found = releases.figures(conn)
    for name, part in releases.pieces(conn).items():
        own = found.get(name, {**_NOTHING, "pieces": 0})
        sums = {key: own[key] + part[key] for key in ("cost_micro", "tokens")}
        found[name] = {**part, **own, **sums, "pieces": part["pieces"], "last": max(own["last"], part["last"])}
    return found


def _line(
    spec: AgentSpec,
    row: Mapping[str, Any],
    state: tuple[str, str],
    *,
    figures: Mapping[str, Mapping[str, Any]],
    edited: Mapping[str, tuple[int, int]],
    live: Sequence[Mapping[str, Any]],
    times: tuple[float | None, float | None],
) -> AgentLine:
    used, (decided, changed) = figures.get(spec.name, _NOTHING), edited.get(spec.name, (0, 0))
    if not decided:  # who proposes nothing itself is judged by what came of the runs it worked in
        decided, changed = used.get("decided", 0), used.get("edited", 0)
    return AgentLine(
        name=spec.name,
        version=spec.version,
        kind=spec.kind,
        summary=spec.summary,
        tier=spec.tier,
        state=state[0],
        state_why=state[1],
        pinned=bool(row.get("pinned")),
        runs=used["runs"],
        failed=used["failed"],
        cost_micro=used["cost_micro"],
        tokens=used["tokens"],
        last=used["last"],
        decided=decided,
        edit_share=changed / decided if decided else None,
        skills=spec.skills,
        operations=spec.operations,
        grants=sum(1 for grant in live if grant["agent"].partition("@")[0] == spec.name),
        capability=spec.capability or CAPABILITY.get(spec.name, OTHERS),
        owner=str(row.get("who") or "soloist"),
        p50=times[0],
        p95=times[1],
        pieces=used.get("pieces", 0),
    )


def agent(conn: Connection, line: AgentLine, spec: AgentSpec, content: Mapping[str, Any]) -> AgentPage:
    """One agent with its versions, newest runs and live grants."""
    row = releases.find(conn, AGENT, line.name) or {}
    live = [g for g in grants.listed(conn, after="", limit=1000, state="live") if _of(g, line.name)]
    return AgentPage(
        line,
        tuple(contract(spec)),
        content.get("instructions", ""),
        tuple(content.get("examples", {}).items()),
        versions(conn, AGENT, line.name),
        str(row.get("before", "")),
        tuple(releases.runs_of(conn, line.name)),
        tuple(live),
    )


def _of(grant: Mapping[str, Any], name: str) -> bool:
    return str(grant["agent"]).partition("@")[0] == name


def versions(conn: Connection, kind: str, name: str) -> tuple[VersionLine, ...]:
    """Every published version of a name, the newest first."""
    row = releases.find(conn, kind, name) or {}
    return tuple(
        VersionLine(
            v["version"], v["hash"], v["source"], v["who"], v["why"], v["at"], v["version"] == row.get("version")
        )
        for v in published.versions(conn, kind, name)
    )


def declared(spec: AgentSpec) -> str:
    """What it may cause, as sentences made from its contract: outside, in records, in money."""
    caused = [DOES.get(name, f"doing {name}") for name in spec.operations]
    most = words.counted(spec.limits.proposals_per_run, "proposal")
    outside = f"May propose {' and '.join(caused)}, at most {most} a run." if caused else "Proposes nothing outside."
    fields = [place for place in spec.writes if place not in ("card", "annotation", "proposal")]
    inside = f" Writes {', '.join(fields)}." if fields else " Writes no record."
    seen = " Shows you cards." if any(place.partition(".")[0] == "card" for place in spec.writes) else ""
    paid = " May ask paid models." if spec.tier >= 2 and spec.limits.model_calls != 0 else " Costs nothing."
    return f"{outside}{inside}{seen}{paid} Everything else is refused in code."


DOES = {
    "mail.send": "sending mail",
    "calendar.create": "an appointment in your calendar",
    "calendar.update": "moving an appointment",
    "calendar.delete": "taking an appointment out of your calendar",
    "dropfolder.put": "putting a file into a folder",
}


def contract(spec: AgentSpec) -> list[tuple[str, str]]:
    """The contract of a role as labels and plain sentences."""
    limits = spec.limits
    caps = [f"at most {limits.timeout} a run", f"{words.counted(limits.proposals_per_run, 'proposal')} a run"]
    caps += [f"{limits.money} a run"] if limits.money else []
    caps += [f"{words.counted(limits.tokens, 'token')} a run"] if limits.tokens is not None else []
    asked = limits.model_calls
    caps += [f"{words.counted(asked, 'question')} to models a run"] if asked is not None else []
    found = [
        ("Declares", declared(spec)),
        ("Is", f"{spec.kind}: {KINDS[spec.kind]}"),
        ("Models", f"up to tier {spec.tier}, {TIERS[spec.tier]}"),
        ("Autonomy", AUTONOMY[spec.autonomy]),
        ("In time", SLA[spec.sla]),
        ("Uses", ", ".join(spec.skills) or "no skill"),
        ("Proposes", ", ".join(spec.operations) or "nothing outside"),
        ("Reads", ", ".join(spec.reads) or "nothing"),
        ("Writes", ", ".join(spec.writes) or "nothing"),
        ("Limits", ", ".join(caps)),
    ]
    for name, after in spec.failures.items():
        tries = words.counted(after.again, "more try", "more tries")
        again = f"{tries} after {after.wait}, then " if after.again else ""
        found.append((f"After {name.replace('_', ' ')}", f"{again}{', then '.join(after.then)}"))
    for handoff in spec.handoffs:
        values = f" with {', '.join(handoff.values)}" if handoff.values else ""
        found.append((f"Hands to {handoff.to}", f"{handoff.work}{values}, when {handoff.when}"))
    if spec.flows:
        found.append(("Works in", ", ".join(spec.flows)))
    return found


def skills(conn: Connection, known: Mapping[str, Skill], specs: Iterable[AgentSpec]) -> list[SkillLine]:
    """Every skill in the order of the names."""
    told, all_specs = published.outcomes(conn, SKILL), list(specs)
    tiers = {row["name"]: row["content"].get("tiers", {}) for row in releases.in_use(conn, SKILL)}
    used = used_store.skills_used(conn)
    return [
        replace(
            _skill(skill, told.get((name, skill.version), {}), all_specs, tiers.get(name, {})), last=used.get(name, "")
        )
        for name, skill in sorted(known.items())
    ]


def _skill(skill: Skill, outcome: Mapping[str, Any], specs: Sequence[AgentSpec], tiers: Mapping[str, str]) -> SkillLine:
    return SkillLine(
        skill.name,
        skill.version,
        skill.summary,
        str(tiers.get("without", "")),
        tuple(sorted(spec.label for spec in specs if skill.name in spec.skills)),
        int(outcome.get("held", 0)),
        int(outcome.get("failed", 0)),
        str(outcome.get("at", "")),
        _owner(skill),
        replaced_by=skill.instead,
    )


def _owner(skill: Skill) -> str:
    """Who brought a skill: Soloist, a package of others, or a plugin that was installed."""
    if skill.module.startswith("soloist."):
        return "soloist"
    return skill.module if skill.module.startswith("package:") else f"plugin {skill.module.partition('.')[0]}"


def skill(conn: Connection, line: SkillLine, told: Skill, file: Mapping[str, Any]) -> SkillPage:
    """One skill with its contract; ``file`` is its file of examples as JSON values."""
    return SkillPage(
        line,
        _fields(told.input.model_json_schema()),
        _fields(told.output.model_json_schema(mode="serialization")),
        told.takes_blob,
        file["tiers"],
        file["author"],
        tuple(file["examples"]),
        versions(conn, SKILL, line.name),
    )


def _fields(schema: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The fields of a type with what they are, in words."""
    needed = set(schema.get("required", ()))
    return tuple(
        (name, ", ".join(filter(None, [_type(part), "needed" if name in needed else "", part.get("description", "")])))
        for name, part in schema.get("properties", {}).items()
    )


def _type(part: Mapping[str, Any]) -> str:
    if "$ref" in part:
        return str(part["$ref"]).rpartition("/")[2]
    if "anyOf" in part:
        return " or ".join(_type(one) for one in part["anyOf"])
    if part.get("type") == "array":
        return f"list of {_type(part.get('items', {}))}"
    return str(part.get("type", "anything"))


def compare(conn: Connection, kind: str, name: str, old: str, new: str) -> Comparison:
    """What differs between two published versions (NotFound)."""
    before, after = (published.get(conn, kind, name, version)["content"] for version in (old, new))
    texts = [_texts(content) for content in (before, after)]
    labels = list(dict.fromkeys([*texts[0], *texts[1]]))
    changed = [label for label in labels if texts[0].get(label, "") != texts[1].get(label, "")]
    fields = [diff.field(label, texts[0].get(label, ""), texts[1].get(label, "")) for label in changed]
    return Comparison(name, old, new, tuple(fields))


def _texts(content: Mapping[str, Any]) -> dict[str, str]:
    """Every part of a content as a text by its name."""
    found: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, str):
            found[key] = value
        elif isinstance(value, Mapping) and key in ("examples", "templates"):
            found |= {f"{key}: {name}": _plain(part) for name, part in value.items()}
        else:
            found[key] = _plain(value)
    return found


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
