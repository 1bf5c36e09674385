"""Compile the operator's rules and judge one proposal by them; pure, so past proposals can be judged again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cel_expr_python import cel

from soloist.config import Rule, seconds
from soloist.kernel.errors import BadConfig
from soloist.kernel.hashing import json_hash
from soloist.kernel.verdict import Answer, Verdict, Weighed

NO_RULE = "Nothing leaves without your word unless a rule allows it."

_TEXT, _TRUTH, _NUMBER = cel.Type.STRING, cel.Type.BOOL, cel.Type.INT
_VARIABLES: Mapping[str, cel.Type] = {
    "proposal.connector": _TEXT,
    "proposal.operation": _TEXT,
    "proposal.class": _TEXT,
    "proposal.risk": _TEXT,
    "proposal.payload": cel.Type.Map(_TEXT, cel.Type.DYN),
    "proposal.recipients": cel.Type.List(_TEXT),
    "proposal.new_recipient": _TRUTH,
    "proposal.amount_minor": _NUMBER,
    "proposal.currency": _TEXT,
    "proposal.source": _TEXT,
    "proposal.agent": _TEXT,
    "proposal.kind": _TEXT,
    "proposal.thread_known": _TRUTH,
    "now.hour": _NUMBER,
    "now.weekday": _NUMBER,
}
FIELDS = tuple(_VARIABLES)
"""Every name a rule may use, in the order the reference lists them."""

_ENVIRONMENT = cel.NewEnv(variables=_VARIABLES)
_PLACE = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")


@dataclass(frozen=True)
class Facts:
    """What a rule may look at, and the two facts about the way back that it may not.

    ``now`` is the instant in the operator's zone: ``now.hour`` is 0 to 23, ``now.weekday`` 1 (Monday) to 7.
    ``amount_minor`` is in cents, 0 when no money moves; ``new_recipient``: some recipient was never written to.
    ``undo`` and ``held`` (the effect waits before it leaves) say whether "revert" can be honoured.
    """

    connector: str
    operation: str
    effect_class: Literal["A", "B", "C"]
    risk: Literal["reversible", "irreversible", "financial"]
    payload: Mapping[str, Any]
    now: datetime
    recipients: Sequence[str] = ()
    new_recipient: bool = False
    amount_minor: int = 0
    currency: str = ""
    source: Literal["agent", "api", "operator"] = "agent"
    agent: str = ""
    kind: Literal["effect", "change"] = "effect"
    thread_known: bool = False
    undo: Literal["exact", "offset", "none"] = "none"
    held: bool = False

    def values(self) -> dict[str, Any]:
        """The declared variables with their values."""
        return {
            "proposal.connector": self.connector,
            "proposal.operation": self.operation,
            "proposal.class": self.effect_class,
            "proposal.risk": self.risk,
            "proposal.payload": dict(self.payload),
            "proposal.recipients": list(self.recipients),
            "proposal.new_recipient": self.new_recipient,
            "proposal.amount_minor": self.amount_minor,
            "proposal.currency": self.currency,
            "proposal.source": self.source,
            "proposal.agent": self.agent,
            "proposal.kind": self.kind,
            "proposal.thread_known": self.thread_known,
            "now.hour": self.now.hour,
            "now.weekday": self.now.isoweekday(),
        }


@dataclass(frozen=True)
class Rules:
    """Compiled rules; ``version`` changes when any rule's words change, not when rules change places."""

    rules: tuple[tuple[Rule, cel.Expression], ...] = field(repr=False)
    version: str


def compile_rules(rules: Sequence[Rule]) -> Rules:
    """Check every rule before any is used; BadConfig names the rule, line, column and what was wrong."""
    seen: set[str] = set()
    compiled = []
    for place, rule in enumerate(rules):
        if rule.name in seen:
            raise BadConfig(f"policy.rules: two rules are named {rule.name!r}.", field=f"policy.rules.{place}.name")
        seen.add(rule.name)
        compiled.append((rule, _compiled(rule, place)))
    texts = [rule.model_dump(mode="json") for rule in sorted(rules, key=lambda rule: rule.name)]
    return Rules(tuple(compiled), json_hash(texts)[:12])


