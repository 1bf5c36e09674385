"""Reads the days a sender names, in four languages, from written forms only; it never guesses from a lone number."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from soloist.kernel.message import DateMention, Frozen
from soloist.plugins.skills._text import LIMIT, span

Found = tuple[date, Literal["day", "week", "month"]]

_MONTHS = {
    1: "january januar janvier enero jan ene jänner",
    2: "february februar février fevrier febrero feb",
    3: "march märz maerz mars marzo",
    4: "april avril abril apr abr",
    5: "mai mayo",
    6: "june juni juin junio jun",
    7: "july juli juillet julio jul",
    8: "august août aout agosto aug",
    9: "september septembre septiembre setiembre sept sep",
    10: "october oktober octobre octubre oct okt",
    11: "november novembre noviembre nov",
    12: "december dezember décembre decembre diciembre dec dez dic",
}
_AMBIGUOUS = {"may": 5, "mar": 3, "mär": 3}
"""Words that are a month only with a day, year or preposition next to them."""
_MONTH = {word: number for number, words in _MONTHS.items() for word in words.split()} | _AMBIGUOUS
_WEEKDAYS = (
    "monday montag lundi lunes mo",
    "tuesday dienstag mardi martes",
    "wednesday mittwoch mercredi miércoles miercoles",
    "thursday donnerstag jeudi jueves",
    "friday freitag vendredi viernes",
    "saturday samstag sonnabend samedi sábado sabado",
    "sunday sonntag dimanche domingo",
)
_WEEKDAY = {word: number for number, words in enumerate(_WEEKDAYS) for word in words.split() if word != "mo"}
_COUNT = {
    word: number
    for number, words in {
        1: "one a an ein eine einem einer un une una",
        2: "two zwei deux dos couple paar",
        3: "three drei trois tres",
        4: "four vier quatre cuatro",
        5: "five fünf cinq cinco",
        6: "six sechs seis",
        8: "eight acht huit ocho",
    }.items()
    for word in words.split()
}
_UNIT = {"da": 1, "ta": 1, "jo": 1, "dí": 1, "di": 1, "we": 7, "wo": 7, "se": 7, "mo": 30, "me": 30}


def _any(words: object) -> str:
    """A regular expression for any of the words, longest first."""
    return "|".join(sorted(words, key=len, reverse=True))  # type: ignore[call-overload]  # any iterable of words


_M = rf"(?P<month>{_any(_MONTH)})"
_Y = r"(?:,?\s+(?:de[l]?\s+)?(?P<year>20\d\d))?"
_PART = (
    r"(?P<part>early|mid|late|beginning of|start of|middle of|end of|the (?:beginning|start|middle|end) of"
    r"|anfang|mitte|ende"
    r"|d[ée]but|mi|fin|a (?:principios|mediados|finales) de|principios de|mediados de|finales de)"
)
_FORMS: tuple[tuple[str, str], ...] = (
    ("iso", r"(?P<year>20\d\d)-(?P<m>0?[1-9]|1[0-2])-(?P<day>0?[1-9]|[12]\d|3[01])"),
    ("dotted", r"(?P<day>0?[1-9]|[12]\d|3[01])\.\s?(?P<m>0?[1-9]|1[0-2])\.(?:\s?(?P<year>20\d\d|\d\d(?![.,]?\d)))?"),
    ("slashed", r"(?P<day>0?[1-9]|[12]\d|3[01])/(?P<m>0?[1-9]|[12]\d|3[01])/(?P<year>20\d\d|\d\d)"),
    (
        "slashed_short",
        r"(?:(?:by|on|before|until|bis|am|zum|le|avant|pour|el|del|para|hasta|antes del?|fecha(?: l[íi]mite)?|deadline"
        r"|date|datum|termin|ser)\s*:?\s+)(?P<day>0?[1-9]|[12]\d|3[01])/(?P<m>0?[1-9]|1[0-2])(?!/|\d)",
    ),
    (
        "first_of_two",
        rf"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|\.)?"
        rf"(?=(?:\s?[-–]\s?|\s+(?:and|to|or|und|oder|bis|et|ou|au|y|o|a|al|&)\s+(?:(?:the|le|el|den)\s+)?)"
        rf"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?{_M}\b{_Y})",
    ),
    (
        "day_month",
        rf"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|\.)?\s+(?:of\s+"
        rf"|de\s+)?{_M}\.?{_Y}",
    ),
    (
        "month_day",
        rf"{_M}\.?\s+(?:the\s+)?(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?:\s?[-–]\s?\d\d?)?(?![\d.,]*\d"
        rf"|\s?[€$£%])(?:,?\s+(?P<year>20\d\d))?",
    ),
    ("part_month", rf"{_PART}[\s-]+(?:de\s+)?{_M}{_Y}"),
    ("month_year", rf"{_M}\.?,?\s+(?:de[l]?\s+)?(?P<year>20\d\d)"),
    (
        "month",
        r"(?:(?:in|im|by|until|till|before|bis|ab|from|since|for|vor|en|pour|avant|d[èe]s|para|antes de|desde"
        r"|hasta|next|n[äa]chsten|this|diesen|of|"
        r"d[’']ici|around|gegen|vers|hacia|start(?:ing)?|begin(?:ning)?|launch|mid)\s+"
        rf"(?:le mois de\s+|el mes de\s+)?){_M}\b(?!\s+(?:be|have|not|also|i|we)\b)",
    ),
    ("quarter", r"(?P<quarter>Q[1-4]|[1-4]\. Quartal|T[1-4])(?:[\s/]+(?P<year>20\d\d))?"),
    (
        "week_number",
        r"(?:(?:KW|calendar week|Kalenderwoche|week|semaine|semana)\s?(?P<week>[1-4]?\d|5[0-3])"
        r"|(?P<week_before>[1-4]?\d|5[0-3])\. (?:KW|Kalenderwoche))(?:[\s/]+(?P<year>20\d\d))?",
    ),
    (
        "next_week",
        r"(?P<next_week>next week|(?:der |die )?(?:n[äa]chste|kommende)[nr]? Woche|la semaine prochaine"
        r"|la semana que viene|la pr[óo]xima semana|pr[óo]xima semana)",
    ),
    ("this_week", r"(?P<this_week>this week|diese[r]? Woche|cette semaine|esta semana)"),
    (
        "next_month",
        r"(?P<next_month>next month|(?:n[äa]chste[nr]?|kommende[nr]?) Monat|le mois prochain|el mes que viene"
        r"|el pr[óo]ximo mes|pr[óo]ximo mes)",
    ),
    (
        "end_of_period",
        r"(?P<end>end of the (?:month|year)|end of (?:month|year)|(?:bis )?(?:Monatsende|Jahresende"
        r"|Ende des (?:Monats|Jahres))"
        r"|fin du mois|fin de l.ann[ée]e|(?:a )?(?:fin|finales) de(?:l)? (?:mes|a[ñn]o))",
    ),
    (
        "in_some",
        rf"(?:in|within|innerhalb von|dans|d.ici|en|dentro de)\s+(?:the next |den n[äa]chsten |les |about |etwa "
        rf"|ca\. |unos )?(?:a )?(?P<count>\d{{1,2}}|{_any(_COUNT)})"
        r"(?: of)?\s+(?P<unit>days?|weeks?|months?|tage?n?|wochen?|monate?n?|jours?|semaines?|mois|d[íi]as?"
        r"|semanas?|mes(?:es)?)",
    ),
    (
        "day_word",
        r"(?P<word>day after tomorrow|tomorrow|today|übermorgen|heute|morgen|après-demain|demain|aujourd[’']hui"
        r"|pasado mañana|hoy)",
    ),
    (
        "weekday",
        r"(?:(?P<next>next|(?:am )?(?:n[äa]chste[nr]?|kommende[nr]?)|el pr[óo]ximo)\s+|(?:on|this|by|until|am|bis"
        r"|diese[nr]?|le|ce|el|este|before|for)\s+)?"
        rf"(?P<weekday>{_any(_WEEKDAY)})(?P<after>\s+(?:prochain|que viene|next week|n[äa]chster? woche))?",
    ),
)
_FLAGS = re.IGNORECASE
_PATTERNS = tuple((name, re.compile(rf"(?<![\w@/.,+-]){form}(?![\w@]|[-/]\d)", _FLAGS)) for name, form in _FORMS)
_WORTH = re.compile(
    rf"\d[./-]\s?\d|\b(?:{_any(_MONTH)}|{_any(_WEEKDAY)}|Q[1-4]|T[1-4]|KW|quartal|week|weeks|woche|wochen"
    rf"|semaines?|semanas?|days?|tage?n?|jours?"
    r"|d[íi]as?|months?|monate?n?|monats\w*|jahres\w*|mois|mes|meses|year|today|heute|demain|hoy|tomorrow"
    r"|morgen|übermorgen|mañana|fin de|ende)\b",
    _FLAGS,
)
_VERSION = re.compile(
    r"(?:\b(?:v|version|php|ios|android|windows|release|eur|tel|fon|phone|nr|no)|[€$£])[\s.:]*\Z", _FLAGS
)


_WEEKDAY_ONLY = re.compile(rf"\W*(?:[^\W\d_.]{{1,8}}\W+){{0,2}}(?:{_any(_WEEKDAY)})\W*", _FLAGS)
_BESIDE = re.compile(r"[\s,.(:;-]*(?:(?:the|den|dem|der|le|el|d[ií]a)\s+)?[\s,.()]*", _FLAGS)
_EVERY = re.compile(
    rf"(?:\b(?:every|each|our|except|außer|sauf|excepto|jeden|immer|chaque|tous les|toutes les|cada|todos los"
    rf"|los|les)\s+"
    rf"(?:(?:{_any(_WEEKDAY)})s?\s*(?:,|and|or|und|oder|et|ou|y|o|e)\s+)*|\ble\s+)(?:{_any(_WEEKDAY)})\Z",
    _FLAGS,
)
"""Words that make a weekday a habit; "le lundi" is every Monday, "lundi" the next one."""
_A_MORNING = re.compile(r"(?:guten?|schönen|am|jeden|diesen|der|den|dem|einen|heute|gestern)\s+\Z", _FLAGS)
"""Words before "morgen" that make it a morning."""
_COURSE = re.compile(r"\s+(?:class|course|lesson|group|rehearsal|evenings|mornings|afternoons)\b", _FLAGS)


class In(Frozen):
    """A text, the instant it was read (ISO 8601 with offset), the operator's zone, and the text's language."""

    text: str
    now: str
    timezone: str = "UTC"
    language: str = "en"


class Out(Frozen):
    """The days named, in reading order."""

    dates: list[DateMention]


def local_day(now: str, timezone: str) -> date:
    """The operator's day at an instant; ValueError when ``now`` is not ISO 8601, KeyError family for an unkn"
    "own zone."""
    instant = datetime.fromisoformat(now)
    return (instant.astimezone(ZoneInfo(timezone)) if instant.tzinfo else instant).date()


