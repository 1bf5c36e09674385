"""Replaying: kept corrections and runs are done again with a candidate; nothing but rows of the trial is written.

Skills run again in the limited worker on the inputs that were kept. A model is never asked: a recording answers, or
the row says that nobody was asked. No effect, proposal, record or memory can come of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.engine.store import assets, calls, corrections, proposals, published, releases, trials
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.ruling import Change, Ruling
from soloist.kernel.errors import BadInput, NotFound, SoloistError
from soloist.sdk.flow import Flow, Verbs
from soloist.stages import policy
from soloist.stages.runtime import again, agents, kinds, wording
from soloist.stages.runtime.models import recorded

KINDS = ("agent", "skill", "model", "policy", "run")
MOST = 2000
"""Cases of one trial, the newest first."""
SOME = 20
"""Rows between two looks at whether the trial was stopped."""
GATE = 200
"""Corrections that a version is tried on before it is put in use."""
FLOW = "trial"


@dataclass(frozen=True)
class Asked:
    """What is to be tried. ``name`` is that of the agent, skill, model or run; ``version`` of an agent; ``text`` is the
    policy.toml to be tried; ``since`` an ISO instant; ``corrected`` leaves runs that nobody corrected out."""

    kind: str
    name: str = ""
    version: str = ""
    text: str = ""
    since: str = ""
    corrected: bool = False
    most: int = MOST


Answers = Callable[[str, dict[str, Any], bytes], Awaitable[dict[str, Any]]]
"""(skill, input, bytes) -> what a skill answers."""


@dataclass(frozen=True)
class Candidate:
    """What takes the place of what there was then; ``content`` is that of an agent, ``answers`` runs a skill that is
    not in use."""

    kind: str
    name: str = ""
    version: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    skills: frozenset[str] = frozenset()
    answers: Answers | None = None


def trial(desk: Desk) -> Flow:
    """A trial, some rows a step; a step that is done again goes on where it was."""
    replaying = Replaying(desk)

    async def body(do: Verbs, ident: str) -> None:
        n, left = 0, 1
        while left:
            left = (await do.step(f"rows {n}", replaying.some, ident))["left"]
            n += 1

    return Flow(FLOW, body)


class Replaying:
    """The trials of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._desk, self._store = desk, desk.store

    # ----- beginning

    async def begin(self, asked: Asked, *, who: str, engine: bool = False) -> str:
        """Set a trial up; its id (BadInput, BadConfig, NotFound). ``engine``: the server carries it out by itself."""
        if asked.kind not in KINDS:
            raise BadInput(f"kind: one of {', '.join(KINDS)}.", field="kind")
        if asked.kind == "policy":
            return await self._policy(asked, who)
        candidate, baseline = await self._known(asked)

        def work(tx: Tx) -> str:
            objects = _objects(tx, asked)
            if asked.kind == "run" and asked.name and not objects:
                raise NotFound(f"There is no ended run {asked.name[:80]} whose skills were kept.", field="run")
            row = {"kind": asked.kind, "name": asked.name, "candidate": candidate, "baseline": baseline}
            ident = trials.begin(tx, row, objects, who=who)
            if engine:
                tx.start(f"{FLOW}:{ident}", FLOW, ident, subject=ident)
            return ident

        return await self._store.write(work)

    async def _known(self, asked: Asked) -> tuple[str, str]:
        """The candidate and what is in use, as they are called (NotFound, BadInput)."""
        if asked.kind == "skill":
            skill = self._desk.runtime.roster.skills.get(asked.name)
            if skill is None:
                raise NotFound(f"There is no skill called {asked.name[:80]!r}.", field="name")
            if asked.version not in ("", skill.version):
                told = f"version: {asked.name}@{skill.version} is installed; only an installed version can be tried."
                raise BadInput(told, field="version")
            return f"{skill.name}@{skill.version}", ""
        if asked.kind == "agent":
            row = await self._store.read(lambda conn: releases.get(conn, "agent", asked.name))
            version = asked.version or str(row["version"])
            await self._store.read(lambda conn: published.get(conn, "agent", asked.name, version))
            return f"{asked.name}@{version}", f"{asked.name}@{row['version']}"
        if asked.kind == "model" and asked.name not in self._desk.models.parts:
            known = ", ".join(self._desk.models.parts) or "none is set"
            raise NotFound(f"There is no model called {asked.name[:80]!r}; {known}.", field="name")
        return asked.name, ""

    async def cancel(self, ident: str, *, who: str) -> None:
        """Stop a trial (NotFound, Conflict)."""
        await self._store.write(lambda tx: trials.cancel(tx, ident, who=who))

    # ----- carrying out

    async def some(self, _run: str, ident: str) -> dict[str, int]:
        """Try the next rows; answers how many are left, 0 when the trial is over."""
        row = await self._store.read(lambda conn: trials.get(conn, ident))
        if row["state"] != trials.RUNNING:
            return {"left": 0}
        waiting = await self._store.read(lambda conn: trials.waiting(conn, ident, SOME + 1))
        if waiting:
            candidate = await self._candidate(row)
            found = [{"n": one["n"], **await self.one(one["object"], candidate)} for one in waiting[:SOME]]
            await self._store.write(lambda tx: trials.tell(tx, ident, found), full=False)
        if len(waiting) <= SOME:
            await self._store.write(lambda tx: _end(tx, ident))
            return {"left": 0}
        return {"left": len(waiting) - SOME}

    async def through(self, ident: str) -> dict[str, Any]:
        """Carry a trial out here and now; the row as it ended."""
        while (await self.some("", ident))["left"]:
            pass
        return await self._store.read(lambda conn: trials.get(conn, ident))

    async def _candidate(self, row: Mapping[str, Any]) -> Candidate:
        """The candidate of a trial with its content."""
        if row["kind"] != "agent":
            return Candidate(row["kind"], row["name"])
        name, _, version = str(row["candidate"]).partition("@")
        found = await self._store.read(lambda conn: published.get(conn, "agent", name, version))
        return agent_candidate(name, version, found["content"])

    # ----- one case

    async def one(self, what: str, candidate: Candidate) -> dict[str, Any]:
        """One case done again: {outcome, before, after, detail}; what cannot be done says why."""
        kind, _, ident = what.partition(":")
        try:
            case = await self._store.read(lambda conn: case_of(conn, kind, ident))
            redone = await self.redo(case["calls"], candidate, case["made_with"], run=case["run"])
            redone_more = [] if kind != "run" else await self._looked_up(ident)
        except SoloistError as error:
            detail = {"cannot": error.detail}
            return {"outcome": again.CANNOT, "before": None, "after": None, "detail": detail}
        return _told(case, redone, redone_more)

    async def _looked_up(self, run: str) -> list[str]:
        """The look-ups in memory of a run, answered again as of then: sentences about those that come out otherwise."""
        found = []
        for row in await self._store.read(lambda conn: trials.retrievals_of(conn, run)):
            told = await self._desk.memory.replay(row)
            if not told["identical"]:
                found.append(f"The look-up {row} finds something else now{': ' + told['why'] if told['why'] else ''}.")
        return found

    async def redo(
        self,
        made: Sequence[Mapping[str, Any]],
        candidate: Candidate,
        made_with: Mapping[str, Any] | None = None,
        *,
        run: str = "",
    ) -> again.Redone:
        """Kept calls done again in their order, each with what those before it answer now."""
        changes: list[again.Change] = []
        steps: list[again.Step] = []
        base = await self._base(candidate, made_with or {})
        answer: Any = None
        made = sorted(made, key=lambda call: call["skill"] == policy.looked.SKILL)  # what is judged is made before
        for place, call in enumerate(made):
            given = again.carried(call["input"], changes)
            given, swapped = _swapped(given, candidate, base)
            if "answer" in given and answer is not None:
                given["answer"], swapped = answer, swapped or f"the model {candidate.name}"
            if _forbidden(call["skill"], candidate, base):
                told = f"{candidate.name}@{candidate.version} may not use {call['skill']}."
                return again.Redone(steps, changes, told)
            output = await self._call(call, given, candidate)
            answer = None
            if output.get("ask"):
                asked_again = any(
                    one["skill"] == call["skill"] and "answer" in one["input"] for one in made[place + 1 :]
                )
                answer, cannot = await self._asked(call, output, candidate, run) if asked_again else (None, "")
                if cannot:
                    return again.Redone(steps, changes, cannot)
            own = candidate.answers is not None and call["skill"] == candidate.name
            now = candidate.version if own else self._version(call["skill"])
            same = output == call["output"]
            swapped = swapped or ("" if same or call["version"] == now else _newer(call, now, output))
            steps.append(again.Step(call["skill"], call["version"], now, same, _why(call, given, swapped, steps)))
            changes += again.answers(call["output"], output)
        return again.Redone(steps, changes)

    def _version(self, skill: str) -> str:
        own = {wording.SKILL: wording.VERSION, kinds.SKILL: kinds.VERSION}
        if skill in own or skill == policy.looked.SKILL:
            return own.get(skill) or policy.looked.version(self._desk.judging.rules)
        known = self._desk.runtime.roster.skills.get(skill)
        return str(known.version) if known else ""

    async def _call(self, call: Mapping[str, Any], given: dict[str, Any], candidate: Candidate) -> dict[str, Any]:
        """One call done again (NotFound when its bytes are gone)."""
        if call["skill"] == wording.SKILL:
            return wording.reworded(given)
        if call["skill"] == kinds.SKILL:
            return kinds.again(given)
        if call["skill"] == policy.looked.SKILL:
            return policy.looked.again(self._desk.judging.rules, given)
        blob, folder = b"", self._desk.home.assets
        if call["blob"]:
            blob = await self._store.read(lambda conn: assets.load(conn, folder, call["blob"]))
        if candidate.answers is not None and call["skill"] == candidate.name:
            return await candidate.answers(call["skill"], given, blob)
        return await self._desk.runtime.again(call["skill"], given, blob)

    async def _asked(
        self, call: Mapping[str, Any], output: Mapping[str, Any], candidate: Candidate, run: str
    ) -> tuple[Any, str]:
        """What a model answers to a question of a skill, from recordings only: (None for as it was, why not)."""
        if candidate.kind != "model":
            same = output["ask"] == call["output"].get("ask")
            told = f"{call['skill']} asks a model something else now, and a trial asks nobody."
            return None, "" if same else told
        part = self._desk.models.parts[candidate.name]
        value = await self._store.read(lambda conn: recorded.answer(conn, part, run, call["skill"]))
        if value is None:
            told = f"The model {candidate.name} was never asked what {call['skill']} asked, and a trial asks nobody."
            return None, told
        return value, ""

    async def _base(self, candidate: Candidate, made_with: Mapping[str, Any]) -> Mapping[str, Any]:
        """The content of the agent's version that made it then."""
        name, _, version = str(made_with.get("agent") or "").partition("@")
        if candidate.kind != "agent" or name != candidate.name:
            return {}
        row = await self._store.read(lambda conn: published.version(conn, "agent", name, version))
        roster = self._desk.runtime.roster
        if row is None and name in roster.specs and roster.specs[name].version == version:
            return dict(roster.contents[name])
        return dict(row["content"]) if row else {}

    # ----- before a version is put in use

    async def worse(self, name: str, version: str, content: Mapping[str, Any], *, who: str) -> dict[str, Any]:
        """Try a version of an agent on its kept corrections: {trial, tried, worse, better}; the trial is kept."""
        return await self.gate(agent_candidate(name, version, content), who=who)

    async def gate(self, candidate: Candidate, *, who: str) -> dict[str, Any]:
        """The same of an agent or a skill that is not in use."""
        of, label = {candidate.kind: candidate.name}, f"{candidate.name}@{candidate.version}"

        def work(tx: Tx) -> tuple[str, list[str]]:
            found = [f"correction:{one}" for one in trials.corrections_of(tx.conn, **of, most=GATE)]
            if not found:
                return "", []
            row = {"kind": candidate.kind, "name": candidate.name, "candidate": label, "baseline": "in use"}
            return trials.begin(tx, row, found, who=who), found

        if not await self._store.read(lambda conn: trials.corrections_of(conn, **of, most=1)):
            return {"trial": "", "tried": 0, "worse": 0, "better": 0}
        ident, objects = await self._store.write(work)
        rows = [{"n": n, **await self.one(what, candidate)} for n, what in enumerate(objects)]

        def tell(tx: Tx) -> dict[str, Any]:
            trials.tell(tx, ident, rows)
            return _end(tx, ident)

        found = await self._store.write(tell)
        return {"trial": ident, "tried": len(rows), "worse": found["worse"], "better": found["better"]}

    # ----- policy

    async def _policy(self, asked: Asked, who: str) -> str:
        """A policy.toml against the newest proposals of the past, beside what the operator said about each."""
        zone = self._desk.settings.business.timezone
        found = await Ruling(self._store, self._desk.judging, zone).try_file(asked.text, last=min(asked.most, MOST))

        def work(tx: Tx) -> str:
            row: dict[str, Any] = {
                "kind": "policy",
                "name": asked.name or "policy.toml",
                "candidate": asked.text,
                "baseline": "",
            }
            row["totals"] = {"tried": found.tried}
            ident = trials.begin(tx, row, [f"proposal:{one.proposal}" for one in found.changes], who=who)
            told = [{"n": n, **_judged(one)} for n, one in enumerate(found.changes)]
            trials.tell(tx, ident, told)
            _end(tx, ident, same=found.tried - len(told))
            return ident

        return await self._store.write(work)


