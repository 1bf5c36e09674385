"""Steps of the runtime: understand a message, think about an answer; skills run in the limited worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from soloist.config import Home, Settings
from soloist.engine import calls
from soloist.engine.store import assets, conversations, records, releases, thresholds, wordings
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.engine.worker import Worker
from soloist.kernel import identity
from soloist.kernel.agent import AgentSpec
from soloist.kernel.errors import SoloistError
from soloist.kernel.message import Draft, Qualified, Understanding
from soloist.kernel.work import Worked, WorkItem
from soloist.sdk import Skill
from soloist.sdk.flow import Verbs
from soloist.stages.runtime import decide, kinds, learning, telling, wording
from soloist.stages.runtime.agents import templates_of
from soloist.stages.runtime.models import AtOnce, Models
from soloist.stages.runtime.replying import INTAKE, WRITER, Case, Finished, Piece, Reply, Replying, Seeing
from soloist.stages.runtime.roster import Roster
from soloist.stages.runtime.working import Cases, Leaves, Working

LONG = 600
"""Characters of own words from which a message gets a summary."""
SENTENCES = 3
TIMEOUT = 20.0
"""Seconds that one skill may take, unless its agent allows it less."""


class Reads(Protocol):
    """The limited worker process."""

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run a skill on text or bytes from outside."""


class Said(Protocol):
    """The standing rules of the operator (``stages.standing``)."""

    def route(self, conn: Any, sender: str) -> tuple[str, str] | None:
        """What a message from an address is by a rule: (kind, the rule in words)."""

    def routed(self, tx: Tx, message: str, sender: str, run: str) -> None:
        """Note that a rule said so."""

    def tongue(self, conn: Any, sender: str) -> str:
        """In which language somebody is answered by a rule, "" when none says."""

    def tell(self, conn: Any, agent: str, client: str) -> list[str]:
        """What an agent that writes is told for a client (id of a record), in the operator's words."""

    def dress(self, conn: Any, body: str, sender: str) -> Any:
        """A body as the rules would have it: ``body``, ``used``, ``notes`` and ``faults``."""


@dataclass(frozen=True)
class Thought:
    """What an agent came to: the draft it proposes and everything it rests on."""

    agent: str
    message: Mapping[str, Any]
    understanding: Understanding
    answers: list[Qualified]
    verdict: str
    draft: Draft
    faults: list[str]
    recipient: str
    known: bool
    ruled: tuple[tuple[str, str], ...] = ()
    """Versions of standing rules that applied, and what each did."""
    work: tuple[Piece, ...] = ()
    """Each piece of work it came to, the draft's first."""

    @property
    def author(self) -> str:
        """Who wrote the draft: "rules" for a template."""
        return self.work[0][1].author if self.work else telling.RULES