def find_dates(text: str, today: date, language: str = "en") -> list[DateMention]:
    """Every day named in the text; a partial date means the next such day from ``today`` on."""
    text = text[:LIMIT]
    if not _WORTH.search(text):
        return []
    taken: list[tuple[int, int, Found]] = []
    for name, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if (
                len(taken) >= 200
                or any(start < e and s < end for s, e, _ in taken)
                or _is_other_number(text, start, end)
            ):
                continue
            found = _READ[name](match, today, language)
            if found:
                taken.append((start, end, found))
    return [
        DateMention(day=day.isoformat(), precision=precision, span=span(text, start, end))
        for start, end, (day, precision) in sorted(taken)
        if not _says_no_day(text, (start, end), taken)
    ]


def _says_no_day(text: str, place: tuple[int, int], taken: list[tuple[int, int, Found]]) -> bool:
    """Whether a weekday only repeats the date beside it, or names what happens every week."""
    start, end = place
    if not _WEEKDAY_ONLY.fullmatch(text[start:end]):
        return False
    for other, stop, (_, precision) in taken:
        between = text[end:other] if other >= end else text[stop:start]
        if other != start and precision == "day" and len(between) < 12 and _BESIDE.fullmatch(between):
            return True
    return bool(_EVERY.search(text[max(0, start - 40) : end]) or _COURSE.match(text, end))


