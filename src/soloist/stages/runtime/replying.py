"""Replying: writer, editor and supervisor on one reply, each under its own contract; it proposes and sends nothing.

Intake hands the draft to the writer. What a model wrote is read by the editor, who may hand it back once, and by the
supervisor; a template goes to the supervisor at once. The draft that is answered is the one that was checked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.kernel.message import Draft, Qualified, Understanding
from soloist.kernel.origin import Origin
from soloist.kernel.reach import lacking
from soloist.kernel.work import Worked, WorkItem
from soloist.sdk.flow import Verbs
from soloist.stages.runtime import telling
from soloist.stages.runtime.models import AtOnce, Seen, Tool
from soloist.stages.runtime.working import Working

INTAKE, WRITER, EDITOR, SUPERVISOR = "intake", "writer", "editor", "supervisor"
FLOW = "intake"
Piece = tuple[WorkItem, Worked]
"""A piece of work and what came of it."""
Policy = Callable[[Draft], Awaitable[str]]
"""Why policy would deny a draft, "" when it would not."""
NOTHING = Origin()
LETTERS = ("conversation",)
"""What an agent must read to be given earlier letters of a thread."""
MINOR = frozenset({"pressure", "shouting", "address"})
"""Findings on how a text sounds: the editor hands a model's draft back for them."""
_NOT_OF_THE_DRAFT = frozenset({"faults", "ask"})


@dataclass(frozen=True)
class Words:
    """A text that a draft may rest on; words from outside (``ours`` False) prove nothing of ours.

    ``needs`` are the places (kind or kind.field) that an agent must read to be given it.
    """

    name: str
    text: str
    ours: bool = False
    needs: tuple[str, ...] = ()

    def source(self) -> dict[str, Any]:
        """As ``check_claims`` takes it."""
        return {"name": self.name, "text": self.text, "ours": self.ours}


@dataclass(frozen=True)
class Seeing:
    """What a run has before it beside the message: the context's id, what is remembered, what may be looked up."""

    context: str = ""
    client: str = ""
    remembered: tuple[Words, ...] = ()
    tools: tuple[Tool, ...] = ()
    origin: Origin = NOTHING
    policy: Policy | None = None


@dataclass(frozen=True)
class Case:
    """One message that wants a reply, and everything the draft may rest on."""

    run: str
    message: Mapping[str, Any]
    understanding: Understanding
    answers: Sequence[Qualified]
    book: str
    templates: Mapping[str, str]
    business: Mapping[str, str]
    timezone: str
    known: bool
    recipient: str
    thread: tuple[Words, ...] = ()
    seeing: Seeing = field(default_factory=Seeing)
    template: str = ""
    """The operator's own template that an intent leads to."""

    @property
    def names(self) -> list[str]:
        """Whom a draft may name."""
        contact, business = self.understanding.contact, self.business
        found = (contact.name, contact.company, self.message["sender_name"], business["owner"], business["name"])
        return [name for name in found if name]


@dataclass(frozen=True)
class Finished:
    """A draft in the operator's own words: what their rules and wordings made of it, and what none could mend."""

    draft: Draft
    ruled: tuple[tuple[str, str], ...] = ()
    broken: tuple[str, ...] = ()


Finish = Callable[[Draft], Awaitable[Finished]]
"""Puts a draft into the operator's own words before it is checked."""


@dataclass(frozen=True)
class Reply:
    """What came of a case: the finished draft, what the supervisor has against it, and each piece of work."""

    finished: Finished
    faults: tuple[str, ...]
    work: tuple[Piece, ...]
    notes: tuple[str, ...] = ()

    @property
    def author(self) -> str:
        """Who wrote the draft: "rules" for a template."""
        return self.work[0][1].author


@dataclass
class _Desk:
    """One case while it is worked on: what was done for it, and the last draft that was checked."""

    case: Case
    finish: Finish
    do: Verbs | AtOnce | None
    work: list[Piece] = field(default_factory=list)
    finished: dict[str, Finished] = field(default_factory=dict)
    look: list[str] = field(default_factory=list)


