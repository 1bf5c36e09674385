"""Takes a goal apart into tasks: by lines known for its kind of figure, and by a model's where one is asked."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills._goal_lines import LINES
from soloist.sdk import skill
from soloist.sdk.asking import GUARD, Ask, marked

MOST = 12


class In(Frozen):
    """A goal: its name, the figure it is measured by, and its days (ISO 8601, "" for none).

    ``answer`` is what a model said to ``ask``.
    """

    name: str = Field(min_length=1, max_length=300)
    metric: Literal["paid", "invoiced", "new clients", "published", "by hand", ""] = ""
    target: float | None = Field(default=None, allow_inf_nan=False)
    note: str = Field(default="", max_length=4000)
    today: str = ""
    due: str = ""
    language: str = "en"
    answer: dict[str, object] | None = None


class Task(Frozen):
    """One thing to do; ``until`` is a day (ISO 8601) or ""; ``by`` says who wrote the line."""

    text: str
    until: str = ""
    by: Literal["template", "model"] = "template"


class Out(Frozen):
    """The tasks in the order of their days; ``left_out`` says which lines of a model were not taken and why."""

    tasks: list[Task]
    left_out: list[str] = Field(default=[])
    ask: Ask | None = None


@skill("take_apart", version="1")
def take_apart(value: In) -> Out:
    """Take a goal apart into tasks with days."""
    lines = LINES.get(value.language, LINES["en"])
    texts = lines.get(value.metric or "by hand", lines["by hand"])
    found = [Task(text=text) for text in texts]
    left_out: list[str] = []
    if value.answer is not None:
        told, left_out = _told(value)
        found = told or found
    days = _days(value, len(found))
    dated = [one.model_copy(update={"until": day}) for one, day in zip(found, days, strict=True)]
    return Out(tasks=dated, left_out=left_out, ask=_ask(value) if value.answer is None else None)


def _told(value: In) -> tuple[list[Task], list[str]]:
    """The lines of a model that name no figure the goal does not, and why others are left out."""
    given = (value.answer or {}).get("tasks")
    there = set(re.findall(r"\d+", f"{value.name} {value.note} {value.target or ''} {value.due}"))
    found: list[Task] = []
    left_out: list[str] = []
    for line in given if isinstance(given, list) else []:
        text = " ".join(str(line).split())
        if not 5 <= len(text) <= 200 or len(found) == MOST:
            left_out.append(f"{text[:60]!r} is too short, too long or one too many.")
        elif strange := [hit for hit in re.findall(r"\d+", text) if hit not in there]:
            left_out.append(f"{text[:60]!r} names {strange[0]}, which the goal does not.")
        elif "@" in text or "://" in text:
            left_out.append(f"{text[:60]!r} holds an address.")
        else:
            found.append(Task(text=text, by="model"))
    return found, left_out


def _days(value: In, count: int) -> list[str]:
    """A day for each task, evenly between today and the day it is due; "" without both."""
    try:
        first, last = date.fromisoformat(value.today[:10]), date.fromisoformat(value.due[:10])
    except ValueError:
        return [""] * count
    if last <= first:
        return [last.isoformat()] * count
    return [(first + timedelta(days=round((last - first).days * (n + 1) / count))).isoformat() for n in range(count)]


def _ask(value: In) -> Ask:
    """What a model is asked."""
    return Ask(
        instructions=f"List at most {MOST} concrete tasks, in the language {value.language}, by which one person who "
        f"works alone reaches the goal below. One short line each, in order, no figures that it does not name. {GUARD}",
        given=marked(f"{value.name}\nmeasured by: {value.metric or 'by hand'}\n{value.note}"),
        answer_schema={
            "type": "object",
            "properties": {"tasks": {"type": "array", "items": {"type": "string"}, "maxItems": MOST}},
            "required": ["tasks"],
            "additionalProperties": False,
        },
        least=3,
        checks=["5 to 200 characters a line", "no figure that the goal does not name", "no address"],
    )
