"""Issuing: newsletters for those who agreed to get them, on one card, and the report of the week; nothing is sent here
before the operator's tick."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from soloist.engine.store import assets, events, proposals, records, runs, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.again import came_of, resized
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.flows.giving import WAITS, Done, Way, use
from soloist.flows.subscribing import MAIL
from soloist.kernel.agent import AgentSpec
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.hashing import json_hash
from soloist.kernel.ids import derived
from soloist.kernel.origin import OUTSIDE, Origin
from soloist.kernel.proposal import NewProposal
from soloist.kernel.work import Worked, WorkItem
from soloist.sdk.flow import Verbs
from soloist.stages.approvals import Decision

ISSUE = "issue"
"""Type of the card that shows a newsletter whole with everybody it would reach."""
REPORT = "report of the week"
"""Tag of the document that holds it."""
SUBJECTS = 3
"""Subject lines that are offered beside the title."""
MOST = 100
"""Recipients of one issue."""
SENTENCES = 4
"""Sentences from which an entry is counted when it is wanted shorter for the first time."""
COUNTED = ("message.read", "effect.succeeded", "proposal.approved", "proposal.rejected", "run.failed", "work.done")


async def issue(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """The publisher's way: {publication, language?}, {topic} or {week}; with {earlier, size} the same issue anew."""
    if item.input.get("publication"):
        return await _newsletter(desk, do, item, str(item.input["publication"]))
    if str(item.input.get("topic", "")).strip():
        return await _about(desk, do, item, str(item.input["topic"]).strip())
    if item.input.get("week"):
        return await report(desk, do, item, str(item.input["week"]))
    raise BadInput("input: name a publication, a topic or a week. Nothing was begun.", field="input")


@dataclass(frozen=True)
class Chosen:
    """Which drafts go into an issue (None for all that are ready), and how many sentences of each (0 for all)."""

    drafts: frozenset[str] | None = None
    sentences: int = 0


async def _about(desk: Desk, do: Verbs, item: WorkItem, topic: str) -> Done:
    """An issue about something: of the ready drafts that speak of it; without one there is nothing to put together."""
    spec = desk.runtime.roster.working(item.agent)
    spec.may_write("publication")

    async def step(run: str) -> dict[str, Any]:
        def plan(tx: Tx) -> dict[str, Any]:
            ready = _ready(tx.conn, spec)
            drafts = [row["id"] for row in ready if _speaks(row, topic)]
            if not drafts:
                return {"publication": "", "drafts": [], "ready": len(ready), "sentences": 0}
            ident, sentences = _before(tx.conn, item)
            if not ident:
                body = {"name": topic[:1].upper() + topic[1:], "channel": "newsletter"}
                why = "you asked for a newsletter about it"
                kept: dict[str, Any] = {"state": "planned", "why": why, "run": run, "actor": item.agent}
                ident = records.create(tx, "publication", "", body, **kept)
            return {"publication": ident, "drafts": drafts, "ready": len(ready), "sentences": sentences}

        return await desk.store.write(lambda tx: dict(runs.once(tx, run, "plan", lambda: plan(tx))))

    planned = await do.step("plan", step)
    if not planned["drafts"]:
        said = (
            f"None of your {planned['ready']} drafts that are ready speaks of “{topic}”, and nothing was made up. "
            "Write one, mark it as ready, and say it again."
        )
        return Done(said, {"topic": topic}, came="operator")
    chosen = Chosen(frozenset(planned["drafts"]), planned["sentences"])
    done = await _newsletter(desk, do, item, planned["publication"], chosen)
    value = {**done.value, "publication": planned["publication"], "sentences": planned["sentences"]}
    return replace(done, value=value, records=(planned["publication"],))


def _ready(conn: Any, spec: AgentSpec) -> list[dict[str, Any]]:
    """The drafts that are ready, as the role may read them."""
    return [spec.sees(one) for one in records.listed(conn, "draft", before=None, limit=200) if one["state"] == "ready"]


def _speaks(draft: Mapping[str, Any], topic: str) -> bool:
    """Whether a draft holds every word of a topic that is not one of the smallest."""
    wanted = [word for word in re.findall(r"[^\W_]+", topic.casefold()) if len(word) > 3] or [topic.casefold()]
    whole = f"{draft['title']}\n{draft['body'].get('text') or ''}".casefold()
    return all(word in whole for word in wanted)


