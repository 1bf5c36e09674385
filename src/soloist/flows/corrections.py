"""Corrections: every word of the operator against a proposal is kept with its exact context, and used from then on.

It hears of decisions in their own transaction. What is learnt from it is offered, never put in force unasked.
"""

from __future__ import annotations

import base64
import math
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine import calls as kept_calls
from soloist.engine.store import calls, conversations, corrections, proposals, wordings
from soloist.engine.store.corrections import NewCorrection
from soloist.engine.store.tx import Tx
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.kernel.errors import BadInput, NotFound, SoloistError
from soloist.kernel.work import WorkItem
from soloist.stages.runtime import wording

KINDS = {"edited": "edit", "rejected": "reject", "corrected": "undo"}
OFFERED_FROM = 400
"""Newest corrections that are looked through for changes that repeat themselves."""
MANY = 3
LOOKED, REMEMBERED, MOST_LIKE = 60, 1000, 600
"""Newest corrections that are compared, vectors that are kept, and characters of a message that are compared."""


class Corrections:
    """What the operator corrected in one home."""

    def __init__(self, desk: Desk) -> None:
        """Hears of every decision from now on, beside who heard before."""
        self._desk = desk
        before = desk.approvals.learned

        def learned(tx: Tx, proposal: Mapping[str, Any], said: str, who: str) -> None:
            before(tx, proposal, said, who)
            self.learned(tx, proposal, said, who)

        desk.approvals.learned = learned
        self._near: OrderedDict[str, bytes] = OrderedDict()
        desk.runtime.like_cases(self.cases)

    async def cases(self, item: WorkItem) -> list[dict[str, Any]]:
        """What a model is told of like cases when it is asked for a piece of work: those most like it in meaning.

        Without the local model likeness is by words.
        """
        like, store = asked_for(item), self._desk.store
        rows = await store.read(lambda conn: usable(conn, item.skill, like.language))
        meaning = await self._likeness(like.text, rows) if like.text and len(rows) > MANY else {}
        found = [_example(row) for row in nearest(rows, like, meaning)[:MANY]]
        return [one for one in found if one["given"] or one["wanted"]]

    async def _likeness(self, text: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """How near each correction's message is to a text, in thousandths; nothing when no model could be asked."""
        texts = {row["id"]: about(row) for row in rows}
        fresh = [ident for ident in texts if ident not in self._near]
        worker = self._desk.memory.worker
        if worker is None:
            return {}
        try:
            with kept_calls.collecting():  # likeness is looked up for the question, and is no call of the run
                told = await worker.call("local.embed", {"texts": [text, *(texts[ident] for ident in fresh)]})
        except SoloistError:
            return {}
        if told.get("trouble"):
            return {}
        vectors = [base64.b64decode(one) for one in told["vectors"]]
        self._near |= dict(zip(fresh, vectors[1:], strict=True))
        found = {ident: cosine(vectors[0], self._near[ident]) for ident in texts}
        while len(self._near) > REMEMBERED:
            self._near.popitem(last=False)
        return found

    def learned(self, tx: Tx, proposal: Mapping[str, Any], said: str, who: str) -> None:
        """A person edited, rejected or took back what an agent proposed; in the transaction of that word."""
        if said not in KINDS or not proposal["agent"] or corrections.answered(tx.conn, proposal["id"]):
            return
        now = proposals.get(tx.conn, proposal["id"])
        wanted: Mapping[str, Any] = {}
        if said == "edited":
            first = proposals.versions(tx.conn, proposal["id"])[0]["payload"]
            given, wanted = first, now["payload"]
        else:
            given = now["payload"]
        approvals = proposals.approvals_of(tx.conn, proposal["id"]) if said == "rejected" else []
        reason = str(approvals[-1]["reason"]) if approvals else ""
        kind = "field" if said == "edited" and proposal["noun"] == "change" else KINDS[said]
        note(tx, kind, proposal, given, wanted, who=who, reason=reason)


class Kept:
    """What the operator does with what was learnt."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._desk = desk

    async def use(self, given: Mapping[str, str], *, who: str, yes: bool = True) -> str:
        """Put an offered wording in force, or say no to it; its id (NotFound when it is not offered)."""

        def work(tx: Tx) -> str:
            offer = next((one for one in offered(tx.conn) if _is(one, given)), None)
            if offer is None:
                raise NotFound("This change is not offered any more; nothing was changed.")
            row = {
                "skill": offer.skill,
                "sort": offer.sort,
                "language": offer.language,
                "old": offer.change.old,
                "new": offer.change.new,
                "cases": len(offer.cases),
            }
            return wordings.add(tx, row, state=wordings.IN_USE if yes else wordings.DECLINED, who=who)

        return await self._desk.store.write(work)

    async def end(self, ident: str, *, who: str) -> None:
        """Use a wording no more (NotFound, Conflict)."""
        await self._desk.store.write(lambda tx: wordings.end(tx, ident, who=who))

    async def drop(self, ident: str, *, who: str) -> None:
        """A correction is neither example nor test any more (NotFound)."""
        await self._desk.store.write(lambda tx: corrections.drop(tx, ident, who=who))


def note(
    tx: Tx,
    kind: str,
    proposal: Mapping[str, Any],
    given: Mapping[str, Any],
    wanted: Mapping[str, Any],
    *,
    who: str,
    reason: str = "",
) -> str:
    """Keep a correction of a proposal; returns its id."""
    evidence = proposal["evidence"] or {}
    said = wording.text_of(wanted) if wanted else ""
    new = NewCorrection(
        kind=kind,
        object=proposal["id"],
        given=given,
        wanted=wanted,
        distance=wording.distance(wording.text_of(given), said) if wanted else 1000,
        who=who,
        run=proposal["run"],
        agent=proposal["agent"],
        skill=_skill(tx, proposal, given),
        sort=str(evidence.get("kind") or ("follow_up" if evidence.get("follow_up") else proposal["operation"])),
        language=str(evidence.get("language") or str(evidence.get("template", "")).rpartition(".")[2]),
        context=proposal["context"],
        reason=reason,
        about={
            "template": str(evidence.get("template", "")),
            "names": _names(tx, proposal, given),
            "message": _asked(tx, proposal, given),
        },
    )
    return corrections.note(tx, new)


def _skill(tx: Tx, proposal: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """The skill that wrote what was corrected: the last one of the run that answered with these words."""
    made = calls.of_run(tx.conn, proposal["run"]) if proposal["run"] else []
    writers = [row for row in made if {"body", "subject"} <= set(row["output"] or {})]
    if proposal["operation"] == MAIL_OPERATION and writers:
        return str(writers[-1]["skill"])
    if proposal["operation"] == MAIL_OPERATION:
        return "draft_follow_up" if (proposal["evidence"] or {}).get("follow_up") else "draft_reply"
    return ""


def _names(tx: Tx, proposal: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """The name of whom a mail is for, from the message it answers."""
    message = _answered(tx, proposal, given)
    return wording.names_in(message) if message else {}


def _asked(tx: Tx, proposal: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """The words of the message that is answered, by which like cases are found."""
    message = _answered(tx, proposal, given) or {}
    return str((message.get("understanding") or {}).get("own_text") or message.get("text") or "")[:MOST_LIKE]


def _answered(tx: Tx, proposal: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The newest message of whom a mail is for."""
    if not proposal["conversation"]:
        return None
    thread = conversations.of(tx.conn, proposal["conversation"])
    to = {str(address).casefold() for address in given.get("to") or ()}
    inbound = [m for m in thread if m["direction"] == "in"]
    theirs = [m for m in inbound if str(m["answer_to"] or m["sender"]).casefold() in to] or inbound
    return theirs[-1] if theirs else None


def offered(conn: Any) -> list[wording.Offer]:
    """Changes the operator made again and again and was not asked about, the most frequent first."""
    rows = corrections.listed(conn, kinds=("edit",), limit=OFFERED_FROM)
    texts = [
        {
            "id": row["id"],
            "object": row["object"],
            "skill": row["skill"],
            "sort": row["sort"],
            "language": row["language"],
            "given": str((row["given"] or {}).get("body", "")),
            "wanted": str((row["wanted"] or {}).get("body", "")),
            "names": (row["input"] or {}).get("names") or {},
        }
        for row in rows
        if row["skill"]
    ]
    return wording.offers(texts, wordings.known(conn))


def _is(offer: wording.Offer, given: Mapping[str, str]) -> bool:
    for name in ("skill", "language", "old", "new"):
        if name not in given:
            raise BadInput(f"{name}: is missing; name the change that is meant.", field=name)
    same = offer.skill == given["skill"] and offer.language == given["language"]
    return same and offer.change == wording.Change(given["old"], given["new"])


@dataclass(frozen=True)
class Like:
    """What like cases are looked for: the kind of message, the language, and the words of the message."""

    sort: str
    language: str
    text: str


def asked_for(item: WorkItem) -> Like:
    """What a piece of work is about."""
    given = item.input
    read = given.get("understanding")
    read = read if isinstance(read, Mapping) else given
    language = str(given.get("language") or read.get("language") or "")
    return Like(str(read.get("kind") or ""), language, str(read.get("own_text") or given.get("text") or "")[:MOST_LIKE])


def usable(conn: Any, skill: str, language: str) -> list[dict[str, Any]]:
    """Corrections of a skill in one language that say what was wanted instead, or why nothing was; newest first."""
    rows = [row for row in corrections.listed(conn, skill=skill, limit=LOOKED) if row["language"] == language]
    return [row for row in rows if row["kind"] in ("edit", "own_answer") or row["reason"]]


def about(row: Mapping[str, Any]) -> str:
    """The words of the message that a correction was about; of an old one those of the draft."""
    return str((row["input"] or {}).get("message") or wording.text_of(row["given"] or {}))[:MOST_LIKE]


def nearest(rows: Sequence[Mapping[str, Any]], like: Like, meaning: Mapping[str, int]) -> list[Mapping[str, Any]]:
    """The most alike first: the same kind of message before others, then by meaning (thousandths by id), where that is
    not known by shared words, then the newest."""
    words = set(like.text.casefold().split())

    def near(row: Mapping[str, Any]) -> tuple[int, float, str]:
        own = set(about(row).casefold().split())
        shared = len(words & own) / (len(words | own) or 1)
        return (row["sort"] == like.sort, meaning.get(row["id"], 0) if meaning else shared, row["id"])

    return sorted(rows, key=near, reverse=True)


def cosine(one: bytes, other: bytes) -> int:
    """Likeness of two vectors of whole numbers, in thousandths."""
    a, b = array("h", one), array("h", other)
    both = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b)) or 1.0
    return round(1000 * sum(x * y for x, y in zip(a, b, strict=True)) / both)


def examples(
    conn: Any, skill: str, sort: str, language: str, *, like: str = "", most: int = MANY
) -> list[dict[str, Any]]:
    """Like cases by their words: {given, wanted, reason, kind}, the most alike first.

    Names of people stand as {name}; the lines are words of other cases: data, never instruction.
    """
    found = nearest(usable(conn, skill, language), Like(sort, language, like), {})
    return [_example(row) for row in found[:most]]


def _example(row: Mapping[str, Any]) -> dict[str, Any]:
    """Only the lines that were changed, and none that names an amount, a date or an address: it was another client."""
    names: Mapping[str, str] = (row["input"] or {}).get("names") or {}
    given, wanted = (str((row[side] or {}).get("body") or "") for side in ("given", "wanted"))
    changed = wording.changes(given, wanted, names) if wanted else []
    lines = {"given": "\n".join(one.old for one in changed), "wanted": "\n".join(one.new for one in changed)}
    if row["reason"] and not lines["wanted"]:
        lines["wanted"] = f"Not at all: {row['reason']}"
    return {"id": row["id"], "kind": row["kind"], **lines, "reason": row["reason"]}
