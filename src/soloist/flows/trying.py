"""Trying: a configured model on the operator's own cases, skill by skill; it writes nothing but rows of its trial.

Cases are kept corrections, then past messages, then the examples a skill ships with. Each is asked once, with books
kept as for any question, and held against what the operator approved, else against the checks of the skill itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, cast

from soloist.engine.store import labels, model_calls, trials
from soloist.engine.store.clock import iso
from soloist.engine.store.tx import Tx
from soloist.flows import replaying
from soloist.flows.desk import Desk
from soloist.insight import spend as figures
from soloist.kernel.errors import BadInput, CapReached, ModelTrouble, NotFound, SoloistError
from soloist.kernel.spend import Cap, Payer
from soloist.sdk.asking import Ask, marked
from soloist.sdk.flow import Flow, Verbs
from soloist.stages.runtime import again, contracts, telling, wording
from soloist.stages.runtime.models import AtOnce, Question, decide, sorting, wire
from soloist.stages.runtime.models.asking import worst_of
from soloist.stages.runtime.models.nightly import Nightly
from soloist.stages.spend import amount

FLOW, KIND, SORT = "try", "try", "kind"
CASES = 20
"""Cases of one skill at the most."""
SOME = 5
"""Cases between two looks at whether the trial was stopped."""
GOOD = 0.9
"""Share of good answers from which a model is worth its tier for a skill."""
_PASSING = frozenset("ask answer author faults note notes state questions citations template language how".split())
_CLAIMED = ("body", "text")


@dataclass(frozen=True)
class Case:
    """One of the operator's own cases: what a skill was given, and what the operator wanted (None: nobody said)."""

    skill: str
    title: str
    given: Mapping[str, Any]
    wanted: Mapping[str, Any] | None = None
    blob: bytes = b""


@dataclass(frozen=True)
class Plan:
    """What a trial would ask: (object, skill) of each case, and what that is likely to cost, and at the most."""

    model: str
    cases: tuple[tuple[str, str], ...]
    likely: int
    worst: int
    currency: str
    said: str


def trying(desk: Desk) -> Flow:
    """A trial of a model, some cases a step; a case that was paid for is not asked again."""
    found = Trying(desk)

    async def body(do: Verbs, ident: str) -> None:
        n, left = 0, 1
        while left:
            left = (await do.step(f"cases {n}", found.some, ident))["left"]
            n += 1

    return Flow(FLOW, body)


