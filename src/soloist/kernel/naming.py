"""Names as people write them: titles, order, particles, initials, legal forms of companies; it compares nothing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_MALE = frozenset("herr herrn mr mister m monsieur sr senor don hr".split())
_FEMALE = frozenset("frau mrs ms miss mme madame mlle mademoiselle sra srta senora senorita dona fr".split())
_TITLES = frozenset(
    "dr prof professor dipl ing med phd msc bsc ma ba mba mag magister rer nat jur phil hc drs ir maitre me lic "
    "sir dame lord lady rev eng esq cand llm dott avv ra stb wp".split()
)
_GENERATIONS = {"jr": "2", "junior": "2", "sr": "1", "senior": "1", "ii": "2", "iii": "3", "iv": "4"}
_PARTICLES = frozenset(
    "von van vom zu zum zur der den de del della di da do dos la le las los el ter ten y af av".split()
)
_LEGAL = re.compile(
    r"(?:\b(?:gmbh|mbh|ug|haftungsbeschr(?:ä|ae)nkt|ag|kg|kgaa|ohg|gbr|e\.?\s?k\.?|e\.?\s?v\.?|part\s?g|partnerschaft"
    r"|inc|llc|llp|lp|ltd|limited|plc|corp|corporation|co|company|sarl|sas|sasu|eurl|s\.?\s?a\.?|s\.?\s?l\.?(?:\s?u\.?)?"
    r"|slne|sociedad limitada|soci[ée]t[ée]|bv|nv|srl|spa|oy|ab|aps|as|se|kft|doo)\b\.?|&\s*co\b\.?|\+\s*co\b\.?)",
    re.IGNORECASE,
)
_MEANT = re.compile(r"[(\[\"„“].*?[)\]\"“”]")
_SAME = (
    "robert rob bob bobby roberto",
    "william will bill billy wilhelm willi guillaume guillermo",
    "richard rick dick ricardo",
    "elizabeth elisabeth liz lisa beth lisbeth elisa isabel",
    "katharina catherine katherine kathi kate katja katrin catalina karin",
    "alexander alex sascha alexandre alejandro alexandra sandra",
    "maximilian max maxim",
    "michael mike michi michel miguel",
    "johannes hans johann jan john juan jean hannes",
    "joseph josef joe jose sepp pepe",
    "francisco franz frank paco francois francis franziskus",
    "christian chris christoph christopher kristian cristian",
    "thomas tom tommy tomas",
    "stefan stephan steven steve stephen esteban etienne",
    "andreas andy andrew andres andre andi",
    "matthias matt matthew mateo mathieu mattias",
    "nikolaus nick nicholas nicolas klaus nicolai nico",
    "daniel dan danny dani",
    "benjamin ben benny",
    "samuel sam sami",
    "anna anne ann ana anita annika",
    "margarete margaret grete maggie marguerite margarita",
    "friedrich fritz frederick fred frederic federico",
    "heinrich heinz henry henri enrique heiner",
    "georg george jorge georges",
    "peter pete pierre pedro",
    "paul paulo pablo",
    "karl carl charles carlos charlie",
    "ulrich uli",
    "wolfgang wolf",
    "gabriele gabi gabriela gabrielle",
    "susanne susan suzanne susi susana",
    "manuel manu manolo",
    "dolores lola",
    "edward ed eddie eduard eduardo edouard",
    "james jim jimmy jaime",
    "anthony tony anton antonio antoine toni",
    "philipp philip phil felipe philippe",
    "rosa rosario rosie",
)
"""Forms of one name in the four languages. Names with one form in two groups are left out."""


_FOLDS = str.maketrans({"ß": "ss", "ø": "o", "æ": "a", "œ": "o", "ł": "l", "đ": "d", "ı": "i", "þ": "th"})
_PAIRS = re.compile(r"(?<=[aou])e")
_WORD = re.compile(r"\w+")


@lru_cache(8192)
def fold(text: str) -> str:
    """Lower case without accents and signs; umlauts and their two-letter forms fall together (ü, ue and u are one)."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_FOLDS))
    kept = "".join(c for c in plain if not unicodedata.combining(c)).replace("_", " ")
    return _PAIRS.sub("", " ".join(_WORD.findall(kept)))


FORMS = {fold(form): group for group, forms in enumerate(_SAME) for form in forms.split()}
"""Which group of forms a given name belongs to."""


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name in folded words; ``sex`` ("m", "f") and ``generation`` only where a title says so."""

    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    sex: str = ""
    generation: str = ""

    def __bool__(self) -> bool:
        """Whether there is a name at all."""
        return bool(self.given or self.family)


def person(text: str) -> Name:
    """A name written in one line, "Last, First" too; of one word alone nobody knows which part it is: it is given."""
    text = _MEANT.sub(" ", text).split(" / ")[0]
    if "@" in text:
        return Name()
    last, comma, first = text.partition(",")
    if comma and fold(first) and not all(word in _TITLES or word in _GENERATIONS for word in fold(first).split()):
        return parts(first, last)
    words, sex, generation = _plain(last + " " + first)
    if len(words) < 2:
        return Name(given=tuple(words), sex=sex, generation=generation) if not sex else Name((), tuple(words), sex)
    cut = len(words) - 1
    while cut > 1 and words[cut - 1] in _PARTICLES:
        cut -= 1
    return Name(tuple(words[:cut]), _family(words[cut:]), sex, generation)


def parts(given: str, family: str) -> Name:
    """A name given in its two parts; titles in either are left out."""
    first, sex, generation = _plain(given)
    last, other, late = _plain(family)
    return Name(tuple(first), _family(last), sex or other, generation or late)


def _family(words: list[str]) -> tuple[str, ...]:
    """A family name without its particles, unless it is nothing but particles."""
    return tuple(word for word in words if word not in _PARTICLES) or tuple(words)


def _plain(text: str) -> tuple[list[str], str, str]:
    """The folded words of a name without titles, and what the titles told."""
    words: list[str] = []
    sex = generation = ""
    raw = fold(text).split()
    for place, word in enumerate(raw):
        if place == 0 and len(raw) > 1 and word in _MALE:
            sex = "m"
        elif place == 0 and len(raw) > 1 and word in _FEMALE:
            sex = "f"
        elif len(words) > 1 and word in _GENERATIONS:
            generation = _GENERATIONS[word]
        elif word in _TITLES and len(raw) > 1:
            continue
        else:
            words.append(word)
    return words, sex, generation


def company(text: str) -> str:
    """A company's name without its legal form, unless that is all there is."""
    if not text:
        return ""
    plain = _LEGAL.sub(" ", _MEANT.sub(" ", text)).strip(" ,.&+-")
    return " ".join(plain.split()) or text.strip()
