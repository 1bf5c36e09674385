"""Looked: everything that one verdict rests on, as data, so that the same is judged again by other rules; pure.

What is kept says what was so at that moment (history, grants and how often they were used, what an agent may do), so
that a verdict done again can come out otherwise for two reasons only: other rules, or another version of this code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from soloist.kernel.verdict import Doubt
from soloist.stages.policy import ladder
from soloist.stages.policy.decide import Rules, judge
from soloist.stages.policy.facts import Facts
from soloist.stages.policy.grants import ready

SKILL, VERSION = "policy.judge", "1"
"""Under which a verdict is kept with the calls of a run; another answer for the same needs another version."""
OWN_LETTERS = "built in: letters to yourself"
_GRANT = "id title connector operation agent gates when mode window limit_minor currency per_day".split()
_TOLD = ("answer", "rule", "reason", "mode", "window", "grant", "gates")


@dataclass(frozen=True)
class Looked:
    """What was looked at. ``grants`` are rows with how often each was ``used`` in a day; ``asked`` is False when it is
    about to leave; ``observes``: its agent only watches; ``reads_only``: its connection may not send yet."""

    facts: Facts
    grants: Sequence[Mapping[str, Any]] = ()
    asked: bool = True
    observes: bool = False
    reads_only: bool = False


def verdict(rules: Rules, looked: Looked) -> dict[str, Any]:
    """What policy says: the fields of a Verdict."""
    facts = looked.facts
    said = asdict(judge(rules, facts, [ready(row, row["used"]) for row in looked.grants]))
    if said["answer"] == "ask" and facts.source == "soloist" and facts.message and facts.to_operator:
        said |= {"answer": "allow", "rule": OWN_LETTERS, "mode": "audit"}
    elif looked.asked and said["answer"] != "deny" and looked.observes:
        what = ladder.class_of(facts)
        said |= {"answer": "deny", "reason": f"{facts.agent} only observes for now ({what}): nothing is sent."}
    if said["answer"] == "allow" and looked.reads_only:
        said |= {"answer": "ask", "reason": f"{facts.connector} only reads until you allow it to send."}
    return said


def version(rules: Rules) -> str:
    """What a verdict is made with."""
    return f"{VERSION}+{rules.version}"


def kept(looked: Looked) -> dict[str, Any]:
    """What was looked at as it is kept: nothing but JSON."""
    facts = {**asdict(looked.facts), "now": looked.facts.now.isoformat()}
    rows = [{name: row[name] for name in (*_GRANT, "used")} for row in looked.grants]
    flags = {name: getattr(looked, name) for name in ("asked", "observes", "reads_only")}
    return _plain({"facts": facts, "grants": rows, **flags})


def told(said: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict as it is kept and compared."""
    return _plain({name: said[name] for name in _TOLD})


def again(rules: Rules, given: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict on what was kept, by these rules."""
    facts = dict(given["facts"])
    facts |= {"now": datetime.fromisoformat(facts["now"]), "doubts": tuple(Doubt(**one) for one in facts["doubts"])}
    rest = {name: given[name] for name in ("grants", "asked", "observes", "reads_only")}
    return told(verdict(rules, Looked(Facts(**facts), **rest)))


def _plain(value: Any) -> dict[str, Any]:
    return dict(json.loads(json.dumps(value, default=list)))