class Trying:
    """The trials of models of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given and only used."""
        self._desk, self._store = desk, desk.store

    # ----- before

    @property
    def skills(self) -> list[str]:
        """What a model can be tried for: what a message is, and every skill that may ask one."""
        known = self._desk.runtime.roster.skills
        return [SORT, *(name for name in sorted(known) if "ask" in known[name].output.model_fields)]

    async def plan(self, name: str, skill: str = "", most: int = CASES) -> Plan:
        """What would be asked and what it would cost; nothing is asked (NotFound, BadInput, CapReached)."""
        if name not in self._desk.models.parts:
            known = ", ".join(self._desk.models.parts) or "none"
            raise NotFound(f"There is no model {name!r} in soloist.toml. Known: {known}.")
        if skill and skill not in self.skills:
            told = f"skill: {skill[:60]!r} asks no model. These do: {', '.join(self.skills)}."
            raise BadInput(told, field="skill")
        found, likely, worst = list[tuple[str, str]](), 0, 0
        for one in [skill] if skill else self.skills:
            taken = 0
            for what in await self._store.read(lambda conn, one=one: self._objects(conn, one, most)):  # type: ignore[misc]  # bound now
                question = await self._asked(name, what, one) if taken < most else None
                if question is None:
                    continue
                taken += 1
                found.append((what, one))
                cost = await self._cost_of(question, name)
                likely, worst = likely + cost[0], worst + cost[1]
        if not found:
            raise NotFound("There is no case to try a model on yet. Nothing was asked.")
        currency = self._desk.spend.currency
        said = self._said(name, found, (likely, worst), await self._left())
        return Plan(name, tuple(found), likely, worst, currency, said)

    async def _cost_of(self, question: Question, name: str) -> tuple[int, int]:
        """What a question is likely to cost, and at the most when its answer has to be put right once."""
        models = self._desk.models.only(name)
        await models.load(question)
        told = wire.told(Nightly(models).asked(question, name)[0])
        out, tokens, price = told["settings"]["max_tokens"], decide.most_tokens(told), models.price(name)
        again = worst_of(price, tokens + out + decide.MOST_SAID, out)
        return models.estimate(question)["micro"], worst_of(price, tokens, out).micro + again.micro

    async def _asked(self, name: str, what: str, skill: str) -> Question | None:
        """What a model would be asked in a case, None when nothing."""
        try:
            case = await self._store.read(lambda conn: self._case(conn, what, skill))
            return (await self._question(case, name))[0]
        except SoloistError:
            return None

    def _said(self, name: str, cases: Sequence[Any], cost: tuple[int, int], left: int | None) -> str:
        """The estimate in a sentence (CapReached when no cap leaves room for it)."""
        currency = self._desk.spend.currency
        likely, worst = (amount("money", one, currency) for one in cost)
        said = f"{len(cases)} questions to {name}: likely {likely}, at most {worst}."
        if left is None or cost[1] <= left:
            return said
        room = amount("money", max(0, left), currency)
        if cost[0] > left:
            raise CapReached(f"{said} Your caps leave {room}, so nothing was asked. See: soloist budget")
        return f"{said} Your caps leave {room}: at that the trial ends with what it has."

    async def _left(self) -> int | None:
        """Millionths that the caps of the whole house leave, None when none is set."""
        now, zone = iso(self._store.clock()), self._desk.settings.business.zone
        page = await self._store.read(lambda conn: figures.page(conn, self._desk.spend, now, zone))
        lines = [cap for cap in page.caps if cap.scope == "house" and cap.measure == "money"]
        room = [cap.most + max(0, cap.extra) - cap.used for cap in lines if cap.span in ("day", "month", "total")]
        return min(room, default=None)

    # ----- the trial

    async def begin(self, plan: Plan, *, who: str, engine: bool = False) -> str:
        """Set a trial up; its id. ``engine``: the server carries it out by itself."""
        part = self._desk.models.parts[plan.model]
        row = {"kind": KIND, "name": plan.model, "candidate": f"{part.kind}/{part.model}", "baseline": "rules"}
        cost = {"likely_micro": plan.likely, "worst_micro": plan.worst, "currency": plan.currency}

        def work(tx: Tx) -> str:
            ident = trials.begin(tx, {**row, "totals": cost}, [what for what, _ in plan.cases], who=who)
            told = [{"n": n, "detail": {"skill": skill}} for n, (_, skill) in enumerate(plan.cases)]
            blank = {"outcome": "", "before": None, "after": None}
            trials.tell(tx, ident, [{**blank, **one} for one in told])
            if engine:
                tx.start(f"{FLOW}:{ident}", FLOW, ident, subject=ident)
            return ident

        return await self._store.write(work)

    async def through(self, ident: str) -> dict[str, Any]:
        """Carry a trial out here and now; the row as it ended."""
        while (await self.some("", ident))["left"]:
            pass
        return await self._store.read(lambda conn: trials.get(conn, ident))

    async def some(self, _run: str, ident: str) -> dict[str, int]:
        """Try the next cases; answers how many are left, 0 when the trial is over or a cap has ended it."""
        row = await self._store.read(lambda conn: trials.get(conn, ident))
        if row["state"] != trials.RUNNING:
            return {"left": 0}
        waiting = await self._store.read(lambda conn: trials.waiting(conn, ident, SOME + 1))
        found, ended = list[dict[str, Any]](), len(waiting) <= SOME
        for one in waiting[:SOME]:
            try:
                found.append({"n": one["n"], **await self._row(row, one)})
            except CapReached as error:
                cut, ended = {"outcome": again.CANNOT, "before": None, "after": None}, True
                found.append({"n": one["n"], **cut, "detail": {**one["detail"], "cannot": error.detail, "cap": True}})
                break

        def work(tx: Tx) -> dict[str, int]:
            trials.tell(tx, ident, found)
            if ended:
                part = self._desk.models.parts.get(row["name"])
                whole = {**(row["totals"] or {}), **totals(trials.outcomes(tx.conn, ident), part.stage if part else 0)}
                trials.end(tx, ident, trials.DONE, whole)
            return {"left": 0 if ended else len(waiting) - len(found)}

        return await self._store.write(work)

    async def _row(self, trial: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
        """One case as a row of its trial (CapReached)."""
        skill = str((one["detail"] or {}).get("skill", ""))
        nothing: dict[str, Any] = {"outcome": again.CANNOT, "before": None, "after": None}
        try:
            case = await self._store.read(lambda conn: self._case(conn, one["object"], skill))
            question, first = await self._question(case, trial["name"])
        except SoloistError as error:
            return {**nothing, "detail": {"skill": skill, "title": one["object"][:80], "cannot": error.detail}}
        detail: dict[str, Any] = {"skill": skill, "title": case.title[:120] or one["object"][:80]}
        if question is None:
            return {**nothing, "detail": {**detail, "cannot": "No model would be asked for this any more."}}
        total = (trial["totals"] or {}).get("worst_micro", 0)
        cap = Cap("run", trial["id"], "total", "money", total, self._desk.spend.currency, (), "this trial")
        payer = Payer(trial["id"], f"case.{one['n']}", flow=FLOW, limits=(cap,) if total else ())
        models, started = self._desk.models.only(trial["name"]), time.monotonic()
        try:
            answer = await models.ask(question, payer, AtOnce(trial["id"]))
        except CapReached:
            raise
        except ModelTrouble as error:
            fault = str(error.extra.get("fault", "malformed"))
            detail |= {"cannot": error.detail, "fault": fault, "good": False, **await self._cost(payer, started)}
            return {**nothing, "detail": detail}
        detail |= await self._cost(payer, started)
        return await self._held(case, first, answer.value, detail, answer.author)

    async def _cost(self, payer: Payer, started: float) -> dict[str, Any]:
        """What a case came to by the books: {micro, tokens, ms}; all tries of it."""
        rows = await self._store.read(lambda conn: model_calls.of_steps(conn, payer.run, [payer.step]))
        took = sum(int(row["milliseconds"]) for row in rows) or int((time.monotonic() - started) * 1000)
        tokens = sum(int(row["tokens_in"]) + int(row["tokens_out"]) for row in rows)
        return {"micro": sum(int(row["cost_micro"]) for row in rows), "tokens": tokens, "ms": took}

    async def _held(
        self, case: Case, first: Mapping[str, Any], value: Any, detail: dict[str, Any], author: str
    ) -> dict[str, Any]:
        """An answer held against what the operator wanted, or against the checks of the skill."""
        if case.skill == SORT:
            said, told = str(value["kind"]), str((case.wanted or {})["kind"])
            right, before = said == told, str(first["kind"])
            outcome = again.SAME if right == (before == told) else again.BETTER if right else again.WORSE
            detail |= {"by": "your word", "score": 1000 * right, "rules": 1000 * (before == told), "good": right}
            texts = {"before": {"text": before}, "after": {"text": said}}
            return {"outcome": outcome, **texts, "detail": {**detail, "wanted": told}}
        given = {**case.given, "answer": value}
        if "author" in self._desk.runtime.roster.skills[case.skill].input.model_fields:
            given["author"] = author
        try:
            second = await self._desk.runtime.again(case.skill, given, case.blob)
            faults = [*telling.faults_of(second), *await self._claims(case, second)]
        except SoloistError as error:
            second, faults = {}, [error.detail]
        if not faults and telling.same(first, second):
            faults = ["Nothing of the answer was kept."]
        before, after = _words(first), _words(second)
        detail |= {"by": "claim check", "faults": faults[:5], "good": not faults, "score": 0 if faults else 1000}
        outcome = again.WORSE if faults else again.DIFFERS
        if case.wanted:
            wanted = wording.text_of(case.wanted)
            score, rules = (1000 - wording.distance(text, wanted) for text in (after, before))
            edited = wording.text_of({name: first.get(name) for name in case.wanted}) != wanted
            good = not faults and (score >= rules or not edited)
            detail |= {"by": "edit distance", "score": score, "rules": rules, "good": good, "wanted": wanted}
            detail |= {"before": 1000 - rules, "after": 1000 - score}
            outcome = again.WORSE if faults or score < rules else again.BETTER if score > rules else again.SAME
        return {"outcome": outcome, "before": {"text": before}, "after": {"text": after}, "detail": detail}

    async def _claims(self, case: Case, value: Mapping[str, Any]) -> list[str]:
        """What a text claims that nothing it was given bears out."""
        text = next((value[name] for name in _CLAIMED if isinstance(value.get(name), str) and value[name]), "")
        if not text:
            return []
        read, business = case.given.get("understanding") or {}, self._desk.settings.business
        known = [business.owner, business.name, str(case.given.get("sender_name") or "")]
        context = [{"name": "what was given", "text": _given(case.given), "ours": True}]
        asked = {
            "text": text,
            "context": context,
            "known": [name for name in (*known, str((read.get("contact") or {}).get("name") or "")) if name],
            "language": str(value.get("language") or ""),
            "house_book": str(case.given.get("house_book") or ""),
        }
        found = (await self._desk.runtime.again("check_claims", asked))["findings"]
        return [str(one["why"]) for one in found if one["weight"] == "stop"]

    # ----- cases

    async def _question(self, case: Case, name: str) -> tuple[Question | None, dict[str, Any]]:
        """What a model is asked in a case, and what rules alone answer; None when it is nothing."""
        if case.skill == SORT:
            return sorting.question(case.given, name), {"kind": case.given["was"]}
        first = await self._desk.runtime.again(case.skill, dict(case.given), case.blob)
        if not first.get("ask"):
            return None, first
        ask = Ask.model_validate(first["ask"])
        question = Question(ask.instructions, ask.given, ask.answer_schema, least=0, most=4, model=name)
        return replace(question, skill=case.skill), first

    def _objects(self, conn: Any, skill: str, most: int) -> list[str]:
        """The operator's own cases of a skill, the newest first: corrections, past messages, then its examples."""
        if skill == SORT:
            return [f"message:{row['message']}" for row in labels.of_skill(conn, SORT, most)]
        found = [f"correction:{one}" for one in trials.corrections_of(conn, skill=skill, most=most)]
        found += [f"run:{one}" for one in trials.runs_of(conn, skill=skill, most=most)]
        contract = contracts.of(self._desk.runtime.roster.skills[skill])
        own = [one for one in contract.examples if not one.hostile and "answer" not in one.input]
        return [*found, *(f"example:{one.name}" for one in own)]

    def _case(self, conn: Any, what: str, skill: str) -> Case:
        """A case as it was kept (NotFound)."""
        kind, _, ident = what.partition(":")
        if kind == "message":
            found = next((row for row in labels.of_skill(conn, SORT) if row["message"] == ident), None)
            if found is None:
                raise NotFound("Your word on this message is gone.")
            return Case(SORT, str(found["subject"]), found, {"kind": found["label"]})
        if kind == "example":
            whole = self._desk.runtime.roster.skills[skill]
            for one in contracts.of(whole).examples:
                if one.name == ident:
                    given = self._bare(skill, one.input)
                    return Case(skill, f"Example: {ident}", given, None, contracts.blob(whole, one))
            raise NotFound(f"The skill {skill} has no example {ident[:60]!r} any more.")
        kept = replaying.case_of(conn, kind, ident)
        call = next((one for one in kept["calls"] if one["skill"] == skill and not one["input"].get("answer")), None)
        if call is None or call["blob"]:
            raise NotFound("What the skill was given for this was not kept.")
        title = str(call["input"].get("subject") or ident)
        wanted = kept["wanted"] if "body" in (kept["wanted"] or {}) and skill == "draft_reply" else None
        shown = {name: part for name, part in (wanted or {}).items() if name in ("body", "subject")}
        return Case(skill, title, self._bare(skill, call["input"]), shown or None)

    def _bare(self, skill: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """An input as it is before any model was asked, with leave to ask one."""
        fields = self._desk.runtime.roster.skills[skill].input.model_fields
        found = {name: part for name, part in given.items() if name not in ("answer", "author")}
        return {**found, **{name: True for name in ("prose", "ask") if name in fields}}


def _words(value: Mapping[str, Any]) -> str:
    """The words of an output that a person would look at."""
    return wording.text_of({name: part for name, part in value.items() if name not in _PASSING})[:4000]


def _given(given: Mapping[str, Any]) -> str:
    """Everything a text was given to rest on, as text."""
    parts = [part for part in given.values() if isinstance(part, str)]
    read = cast(Mapping[str, Any], given.get("understanding") or {})
    return marked("\n".join([*parts, str(read.get("own_text") or "")]))[:50_000]


# ----- how it came out


def totals(rows: Sequence[Mapping[str, Any]], tier: int) -> dict[str, Any]:
    """The whole of a trial and each skill apart: {skills: {name: {cases, good, score, rules, micro, ms, said}}}."""
    by: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        detail = row["detail"] or {}
        if not detail.get("cap"):
            by.setdefault(str(detail.get("skill", "")), []).append(detail)
    found = again.totals([{**row, "detail": {}} for row in rows])
    found["skills"] = {skill: _of_skill(skill, details, tier) for skill, details in by.items() if skill}
    found["micro"] = sum(one["micro"] for one in found["skills"].values())
    found["cut"] = any((row["detail"] or {}).get("cap") for row in rows)
    return found


def _of_skill(skill: str, details: Sequence[Mapping[str, Any]], tier: int) -> dict[str, Any]:
    """One skill of a trial, with the tier that it suggests."""
    asked = [one for one in details if "ms" in one]
    good, took = sum(bool(one.get("good")) for one in asked), sorted(int(one["ms"]) for one in asked)
    scored = [one for one in asked if one.get("rules") is not None]
    enough = bool(asked) and good / len(asked) >= GOOD
    few = f" Only {len(asked)}: few to go by." if len(asked) < CASES else ""
    word = f"Tier {tier} is enough for it." if enough else "Leave it to the rules, or try a larger model."
    return {
        "cases": len(asked),
        "good": good,
        "score": round(sum(one["score"] for one in scored) / len(scored)) if scored else None,
        "rules": round(sum(one["rules"] for one in scored) / len(scored)) if scored else None,
        "micro": sum(int(one["micro"]) for one in asked),
        "ms": round(median(took)) if took else 0,
        "slowest_ms": took[-1] if took else 0,
        "by": next((str(one["by"]) for one in asked if one.get("by")), ""),
        "faults": sorted({str(one["fault"]) for one in asked if one.get("fault")}),
        "tier": tier if enough else 0,
        "said": f"{word}{few}" if asked else "No case of it could be asked.",
    }
