"""Giving work: somebody, or what happened in the house, hands an agent a piece of work; it becomes a durable run.

A role has a way of its own for what its contract names as input (``Way``), or one of its skills is used as it is. What
was given and what came of it are steps of the run; texts of people stand there, where an erasure finds them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from pydantic import ValidationError

from soloist.engine import calls
from soloist.engine.store import plans, releases, runs
from soloist.engine.store.clock import new_id
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel import origin as origins
from soloist.kernel.agent import AgentSpec, Sla, misfits, narrowed
from soloist.kernel.errors import BadInput, NotFound, SoloistError
from soloist.kernel.hashing import json_hash
from soloist.kernel.origin import Origin
from soloist.kernel.work import Came, Lane, Worked, WorkItem
from soloist.sdk.asking import Ask
from soloist.sdk.flow import Flow, Verbs
from soloist.stages.runtime import telling
from soloist.stages.runtime.models import Question

FLOW = "work"
OPERATORS = Origin(frozenset({"operator"}))
GIVEN, WORKED = "given", "work"
"""Names of the steps that hold what was given and what came of it."""
LARGEST = 400_000
"""Characters of an input as JSON."""
WAITS = "waits for a model"
"""State of a skill's output that holds nothing without a model."""
NOT_COUNTED = {"micro": 0, "worst_micro": 0, "currency": "", "tokens_in": 0, "tokens_out": 0, "model": ""}
_WORST: Sequence[Came] = ("done", "fallback", "waits", "operator")


@dataclass(frozen=True)
class Asked:
    """One piece of work as it is handed over.

    ``skill`` "" leaves the way to the role. ``subject`` is the message or record it is about, ``ref`` makes it the same
    work when it is asked for twice; ``origin`` is that of everything in ``input``. ``given_by`` are the agents on whose
    behalf it is asked, the first one first, and ``work`` names the handoff: it is done under what all of them may.
    ``parent`` is the plan it is a task of: its caps hold for it too, and it is woken when the work is done.
    """

    agent: str
    input: Mapping[str, Any]
    skill: str = ""
    wanted: str = ""
    sla: str = ""
    lane: str = "now"
    subject: str = ""
    client: str = ""
    ref: str = ""
    origin: Origin = OPERATORS
    given_by: tuple[str, ...] = ()
    work: str = ""
    parent: str = ""


@dataclass(frozen=True)
class Done:
    """What came of a role's own way: a sentence, the whole as JSON, each use of a skill, and the records written."""

    said: str
    value: Mapping[str, Any]
    parts: tuple[Worked, ...] = ()
    records: tuple[str, ...] = ()
    came: Came = "done"


@dataclass(frozen=True)
class Way:
    """How a role works on the input that its contract names.

    ``first`` names the skill that may ask a model and what it is given, so that it can be estimated before; None when
    there is nothing to ask.
    """

    work: Callable[[Desk, Verbs, WorkItem], Awaitable[Done]]
    first: Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]] | None] = field(default=lambda _: None)


async def use(
    desk: Desk, do: Verbs | None, item: WorkItem, skill: str, given: Mapping[str, Any], *, n: int = 0
) -> Worked:
    """One skill of the item's agent on ``given``, as a part of the item; ``n`` tells apart several uses in a run."""
    part = replace(item, skill=skill, input=dict(given), step=f"{skill}:{n}")
    return await desk.runtime.work(part, do)


