"""Numbers that name accounts, firms, orders and parcels, found in text with their check digits; stores nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from soloist.kernel.message import Frozen, Span

LENGTHS = {
    code: int(length)
    for code, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23"
        "GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30"
        "NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SD18SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
}
"""How long the account numbers (IBAN) of a country are."""

_EU = "AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI"
_IBAN = re.compile(r"(?<![A-Za-z0-9])(?:IBAN)?(?P<start>[A-Z]{2}\d{2})(?=[ \u00a0.-]?[A-Z0-9])")
_VAT = re.compile(
    rf"(?<![A-Za-z0-9])(?P<c>{_EU}|GB|CHE)[ \u00a0]?-?[A-Z0-9](?:[ \u00a0.-]?[A-Z0-9]){{6,13}}(?![A-Za-z0-9])"
)
_BIC = re.compile(r"\b[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b")
_BIC_SAID = re.compile(r"(?:BIC|SWIFT)(?:[- ]?(?:Code|BIC))?[^A-Za-z0-9\n]{0,20}\Z", re.IGNORECASE)
_VAT_SAID = re.compile(
    r"(?:USt|UID|VAT|TVA|BTW|IVA|NIF|CIF|MwSt|Umsatzsteuer|NIP|P\.? ?IVA|tax)[\w .:/()#°º-]{0,40}\Z", re.IGNORECASE
)
_TAX = re.compile(
    r"(?:Steuer-?\s?(?:nummer|Nr\.?)|St\.?-?\s?Nr\.?|Tax (?:number|no\.?|ID))\s*[:#]?\s*"
    r"(?P<n>\d{2,3}[ /]\d{3,4}[ /]\d{3,5}(?:[ /]\d{2})?|\d{10,13})(?!\d)",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\w.,/+-])(?:\d[ \u00a0-]?){12,18}\d(?![\w/]|[.,]\d)")
_CARD_FIRST = re.compile(
    r"4|5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3[47]|6(?:011|5|4[4-9])|35(?:2[89]|[3-8])|3(?:0[0-5]|[68])"
)
_VALUE = r"(?P<n>(?=[A-Za-z0-9/_.-]*\d)[A-Za-z0-9](?:[A-Za-z0-9/_.-]{1,38}[A-Za-z0-9]))"
_TO = r"\s?(?:\.|:|#|n[°ºo]\.?|no\.?|nr\.?|num(?:ber|[ée]ro)?\b)?\s?[:#]?\s{0,3}"
_ORDER = re.compile(
    r"(?<!\w)(?:Bestell-?\s?(?:nummer|nr|ID)|Auftrags-?\s?(?:nummer|nr)|Order[- ]?(?:number|no|ID|nr|#)|Purchase order"
    r"|PO[- ](?:number|no)|P\.O\.|N[°º] de (?:commande|pedido)|(?:Num[ée]ro|R[ée]f\w*) (?:de )?(?:la )?commande"
    r"|Commande n[°º]|Pedido n[°º.]|N[úu]mero de pedido|Bestelling|Ordernummer)" + _TO + _VALUE,
    re.IGNORECASE,
)
_TRACK = re.compile(
    r"(?:Sendungs-?\s?(?:nummer|nr|verfolgung\w*)|Paketnummer|tracking(?:[ -](?:number|no|code|ID|#))?"
    r"|(?:num[ée]ro|n[°º]) de (?:suivi|colis)|(?:n[úu]mero|n[°º]) de seguimiento)"
    + _TO
    + r"(?P<n>[A-Z0-9]{8,34})(?!\w)",
    re.IGNORECASE,
)
_PARCEL = re.compile(r"(?<!\w)(?:1Z[0-9A-Z]{16}|JJD\d{15,20}|[A-Z]{2}\d{9}[A-Z]{2})(?!\w)")
_MOST = 500


class Identifier(Frozen):
    """One number: ``value`` in its bare form, ``valid`` None where no check digit exists.

    Of a payment card only the last four digits are kept; its span holds just these.
    """

    kind: str
    value: str
    span: Span
    valid: bool | None = None
    country: str = ""


def find(text: str) -> list[Identifier]:
    """All that is found, in reading order, longer kinds first where two overlap."""
    found: list[Identifier] = []
    taken: list[tuple[int, int]] = []
    for finder in (ibans, cards, vats, tax_numbers, parcels, bics, tracks, orders):
        for place, one in finder(text):
            if all(place[1] <= start or place[0] >= end for start, end in taken):
                taken.append(place)
                found.append(one)
    return sorted(found, key=lambda one: one.span.start)


Found = Iterator[tuple[tuple[int, int], Identifier]]


def ibans(text: str) -> Found:
    """Account numbers: right length for their country; broken ones too, where the word IBAN stands before."""
    for match in islice(_IBAN.finditer(text), _MOST):
        start = match.start("start")
        length = LENGTHS.get(match["start"][:2])
        end = _reach(text, start, length) if length else None
        said = "IBAN" in text[max(0, match.start() - 20) : start].upper()
        if end is None:
            if (
                said
                and length
                and (short := re.match(r"[A-Z]{2}\d{2}(?:[ \u00a0.-]?[A-Z0-9]){8,30}(?!\w)", text[start:]))
            ):
                yield _one("iban", text, start, start + short.end(), valid=False)
            continue
        valid = iban_holds(text[start:end])
        if valid or said or " " in text[start:end]:
            yield _one("iban", text, start, end, valid=valid)


def _reach(text: str, start: int, length: int) -> int | None:
    """Where ``length`` letters and digits end, with single blanks between; None when they do not or go on."""
    place, count = start, 0
    while count < length and place < len(text):
        letter = text[place]
        if letter.isascii() and (letter.isdigit() or (letter.isalpha() and letter.isupper())):
            count += 1
        elif letter not in " \u00a0.-" or text[place - 1] in " \u00a0.-":
            return None
        place += 1
    if count < length or (place < len(text) and text[place].isalnum() and text[place].isascii()):
        return None
    return place


def iban_holds(written: str) -> bool:
    """Whether length and check digits of an account number are right."""
    from stdnum import iban

    return bool(iban.is_valid(written, check_country=False)) and len(bare(written)) == LENGTHS.get(bare(written)[:2])


def vat_holds(written: str) -> bool | None:
    """Whether the check digits of a VAT id are right; None for a country whose rule is not known here."""
    from stdnum.ch import vat as swiss
    from stdnum.eu import vat as union
    from stdnum.gb import vat as british

    compact = bare(written)
    if compact.startswith("CHE"):
        return bool(swiss.is_valid(written if re.search("MWST|TVA|IVA|TPV", compact) else f"{written} MWST"))
    if compact.startswith("GB"):
        return bool(british.is_valid(compact))
    return bool(union.is_valid(compact)) if re.match(_EU, compact) else None


def bare(written: str) -> str:
    """Letters and digits only, in capitals."""
    return re.sub(r"[^A-Z0-9]", "", written.upper())


def vats(text: str) -> Found:
    """VAT ids of the EU, Britain and Switzerland: with right check digits, or where words say that it is one."""
    for match in islice(_VAT.finditer(text), _MOST):
        said = _VAT_SAID.search(text, max(0, match.start() - 60), match.start())
        end = _vat_end(text, match)
        valid = vat_holds(text[match.start() : end])
        if valid or (said and sum(letter.isdigit() for letter in match[0]) >= 6):
            yield _one("vat", text, match.start(), end, valid=valid, country=match["c"][:2])


def _vat_end(text: str, match: re.Match[str]) -> int:
    """Where the longest valid id in a match ends, else where the next word begins."""
    gaps = [gap.start() + match.start() for gap in re.finditer(r"[ \u00a0-]", match[0])]
    if valid := next((end for end in [match.end(), *gaps[::-1]] if vat_holds(text[match.start() : end])), None):
        return valid
    return next((end for end in gaps if end > match.start() + 7 and text[end + 1].isalpha()), match.end())


def tax_numbers(text: str) -> Found:
    """German tax numbers behind the word for them."""
    from stdnum.de import stnr

    for match in islice(_TAX.finditer(text), _MOST):
        valid = bool(stnr.is_valid(match["n"]))
        yield _one("tax_number", text, *match.span("n"), valid=valid, country="DE")


def bics(text: str) -> Found:
    """Codes of banks behind the word BIC or SWIFT."""
    from stdnum import bic

    for match in islice(_BIC.finditer(text), _MOST * 4):
        if _BIC_SAID.search(text, max(0, match.start() - 40), match.start()):
            yield _one("bic", text, *match.span(), valid=bool(bic.is_valid(match[0])), country=match[0][4:6])


def cards(text: str) -> Found:
    """Payment cards: only the last four digits are handed on."""
    from stdnum import luhn

    for match in islice(_CARD.finditer(text), _MOST):
        digits = re.sub(r"\D", "", match[0])
        if _CARD_FIRST.match(digits) and luhn.is_valid(digits) and len(set(digits)) > 1:
            last = re.search(r"(?:\d[ \u00a0-]?){3}\d\Z", match[0])
            begin = match.start() + last.start() if last else match.end()
            yield match.span(), _one("card", text, begin, match.end(), valid=True)[1]


def parcels(text: str) -> Found:
    """Numbers of parcels by their form: UPS and international mail with their check digit, DHL."""
    for match in islice(_PARCEL.finditer(text), _MOST):
        valid = _parcel_holds(match[0])
        if valid is not False:
            yield _one("tracking", text, *match.span(), valid=valid)


def _parcel_holds(number: str) -> bool | None:
    if number.startswith("1Z"):
        values = [int(char) if char.isdigit() else (ord(char) - 63) % 10 for char in number[2:17]]
        total = sum(values[0::2]) + 2 * sum(values[1::2])
        return number[17] == str(-total % 10)
    if number.startswith("JJD"):
        return None
    total = sum(int(digit) * weight for digit, weight in zip(number[2:10], (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    check = 11 - total % 11
    return int(number[10]) == {10: 0, 11: 5}.get(check, check)


def tracks(text: str) -> Found:
    """Numbers of parcels behind the word for them."""
    for match in islice(_TRACK.finditer(text), _MOST):
        if sum(letter.isdigit() for letter in match["n"]) >= 6:
            yield _one("tracking", text, *match.span("n"))


def orders(text: str) -> Found:
    """Numbers of orders behind the words for them."""
    for match in islice(_ORDER.finditer(text), _MOST):
        if not re.fullmatch(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}", match["n"]):
            place = match.span("n")
            span = Span(text=text[slice(*place)], start=place[0], end=place[1])
            yield place, Identifier(kind="order", value=span.text, span=span)


def _one(
    kind: str, text: str, start: int, end: int, *, valid: bool | None = None, country: str = ""
) -> tuple[tuple[int, int], Identifier]:
    words = text[start:end]
    value = bare(words) if kind != "tax_number" else re.sub(r"\D", "", words)
    span = Span(text=words, start=start, end=end)
    country = country or (value[:2] if kind == "iban" else "")
    return (start, end), Identifier(kind=kind, value=value, span=span, valid=valid, country=country)
