"""Reads who signs a message and for which company, from its last lines; prose and telephone numbers are left alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

UP = r"[A-ZÀ-ÖØ-ÞŁŚŽČŠ]"
LEGAL = (
    r"GmbH(?: & Co\.? KG)?|gGmbH|UG|AG|KG|OHG|GbR|mbB|e\.\s?K\.|e\.\s?V\.|P(?:te|ty)\.? Ltd\.?|Ltd\.?|Limited|LLC|LLP"
    r"|Inc\.?|Corp\.?|PLC|plc|A/S|SARL|SAS|SASU|EURL|SA|S\.A\.(?:S\.)?|S\.A\.R\.L\.|SCI"
    r"|S\.L\.U\.|S\.L\.|SL|SLU|S\.C\.|B\.V\.|BV|S\.r\.l\.|Oy|AB|ApS"
)
_PARTICLE = r"(?:de|del|de la|la|le|van|von|vom|zu|zur|der|den|y|da|di|do|dos|el|bin|ter|ten|af|av)"
_TITLE = (
    r"(?:Dr\.|Prof\.|Dipl\.-\w+\.?|Mag\.|Ing\.|Me|Mme|M\.|Mr\.?|Mrs\.?|Ms\.?|Frau|Herr|Sr\.|Sra\.|Don|Doña"
    r"|i\. ?[AV]\.|ppa\.)"
)
_PERSON = re.compile(
    rf"(?:{_TITLE}\s+)*(?P<name>{UP}[\w’'.-]*(?: {_PARTICLE})*(?: (?:{_PARTICLE} )?{UP}[\w’'.-]*){{1,3}})"
)
_TRADE = re.compile(
    rf"(?<!\w)(?:{LEGAL})(?!\w)|[&+]|\b(?:company|group|studios?|agency|works|partners|partnership"
    r"|associat\w+|society|club"
    r"|clinic|practice|school|academy|shop|store|hotel|inn|garage|bakery|café|coffee|restaurant|gallery|roofing|joinery"
    r"|plumbing|design|media|consulting|solutions|services|hosting|press|printing|tours?|travel|interiors|ceramics"
    r"|books|bikes|gardens|architects?|law|dental|yoga|foundation|festival|market|university|council"
    r"|\w*(?:büro|praxis|kanzlei|schule|druckerei|bäckerei|tischlerei|werkstatt|verlag|hotel|manufaktur|betrieb|agentur"
    r"|technik|beratung|apotheke|zentrum|akademie|handlung|handel|stiftung|gärtnerei|fabrik|brauerei|gasthaus)"
    r"|praxis|kanzlei|verein|verband|verlag|schule|hundeschule|kita|laden|galerie|druckerei|bäckerei"
    r"|tischlerei|gasthof|pension|werkstatt|werke|stadtwerke|gesellschaft|bau|hausverwaltung|stiftung|partner"
    r"|weingut|optik|floristik|heizung|messebau|physio\w*|coaching|beratung|immobilien|steuerberat\w+"
    r"|atelier|cabinet|agence|boutique|imprimerie|papeterie|savonnerie|domaine|camping|association|école"
    r"|maison|librairie"
    r"|boulangerie|menuiserie|société|entreprise|mairie|compagnie|avocats?|voyages|traiteur|fleurs|vins"
    r"|taller|imprenta|clínica|bodegas?|asociación|galería|tienda|papelería|empresa|abogados|asesores|estudio|escuela"
    r"|academia|viajes|instalaciones|fisioterapia|cerámica|hostal|fundación|librería|panadería)\b",
    re.IGNORECASE,
)
ROLE = re.compile(
    r"trustee|member|\bchair|treasurer|secretary|freelance|designer\b|\bmanager|director\b|founder|owner|principal"
    r"|head of|\bceo\b|\bcto\b|\bcfo\b|\bcoo\b|\blead\b|officer|assistant|consultant\b|department|sent from"
    r"|street|avenue"
    r"|inhaber|\binh\.|gesch[äa]ftsf|leitung|leiter|vorsitz|buchhaltung|abteilung|steuerberater\Z|assistenz|vertrieb"
    r"|gesendet|stra(?:ß|ss)e|\bweg \d|platz \d|g[ée]rante?\b|directeur|directrice|responsable|service compta"
    r"|comptabilit"
    r"|pr[ée]sident|fondat|\brue\b|fundador|departamento|director[ae]?\b|due[ñn][oa]|gerente|\bcalle\b|tel\b|tél|mobil"
    r"|telefon|telefax|\bfax\b|phone|registergericht|ust-?id|\bvat\b|\bsiret\b|\bcif\b|\bnif\b|www\.|https?:|@|\d{3}",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"gr(?:ü|ue)(?:ß|ss)|regards|\bbest\b|thank|cheers|sincerely|wishes|yours|cordial|merci|salut|saludo|gracias"
    r"|atentamente|mfg|\blg\b|\bvg\b|bient[ôo]t|journ[ée]e|^--|abrazo|danke|dank|\blove\b|warmly|herzlich|amiti[ée]"
    r"|amicalement|bises|besos|\bkind\b|gruss|see you|liebe\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*[|·•]\s*|\s+[–—-]+\s+|,\s+|\s*/\s+")
_GENERIC = re.compile(
    r"\A(?:(?:(?:web)?form\w*|kontakt\w*|contact\w*|website|web|webseite|homepage|mailer|admin|info|office|buchhaltung"
    r"|accounts?|verwaltung|wordpress|no-?reply|newsletter|team|support|sales|service|post|hello|hallo|mail|anfrage\w*"
    r"|en?quiry|inquiry|request|demande|solicitud|message|nachricht|mensaje|de|via|site|sitio|page|your|neue)\W*)+\Z",
    re.IGNORECASE,
)
_ROLE_BOX = re.compile(
    r"\A(?:info|hello|hallo|hola|bonjour|office|kontakt|contact\w*|sales|accounts?|billing|invoices?|rechnung\w*"
    r"|buchhaltung|angebote?|offers?|devis|ofertas?|factura\w*|compta\w*|cobros|post|team|service|support|soporte|mail"
    r"|newsletter|boletin|form\w*|verwaltung|admin|orders?|bestellung\w*|reservas|reservation\w*|accueil|news"
    r"|shop|press"
    r"|studio|praxis|kanzlei|booking|jobs?|event\w*)\b",
    re.IGNORECASE,
)
_MONEY_BOX = re.compile(
    r"\A(?:accounts?|billing|invoices?|rechnung\w*|buchhaltung|mahnung\w*|sales|angebote?|devis|ofertas?"
    r"|factur\w*|compta"
    r"\w*|cobros|newsletter|orders?|bestellung\w*|no-?reply)\b",
    re.IGNORECASE,
)
_FREE = re.compile(
    r"gmail|googlemail|outlook|hotmail|yahoo|gmx|icloud|proton|aol|orange|wanadoo|free|laposte|t-online|posteo|mailbox"
    r"|freenet|live|msn|postbox",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sender:
    """The From line: display name and address, which may be empty."""

    name: str = ""
    address: str = ""

    @property
    def label(self) -> str:
        """The letters of the domain's own label, "" for the big mail providers: "de-wit.example" is "dewit"."""
        parts = self.address.rpartition("@")[2].casefold().split(".")
        own = parts[-3] if len(parts) > 2 and parts[-2] in {"co", "com", "org", "ac"} else parts[-2:][0]
        return "" if _FREE.fullmatch(own) else letters(own)

    @property
    def is_company(self) -> bool:
        """Whether the display name is that of a company and not of a person."""
        name, box = self.name.strip(" \"'"), letters(self.address.partition("@")[0])
        if re.match(rf"{_TITLE}\s", name):
            return False
        if re.search(rf"(?<!\w)(?:{LEGAL})(?!\w)", name) and " " in name:
            return True
        if not name or any(part in box for part in words_of(name) if len(part) > 2):
            return bool(name and _TRADE.search(name) and _ROLE_BOX.match(self.address))
        if _MONEY_BOX.match(self.address) and self.shares(name):
            return True
        whole = len(self.label) > 4 and all(part in self.label for part in words_of(name))
        return bool(_TRADE.search(name)) or (whole and bool(_ROLE_BOX.match(self.address))) or same(name, self.label)

    @property
    def is_generic(self) -> bool:
        """Whether the display name is that of a form or mailbox."""
        return bool(_GENERIC.match(self.name.strip(" \"'"))) or "@" in self.name

    def shares(self, words: str) -> bool:
        """Whether a word of four letters or more stands in the domain too."""
        return bool(self.label) and any(len(word) > 3 and word in self.label for word in words_of(words))


