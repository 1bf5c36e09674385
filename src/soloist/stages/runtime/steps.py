"""Steps of the runtime: understand a message, think about an answer; skills run in the limited worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from soloist.config import Home, Settings
from soloist.engine.store import assets, conversations, records
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.engine.worker import Worker
from soloist.kernel import identity
from soloist.kernel.errors import SoloistError
from soloist.kernel.message import Draft, Qualified, Understanding
from soloist.stages.runtime import decide, kinds, learning
from soloist.stages.runtime.agents import AgentSpec, read_agent, templates_of

LONG = 600
"""Characters of own words from which a message gets a summary."""
SENTENCES = 3


class Reads(Protocol):
    """The limited worker process."""

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run a skill on text or bytes from outside."""


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
        fitter: Callable[[], learning.Fits] = Worker,
    ) -> None:
        """``agents`` are folders by name; each is read once, here (BadConfig). ``fitter`` makes the process in which
        the local model is fitted, so that nobody waits for it."""
        self._fitter = fitter
        self._store, self._home, self._settings, self._worker = store, home, settings, worker
        self._folders = dict(agents)
        self.agents: dict[str, AgentSpec] = {name: read_agent(folder) for name, folder in agents.items()}

    async def understand(self, run: str, message_id: str, force_kind: str = "") -> dict[str, Any]:
        """Read meaning into a message: exact rules, then the local model. Answers {kind, rule, set_aside, language}.

        ``force_kind`` is the operator's word on a message that was unsure.
        """
        message, known, thread = await self._store.read(lambda conn: self._standing(conn, message_id))
        given = decide.understand_input(message, self._settings, known=known, thread=thread)
        found = Understanding.model_validate(await self._use("intake", "understand", given))
        facts = decide.facts(message, known=known, thread=thread)
        if force_kind:
            choice = kinds.Choice(force_kind, "your word")
        else:
            choice = await self._kind(message, found, facts)
        update = {"kind": choice.kind, "kind_rule": choice.rule}
        found = Understanding.model_validate({**found.model_dump(), **update})
        summary = None if found.kind in decide.SET_ASIDE else await self._summary(found)
        return await self._store.write(lambda tx: self._keep(tx, run, message_id, found, summary))

    async def _kind(self, message: Mapping[str, Any], found: Understanding, facts: kinds.Facts) -> kinds.Choice:
        """What an exact rule said, else what the local model makes of it; without a model the word rules stand."""
        if kinds.exact(found.kind, found.kind_rule, facts):
            return kinds.Choice(found.kind, found.kind_rule)
        model = await self._store.read(lambda conn: learning.fitted(conn, self._home))
        try:
            told = await self._worker.call("local.classify", decide.classify_input(message, found, model))
        except SoloistError as error:
            told = {"trouble": error.detail}
        return kinds.choose(found.kind, found.kind_rule, told, facts)

    async def _summary(self, found: Understanding) -> list[dict[str, Any]] | None:
        """The sentences that say most of a long message, None for a short one or when none could be chosen."""
        if len(found.own_text) <= LONG:
            return None
        given = {"text": found.own_text, "language": found.language, "sentences": SENTENCES}
        try:
            return list((await self._worker.call("local.summary", given))["sentences"])
        except SoloistError:
            return None  # the message itself is shown in full anyway

    async def refit(self) -> dict[str, Any]:
        """Fit the local model anew with the operator's labels; answers {adopted, why, labels, model}."""
        return await learning.refit(self._store, self._home, self._fitter)

    async def refit_due(self) -> bool:
        """Whether there are enough new labels that fitting anew is worth it."""
        return await self._store.read(learning.due)

    def _standing(self, conn: Any, message_id: str) -> tuple[dict[str, Any], bool, bool]:
        """The message, whether its sender is a known client, whether its thread holds something of ours."""
        message = conversations.message(conn, message_id)
        person = records.identified(conn, "email", identity.normal_address(message["sender"] or "nobody@invalid"))
        thread = any(m["direction"] == "out" for m in conversations.of(conn, message["conversation"]))
        known = person is not None and conversations.earlier(conn, person, message["at"])
        known = known or conversations.answered(conn, message["sender"], message["at"])
        return message, known, thread

    def _keep(
        self, tx: Tx, run: str, message_id: str, found: Understanding, summary: list[dict[str, Any]] | None
    ) -> dict[str, Any]:
        """Store the understanding with the message, once."""

        def work() -> dict[str, Any]:
            read = {"language": found.language, "understanding": found.model_dump(), "summary": summary}
            conversations.update_message(tx, message_id, kind=found.kind, **read)
            aside = found.kind in decide.SET_ASIDE
            payload = {"kind": found.kind, "rule": found.kind_rule, "set_aside": aside}
            tx.append("message.understood", subject=message_id, payload=payload, run=run)
            return {"kind": found.kind, "rule": found.kind_rule, "set_aside": aside, "language": found.language}

        shown = {"words": [span.text for span in found.kind_words], "own_text": found.own_text[:2000]}
        return dict(once(tx, run, "understand", work, given={"message": message_id}, detail=shown))

    async def think(
        self, run: str, message_id: str, house_book: str, stated: Sequence[Mapping[str, Any]] = ()
    ) -> Thought:
        """Qualify and draft, with the statements of the run's context, so that nobody is asked twice.

        Texts stay in this process; the caller commits what it keeps. Repeating it is harmless.
        """
        message, known, _ = await self._store.read(lambda conn: self._standing(conn, message_id))
        understanding = Understanding.model_validate(message["understanding"])
        understanding, recalled = decide.recollected(understanding, str(message["sender"]), stated)
        book = await self._store.read(lambda conn: assets.load(conn, self._home.assets, house_book))
        answers, verdict = await self._qualify(message, understanding)
        draft = await self._draft(message, understanding, answers, book=book.decode("utf-8", "replace"), known=known)
        draft = draft.model_copy(update={"notes": [*draft.notes, recalled]}) if recalled else draft
        recipient = await self._recipient(message)
        faults = await self._check(message, draft, book.decode("utf-8", "replace"), recipient)
        return Thought(
            agent=self.agents["intake"].label,
            message=message,
            understanding=understanding,
            answers=answers,
            verdict=verdict,
            draft=draft,
            faults=faults,
            recipient=recipient,
            known=known,
        )

    async def _qualify(self, message: Mapping[str, Any], understanding: Understanding) -> tuple[list[Qualified], str]:
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
        found = await self._use("intake", "qualify", given)
        return [Qualified.model_validate(answer) for answer in found["answers"]], str(found["verdict"])

    async def _draft(
        self,
        message: Mapping[str, Any],
        understanding: Understanding,
        answers: Sequence[Qualified],
        *,
        book: str,
        known: bool,
    ) -> Draft:
        """A reply from the operator's templates and house book."""
        given = {
            "house_book": book,
            "templates": self._templates(),
            "understanding": understanding.model_dump(),
            "qualification": [answer.model_dump() for answer in answers],
            "subject": message["subject"],
            "sender_name": understanding.contact.name or message["sender_name"],
            "business": self._business(),
            "now": message["at"],
            "earlier": known,
        }
        return Draft.model_validate(await self._use("intake", "draft_reply", given))

    async def follow_up(self, message: Mapping[str, Any], house_book: str, language: str, name: str) -> Draft:
        """A short reminder on a thread where nobody answered."""
        given = {
            "templates": self._templates(),
            "language": language,
            "sender_name": name,
            "subject": message["subject"],
            "business": self._business(),
            "first_sent": message["at"],
            "house_book": house_book,
        }
        return Draft.model_validate(await self._use("intake", "draft_follow_up", given))

    async def _check(self, message: Mapping[str, Any], draft: Draft, book: str, recipient: str) -> list[str]:
        """The supervisor's look at another agent's draft; faults are sentences."""
        given = {
            "draft": draft.model_dump(),
            "house_book": book,
            "message_text": f"{message['subject']}\n{message['text']}",
            "recipient": recipient,
            "allowed_recipients": [message["sender"], *(message["recipients"] or [])],
        }
        found = await self._use("supervisor", "check_draft", given)
        return [str(fault) for fault in found["faults"]]

    async def _recipient(self, message: Mapping[str, Any]) -> str:
        """Where the answer goes: what intake read as Reply-To, else the sender."""
        return str(message["answer_to"] or message["sender"])

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

    def _templates(self) -> dict[str, str]:
        """Shipped templates, each replaced by the operator's of the same name."""
        shipped = templates_of(self._folders["intake"] / "templates")
        return {**shipped, **templates_of(self._home.path(self._settings.intake.templates))}

    async def _use(self, agent: str, skill: str, given: dict[str, Any]) -> dict[str, Any]:
        """Call a skill that the agent's own file allows."""
        self.agents[agent].may_use(skill)
        return await self._worker.call(skill, given)
