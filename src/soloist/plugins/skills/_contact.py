"""Reads what senders tell of themselves: name, company, telephone, web addresses; the address itself is not judged."""

from __future__ import annotations

import re

from soloist.kernel.message import Contact, Frozen, Phone
from soloist.plugins.skills._text import LIMIT, span

_UP = r"[A-ZÀ-ÖØ-ÞŁŚŽČŠ]"
_PROPER = rf"{_UP}[\w.’'&-]*"
_SELF = re.compile(
    r"(?:[Mm]y name is|[Mm]y name’s|[Ii]ch hei(?:ß|ss)e|[Mm]ein Name ist|[Jj]e m[’']appelle|[Mm]e llamo"
    r"|[Mm]i nombre es|[Ii] am|[Ii][’']m|[Ii]ch bin"
    rf"|[Jj]e suis|[Ss]oy|[Tt]his is|[Hh]ier ist|[Ii]ci)\s+(?P<name>{_UP}[\w’'-]+(?:\s{_UP}[\w.’'-]+){{1,2}})"
)
_SELF_ONE = re.compile(
    r"(?:[Mm]y name is|[Ii]ch hei(?:ß|ss)e|[Mm]ein Name ist|[Jj]e m[’']appelle|[Mm]e llamo|[Mm]i nombre es)\s+"
    rf"(?P<name>{_UP}[\w’'-]+(?:\s{_UP}[\w.’'-]+){{0,2}})"
)
_LEGAL = (
    r"GmbH(?: & Co\.? KG)?|gGmbH|UG|AG|KG|OHG|GbR|e\.\s?K\.|e\.\s?V\.|Ltd\.?|Limited|LLC|LLP|Inc\.?|Corp\.?"
    r"|PLC|plc|SARL|SAS|SASU|EURL|SA|S\.A\.|"
    r"S\.L\.|SL|SLU|S\.L\.U\.|B\.V\.|BV|S\.r\.l\.|Oy|AB|ApS"
)
_COMPANY = re.compile(
    rf"(?P<company>{_UP}[\w.’'&-]*(?:[ ]+(?:&|and|und|et|y|of|de|la|[\w.’'&-]+)){{0,5}}?[ ]+(?:{_LEGAL}))(?![\w.])"
)
_AT = re.compile(
    r"(?:(?:here|writing|reaching out|calling)?\s*(?:from|at|called|named|namens|appel[ée]+e?|llamad[oa]"
    r"|von der|vom|von|bei der|bei|chez|de chez|de la soci[ée]t[ée]|de la empresa|de parte de|trabajo en"
    r"|du cabinet|de l[’']agence)"
    r"|(?:I|we) (?:run|own|manage|are)|(?:[Ww]ir|[Ii]ch) (?:sind|f[üu]hre|betreibe|leite)(?: die| das| den)?"
    r"|[Nn]ous sommes|[Ss]omos"
    r"|(?:owner|founder|director|head|manager|CEO|Inhaber(?:in)?|Gesch[äa]ftsf[üu]hrer(?:in)?|g[ée]rante?"
    r"|directrice|directeur|fundadora?|due[ñn][oa]) (?:of|at|von|der|des|de|du))"
    rf"\s+(?:the |der |die |la |le |l[’'])?(?P<company>{_PROPER}(?:\s(?:&|and|und|et|y|of|de|du"
    rf"|la)?\s?{_PROPER}){{0,3}})"
)
_INTRO = re.compile(
    r"\b(?:called|named|namens) [A-Z]|[Ii] am|[Ii][’']m|[Mm]y name|[Tt]his is|[Ww]e are|[Ww]e[’']re"
    r"|\b[Ii] run|\b[Ii] own|\b[Ww]e run|[Ii]ch bin|[Ii]ch hei|[Mm]ein Name|[Ww]ir sind|[Ii]ch f[üu]hre"
    r"|[Ii]ch betreibe|[Hh]ier ist"
    r"|[Jj]e suis|[Jj]e m|[Nn]ous sommes|[Ss]oy|[Mm]e llamo|[Mm]i nombre|[Ss]omos|[Ww]riting (?:from"
    r"|on behalf)|[Ii]ch schreibe"
)
_PLACE = re.compile(
    r"(?:Hamburg|Berlin|M[üu]nchen|Munich|Paris|Madrid|London|Wien|Vienna|Z[üu]rich|K[öo]ln|Cologne|Bremen"
    r"|L[üu]beck|Kiel|Leipzig|Lyon|Barcelona|Sevilla|Valencia|Germany|Deutschland|France"
    r"|Spain|Espa[ñn]a|Austria|[ÖO]sterreich|Switzerland|Schweiz|Suisse|Monday|Tuesday|Wednesday|Thursday"
    r"|Friday|January|February|March|April|May|June|July|August|September"
    r"|October|November|December|I|We|Google|Instagram|LinkedIn|WordPress|Shopify|Ihnen|Ihrer|Ihrem|Ihren"
    r"|Ihre|Dir|Euch|Mara(?: Linde)?|Herrn?|Frau|Studio Linde)\Z"
)
_URL = re.compile(
    r"(?<![@\w.])(?:https?://[^\s<>\"'()\[\]]{3,200}|www\.[\w-]+\.[^\s<>\"'()\[\],;]{2,150})", re.IGNORECASE
)
_DIGITS = re.compile(r"\d(?:[\s()./\-–]*\d){5}")
_BAD_NAME = re.compile(
    r"@|\d|https?:|\b(?:info|team|support|sales|office|newsletter|no-?reply|gmbh|ltd|inc|service|billing|studio)\b",
    re.IGNORECASE,
)
_CLOSING_LINE = re.compile(
    r"gr(?:ü|ue)(?:ß|ss)|regards|best|thank|cheers|sincerely|wishes|yours|cordial|merci|salut|saludo|gracias"
    r"|atentamente|mfg|\blg\b|\bvg\b|bient[ôo]t|journ[ée]e|^--|abrazo|danke|dank",
    re.IGNORECASE,
)


