"""Working: one piece of work of an agent, under its contract; it proposes nothing and writes no record.

A skill runs in the limited worker. When its output carries a question to a model (``sdk.asking``) and the contract and
the models of the house allow one, it is asked, the skill runs again with the answer, and what came is checked. What
does not pass is said to the model once more; then what the skill does without one stands; then it is the operator's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

from soloist.engine.store import model_calls, origins
from soloist.engine.store.base import Connection
from soloist.engine.store.store import Store
from soloist.kernel.agent import AgentSpec, narrowed
from soloist.kernel.errors import CapReached, ModelTrouble, SoloistError, WorkerTrouble
from soloist.kernel.model import Answer, Tier
from soloist.kernel.origin import Origin
from soloist.kernel.reach import lacking
from soloist.kernel.spend import Cap, Payer
from soloist.kernel.work import Came, Worked, WorkItem
from soloist.sdk.asking import Ask
from soloist.sdk.flow import Verbs
from soloist.stages.runtime import telling
from soloist.stages.runtime.models import LARGE, AtOnce, Models, Question, Seen, Tool
from soloist.stages.runtime.roster import Roster

LETTERS = ("conversation",)
"""What an agent must read to be told what the operator changed in like letters."""
LONGEST = 60.0
"""Seconds that one skill may take, whatever its agent allows."""
REQUESTS = 6
"""Questions of one answer with tools: the answer, and what is looked up before."""

Check = Callable[[Mapping[str, Any], Sequence[Seen]], Awaitable[Sequence[str]]]
"""What is wrong with an output, as sentences; it is given what a model looked up beside what it had."""
Standing = Callable[[Connection, str, str], Sequence[str]]
"""(conn, agent, client) -> what the operator said once and for all, in words."""
Cases = Callable[[WorkItem], Awaitable[Sequence[Mapping[str, Any]]]]
"""(conn, item) -> what the operator changed in like cases: {given, wanted}."""


class Leaves(Protocol):
    """Who says whether the large tier may be asked (``stages.spend.Large``)."""

    async def look(self, run: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """{by, said, grant, most_micro}; ``by`` is "" where it may not."""


class Reads(Protocol):
    """The limited worker process."""

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run a skill on text or bytes from outside."""


