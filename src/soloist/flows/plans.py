"""Plans: one durable flow carries out any plan; its tasks become work of agents and cards of the operator.

A turn looks at the rows, gives what is ready, and parks. Each task has an id made from the plan, so that a turn that is
made again gives nothing twice, and a plan keeps the version of the playbook it began with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from soloist.engine.store import (
    caps,
    conversations,
    failures,
    gathering,
    plans,
    published,
    records,
    releases,
    runs,
    settings,
    tasks,
)
from soloist.engine.store import origins as rows_of_origins
from soloist.engine.store.clock import from_iso, iso, later, new_id
from soloist.engine.store.facts import head
from soloist.engine.store.tx import Tx
from soloist.flows import failing, following
from soloist.flows.desk import Desk
from soloist.flows.following import Pauses
from soloist.flows.giving import GIVEN, OPERATORS, WORKED, Asked
from soloist.flows.playbooks import KIND, Playbooks, cap
from soloist.flows.roles import giving
from soloist.kernel import origin as origins
from soloist.kernel.errors import BadInput, NotFound, SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.origin import OWN, Origin
from soloist.kernel.playbook import OPERATOR, PlanTask, Playbook, filled, parsed
from soloist.kernel.spend import Cap
from soloist.sdk.flow import Flow, Verbs

FLOW, TOPIC = plans.FLOW, "task"
SUBJECT = plans.FLOW
"""Kind of subject of a plan's cards."""
LOOK, REST = 600.0, 86_400.0
"""Seconds after which a parked plan looks for itself, while agents work and while it waits for a person."""
PAUSES = Pauses(at_the_start=6.0, breath=0.05, look_every=2.0, after_a_fault=60.0)
MARK, TURN = "plans.seen", 200
"""Setting: how far the journal was looked through for records; events of one look."""
WELL = ("done", "fallback")
DONE = {"name": "done", "label": "Done", "consequence": "The tasks after it begin."}
AGAIN = {"name": "again", "label": "Try again", "consequence": "The agent is given the task once more."}
END = {"name": "end", "label": "End the plan", "consequence": "No further task of this plan begins."}


@dataclass(frozen=True)
class Start:
    """What a plan begins with: the values its trigger brings, and where they come from; the same ``ref`` is one plan.

    A plan by an intent takes its values from ``values["message"]`` when it needs them, so they are kept once.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = OPERATORS
    subject: str = ""
    client: str = ""
    ref: str = ""


@dataclass(frozen=True)
class Stand:
    """How one task stands: "to do", "under way", "stuck" (nobody was told yet), "card", "done" or "ended".

    ``n`` counts how often it was given before, ``found`` is what came of it, ``why`` what an agent said who could not.
    """

    state: str
    n: int = 0
    found: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    helped: bool = False
    card: str = ""
    work: str = ""


def work_of(plan: str, task: PlanTask, n: int) -> str:
    """The run that does an agent's task, the ``n``-th time it is given."""
    return f"work:{task.agent}:{_ref(plan, task, n)}"


def _ref(plan: str, task: PlanTask, n: int) -> str:
    return f"{plan}:{task.id}" + (f":{n}" if n else "")


def stand(conn: Any, plan: str, task: PlanTask) -> Stand:
    """How a task of a plan stands, from the rows alone."""
    n, helped = 0, False
    while True:
        work = "" if task.agent == OPERATOR else work_of(plan, task, n)
        card = plans.card(conn, derived("plan task", plan, task.id, str(n)))
        tries = runs.tries(conn, work) if work else []
        made = plans.step(conn, [one["id"] for one in tries], WORKED) if tries else None
        found = (made or {}).get("output") or {}
        if made and found.get("came", "done") in WELL:
            asks = card["id"] if card is not None and card["state"] == "open" else ""
            return Stand("done", n, found, helped=helped, card=asks, work=work)
        if card is None:
            if not tries:
                return Stand("to do", n, helped=helped)
            why = str(found.get("said") or "") if made else _given_up(conn, tries)
            return Stand("stuck" if made or why else "under way", n, found, why, helped, work=work)
        if card["state"] == "open":
            return Stand("card", n, found, card["why"], helped, card["id"], work)
        option, helped = (card["decision"] or {}).get("option", ""), task.agent != OPERATOR
        if option != AGAIN["name"]:
            return Stand("ended" if option == END["name"] else "done", n, found, "", helped, work=work)
        n += 1