class Replying:
    """Has replies written and checked."""

    def __init__(self, working: Working) -> None:
        """``working`` holds everybody to their contracts."""
        self._working = working

    async def reply(self, case: Case, finish: Finish, do: Verbs | AtOnce | None = None) -> Reply:
        """Write, edit and check a reply (BadInput for a message that gets none; NotAllowed for who may not work)."""
        desk = _Desk(case, finish, do)
        denied = await self._denied(case)
        item = self._written_by(case, prose=self._working.has_models and not denied)

        async def check(value: Mapping[str, Any], seen: Sequence[Seen]) -> list[str]:
            return await self._checked(desk, value, seen)

        worked = await self._working.work(item, do, check=check, tools=case.seeing.tools if item.input["prose"] else ())
        draft = _draft(worked.value)
        finished = desk.finished.get(draft.body) or await finish(draft)
        notes = tuple(dict.fromkeys(desk.look)) if worked.author != telling.RULES else ()
        said = (f"Policy would deny this reply, so no model was asked: {denied}",) if denied else ()
        return Reply(finished, worked.faults, ((item, worked), *desk.work), (*notes, *_note(worked), *said))

    async def _denied(self, case: Case) -> str:
        """Why policy would deny any reply to this, so that nobody is paid for one."""
        if case.seeing.policy is None or not self._working.has_models:
            return ""
        plain = Draft(subject=f"Re: {case.message['subject']}", body="Hello", language="en", template="")
        return await case.seeing.policy(plain)

    def _written_by(self, case: Case, *, prose: bool) -> WorkItem:
        """The writer's work on a case."""
        read, message, seeing = case.understanding, case.message, case.seeing
        given = {
            "house_book": case.book,
            "templates": dict(case.templates),
            "understanding": read.model_dump(),
            "qualification": [answer.model_dump() for answer in case.answers],
            "subject": message["subject"],
            "sender_name": read.contact.name or message["sender_name"],
            "business": dict(case.business),
            "now": message["at"],
            "earlier": case.known,
            "prose": prose and not case.template,
            "template": case.template,
        }
        if given["prose"]:
            reads = self._working.reads(INTAKE, WRITER)
            given["remembered"] = "\n".join(f"[{one.name}] {one.text}" for one in _readable(seeing.remembered, reads))
        handed: dict[str, Any] = {"work": "write a reply", "given_by": (INTAKE,), "held": True}
        return self._item(case, WRITER, "draft_reply", given, **handed)

    def _item(self, case: Case, agent: str, skill: str, given: Mapping[str, Any], **handed: Any) -> WorkItem:
        """One piece of work on a case; ``handed`` are {work, given_by, held} of what another agent handed on."""
        wanted = {WRITER: "a reply to them", EDITOR: "a draft that reads well", SUPERVISOR: "a draft that holds"}
        return WorkItem(
            case.run,
            f"{agent}.{skill}",
            agent,
            skill,
            given,
            wanted=wanted[agent],
            sla="hour",
            timeout=self._working.patience(agent),
            origin=case.seeing.origin,
            context=case.seeing.context,
            flow=FLOW,
            client=case.seeing.client,
            sort=case.understanding.kind,
            language=case.understanding.language,
            **handed,
        )

    # ----- checking

    async def _checked(self, desk: _Desk, value: Mapping[str, Any], seen: Sequence[Seen]) -> list[str]:
        """What is wrong with a draft, as it will be shown: by the editor where a model wrote it, by the supervisor."""
        draft = _draft(value)
        finished = await desk.finish(draft)
        desk.finished[draft.body] = finished
        if draft.template:
            return [*await self._supervised(desk, finished.draft, draft, seen)]
        edited = await self._edited(desk, finished.draft, draft, seen)
        found = [*edited, *await self._supervised(desk, finished.draft, draft, seen), *finished.broken]
        if desk.case.seeing.policy is not None and (why := await desk.case.seeing.policy(finished.draft)):
            found.append(f"Policy would deny it: {why}")
        return list(dict.fromkeys(found))

    async def _edited(self, desk: _Desk, draft: Draft, raw: Draft, seen: Sequence[Seen]) -> list[str]:
        """What the editor hands a model's draft back for: how it sounds, and what it claims."""
        claims = self._claims(desk.case, draft, raw, seen, self._working.reads(INTAKE, WRITER, EDITOR))
        item = self._item(desk.case, EDITOR, "check_claims", claims, work="edit a draft", given_by=(INTAKE, WRITER))
        worked = await self._working.work(item, desk.do)
        desk.work.append((item, worked))
        found = worked.value["findings"]
        return [_said(one) for one in found if one["weight"] == "stop" or one["kind"] in MINOR]

    async def _supervised(self, desk: _Desk, draft: Draft, raw: Draft, seen: Sequence[Seen]) -> list[str]:
        """What the supervisor has against a draft: citations, words, recipient, length, amounts, then its claims."""
        case, message = desk.case, desk.case.message
        given = {
            "draft": draft.model_dump(),
            "house_book": case.book,
            "message_text": f"{message['subject']}\n{message['text']}",
            "recipient": case.recipient,
            "allowed_recipients": [message["sender"], *(message["recipients"] or [])],
        }
        drafted = self._item(case, SUPERVISOR, "check_draft", given)
        first = await self._working.work(drafted, desk.do)
        rests = self._claims(case, draft, raw, seen, self._working.reads(SUPERVISOR))
        claims = self._item(case, SUPERVISOR, "check_claims", rests)
        second = await self._working.work(claims, desk.do)
        desk.work += [(drafted, first), (claims, second)]
        found = second.value["findings"]
        desk.look += [f"Look at this: {_said(one)}" for one in found if one["weight"] == "look"]
        amounts = " ".join(first.value["faults"])
        return [
            *map(str, first.value["faults"]),
            *(_said(one) for one in found if one["weight"] == "stop" and one["words"]["text"] not in amounts),
        ]

    @staticmethod
    def _claims(case: Case, draft: Draft, raw: Draft, seen: Sequence[Seen], reads: Sequence[str]) -> dict[str, Any]:
        """A draft with all that it may rest on, as far as whoever checks it reads that.

        What the operator's own wordings added is theirs.
        """
        message = case.message
        thread = [words for words in case.thread if not lacking(reads, LETTERS)]
        own = "\n".join(line for line in draft.body.splitlines() if line not in raw.body)
        context = [
            Words("the message", f"{message['subject']}\n{message['text']}"),
            *_readable([Words("looked up", one.text, needs=one.needs) for one in seen], reads),
            *thread,
            *_readable(case.seeing.remembered, reads),
            *([Words("your own wording", own, ours=True)] if own.strip() else []),
        ]
        if draft.template:
            context.append(Words("the template", case.templates.get(draft.template, ""), ours=True))
        return {
            "subject": draft.subject,
            "text": draft.body,
            "context": [words.source() for words in context],
            "thread": [words.text for words in (*thread, context[0]) if not words.ours],
            "known": case.names,
            "language": draft.language,
            "now": message["at"],
            "timezone": case.timezone,
            "house_book": case.book,
        }


