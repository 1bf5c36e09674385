"""The report of a week by template; every number in it is one of the figures it was given, and it works out none."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen, Money
from soloist.plugins.skills import _issue_templates as templates
from soloist.sdk import skill

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
Group = Literal["done", "waiting", "coming", "troubles"]


class Figure(Frozen):
    """A named figure: a number with its unit or a sum of money; ``before`` is that of the week before, if any."""

    name: str = Field(min_length=1, max_length=200)
    number: float | None = Field(default=None, allow_inf_nan=False)
    money: Money | None = None
    unit: str = Field(default="", max_length=20)
    before: float | None = Field(default=None, allow_inf_nan=False)
    before_money: Money | None = None


class In(Frozen):
    """The first day of the week (ISO 8601), its figures, and lines of what happened, by group."""

    week: date
    figures: list[Figure] = Field(default=[], max_length=40)
    done: list[str] = Field(default=[], max_length=60)
    waiting: list[str] = Field(default=[], max_length=60)
    coming: list[str] = Field(default=[], max_length=60)
    troubles: list[str] = Field(default=[], max_length=60)
    language: str = "en"
    template: str = ""


class Number(Frozen):
    """A number as it is written in the report, and where in the input it is from ("figures.0.money")."""

    written: str
    source: str


class Out(Frozen):
    """The report; ``numbers`` are all numbers it was given to show, ``strange`` those in the text that are none of
    them (an own template may hold some)."""

    title: str
    text: str
    numbers: list[Number]
    strange: list[str] = Field(default=[])


@skill("weekly_report", version="1")
def weekly_report(value: In) -> Out:
    """Write the report of a week from the figures given."""
    words = templates.REPORT.get(value.language, templates.REPORT["en"])
    last = value.week + timedelta(days=6)
    title = words["title"].format(start=_day(value.week, value.language), end=_day(last, value.language))
    numbers: list[Number] = []
    figures = [_shown(index, one, value.language, numbers) for index, one in enumerate(value.figures)]
    groups: tuple[Group, ...] = ("done", "waiting", "coming", "troubles")
    parts = []
    for group in groups:
        lines = [_line(line) for line in getattr(value, group) if _line(line)]
        for index, line in enumerate(lines):
            numbers += [Number(written=hit, source=f"{group}.{index}") for hit in _written(line)]
        if lines:
            parts.append({"title": words[group], "lines": lines})
    shown = {"title": title, "figures": figures, "parts": parts, "words": words}
    text = templates.fill(value.template or templates.REPORT_TEXT, shown, html=False, name="template")
    known = {one.written for one in numbers} | {
        hit for one in value.figures for hit in _written(f"{_line(one.name)} {one.unit}")
    }
    body = text.replace(title, "")
    strange = [hit for hit in dict.fromkeys(_written(body)) if hit not in known]
    return Out(title=title, text=text, numbers=numbers, strange=strange)


def _shown(index: int, one: Figure, language: str, numbers: list[Number]) -> dict[str, str]:
    """A figure as it is written; each number is noted with its source."""
    values = {"value": "", "before": ""}
    for key, number, money, path in (
        ("value", one.number, one.money, ("number", "money")),
        ("before", one.before, one.before_money, ("before", "before_money")),
    ):
        if money is not None:
            values[key] = f"{_figure(money.minor / 100, language, 2)} {money.currency}"
            numbers.append(Number(written=_figure(money.minor / 100, language, 2), source=f"figures.{index}.{path[1]}"))
        elif number is not None:
            values[key] = f"{_figure(number, language)} {one.unit}".strip()
            numbers.append(Number(written=_figure(number, language), source=f"figures.{index}.{path[0]}"))
    return {"name": _line(one.name), "value": values["value"] or "-", "before": values["before"]}


def _figure(value: float, language: str, places: int | None = None) -> str:
    """A number with the separators of the language; without ``places`` as many decimals as it has, at most two."""
    if places is None:
        places = 0 if value == int(value) else 2
    text = f"{value:,.{places}f}"
    if language in {"de", "es"}:
        return text.translate(str.maketrans(",.", ".,"))
    return text.translate(str.maketrans(",.", "\u202f,")) if language == "fr" else text


def _line(text: str) -> str:
    """One line as the template will show it."""
    return " ".join(templates.tidy(text).split())


def _written(text: str) -> list[str]:
    """The numbers in a text as they are written."""
    return re.findall(r"-?\d(?:[\d.,\u202f]*\d)?", text)


def _day(day: date, language: str) -> str:
    """A day as the language writes it."""
    month = _MONTHS.get(language, _MONTHS["en"]).split()[day.month - 1]
    if language == "de":
        return f"{day.day}. {month} {day.year}"
    return f"{day.day} de {month} de {day.year}" if language == "es" else f"{day.day} {month} {day.year}"