def _given_up(conn: Any, tries: list[dict[str, Any]]) -> str:
    """Why a piece of work failed for good, "" while it runs or is tried again without a person."""
    if tries[-1]["state"] != "failed":
        return ""
    first = tries[0]["id"]
    cases = [case for row in failures.listed(conn, ["open"]) for case in row["runs"] or []]
    if any(case["origin"] == first and case["next"] for case in cases):
        return ""
    return str(tries[-1]["error"]).partition("\n")[0][:500] or "It failed."


class Plans:
    """Begins and carries out the plans of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._desk, self._store = desk, desk.store
        self._giving, self.books = giving(desk), Playbooks(desk)

    # ----- beginning

    async def begin(self, name: str, start: Start, *, who: str) -> dict[str, Any]:
        """Begin the plan of a playbook in the version in use: {id, playbook, new} (NotFound, BadConfig, BadInput)."""
        await self.books.there(name)
        return await self._store.write(lambda tx: self.begin_in(tx, name, start, who=who))

    def begin_in(self, tx: Tx, name: str, start: Start, *, who: str) -> dict[str, Any]:
        """The same inside a transaction, of a playbook that was published."""
        release = releases.get(tx.conn, KIND, name)
        book = _book(tx.conn, name, release["version"])
        values = _checked(tx.conn, book, start.values)
        plan = f"{FLOW}:{name}:{start.ref or new_id(self._store.clock())}"
        new = tx.start(plan, FLOW, plan, subject=start.subject)
        if new:
            given = {"name": name, "version": book.version, "values": values, "client": start.client}
            given |= {"origin": start.origin.told(), "started": tx.now, "subject": start.subject}
            runs.once(tx, plan, GIVEN, lambda: {"playbook": book.label}, given=given, detail={"who": who})
            if most := cap(book):
                caps.put(tx, Cap("run", plan, "total", "money", *most), state=caps.OWN, who=who, why=book.label)
            tx.append("plan.begun", subject=plan, payload={"playbook": book.label, "by": who}, actor=who, run=plan)
        return {"id": plan, "playbook": book.label, "new": new}

    # ----- carrying out

    def flow(self) -> Flow:
        """The run of one plan: give what is ready, park until something came of it, until all is done."""

        async def body(do: Verbs, _plan: str) -> None:
            while not (now := await do.step("turn", self.turn))["over"]:
                await do.wait_for(TOPIC, now["seconds"])

        return Flow(FLOW, body, parks=True)

    async def turn(self, run: str) -> dict[str, Any]:
        """Give each task that is ready, once; {over, seconds} until the next look."""
        await self._store.read(self._desk.runtime.roster.refresh)
        plan = failing.origin(run)
        ready = await self._store.read(lambda conn: self._ready(conn, plan))
        estimates = {task: await self._estimate(asked) for task, asked in ready.items()}
        return await self._store.write(partial(self._turn, run=run, plan=plan, estimates=estimates))

    async def _estimate(self, asked: Asked) -> dict[str, Any]:
        """What a task is likely to cost, {} when it cannot be told; what is wrong with it is told when it is given."""
        try:
            return await self._giving.look(asked)
        except SoloistError:
            return {}

    def _ready(self, conn: Any, plan: str) -> dict[str, Asked]:
        """What an agent can be given now, by the id of its task."""
        book, given = whole(conn, plan)
        if book is None:
            return {}
        now, stands = iso(self._store.clock()), _stands(conn, plan, book)
        ready = [one for one in book.tasks if _may_begin(one, stands, given, now) and one.agent != OPERATOR]
        return {one.id: self._asked(conn, plan, book, one, (given, stands)) for one in ready}

    def _turn(self, tx: Tx, *, run: str, plan: str, estimates: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """One turn inside a transaction."""
        book, given = whole(tx.conn, plan)
        if book is None:
            return {"over": True, "seconds": 0.0}
        runs.once(tx, plan, "begun", lambda: _begun(tx, plan, book, given))
        stands = _stands(tx.conn, plan, book)
        if any(one.state == "ended" for one in stands.values()):
            return self._over(tx, run, plan, stands, came="ended")
        for task in book.tasks:
            now = stands[task.id]
            if now.state == "done" and now.card:
                said = {"option": "", "reason": "it was done meanwhile"}
                tasks.close(tx, now.card, "withdrawn", said, actor="soloist")
            if now.state == "stuck":
                self._stuck(tx, plan, book, task, now)
            elif _may_begin(task, stands, given, tx.now):
                self._give(tx, plan, book, task, (given, stands, estimates.get(task.id)))
        stands = _stands(tx.conn, plan, book)
        if all(one.state == "done" for one in stands.values()):
            return self._over(tx, run, plan, stands, came="done")
        return {"over": False, "seconds": _pause(book, stands, given, tx.now)}

    def _give(self, tx: Tx, plan: str, book: Playbook, task: PlanTask, known: Any) -> None:
        """Hand a task to its agent, or put it before the operator; one that cannot be given is put there too."""
        given, stands, estimate = known
        if task.agent == OPERATOR:
            self._yours(tx, plan, book, task, (given, stands))
            return
        asked = self._asked(tx.conn, plan, book, task, (given, stands))
        try:
            self._giving.give_in(tx, asked, who=f"playbook:{book.label}", estimate=estimate)
        except SoloistError as error:
            self._stuck(tx, plan, book, task, Stand("stuck", stands[task.id].n, why=error.detail))

    def _asked(self, conn: Any, plan: str, book: Playbook, task: PlanTask, known: Any) -> Asked:
        """A task as it is handed over; its origin is that of the plan and of every result in its input."""
        given, stands = known
        return Asked(
            agent=task.agent,
            input=filled(task.input, _sources(conn, book, given, stands)),
            skill=task.skill,
            wanted=task.wanted or task.title,
            lane=task.lane,
            subject=given["subject"],
            client=given["client"],
            ref=_ref(plan, task, stands[task.id].n),
            origin=_origin(book, task, given, stands),
            given_by=task.given_by,
            work=task.work,
            parent=plan,
        )

    def _yours(self, tx: Tx, plan: str, book: Playbook, task: PlanTask, known: Any) -> None:
        """A task of the operator's as a card, with what its input names."""
        given, stands = known
        told = filled(task.input, _sources(tx.conn, book, given, stands))
        lines = [task.wanted, *(f"{name}: {_short(value)}" for name, value in told.items())]
        due = later(given["started"], task.seconds("due")) if task.due else later(tx.now, 7 * 86_400)
        self._card(
            tx,
            plan,
            task,
            stands[task.id].n,
            type_="manual",
            title=task.title,
            subject=plan,
            why="\n".join([f"Task of the playbook {book.title}.", *filter(None, lines)])[:4000],
            options=[DONE, END, tasks.LATER],
            deadline=max(due, later(tx.now, 3600)),
        )

    def _stuck(self, tx: Tx, plan: str, book: Playbook, task: PlanTask, now: Stand) -> None:
        """An agent could not do its task, after all that its contract says is tried: the operator's now."""
        self._card(
            tx,
            plan,
            task,
            now.n,
            type_="question",
            title=f"{book.title}: {task.called} was not done",
            subject=now.work or plan,
            why=f"{now.why} The tasks after it wait."[:4000],
            options=[DONE, AGAIN, END, tasks.LATER],
            deadline=later(tx.now, 14 * 86_400),
        )

    @staticmethod
    def _card(
        tx: Tx, plan: str, task: PlanTask, n: int, *, type_: str, title: str, **values: Any
    ) -> None:  # one place for both sorts of card
        ident = derived("plan task", plan, task.id, str(n))
        shown = {"subject_kind": SUBJECT, "run": plan, "detail": {"plan": plan, "task": task.id}, "judgement": 1}
        said = {"estimate": 120, "at_expiry": "The tasks after it wait."}
        tasks.open_card(tx, ident, type_, title[:160], **shown, **said, **values)

    def _over(self, tx: Tx, run: str, plan: str, stands: Mapping[str, Stand], *, came: str) -> dict[str, Any]:
        """Keep what became of a plan, once, and close what still asks about it."""

        def keep() -> dict[str, Any]:
            done = sum(one.state == "done" for one in stands.values())
            helped = sum(one.helped for one in stands.values())
            told = {"came": came, "tasks": len(stands), "done": done, "helped": helped}
            releases.made_with(tx, plan, {"plan": told})
            for card in plans.open_cards(tx.conn, plan):
                said = {"option": "", "reason": "the plan is over"}
                tasks.close(tx, card, "withdrawn", said, actor="soloist")
            caps.remove(tx, ("run", plan, "total", "money"), who="soloist")
            tx.append("plan.done" if came == "done" else "plan.ended", subject=plan, payload=told, run=plan)
            return told

        runs.once(tx, plan, "over", keep)
        return {"over": True, "seconds": 0.0}

    # ----- begun by records

    async def follow(self) -> None:
        """For as long as the server runs: a record that reaches a state begins the playbook that waits for it."""
        await following.follow(self.look, PAUSES, log="soloist.plans", trouble="records could not begin a plan")

    async def look(self) -> bool:
        """One look at the journal; True when there may be more. Without such a playbook it costs one small query."""
        was, now, found = await self._store.read(self._reached)
        if was == now:
            return False

        def work(tx: Tx) -> bool:
            if settings.value(tx.conn, MARK) != was:
                return False  # another process made this turn
            for name, record in found:
                ref, values = derived(name, record), {"record": record}
                self.begin_in(tx, name, Start(values, OWN, record, ref=ref), who="soloist")
            settings.put(tx, MARK, now)
            return bool(was and now)

        return bool(await self._store.write(work, full=False))

    def _reached(self, conn: Any) -> tuple[str, str, list[tuple[str, str]]]:
        """Where the last look ended and this one ends, "" for nowhere; (playbook, record) of what is to begin."""
        was = settings.value(conn, MARK)
        books = [_book(conn, row["name"], row["version"]) for row in releases.all_of(conn, KIND)]
        waiting = [book for book in books if book.trigger.by == "record"]
        if not waiting:
            return was, "", []
        if not was:
            return was, str(head(conn)), []
        events = gathering.after(conn, int(was), TURN)
        found = [(book.name, e["subject"]) for e in events for book in waiting if _reaches(conn, e, book)]
        return was, str(events[-1]["seq"]) if events else was, found