@dataclass
class _Piece:
    """One piece of work while it is done."""

    item: WorkItem
    spec: AgentSpec
    do: Verbs | AtOnce
    check: Check | None
    tools: Sequence[Tool]
    started: float = field(default_factory=time.monotonic)
    steps: list[str] = field(default_factory=list)
    tries: list[dict[str, str]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    others: Origin = field(default_factory=Origin)
    estimate: dict[str, Any] = field(default_factory=dict)
    leave: dict[str, Any] = field(default_factory=dict)

    @property
    def until(self) -> float:
        """From when nobody waits any more."""
        return self.started + (self.item.timeout or self.spec.limits.seconds)

    @property
    def left(self) -> float:
        """Seconds that are left of its time."""
        return self.until - time.monotonic()

    def payer(self) -> Payer:
        """Who pays for the next question, with the agent's own limits for a run."""
        n = len(self.steps)
        self.steps.append(self.item.step if not n else f"{self.item.step}.{n + 1}")
        own = limits(self.spec, self.item.run)
        if grant := self.leave.get("grant"):
            own += (Cap("run", f"large/{grant}", "total", "money", self.leave["most_micro"],
                        str(self.estimate.get("currency") or "EUR"), alerts=(), source="your grant"),)  # fmt: skip
        return replace(self.item.payer, step=self.steps[-1], limits=own)


class Working:
    """The agents of one process at work."""

    def __init__(self, roster: Roster, worker: Reads, store: Store | None = None) -> None:
        """``models`` stays None until the desk has them: then every skill does what it can without."""
        self._roster, self._worker, self._store = roster, worker, store
        self.models: Models | None = None
        self.standing: Standing | None = None
        self.cases: Cases | None = None
        self.leaves: Leaves | None = None

    @property
    def has_models(self) -> bool:
        """Whether any model is set in this house."""
        return self.models is not None and bool(self.models.parts)

    def patience(self, agent: str) -> float:
        """Seconds that an agent has for a piece of work, by its contract (NotFound)."""
        return self._roster.get(agent).limits.seconds

    async def work(
        self,
        item: WorkItem,
        do: Verbs | AtOnce | None = None,
        *,
        check: Check | None = None,
        tools: Sequence[Tool] = (),
    ) -> Worked:
        """Do one piece of work (NotFound, NotAllowed by the contract; WorkerTrouble and BadInput of the skill).

        ``do`` makes each try of a model a durable step; without it the ledger alone keeps a step that runs again from
        paying twice. ``check`` objects to an output, ``tools`` are what a model may look up. Whatever fails with models
        is told in ``tries`` and never raised.
        """
        if self._store is not None:
            await self._store.read(self._roster.refresh)  # what was released or accepted meanwhile, here or elsewhere
        piece = _Piece(item, self.contract(item), do or AtOnce(item.run), check, tools)
        piece.spec.may_use(item.skill)
        for tool in tools:
            piece.spec.may_read(tool.reads)
        first = await self._skill(piece, item.input)
        ask = first.get("ask")
        if not ask:
            return await self._worked(piece, "done", first, faults=await self._amiss(piece, first))
        return await self._prose(piece, first, Ask.model_validate(ask))

    def reads(self, *names: str) -> tuple[str, ...]:
        """What the last of some agents may read when those before it handed the work on (NotFound)."""
        return self._roster.reads(*names)

    def contract(self, item: WorkItem) -> AgentSpec:
        """The contract the work is done under: never more than anybody has who handed it on (NotAllowed)."""
        spec = self._roster.working(item.agent)
        if not item.given_by:
            return spec
        self._roster.working(item.given_by[-1]).may_hand(item.agent, item.work, item.input)
        for giver in reversed(item.given_by):
            spec = narrowed(self._roster.working(giver), spec)
        return spec

    # ----- the skill

    async def _skill(self, piece: _Piece, given: Mapping[str, Any]) -> dict[str, Any]:
        """Run the skill, again where the contract says so and the reading process failed."""
        own = piece.spec.after("skill")
        for n in range(own.again + 1):
            try:
                return await self._call(piece, dict(given))
            except WorkerTrouble as error:
                piece.tries.append(telling.tried("skill", "", "skill", error.detail))
                if n == own.again or piece.left <= own.seconds:
                    raise
            await piece.do.sleep(own.seconds)
        raise AssertionError("unreachable")

    async def _call(self, piece: _Piece, given: dict[str, Any]) -> dict[str, Any]:
        """The skill once. What code of others answered counts as words from outside, for the whole run."""
        item, by = piece.item, self._others(piece.item.skill)
        patience = max(0.1, min(LONGEST, piece.left))
        value = await self._worker.call(item.skill, given, item.blob, timeout=patience)
        by |= self._others(item.skill)  # it may have changed hands meanwhile
        if by:
            piece.others = origin = Origin(frozenset({"outside"}), by)
            if self._store is not None:
                await self._store.write(lambda tx: origins.read(tx, item.run, origin), full=False)
        return value

    def _others(self, skill: str) -> frozenset[str]:
        """Whose code answers for a skill, nothing for our own and that of installed plugins."""
        one = self._roster.skills.get(skill)
        if one is None or not one.module.startswith("package:"):
            return frozenset()
        return frozenset({f"{one.module} {skill}@{one.version}"})

    async def _amiss(self, piece: _Piece, value: Mapping[str, Any]) -> list[str]:
        """What is wrong with an output: its form, then what the caller checks."""
        found = telling.misfit(piece.item.schema, telling.plain(value)) if piece.item.schema else []
        if not found and piece.check is not None:
            found = [str(fault) for fault in await piece.check(telling.plain(value), piece.seen)]
        return found

    # ----- the model

    async def _prose(self, piece: _Piece, first: dict[str, Any], ask: Ask) -> Worked:
        """Ask, run the skill with the answer, check; again with what was wrong, as often as the contract says."""
        question = await self._question(piece, ask)
        if isinstance(question, str):
            piece.tries.append(telling.tried("ask", "", "not_configured", question))
            return await self._without(piece, first, ask)
        last: tuple[dict[str, Any], list[str], str] | None = None
        again = {"objected": piece.spec.after("objected").again, "output": piece.spec.after("output").again}
        while True:
            try:
                answer = await self._answer(piece, question)
            except (ModelTrouble, CapReached) as error:
                await self._went_wrong(piece, error)
                break
            value, faults, kind = await self._taken(piece, answer)
            if not faults:
                return await self._written(piece, first, value, answer)
            last = (value, faults, answer.author)
            piece.tries.append(telling.tried("answer", answer.author, kind, " ".join(faults)))
            again[kind] -= 1
            if again[kind] < 0 or piece.left <= 0:
                break
            said = json.dumps(answer.value, ensure_ascii=False)
            turns = ({"by": "model", "text": said}, {"by": "us", "text": telling.feedback(faults)})
            question = replace(question, before=(*question.before, *turns))
        return await self._without(piece, first, ask, last)

    async def _question(self, piece: _Piece, ask: Ask) -> Question | str:
        """The question, or why nobody may be asked."""
        item, spec, models = piece.item, piece.spec, self.models
        least = max(ask.least, item.least or 0)
        known, fitting = (len(models.parts), len(models.order(least, spec.tier))) if models else (0, 0)
        if why := telling.shut(spec, least, models=known, fitting=fitting):
            return why
        standing, cases = await self._told(item, letters=not lacking(spec.reads, LETTERS))
        role = str(self._roster.contents[item.agent].get("instructions", ""))
        question = Question(
            telling.instructions(ask, role, standing),
            telling.given(ask, cases),
            ask.answer_schema,
            least=least,
            most=spec.tier,
            skill=item.skill,
            origin=(item.origin | piece.others).told(),
            urgent=item.sla == "now",
            lane="morning" if "morning" in (item.lane, item.sla) else "now",
            failures=spec.failures,
            until=0.0 if "morning" in (item.lane, item.sla) else piece.until,
        )
        if models is not None:
            question = await self._large(piece, question, models)
            begun = time.monotonic()
            await models.load(question)
            piece.started += time.monotonic() - begun  # the library is loaded once and on nobody's time
            question = replace(question, until=question.until and piece.until)
            piece.estimate = models.estimate(question)
        return question

    async def _large(self, piece: _Piece, question: Question, models: Models) -> Question:
        """The same question with the reason for which the large tier may be asked; without one a smaller is.

        Whether it may is one step of the run, so that a run that goes on asks whom it asked.
        """
        large = models.order(max(question.least, LARGE), question.most)
        if not large:
            return question
        item, estimate = piece.item, models.estimate(replace(question, large="estimated"))
        asked = {"agent": item.agent, "skill": item.skill, "sort": item.sort, "held": item.held}
        asked |= {"micro": estimate["worst_micro"], "model": large[0]}
        said = "Nobody says here what it is worth, so a smaller one is asked."
        found = {"by": "", "said": said}
        if self.leaves is not None:
            found = await piece.do.step("large", self.leaves.look, asked)
        if not found["by"]:
            piece.tries.append(telling.tried("ask", large[0], "large", str(found["said"])))
            return question
        piece.leave = dict(found)
        return replace(question, large=str(found["by"]))

    async def _told(self, item: WorkItem, *, letters: bool) -> tuple[Sequence[str], Sequence[Mapping[str, Any]]]:
        """Standing rules of the operator for this, and what they changed in like cases, which are lines of letters."""
        rules, cases = self.standing, self.cases if letters else None
        if self._store is None:
            return (), ()
        said = await self._store.read(lambda conn: rules(conn, item.agent, item.client)) if rules else ()
        return said, (await cases(item) if cases else ())

    async def _answer(self, piece: _Piece, question: Question) -> Answer:
        """One answer: by itself, or of an agent of the library that may look things up first."""
        models = cast(Models, self.models)
        if not piece.tools:
            answer = await models.ask(question, piece.payer(), piece.do)
            if question.lane == "morning":
                piece.started = time.monotonic()  # the night is on nobody's time
            return answer
        label = piece.spec.name
        answer, seen = await models.look_up(
            question, piece.payer(), piece.do, piece.tools, name=label, most_requests=REQUESTS
        )
        piece.seen += seen
        return answer

    async def _taken(self, piece: _Piece, answer: Answer) -> tuple[dict[str, Any], list[str], str]:
        """The output with an answer, what is wrong with it, and of which kind that is."""
        given = {**piece.item.input, "answer": answer.value}
        if "author" in self._roster.skills[piece.item.skill].input.model_fields:
            given["author"] = answer.author
        try:
            value = await self._call(piece, given)
        except SoloistError as error:
            return {}, [error.detail], "output"
        if faults := telling.faults_of(value):
            return value, faults, "objected"
        if piece.item.schema and (faults := telling.misfit(piece.item.schema, telling.plain(value))):
            return value, faults, "output"
        return value, await self._amiss(piece, value), "objected"

    async def _went_wrong(self, piece: _Piece, error: ModelTrouble | CapReached) -> None:
        """Every fault of the question, as the books have them, and what ended it."""
        fault = str(error.extra.get("fault", "cap"))
        rows = [row for row in await self._rows(piece, piece.steps[-1:]) if row["fault"]]
        piece.tries += [telling.tried("ask", row["provider"], row["fault"], row["said"]) for row in rows]
        if not rows or rows[-1]["fault"] != fault:
            piece.tries.append(telling.tried("ask", "", fault, error.detail))

    # ----- what came of it

    async def _written(self, piece: _Piece, first: dict[str, Any], value: dict[str, Any], answer: Answer) -> Worked:
        """What a model wrote; when nothing of it was kept, the rules wrote it."""
        if telling.same(first, value):
            piece.tries.append(telling.tried("answer", answer.author, "objected", "Nothing of it was kept."))
            return await self._worked(piece, "fallback", first)
        return await self._worked(piece, "done", value, answer.author)

    async def _without(
        self,
        piece: _Piece,
        first: dict[str, Any],
        ask: Ask,
        last: tuple[dict[str, Any], list[str], str] | None = None,
    ) -> Worked:
        """What the skill does without a model; where that is nothing, the operator has it, with what a model wrote."""
        if ask.needed:
            value, faults, author = last or (first, [telling.short(piece.tries)], telling.RULES)
            return await self._worked(piece, "operator", value or first, author if value else telling.RULES, faults)
        return await self._worked(piece, "fallback", first, faults=await self._amiss(piece, first))

    async def _worked(
        self,
        piece: _Piece,
        came: Came,
        value: Mapping[str, Any],
        author: str = telling.RULES,
        faults: Sequence[str] = (),
    ) -> Worked:
        """The result, with what it came to by the books."""
        rows = await self._rows(piece, piece.steps) if piece.steps else []
        origin = piece.item.origin | piece.others
        for seen in piece.seen:
            origin |= seen.origin
        if author != telling.RULES:
            origin |= Origin(frozenset({"model"}))
        tier = max((row["tier"] for row in rows if author != telling.RULES and row["fault"] == ""), default=0)
        whole, large = telling.plain(value), piece.leave if tier == LARGE else {}
        why = telling.rationale(whole, author, piece.tries, faults)
        return Worked(
            came,
            whole,
            author,
            cast(Tier, tier),
            origin,
            f"{why} {large['said']}".strip() if large else why,
            estimate=piece.estimate,
            cost=telling.cost(rows, time.monotonic() - piece.started),
            faults=tuple(faults),
            tries=tuple(piece.tries),
            large=str(large.get("by", "")),
        )

    async def _rows(self, piece: _Piece, steps: Sequence[str]) -> list[dict[str, Any]]:
        """What the books say of some steps."""
        if self._store is None:
            return []
        return await self._store.read(lambda conn: model_calls.of_steps(conn, piece.item.run, steps))


def limits(spec: AgentSpec, run: str) -> tuple[Cap, ...]:
    """The limits of an agent for one run as caps of the ledger, with a row of sums of their own."""
    own, whose = spec.limits, f"{run}/{spec.name}"
    found = []
    if own.model_calls is not None:
        found.append(Cap("run", whose, "total", "calls", own.model_calls, alerts=(), source=spec.label))
    if own.tokens is not None:
        found.append(Cap("run", whose, "total", "tokens", own.tokens, alerts=(), source=spec.label))
    if own.micro is not None:
        found.append(Cap("run", whose, "total", "money", *own.micro, alerts=(), source=spec.label))
    return tuple(found)
