"""What a question is about and which line of the house book answers it, in four languages; it writes no sentence.

Words become topics: an *aspect* (price, duration, payment) or a *subject* (website, logo, any other content word).
A line answers a question only when it covers the aspects asked and shares a subject; when in doubt there is no match,
since a wrong answer costs more than a question to the operator.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from soloist.plugins.skills._housebook import Book, Fact, fold

ENOUGH = 0.7
"""Share of a question's topics (aspects and known subjects weigh 2, other words 1) a line has to cover."""

_ASPECTS = {
    "price": "price pricing prices= cost costs= costing= preis kosten= kostet= kostenpunkt prix= cout= coute= couts="
    " tarif precio costar cuesta coste= combien= cuanto= fee= fees= honorar rates= teuer expensive cher= caro=",
    "minimum": "minimum mindest minimal minimo",
    "budget": "budget presupuesto",
    "start": "start begin= begins= beginnt= beginn anfang anfangen demarr commenc debut= empez comenz comienz inicio",
    "availability": "availab verfugbar disponib capacity kapazitat",
    "duration": "duration dauer= dauert= duree= duracion turnaround lieferzeit",
    "payment": "pay= paying= paid= payment payable zahlung zahlen= bezahl paiement payer= pago= pagos= pagar="
    " due= fallig instalment raten= ratenzahlung anzahlung acompte deposit anticipo",
    "invoice": "invoice rechnung facture= facturer= factura= billing",
    "vat": "vat= taxes= mehrwertsteuer umsatzsteuer mwst= ust= tva= iva=",
    "revision": "revision anderung korrektur retouche modification cambios=",
    "rights": "rights= nutzungsrecht licen lizenz droits= derechos=",
    "hosting": "host= hosting= hosted= hosts= hoster= heberge alojamiento",
    "domain": "domain= domains= domaine dominio",
    "maintenance": "maintenance maintain wartung pflege entretien mantenimiento updates= aktualisierung",
    "travel": "travel reise= reisen= vorort deplace viaja= viajar",
    "place": "where= region regions= location standort ubicacion donde= remote",
    "language": "language sprache= sprachen= langue idioma multiling mehrsprach bilingu speak= parlez= "
    "hablas= sprechen=",
    "offer": "quote= quotes= quotation angebot devis= cotizacion estimate kostenvoranschlag",
    "meeting": "meeting termin= gesprach rendezvous rdv= reunion= cita= llamada",
    "cancel": "cancel kundig storn annul resili",
    "accessibility": "accessib barriere",
    "discount": "discount rabatt remise= reduction descuento",
    "guarantee": "guarant garant gewahrleist",
    "confidential": "nda= confiden vertraulich",
}
_SUBJECTS = {
    "website": "website webseite homepage internetseite internetauftritt webauftritt webdesign web= site= sites= sitio",
    "shop": "shop onlineshop webshop tienda ecommerce boutique=",
    "logo": "logo",
    "brand": "brand= brands= branding= marke= marken marque= marca= branding identidad identite= erscheinungsbild",
    "photo": "photo foto",
    "copy": "copywrit texte= textos= redaction= contenido contenu=",
    "print": "printing= printed= flyer visitenkarte drucksache imprime",
    "seo": "seo= suchmaschine referencement posicionamiento",
    "newsletter": "newsletter",
}
_PHRASES = {
    "duration": "how long|wie lange|combien de temps|cuanto tiempo|cuanto tarda|cuanto dura"
    "|lead time|quel delai|que plazo",
    "price": "how much|wie viel|was kostet|was kosten|quel prix",
    "": "how many|wie viele|combien de|cuantos|cuantas|thank you|vielen dank",
    "website": "site web|site internet|pagina web|sitio web|web site|web page|web design",
    "seo": "search engine",
    "travel": "on site|on-site|vor ort|sur place|in person",
    "brand": "corporate design|brand design|visual identity|identite visuelle|identidad visual|identidad de marca",
    "meeting": "rendez vous|rendez-vous|video call|phone call",
}
_FUNCTION = {
    "en": "the and are is of to for with you your we our i my can could would do does have has it that "
    "this a an in on if "
    "not what when which how from at be or as will prices terms there any per include included by who where also",
    "de": "der die das und ist sind ein eine einen einer fur mit sie ihr ihre ihnen wir unser unsere ich "
    "mein kann konnen "
    "konnten haben hat es nicht was wann welche wie von zu im am bei auch ob oder als preise leistungen ab werden wird "
    "pro dem den auf bedingungen du dein deine wer wo",
    "fr": "le la les et est sont un une des du de pour avec vous votre vos nous notre nos je mon ma peut "
    "pouvez pourriez "
    "avoir avez il ce cette que quel quelle quand comment par au aux ou ne pas sur dans tarifs en qui aussi",
    "es": "el la los las y es son un una unos de del para con usted su sus nosotros nuestro nuestra yo mi puede pueden "
    "podria tiene tienen que cual cuando como por al o no se en precios condiciones servicios lo tambien",
}
_FILLER = (
    "please help offer offers offering like want need needed know tell ask question questions possible "
    "interested get got "
    "give let send need new project projects usually roughly about approximately exactly currently also still just "
    "work working make made build create design designs designing think way thing things something much many really "
    "bitte helfen bieten anbieten mochte mochten brauchen wissen frage fragen moglich interessiert gerne "
    "neue neuen neues "
    "projekt projekte ungefahr etwa circa ca noch arbeiten machen erstellen gestalten gestaltung "
    "entwerfen denn mir uns "
    "lauft ablauf ablaufen normalerweise faut compter tarda tardan afterwards danach "
    "modes mode quels quelles cuales "
    "svp aider proposer proposez souhaite voudrais voudrions savoir question possible nouveau nouvelle projet environ "
    "encore travailler faire creer realiser refaire est-ce cela "
    "favor ayudar ofrece ofrecen quiero quisiera necesito saber pregunta posible nuevo nueva proyecto aproximadamente "
    "todavia trabajar hacer crear disenar rehacer seria podrian "
    "t s d ll re ve m n l qu j c hello hi hallo bonjour hola thanks danke merci gracias should may might "
    "will shall did "
    "den dem dann was were been being i ii so too than then us me them they he she his her their its"
)
_WORD = re.compile(r"[^\W_]+")