def _before(conn: Any, item: WorkItem) -> tuple[str, int]:
    """The publication of the issue that is wanted anew ("" for none), and the sentences of each entry now."""
    if not item.input.get("earlier"):
        return "", 0
    value = came_of(conn, str(item.input["earlier"]), item.agent)[1].get("value") or {}
    sentences = int(value.get("sentences") or 0)
    if item.input.get("size"):
        sentences = resized(sentences or SENTENCES, item.input["size"])
    return str(value.get("publication") or ""), sentences


async def _cut(desk: Desk, do: Verbs, item: WorkItem, issue: Mapping[str, Any], sentences: int) -> dict[str, Any]:
    """The material of an issue with so many sentences of each draft, word for word."""
    sections, n = [], 0
    for section in issue["sections"]:
        items = []
        for one in section["items"]:
            told = await use(desk, do, item, "summary", {"text": one["text"], "most": sentences}, n=n)
            items.append(
                {**one, "text": " ".join(str(line["text"]) for line in told.value["sentences"]) or one["text"]}
            )
            n += 1
        sections.append({**section, "items": items})
    return {**issue, "sections": sections}


async def _newsletter(desk: Desk, do: Verbs, item: WorkItem, ident: str, chosen: Chosen = Chosen()) -> Done:
    """Put together, checked, and offered on one card."""
    spec = desk.runtime.roster.working(item.agent)
    found = await desk.store.read(lambda conn: _material(desk, conn, spec, ident, chosen.drafts))
    issue = await _cut(desk, do, item, found["issue"], chosen.sentences) if chosen.sentences else found["issue"]
    made = await use(desk, do, item, "newsletter", issue)
    text, parts = str(made.value["text"]), [made]
    if item.input.get("language"):
        told = await use(desk, do, item, "translate", {"text": text, "to": str(item.input["language"])})
        parts.append(told)
        if told.value["state"] == WAITS:
            said = "The newsletter is ready; its translation is written by a language model only, and none answered."
            return Done(said, {**made.value, "language": item.input["language"]}, tuple(parts), came="operator")
        text = str(told.value["text"] or text)
    ruled = await desk.store.read(lambda conn: desk.standing.issue(conn, text))
    text = ruled.body
    lines = await _subjects(desk, do, item, text, title=str(made.value["subject"]))
    claims = {"text": text, "context": found["sources"], "known": found["known"]}
    checked = await use(desk, do, item, "check_claims", claims)
    parts += [lines, checked]
    value = {
        "subject": made.value["subject"],
        "subjects": [one["text"] for one in lines.value["lines"]][:SUBJECTS],
        "text": text,
        "recipients": found["recipients"],
        "left_out": [*made.value["left_out"], *found["left_out"]],
        "notes": [*made.value["notes"], *ruled.notes],
        "rules": [list(one) for one in ruled.used],
        "faults": [
            *(str(fault) for part in parts for fault in part.value.get("faults") or []),
            *(f"{one['words']['text']}: {one['why']}" for one in checked.value["findings"]),
            *ruled.faults,
        ],
    }
    card = await do.step("offer", _offering(desk, ident, value))
    said = f"{len(found['recipients'])} agreed to get it; {len(value['left_out'])} things were left out."
    return Done(said, {**value, **card}, tuple(parts))


async def _subjects(desk: Desk, do: Verbs, item: WorkItem, text: str, *, title: str) -> Worked:
    """Lines of the editor's beside the title of the operator's, never that title again."""
    asked = replace(item, agent="editor", given_by=(item.agent,), work="offer subject lines")
    found = await use(desk, do, asked, "subject_lines", {"text": text})
    others = [one for one in found.value["lines"] if str(one["text"]).casefold() != title.casefold()]
    return replace(found, value={**found.value, "lines": others})


