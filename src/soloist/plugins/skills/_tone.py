"""Tone of a draft: pressure, shouting and the wrong form of address against the conversation; it rewrites nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Form = Literal["formal", "informal", ""]

_PRESSURE = {
    "en": r"act (?:now|fast|today)|last chance|(?:only|just) (?:today|until midnight|a few (?:left|spots|places))|hurry"
    r"|don['’]?t (?:miss (?:out|this)|wait)|limited[- ](?:time )?offer|once in a lifetime|offer (?:ends|expires)"
    r"|before it['’]?s too late|final (?:warning|notice|reminder)|you must (?:pay|answer|sign|decide)|immediately"
    r"|without (?:any )?delay|or else|legal (?:action|steps)|right now|asap|while (?:stocks|supplies) last",
    "de": r"jetzt (?:zuschlagen|handeln|sichern)|letzte chance|nur (?:heute|noch heute|für kurze zeit|wenige plätze)"
    r"|beeilen sie sich|beeil dich|nicht verpassen|einmalige (?:chance|gelegenheit)|angebot endet|letzte mahnung"
    r"|letztmalig|sie müssen (?:sofort|jetzt|umgehend)|umgehend|unverzüglich|sofort|rechtliche schritte|anwalt"
    r"|bevor es zu spät ist|solange der vorrat reicht|exklusiv nur",
    "fr": r"agissez (?:vite|maintenant)|dernière chance|(?:seulement|uniquement) aujourd['’]hui|dépêchez-vous"
    r"|dépêche-toi|ne (?:manquez|ratez) pas|offre limitée|l['’]offre expire|dernier (?:rappel|avertissement)"
    r"|vous devez (?:payer|signer|répondre)|immédiatement|sans (?:délai|attendre)|poursuites|avant qu['’]il ne soit "
    r"trop tard|mise en demeure",
    "es": r"actúe (?:ya|ahora)|última oportunidad|(?:solo|sólo|únicamente) (?:hoy|por hoy)|dese prisa|date prisa"
    r"|no (?:se lo pierda|te lo pierdas|deje pasar)|oferta limitada|la oferta (?:termina|expira)|último (?:aviso"
    r"|recordatorio)|debe (?:pagar|firmar|responder)|inmediatamente|sin demora|acciones legales|antes de que sea tarde"
    r"|hasta agotar existencias",
}
_PRESSING = {code: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for code, words in _PRESSURE.items()}
_CAPS = re.compile(r"(?<![\w@/.-])[^\W\d_a-zß-öø-ÿ]{4,}(?:[ ]+[^\W\d_a-zß-öø-ÿ]{2,})*(?![\w@/-])")
_BANGS = re.compile(r"!{2,}|(?:!\?|\?!)[!?]+|\?{3,}")
_FORMAL = {
    "de": re.compile(r"(?<![.!?:\n])(?<!^)\s(?:Sie|Ihnen|Ihr|Ihre[nmrs]?)\b|\b(?:geehrter?|Ihnen)\b", re.MULTILINE),
    "fr": re.compile(r"\b(?:vous|votre|vos|vôtres?)\b", re.IGNORECASE),
    "es": re.compile(
        r"\b(?:usted|ustedes|estimad[oa]s?|le (?:agradezco|saludo|escribo|envío|adjunto))\b", re.IGNORECASE
    ),
}
_INFORMAL = {
    "de": re.compile(r"\b(?:du|dich|dir|dein(?:e[nmrs]?)?|euch|euer|eure[nmrs]?|hast du|kannst du)\b", re.IGNORECASE),
    "fr": re.compile(r"\b(?:tu|toi|ton|ta|tes|t['’](?=\w))", re.IGNORECASE),
    "es": re.compile(
        r"\b(?:tú|ti|contigo|tuy[oa]s?|vosotr[oa]s|vuestr[oa]s?|te (?:envío|mando|escribo|adjunto))\b", re.I
    ),
}
_FORM_WORDS = {
    "de": {"formal": "Sie", "informal": "du"},
    "fr": {"formal": "vous", "informal": "tu"},
    "es": {"formal": "usted", "informal": "tú"},
}


class Sound(NamedTuple):
    """Words at ``start`` to ``end`` that sound wrong, and the sentence that says why."""

    kind: Literal["pressure", "shouting", "address"]
    start: int
    end: int
    why: str


def sounds(text: str, thread: Sequence[str], language: str, wanted: Form, context: str) -> Iterator[Sound]:
    """What sounds wrong in a draft; ``thread`` is the conversation, oldest first, ``context`` what may be quoted."""
    for hit in _PRESSING.get(language, _PRESSING["en"]).finditer(text):
        if not _repeats(hit[0], context):
            yield Sound("pressure", *hit.span(), f"The words {hit[0]!r} put pressure on the reader.")
    known = set(re.findall(r"\w+", context))
    for hit in _CAPS.finditer(text):
        if set(hit[0].split()) - known and (len(hit[0]) > 5 or " " in hit[0]):
            yield Sound("shouting", *hit.span(), f"{hit[0][:60]!r} is written in capitals.")
    for hit in _BANGS.finditer(text):
        yield Sound("shouting", *hit.span(), f"{hit[0][:10]!r} shouts.")
    yield from _addressed(text, thread, language, wanted)


def form_of(text: str, language: str) -> Form:
    """The form of address a text uses most; "" when it uses none or the language has none."""
    if language not in _FORMAL:
        return ""
    formal, informal = (len(rules[language].findall(text)) for rules in (_FORMAL, _INFORMAL))
    return "" if formal == informal else "formal" if formal > informal else "informal"


def _addressed(text: str, thread: Sequence[str], language: str, wanted: Form) -> Iterator[Sound]:
    """Words of a form of address that the conversation does not use; without one, of the rarer in the draft."""
    if language not in _FORMAL:
        return
    used: Form = wanted or next((form for one in reversed(thread) if (form := form_of(one, language))), "")
    found = {"formal": list(_FORMAL[language].finditer(text)), "informal": list(_INFORMAL[language].finditer(text))}
    both = bool(found["formal"] and found["informal"])
    right = used or (form_of(text, language) or "formal" if both else "")
    if not right:
        return
    wrong = "informal" if right == "formal" else "formal"
    names = _FORM_WORDS[language]
    for hit in found[wrong][:3]:
        why = f"The conversation says {names[right]!r}" if used else f"The draft says {names[right]!r} elsewhere"
        start = hit.start() + len(hit[0]) - len(hit[0].lstrip())
        yield Sound("address", start, hit.end(), f"{why}, here it is {text[start : hit.end()]!r}.")


def _repeats(words: str, context: str) -> bool:
    return words.casefold() in context.casefold()