class In(Frozen):
    """Own words, signature and display name of the sender; ``region`` (ISO 3166) for numbers without a prefix."""

    text: str
    signature: str = ""
    sender_name: str = ""
    region: str = "DE"


class Out(Frozen):
    """What the sender tells; spans of telephones point into ``text``, or into ``signature`` when found there."""

    contact: Contact


def read_contact(text: str, signature: str, sender_name: str, region: str) -> Contact:
    """The same as a plain function; every value stands in one of the three texts, word for word."""
    text, signature = text[:LIMIT], signature[:2000]
    phones = _phones(text, region)
    known = {phone.e164 for phone in phones}
    phones += [phone for phone in _phones(signature, region) if phone.e164 not in known]
    return Contact(
        name=_name(text, signature, sender_name),
        company=_company(text, signature, sender_name),
        phones=phones[:5],
        urls=_urls(text + "\n" + signature),
    )


def _name(text: str, signature: str, sender_name: str) -> str:
    """The fullest name: said in the text, the display name, the line below the closing."""
    found = _SELF.search(text) or _SELF_ONE.search(text)
    said = found["name"].rstrip(".’'") if found else ""
    shown = sender_name.strip(" \"'")
    if "," in shown and len(shown.split(",")) == 2 and not _BAD_NAME.search(shown):
        return shown
    if len(shown.split()) >= 2 and not _BAD_NAME.search(shown):
        return shown
    below = _name_line(signature)
    for candidate in (said, below, shown):
        if candidate and not _BAD_NAME.search(candidate):
            return candidate
    return ""


def _name_line(signature: str) -> str:
    """The first line of a signature that looks like a person's name."""
    for line in signature.split("\n")[:4]:
        bare = line.strip(" ,.-–—*_|")
        after = (
            re.split(r"[,|]", bare)[-1].strip()
            if _CLOSING_LINE.search(bare)
            else re.split(r"\s[|–-]\s|,", bare)[0].strip()
        )
        if re.fullmatch(rf"{_UP}[\w’'-]+(?: {_UP}[\w.’'-]*){{0,3}}", after) and not _CLOSING_LINE.search(after):
            return after
    return ""


def _company(text: str, signature: str, sender_name: str) -> str:
    """A company with its legal form, or named where senders introduce themselves, or a signature line."""
    for place in (signature, _introduction(text)):
        legal = _COMPANY.search(place)
        if legal:
            return legal["company"].strip()
    for match in _AT.finditer(_introduction(text)):
        name = match["company"].rstrip(".,'’")
        if not _PLACE.match(name) and name.casefold() != sender_name.casefold():
            return name
    return _signature_company(signature, sender_name)


def _introduction(text: str) -> str:
    """The sentences in which senders say who they are (only the first two)."""
    parts = [part for part in re.split(r"(?<=[.!?])\s+|\n+", text[:3000]) if _INTRO.search(part)]
    return "\n".join(parts[:2])


def _signature_company(signature: str, sender_name: str) -> str:
    """The line under the person's name, when it holds neither a number nor an address nor a role."""
    lines = [line.strip(" *_|-–—") for line in signature.split("\n")]
    person = _name_line(signature)
    for index, line in enumerate(lines[:-1]):
        if person and (line == person or line.casefold() == sender_name.casefold()):
            for below in lines[index + 1 : index + 3]:
                if re.fullmatch(
                    rf"{_PROPER}(?: (?:[&+]|and|und|et|y|of|de|{_PROPER})){{0,4}}", below
                ) and not _ROLE.search(below):
                    return below
    return ""


_ROLE = re.compile(
    r"trustee|member|chair|partner\b|treasurer|secretary|freelance|designer|manager|director|founder|owner"
    r"|head of|ceo|cto|cfo|coo|lead\b|officer|assistant|consultant|inhaber|gesch[äa]ftsf|leitung|leiter"
    r"|g[ée]rant"
    r"|directeur|directrice|responsable|fundador|sent from|gesendet|stra(?:ß|ss)e|street|avenue|rue\b|calle\b"
    r"|tel\b|mobil",
    re.IGNORECASE,
)


def _phones(text: str, region: str) -> list[Phone]:
    """Valid telephone numbers in E.164; amounts, dates and references do not pass the library's checks."""
    if not _DIGITS.search(text):
        return []
    import phonenumbers

    found: list[Phone] = []
    for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID, max_tries=200):
        before = text[max(0, match.start - 14) : match.start]
        if re.search(r"(?:iban|nr|no|number|nummer|ref|#|€|\$|£|konto|id)[\s.:]*\Z", before, re.IGNORECASE):
            continue
        if re.fullmatch(r"[\d.,'’\s]+", match.raw_string) and re.match(
            r"\s?(?:€|eur|\$|chf|£)", text[match.end :], re.IGNORECASE
        ):
            continue
        e164 = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        if e164 not in {phone.e164 for phone in found}:
            found.append(Phone(e164=e164, span=span(text, match.start, match.end)))
    return found


def _urls(text: str) -> list[str]:
    """Web addresses in reading order, without the full stop of the sentence."""
    return list(dict.fromkeys(match[0].rstrip(".,;:!?)") for match in _URL.finditer(text)))[:10]
