"""Telling: what was tried for a piece of work, why it did not do and who wrote what came of it, in words; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from soloist.kernel.agent import AgentSpec, misfits
from soloist.kernel.model import TIERS
from soloist.sdk.asking import Ask, marked

RULES = "rules"
"""Author of what no model wrote any of."""
PASSING = frozenset({"ask", "answer", "author", "note", "state"})
"""Parts of an output that say how it was made and not what it is."""
LONGEST = 500
"""Characters of one thing that is told about a try."""
EXAMPLES = 3
_NAMES = ("rationale", "why", "note", "reason")
_FAULTS = {
    "transient": "the model did not answer",
    "rate_limited": "the model takes no more questions for now",
    "unreachable": "the model was not reached",
    "timeout": "the model took too long",
    "refused": "the model refused",
    "too_long": "the question was too long for the model",
    "malformed": "what the model answered cannot be used",
    "unauthorised": "the model did not accept the key",
    "forbidden_tool": "the model called for something it may not use",
    "looping": "the model went round in circles",
    "cap": "a cap is reached",
    "large": "the large model was not asked",
    "not_configured": "no model is set that may be asked",
    "objected": "what the model wrote did not pass the checks",
    "output": "what the model wrote has not the form that is needed",
    "skill": "the skill failed",
}


def shut(spec: AgentSpec, least: int, *, models: int, fitting: int) -> str:
    """Why an agent asks no model for this, "" when it may. ``fitting`` of the house's ``models`` are of its tiers."""
    if spec.limits.model_calls == 0:
        return f"{spec.label} asks no models: limits.model_calls in its agent.toml is 0."
    if spec.tier < least:
        needed = f"this needs a {TIERS[least]} (tier {least})"
        return f"{spec.label} may use models up to tier {spec.tier}, and {needed}."
    if not models:
        return "No model is set."
    return "" if fitting else f"No model of the tiers {least} to {spec.tier} is set."


def instructions(ask: Ask, role: str, standing: Sequence[str]) -> str:
    """What a model is told: what the role is, what the operator wants in such cases, then the question."""
    rules = ["What the operator said once and for all:", *(f"- {rule}" for rule in standing)] if standing else []
    return "\n\n".join(part for part in (role.strip(), "\n".join(rules), ask.instructions) if part)


def given(ask: Ask, cases: Sequence[Mapping[str, Any]]) -> str:
    """The text of a question: like cases before as data, then what it is about."""
    if not cases:
        return ask.given
    told = [
        f"Drafted: {json.dumps(case['given'], ensure_ascii=False)}\n"
        f"Wanted: {json.dumps(case['wanted'], ensure_ascii=False)}"
        for case in cases[:EXAMPLES]
    ]
    shown = "\n\n".join(told)
    return f"What the operator changed in like cases before:\n{marked(shown)}\n\nNow:\n{ask.given}"


def feedback(faults: Sequence[str]) -> str:
    """What a model is told about its answer, in plain sentences."""
    listed = "\n".join(f"- {fault}" for fault in faults)
    return f"This cannot be used as it is:\n{listed}\nWrite it again without these faults, in the same form."


def faults_of(value: Mapping[str, Any]) -> list[str]:
    """What a skill says did not hold in the answer it was given."""
    found = value.get("faults")
    return [str(one) for one in found] if isinstance(found, list) else []


def misfit(schema: Mapping[str, Any], value: Mapping[str, Any]) -> list[str]:
    """Why an output does not fit what was asked for, as sentences."""
    return [f"{fault[0].upper()}{fault[1:]}." for fault in misfits(schema, dict(value))]


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """An output without what belongs to the asking."""
    return {name: part for name, part in value.items() if name != "ask"}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether an answer left no trace: nothing of it was kept."""
    return {k: v for k, v in one.items() if k not in PASSING} == {k: v for k, v in other.items() if k not in PASSING}


def tried(what: str, model: str, fault: str, said: str) -> dict[str, str]:
    """One try that did not do."""
    return {"what": what, "model": model, "fault": fault, "said": said[:LONGEST]}


def short(tries: Sequence[Mapping[str, Any]]) -> str:
    """What went wrong, in a sentence for a card; "" when nothing did."""
    if not tries:
        return ""
    last = tries[-1]
    why = _FAULTS.get(str(last["fault"]), str(last["fault"]))
    who = f" ({last['model']})" if last["model"] else ""
    said = str(last["said"]).strip()
    return f"{why[0].upper()}{why[1:]}{who}{f': {said}' if said else '.'}"


def rationale(value: Mapping[str, Any], author: str, tries: Sequence[Mapping[str, Any]], faults: Sequence[str]) -> str:
    """Why the output is what it is: what the skill says of it, who wrote it, what was tried before."""
    own = next((text for name in _NAMES if isinstance(text := value.get(name), str) and text.strip()), "")
    by = "" if author == RULES else f"Written by {author}."
    went = short(tries)
    if went and author == RULES:
        went = f"By rules. {went}"
    elif went:
        went = f"Before that: {went[0].lower()}{went[1:]}"
    left = f"Left open: {' '.join(faults)}" if faults else ""
    return " ".join(part for part in (own.strip(), by, went, left) if part)[:1200]


def cost(rows: Sequence[Mapping[str, Any]], seconds: float) -> dict[str, Any]:
    """What the calls of a piece of work came to: {micro, currency, tokens_in, tokens_out, seconds, calls, models}."""
    return {
        "micro": sum(int(row["cost_micro"]) for row in rows),
        "currency": str(rows[-1]["currency"]) if rows else "",
        "tokens_in": sum(int(row["tokens_in"]) for row in rows),
        "tokens_out": sum(int(row["tokens_out"]) for row in rows),
        "seconds": round(seconds, 3),
        "calls": len(rows),
        "models": {str(row["provider"]): str(row["model"]) for row in rows if row["provider"]},
    }
