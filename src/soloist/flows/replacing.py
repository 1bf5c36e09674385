"""Replacing: a package is held against the shipped skill whose place it would take; nothing of it is in use by that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from soloist.engine.sandbox.calls import Installed
from soloist.engine.store import packages
from soloist.flows.desk import Desk
from soloist.flows.replaying import Candidate, Replaying
from soloist.kernel import replacing
from soloist.kernel.errors import BadConfig, BadInput, Conflict
from soloist.kernel.package import PackageSpec
from soloist.sdk import Skill
from soloist.stages.runtime import contracts

HOLDS, CHANGED, FAILS = "holds", "changed", "fails"
"""An example of a package: kept, kept with another answer than the shipped skill gives, or not kept."""
Call = Callable[..., Awaitable[dict[str, Any]]]


class _Timed:
    """Calls of one skill, with the milliseconds that each took."""

    def __init__(self, call: Call) -> None:
        self._call, self.took = call, list[int]()

    async def call(
        self,
        skill: str,
        value: dict[str, Any],
        blob: bytes = b"",
        *,
        timeout: float = 20.0,  # handed on to who runs it
    ) -> dict[str, Any]:
        begun = time.monotonic()
        try:
            return await self._call(skill, value, blob, timeout=timeout)
        finally:
            self.took.append(round((time.monotonic() - begun) * 1000))


class Replacing:
    """The packages of one home that would take the place of shipped skills."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._store, self._acts, self._replaying = desk.store, desk.packages, Replaying(desk)

    async def compare(
        self, name: str, begins: str, *, who: str, granted: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Run a package behind the walls on its own examples, on those of the skill it replaces and on what was
        corrected; the row with what came of it (NotFound, BadInput, Conflict; BadConfig when it cannot be compared)."""
        row = await self._store.read(lambda conn: packages.get(conn, name, begins))
        spec = PackageSpec.model_validate(row["content"]["spec"])
        if not spec.replaces:
            raise BadInput(f"{name} takes the place of no skill, so there is nothing to hold it against.")
        if row["state"] not in ("waiting", "replaced"):
            raise Conflict(f"{name} {row['version']} is {row['state']}; only one that is not in use is compared.")
        shipped, given = self._acts.shipped(spec.replaces), self._acts.given(spec, granted)
        try:
            one = await self._acts.opened(row, given)
            _same(shipped, one.skills[shipped.name])
        except BadConfig as error:
            said = error.detail
            await self._store.write(lambda tx: packages.note(tx, name, row["hash"], said))
            raise
        found = {**await self._tried(one, shipped, who), "granted": list(given)}
        await self._store.write(lambda tx: packages.tried(tx, name, row["hash"], found, who=who))
        return await self._store.read(lambda conn: packages.get(conn, name, row["hash"]))

    async def _tried(self, one: Installed, shipped: Skill, who: str) -> dict[str, Any]:
        """What came of the examples and of the corrections."""
        trial = self._acts.trial(one, shipped)
        try:
            own = trial.skills()[shipped.name]
            after, before = _Timed(trial.call), _Timed(self._acts.as_shipped)
            theirs = await contracts.try_out(after, shipped)
            ours = await contracts.try_out(before, shipped)
            promised = await contracts.try_out(trial, own)

            async def answers(skill: str, given: dict[str, Any], blob: bytes) -> dict[str, Any]:
                return await trial.call(skill, given, blob)

            candidate = Candidate("skill", shipped.name, own.version, answers=answers)
            fixed = await self._replaying.gate(candidate, who=who)
        finally:
            await asyncio.to_thread(trial.close)
        rows = [_row("shipped", result, old) for result, old in zip(theirs, ours, strict=True)]
        rows += [_row("own", result) for result in promised]
        told = {outcome: sum(row["outcome"] == outcome for row in rows) for outcome in (HOLDS, CHANGED, FAILS)}
        return {
            "against": f"{shipped.name}@{shipped.version}",
            "contracts": [dict(skill) for skill in one.skills.values()],
            "examples": rows,
            "held": told[HOLDS] + told[CHANGED],
            "changed": told[CHANGED],
            "failed": told[FAILS],
            "worse": fixed["worse"],
            "corrections": fixed,
            "ms": {"before": _mean(before.took), "after": _mean(after.took)},
            "asks": {"before": _asks(ours), "after": _asks(theirs)},
        }


def _same(shipped: Skill, theirs: Mapping[str, Any]) -> None:
    """BadConfig names the first place in which a package takes or gives something else than the shipped skill."""
    given, made = shipped.input.model_json_schema(), shipped.output.model_json_schema(mode="serialization")
    fault = replacing.differs(given, theirs["input"], "its input") or replacing.differs(
        made, theirs["output"], "its output"
    )
    if not fault and shipped.takes_blob != theirs["takes_bytes"]:
        fault = "it takes no bytes" if shipped.takes_blob else "it takes bytes"
    if fault:
        how = f"soloist skills show {shipped.name} --json"
        raise BadConfig(f"It cannot take the place of {shipped.name}: {fault}. What has to be the same: {how}")


def _row(whose: str, result: contracts.Result, before: contracts.Result | None = None) -> dict[str, Any]:
    """One example; one of the shipped skill that does not hold here for that skill either is no fault of a package."""
    outcome = HOLDS if result.ok or (before is not None and not before.ok) else FAILS
    if outcome == HOLDS and before is not None and result.answer != before.answer:
        outcome = CHANGED
    return {"whose": whose, "example": result.example, "outcome": outcome, "faults": list(result.faults)}


def _asks(results: Sequence[contracts.Result]) -> int:
    """In how many examples a model would be asked."""
    return sum(bool((result.answer or {}).get("ask")) for result in results)


def _mean(took: Sequence[int]) -> int:
    return round(sum(took) / len(took)) if took else 0