def _table(source: dict[str, str]) -> dict[str, str]:
    return {stem: topic for topic, stems in source.items() for stem in stems.split()}


_STEMS = {**_table(_ASPECTS), **_table(_SUBJECTS)}
_STOP = frozenset(" ".join(_FUNCTION.values()).split()) | frozenset(_FILLER.split())
_WORDS_OF = {language: frozenset(words.split()) for language, words in _FUNCTION.items()}
_PHRASE = [
    (re.compile(rf"\b(?:{phrases})\b"), f" {topic} " if topic else " ")
    for topic, phrases in sorted(_PHRASES.items(), key=lambda item: item[0] == "")
]


@lru_cache(maxsize=4096)
def topics(text: str) -> frozenset[str]:
    """The topics of a text: names of aspects and known subjects, and the stems of other content words."""
    folded = fold(text.replace("’", "'"))[:2000]
    for pattern, topic in _PHRASE:
        folded = pattern.sub(topic, folded)
    return frozenset(t for w in _WORD.findall(folded) if (t := _topic(w)))


def subjects(text: str) -> frozenset[str]:
    """The topics of a text without its aspects."""
    return topics(text) - _ASPECTS.keys()


def aspects(text: str) -> frozenset[str]:
    """The aspects a text names."""
    return topics(text) & _ASPECTS.keys()


@lru_cache(maxsize=4096)
def _topic(word: str) -> str:
    """An aspect, a known subject, the stem of a content word, or nothing for words that carry no topic."""
    if word in _ASPECTS or word in _SUBJECTS:
        return word
    if f"{word}=" in _STEMS:
        return _STEMS[f"{word}="]
    for size in range(len(word), 2, -1):
        if word[:size] in _STEMS:
            return _STEMS[word[:size]]
    if word in _STOP or len(word) < 3 or word.isdigit():
        return ""
    return re.sub(r"(?:ing|en|er|es|ed|e|s|n)$", "", word) if len(word) > 5 else word.removesuffix("s")


def language_of(text: str) -> str:
    """The language most function words speak for, "" when they do not say (fewer than two, or a draw)."""
    words = _WORD.findall(fold(text)[:5000])
    votes = Counter({lang: sum(w in known for w in words) for lang, known in _WORDS_OF.items()}).most_common(2)
    return votes[0][0] if votes[0][1] >= 2 and votes[0][1] > votes[1][1] else ""