def judge(rules: Rules, facts: Facts) -> Verdict:
    """Deny wins over ask, ask over allow, whatever the order; no rule, or one that cannot be evaluated, means ask."""
    values = facts.values()
    weighed = [(rule, _weigh(rule, expression, values)) for rule, expression in rules.rules]
    trace = tuple(result for _, result in weighed)
    holding = [rule for rule, result in weighed if result.result == "holds"]
    broken = [result for result in trace if result.result == "error"]
    allows = [rule for rule in holding if rule.then == "allow"]
    cannot = [rule for rule in allows if rule.mode == "revert" and not (facts.held or facts.undo == "exact")]

    def say(answer: Answer, rule: str, reason: str) -> Verdict:
        return Verdict(answer, rule, reason, rules.version, trace=trace)

    for answer in ("deny", "ask"):
        if said := next((rule for rule in holding if rule.then == answer), None):
            return say(said.then, said.name, _because(said))
    if broken:
        return say("ask", broken[0].rule, f'Rule "{broken[0].rule}" could not be evaluated: {broken[0].detail}.')
    if cannot:
        reason = f'Rule "{cannot[0].name}" allows this only if it can be taken back, and it cannot.'
        return say("ask", cannot[0].name, reason)
    if not allows:
        return say("ask", "", NO_RULE)
    return _allowed(max(allows, key=_care), rules.version, trace)


def _allowed(rule: Rule, version: str, trace: tuple[Weighed, ...]) -> Verdict:
    """The answer allow, with the window in which it can be taken back."""
    window = seconds(rule.window) if rule.mode == "revert" else 0.0
    return Verdict("allow", rule.name, _because(rule), version, rule.mode, window, trace)


def _care(rule: Rule) -> tuple[bool, float]:
    """Of several rules that allow, the one that leaves the operator most time to take it back."""
    return rule.mode == "revert", seconds(rule.window)


def _because(rule: Rule) -> str:
    word = {"deny": "refuses", "ask": "asks for your word on", "allow": "allows"}[rule.then]
    return f'Rule "{rule.name}" {word} this.'


def _compiled(rule: Rule, place: int) -> cel.Expression:
    """One compiled condition that can only be true or false, or BadConfig."""
    where = f"policy.rules.{place}.when"
    try:
        expression = _ENVIRONMENT.compile(rule.when)
        kind = expression.return_type()
    except (RuntimeError, TypeError) as error:
        raise BadConfig(_fault(rule, str(error)), field=where) from error
    if kind not in (cel.Type.BOOL, cel.Type.DYN):
        raise BadConfig(
            f'policy rule "{rule.name}": when must be true or false, not {kind.name().lower()}.', field=where
        )
    return expression


def _fault(rule: Rule, message: str) -> str:
    """The compiler's complaint with line and column, and the names that exist when one did not."""
    match = _PLACE.search(message)
    if not match:
        return f'policy rule "{rule.name}": when cannot be read.'
    line, column, what = (
        match[1],
        match[2],
        match[3].removesuffix(" [INVALID_ARGUMENT]").replace(" (in container '')", ""),
    )
    known = f" Known names: {', '.join(FIELDS)}." if "undeclared reference" in what else ""
    return f'policy rule "{rule.name}": when, line {line}, column {column}: {what}.{known}'


def _weigh(rule: Rule, expression: cel.Expression, values: Mapping[str, Any]) -> Weighed:
    """Evaluate one rule; whatever goes wrong inside the evaluator becomes a result, never an exception."""
    try:
        value = expression.eval(data=values)
        plain = value.value()
    except (RuntimeError, TypeError, ValueError, OverflowError, RecursionError) as error:
        return Weighed(rule.name, rule.then, "error", _short(str(error)))
    if value.type() == cel.Type.BOOL:
        return Weighed(rule.name, rule.then, "holds" if plain is True else "does not hold")
    if value.type() == cel.Type.ERROR:
        return Weighed(rule.name, rule.then, "error", _short(str(plain)))
    return Weighed(rule.name, rule.then, "error", "the answer is neither true nor false")


def _short(text: str) -> str:
    """The first line of an evaluator's message without its code, at most 200 characters."""
    line = (text.splitlines() or ["unknown trouble"])[0]
    return re.sub(r"^[A-Z_]+: ", "", line)[:200].rstrip(". ")