@dataclass(frozen=True)
class Signed:
    """Who signed, and for whom; empty when it is not said."""

    person: str = ""
    company: str = ""


def letters(text: str) -> str:
    """Letters and digits only, lower case, without accents; "ü" as "ue" so that it fits addresses."""
    text = text.casefold()
    for umlaut, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(umlaut, plain)
    return "".join(one for one in unicodedata.normalize("NFD", text) if one.isalnum())


def same(text: str, label: str) -> bool:
    """Whether a name, written together, is the label of a domain; "&" may be written out there."""
    if len(label) < 5 or text.endswith(("&", "+")):
        return False
    return any(letters(re.sub(r"\s*[&+]\s*(?=\w)", word, text)) == label for word in ("", "and", "und", "et", "y", "u"))


def words_of(text: str) -> list[str]:
    """The words of a text as in ``letters``."""
    return [letters(word) for word in re.split(r"[^\w]+", text) if word]


def read(text: str, signature: str, sender: Sender) -> Signed:
    """Person and company of the closing lines; a company is never the person's own name."""
    pieces = list(_pieces(text, signature))
    person = _person(pieces, sender)
    best, most = "", 0
    for index, (line, piece) in enumerate(pieces):
        after = any(other in (line - 1, line) and name == person for other, name in pieces[:index]) if person else False
        worth = _worth(piece, person, sender, after=after)
        if worth > most:
            best, most = piece, worth
    return Signed(person=person, company=best)