@dataclass(frozen=True, slots=True)
class Line:
    """A quotable line with what it is about and the language it is written in ("" = cannot be told)."""

    fact: Fact
    keys: frozenset[str]
    all: frozenset[str]
    language: str


def lines_of(book: Book) -> list[Line]:
    """Every quotable line of a book; the language is its own, else that of its heading's block, else the book's."""
    blocks: dict[str, list[str]] = {}
    for fact in book.quotable:
        blocks.setdefault(fact.heading, [fact.heading]).append(" ".join((*fact.keys, fact.text)))
    whole = language_of(" ".join(text for texts in blocks.values() for text in texts))
    of_block = {heading: language_of(" ".join(texts)) or whole for heading, texts in blocks.items()}
    return [_line(fact, of_block[fact.heading]) for fact in book.quotable]


def _line(fact: Fact, block: str) -> Line:
    keys = topics(" ".join(fact.keys) or fact.text)
    section = {"price"} if fact.section == "prices" else set()
    own = language_of(" ".join((*fact.keys, fact.text)))
    return Line(fact, keys | section, keys | topics(fact.text) | section, own or block)


def best(question: str, lines: Iterable[Line], *, language: str, about: frozenset[str]) -> Line | None:
    """The line that answers a question, or None.

    ``about`` are the subjects of the whole message: "What does that cost?" means the thing they asked for.
    """
    asked = topics(question)
    if not asked:
        return None
    asked_subjects = asked - _ASPECTS.keys() or about
    fitting = [(score, line) for line in lines if (score := _score(question, asked, asked_subjects, line))]
    fitting.sort(key=lambda pair: (pair[1].language not in (language, ""), -pair[0], pair[1].fact.line))
    return fitting[0][1] if fitting else None


def _score(question: str, asked: frozenset[str], asked_subjects: frozenset[str], line: Line) -> float:
    """0 for no match; a FAQ entry counts more than another line, as it was written as an answer."""
    if line.fact.section == "faq" and _alike(question, line.fact.keys[0]):
        return 3.0
    asked_aspects, key_aspects = asked & _ASPECTS.keys(), line.keys & _ASPECTS.keys()
    if not asked_aspects <= line.all or (key_aspects and not key_aspects & asked_aspects):
        return 0.0
    key_subjects = line.keys - _ASPECTS.keys()
    if asked_aspects == {"price"} and line.fact.section == "prices" and not key_subjects & asked_subjects:
        return 0.0
    if key_subjects and asked_subjects and not key_subjects & asked_subjects and not _general(line):
        return 0.0
    cover = _weight(asked & line.all) / _weight(asked)
    if cover < ENOUGH or not asked & (line.keys if line.fact.keys else line.all):
        return 0.0
    meant = _weight(asked & line.keys) / max(1, _weight(line.keys))
    if line.fact.section == "faq" and meant < 0.5:
        return 0.0
    return cover + meant / 2 + (0.5 if line.fact.section == "faq" else 0.0)


def share(line: Line, about: frozenset[str]) -> float:
    """How much of what a line is filed under is among these subjects, 0 to 1."""
    filed = line.keys - _ASPECTS.keys()
    return _weight(filed & about) / _weight(filed) if filed else 0.0


def _general(line: Line) -> bool:
    """A line filed under an aspect speaks for every subject ("Payment: half at the start")."""
    return line.fact.section == "terms" and bool(line.keys & _ASPECTS.keys())


def _weight(names: Iterable[str]) -> int:
    return sum(2 if n in _ASPECTS or n in _SUBJECTS else 1 for n in names)


def _alike(question: str, key: str) -> bool:
    """Nearly the same question in the same words."""
    from rapidfuzz import fuzz

    one, other = sorted(topics(question)), sorted(topics(key))
    if len(set(one) & set(other)) < 2:
        return False
    covered = _weight(set(one) & set(other)) / _weight(one)
    return covered >= ENOUGH and fuzz.token_set_ratio(fold(question), fold(key)) >= 88


def parts(question: str) -> list[str]:
    """A question that asks for several things ("what does it cost and how long does it take?") in its parts."""
    pieces = [p.strip() for p in re.split(r"\s(?:and|und|et|y)\s|[,;]\s|(?<=\?)\s+", question) if p.strip()]
    return pieces if len(pieces) > 1 and all(aspects(p) for p in pieces) else [question]