class Runtime:
    """Runs the shipped agents at tier 0."""

    def __init__(
        self,
        store: Store,
        home: Home,
        settings: Settings,
        worker: Reads,
        agents: Mapping[str, Path],
        *,
        skills: Mapping[str, Skill] | None = None,
        fitter: Callable[[], learning.Fits] = Worker,
    ) -> None:
        """``agents`` are folders by name; a wrong one is a trouble of the roster. ``fitter`` makes the process in
        which the local model is fitted, so that nobody waits for it."""
        self._fitter = fitter
        self._store, self._home, self._settings, self._worker = store, home, settings, worker
        self.roster = Roster(agents, skills or {}, home.root / "agents")
        store.read_now(self.roster.refresh)
        self._working = Working(self.roster, worker, store)
        self._replying = Replying(self._working)
        self.said: Said | None = None

    def equip(self, models: Models) -> None:
        """Let agents ask these models, as far as their contracts allow it."""
        self._working.models = models

    def like_cases(self, cases: Cases) -> None:
        """Tell models what the operator changed in like cases before."""
        self._working.cases = cases

    def validated_by(self, leaves: Leaves) -> None:
        """Ask the large tier only where it has shown its worth or the operator validates."""
        self._working.leaves = leaves

    def keep_to(self, said: Said) -> None:
        """Let routes, drafts and whoever writes keep to what the operator said once and for all."""
        self.said, self._working.standing = said, said.tell

    async def work(self, item: WorkItem, do: Verbs | AtOnce | None = None) -> Worked:
        """One piece of work of an agent under its contract (``Working.work``)."""
        return await self._working.work(item, do)

    async def bare(self, skill: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What a skill answers before any model was asked, so that a question can be estimated; nothing is kept."""
        return await self._worker.call(skill, dict(given), timeout=TIMEOUT)

    @property
    def agents(self) -> dict[str, AgentSpec]:
        """The contracts in use by name."""
        return self.roster.specs

    async def understand(self, run: str, message_id: str, force_kind: str = "") -> dict[str, Any]:
        """Read meaning into a message: exact rules, then the local model. Answers {kind, rule, set_aside, language}.

        ``force_kind`` is the operator's word on a message that was unsure.
        """
        message, known, thread = await self._store.read(lambda conn: self._begin(conn, message_id))
        given = decide.understand_input(message, self._settings, known=known, thread=thread)
        found = Understanding.model_validate(await self._use(run, "intake", "understand", given))
        facts = decide.facts(message, known=known, thread=thread)
        said = self.said
        told = await self._store.read(lambda conn: said.route(conn, message["sender"])) if said else None
        if force_kind:
            choice = kinds.Choice(force_kind, "your word")
        elif told:
            choice = kinds.Choice(*told)
        else:
            choice = await self._kind(message, found, facts)
        update = {"kind": choice.kind, "kind_rule": choice.rule}
        found = Understanding.model_validate({**found.model_dump(), **update})
        summary = None if found.kind in decide.SET_ASIDE else await self._summary(found)
        return await self._store.write(lambda tx: self._keep(tx, run, message_id, found, summary, choice=choice))

    async def _kind(self, message: Mapping[str, Any], found: Understanding, facts: kinds.Facts) -> kinds.Choice:
        """What an exact rule said, else what the local model makes of it; without a model the word rules stand."""
        if kinds.exact(found.kind, found.kind_rule, facts):
            return kinds.Choice(found.kind, found.kind_rule)
        model, proved = await self._store.read(
            lambda conn: (
                learning.fitted(conn, self._home),
                thresholds.get(conn, learning.SKILL, found.language, kinds.ASIDE),
            )
        )
        try:
            told = await self._worker.call("local.classify", decide.classify_input(message, found, model))
        except SoloistError as error:
            told = {"trouble": error.detail}
        given = kinds.given(found.kind, found.kind_rule, told, facts, proved)
        chosen = kinds.again(given)
        calls.note(kinds.SKILL, kinds.VERSION, given, b"", chosen)
        return kinds.Choice(**chosen)

    async def _summary(self, found: Understanding) -> list[dict[str, Any]] | None:
        """The sentences that say most of a long message, None for a short one or when none could be chosen."""
        if len(found.own_text) <= LONG:
            return None
        given = {"text": found.own_text, "language": found.language, "sentences": SENTENCES}
        try:
            return list((await self._worker.call("local.summary", given))["sentences"])
        except SoloistError:
            return None  # the message itself is shown in full anyway

    def fitter(self) -> learning.Fits:
        """A process of its own in which something is fitted; whoever asked closes it."""
        return self._fitter()

    async def refit(self) -> dict[str, Any]:
        """Fit the local model anew with the operator's labels; answers {adopted, why, labels, model}."""
        return await learning.refit(self._store, self._home, self._fitter)

    async def refit_due(self) -> bool:
        """Whether there are enough new labels that fitting anew is worth it."""
        return await self._store.read(learning.due)

    def _begin(self, conn: Any, message_id: str) -> tuple[dict[str, Any], bool, bool]:
        """As ``_standing``, with the versions of the agents as they are released now."""
        self.roster.refresh(conn)
        return self._standing(conn, message_id)

    def _standing(self, conn: Any, message_id: str) -> tuple[dict[str, Any], bool, bool]:
        """The message, whether its sender is a known client, whether its thread holds something of ours."""
        message = conversations.message(conn, message_id)
        person = records.identified(conn, "email", identity.normal_address(message["sender"] or "nobody@invalid"))
        thread = any(m["direction"] == "out" for m in conversations.of(conn, message["conversation"]))
        known = person is not None and conversations.earlier(conn, person, message["at"])
        known = known or conversations.answered(conn, message["sender"], message["at"])
        return message, known, thread

    def _keep(
        self,
        tx: Tx,
        run: str,
        message_id: str,
        found: Understanding,
        summary: list[dict[str, Any]] | None,
        *,
        choice: kinds.Choice,
    ) -> dict[str, Any]:
        """Store the understanding with the message, once, and what was told with which confidence."""

        def work() -> dict[str, Any]:
            read = {"language": found.language, "understanding": found.model_dump(), "summary": summary}
            conversations.update_message(tx, message_id, kind=found.kind, **read)
            if self.said and found.kind_rule.startswith("your rule"):
                self.said.routed(tx, message_id, conversations.message(tx.conn, message_id)["sender"], run)
            aside = found.kind in decide.SET_ASIDE
            learning.told(tx, message_id, found.language, choice, alone=aside)
            payload = {"kind": found.kind, "rule": found.kind_rule, "set_aside": aside}
            tx.append("message.understood", subject=message_id, payload=payload, run=run)
            releases.made_with(tx, run, self.roster.made_with("intake"))
            return {"kind": found.kind, "rule": found.kind_rule, "set_aside": aside, "language": found.language}

        shown = {"words": [span.text for span in found.kind_words], "own_text": found.own_text[:2000]}
        return dict(once(tx, run, "understand", work, given={"message": message_id}, detail=shown))

    async def think(
        self,
        run: str,
        message_id: str,
        house_book: str,
        stated: Sequence[Mapping[str, Any]] = (),
        seeing: Seeing | None = None,
        *,
        template: str = "",
        do: AtOnce | None = None,
    ) -> Thought:
        """Qualify and have a reply written, with the statements of the run's context, so that nobody is asked twice.

        Texts stay in this process; the caller commits what it keeps. Repeating it is harmless. ``do`` may end it for a
        while (``Parked``).
        """
        message, known, _ = await self._store.read(lambda conn: self._begin(conn, message_id))
        understanding = Understanding.model_validate(message["understanding"])
        understanding, recalled = decide.recollected(understanding, str(message["sender"]), stated)
        said = self.said
        if said and (tongue := await self._store.read(lambda conn: said.tongue(conn, message["sender"]))):
            understanding = understanding.model_copy(update={"language": tongue, "language_sure": True})
        book = await self._store.read(lambda conn: assets.load(conn, self._home.assets, house_book))
        answers, verdict = await self._qualify(run, message, understanding)
        rests: dict[str, Any] = {"known": known, "seeing": seeing or Seeing(), "template": template}
        case = await self._case(run, message, understanding, answers, book=book.decode("utf-8", "replace"), **rests)

        async def finish(draft: Draft) -> Finished:
            if recalled:
                draft = draft.model_copy(update={"notes": [*draft.notes, recalled]})
            draft = await self._worded("draft_reply", draft, message, understanding.kind)
            return Finished(*await self._ruled(draft, message))

        reply = await self._replying.reply(case, finish, do)
        return self._thought(case, reply, verdict)

    async def _case(
        self,
        run: str,
        message: Mapping[str, Any],
        understanding: Understanding,
        answers: Sequence[Qualified],
        *,
        book: str,
        known: bool,
        seeing: Seeing,
        template: str,
    ) -> Case:
        """A message with everything that its reply may rest on."""
        thread = await self._store.read(lambda c: conversations.of(c, message["conversation"], decide.THREAD))
        return Case(
            run,
            message,
            understanding,
            answers,
            book,
            self.templates(),
            self._business(),
            self._settings.business.timezone,
            known,
            recipient=str(message["answer_to"] or message["sender"]),
            thread=decide.thread_words(thread, message),
            seeing=seeing,
            template=template,
        )

    def _thought(self, case: Case, reply: Reply, verdict: str) -> Thought:
        """What intake came to, held against what its contract says it answers."""
        finished, intake = reply.finished, self.agents["intake"]
        draft = finished.draft.model_copy(update={"notes": [*finished.draft.notes, *reply.notes]})
        shape = {"kind": case.understanding.kind, "draft": draft.model_dump(), "verdict": verdict}
        return Thought(
            agent=intake.label,
            message=case.message,
            understanding=case.understanding,
            answers=list(case.answers),
            verdict=verdict,
            draft=draft,
            faults=[*reply.faults, *finished.broken, *telling.misfit(intake.output, shape)],
            recipient=case.recipient,
            known=case.known,
            ruled=finished.ruled,
            work=reply.work,
        )

    async def _qualify(
        self, run: str, message: Mapping[str, Any], understanding: Understanding
    ) -> tuple[list[Qualified], str]:
        """The operator's criteria against an enquiry; other kinds are not qualified."""
        criteria = decide.criteria(self._settings.qualification)
        if understanding.kind != "enquiry" or not criteria:
            return [], "open"
        given = {
            "text": understanding.own_text,
            "understanding": understanding.model_dump(),
            "criteria": [criterion.model_dump() for criterion in criteria],
            "now": message["at"],
            "timezone": self._settings.business.timezone,
            "currency": self._settings.business.currency,
        }
        found = await self._use(run, "intake", "qualify", given)
        return [Qualified.model_validate(answer) for answer in found["answers"]], str(found["verdict"])

    async def _worded(self, skill: str, draft: Draft, message: Mapping[str, Any], sort: str) -> Draft:
        """The draft in the words that the operator said they want instead of the usual ones."""
        wanted = await self._store.read(lambda conn: wordings.in_use(conn, skill, draft.language, sort))
        if not wanted:
            return draft
        lines = [{name: row[name] for name in ("id", "old", "new")} for row in wanted]
        given = {"draft": draft.model_dump(), "wordings": lines, "names": wording.names_in(message)}
        found = wording.reworded(given)
        calls.note(wording.SKILL, wording.VERSION, given, b"", found)
        return Draft.model_validate(found)

    async def _ruled(
        self, draft: Draft, message: Mapping[str, Any]
    ) -> tuple[Draft, tuple[tuple[str, str], ...], tuple[str, ...]]:
        """The draft as the operator's standing rules would have it, what each did, and what none could mend."""
        said = self.said
        if said is None:
            return draft, (), ()
        found = await self._store.read(lambda conn: said.dress(conn, draft.body, message["sender"]))
        dressed = draft.model_copy(update={"body": found.body, "notes": [*draft.notes, *found.notes]})
        return dressed, found.used, found.faults

    @property
    def has_models(self) -> bool:
        """Whether any model is set in this house."""
        return self._working.has_models

    async def follow_up(
        self, run: str, message: Mapping[str, Any], house_book: str, language: str, name: str
    ) -> tuple[Draft, Piece]:
        """A short reminder on a thread where nobody answered, and the work it was."""
        given = {
            "templates": self.templates(),
            "language": language,
            "sender_name": name,
            "subject": message["subject"],
            "business": self._business(),
            "first_sent": message["at"],
            "house_book": house_book,
        }
        handed: dict[str, Any] = {
            "given_by": (INTAKE,),
            "work": "write a reminder",
            "wanted": "a short reminder",
            "flow": "followup",
        }
        item = WorkItem(run, "writer.draft_follow_up", WRITER, "draft_follow_up", given, language=language, **handed)
        worked = await self._working.work(item)
        return Draft.model_validate(worked.value), (item, worked)

    def _business(self) -> dict[str, Any]:
        """The operator as drafts name them."""
        business = self._settings.business
        return {
            "name": business.name,
            "owner": business.owner or business.name,
            "email": business.email,
            "language": business.language,
            "currency": business.currency,
        }

    def templates(self) -> dict[str, str]:
        """Shipped templates, each replaced by the operator's of the same name."""
        return {**self.roster.templates("intake"), **templates_of(self._home.path(self._settings.intake.templates))}

    async def again(self, skill: str, given: dict[str, Any], blob: bytes = b"") -> dict[str, Any]:
        """A skill without any agent, for a trial of what was done once; its answer goes nowhere else."""
        return await self._worker.call(skill, given, blob, timeout=TIMEOUT)

    async def _use(self, run: str, agent: str, skill: str, given: dict[str, Any]) -> Mapping[str, Any]:
        """A skill that asks no model, under the agent's contract: what it may, its time, again where it says so."""
        patience = min(TIMEOUT, self.roster.get(agent).limits.seconds)
        item = WorkItem(run, f"{agent}.{skill}", agent, skill, given, timeout=patience, flow="intake")
        return (await self._working.work(item)).value
