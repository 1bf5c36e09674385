"""Planning: minutes become a meeting with what was agreed, a goal becomes tasks; both are one list for one tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from soloist.engine.store import records, runs, tasks
from soloist.engine.store.clock import from_iso, iso, later
from soloist.engine.store.tx import Tx
from soloist.flows.again import came_of, resized
from soloist.flows.desk import Desk
from soloist.flows.giving import Done, Way, use
from soloist.kernel.errors import BadInput, Conflict, NotFound
from soloist.kernel.ids import derived
from soloist.kernel.work import WorkItem
from soloist.sdk.flow import Verbs

LIST = "list"
"""Type of a card that holds lines to tick."""
TAKE = {"name": "take", "label": "Take these tasks", "consequence": "Each ticked line becomes a task of yours."}
NONE = {"name": "none", "label": "None of them", "consequence": "Nothing becomes a task; the record stays."}
SOON = timedelta(days=2)
"""A task that is due later sleeps until so long before."""
MOST = 40
"""Lines on one card."""


@dataclass(frozen=True)
class Line:
    """One line to tick: what is to be done, where it stands, until when (day or ""), by whom ("" for nobody named)."""

    text: str
    place: str = ""
    until: str = ""
    who: str = ""
    mine: bool = True

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {"text": self.text, "place": self.place, "until": self.until, "who": self.who, "mine": self.mine}


async def plan(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """The planner's way: {text, subject?, at?, client?, message?}, {goal} or {aim, due?}, with {earlier, size} anew."""
    if item.input.get("goal"):
        return await _goal(desk, do, item)
    if str(item.input.get("aim", "")).strip():
        return await _aim(desk, do, item)
    if not str(item.input.get("text", "")).strip():
        told = "input: give minutes as text, the id of a goal, or what is to be reached. Nothing was begun."
        raise BadInput(told, field="input")
    return await _meeting(desk, do, item)