def agent_candidate(name: str, version: str, content: Mapping[str, Any]) -> Candidate:
    """A version of an agent as a candidate (BadConfig)."""
    spec = agents.spec_of(content, f"{name}@{version}")
    return Candidate("agent", name, version, content, frozenset(spec.skills))


def _objects(tx: Tx, asked: Asked) -> list[str]:
    """What is tried: corrections first, then runs that are not theirs."""
    if asked.kind == "run":
        return [f"run:{one}" for one in trials.runs_of(tx.conn, run=asked.name, since=asked.since, most=asked.most)]
    of = {asked.kind: asked.name} if asked.kind in ("agent", "skill") else {}
    found = [f"correction:{one}" for one in trials.corrections_of(tx.conn, **of, since=asked.since, most=asked.most)]
    left = asked.most - len(found)
    if not asked.corrected and left > 0:
        found += [f"run:{one}" for one in trials.runs_of(tx.conn, **of, since=asked.since, most=left)]
    return found


def case_of(conn: Any, kind: str, ident: str) -> dict[str, Any]:
    """{calls, made_with, given, wanted}: ``wanted`` None when nobody said, {} when it was not wanted at all."""
    if kind == "correction":
        row = corrections.get(conn, ident)
        made = calls.whole(conn, (row["input"] or {}).get("calls") or [])
        if not made:
            raise NotFound("What the skills were given for this was not kept, so it cannot be done again.")
        kept = {"calls": made, "made_with": row["input"].get("made_with") or {}, "run": row["run"]}
        return {**kept, "given": row["given"] or {}, "wanted": row["wanted"] or {}}
    found = trials.of_run(conn, ident)
    first = next(iter(found["proposals"]), None)
    given, wanted = {}, None
    if first is not None:
        given = proposals.versions(conn, first["id"])[0]["payload"]
        wanted = first["payload"] if first["state"] == "approved" else None
    made_with = found["run"]["made_with"] or {}
    called = calls.whole(conn, found["calls"])
    return {"calls": called, "made_with": made_with, "run": ident, "given": given, "wanted": wanted}


