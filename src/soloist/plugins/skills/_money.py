"""Reads what a sender says they can spend; other sums (invoices, our own prices) are left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from pydantic import Field

from soloist.kernel.message import Budget, Frozen, Money, Span
from soloist.plugins.skills._numerals import sums
from soloist.plugins.skills._text import LIMIT, sentence_at, span

_SYMBOL = {"€": "EUR", "$": "USD", "£": "GBP", "us$": "USD", "¥": "JPY", "fr.": "CHF", "sfr": "CHF", "zł": "PLN"}
_WORD = {
    "euro": "EUR", "euros": "EUR", "eur": "EUR", "usd": "USD", "dollar": "USD", "dollars": "USD", "dólares": "USD",
    "gbp": "GBP", "pounds": "GBP", "quid": "GBP", "chf": "CHF", "franken": "CHF", "francs": "CHF", "francos": "CHF",
    "sek": "SEK", "dkk": "DKK", "nok": "NOK", "pln": "PLN", "cad": "CAD", "aud": "AUD", "mxn": "MXN",
}  # fmt: skip
_CURRENCY = r"(?:us\$|€|\$|£|¥|zł|sfr|fr\.|" + "|".join(sorted(_WORD, key=len, reverse=True)) + r")(?![^\W\d_])"
_NUMBER = r"(?:\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})+(?:[.,]\d{2})?|\d+(?:[.,]\d{1,2})?)(?!\d)"
_SCALE = r"(?:\s?(?P<{0}>(?:k|tsd\.?|tausend|thousand|grand|mil|mille)(?![^\W\d_])|t(?=eur|€)))?"
_ONE = r"(?:(?P<{0}c>{1})\s?)?(?P<{0}n>{2}){3}(?:,?-{{1,2}})?(?:\s?(?P<{0}d>{1}))?"


def _amount(prefix: str) -> str:
    """One amount with its currency before or after; group names begin with ``prefix``."""
    return _ONE.format(prefix, _CURRENCY, _NUMBER, _SCALE.format(prefix + "s"))


_AMOUNT = re.compile(
    rf"(?<![\w.,/#:+-]){_amount('a')}(?:\s?(?:-|–|—|to|bis|und|and|à|a|et|y"
    rf"|hasta)\s?{_amount('b')})?(?![\w/%:]|[.,]\d)",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"budget|b[úu]dget|presupuest(?:o|ado)|spend|afford|invest(?!or)|up to|at most|no more than|max(?:imum"
    r"|imal|imo|\.)?\b|rahmen|h[öo]chstens"
    r"|bis zu|ausgeben|zur verf[üu]gung|eingeplant|kostenrahmen|gedacht an|dachten an|investier|ziehen wir"
    r"|enveloppe|d[ée]penser|pr[ée]vu|jusqu.[àa]"
    r"|disposons|maximum|au plus|hasta|gastar|disponemos|contamos con|invertir|como m[áa]ximo|m[áa]x"
    r"|price range|thinking (?:of|about|around)"
    r"|in the (?:range|region|area) of|set aside|have (?:about|around|roughly|approximately)|haben (?:etwa"
    r"|ca\.?|rund|ungef[äa]hr)|nous avons (?:environ|autour)"
    r"|tenemos (?:unos|alrededor|aproximadamente)|can (?:pay|go)|could (?:pay|go)|willing to pay|mein limit"
    r"|our limit|unser limit|autour de"
    # ceilings, sums that somebody approved or put aside, and what somebody has or can put into it
    r"|exceed|go over|more than|keep (?:it|this) (?:under|below)|[üu]bersteigen|[üu]berschreiten|mehr als|d[ée]passer"
    r"|superar|sobrepasar|pasar de|no m[áa]s de|approved|earmarked|saved|put (?:aside|by)|bewilligt|genehmigt"
    r"|(?:zur[üu]ck|beiseite) ?gelegt|vorgesehen|veranschlagt|gespart|reserviert|vot[ée]|allou[ée]|mis de c[ôo]t[ée]"
    r"|[ée]conomis[ée]|r[ée]serv[ée]|previsto|aprobad|reservad|apartad|ahorrad|guardad|destinad|cuento con"
    r"|dispon(?:go|emos)"
    r"|(?:y|pourr\w+|peux|veux) mettre|pod(?:emos|r[íi]amos) poner"
    r"|c[ôo]t[ée] (?:finances?|argent|prix)|de dinero|\bgeld\b|money|price limit|preisrahmen|obergrenze|plafond|tope"
    r"|\bcompt(?:ons|e|er|ait)\b|(?:is|are|would|w[äa]re?n?|sind|ist|est.ce que|ser[íi]an?)\b.{0,24}(?:\bok\b|okay"
    r"|enough|realistic|genug|in ordnung|suffisant|suficiente)|reich(?:t|en)\b|suffi[tr]\w*|bastan?\b|alcanzan?\b"
    r"|stretch to|dacht\w* (?:wir |ich )?an|preislich|(?:w[äa]ren?|sind|ist) drin|gesammelt|collected"
    r"|recueilli|recaudad|penso en|pens[ée] [àa]|on pensait"
    r"|pensamos en|pensado en|somewhere between|irgendwo zwischen",
    re.IGNORECASE,
)
_HAVE = re.compile(
    r"(?:we|i)(?:.ve| have)(?: got)?\b|(?:wir|ich) h(?:aben|abe|ätten|ätte)\b|h(?:aben|abe|ätten) (?:wir|ich)\b"
    r"|(?:nous avons|j.ai|on a)\b|\bten(?:go|emos)\b",
    re.IGNORECASE,
)
"""What somebody has is what they can spend, unless the sentence speaks of bills and payments."""
_MORE_THAN = re.compile(r"(?:more than|over|mehr als|plus de|m[áa]s de)\s+(?:about |etwa )?\Z", re.IGNORECASE)
_ABOUT = re.compile(
    r"(?:around|about|roughly|approx\.?|ca\.?|circa|etwa|rund|ungef[äa]hr|so|max\.?|maximal|environ|dans les|autour de"
    r"|unos|unas|sobre|alrededor de|m[áa]s o menos|up to|have|got|hab\w*|bis(?: zu)?|jusqu.[àa]|hasta|for|für"
    r"|pour|por)\s*\Z",
    re.IGNORECASE,
)
"""Words right before "2k" that make it a sum even without a currency."""
_AT_MOST = re.compile(r"\b(?:max\.?|maximal|maximum|h[öo]chstens|at most|au plus|m[áa]ximo)\s*:?\s*\Z", re.IGNORECASE)
_BETWEEN = re.compile(r"(?:between|zwischen|entre)\s*\Z", re.IGNORECASE)
_STRONG = re.compile(r"budget|presupuesto|enveloppe|kostenrahmen|spend|ausgeben|gastar|d[ée]penser", re.IGNORECASE)
_NOT = re.compile(
    r"invoice|rechnung|facture|factura|\bpaid\b|bezahlt|[üu]berwiesen|[üu]berwiesen|pay[ée]|pagad|transferred"
    r"|received|refund|erstatt|rembours"
    r"|reembols|your (?:price|quote|offer|rate|package)|(?:ihr|euer|dein) (?:angebot|preis)|votre (?:devis"
    r"|prix|offre)|(?:su|vuestr[oa]|tu) (?:presupuesto|precio|oferta) (?:es|era|de)"
    r"|per hour|/h\b|hourly|stundensatz|pro stunde|par heure|por hora|turnover|umsatz|revenue"
    r"|chiffre d.affaires|facturaci[óo]n|deposit|anzahlung"
    r"|acompte|anticipo|you (?:charge|quoted|asked)|per month we|win|lottery|prize|starting (?:at|from)"
    r"|from only|ab nur|only \$|nur \d|cost us|kostete|hat uns|cheaper"
    r"|per (?:person|night|item)|pro (?:person|nacht|st[üu]ck)|par (?:personne|nuit)|por (?:persona|noche)"
    r"|\bloans?\b|kredit|\bpr[êe]t\b|pr[ée]stamo|outstanding|overdue|mahnung|f[äa]llig|reminder|raised"
    r"|funding|employees|visitors|follow|users"
    r"|customers|besucher|kunden\b|clients par|seguidores",
    re.IGNORECASE,
)


class In(Frozen):
    """A text and the ISO 4217 code of a figure without a currency."""

    text: str
    currency: str = "EUR"


class Sum(Frozen):
    """Any sum that is named, whatever for; ``currency`` is the one of the question where the words name none."""

    minor: int
    currency: str
    span: Span


class Out(Frozen):
    """The budgets named, and every sum at all, in reading order."""

    budgets: list[Budget]
    sums: list[Sum] = Field(default=[])


def find_budgets(text: str, currency: str) -> list[Budget]:
    """Sums with words next to them that make them a budget; amounts of other kinds are left out."""
    text = text[:LIMIT]
    budgets = [*_in_digits(text, currency), *_in_words(text)]
    return sorted(budgets, key=lambda budget: budget.span.start)


def _in_digits(text: str, currency: str) -> Iterator[Budget]:
    """Sums written with digits; below 50.00 nothing is a budget for a project."""
    for match in islice(_AMOUNT.finditer(text), 200):
        named = _currency(match)
        if not _is_budget(text, match, named is not None):
            continue
        low, high = _values(match)
        if high >= 5000:
            yield _budget(text, match.span(), (low, high), named or currency)


def _in_words(text: str) -> Iterator[Budget]:
    """Sums written in words, which always name their currency."""
    for start, end, value, written in sums(text):
        if _said_to_be_spent(text, (start, end), ranged=False):
            code = _SYMBOL.get(written.casefold()) or _WORD.get(written.casefold(), "EUR")
            yield _budget(text, (start, end), (value * 100, value * 100), code)


def _budget(text: str, place: tuple[int, int], minor: tuple[int, int], code: str) -> Budget:
    low, high = (Money(minor=value, currency=code) for value in minor)
    return Budget(low=low, high=high, span=span(text, *place))


def sum_of(written: str, currency: str) -> Money | None:
    """A single sum as the operator writes it ("2000 EUR"); None when it is not one."""
    match = _AMOUNT.fullmatch(written.strip())
    if match is None or match["bn"]:
        return None
    return Money(minor=_values(match)[0], currency=_currency(match) or currency)


def _currency(match: re.Match[str]) -> str | None:
    """ISO code written with the amount, or None."""
    for group in ("ac", "ad", "bc", "bd"):
        raw = match[group]
        if raw:
            return _SYMBOL.get(raw.casefold()) or _WORD[raw.casefold()]
    return None


def _minor(raw: str) -> int:
    """Cents of a written number; a last group of three digits after a separator means thousands."""
    compact = re.sub(r"['’ \u00a0\u202f]", "", raw)
    decimal = re.search(r"[.,](\d{1,2})$", compact)
    cents = int(decimal[1].ljust(2, "0")) if decimal else 0
    whole = compact[: decimal.start()] if decimal else compact
    return int(re.sub(r"[.,]", "", whole)) * 100 + cents


def _values(match: re.Match[str]) -> tuple[int, int]:
    """Low and high in cents; "2-3k" scales both."""
    first = _minor(match["an"])
    second = _minor(match["bn"]) if match["bn"] else None
    scale_b = bool(match["bs"])
    scale_a = bool(match["as"]) or (scale_b and second is not None and first < 100_000)
    first *= 1000 if scale_a else 1
    if second is None:
        return first, first
    second *= 1000 if scale_b or (match["as"] and second < 100_000) else 1
    return min(first, second), max(first, second)


def _is_budget(text: str, match: re.Match[str], has_currency: bool) -> bool:
    """Whether words in the same sentence say so, and no nearer word says otherwise."""
    if len(re.sub(r"\D", "", match["an"])) > 8:
        return False
    if has_currency:
        return _said_to_be_spent(text, match.span(), ranged=bool(match["bn"]))
    if re.search(r"\d[ ./-]\Z", text[: match.start()]) or re.match(r"[ ./-]\d", text[match.end() :]):
        return False  # a piece of a telephone number or reference
    scaled = bool(match["as"] or match["bs"])
    if scaled and _ABOUT.search(text, max(0, match.start() - 20), match.start()):
        return _nearest(_NOT, text, _sentence(text, match.span()), match.span()) is None
    closed = re.match(r"\s*(?:[.,;!?)]|\n|\Z)", text[match.end() :])
    if closed and _AT_MOST.search(text, max(0, match.start() - 14), match.start()) and _values(match)[1] >= 30_000:
        return not _yearlike(match) and _nearest(_NOT, text, _sentence(text, match.span()), match.span()) is None
    start, end = (_line(text, match.span()), _sentence(text, match.span()))
    begin, stop = max(start[0], end[0]), min(start[1], end[1])
    reach = 45 if _MORE_THAN.search(text, max(0, match.start() - 20), match.start()) else 14
    behind = _STRONG.search(text, match.end(), min(stop, match.end() + reach))
    beside = behind or _STRONG.search(text, begin, match.start())
    if not beside or not _said_to_be_spent(text, match.span(), ranged=False):
        return False
    return scaled or (_values(match)[1] >= 20_000 and not _yearlike(match))


def _said_to_be_spent(text: str, place: tuple[int, int], *, ranged: bool) -> bool:
    """Whether the sentence has words of spending, and none of paid or offered sums that stand nearer."""
    window = _sentence(text, place)
    cue, against, strong = (_nearest(pattern, text, window, place) for pattern in (_CUE, _NOT, _STRONG))
    if ranged and cue is None and against is None and _BETWEEN.search(text, max(0, place[0] - 12), place[0]):
        cue = 0
    if cue is None:
        return against is None and _nearest(_HAVE, text, window, place) is not None
    return against is None or against >= cue or (strong is not None and against >= strong)


def _sentence(text: str, place: tuple[int, int]) -> tuple[int, int]:
    """The sentence around a place, looked for not far from it."""
    near = max(0, place[0] - 90)
    start, end = sentence_at(text[near : place[1] + 60], place[0] - near)
    return start + near, max(end + near, place[1])


def _line(text: str, place: tuple[int, int]) -> tuple[int, int]:
    """The line around a place."""
    end = text.find("\n", place[1])
    return text.rfind("\n", 0, place[0]) + 1, len(text) if end < 0 else end


def _yearlike(match: re.Match[str]) -> bool:
    return bool(re.fullmatch(r"20[1-4]\d", match["an"])) and not match["bn"]


def _nearest(pattern: re.Pattern[str], text: str, window: tuple[int, int], place: tuple[int, int]) -> int | None:
    """Characters between a place and the nearest match in the window, or None."""
    gaps = [max(place[0] - found.end(), found.start() - place[1], 0) for found in pattern.finditer(text, *window)]
    return min(gaps, default=None)