def first(given: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """What may be asked a model: the reading of minutes."""
    return ("meeting_notes", {"text": str(given.get("text", "")), "ask": True}) if given.get("text") else None


async def _meeting(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """Minutes: read, kept as a meeting, listed."""
    given, business = item.input, desk.settings.business
    spec = desk.runtime.roster.working(item.agent)
    asked = {
        "text": str(given["text"]),
        "now": str(given.get("at") or await do.step("today", _now(desk))),
        "timezone": business.timezone,
        "ask": bool(desk.models.order(3, spec.tier)),
    }
    worked = await use(desk, do, item, "meeting_notes", asked)
    spec.may_write("meeting")
    made = await do.step("meeting", _keeping(desk, replace(item, origin=worked.origin), worked.value))
    found = worked.value
    said = (
        f"{len(found['decisions'])} decisions, {len(found['tasks'])} tasks, {len(found['questions'])} open questions, "
        "each word for word with its line."
    )
    return Done(said, {**found, **made}, (worked,), records=(made["meeting"],))


def _now(desk: Desk) -> Any:
    """The step that keeps when minutes without a day were read; days are told from it."""

    async def step(_run: str) -> str:
        return iso(desk.store.clock())

    return step


def _keeping(desk: Desk, item: WorkItem, found: Mapping[str, Any]) -> Any:
    """The step that writes the record and its one card."""

    async def step(run: str) -> dict[str, Any]:
        def work(tx: Tx) -> dict[str, Any]:
            def keep() -> dict[str, Any]:
                meeting = _record(desk, tx, run, item, found)
                lines = [_line(task, desk.settings.business.owner) for task in found["tasks"]]
                title = f"Tasks of a meeting: {_subject(item, found)}"
                about = {"record": str(item.client or item.input.get("client") or ""), "meeting": meeting}
                return {"meeting": meeting, "card": offer(tx, run, title, lines, about=about)}

            return dict(runs.once(tx, run, "meeting", keep, given={"run": run}))

        return await desk.store.write(work)

    return step


def _record(desk: Desk, tx: Tx, run: str, item: WorkItem, found: Mapping[str, Any]) -> str:
    """The meeting: what was agreed and what stayed open, each line with its place."""
    places = {key: [f"{one['words']['text']} (line {one['line']})" for one in found[key]] for key in _LISTS}
    client = str(item.client or item.input.get("client") or "")
    at = str(item.input.get("at") or "")
    body: dict[str, Any] = {
        "subject": _subject(item, found),
        "minutes": str(item.input["text"])[:60_000],
        "agreed": [*places["decisions"], *places["tasks"]],
        "open_questions": places["questions"],
        **({"at": at} if at else {}),
        **({"client": client} if client else {}),
    }
    by = "outside" if item.origin.tainted else "system"
    why = "minutes were read"
    made = desk.records.merge_in(tx, "meeting", None, body, by=by, why=why, run=run, actor=item.agent, state="held")
    return str(made["record"])


_LISTS = ("decisions", "tasks", "questions")


def _subject(item: WorkItem, found: Mapping[str, Any]) -> str:
    """What it was about, in a few words."""
    given = str(item.input.get("subject") or "").strip()
    people = ", ".join(found.get("people") or [])
    return (given or (f"Meeting of {people}" if people else "Meeting"))[:160]


def _line(task: Mapping[str, Any], owner: str) -> Line:
    """A task of the minutes; one that is somebody else's is not ticked."""
    who = str(task.get("who") or "")
    first_name = owner.partition(" ")[0].casefold()
    mine = not who or not owner or who.partition(" ")[0].casefold() in (first_name, "i", "ich", "je", "yo")
    return Line(task["what"]["text"], f"line {task['line']}", task.get("until") or "", who, mine)


async def _goal(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """A goal: taken apart by the lines known for its figure, or by a model's."""
    whole = await desk.store.read(lambda conn: records.get(conn, str(item.input["goal"]), "goal"))
    row = desk.runtime.roster.working(item.agent).sees(whole)
    body, business = row["body"], desk.settings.business
    asked = {
        "name": row["title"] or body.get("name") or "Goal",
        "metric": body.get("metric") or "",
        "target": body.get("target"),
        "note": str(body.get("note") or "")[:4000],
        "today": desk.store.clock().astimezone(business.zone).date().isoformat(),
        "due": str(body.get("due") or ""),
        "language": business.language,
    }
    return await _apart(desk, do, item, asked, {"goal": row["id"], "record": row["id"]})


async def _aim(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """What is to be reached in the operator's words, by a day; anew it takes the place of the list before."""
    business, earlier, most = desk.settings.business, str(item.input.get("earlier") or ""), MOST
    if earlier:
        _, came = await desk.store.read(lambda conn: came_of(conn, earlier, item.agent))
        before = len((came.get("value") or {}).get("tasks") or ())
        most = resized(before or MOST, item.input.get("size"), most=MOST)
    now = from_iso(await do.step("today", _now(desk)))
    asked = {
        "name": str(item.input["aim"]).strip(),
        "today": now.astimezone(business.zone).date().isoformat(),
        "due": str(item.input.get("due") or ""),
        "language": business.language,
    }
    return await _apart(desk, do, item, asked, {"record": item.client}, most=most, instead=earlier)


async def _apart(
    desk: Desk,
    do: Verbs,
    item: WorkItem,
    asked: Mapping[str, Any],
    about: Mapping[str, str],
    *,
    most: int = MOST,
    instead: str = "",
) -> Done:
    """Tasks for something, on one card; ``instead`` is the run whose open list goes."""
    worked = await use(desk, do, item, "take_apart", asked)
    tasks_ = worked.value["tasks"]
    kept = [*tasks_[: max(1, most - 1)], tasks_[-1]] if len(tasks_) > most > 1 else tasks_[:most]
    lines = [Line(one["text"], until=one["until"]) for one in kept]

    async def step(run: str) -> dict[str, Any]:
        def offered(tx: Tx) -> dict[str, Any]:
            older = tasks.open_for(tx.conn, instead) if instead else None
            if older is not None and older["type"] == LIST:
                tasks.close(tx, older["id"], "withdrawn", {"reason": "you asked for another one"}, actor=item.agent)
            return {"card": offer(tx, run, f"Tasks for your goal: {asked['name']}", lines, about=about)}

        return await desk.store.write(lambda tx: dict(runs.once(tx, run, "goal", lambda: offered(tx))))

    made = await do.step("goal", step)
    by = "a model" if worked.author != "rules" else "the lines known for such a goal"
    goal = {"goal": about["goal"]} if about.get("goal") else {}
    return Done(f"{len(lines)} tasks by {by}.", {**worked.value, "tasks": kept, **made, **goal}, (worked,))


# ----- the one card


def offer(tx: Tx, run: str, title: str, lines: Sequence[Line], *, about: Mapping[str, str]) -> str:
    """One card for all lines; "" when there is nothing to tick."""
    if not lines:
        return ""
    shown = [replace(one, text=one.text[:300]) for one in lines[:MOST]]
    mine = sum(one.mine for one in shown)
    return tasks.open_card(
        tx,
        derived("list", run),
        LIST,
        title[:160],
        subject=run,
        subject_kind=LIST,
        record=about.get("record", ""),
        run=run,
        why=f"{len(shown)} lines, {mine} of them look like yours; those are taken.\n{_numbered(shown)}",
        detail={"lines": [one.told() for one in shown], **about},
        options=[TAKE, NONE],
        estimate=30,
        judgement=1,
        deadline=later(tx.now, 7 * 86400),
        at_expiry="Nothing becomes a task; the record stays.",
    )


def _numbered(lines: Sequence[Line]) -> str:
    """The lines as text, for a card that is read in a mail."""
    told = (f"{n}. {'' if one.mine else f'({one.who}) '}{one.text}" for n, one in enumerate(lines, 1))
    return "\n".join(told)[:4000]


def taken(
    tx: Tx, card: Mapping[str, Any], option: str, who: str, ticked: Sequence[int] | None = None
) -> dict[str, Any]:
    """The operator's tick: each chosen line a task that sleeps until shortly before its day; None takes hers."""
    lines = card["detail"]["lines"]
    chosen = [n for n, one in enumerate(lines) if one["mine"]] if ticked is None else list(ticked)
    chosen = [n for n in chosen if 0 <= n < len(lines)] if option == TAKE["name"] else []
    tasks.close(tx, card["id"], "done", {"option": option, "ticked": chosen}, actor=who)
    return {"state": "closed", "tasks": [_task(tx, card, lines[n], n, who) for n in chosen]}


def tick(tx: Tx, ident: str, option: str, ticked: Sequence[int], *, who: str) -> dict[str, Any]:
    """The same line by line (NotFound; Conflict when the list was ticked before)."""
    card = tasks.get(tx.conn, ident)
    if card["type"] != LIST:
        raise NotFound(f"The card {ident} is no list.")
    if card["state"] != "open":
        raise Conflict("This list was ticked already; nothing was changed.")
    return taken(tx, card, option, who, ticked)


def _task(tx: Tx, card: Mapping[str, Any], line: Mapping[str, Any], n: int, who: str) -> str:
    day = str(line.get("until") or "")
    due = iso(from_iso(f"{day}T16:00:00.000000Z")) if day else later(tx.now, 7 * 86400)
    made = tasks.open_card(
        tx,
        derived("list task", card["id"], str(n)),
        "manual",
        line["text"][:160],
        subject=card["id"],
        subject_kind="task",
        record=card["record"],
        why=f"You took it from a list: {card['title']}{', ' + line['place'] if line.get('place') else ''}.",
        options=[{"name": "done", "label": "Done", "consequence": "The card closes."}, tasks.LATER],
        estimate=300,
        deadline=due,
        at_expiry="Nothing is done.",
    )
    wakes = iso(from_iso(due) - SOON)
    if day and wakes > tx.now:
        tasks.snooze(tx, made, wakes, actor=who)
    return made


WAY = Way(plan, first)
