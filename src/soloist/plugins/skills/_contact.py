"""Reads what senders tell of themselves: name, company, telephone, web addresses; the address itself is not judged."""

from __future__ import annotations

import re

from soloist.kernel.message import Contact, Frozen, Phone
from soloist.plugins.skills._signature import LEGAL, ROLE, UP, Sender, Signed, letters, read, same, words_of
from soloist.plugins.skills._text import LIMIT, span

_UP = UP
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
_COMPANY = re.compile(
    rf"(?P<company>{_UP}[\w.’'&-]*(?:[ ]+(?:&|and|und|et|y|of|de|la|[\w.’'&-]+)){{0,5}}?[ ]+(?:{LEGAL}))(?![\w.])"
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
_PHONE_LABEL = re.compile(
    r"(?:\b(?:tel|tél|phone|fon|mobile?|mob|cell|handy|telefon|teléfono|téléphone|móvil|portable|whatsapp)\.?|☎|✆)"
    r"[\s.:/]*\Z",
    re.IGNORECASE,
)
_NATIONAL = {
    "FR": ("fr", re.compile(r"(?<![\d+])0[1-9](?:[ .]?\d\d){4}(?!\d)")),
    "ES": ("es", re.compile(r"(?<![\d+] )(?<![\d+])[6789]\d{1,2}(?:[ .]?\d{2,3}){2,3}(?![\d ]\d)")),
    "GB": ("en", re.compile(r"(?<![\d+])07\d{3} ?\d{3} ?\d{3}(?!\d)")),
}
"""Language and written form of national numbers that a sender abroad leaves without their prefix."""
_SPEAKING = {
    "fr": {"FR", "BE", "CH", "CA", "LU"},
    "es": {"ES", "MX", "AR", "CL", "CO", "PE"},
    "en": {"GB", "US", "IE", "AU", "NZ", "CA", "IN", "ZA"},
}
_NO_PHONE = re.compile(r"(?:\b(?:iban|nr|no|number|nummer|ref|konto|id)|#|€|\$|£)[\s.:]*\Z", re.IGNORECASE)
_MY_NUMBER = re.compile(
    r"(?:\b(?:my|mein\w*|unser\w*|our|neue|new|phone|mobile|cell)\s|telefon|handy|ruf|mobil)(?:number|nummer)[\s.:]*\Z",
    re.IGNORECASE,
)
_FAX = re.compile(r"(?:fax|t[ée]l[ée]copie|(?:\n|[|·,]) ?f)[\s.:/]*\Z", re.IGNORECASE)
_LONE_NAME = re.compile(r"(?:(?:wir|ich) (?:sind|bin)|called|named|namens|appel|llamad)", re.IGNORECASE)
"""Beginnings behind which one capital word alone is no company: "wir sind Rentner", "a dog called Bosse"."""
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


_JOINING = frozenset("and und et y of de du des la le del für for & e.V. e.K. mbB plc".split())
_PHRASE = re.compile(rf"{_UP}[\w’'.-]*(?: (?:& )?{_UP}[\w’'-]+){{1,3}}")
_LABEL = r"^[ \t>*-]*(?:{})[ \t*]*[:=][ \t*]*(?P<value>\S[^\n]{{0,80}}?)[ \t*]*$"
_FORM_NAME = re.compile(
    _LABEL.format(
        r"(?:full |your |ihr |votre |su )?(?:name|nom|nombre)(?: (?:und vorname|et pr[ée]nom|y apellidos?))?"
        r"|vor- und nachname|nom complet|nombre completo|ansprechpartner(?:in)?|kontaktperson|contact person"
    ),
    re.IGNORECASE | re.MULTILINE,
)
_FORM_FIRST = re.compile(
    _LABEL.format(r"first name|given name|vorname|pr[ée]nom|nombre(?: de pila)?"), re.IGNORECASE | re.MULTILINE
)
_FORM_LAST = re.compile(
    _LABEL.format(r"last name|surname|family name|(?:nach|familien|zu)name|nom(?: de famille)?|apellidos?"),
    re.IGNORECASE | re.MULTILINE,
)
_FORM_COMPANY = re.compile(
    _LABEL.format(r"company(?: name)?|business|organi[sz]ation|firma|unternehmen|soci[ée]t[ée]|entreprise|empresa"),
    re.IGNORECASE | re.MULTILINE,
)
_FORM_LINE = re.compile(r"^[ \t>*-]*[^\W\d_][\w /-]{1,28}?[ \t*]*:[ \t*]*\S", re.MULTILINE)


class In(Frozen):
    """Own words, signature and From line of the sender; ``region`` (ISO 3166) for numbers without a prefix."""

    text: str
    signature: str = ""
    sender_name: str = ""
    sender_address: str = ""
    region: str = "DE"
    language: str = ""


class Out(Frozen):
    """What the sender tells; spans of telephones point into ``text``, or into ``signature`` when found there."""

    contact: Contact


def read_contact(
    text: str, signature: str, sender_name: str, region: str, sender_address: str = "", *, language: str = ""
) -> Contact:
    """The same as a plain function; every value stands in one of the three texts, word for word."""
    text, signature = text[:LIMIT], signature[:2000]
    sender = Sender(sender_name, sender_address)
    signed = read(text, signature, sender)
    return Contact(
        name=_of_form(_FORM_NAME, text, _FORM_FIRST, _FORM_LAST) or _name(text, signature, sender, signed),
        company=_of_form(_FORM_COMPANY, text) or _company(text, signature, sender, signed),
        phones=read_phones(text, signature, region, language),
        urls=_urls(text + "\n" + signature),
    )


def _of_form(label: re.Pattern[str], text: str, *halves: re.Pattern[str]) -> str:
    """The value behind a label (or behind two that belong together), in a text that has the lines of a form."""
    if len(_FORM_LINE.findall(text[:3000])) < 3:
        return ""
    parts = [found["value"].strip(" ,;") for found in (half.search(text) for half in halves) if found]
    if len(parts) == len(halves) == 2:
        return " ".join(parts)
    found = label.search(text)
    return found["value"].strip(" ,;") if found else ""


def _name(text: str, signature: str, sender: Sender, signed: Signed) -> str:
    """The fullest name: the display name of a person, the one said in the text, the one that signs."""
    found = _SELF.search(text) or _SELF_ONE.search(text)
    said = found["name"].rstrip(".’'") if found else ""
    shown = sender.name.strip(" \"'")
    if sender.is_company or sender.is_generic:
        below = _name_line(signature)
        below = "" if letters(below) in (letters(signed.company), letters(shown)) else below
        return next((one for one in (signed.person, said, below) if one and not _BAD_NAME.search(one)), "")
    if "," in shown and len(shown.split(",")) == 2 and not _BAD_NAME.search(shown):
        turned = " ".join(part.strip() for part in reversed(shown.split(",")))
        return turned if turned in f"{text}\n{signature}" else shown
    if len(shown.split()) >= 2 and not _BAD_NAME.search(shown):
        return shown
    fuller = signed.person if letters(shown) in words_of(signed.person) or not shown else ""
    for candidate in (said, fuller, _name_line(signature), shown, signed.person):
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
        if (
            re.fullmatch(rf"{_UP}[\w’'-]+(?: {_UP}[\w.’'-]*){{0,3}}", after)
            and not _CLOSING_LINE.search(after)
            and not ROLE.search(after)
        ):
            return after
    return ""


def _company(text: str, signature: str, sender: Sender, signed: Signed) -> str:
    """A company with its legal form, the one signed for, or named where senders introduce themselves."""
    if signed.company:
        return signed.company
    for place in (signature, _introduction(text)):
        legal = _COMPANY.search(place)
        if legal:
            return _named(legal)
    for legal in _COMPANY.finditer(text):
        if sender.shares(legal["company"]):
            return _named(legal)
    written = _as_in_address(text + "\n" + signature, sender)
    if written:
        return written
    for match in _AT.finditer(_introduction(text)):
        name = match["company"].rstrip(".,'’")
        if _PLACE.match(name) or name.casefold() == sender.name.casefold():
            continue
        if len(name.split()) > 1 or sender.shares(name) or not _LONE_NAME.match(match[0].strip()):
            return name
    return sender.name.strip(" \"'") if sender.is_company else ""


def _named(legal: re.Match[str]) -> str:
    """The company of a match without the words of the sentence before it: "Invoice to Tan Ltd" is "Tan Ltd"."""
    words = legal["company"].split()
    before = [i for i, word in enumerate(words) if word[0].islower() and word not in _JOINING and i < len(words) - 1]
    return " ".join(words[before[-1] + 1 if before else 0 :])


def _as_in_address(text: str, sender: Sender) -> str:
    """Words that, written together, are the sender's domain ("Katz Yoga" of katz-yoga.example) or begin with it."""
    if len(sender.label) < 5:
        return ""
    own = set(words_of(sender.name))
    words = list(re.finditer(r"[^\W_][\w’'.-]*|&", text))
    for index, word in enumerate(words):
        if not re.match(_UP, word[0]) or (index and set(words_of(words[index - 1][0])) & own):
            continue
        for last in range(index, min(index + 5, len(words))):
            found = " ".join(text[word.start() : words[last].end()].rstrip(".,").split())
            if last > index and same(found, sender.label) and letters(found) != letters(sender.name):
                return found
            if last > index and text[words[last - 1].end() : words[last].start()].strip():
                break
        named = _PHRASE.match(text, word.start()) if letters(word[0]) == sender.label else None
        if named and not set(words_of(named[0])) <= own and "@" not in text[word.start() - 1 : named.end() + 1]:
            return " ".join(named[0].split())
    return ""


def _introduction(text: str) -> str:
    """The sentences in which senders say who they are (only the first two)."""
    parts = [part for part in re.split(r"(?<=[.!?])\s+|\n+", text[:3000]) if _INTRO.search(part)]
    return "\n".join(parts[:2])


def read_phones(text: str, signature: str, region: str, language: str = "") -> list[Phone]:
    """The numbers of text and signature; one written without its prefix is left out when it stands there with it."""
    region = _region(f"{text}\n{signature}", region, language)
    found = _phones(text, region)
    known = {phone.e164 for phone in found}
    found += [phone for phone in _phones(signature, region) if phone.e164 not in known]
    full = [phone.e164 for phone in found if phone.span.text.lstrip("( ").startswith(("+", "00"))]
    return [
        phone for phone in found if phone.e164 in full or not any(one.endswith(_end(phone.span.text)) for one in full)
    ][:5]


def _region(text: str, region: str, language: str) -> str:
    """The country of numbers without a prefix: the operator's, unless language and form are those of another one."""
    for code, (spoken, form) in _NATIONAL.items():
        if language == spoken and region not in _SPEAKING[spoken] and form.search(text):
            return code
    if language == "en" and region not in _SPEAKING["en"] and re.search(r"£|\bGBP\b|\bpounds\b|\bquid\b", text):
        return "GB"
    return region


def _end(written: str) -> str:
    """The digits of a national number without its leading zero."""
    return re.sub(r"\D", "", written).lstrip("0")


def _phones(text: str, region: str) -> list[Phone]:
    """Telephone numbers in E.164; what is written with its country or behind a label need only be possible."""
    if not _DIGITS.search(text):
        return []
    import phonenumbers

    found: list[Phone] = []
    for leniency in (phonenumbers.Leniency.VALID, phonenumbers.Leniency.POSSIBLE):
        for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=leniency, max_tries=200):
            before = text[max(0, match.start - 16) : match.start]
            sure = leniency == phonenumbers.Leniency.VALID or _told(match.raw_string, before)
            if not sure or _is_no_phone(match.raw_string, before, text[match.end :]):
                continue
            e164 = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            if e164 not in {phone.e164 for phone in found}:
                found.append(Phone(e164=e164, span=span(text, match.start, match.end)))
    return sorted(found, key=lambda phone: phone.span.start)


def _told(written: str, before: str) -> bool:
    """Whether a number that is only possible is called a telephone number or written with its country."""
    return len(_end(written)) > 6 and (written.startswith("+") or bool(_PHONE_LABEL.search(before)))


def _is_no_phone(written: str, before: str, after: str) -> bool:
    """Whether it is an account, a reference, a fax, a price or a date."""
    if not written.startswith("+") and _NO_PHONE.search(before) and not _MY_NUMBER.search(before):
        return True
    if _FAX.search(before) or re.match(r"\s?(?:€|eur|\$|chf|£)", after, re.IGNORECASE):
        return True
    return bool(re.fullmatch(r"\d{1,2}[./]\s?\d{1,2}[./]\s?(?:19|20)\d\d", written))


def _urls(text: str) -> list[str]:
    """Web addresses in reading order, without the full stop of the sentence."""
    return list(dict.fromkeys(match[0].rstrip(".,;:!?)") for match in _URL.finditer(text)))[:10]