def _material(desk: Desk, conn: Any, spec: AgentSpec, ident: str, only: frozenset[str] | None = None) -> dict[str, Any]:
    """What an issue is made of (of all that is ready, or of these drafts), and who agreed to get it."""
    row = spec.sees(records.get(conn, ident, "publication"))
    if row["state"] not in ("planned", ""):
        raise Conflict(f"{row['title']} is {row['state']} already; nothing was put together.")
    body, business = row["body"], desk.settings.business
    named = [records.standing(conn, str(body["draft"]))] if body.get("draft") else []
    ready = [one for one in _ready(conn, spec) if only is None or one["id"] in only]
    drafts = [spec.sees(one) for one in named if one] or ready
    items = [
        {"title": one["title"] or "Untitled", "text": str(one["body"].get("text") or ""), "record": one["id"]}
        for one in drafts
    ]
    segment = str(body.get("segment") or "")
    people, left_out = _readers(conn, spec, segment)
    issue = {
        "title": row["title"] or "News",
        "intro": str(body.get("text") or ""),
        "sections": [{"title": "News", "items": items}] if items else [],
        "sender": business.name,
        "unsubscribe": f"mailto:{business.email}?subject=unsubscribe",
        "language": business.language,
    }
    sources = [{"name": one["title"], "text": one["text"], "ours": True} for one in items]
    sources.append({"name": row["title"] or "News", "text": f"{issue['title']}\n{issue['intro']}", "ours": True})
    known = [business.name, business.owner or business.name]
    return {"issue": issue, "recipients": people, "left_out": left_out, "sources": sources, "known": known}


def _readers(conn: Any, spec: AgentSpec, segment: str) -> tuple[list[dict[str, str]], list[str]]:
    """Persons whose record says that they agreed, in the segment (a tag, "" for all); the rest is counted."""
    found, silent = [], 0
    for one in records.listed(conn, "person", before=None, limit=10_000):
        row = spec.sees(one)
        body = row["body"]
        if row["merged_into"] or not body.get("emails") or (segment and segment not in (body.get("tags") or [])):
            continue
        if body.get("newsletter") == "agreed":
            found.append({"record": row["id"], "name": row["title"], "address": str(body["emails"][0])})
        else:
            silent += 1
    told = [f"{silent} people whose record does not say that they agreed."] if silent else []
    told += [f"{len(found) - MOST} people more than the {MOST} of one issue."] if len(found) > MOST else []
    return found[:MOST], told


def _offering(desk: Desk, publication: str, value: Mapping[str, Any]) -> Any:
    """The step that shows an issue whole on one card; without anybody who agreed there is none."""

    def options(people: int) -> list[dict[str, str]]:
        send = {"name": "send", "label": f"Send to {people}", "consequence": "One mail to each; nobody sees another."}
        return [send, {"name": "none", "label": "Do not send it", "consequence": "Nothing leaves; the record stays."}]

    async def step(run: str) -> dict[str, Any]:
        people = value["recipients"]
        if not people:
            return {"card": ""}

        def work(tx: Tx) -> dict[str, Any]:
            def offer() -> dict[str, Any]:
                _withdraw(tx, publication)
                issue = {key: value[key] for key in ("subject", "text")} | {"recipients": people}
                names = ", ".join(one["address"] for one in people)
                why = f"To {len(people)} who agreed: {names[:1500]}\n\n{value['text'][:6000]}"
                if value["subjects"]:
                    why += "\n\nOther subjects: " + "; ".join(f"“{one}”" for one in value["subjects"])
                why += "".join(f"\n\n{note}" for note in value["notes"][:5])
                why += "".join(f"\n\nLook at: {fault}" for fault in value["faults"][:5])
                card = tasks.open_card(
                    tx,
                    derived("issue", run),
                    ISSUE,
                    f"Newsletter: {value['subject']}"[:160],
                    subject=publication,
                    subject_kind=ISSUE,
                    record=publication,
                    run=run,
                    why=why,
                    detail={"issue": issue, "hash": json_hash(issue), "rules": value["rules"]},
                    options=options(len(people)),
                    estimate=120,
                    judgement=1,
                    deadline=later(tx.now, 14 * 86400),
                    at_expiry="Nothing is sent.",
                )
                desk.standing.note(tx, map(tuple, value["rules"]), card, run)
                return {"card": card}

            return dict(runs.once(tx, run, "offer", offer, given={"publication": publication}))

        return await desk.store.write(work)

    return step


