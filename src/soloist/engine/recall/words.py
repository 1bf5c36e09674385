"""Words: a text as the stems it is found by; knows four languages and numbers, and neither rows nor scores.

Rows carry no language, so each text's is guessed from its commonest small words; English when they say nothing. A
question asks for the stems of its own language and of English, so that a wrong guess about a short row costs little.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import filterfalse

from snowballstemmer.english_stemmer import EnglishStemmer
from snowballstemmer.french_stemmer import FrenchStemmer
from snowballstemmer.german_stemmer import GermanStemmer
from snowballstemmer.spanish_stemmer import SpanishStemmer

VERSION = "words-1"
"""Changes whenever a text could yield other stems, so that an index built by other rules is built anew."""

MOST = 60
"""Letters of a word that count; longer ones are addresses of pages and the like."""

STOP: dict[str, frozenset[str]] = {
    "en": frozenset(
        """
        a an the is are was were be been do does did done of to in on at for and or with what when where who
        whom whose which how why has have had having i you he she it they we his her their my your our its me
        him them us from by as that this those these there here about into than then would could should will can
        may might must shall not no so if but any some s t d ll re ve m am being also please tell
        """.split()
    ),
    "de": frozenset(
        """
        der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren sein hat haben
        hatte hatten wird werden wurde wurden kann konnen soll sollen muss mussen ich du er sie es wir ihr ihnen
        ihm ihn mich mir dich dir uns euch mein meine meinen dein deine seine seinen ihre ihren unser unsere was
        wann wo wer wem wen wessen welche welcher welches welchen wie warum wieso von vom zu zum zur in im an am
        auf fur mit bei bis aus nach uber unter als dass wenn nicht kein keine noch schon auch denn dann so man
        sich bitte gibt
        """.split()
    ),
    "fr": frozenset(
        """
        le la les l un une des du de d et ou mais est sont etait etaient etre a as ont avoir avait avaient sera
        je j tu il elle on nous vous ils elles me m te t se s lui leur leurs mon ma mes ton ta tes son sa ses
        notre nos votre vos que qu qui quoi quand comment pourquoi quel quelle quels quelles combien ce c cet
        cette ces en y au aux dans par pour sur avec sans sous chez ne n pas plus si
        """.split()
    ),
    "es": frozenset(
        """
        el la los las un una unos unas de del y o u pero es son era eran ser esta estan estaba ha han habia
        haber fue fueron sera yo tu ella usted nosotros ellos ellas ustedes me te se le les lo nos mi mis tus su
        sus nuestro nuestra que quien quienes cual cuales cuando donde como por para porque cuanto cuanta
        cuantos en a al con sin sobre desde hasta no si ya hay
        """.split()
    ),
}
"""Words, folded, that say nothing about what is asked."""

TELLING: dict[str, frozenset[str]] = {
    "de": STOP["de"] - STOP["en"] - STOP["fr"] - STOP["es"] - frozenset(["war", "hat", "den", "die", "man"]),
    "fr": STOP["fr"] - STOP["en"] - STOP["de"] - STOP["es"] - frozenset(["plus", "sous", "par", "sale"]),
    "es": STOP["es"] - STOP["en"] - STOP["de"] - STOP["fr"] - frozenset(["son", "mis"]),
    "en": STOP["en"] - STOP["de"] - STOP["fr"] - STOP["es"],
}
"""Small words that only one of the four languages has."""

_MONTHS = {
    "de": "januar februar marz april mai juni juli august september oktober november dezember",
    "fr": "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "en": "january february march april may june july august september october november december",
}
MONTHS: dict[str, dict[str, int]] = {
    language: {name: place for place, name in enumerate(names.split(), 1)} for language, names in _MONTHS.items()
}
"""The number of a month by its folded name, in each language."""

_FOREIGN = {name: number for lang in ("de", "fr", "es") for name, number in MONTHS[lang].items() if name != "mars"}

_STEMMERS: dict[str, Callable[[str], str]] = {
    "en": EnglishStemmer().stemWord,
    "de": GermanStemmer().stemWord,
    "fr": FrenchStemmer().stemWord,
    "es": SpanishStemmer().stemWord,
}
_MONTH_STEMS = [_STEMMERS["en"](name) for name in _MONTHS["en"].split()]

_TOKEN = re.compile(r"\d+(?:[.,' \u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+[.,]\d{2}(?!\d|[.,]\d)|[^\W_]+")
_ISO = re.compile(r"\b(20\d\d|19\d\d)-(0?[1-9]|1[0-2])-([0-2]?\d|3[01])(?!\d)")
_DOTTED = re.compile(r"\b([0-2]?\d|3[01])\.(0?[1-9]|1[0-2])\.((?:19|20)?\d\d)\b")
_CODE = re.compile(r"\b(?=[\w./-]*\d)[^\W_]+(?:[-/_][^\W_]+)+\b")
_KEPT: dict[str, dict[str, str]] = {name: {} for name in STOP}
_KEEP = 50_000
"""Words of a language whose stems are kept."""
_DIGIT = re.compile(r"\d")
SHORT = 1_000
"""Characters of a text whose folded form is kept for a while."""


def fold(text: str) -> str:
    """Lower case without accents; ß becomes ss."""
    if text.isascii():
        return text.lower()
    return _folded(text) if len(text) < SHORT else _fold(text)


def _fold(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    return "".join(filterfalse(unicodedata.combining, parts))


_folded = lru_cache(4096)(_fold)
"""The same for texts that are looked at several times in a row: those of the best hits of a question."""


def tokens(text: str) -> list[str]:
    """Words and numbers of a text, folded; 1.200,00 and 1,200 are both 1200, a date its day, month and year."""
    return _tokens(fold(text))


def _tokens(folded: str) -> list[str]:
    """The same of a folded text; a code such as re-2026-014 is there in parts and as a whole."""
    found: list[str] = []
    if _DIGIT.search(folded):
        folded = _DOTTED.sub(_dotted, _ISO.sub(_iso, folded))
        found = [re.sub(r"[-/_]", "", code)[:MOST] for code in _CODE.findall(folded)]
    return [_number(word) if word[0].isdigit() else word[:MOST] for word in _TOKEN.findall(folded)] + found


def _iso(match: re.Match[str]) -> str:
    """2026-03-09 as 9 march 2026."""
    return f"{int(match[3])} {_MONTH_STEMS[int(match[2]) - 1]} {match[1]}"


def _dotted(match: re.Match[str]) -> str:
    """9.3.26 as 9 march 2026."""
    year = match[3] if len(match[3]) == 4 else f"20{match[3]}"
    return f"{int(match[1])} {_MONTH_STEMS[int(match[2]) - 1]} {year}"


def _number(word: str) -> str:
    """A number without marks between its thousands and without a fraction of nothing; 09 is 9."""
    if not word[-1].isdigit() or word.isalnum():
        return (word.lstrip("0") or "0") if word.isdigit() and len(word) < 3 else word[:MOST]
    whole, fraction = (word[:-3], word[-2:]) if word[-3] in ".," else (word, "")
    if not fraction and len(word) > 1 and word[-2] in ".,":
        whole, fraction = word[:-2], word[-1]
    whole = re.sub(r"\D", "", whole)
    return whole if not fraction.strip("0") else f"{whole}.{fraction}"


def language(text: str) -> str:
    """Guess of a text: "en" unless the small words of another language are more."""
    return _language(_tokens(fold(text)), text)


_LETTERS = {"de": frozenset("ßäöüÄÖÜ"), "fr": frozenset("èêçœàùûÈÊÇŒÀ"), "es": frozenset("ñ¿¡Ñ")}


def _language(words: Sequence[str], text: str) -> str:
    """The same of its words; letters that only one of the languages has count as a small word."""
    there = set(words)
    plain = text.isascii()
    best, most = "en", len(there & TELLING["en"])
    for name in ("de", "fr", "es"):
        count = len(there & TELLING[name]) + (not plain and not _LETTERS[name].isdisjoint(text))
        if count > most:
            best, most = name, count
    return best


def stems(text: str) -> list[str]:
    """The stems of a text in its order, stop words too (they are rare in no index and cost little)."""
    words = _tokens(fold(text))
    name = _language(words, text)
    kept = _KEPT[name]
    return [kept.get(word) or stem(word, name) for word in words]


def stem(word: str, name: str = "en") -> str:
    """The stem of a folded word in a language; names of months are English in all of them."""
    kept = _KEPT[name]
    found = kept.get(word)
    if found is None:
        if len(kept) >= _KEEP:
            kept.clear()
        month = MONTHS[name].get(word) or _FOREIGN.get(word)
        found = _MONTH_STEMS[month - 1] if month else word if word[0].isdigit() else _STEMMERS[name](word)
        kept[word] = found
    return found