def _told(case: Mapping[str, Any], redone: again.Redone, more: Sequence[str]) -> dict[str, Any]:
    """A case done again as a row of its trial."""
    if redone.cannot:
        detail: dict[str, Any] = {"cannot": redone.cannot}
        return {"outcome": again.CANNOT, "before": None, "after": None, "detail": detail}
    given = case["given"]
    after = again.carried(given, redone.changes)
    found = again.compared(given, after, case["wanted"])
    outcome = found.pop("outcome")
    if outcome == again.SAME and (more or any(not step.same for step in redone.steps)):
        outcome = again.DIFFERS
    steps = [vars(step) for step in redone.steps]
    unexplained = [*redone.unexplained, *more]
    detail = {**found, "why": redone.why, "unexplained": unexplained, "steps": steps}
    texts = {"before": {"text": wording.text_of(given)}, "after": {"text": wording.text_of(after)}}
    if case["wanted"]:
        detail["wanted"] = wording.text_of(case["wanted"])
    return {"outcome": outcome, **texts, "detail": detail}


def _swapped(given: dict[str, Any], candidate: Candidate, base: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """An input with the candidate's texts in place of those of the version then: (input, what was put in place)."""
    if candidate.kind != "agent" or not base:
        return given, ""
    found, label = dict(given), ""
    for part in ("templates", "instructions"):
        old, new, there = base.get(part), candidate.content.get(part), given.get(part)
        if there is None or old == new:
            continue
        if isinstance(there, Mapping) and isinstance(old, Mapping) and isinstance(new, Mapping):
            own = {name: text for name, text in there.items() if old.get(name) != text}
            put: Any = {**new, **own}
        else:
            put = new if there == old else there
        if put != there:
            found[part], label = put, f"{part} of {candidate.name}@{candidate.version}"
    return found, label


def _forbidden(skill: str, candidate: Candidate, base: Mapping[str, Any]) -> bool:
    """Whether the candidate may no longer use a skill that its version then might."""
    if candidate.kind != "agent" or not base or skill in candidate.skills:
        return False
    return skill in agents.spec_of(base, candidate.name).skills


def _newer(call: Mapping[str, Any], now: str, output: Mapping[str, Any]) -> str:
    """Which other version answers; of policy also which rule says what instead."""
    if call["skill"] == policy.looked.SKILL:
        then, said = call["output"], output.get("rule") or output.get("reason")
        return f"policy {call['version']} is {now} now: {said!r} says {output['answer']} instead of {then['answer']}"
    return f"{call['skill']}@{call['version'] or '?'} is {call['skill']}@{now or '?'} now"


def _why(call: Mapping[str, Any], given: Mapping[str, Any], swapped: str, steps: Sequence[again.Step]) -> str:
    """What can make a call answer otherwise than then; "" when there is nothing."""
    if swapped:
        return swapped
    if given != call["input"]:
        return next((step.why for step in reversed(steps) if not step.same), "")
    return ""


def _judged(change: Change) -> dict[str, Any]:
    """A proposal that would be judged otherwise, by what the operator said about it."""
    outcome = again.DIFFERS if not change.wanted else again.WORSE if change.against else again.BETTER
    detail = {
        "why": [change.why],
        "wanted": {"ask": "you changed or rejected it", "allow": "you approved it"}.get(change.wanted),
    }
    texts = {"before": {"text": change.now}, "after": {"text": change.then}}
    return {"outcome": outcome, **texts, "detail": {**detail, "title": change.title, "at": change.at}}


def _end(tx: Tx, ident: str, **more: int) -> dict[str, Any]:
    """Sum a trial up."""
    found = again.totals(trials.outcomes(tx.conn, ident))
    for name, count in more.items():
        found[name] = found.get(name, 0) + count
    whole = {**(trials.get(tx.conn, ident)["totals"] or {}), **found}
    trials.end(tx, ident, trials.DONE, whole)
    return whole
