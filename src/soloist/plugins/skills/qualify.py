"""Answers the operator's criteria for an enquiry from its words; without words of the message nothing is met.

Services may be written with other words for the same thing: "Website: web site, Webseite, site web".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Answer, Criterion, DateMention, Frozen, Money, Qualified, Span, Understanding
from soloist.kernel.money import plain
from soloist.plugins.skills._dates import local_day
from soloist.plugins.skills._money import sum_of
from soloist.plugins.skills._places import CALLING, COUNTRIES, country
from soloist.plugins.skills._text import sentence_at, span
from soloist.sdk import skill

Told = tuple[Answer, str, list[Span]]

_NEGATED = re.compile(
    r"(?:\b(?:no|not|n[’']t|without|don[’']t need|kein\w*|nicht|ohne"
    r"|pas (?:de|besoin)|sans|sin"
    r"|already have (?:a|an|our)|haben (?:schon|bereits) (?:ein\w*|unser\w*)"
    r"|avons d[ée]j[àa] une?|ya tenemos)\s+(?:\w+\s+){0,2})\Z",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"\bcall\b|\bmeet|phone|\btalk|telefon|gespräch|\btermin\b|treffen|appel\b|rendez-?vous|téléphon|llamada"
    r"|reunión|hablar|vernos",
    re.IGNORECASE,
)
_AT_ONCE = re.compile(
    r"\b(?:asap|a\.s\.a\.p\.|as soon as possible|right away|immediately|urgent(?:ly)?|at once"
    r"|so schnell wie möglich|schnellstmöglich|sofort|dringend"
    r"|le plus (?:vite|tôt) possible|dès que possible|au plus vite|urgente?(?:ment)?|lo antes posible"
    r"|cuanto antes|inmediatamente)\b",
    re.IGNORECASE,
)
_IN = (
    r"(?:based in|located in|live in|living in|from|in|aus|sitz in"
    r"|basée?s? (?:en|à|au|aux)|en|au|aux|situés? (?:en|à|au)|ubicad[oa]s? en|de|desde)\s+(?:the |der |den |die )?"
)


class In(Frozen):
    """The own words of an enquiry, what tier 0 understood of it, and the criteria; ``now`` ISO 8601 with offset."""

    text: str
    understanding: Understanding
    criteria: list[Criterion] = Field(default=[])
    now: str
    timezone: str = "UTC"
    currency: str = "EUR"


class Out(Frozen):
    """One answer for each criterion; "good" when all are met, "poor" when one is not, "open" in between.

    Spans point into ``text``; those of a region may point into the understanding's signature.
    """

    answers: list[Qualified]
    verdict: Literal["good", "poor", "open"]
    summary: str


@skill("qualify", version="1")
def qualify(value: In) -> Out:
    """Answer the operator's criteria for an enquiry, each with the words it rests on."""
    answers = [_answered(criterion, value) for criterion in value.criteria if criterion.wanted.strip()]
    missed = [item for item in answers if item.answer == "not_met"]
    unknown = [item for item in answers if item.answer == "unknown"]
    verdict: Literal["good", "poor", "open"] = "poor" if missed else "open" if unknown or not answers else "good"
    return Out(answers=answers, verdict=verdict, summary=_summary(answers))


def _answered(criterion: Criterion, value: In) -> Qualified:
    """One criterion; an answer without words of the message is turned into unknown."""
    answer, reason, words = _TELL[criterion.name](criterion.wanted, value)
    if not words:
        answer = "unknown"
    return Qualified(criterion=criterion.name, wanted=criterion.wanted, answer=answer, reason=reason, words=words)


def _summary(answers: list[Qualified]) -> str:
    """One sentence for the card."""
    if not answers:
        return "No criteria are set in soloist.toml, so nothing was checked."
    label = {"met": "Met", "not_met": "Not met", "unknown": "Not said"}
    groups = {key: [a.criterion.replace("_", " ") for a in answers if a.answer == key] for key in label}
    return "; ".join(f"{label[key]}: {', '.join(names)}" for key, names in groups.items() if names) + "."


def _services(wanted: str, value: In) -> Told:
    found: dict[str, Span] = {}
    for name, term in _terms(wanted):
        hit = None if name in found else _find_term(value.text, term)
        if hit is not None:
            found[name] = hit
    if not found:
        return "unknown", "The message names none of the services offered.", []
    return "met", f"The message asks about: {', '.join(found)}.", list(found.values())


def _terms(wanted: str) -> Iterator[tuple[str, str]]:
    """(service, word for it) pairs of "Website: web site, Webseite, Logo" written as the settings join them."""
    name, named = "", False
    for piece in re.split(r"([,;\n])", wanted):
        if piece in ";\n":
            named = False
        word = piece.strip()
        if not word or word in ",;":
            continue
        if ":" in word:
            name, _, word = (part.strip() for part in word.partition(":"))
            named = True
            yield name, name
            if not word:
                continue
        elif not named:
            name = word
        yield name, word


def _plain(text: str) -> str:
    """Lower case without accents, of the same length, so that offsets stay right."""
    letters = (unicodedata.normalize("NFD", letter)[0] for letter in text)
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in letters)