def _is_other_number(text: str, start: int, end: int) -> bool:
    """Whether the words around say telephone, price or version, or digits go on before or after."""
    before, after = text[max(0, start - 12) : start], text[end : end + 5]
    if not text[start].isdigit():
        return False
    return bool(_VERSION.search(before)) or bool(
        re.search(r"\d[\s/-]{1,2}\Z", before) or re.match(r"\s\d\d(?![:h.])", after)
    )


def _year(match: re.Match[str]) -> int | None:
    raw = match.groupdict().get("year")
    return None if not raw else int(raw) + (2000 if len(raw) == 2 else 0)


def _on(day: int, month: int, year: int | None, today: date) -> Found | None:
    """A calendar day; without a year the next one, but a day less than a month ago stays in the past."""
    try:
        value = date(year or today.year, month, day)
        if year is None and value < today - timedelta(days=30):
            value = date(today.year + 1, month, day)
    except ValueError:
        return None
    return value, "day"


def _numeric(match: re.Match[str], today: date, language: str) -> Found | None:
    day, month = int(match["day"]), int(match["m"])
    # 03/14/2027 can only be month first; 03/04/2027 is read the way of the language, day first unless US spelling shows
    if month > 12:
        day, month = month, day
    return _on(day, month, _year(match), today)