def _readable(found: Sequence[Words], reads: Sequence[str]) -> list[Words]:
    """The texts whose places a contract lists."""
    return [words for words in found if not lacking(reads, words.needs)]


def _draft(value: Mapping[str, Any]) -> Draft:
    """The draft in an output of the writer."""
    return Draft.model_validate({name: part for name, part in value.items() if name not in _NOT_OF_THE_DRAFT})


def _said(finding: Mapping[str, Any]) -> str:
    """A finding as a sentence."""
    has = [str(one) for one in finding["has"]]
    instead = f" The context has: {', '.join(has)}." if has and finding["kind"] not in ("name", "promise") else ""
    return f"{finding['why']}{instead}"


def _note(worked: Worked) -> list[str]:
    """What the card says when a model was wanted and did not write; nothing where none is set."""
    missing = [one for one in worked.tries if one["fault"] not in ("not_configured", "skill")]
    if worked.came == "done" or not missing:
        return []
    return [f"No model wrote this draft. {telling.short(missing)} The template was used."]


def kept(work: Sequence[Piece]) -> list[dict[str, Any]]:
    """Pieces of work as they are kept with their run: who did what, what was wanted, estimated, spent and why."""
    return [
        {
            "agent": item.agent,
            "skill": item.skill,
            "given_by": list(item.given_by),
            "wanted": item.wanted,
            "sla": item.sla,
            "lane": item.lane,
            "timeout": item.timeout,
            "came": worked.came,
            "author": worked.author,
            "tier": worked.tier,
            "why": worked.rationale,
            "estimate": dict(worked.estimate),
            "cost": dict(worked.cost),
            "faults": list(worked.faults),
            "tries": [dict(one) for one in worked.tries],
        }
        for item, worked in work
    ]


def pieces(work: Sequence[Piece], *checkers: str) -> dict[str, dict[str, int]]:
    """What each agent did within a run of another, as the run names it; ``checkers`` looked and asked no model."""
    found = {name: {"n": 1, "micro": 0, "tokens": 0} for name in checkers}
    for item, worked in work:
        row = found.setdefault(item.agent, {"n": 0, "micro": 0, "tokens": 0})
        row["n"] += 1
        row["micro"] += int(worked.cost.get("micro") or 0)
        row["tokens"] += int(worked.cost.get("tokens_in") or 0) + int(worked.cost.get("tokens_out") or 0)
    return found