def _find_term(text: str, term: str) -> Span | None:
    """The first place where every word of the term stands in a row, endings and German compounds allowed."""
    words = re.findall(r"\w+", _plain(term))
    if not words:
        return None
    parts = [re.escape(_stem(word)) + r"\w{0,12}" for word in words]
    head = r"\w*" if len(words[0]) >= 5 else r"\b"
    for match in re.finditer(head + r"[\s-]+".join(parts), _plain(text)):
        if not _NEGATED.search(text[max(0, match.start() - 40) : match.start()]):
            return span(text, *match.span())
    return None


def _stem(word: str) -> str:
    """The word without a common ending; short words stay whole."""
    for ending in ("ing", "es", "en", "er", "s", "e", "n"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def _minimum_budget(wanted: str, value: In) -> Told:
    least = sum_of(wanted, value.currency)
    if least is None:
        return "unknown", f"The minimum {wanted!r} in soloist.toml is not a sum like 2000 EUR.", []
    budgets = value.understanding.budgets
    same = [item for item in budgets if item.high.currency == least.currency]
    if not budgets:
        return "unknown", "The message names no budget.", []
    if not same:
        words = [item.span for item in budgets]
        return "unknown", f"The budget is in {budgets[0].high.currency}, the minimum in {least.currency}.", words
    low, high = min(item.low.minor for item in same), max(item.high.minor for item in same)
    words = [item.span for item in same]
    if low >= least.minor:
        return "met", f"The budget is at least {_written(least)}.", words
    if high < least.minor:
        return "not_met", f"The budget is below {_written(least)}.", words
    return "unknown", f"The budget reaches from below to above {_written(least)}.", words


def _written(money: Money) -> str:
    return f"{plain(money.minor, money.currency, grouped=True)} {money.currency}".replace(".00 ", " ")


def _regions(wanted: str, value: In) -> Told:
    asked = [piece.strip() for piece in re.split(r"[,;]", wanted) if piece.strip()]
    for region in asked:
        words = _region_words(region, value)
        if words:
            return "met", f"The message names {words[0].text}.", words
    codes = {country(region) for region in asked}
    for code, names in COUNTRIES.items():
        for name in names:
            match = re.search(rf"\b{_IN}(?P<land>{re.escape(name)})\b", value.text, re.IGNORECASE)
            if code not in codes and match:
                return "not_met", f"The message comes from {match['land']}.", [span(value.text, *match.span("land"))]
    return "unknown", "The message does not say where the sender is.", []


def _region_words(region: str, value: In) -> list[Span]:
    """Words that name the region: the place or country itself, or a telephone number with its calling code."""
    code = country(region)
    for source in (value.text, value.understanding.signature):
        for name in COUNTRIES.get(code, (region,)):
            match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", source, re.IGNORECASE if len(name) > 2 else 0)
            if match:
                return [span(source, *match.span())]
    calling = CALLING.get(code)
    return [
        phone.span
        for phone in value.understanding.contact.phones
        if calling and phone.e164.startswith(calling) and phone.span.text.lstrip("( ").startswith(("+", "00"))
    ][:1]


def _earliest_start(wanted: str, value: In) -> Told:
    today = local_day(value.now, value.timezone)
    earliest = _earliest(wanted, today)
    if earliest is None:
        return "unknown", f"The start {wanted!r} in soloist.toml is neither a day (2027-01-15) nor a time (2w).", []
    named = [item for item in value.understanding.dates if _is_for_work(item, value.text, today)]
    early = [item.span for item in named if _last_day(item) < earliest]
    late = [item.span for item in named if date.fromisoformat(item.day) >= earliest]
    if named and len(late) == len(named):
        return "met", f"What is named is not before {earliest.isoformat()}.", late
    if named and len(early) == len(named):
        return "not_met", f"It is wanted before {earliest.isoformat()}.", early
    if named:
        return "unknown", f"The days named lie on both sides of {earliest.isoformat()}.", [item.span for item in named]
    hurry = _AT_ONCE.search(value.text)
    if hurry and earliest > today:
        return "not_met", "It is wanted at once.", [span(value.text, *hurry.span())]
    return "unknown", "The message names no day.", []


def _earliest(wanted: str, today: date) -> date | None:
    """The first possible day, from a day or a lead time such as "2w"."""
    lead = re.fullmatch(r"(\d{1,4})\s*([dw])", wanted.strip().lower())
    if lead:
        return today + timedelta(days=int(lead[1]) * (7 if lead[2] == "w" else 1))
    try:
        return date.fromisoformat(wanted.strip())
    except ValueError:
        return None


def _is_for_work(item: DateMention, text: str, today: date) -> bool:
    """Whether a day is about the work: not past, and not in a sentence about a call or meeting."""
    start, end = sentence_at(text, item.span.start)
    return date.fromisoformat(item.day) >= today - timedelta(days=7) and not _CALL.search(text[start:end])


def _last_day(item: DateMention) -> date:
    """The last day the words allow; "mid" and "end of" a month leave less room than the month."""
    day = date.fromisoformat(item.day)
    room = {1: 30, 15: 9}.get(day.day, 0)
    return day + timedelta(days={"day": 0, "week": 6, "month": room}[item.precision])


_TELL: dict[str, Callable[[str, In], Told]] = {
    "services": _services,
    "minimum_budget": _minimum_budget,
    "regions": _regions,
    "earliest_start": _earliest_start,
}