def _reaches(conn: Any, event: Mapping[str, Any], book: Playbook) -> bool:
    """Whether an event is that of a record which had not been in the state before."""
    if event["kind"] not in ("record.created", "record.changed"):
        return False
    row = records.standing(conn, event["subject"])
    if row is None or row["kind"] != book.trigger.kind:
        return False
    versions = sorted(records.history(conn, event["subject"]), key=lambda one: int(one["version"]))
    states = {
        one["event"]: (one["state"], before) for one, before in zip(versions, ["", *_states(versions)], strict=False)
    }
    now, before = states.get(event["id"], ("", ""))
    return bool(now == book.trigger.state != before)


def _states(versions: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(one["state"]) for one in versions]


def take(tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
    """The operator's word on a task of a plan; it goes on at once."""
    if option == tasks.LATER["name"]:
        tasks.snooze(tx, card["id"], later(tx.now, 16 * 3600), actor=who)
        return {"state": "waiting"}
    tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
    found = runs.tries(tx.conn, card["detail"]["plan"])
    if found:
        tx.send(found[-1]["id"], TOPIC, card["id"])
    return {"state": "closed", "plan": card["detail"]["plan"]}


# ----- reading a plan


def _begun(tx: Tx, plan: str, book: Playbook, given: Mapping[str, Any]) -> dict[str, Any]:
    """The run says what it carries out, and what it does from now on has the origin of what started it."""
    releases.made_with(tx, plan, {"playbook": book.label})
    rows_of_origins.read(tx, plan, origins.of(given["origin"]))
    return {"playbook": book.label}


def whole(conn: Any, plan: str) -> tuple[Playbook | None, dict[str, Any]]:
    """The playbook of a plan in the version it began with, and what it was given; None when that was erased."""
    found = plans.step(conn, [plan], GIVEN)
    given = (found or {}).get("input") or {}
    return (_book(conn, given["name"], given["version"]), dict(given)) if "version" in given else (None, {})


def standings(conn: Any, ident: str) -> tuple[dict[str, Any], Playbook | None, dict[str, Any], dict[str, Stand]]:
    """A plan as it stands: its run, its playbook, what it was given, each task (NotFound)."""
    row, plan = runs.get(conn, ident), failing.origin(ident)
    if row["flow"] != FLOW:
        raise NotFound(f"There is no plan {ident[:80]!r}.")
    book, given = whole(conn, plan)
    return row, book, given, _stands(conn, plan, book) if book else {}


_parsed = lru_cache(maxsize=64)(parsed)
"""A version is never changed, and the looks for records read every one in use."""


def _book(conn: Any, name: str, version: str) -> Playbook:
    return _parsed(published.get(conn, KIND, name, version)["content"]["toml"], f"{name}@{version}")


def _stands(conn: Any, plan: str, book: Playbook) -> dict[str, Stand]:
    return {task.id: stand(conn, plan, task) for task in book.tasks}


def _may_begin(task: PlanTask, stands: Mapping[str, Stand], given: Mapping[str, Any], now: str) -> bool:
    """Whether a task can be given: it was not, what it comes after is done, and its time has come."""
    ready = all(stands[other].state == "done" for other in task.after)
    return stands[task.id].state == "to do" and ready and later(given["started"], task.seconds("begins")) <= now


def _pause(book: Playbook, stands: Mapping[str, Stand], given: Mapping[str, Any], now: str) -> float:
    """Seconds until the next look, if nothing wakes the plan before."""
    pauses = [LOOK if any(one.state == "under way" for one in stands.values()) else REST]
    for task in book.tasks:
        waits = stands[task.id].state == "to do" and all(stands[other].state == "done" for other in task.after)
        if waits:
            begins = from_iso(later(given["started"], task.seconds("begins")))
            pauses.append(max(1.0, (begins - from_iso(now)).total_seconds()))
    return min(pauses)


def _checked(conn: Any, book: Playbook, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values a plan begins with, as they are kept (BadInput names the one that is missing or unknown)."""
    by = book.trigger.by
    known = {"hand": book.trigger.names, "intent": ("message", "client"), "record": book.trigger.names}[by]
    needed = {"hand": known, "intent": ("message",), "record": ("record",)}[by]
    found = {name: value for name, value in values.items() if value not in (None, "")}
    for name in found:
        if name not in known:
            raise BadInput(
                f"values: {book.label} takes {', '.join(known) or 'none'}, not {name[:60]!r}.", field="values"
            )
    used = {one.split(".")[1] for task in book.tasks for one in task.references if one.startswith("trigger.")}
    for name in needed:
        if name not in found and (by != "hand" or name in used):
            meaning = f" ({book.trigger.values[name]})" if name in book.trigger.values else ""
            raise BadInput(f"values: {name} is missing{meaning}. Nothing was begun.", field="values")
    if by == "intent":
        conversations.message(conn, str(found["message"]))
    if by == "record":
        records.get(conn, str(found["record"]))
    if len(str(found)) > 60_000:
        raise BadInput("values: at most 60,000 characters. Nothing was begun.", field="values")
    return found


def _sources(conn: Any, book: Playbook, given: Mapping[str, Any], stands: Mapping[str, Stand]) -> dict[str, Any]:
    """Everything that an input can take its values from."""
    values = dict(given["values"])
    if book.trigger.by == "intent":
        values = _of_message(conn, values)
    elif book.trigger.by == "record":
        row = records.standing(conn, str(values["record"])) or {}
        values = {"record": values["record"], **{name: row.get(name, "") for name in ("kind", "state", "title")}}
    done = {name: now.found for name, now in stands.items() if now.state == "done"}
    kept = {
        name: {"value": one.get("value") or {}, "said": one.get("said", ""), "records": one.get("records") or []}
        for name, one in done.items()
    }
    return {"trigger": values, "tasks": kept}


def _of_message(conn: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a plan can take from the message that started it."""
    row = conversations.message(conn, str(values["message"]))
    whose = values.get("client") or conversations.get(conn, row["conversation"])["record"]
    text = (row["understanding"] or {}).get("own_text") or row["text"]
    return {
        "message": row["id"],
        "conversation": row["conversation"],
        "client": whose,
        "sender": row["sender"],
        "name": row["sender_name"],
        "subject": row["subject"],
        "text": str(text)[:60_000],
        "language": row["language"],
    }


def _origin(book: Playbook, task: PlanTask, given: Mapping[str, Any], stands: Mapping[str, Stand]) -> Origin:
    """That of what started the plan, and of each result that is in the task's input."""
    used = {name.split(".")[1] for name in task.references if name.startswith("tasks.")}
    results = [stands[name].found.get("origin") for name in sorted(used)]
    return origins.union([origins.of(given["origin"]), *(origins.of(one) for one in results if one)])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 600 else f"{text[:600]} ..."


def equip(desk: Desk) -> None:
    """Let the cards of plans be decided."""
    desk.takers[SUBJECT] = take
