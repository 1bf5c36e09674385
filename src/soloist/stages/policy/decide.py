"""Compile the operator's rules and judge one proposal by them; pure, so past proposals can be judged again."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cel_expr_python import cel

from soloist.config import Rule, seconds
from soloist.kernel.errors import BadConfig
from soloist.kernel.hashing import json_hash
from soloist.kernel.verdict import Answer, Mode, Verdict, Weighed
from soloist.stages.policy import taint
from soloist.stages.policy.facts import FIELDS, VARIABLES, Facts, names_in
from soloist.stages.policy.gates import BULK, because, tripped
from soloist.stages.policy.grants import Grant

NO_RULE = "Nothing leaves without your word unless a rule allows it."
INTERNAL = "internal writes"
"""The built-in rule: what is written inside, can be taken back exactly and trips no gate, is written at once."""

_ENVIRONMENT = cel.NewEnv(variables=VARIABLES)
_PLACE = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")


@dataclass(frozen=True)
class Place:
    """Where in a file a condition begins: line and column of its first letter, both from 1."""

    file: str
    line: int
    column: int

    def at(self, line: int, column: int) -> str:
        """A place inside the condition, in the words of the file."""
        return f"{self.file}, line {self.line + line - 1}, column {column + (self.column - 1 if line == 1 else 0)}"


@dataclass(frozen=True)
class Rules:
    """Compiled rules; ``version`` changes when any rule's words change, not when rules change places.

    ``uses`` are the declared names that any rule speaks of.
    """

    rules: tuple[tuple[Rule, cel.Expression], ...] = field(repr=False)
    version: str
    bulk: int = BULK
    uses: frozenset[str] = frozenset()

    @property
    def written(self) -> list[Rule]:
        """The rules as they are written."""
        return [rule for rule, _ in self.rules]


@dataclass(frozen=True)
class _Way:
    """One way on which a proposal may go without a person's word."""

    rule: str
    reason: str
    mode: Mode
    window: float
    grant: str = ""

    def care(self) -> tuple[bool, float, str, str]:
        """Of several ways, the one that leaves the operator most time to take it back; names decide between equals."""
        return self.mode == "revert", self.window, self.rule, self.grant


def compile_rules(rules: Sequence[Rule], *, bulk: int = BULK, places: Mapping[str, Place] | None = None) -> Rules:
    """Check every rule before any is used; BadConfig names the rule, line, column and what was wrong.

    ``places`` says by rule name where in a file its condition begins.
    """
    seen: set[str] = set()
    compiled = []
    for number, rule in enumerate(rules):
        if rule.name in seen:
            raise BadConfig(f"policy.rules: two rules are named {rule.name!r}.", field=f"policy.rules.{number}.name")
        seen.add(rule.name)
        compiled.append((rule, _compiled(rule, number, (places or {}).get(rule.name))))
    texts = [rule.model_dump(mode="json") for rule in sorted(rules, key=lambda rule: rule.name)]
    uses = frozenset().union(*(names_in(rule.when) for rule in rules))
    return Rules(tuple(compiled), json_hash({"rules": texts, "bulk": bulk})[:12], bulk, uses)