class Giving:
    """Takes work for the agents of one home, and keeps what came of it."""

    def __init__(self, desk: Desk, ways: Mapping[str, Way]) -> None:
        """``ways`` are those of the roles that have one, by the role's name."""
        self._desk, self._ways = desk, ways

    # ----- taking it on

    def checked(self, asked: Asked) -> tuple[AgentSpec, str]:
        """The contract and the skill, "" for the role's own way (NotFound, NotAllowed, BadInput)."""
        spec = self._under(asked)
        if asked.lane not in get_args(Lane):
            raise BadInput(f"lane: one of {', '.join(get_args(Lane))}, not {asked.lane[:40]!r}.", field="lane")
        if asked.sla and asked.sla not in get_args(Sla):
            raise BadInput(f"sla: one of {', '.join(get_args(Sla))}, not {asked.sla[:40]!r}.", field="sla")
        if len(str(asked.input)) > LARGEST:
            raise BadInput(f"input: at most {LARGEST} characters; nothing was begun.", field="input")
        if asked.skill:
            spec.may_use(asked.skill)
            self._fits_skill(asked.skill, asked.input)
            return spec, asked.skill
        if spec.name not in self._ways:
            listed = ", ".join(spec.skills) or "none"
            told = f"skill: say which skill of {spec.name} is to be used: {listed}."
            raise BadInput(f"{told} This role has no work of its own that could be handed to it.", field="skill")
        if faults := misfits(spec.input, dict(asked.input)):
            raise BadInput(f"input: {'; '.join(faults)}.", field="input")
        return spec, ""

    def _under(self, asked: Asked) -> AgentSpec:
        """The contract it is done under: the agent's own, and never more than anybody's who handed it on."""
        roster = self._desk.runtime.roster
        spec = roster.working(asked.agent)
        if not asked.given_by:
            return spec
        if not asked.skill:
            raise BadInput("skill: work that agents hand on names the skill that is to be used.", field="skill")
        roster.working(asked.given_by[-1]).may_hand(asked.agent, asked.work, asked.input)
        for giver in reversed(asked.given_by):
            spec = narrowed(roster.working(giver), spec)
        return spec

    def _fits_skill(self, skill: str, given: Mapping[str, Any]) -> None:
        """BadInput names the field of a skill's input that does not fit."""
        try:
            self._desk.runtime.roster.skills[skill].input.model_validate(dict(given))
        except KeyError as error:
            raise NotFound(f"There is no skill called {skill[:80]!r}.", field="skill") from error
        except ValidationError as error:
            fault = error.errors()[0]
            place = ".".join(map(str, fault["loc"]))
            said = f"input.{place}: {fault['msg']}" if place else f"input: {fault['msg']}"
            raise BadInput(f"{said}. Nothing was begun.", field="input") from error

    async def look(self, asked: Asked) -> dict[str, Any]:
        """What it is likely to cost, before anything is begun: {micro, worst_micro, currency, tokens_in, tokens_out,
        model, said}. The skill runs once without a model; nothing is kept (BadInput, NotAllowed)."""
        spec, skill = self.checked(asked)
        first = (skill, dict(asked.input)) if skill else self._ways[spec.name].first(asked.input)
        if first is None:
            return {**NOT_COUNTED, "said": "No model is asked, so it costs nothing."}
        named, given = first
        spec.may_use(named)
        worked = await self._desk.runtime.bare(named, given)
        if not worked.get("ask"):
            return {**NOT_COUNTED, "said": "No model is asked, so it costs nothing."}
        ask = Ask.model_validate(worked["ask"])
        question = Question(ask.instructions, ask.given, ask.answer_schema, least=ask.least, most=spec.tier)
        return told(self._desk.models.estimate(question), ask.least, spec)

    async def give(self, asked: Asked, *, who: str) -> dict[str, Any]:
        """Begin it: {id, agent, skill, new, estimate} (BadInput, NotFound, NotAllowed); one run for one ref."""
        estimate = await self.look(asked)
        return await self._desk.store.write(lambda tx: self.give_in(tx, asked, who=who, estimate=estimate))

    def give_in(self, tx: Tx, asked: Asked, *, who: str, estimate: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The same inside a transaction, without an estimate where none was made."""
        spec, skill = self.checked(asked)
        run = f"work:{spec.name}:{asked.ref or new_id(self._desk.store.clock())}"
        new = tx.start(run, FLOW, run, subject=asked.subject, parent=asked.parent)
        if new:
            item = _kept(asked, run, spec, skill)
            detail = {"who": who, "estimate": dict(estimate or {})}
            runs.once(tx, run, GIVEN, lambda: {"agent": spec.label, "skill": skill}, given=item, detail=detail)
            releases.made_with(tx, run, {"agent": spec.label})
            told_of = {"agent": spec.name, "skill": skill, "lane": asked.lane, "input": json_hash(dict(asked.input))}
            tx.append("work.given", subject=run, payload=told_of, actor=who, run=run)
        return {"id": run, "agent": spec.label, "skill": skill, "new": new, "estimate": dict(estimate or {})}

    # ----- doing it

    def flow(self) -> Flow:
        """The run of one piece of work: do it, keep what came of it."""

        async def body(do: Verbs, run: str) -> None:
            item = await self._desk.store.read(lambda conn: item_of(conn, run))
            label = self._desk.runtime.roster.get(item.agent).label
            await self._desk.store.write(lambda tx: releases.made_with(tx, run, {"agent": label}), full=False)
            with calls.collecting() as called:
                try:
                    done = await self._do(do, item)
                except SoloistError as error:
                    done = Done(error.detail, {}, came="operator")
            await do.step("keep", self.keep, item, done, called)

        return Flow(FLOW, body)

    async def _do(self, do: Verbs, item: WorkItem) -> Done:
        """By the role's own way, or by one skill."""
        if not item.skill:
            return await self._ways[item.agent].work(self._desk, do, item)
        worked = await self._desk.runtime.work(item, do)
        said, came = worked.rationale, worked.came
        if worked.value.get("state") == WAITS:
            why = telling.short(worked.tries)
            said, came = f"Only a language model writes this, and nothing was made up in its place. {why}", "operator"
        return Done(said, worked.value, (worked,), came=came)

    async def keep(self, run: str, item: WorkItem, done: Done, called: Sequence[calls.Call] = ()) -> dict[str, Any]:
        """Commit what came of it, once; answers {came}. ``called`` says which versions of skills answered."""
        found, answered = _result(item, done), _versions(called)

        def work(tx: Tx) -> dict[str, Any]:
            def kept() -> dict[str, Any]:
                made = self._desk.runtime.roster.made_with(item.agent)
                used = {"models": {part["skill"]: part["author"] for part in found["parts"]}}
                releases.made_with(tx, run, {**made, **used, "skills": {**made["skills"], **answered}})
                payload = {"agent": item.agent, "skill": item.skill, "came": found["came"], "records": found["records"]}
                tx.append("work.done", subject=run, payload=payload, run=run)
                return found

            kept_now = runs.once(tx, run, WORKED, kept, given={"run": run})
            if plan := plans.parked(tx.conn, run):
                tx.send(plan, "task", run)
            return {"came": kept_now["came"]}

        return await self._desk.store.write(work)


def _versions(called: Sequence[calls.Call]) -> dict[str, str]:
    """The version of each skill that answered; both where a package did and the shipped skill had to do so as well."""
    found: dict[str, list[str]] = {}
    for one in called:
        found.setdefault(one.skill, []).append(one.version)
    return {skill: " and ".join(dict.fromkeys(versions)) for skill, versions in found.items()}


def told(found: Mapping[str, Any], least: int, spec: AgentSpec) -> dict[str, Any]:
    """An estimate with its sentence."""
    if spec.tier < least:
        said = f"A model of tier {least} is needed and {spec.name} may use models up to tier {spec.tier} only."
        return {**NOT_COUNTED, "said": f"{said} It does what it can without."}
    if not found["model"]:
        said = "A language model is needed for all of it and none is set: it does what it can without one."
        return {**NOT_COUNTED, "said": said}
    micro, worst = (f"{found[key] / 1_000_000:.4f} {found['currency']}" for key in ("micro", "worst_micro"))
    said = f"Likely {micro}, at most {worst}: about {found['tokens_in']} tokens to {found['model']}."
    return {**NOT_COUNTED, **found, "said": said}


def item_of(conn: Any, run: str) -> WorkItem:
    """What a run was given (NotFound)."""
    row = next((step for step in runs.steps_of(conn, run) if step["step"] == GIVEN), None)
    if row is None or not row["input"]:
        raise NotFound(f"What the run {run} was given is not there any more.")
    given = dict(row["input"])
    handed = tuple(given.get("given_by") or ())
    return WorkItem(**{**given, "origin": origins.of(given["origin"]), "given_by": handed})


def _kept(asked: Asked, run: str, spec: AgentSpec, skill: str) -> dict[str, Any]:
    """A work item as JSON."""
    return {
        "run": run,
        "step": WORKED,
        "agent": spec.name,
        "skill": skill,
        "input": dict(asked.input),
        "wanted": asked.wanted[:500],
        "sla": asked.sla or spec.sla,
        "lane": asked.lane,
        "timeout": spec.limits.seconds,
        "origin": asked.origin.told(),
        "flow": FLOW,
        "client": asked.client,
        "given_by": list(asked.given_by),
        "work": asked.work,
    }


def _result(item: WorkItem, done: Done) -> dict[str, Any]:
    """What is kept of a piece of work: {came, said, value, records, origin, author, cost, parts}."""
    parts = [
        {
            "came": part.came,
            "author": part.author,
            "tier": part.tier,
            "rationale": part.rationale,
            "estimate": dict(part.estimate),
            "cost": dict(part.cost),
            "faults": list(part.faults),
            "tries": [dict(one) for one in part.tries],
            "skill": item.skill,
        }
        for part in done.parts
    ]
    models = [part.author for part in done.parts if part.author != "rules"]
    whole = origins.union([item.origin, *(part.origin for part in done.parts)])
    cost = {key: sum(part.cost.get(key) or 0 for part in done.parts) for key in ("micro", "tokens_in", "tokens_out")}
    cost["seconds"] = round(sum(part.cost.get("seconds") or 0 for part in done.parts), 3)
    currency = next((part.cost["currency"] for part in done.parts if part.cost.get("currency")), "")
    return {
        "came": max([done.came, *(part.came for part in done.parts)], key=_WORST.index),
        "said": done.said,
        "value": dict(done.value),
        "records": list(done.records),
        "origin": whole.told(),
        "author": models[0] if models else "rules",
        "cost": {**cost, "currency": currency},
        "parts": parts,
    }