def _withdraw(tx: Tx, publication: str) -> None:
    """An issue that is offered anew takes the place of the one before: nobody gets both."""
    older = tasks.open_for(tx.conn, publication)
    if older is not None and older["type"] == ISSUE:
        tasks.close(tx, older["id"], "withdrawn", {"reason": "another one took its place"}, actor="publisher")


def taken(desk: Desk, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
    """The operator's tick on the whole issue: one proposal for each who agreed, approved by it; policy judges each."""
    issue = card["detail"]["issue"]
    if option != "send":
        tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        return {"state": "closed"}
    if json_hash(issue) != card["detail"]["hash"]:
        raise Conflict("The newsletter changed since it was shown; nothing was sent.")
    made = [_one(desk, tx, card, person, n=n, who=who) for n, person in enumerate(issue["recipients"])]
    tasks.close(tx, card["id"], "done", {"option": option, "mails": len(made)}, actor=who)
    return {"state": "sending", "proposals": [one for one in made if one]}


def _one(desk: Desk, tx: Tx, card: Mapping[str, Any], person: Mapping[str, str], *, n: int, who: str) -> str:
    """The mail to one person, unless she took her word back meanwhile."""
    issue, row = card["detail"]["issue"], records.standing(tx.conn, person["record"])
    if row is None or row["body"].get("newsletter") != "agreed":
        return ""
    spec = desk.runtime.roster.get("publisher")
    spec.may_propose(MAIL_OPERATION, n)
    out = desk.mail_out()
    new = NewProposal(
        id=derived(MAIL, card["id"], person["record"]),
        connector=out,
        operation=MAIL_OPERATION,
        payload={"to": [person["address"]], "subject": issue["subject"], "body": issue["text"]},
        reason=f"{person['name'] or person['address']} agreed to get the newsletter.",
        source="agent:publisher",
        run=card["run"],
        agent=spec.label,
        evidence={"kind": "newsletter", "issue": card["id"]},
        record=person["record"],
        title=f"Newsletter to {person['name'] or person['address']}"[:160],
        expires_in=2 * 86400.0,
        new_recipient=False,
        thread_known=True,
    )
    done = desk.approvals.propose(tx, new, desk.facts(out, MAIL_OPERATION), actor=spec.label)
    desk.standing.note(tx, map(tuple, card["detail"].get("rules") or ()), done["id"], card["run"])
    if done["state"] == "waiting":
        now = proposals.get(tx.conn, done["id"])
        desk.approvals.decide_in(tx, done["id"], Decision("approve", now["payload_hash"], who, "console", None, ""))
    return str(done["id"])


# ----- the report of the week


async def report(desk: Desk, do: Verbs, item: WorkItem, week: str) -> Done:
    """The report of the week that begins on a day (ISO 8601): figures of the house, kept as a document."""
    try:
        first = date.fromisoformat(week)
    except ValueError as error:
        raise BadInput(f"week: a day like 2026-11-16, not {week[:40]!r}.", field="week") from error
    given = await do.step("figures", _figures(desk, first))
    worked = await use(desk, do, item, "weekly_report", {**given, "week": first.isoformat()})
    kept = await do.step("keep report", _keeping(desk, first, worked.value, worked.origin | OUTSIDE))
    return Done(f"The report of {worked.value['title']}.", {**worked.value, **kept}, (worked,), (kept["document"],))


def _figures(desk: Desk, first: date) -> Any:
    """The step that counts the week: events, money, and what is new on watched pages."""

    async def step(_run: str) -> dict[str, Any]:
        return await desk.store.read(lambda conn: figures(conn, first, desk.settings.business.language))

    return step


def figures(conn: Any, first: date, language: str) -> dict[str, Any]:
    """The figures of a week and of the one before, as the skill takes them."""
    weeks = [_counted(conn, first), _counted(conn, first - timedelta(days=7))]
    names = NAMES.get(language, NAMES["en"])
    shown = [
        {"name": names[kind], "number": weeks[0].get(kind, 0), "before": weeks[1].get(kind, 0)}
        for kind in COUNTED
        if weeks[0].get(kind, 0) or weeks[1].get(kind, 0)
    ]
    last, month = ((first + timedelta(days=days)).isoformat() for days in (6, 27))
    coming = [
        f"{row['title']} ({row['body']['due']})"
        for row in records.listed(conn, "goal", before=None, limit=50)
        if row["state"] in ("open", "") and last < str(row["body"].get("due") or "") <= month
    ]
    news = [line for row in _pages(conn, first) for line in row]
    waiting = [str(card["title"]) for card in tasks.cards(conn, "open", limit=8)]
    return {"figures": shown, "done": news[:20], "waiting": waiting, "coming": coming[:10], "language": language}


def _counted(conn: Any, first: date) -> dict[str, int]:
    """Events of seven days by kind."""
    begin, end = (f"{day.isoformat()}T00:00:00.000000Z" for day in (first, first + timedelta(days=7)))
    whole, after = (events.counted(conn, COUNTED, since) for since in (begin, end))
    return {kind: whole.get(kind, 0) - after.get(kind, 0) for kind in COUNTED}


def _pages(conn: Any, first: date) -> list[list[str]]:
    """What was found new on watched pages in the week: their own sentences."""
    found = []
    for row in records.listed(conn, "document", before=None, limit=500):
        body = row["body"]
        if WATCHED in (body.get("tags") or []) and row["updated"][:10] >= first.isoformat() and body.get("summary"):
            found.append([f"{row['title']}: {line}" for line in str(body["summary"]).splitlines() if line][:4])
    return found


WATCHED = "watched page"


def _keeping(desk: Desk, first: date, value: Mapping[str, Any], origin: Origin) -> Any:
    """The step that keeps the report as one document; the same week again is a new version of it."""

    async def step(run: str) -> dict[str, Any]:
        data = str(value["text"]).encode()
        path = assets.write_file(desk.home.assets, data)

        def work(tx: Tx) -> dict[str, Any]:
            def keep() -> dict[str, Any]:
                digest = assets.keep(tx, data, "text/plain", path, origin=origin)
                body = {"name": value["title"], "file": digest, "mime": "text/plain", "size": len(data)}
                body |= {"summary": value["text"], "tags": [REPORT]}
                return {"document": _document(tx, run, derived("report", first.isoformat()), body)}

            return dict(runs.once(tx, run, "keep report", keep, given={"week": first.isoformat()}))

        return await desk.store.write(work)

    return step


def _document(tx: Tx, run: str, ident: str, body: Mapping[str, Any]) -> str:
    """Write a document under its own id: new, or a further version."""
    row = records.standing(tx.conn, ident)
    if row is None:
        why = "written by an agent"
        return records.create(
            tx,
            "document",
            str(body["name"]),
            dict(body),
            ident=ident,
            state="current",
            why=why,
            run=run,
            actor="publisher",
        )
    records.write(
        tx, row["id"], row["version"], dict(body), why="written again by an agent", run=run, actor="publisher"
    )
    return str(row["id"])


def lines_of_week(conn: Any, first: date) -> list[str]:
    """The lines of the report of a week for the brief, none when there is none."""
    row = records.standing(conn, derived("report", first.isoformat()))
    return str(row["body"].get("summary") or "").splitlines() if row else []


NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "message.read": "Messages read",
        "effect.succeeded": "Sent or done",
        "proposal.approved": "Approved by you",
        "proposal.rejected": "Rejected by you",
        "run.failed": "Runs that stopped",
        "work.done": "Work done by agents",
    },
    "de": {
        "message.read": "Gelesene Nachrichten",
        "effect.succeeded": "Gesendet oder erledigt",
        "proposal.approved": "Von Ihnen freigegeben",
        "proposal.rejected": "Von Ihnen abgelehnt",
        "run.failed": "Angehaltene Läufe",
        "work.done": "Arbeiten der Agenten",
    },
    "fr": {
        "message.read": "Messages lus",
        "effect.succeeded": "Envoyé ou fait",
        "proposal.approved": "Approuvé par vous",
        "proposal.rejected": "Refusé par vous",
        "run.failed": "Exécutions arrêtées",
        "work.done": "Travaux des agents",
    },
    "es": {
        "message.read": "Mensajes leídos",
        "effect.succeeded": "Enviado o hecho",
        "proposal.approved": "Aprobado por usted",
        "proposal.rejected": "Rechazado por usted",
        "run.failed": "Ejecuciones detenidas",
        "work.done": "Trabajos de los agentes",
    },
}

WAY = Way(issue)
