"""Grants: leave that the operator gave for a time; decides whether one covers a proposal, keeps none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cel_expr_python import cel

from soloist.config import seconds
from soloist.kernel.errors import BadConfig, BadInput
from soloist.stages.policy.facts import VARIABLES, Facts, names_in
from soloist.stages.policy.gates import GATES

_ENVIRONMENT = cel.NewEnv(variables=VARIABLES)


@dataclass(frozen=True)
class Grant:
    """A live grant, ready to be asked. ``used`` is how often it let something go in the last 24 hours.

    ``connector``, ``operation`` and ``agent`` are "" for any; ``window`` in seconds; ``limit_minor`` and ``per_day``
    are 0 for no limit; ``until`` is an ISO instant after which it is over.
    """

    id: str
    title: str
    connector: str
    operation: str
    agent: str
    gates: frozenset[str]
    when: cel.Expression | None
    mode: Literal["audit", "revert"]
    window: float
    limit_minor: int
    currency: str
    per_day: int
    used: int = 0

    def why_not(self, facts: Facts, tripped: Sequence[str]) -> str:
        """Why this grant does not let a proposal go, "" when it does; None of its business is "no"."""
        if not self._meant(facts) or not self._holds(facts):
            return "no"
        if closed := [gate for gate in tripped if gate not in self.gates]:
            return f'Grant "{self.title}" does not cover this: it says nothing about {", ".join(closed)}.'
        if facts.odd_amount or (facts.risk == "financial" and not facts.amount_minor):
            return f'Grant "{self.title}" has a limit, and the amount of this cannot be read.'
        if facts.amount_minor and not self._within(facts):
            return f'The amount is over the limit of grant "{self.title}".'
        if self.per_day and self.used >= self.per_day:
            return f'Grant "{self.title}" was used {self.used} times in 24 hours, which is its limit.'
        if self.mode == "revert" and not (facts.held or facts.undo == "exact"):
            return f'Grant "{self.title}" allows this only if it can be taken back, and it cannot.'
        return ""

    def _meant(self, facts: Facts) -> bool:
        """Whether it speaks of this connector, operation and agent."""
        wanted = ((self.connector, facts.connector), (self.operation, facts.operation), (self.agent, facts.agent))
        return all(not mine or mine == theirs for mine, theirs in wanted)

    def _holds(self, facts: Facts) -> bool:
        """Whether its condition holds; one that cannot be evaluated does not."""
        if self.when is None:
            return True
        try:
            value = self.when.eval(data=facts.values())
        except (RuntimeError, TypeError, ValueError, OverflowError, RecursionError):
            return False
        return bool(value.type() == cel.Type.BOOL and value.value() is True)

    def _within(self, facts: Facts) -> bool:
        """Money needs a limit in the same currency."""
        same = not self.currency or self.currency == facts.currency
        return bool(self.limit_minor) and same and abs(facts.amount_minor) <= self.limit_minor


def ready(row: Mapping[str, Any], used: int = 0) -> Grant:
    """A stored grant, ready to be asked; BadConfig names line and column of a condition that cannot work."""
    return Grant(
        id=row["id"],
        title=row["title"],
        connector=row["connector"],
        operation=row["operation"],
        agent=row["agent"],
        gates=frozenset(row["gates"] or ()),
        when=condition(row["when"]) if row["when"] else None,
        mode="revert" if row["mode"] == "revert" else "audit",
        window=seconds(row["window"]) if row["window"] else 0.0,
        limit_minor=row["limit_minor"],
        currency=row["currency"],
        per_day=row["per_day"],
        used=used,
    )


def condition(when: str) -> cel.Expression:
    """The condition of a grant, compiled (BadConfig with line and column)."""
    try:
        expression = _ENVIRONMENT.compile(when)
        kind = expression.return_type()
    except (RuntimeError, TypeError) as error:
        raise BadConfig(f"when: {str(error).splitlines()[0]}", field="when") from error
    if kind not in (cel.Type.BOOL, cel.Type.DYN):
        raise BadConfig(f"when: must be true or false, not {kind.name().lower()}.", field="when")
    return expression


def speaks_of(rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The declared names that the conditions of grants use."""
    return frozenset().union(*(names_in(str(row["when"])) for row in rows))


def checked(given: Mapping[str, Any]) -> None:
    """Whether a grant that somebody wants to make can be made at all (BadInput names the field)."""
    gates = list(given.get("gates") or ())
    if unknown := [gate for gate in gates if gate not in GATES]:
        raise BadInput(f"gates: {unknown[0]!r} is not a gate; the gates are: {', '.join(GATES)}.", field="gates")
    if given.get("mode", "audit") not in ("audit", "revert"):
        raise BadInput("mode: audit or revert.", field="mode")
    if given.get("window"):
        try:
            seconds(str(given["window"]))
        except ValueError as error:
            raise BadInput(f"window: {error}.", field="window") from error
    if given.get("when"):
        condition(str(given["when"]))
    if "money" in gates and int(given.get("limit_minor") or 0) <= 0:
        raise BadInput("limit_minor: a grant for money needs the most that may move at once.", field="limit_minor")
    if "money" in gates and not given.get("currency"):
        raise BadInput("currency: a grant for money names its currency.", field="currency")
    if gates and not (given.get("connector") or given.get("operation") or given.get("agent")):
        raise BadInput("connector: a grant that opens a gate names what it is for.", field="connector")