def _pieces(text: str, signature: str) -> Iterator[tuple[int, str]]:
    """(line, piece) of the closing lines; long lines and what follows them (footers) are left out."""
    lines = [*_tail(text), *signature.split("\n")]
    number = 0
    for line in lines[:16]:
        bare = line.strip(" *_|–—-\t")
        if len(bare) > 90:
            return
        if not bare:
            continue
        for piece in _SPLIT.split(bare):
            yield number, piece.strip(" ,.:;*_\"'()") + ("." if re.search(r"\w\.\s?\w\.$", piece.strip()) else "")
        number += 1


def _tail(text: str) -> list[str]:
    """The short lines at the end of a text that are no prose."""
    for part in re.split(r"\n[ \t]*[-_=*]{2,}[ \t]*(?:\n|\Z)", text)[:-4:-1]:  # a rule divides a footer from it
        if found := _short_end(part):
            return found
    return []


def _short_end(text: str) -> list[str]:
    """The short lines at the end of one part."""
    kept: list[str] = []
    for line in reversed(text.rstrip().split("\n")[-6:]):
        bare = line.strip()
        prose = bare.endswith(("?", "!", ":")) or (bare.endswith(".") and not re.search(rf"(?:{LEGAL}|\b\w\.)$", bare))
        if prose or len(re.findall(r"[^\W\d_]{2,}", bare)) > 8 or len(bare) > 80:
            sentence = re.search(r"[.?!:]\s+([^.?!:]{4,95})$", bare) if not kept and not prose else None
            kept += [sentence[1]] if sentence else []
            break
        kept.append(bare)
    return kept[::-1]


def _person(pieces: list[tuple[int, str]], sender: Sender) -> str:
    """The first piece that is a person's full name, else a first name that the sender's name or address repeats."""
    for _, piece in pieces[:6]:
        match = _PERSON.fullmatch(piece)
        if not match or ROLE.search(piece) or _CLOSING.search(piece):
            continue
        if letters(piece) == letters(sender.name) and not sender.is_company:
            return match["name"]
        if _TRADE.search(piece) or letters(piece) in (sender.label, letters(sender.name)):
            continue
        return match["name"]
    return ""


def _worth(piece: str, person: str, sender: Sender, *, after: bool) -> int:
    """How likely a piece is the sender's company, 0 for not at all."""
    words = piece.split()
    if not re.match(rf"(?:{UP}|\d?[a-z]?{UP})", piece) or len(words) > 7 or _CLOSING.search(piece):
        return 0
    legal = bool(re.search(rf"(?<!\w)(?:{LEGAL})(?!\w)", piece)) and len(words) > 1
    if not legal and (ROLE.search(piece) or re.search(r"\d", piece)):
        return 0
    bare = re.sub(rf"\A(?:{_TITLE}\s+)+", "", piece)
    if letters(bare) == letters(person) or set(words_of(piece)) <= set(words_of(f"{person} {_own(sender)}")):
        return 0
    named = len(words) > 1 or same(piece, sender.label)
    looks = all(
        re.match(
            rf"{UP}|&|\+|and|und|et|y|of|de|du|des|del|la|le|les|los|el|für|for|am|im|an|in|zum|zur|sur|[\d(]", word
        )
        for word in words
    )
    if legal:
        return 6
    if same(piece, sender.label) or (sender.is_company and letters(piece) == letters(sender.name)):
        return 5
    if sender.shares(piece) and named and looks:
        return 4
    if _TRADE.search(piece) and named and looks:
        return 3
    return 2 if after and looks and named else 0


def _own(sender: Sender) -> str:
    """The display name when it is a person's."""
    return "" if sender.is_company or sender.is_generic else sender.name
