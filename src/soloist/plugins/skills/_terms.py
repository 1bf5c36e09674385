"""Words about when to pay, as days: net terms, cash discount, at once; it reads no calendar of holidays."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Literal

from soloist.kernel.message import Frozen, Span
from soloist.plugins.skills import _papers

_UNIT = (
    r"(?P<u>(?:werk|arbeits|bank)tagen?|(?:business|working) days?|jours ouvr[ée]s|jours ouvrables|d[íi]as h[áa]biles"
    r"|tagen?|days?|jours?|d[íi]as|wochen?|weeks?|semaines?|semanas?|monate?n?s?|months?|mois|mes(?:es)?)(?!\w)"
)
_NUMBERS = {
    "one": 1, "two": 2, "a": 1, "ten": 10, "fourteen": 14, "thirty": 30, "eine": 1, "einer": 1, "einem": 1, "zwei": 2,
    "drei": 3, "vier": 4, "sieben": 7, "zehn": 10, "vierzehn": 14, "dreißig": 30, "un": 1, "une": 1, "deux": 2,
    "quinze": 15, "trente": 30, "dix": 10, "una": 1, "dos": 2, "diez": 10, "quince": 15, "treinta": 30, "seven": 7,
}  # fmt: skip
_WRITTEN = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_SPAN = re.compile(
    rf"(?<![\w.,])(?P<n>\d{{1,3}}|{_WRITTEN})(?:\s?\(\d+\))?[ \u00a0-]?{_UNIT}",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?<!\w)net(?:to)? ?(?P<n>\d{1,3})(?!\w|[.,]\d|\s?(?:%|€|EUR))", re.IGNORECASE)
_SHORT = re.compile(
    r"(?<![\w/])(?P<p>\d(?:[.,]\d)?)\s?%?/(?P<n>\d{1,2}),?\s+(?:net|n/)\s?(?P<m>\d{1,3})(?!\w)", re.IGNORECASE
)
_PERCENT = re.compile(
    r"(?<![\w.,])(?P<p>\d{1,2}(?:[.,]\d{1,2})?)\s?(?:%|Prozent|percent|per cent|pour cent|por ciento)", re.IGNORECASE
)
_DISCOUNT = re.compile(r"skonto|discount|escompte|descuento|pronto pago|rabatt|nachlass|abzug|\d\s?%", re.IGNORECASE)
_NO_DISCOUNT = re.compile(
    r"ohne (?:jeden )?abzug|aucun escompte|sans escompte|no discount|sin descuento|ohne skonto", re.IGNORECASE
)
_PAY = re.compile(
    r"zahl(?:bar|ung|en|bis|\w*ziel|bar\w*)|f[äa]llig|[üu]berweis|begleich|netto|skonto|pay|due|\bnet\b"
    r"|terms|settle|invoice"
    r"|paiement|r[èe]gl|payer|payable|[ée]ch[ée]ance|pr[ée]l[èe]v|facture|comptant|pago|pagar|pagader|abon"
    r"|venc|factura|plazo",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"widerruf|lieferzeit|liefer(?:ung|bar)|versand|k[üu]ndig|r[üu]ckgabe|umtausch|verzug|versp[äa]t|zinsen"
    r"|mahn(?:geb|kost)|gew[äa]hr"
    r"|deliver|shipp|return|refund|cancel|trial|interest|late|penalt|warrant|overdue|valid|g[üu]ltig|statutory"
    r"|livraison|r[ée]tract|p[ée]nalit|retard|int[ée]r[êe]t|garantie|valable|entrega|devoluci|intereses"
    r"|demora|garant[íi]a|v[áa]lid",
    re.IGNORECASE,
)
_AT_ONCE = re.compile(
    r"(?:sofort|umgehend)(?: (?:f[äa]llig|zahlbar|zur zahlung|rein netto|ohne abzug))+|(?:zahlbar"
    r"|f[äa]llig) (?:sofort|bei erhalt|nach erhalt)"
    r"|(?:due|payable) (?:up)?on receipt|due immediately|payable immediately|payment on receipt"
    r"|(?:payable|paiement|r[èe]glement) (?:[àa]|d[èe]s) r[ée]ception|au comptant|paiement comptant|pago al contado"
    r"|a la recepci[óo]n|pago inmediato",
    re.IGNORECASE,
)
_DAY_CUE = re.compile(
    r"(?:bis(?: zum| sp[äa]testens)?|sp[äa]testens(?: am| bis)?(?: zum)?|f[äa]llig(?:keit\w*)?(?: am| zum)?"
    r"|zahlbar bis(?: zum)?|by|before|due(?: date)?"
    r"(?: on| by)?|no later than|au plus tard le|avant le|jusqu.au|limite(?: de paiement)?(?: le)?"
    r"|[ée]ch[ée]ance(?: le)?|antes del?"
    r"|hasta el|vencimiento(?: el)?|a m[áa]s tardar el|payable le|vence el)\s*:?\s*\Z",
    re.IGNORECASE,
)
_MONTH_END = re.compile(r"fin de mois|monatsende|end of (?:the )?month|\beom\b|fin de mes", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[;\n]|[.,](?!\d)|(?<!\w)(?:sonst|ansonsten|otherwise|sinon|oder|or|ou|de lo contrario)(?!\w)", re.IGNORECASE
)
LIMIT = 60_000


class Term(Frozen):
    """One term: pay by ``day`` (ISO; "" when it cannot be known), with ``percent`` off for a discount.

    ``why`` says in plain words why there is no day.
    """

    kind: Literal["net", "discount", "at_once"]
    day: str = ""
    days: int | None = None
    percent: str = ""
    why: str = ""
    span: Span


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    days: int | None = None
    working: bool = False
    months: int = 0
    day: date | None = None


def find(text: str, issued: date | None, *, month_first: bool = False) -> list[Term]:
    """The terms named in a text, in reading order."""
    text = text[:LIMIT]
    terms: list[Term] = []
    done: list[tuple[int, int]] = []
    for match in islice(_SHORT.finditer(text), 20):
        done.append(match.span())
        terms += _short(text, match, issued)
    for match in islice(_AT_ONCE.finditer(text), 20):
        day = issued.isoformat() if issued else ""
        terms.append(Term(kind="at_once", day=day, days=0, span=_span(text, *match.span())))
    spans = [one for one in _spans(text, month_first=month_first) if not _inside(one, done)]
    percents = list(islice(_PERCENT.finditer(text), 200))
    for one in spans:
        start, end = _clause(text, one)
        if not _about_paying(text, one, (start, end)):
            continue
        near = [
            match for match in percents if start <= match.start() < end and not _nearer(match, one, spans, (start, end))
        ]
        said = _DISCOUNT.search(text, start, end) and not _NO_DISCOUNT.search(text, start, end)
        percent = near[0]["p"].replace(",", ".") if near and said else ""
        terms.append(_term(text, one, issued, percent))
    return _once(sorted(terms, key=lambda term: term.span.start))


def _once(terms: list[Term]) -> list[Term]:
    """Without the days that only say again what the term before them says."""
    kept: list[Term] = []
    for term in terms:
        last = kept[-1] if kept else None
        again = last and term.days is None and term.day == last.day and term.span.start - last.span.end < 40
        kept += [] if again else [term]
    return kept


def due(terms: list[Term]) -> Term | None:
    """The term by which the whole sum is to be paid: the latest without a discount."""
    whole = [term for term in terms if term.kind != "discount" and term.day]
    return max(whole, key=lambda term: term.day) if whole else None


def _short(text: str, match: re.Match[str], issued: date | None) -> Iterator[Term]:
    """ "2/10 net 30" as two terms."""
    early = _Found(*match.span(), days=int(match["n"]))
    yield _term(text, early, issued, match["p"].replace(",", "."))
    yield _term(text, _Found(*match.span(), days=int(match["m"])), issued, "")


def _spans(text: str, *, month_first: bool) -> list[_Found]:
    """Lengths of time and dates that follow words like "by"."""
    found = []
    for match in islice(_SPAN.finditer(text), 300):
        number = _NUMBERS.get(match["n"].casefold()) or (int(match["n"]) if match["n"].isdigit() else 0)
        unit = match["u"].casefold()
        if not number or number > 366:
            continue
        months = number if unit.startswith(("mon", "moi", "mes")) else 0
        weeks = unit.startswith(("woche", "week", "sema"))
        working = re.match(r"werk|arbeits|bank|business|working|jours ouv|d[íi]as h", unit) is not None
        days = None if months else number * 7 if weeks else number
        found.append(_Found(*match.span(), days=days, working=working, months=months))
    for match in islice(_BARE.finditer(text), 50):
        if not any(one.start <= match.start("n") < one.end for one in found):
            found.append(_Found(*match.span(), days=int(match["n"])))
    found += [
        _Found(read.start, read.end, day=read.day)
        for read in _papers.days(text, month_first=month_first)
        if _DAY_CUE.search(text, max(0, read.start - 40), read.start)
    ]
    return sorted(found, key=lambda one: one.start)


def _about_paying(text: str, one: _Found, clause: tuple[int, int]) -> bool:
    """Whether the line around speaks of paying, and the clause of nothing else that takes days."""
    near = max(0, one.start - 120), min(len(text), one.end + 80)
    left = max(text.rfind("\n", near[0], one.start), near[0])
    left = max(text.rfind("\n", near[0], left), near[0]) if left > near[0] else left
    right = text.find("\n", one.end, near[1])
    words = text[left : right if right >= 0 else near[1]]
    return bool(_PAY.search(words)) and not _OTHER.search(text[slice(*clause)])


def _clause(text: str, one: _Found) -> tuple[int, int]:
    """The clause around a place."""
    begin = max(0, one.start - 160)
    starts = [match.end() for match in _CLAUSE.finditer(text, begin, one.start)]
    end = _CLAUSE.search(text, one.end, min(len(text), one.end + 160))
    return starts[-1] if starts else begin, end.start() if end else min(len(text), one.end + 160)


def _nearer(match: re.Match[str], one: _Found, spans: list[_Found], clause: tuple[int, int]) -> bool:
    """Whether another length of time of the clause stands nearer to a percentage."""

    def away(other: _Found) -> int:
        return min(abs(other.start - match.end()), abs(match.start() - other.end))

    rivals = [other for other in spans if clause[0] <= other.start < clause[1] and other is not one and not other.day]
    return any(away(other) < away(one) for other in rivals)


def _term(text: str, one: _Found, issued: date | None, percent: str) -> Term:
    kind: Literal["net", "discount"] = "discount" if percent else "net"
    span = _span(text, one.start, one.end)
    day, why = one.day, ""
    if day is None:
        if one.working:
            why = "Working days depend on holidays, which are not known here."
        elif issued is None:
            why = "The day from which to count is not known."
        else:
            day = _counted(text, one, issued)
    return Term(kind=kind, day=day.isoformat() if day else "", days=one.days, percent=percent, why=why, span=span)


def _counted(text: str, one: _Found, issued: date) -> date | None:
    """Issue date plus the term; "30 jours fin de mois" ends with the month, "30 days EOM" begins after it."""
    ending = _MONTH_END.search(text, one.end, min(len(text), one.end + 25))
    try:
        if ending and ending[0].casefold() in ("eom", "end of month", "end of the month"):
            issued, ending = _end_of_month(issued), None
        day = _months_later(issued, one.months) if one.months else issued + timedelta(days=one.days or 0)
        return _end_of_month(day) if ending else day
    except (OverflowError, ValueError):
        return None


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _inside(one: _Found, places: list[tuple[int, int]]) -> bool:
    return any(start < one.end and one.start < end for start, end in places)


def _span(text: str, start: int, end: int) -> Span:
    return Span(text=text[start:end], start=start, end=end)
