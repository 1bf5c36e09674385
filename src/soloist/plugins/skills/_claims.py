"""Claims of a draft against its context: prices, discounts, days, links, names and promises; it corrects nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from soloist.kernel.message import DateMention, Frozen, Span
from soloist.plugins.skills import _claims_words as words_of
from soloist.plugins.skills._dates import find_dates, local_day
from soloist.plugins.skills._figures import amounts, numbers
from soloist.plugins.skills._housebook import Book, parse
from soloist.plugins.skills._language import tell
from soloist.plugins.skills._promises import In as PromisesIn
from soloist.plugins.skills._promises import find as find_promises
from soloist.plugins.skills._text import sentences, span
from soloist.plugins.skills._tone import Form, sounds

Kind = Literal[
    "price", "discount", "date", "time", "promise", "name", "link", "address_of_mail", "pressure", "shouting", "address"
]
Weight = Literal["stop", "look"]
MOST = 40
LONGEST = 200_000
"""Characters of all sources together that are read."""
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'()\[\]]+|(?<![\w@.-])(?:[\w-]+\.)+[a-z]{2,12}(?:/[^\s<>\"'()\[\]]*)?(?![\w@-])", re.I
)
_MAIL = re.compile(r"[\w.+%-]+@(?:[\w-]+\.)+\w{2,24}")
_DURATION = re.compile(words_of.DURATION, re.IGNORECASE)
_CLOCK = re.compile(
    r"(?<![\d.,:/])(?P<h>[01]?\d|2[0-3])(?:[:.h](?P<m>[0-5]\d)|(?=\s?(?:Uhr|h\b|[ap]\.?m\b|o['’]clock|heures"
    r"|horas)))(?![\d/]|[.,:]\d)(?:\s?(?P<half>[ap])\.?m\b)?",
    re.I,
)
_QUOTED = re.compile(r"[“„«‘]([^“”„«»\n]{3,400})[”“»’]")
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][\w’'-]+"
_RUN = re.compile(
    rf"(?<![\w@./-])(?:{_CAPITAL}(?:[ ]+(?:von |van |de |del |della |di |la |le |und |& )?{_CAPITAL}){{1,3}})(?![\w@])"
)
_SINGLE = re.compile(rf"(?<=[^\W_],\s|[^\W_][^\W_]\s){_CAPITAL}(?![\w@])")


class Source(Frozen):
    """A text the draft may rest on; words from outside (``ours`` False) prove no price and no promise of ours."""

    name: str
    text: str
    ours: bool = True


class In(Frozen):
    """A draft and all it may rest on; ``thread`` is the conversation, oldest first, ``form`` the house's own choice.

    ``now`` is ISO 8601 with offset ("" compares days only as they are written), ``known`` names that may be used. Of a
    ``house_book`` the lines that may be quoted are a source, and its tone is the form unless ``form`` says another.
    """

    subject: str = ""
    text: str
    context: list[Source] = Field(default=[])
    thread: list[str] = Field(default=[])
    known: list[str] = Field(default=[])
    form: Form = ""
    language: str = ""
    now: str = ""
    timezone: str = "UTC"
    house_book: str = ""


class Finding(Frozen):
    """Words of the draft that nothing in the context bears out. ``has``: what the context holds of that kind instead.

    ``weight`` "stop" must be changed before it goes out, "look" wants a person's eye.
    """

    kind: Kind
    weight: Weight
    words: Span
    line: int
    why: str
    has: list[str] = Field(default=[])


class Out(Frozen):
    """Every finding in the order of the draft; ``ok`` when none says stop. Offsets point into ``subject``, a line
    break, ``text`` (only ``text`` when there is no subject)."""

    ok: bool
    language: str
    findings: list[Finding] = Field(default=[])


@dataclass
class _Case:
    """A draft with its sources, each read once."""

    text: str
    ours: str
    outside: str
    language: str
    today: date | None
    known: frozenset[str]
    names: list[str]

    @property
    def whole(self) -> str:
        """All that may be quoted."""
        return f"{self.ours}\n{self.outside}"


def check(value: In) -> Out:
    """The findings of a draft; ValueError when ``now`` is neither empty nor ISO 8601."""
    text = f"{value.subject}\n{value.text}" if value.subject else value.text
    language = value.language or tell(text, "en").language
    book = parse(value.house_book)
    own = [*(line for fact in book.quotable for line in (*fact.keys, fact.text)), *book.tone.greeting.values()]
    context = [*value.context, Source(name="house book", text="\n".join([*own, *book.tone.closing.values()]))]
    sources = {ours: "\n".join(one.text for one in context if one.ours is ours)[:LONGEST] for ours in (True, False)}
    outside = "\n".join((sources[False], *value.thread))[:LONGEST]
    today = local_day(value.now, value.timezone) if value.now else None
    known = frozenset(_fold(word) for name in value.known for word in re.findall(r"[\w’'-]+", name))
    case = _Case(text[:20_000], sources[True], outside, language, today, known, value.known)
    found = [*_prices(case), *_days(case), *_clocks(case), *_links(case), *_names(case), *_promises(case)]
    quotes = _quotes(case)
    for one in sounds(case.text, value.thread, language, value.form or _form(book, language), case.whole):
        if any(start <= one.start < end for start, end in quotes):
            continue
        weight: Weight = "stop" if one.kind == "address" else "look"
        found.append(_finding(case, one.kind, weight, (one.start, one.end), one.why))
    found.sort(key=lambda one: (one.words.start, one.kind))
    return Out(ok=all(one.weight != "stop" for one in found), language=language, findings=found[:MOST])


def _quotes(case: _Case) -> list[tuple[int, int]]:
    """Where the draft quotes words of the other side: how those sound is not ours."""
    there = " ".join(_fold(case.outside).split())
    found = []
    for hit in _QUOTED.finditer(case.text):
        words = " ".join(_fold(hit[1]).split()).rstrip(" .…")
        if words and words in there:
            found.append(hit.span())
    return found


def _form(book: Book, language: str) -> Form:
    """The form of address the house book chose for a language; "" when it says nothing."""
    informal = book.tone.informal.get(language, book.tone.informal.get(""))
    return "" if informal is None else "informal" if informal else "formal"


def _finding(
    case: _Case, kind: Kind, weight: Weight, place: tuple[int, int], why: str, *, has: list[str] | None = None
) -> Finding:
    part = span(case.text, *place)
    line = case.text.count("\n", 0, part.start) + 1
    return Finding(kind=kind, weight=weight, words=part, line=line, why=why, has=(has or [])[:5])


def _prices(case: _Case) -> Iterator[Finding]:
    """Sums and percentages, and words of discount, that no source of ours holds."""
    ours, outside = numbers(case.ours), numbers(case.outside)
    for one in amounts(case.text):
        kind: Kind = "discount" if one.percent else "price"
        if one.value not in ours:
            has = _sums(case.whole, one.percent)
            yield _unborne(case, kind, (one.start, one.end), outside=one.value in outside, has=has)
    rule = words_of.DISCOUNT.get(case.language, words_of.DISCOUNT["en"])
    for hit in rule.finditer(case.text):
        if not _has_stem(case.ours, hit[0]):
            yield _unborne(case, "discount", hit.span(), outside=_has_stem(case.outside, hit[0]), has=[])


def _unborne(case: _Case, kind: Kind, place: tuple[int, int], *, outside: bool, has: list[str]) -> Finding:
    """What no source of ours holds; words of others do not prove it."""
    words = case.text[place[0] : place[1]]
    if outside:
        why = f"Only the other side names {words!r}; no source of yours does."
        return _finding(case, kind, "look", place, why, has=has)
    return _finding(case, kind, "stop", place, f"{words!r} is nowhere in the context.", has=has)


def _sums(text: str, percent: bool) -> list[str]:
    """Sums (or percentages) as the context writes them."""
    seen: dict[Decimal, str] = {}
    for one in amounts(text):
        if one.percent is percent:
            seen.setdefault(one.value, text[one.start : one.end])
    return list(seen.values())


def _days(case: _Case) -> Iterator[Finding]:
    """Days that no source names; a week or month of the draft is borne out by a day inside it."""
    today = case.today or date(2000, 1, 3)
    there = _mentions(case.whole, today, case.language)
    taken: list[tuple[int, int]] = []
    for one in find_dates(case.text, today, case.language):
        start, end = one.span.start, one.span.start + len(one.span.text.rstrip("."))
        if case.today is None and not re.search(r"\d", one.span.text):
            borne = _fold(one.span.text) in _fold(case.whole)
        else:
            borne = any(_within(date.fromisoformat(other.day), one) for other in there)
        if not borne:
            taken.append((start, end))
            yield _finding(case, "date", "stop", (start, end), _absent(case.text[start:end]), has=_said(there))
    spans = {_fold(re.sub(r"\s+", " ", hit[0])) for hit in _DURATION.finditer(case.whole)}
    for hit in _DURATION.finditer(case.text):
        inside = any(start <= hit.start() < end for start, end in taken)
        if not inside and _fold(re.sub(r"\s+", " ", hit[0])) not in spans:
            yield _finding(case, "date", "stop", hit.span(), _absent(hit[0]), has=sorted(spans))


def _absent(words: str) -> str:
    return f"{words!r} is nowhere in the context."


def _mentions(text: str, today: date, language: str) -> list[DateMention]:
    """Days of a long context, read piece by piece."""
    found: list[DateMention] = []
    for start in range(0, len(text), 18_000):
        found += find_dates(text[start : start + 18_000], today, language)
    return found


def _said(mentions: list[DateMention]) -> list[str]:
    return list(dict.fromkeys(f"{one.span.text.rstrip('.')} ({one.day})" for one in mentions))


def _within(day: date, wanted: DateMention) -> bool:
    """Whether a day of the context lies in what the draft says."""
    start = date.fromisoformat(wanted.day)
    room = {"day": 0, "week": 6, "month": 30}[wanted.precision]
    return start <= day <= start + timedelta(days=room)


def _clocks(case: _Case) -> Iterator[Finding]:
    """Times of day that no source names."""
    there = {_minutes(hit): hit[0] for hit in _CLOCK.finditer(case.whole)}
    days = find_dates(case.text, case.today or date(2000, 1, 3), case.language)
    for hit in _CLOCK.finditer(case.text):
        if any(one.span.start <= hit.start() < one.span.end for one in days):
            continue
        if _minutes(hit) not in there:
            yield _finding(case, "time", "stop", hit.span(), _absent(hit[0]), has=list(there.values()))


def _minutes(hit: re.Match[str]) -> int:
    hour = int(hit["h"])
    if hit["half"]:
        hour = hour % 12 + (12 if hit["half"].casefold() == "p" else 0)
    return hour * 60 + int(hit["m"] or 0)


def _links(case: _Case) -> Iterator[Finding]:
    """Links and addresses of mail that no source of ours holds."""
    mails = {one.casefold() for one in _MAIL.findall(case.whole)}
    for hit in _MAIL.finditer(case.text):
        if hit[0].casefold() not in mails:
            yield _finding(case, "address_of_mail", "stop", hit.span(), _absent(hit[0]), has=sorted(mails))
    bare = _MAIL.sub(lambda hit: " " * len(hit[0]), case.text)
    ours, outside = ({_address(one): one for one in _LINK.findall(text)} for text in (case.ours, case.outside))
    for hit in _LINK.finditer(bare):
        words = hit[0].rstrip(".,;:!?")
        if _address(words) not in ours and re.search(r"\.[a-z]{2,}", words):
            place = (hit.start(), hit.start() + len(words))
            yield _unborne(case, "link", place, outside=_address(words) in outside, has=list(ours.values()))


def _address(link: str) -> str:
    """A link without its scheme, www and closing marks, so that two spellings are the same."""
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", link.casefold()).rstrip("/.,;:!?")


def _names(case: _Case) -> Iterator[Finding]:
    """Names of people and firms that no source holds: after a title or greeting, in a row, or alone in a sentence."""
    there = {_fold(word) for word in re.findall(r"[\w’'-]+", case.whole)} | case.known
    taken: list[tuple[int, int]] = []
    rules = [(words_of.TITLED, "name"), (_RUN, "")]
    if case.language != "de":  # every German noun has a capital
        rules.append((_SINGLE, ""))
    for rule, group in rules:
        for hit in rule.finditer(case.text):
            start, end = hit.span(group) if group else hit.span()
            if case.text[start:end].isupper():  # an abbreviation, or shouting
                continue
            words = [_fold(word) for word in re.findall(r"[\w’'-]+", case.text[start:end])]
            if any(s < end and start < e for s, e in taken) or not _is_name(words, there, titled=bool(group)):
                continue
            if not group and _begins_sentence(case.text, start):
                start += len(case.text[start:end].split()[0]) + 1
                words = words[1:]
                if not _is_name(words, there, titled=False) or (case.language == "de" and len(words) < 2):
                    continue
            taken.append((start, end))
            yield _finding(case, "name", "stop", (start, end), _absent(case.text[start:end]), has=case.names)


def _is_name(words: list[str], there: set[str], *, titled: bool) -> bool:
    """Whether words are a name nobody mentioned: none is known, none an everyday capital (a month, a language)."""
    left = [word for word in words if word not in words_of.EVERYDAY and len(word) > 1]
    if not left or (not titled and len(left) < len(words)):
        return False
    return all(word.removesuffix("'s").removesuffix("’s") not in there and word not in there for word in left)


def _begins_sentence(text: str, start: int) -> bool:
    """Whether a word stands at the beginning of a sentence or line, where any word has a capital."""
    before = text[:start].rstrip(" \"'“„«(*-•")
    return not before or before[-1] in ".!?:\n¿¡"


def _promises(case: _Case) -> Iterator[Finding]:
    """Sentences that promise something no source says, and words that guarantee."""
    sources = [_stems(case.ours[start:end]) for start, end in _pieces(case.ours)]
    theirs = [_stems(case.outside[start:end]) for start, end in _pieces(case.outside)]
    now = case.today.isoformat() + "T12:00:00+00:00" if case.today else "2000-01-03T12:00:00+00:00"
    read = find_promises(PromisesIn(text=case.text, now=now, language=case.language))
    taken: list[tuple[int, int]] = []
    for one in read.promises:
        start = case.text.find(one.words.text)
        wanted = _stems(one.words.text)
        if start < 0 or _borne(wanted, sources):
            continue
        vague = words_of.VAGUE.search(one.words.text) is not None
        asked = _borne(wanted, theirs)
        why = "The other side asked for this; no source of yours says so." if asked else "No source says this is done."
        taken.append((start, start + len(one.words.text)))
        yield _finding(case, "promise", "look" if vague or asked else "stop", taken[-1], why)
    for hit in words_of.GUARANTEE.get(case.language, words_of.GUARANTEE["en"]).finditer(case.text):
        if not _has_stem(case.ours, hit[0]) and not any(s <= hit.start() < e for s, e in taken):
            yield _finding(case, "promise", "stop", hit.span(), f"{hit[0]!r} is a guarantee no source gives.")


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Sentences of a long text."""
    for begin in range(0, len(text), 18_000):
        yield from ((begin + start, begin + end) for start, end in sentences(text[begin : begin + 18_000]))


def _borne(wanted: set[str], sources: list[set[str]]) -> bool:
    """Whether one sentence of the context holds most words of a promise."""
    return bool(wanted) and any(len(wanted & one) >= 0.6 * len(wanted) for one in sources)


def _stems(text: str) -> set[str]:
    """The first letters of the words that say something."""
    words = re.findall(r"[^\W_]{4,}|\d+", _fold(text))
    return {word[:5] for word in words if word not in words_of.SMALL}


def _has_stem(text: str, words: str) -> bool:
    """Whether a text holds the same words but for their endings."""
    folded = _fold(text)
    return all(word[: max(4, len(word) - 2)] in folded for word in re.findall(r"\w{3,}", _fold(words)))


def _fold(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFD", text.replace("’", "'").casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