def judge(rules: Rules, facts: Facts, grants: Sequence[Grant] = ()) -> Verdict:
    """Deny wins over ask, ask over allow, whatever the order; no rule, or one that cannot be evaluated, means ask.

    A gate that is tripped asks although a rule allows, unless one live grant opens every gate that is. Values that only
    words from outside name ask whatever rules and grants say.
    """
    values = facts.values()
    weighed = [(rule, _weigh(rule, expression, values)) for rule, expression in rules.rules]
    trace = tuple(result for _, result in weighed)
    holding = sorted((rule for rule, result in weighed if result.result == "holds"), key=lambda rule: rule.name)
    broken = sorted((result for result in trace if result.result == "error"), key=lambda result: result.rule)
    gates = tripped(facts, rules.bulk)

    def say(answer: Answer, rule: str, reason: str) -> Verdict:
        return Verdict(answer, rule, reason, rules.version, trace=trace, gates=gates, doubts=facts.doubts)

    for answer in ("deny", "ask"):
        if said := next((rule for rule in holding if rule.then == answer), None):
            return say(said.then, said.name, _because(said))
    if broken:
        return say("ask", broken[0].rule, f'Rule "{broken[0].rule}" could not be evaluated: {broken[0].detail}.')
    if facts.doubts:
        return say("ask", "", taint.because(facts.doubts, facts.by))
    allows = [rule for rule in holding if rule.then == "allow"]
    if cannot := [rule for rule in allows if rule.mode == "revert" and not (facts.held or facts.undo == "exact")]:
        reason = f'Rule "{cannot[0].name}" allows this only if it can be taken back, and it cannot.'
        return say("ask", cannot[0].name, reason)
    answers = [(grant, grant.why_not(facts, gates)) for grant in sorted(grants, key=lambda grant: grant.id)]
    open_ = [grant for grant, why in answers if not why]
    ways = _ways(facts, gates, allows, open_)
    if not ways:
        near = next((why for _, why in answers if why != "no"), "")
        return say("ask", allows[0].name if allows else "", f"{_asks(allows, gates)} {near}".strip())
    way = max(ways, key=_Way.care)
    grant = way.grant or (open_[0].id if gates else "")
    return Verdict("allow", way.rule, way.reason, rules.version, way.mode, way.window, trace, grant, gates)


def _ways(facts: Facts, gates: Sequence[str], allows: Sequence[Rule], grants: Sequence[Grant]) -> list[_Way]:
    """Every way that is open: grants that cover it; rules and the built-in rule when no gate is left closed."""
    ways = [_Way(f"grant: {g.title}", f'Your grant "{g.title}" allows this.', g.mode, g.window, g.id) for g in grants]
    if gates and not grants:
        return []
    ways += [_Way(r.name, _because(r), r.mode, seconds(r.window) if r.mode == "revert" else 0.0) for r in allows]
    if facts.kind == "change" and facts.undo == "exact" and not allows and not gates:
        ways.append(_Way(INTERNAL, "It is written inside only, and the former version is kept.", "audit", 0.0))
    return ways


def _asks(allows: Sequence[Rule], gates: Sequence[str]) -> str:
    """Why it is the operator's turn although nothing asks for them by name."""
    if not gates:
        return NO_RULE
    if not allows:
        return f"It needs your word: {because(gates)}."
    return f'Rule "{allows[0].name}" allows this, but it needs your word: {because(gates)}.'


def _because(rule: Rule) -> str:
    word = {"deny": "refuses", "ask": "asks for your word on", "allow": "allows"}[rule.then]
    return f'Rule "{rule.name}" {word} this.'


def _compiled(rule: Rule, number: int, place: Place | None) -> cel.Expression:
    """One compiled condition that can only be true or false, or BadConfig."""
    where = f"policy.rules.{number}.when"
    try:
        expression = _ENVIRONMENT.compile(rule.when)
        kind = expression.return_type()
    except (RuntimeError, TypeError) as error:
        raise BadConfig(_fault(rule, str(error), place), field=where) from error
    if kind not in (cel.Type.BOOL, cel.Type.DYN):
        at = f"{place.at(1, 1)}: " if place else ""
        words = f'policy rule "{rule.name}": when must be true or false, not {kind.name().lower()}.'
        raise BadConfig(at + words, field=where)
    return expression


def _fault(rule: Rule, message: str, place: Place | None) -> str:
    """The compiler's complaint with line and column, in the file when it is known, and the names that exist."""
    match = _PLACE.search(message)
    at = f"{place.at(int(match[1]), int(match[2])) if match else place.at(1, 1)}: " if place else ""
    if not match:
        return f'{at}policy rule "{rule.name}": when cannot be read.'
    what = match[3].removesuffix(" [INVALID_ARGUMENT]").replace(" (in container '')", "")
    known = _meant(what) if "undeclared reference" in what else ""
    return f'{at}policy rule "{rule.name}": when, line {match[1]}, column {match[2]}: {what}.{known}'


def _meant(what: str) -> str:
    """The names that exist, with the nearest first when one is near."""
    near = difflib.get_close_matches(what.rpartition("'")[0].rpartition("'")[2], FIELDS, 1, 0.7)
    return f"{f' Did you mean {near[0]}?' if near else ''} Known names: {', '.join(FIELDS)}."


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
