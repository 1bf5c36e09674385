"""Playbooks as they are known: versions, how often each ran, what became of it, what it cost; it begins none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import intents, plans, published, releases, runs
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.insight import words
from soloist.kernel.playbook import OPERATOR, Playbook, parsed

KIND = "playbook"
LATELY = 20
LIKE = 3
"""Plans of the same kind that were carried out before one is offered to be kept as a playbook."""


@dataclass(frozen=True)
class Figures:
    """What became of the plans of one version. ``well`` were carried out with no task that an agent could not do."""

    version: str = ""
    runs: int = 0
    open: int = 0
    well: int = 0
    helped: int = 0
    ended: int = 0
    micro: int = 0
    tokens: int = 0
    decided: int = 0
    edited: int = 0

    @property
    def over(self) -> int:
        """Plans that are over."""
        return self.well + self.helped + self.ended

    @property
    def said(self) -> str:
        """The same in a sentence."""
        if not self.runs:
            return "It has not run yet."
        parts = [f"{words.counted(self.runs, 'run')}: {self.well} carried out straight"]
        for number, text in ((self.helped, "with your help"), (self.ended, "ended by you"), (self.open, "under way")):
            parts += [f"{number} {text}"] if number else []
        parts += [f"{self.edited} of {self.decided} proposals edited"] if self.decided else []
        cost = f"{self.micro / self.runs / 1_000_000:.4f} a run" if self.micro else "no model was paid"
        return f"{', '.join(parts)}; {cost}."


@dataclass(frozen=True)
class Version:
    """One published version with its figures."""

    version: str
    hash: str
    at: str
    source: str
    who: str
    why: str
    here: bool
    figures: Figures


@dataclass(frozen=True)
class PlanLine:
    """One plan in a list."""

    id: str
    playbook: str
    at: str
    said: str
    tone: str
    subject: str


@dataclass(frozen=True)
class TaskLine:
    """One task of a playbook or plan: who does it with what, after which others; how it stands, "" in a playbook."""

    id: str
    title: str
    who: str
    after: tuple[str, ...]
    takes: tuple[str, ...]
    when: str
    said: str = ""
    tone: str = ""
    why: str = ""
    href: str = ""


@dataclass(frozen=True)
class BookLine:
    """One playbook in a list; ``version`` is the one in use, ``intents`` lead to it."""

    name: str
    version: str
    title: str
    summary: str
    starts: str
    intents: tuple[str, ...]
    figures: Figures
    published: bool


@dataclass(frozen=True)
class Likely:
    """A plan that was carried out and can be kept as a playbook; ``times`` counts those like it."""

    card: str
    title: str
    lines: tuple[str, ...]
    times: int


@dataclass(frozen=True)
class BooksPage:
    """All playbooks, what is wrong with which file, and plans that could become one."""

    books: tuple[BookLine, ...]
    troubles: tuple[str, ...] = ()
    likely: tuple[Likely, ...] = ()


@dataclass(frozen=True)
class BookPage:
    """One playbook whole."""

    line: BookLine
    tasks: tuple[TaskLine, ...]
    values: tuple[tuple[str, str], ...]
    versions: tuple[Version, ...]
    change: str
    plans: tuple[PlanLine, ...]
    text: str
    pinned: bool
    before: str


@dataclass(frozen=True)
class PlanPage:
    """One plan as it stands."""

    line: PlanLine
    tasks: tuple[TaskLine, ...]
    given: tuple[tuple[str, str], ...]
    origin: str


def books(
    conn: Connection, found: Mapping[str, Playbook], troubles: Sequence[str], likely: Sequence[Likely] = ()
) -> BooksPage:
    """Every playbook."""
    lines = tuple(line(conn, book) for _, book in sorted(found.items()))
    return BooksPage(lines, tuple(troubles), tuple(likely))


def line(conn: Connection, book: Playbook) -> BookLine:
    """One playbook in a list."""
    leads = tuple(
        row["name"] for row in intents.listed(conn) if (row["lead"], row["target"]) == ("playbook", book.name)
    )
    whole = figures(conn, book.name)
    summed = _sum(whole.values(), book.version)
    known = releases.find(conn, KIND, book.name) is not None
    return BookLine(book.name, book.version, book.title, book.summary, _starts(book), leads, summed, known)


def one(conn: Connection, book: Playbook, text: str) -> BookPage:
    """One playbook."""
    by_version = figures(conn, book.name)
    release = releases.find(conn, KIND, book.name) or {}
    rows = published.versions(conn, KIND, book.name)
    versions = tuple(_version(row, by_version, str(release.get("version", ""))) for row in rows)
    before = str(release.get("before", ""))
    change = changed(by_version.get(before, Figures(before)), by_version.get(book.version, Figures(book.version)))
    newest = tuple(plan_line(row) for row in plans.of(conn, book.name)[:LATELY])
    values = tuple(book.trigger.values.items())
    if book.trigger.by != "hand":
        what = "message" if book.trigger.by == "intent" else "record"
        values = ((what, f"Id of the {what} it is about"),)
    pinned = bool(release.get("pinned"))
    shown = tuple(_task(task) for task in book.tasks)
    return BookPage(line(conn, book), shown, values, versions, change if before else "", newest, text, pinned, before)


def _version(row: Mapping[str, Any], found: Mapping[str, Figures], here: str) -> Version:
    facts = (row["version"], row["hash"], row["at"], row["source"], row["who"], row["why"], row["version"] == here)
    return Version(*facts, found.get(row["version"], Figures(row["version"])))


def _starts(book: Playbook) -> str:
    """What starts it, in words."""
    if book.trigger.by == "intent":
        return "a message whose intent leads here"
    if book.trigger.by == "record":
        return f"a record of the kind {book.trigger.kind} that reaches {book.trigger.state}"
    return "you"


def _task(task: Any) -> TaskLine:
    who = "you" if task.agent == OPERATOR else " ".join(part for part in (task.agent, task.skill) if part)
    when = [f"begins {task.begins} after the start"] if task.begins else []
    when += [f"due {task.due} after the start"] if task.due else []
    takes = tuple(dict.fromkeys(task.references))
    return TaskLine(task.id, task.called, who, task.after, takes, ", ".join(when))


# ----- figures


def figures(conn: Connection, name: str) -> dict[str, Figures]:
    """What became of the plans of a playbook, by version."""
    rows = plans.of(conn, name)
    cost = plans.came_to(conn, [row["id"] for row in rows])
    found: dict[str, list[tuple[Mapping[str, Any], Mapping[str, int]]]] = {}
    for row in rows:
        made = row["made_with"] or {}
        if runs.origin(row["id"]) == row["id"] and made.get("playbook"):
            found.setdefault(str(made["playbook"]).partition("@")[2], []).append(
                (made.get("plan") or {}, cost[row["id"]])
            )
    return {version: _figures(version, cases) for version, cases in found.items()}


def _figures(version: str, cases: Sequence[tuple[Mapping[str, Any], Mapping[str, int]]]) -> Figures:
    done = [plan for plan, _ in cases if plan.get("came") == "done"]
    sums = {key: sum(cost[key] for _, cost in cases) for key in ("micro", "tokens", "decided", "edited")}
    return Figures(
        version,
        runs=len(cases),
        open=sum(not plan for plan, _ in cases),
        well=sum(not plan.get("helped") for plan in done),
        helped=sum(bool(plan.get("helped")) for plan in done),
        ended=sum(plan.get("came") == "ended" for plan, _ in cases),
        **sums,
    )


def _sum(all_of: Any, version: str) -> Figures:
    names = ("runs", "open", "well", "helped", "ended", "micro", "tokens", "decided", "edited")
    rows = list(all_of)
    return Figures(version, **{name: sum(getattr(row, name) for row in rows) for name in names})


def changed(old: Figures, new: Figures) -> str:
    """What became better or worse with a version, in a sentence; what cannot be compared yet is said so."""
    if not old.version:
        return ""
    if not old.over or not new.over:
        which = new.version if not new.over else old.version
        return f"Version {which} has no run that is over, so {old.version} and {new.version} cannot be compared yet."
    said = []
    for what, a, b, more_is_better in (
        ("carried out straight", old.well / old.over, new.well / new.over, True),
        ("proposals edited", _share(old), _share(new), False),
    ):
        if a is not None and b is not None and round(a, 2) != round(b, 2):
            better = (b > a) == more_is_better
            said.append(f"{'better' if better else 'worse'}: {what} {b:.0%}, before {a:.0%}")
    before, after = old.micro / old.runs / 1_000_000, new.micro / new.runs / 1_000_000
    if round(before, 4) != round(after, 4):
        said.append(f"{'cheaper' if after < before else 'dearer'}: {after:.4f} a run, before {before:.4f}")
    counted = f"{words.counted(new.over, 'run')} of {new.version}, {old.over} of {old.version}"
    return f"{'; '.join(said) if said else 'Neither better nor worse'} ({counted})."


def _share(one: Figures) -> float | None:
    return one.edited / one.decided if one.decided else None


# ----- plans


def plan_line(row: Mapping[str, Any]) -> PlanLine:
    """One plan in a list."""
    made = row["made_with"] or {}
    came, helped = (made.get("plan") or {}).get("came", ""), (made.get("plan") or {}).get("helped", 0)
    if came == "done":
        said, tone = ("carried out with your help", "warn") if helped else ("carried out", "go")
    elif came == "ended" or row["state"] == "done":
        said, tone = "ended", "warn"
    else:
        said, tone = ("failed", "bad") if row["state"] == "failed" else ("under way", "")
    return PlanLine(row["id"], str(made.get("playbook", "")), row["started"], said, tone, str(row["subject"]))


STANDS = {
    "to do": ("not begun", ""),
    "under way": ("under way", ""),
    "stuck": ("needs you", "bad"),
    "card": ("waits for you", "warn"),
    "done": ("done", "go"),
    "ended": ("ended", "warn"),
}


def plan(
    row: Mapping[str, Any], book: Playbook | None, stands: Mapping[str, Any], given: Mapping[str, Any]
) -> PlanPage:
    """One plan with its tasks; ``stands`` are those of ``flows.plans`` by the id of the task."""
    tasks = tuple(_standing(task, stands[task.id], given) for task in book.tasks) if book else ()
    shown = tuple((name, _short(value)) for name, value in (given.get("values") or {}).items())
    origin = ", ".join((given.get("origin") or {}).get("labels", ()))
    return PlanPage(plan_line(row), tasks, shown, origin)


def _standing(task: Any, now: Any, given: Mapping[str, Any]) -> TaskLine:
    """One task of a plan as it stands; its times as instants."""
    base, (said, tone) = _task(task), STANDS[now.state]
    if now.state == "done" and now.found.get("came") == "fallback":
        said = "done without a model"
    href = (
        f"/?card={now.card}"
        if now.state == "card"
        else f"/agents/{task.agent}/work/{now.work}"
        if now.n or now.work
        else ""
    )
    href = href if now.state != "to do" else ""
    due = later(given["started"], task.seconds("due")) if task.due else ""
    why = str(now.found.get("said") or now.why or "")[:600]
    when = f"due {due[:10]}" if due else base.when
    return TaskLine(task.id, base.title, base.who, base.after, base.takes, when, said, tone, why, href)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= 400 else f"{text[:400]} ..."


# ----- plans that repeat


def alike(one_: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two plans have at least every second of their words in common."""
    a, b = ({word for text in texts for word in text.casefold().split()} for texts in (one_, other))
    return bool(a | b) and len(a & b) * 2 >= len(a | b)


def titles(conn: Connection) -> list[list[str]]:
    """What the operator does in each playbook that was published: titles of tasks."""
    found = [parsed(row["content"]["toml"], row["name"]) for row in releases.in_use(conn, KIND)]
    return [[task.title for task in book.tasks if task.agent == OPERATOR] for book in found]


def likely(conn: Connection, known: Sequence[Sequence[str]], since: str = "", until: str = "9999") -> list[Likely]:
    """Plans of the planner of which everything taken was done, the newest of each sort.

    What is like the tasks of a playbook (``known``) is none.
    """
    groups: list[tuple[Any, list[str], int]] = []
    for row in plans.lists(conn, since, until):
        lines = plans.lines(conn, row)
        texts = [one_["text"] for one_ in lines]
        if not lines or not all(one_["done"] for one_ in lines) or any(alike(texts, titles) for titles in known):
            continue
        place = next((n for n, (_, others, _) in enumerate(groups) if alike(texts, others)), -1)
        if place < 0:
            groups.append((row, texts, 1))
        else:
            groups[place] = (*groups[place][:2], groups[place][2] + 1)
    return [Likely(row["id"], str(row["title"]), tuple(texts), times) for row, texts, times in groups]