def _named(match: re.Match[str], today: date, language: str) -> Found | None:
    word = match["month"].casefold()
    if word in _AMBIGUOUS and not match["month"][0].isupper() and language == "en":
        return None
    if language != "en" and match.start("month") < match.start("day") and not match["year"]:
        return None  # "im Mai 25 Jahre alt": only English puts the day behind the month
    return _on(int(match["day"]), _MONTH[word], _year(match), today)


def _whole_month(match: re.Match[str], today: date, language: str) -> Found | None:
    """A month, or its beginning, middle or end; the day is the first, 15th or last of it."""
    month = _MONTH[match["month"].casefold()]
    year = _year(match) or (today.year if month >= today.month else today.year + 1)
    part = (match.groupdict().get("part") or "").casefold()
    day = 1
    if re.search(r"mid|mitte|mi\b|mediados", part):
        day = 15
    elif re.search(r"late|end|fin", part):
        day = monthrange(year, month)[1]
    return date(year, month, day), "month"


def _quarter(match: re.Match[str], today: date, language: str) -> Found | None:
    number = int(re.sub(r"\D", "", match["quarter"]))
    if match["quarter"][0] in "Tt" and language not in {"fr", "es"}:
        return None
    year = _year(match) or (today.year if number * 3 >= today.month else today.year + 1)
    return date(year, number * 3 - 2, 1), "month"


def _week_number(match: re.Match[str], today: date, language: str) -> Found | None:
    number, year = int(match["week"] or match["week_before"]), _year(match)
    if not number:
        return None
    monday = date.fromisocalendar(year or today.year, min(number, 52), 1)
    if year is None and monday < today - timedelta(days=7):
        monday = date.fromisocalendar(today.year + 1, min(number, 52), 1)
    return monday, "week"


def _week(shift: int) -> Callable[[re.Match[str], date, str], Found | None]:
    """A reader for the Monday ``shift`` weeks from this one."""
    return lambda match, today, language: (today - timedelta(days=today.weekday()) + timedelta(weeks=shift), "week")


def _next_month(match: re.Match[str], today: date, language: str) -> Found | None:
    return date(today.year + today.month // 12, today.month % 12 + 1, 1), "month"


def _end_of_period(match: re.Match[str], today: date, language: str) -> Found | None:
    if re.search(r"year|jahr|ann|a[ñn]o", match["end"], re.IGNORECASE):
        return date(today.year, 12, 31), "day"
    return date(today.year, today.month, monthrange(today.year, today.month)[1]), "day"


def _in_some(match: re.Match[str], today: date, language: str) -> Found | None:
    raw, unit = match["count"].casefold(), match["unit"].casefold()
    count = int(raw) if raw.isdigit() else _COUNT[raw]
    days = 30 if unit.startswith(("mois", "mes", "mon")) else _UNIT[unit[:2]]
    precision: Literal["day", "week", "month"] = "day" if days == 1 else "week" if days == 7 else "month"
    return today + timedelta(days=count * days), precision


def _day_word(match: re.Match[str], today: date, language: str) -> Found | None:
    word = match["word"].casefold().replace("’", "'")
    if word == "morgen" and (match["word"] != word or _A_MORNING.search(match.string, 0, match.start())):
        return None
    if word in {"day after tomorrow", "übermorgen", "après-demain", "pasado mañana"}:
        return today + timedelta(days=2), "day"
    return today + timedelta(days=0 if word in {"today", "heute", "aujourd'hui", "hoy"} else 1), "day"


def _weekday(match: re.Match[str], today: date, language: str) -> Found | None:
    """The next such day after today; "next" said of a day still in this week means the following week."""
    number = _WEEKDAY[match["weekday"].casefold()]
    ahead = (number - today.weekday() - 1) % 7 + 1
    after = (match["after"] or "").casefold()
    if ("week" in after or "woche" in after or match["next"]) and number > today.weekday():
        ahead += 7 if ahead + today.weekday() < 7 else 0
    return today + timedelta(days=ahead), "day"


_READ: dict[str, Callable[[re.Match[str], date, str], Found | None]] = {
    "iso": _numeric,
    "dotted": _numeric,
    "slashed": _numeric,
    "slashed_short": _numeric,
    "first_of_two": _named,
    "day_month": _named,
    "month_day": _named,
    "part_month": _whole_month,
    "month_year": _whole_month,
    "month": _whole_month,
    "quarter": _quarter,
    "week_number": _week_number,
    "next_week": _week(1),
    "this_week": _week(0),
    "next_month": _next_month,
    "end_of_period": _end_of_period,
    "in_some": _in_some,
    "day_word": _day_word,
    "weekday": _weekday,
}
