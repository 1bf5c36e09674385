"""Small wordings of a reply: greeting, closing, subject, the sender's own words; it decides nothing about content."""

from __future__ import annotations

import re
from collections.abc import Sequence

from soloist.kernel.message import Span, Understanding
from soloist.plugins.skills._housebook import Tone

LANGUAGE_NAMES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}

_GREETINGS = {
    "en": ("Hello {name},", "Hi {name},"),
    "de": ("Guten Tag {name},", "Hallo {name},"),
    "fr": ("Bonjour {name},", "Bonjour {name},"),
    "es": ("Buenos días, {name}:", "Hola, {name}:"),
}
_CLOSINGS = {"en": "Best regards", "de": "Viele Grüße", "fr": "Bien cordialement", "es": "Un saludo"}
_YOUR_MESSAGE = {"en": "your message", "de": "Ihre Nachricht", "fr": "votre message", "es": "su mensaje"}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_DAY = {"en": "{d} {m} {y}", "de": "{d}. {m} {y}", "fr": "{d} {m} {y}", "es": "{d} de {m} de {y}"}
_REPLY_MARK = re.compile(r"\s*(?:re|aw|antw|antwort|rv|réf|ref|sv|res|r)\s*(?:\[\d+\]|\(\d+\))?\s*:", re.IGNORECASE)
_NO_PERSON = re.compile(
    r"\b(?:none|null|unknown|undefined|info|kontakt|contact|office|team|sales|support|service|no.?reply|newsletter|admin"
    r"|gmbh|ug|ag|kg|ltd|llc|inc|sarl|sas|s\.l|mailer.daemon)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d_][^\W\d_.'’\- ]*(?:[ .'’\-]+[^\W\d_][^\W\d_]*\.?){0,4}\Z")
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|\S+@\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|de|fr|es|io|example|eu|info)\b\S*"
)
_WINDOW = 2000
"""How far around a place in a message is looked, in characters."""

_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)|\n\s*\n|\n(?=\s*[-*•])")


def person(*names: str) -> str:
    """The first of the names that looks like a person's, "Last, First" turned round; "" when none does."""
    for raw in names:
        name = " ".join(raw.strip(" \t\"'").split())
        if name.count(",") == 1:
            last, first = (part.strip() for part in name.split(","))
            name = f"{first} {last}".strip()
        if len(name) <= 60 and _NAME.match(name) and not _NO_PERSON.search(name):
            return name
    return ""


def is_informal(tone: Tone, language: str) -> bool:
    """Whether the operator uses first names in this language; formal when the house book does not say."""
    return tone.informal.get(language, tone.informal.get("", False))


def greeting(tone: Tone, language: str, name: str) -> str:
    """Such as "Hello Ada Okafor,", or "Hello," when no name is known."""
    informal = is_informal(tone, language)
    shape = tone.greeting.get(language) or tone.greeting.get("", "") or _GREETINGS[language][informal]
    shape = shape if "{name}" in shape else shape.rstrip(" ,:") + " {name},"
    shown = name.split()[0] if informal and name else name
    if shown:
        return shape.replace("{name}", shown)
    before, _, after = shape.partition("{name}")
    return before.rstrip(" ,") + after.replace("{name}", "")


def closing(tone: Tone, language: str) -> str:
    """The words above the name."""
    said = tone.closing.get(language) or tone.closing.get("", "")
    return said or _CLOSINGS[language]


def reply_subject(subject: str, language: str) -> str:
    """One "Re: ", whatever stood before it in English, German, French or Spanish; at most 200 characters."""
    rest = bare_subject(subject)
    return "Re: " + (rest[:196] if rest else _YOUR_MESSAGE.get(language, _YOUR_MESSAGE["en"]))


def bare_subject(subject: str) -> str:
    """The subject without reply marks, as one line."""
    rest = " ".join("".join(c if c.isprintable() else " " for c in subject[:_WINDOW]).split())
    while match := _REPLY_MARK.match(rest):
        rest = rest[match.end() :].strip()
    return rest


def day(iso: str, language: str) -> str:
    """An ISO date or instant as a person writes it; "" for anything else."""
    match = re.match(r"(\d{4})-(\d{2})-(\d{2})(?!\d)", iso)
    if not match or not 1 <= int(match[2]) <= 12 or not 1 <= int(match[3]) <= 31:
        return ""
    month = _MONTHS[language].split()[int(match[2]) - 1]
    return _DAY[language].format(d=int(match[3]), m=month, y=match[1])


def quoted(text: str, limit: int = 160) -> str:
    """Words of the sender for quoting back: one line, addresses left out, cut between words."""
    line = " ".join(_ADDRESS.sub("…", text[:_WINDOW]).split())
    if len(line) <= limit and len(text) <= _WINDOW:
        return line
    return line[:limit].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


def sentence_around(text: str, span: Span) -> str:
    """The sentence of ``text`` that holds the span; the span's own words when its offsets do not fit the text."""
    if text[span.start : span.end] != span.text:
        return span.text
    first, last = max(0, span.start - _WINDOW), span.end + _WINDOW
    ends = [first, *(m.end() for m in _SENTENCE_END.finditer(text, first, last)), min(last, len(text))]
    start = max(e for e in ends if e <= span.start)
    end = min(e for e in ends if e >= span.end)
    return text[start:end].strip(" \t\n-*•")


def mirrored(understanding: Understanding, preferred: Sequence[Span]) -> str:
    """The sentence in which they say what they want, in their words; "" when no words are known."""
    asked = {span.text for span in understanding.questions}
    for span in [*preferred, *understanding.kind_words][:20]:
        sentence = sentence_around(understanding.own_text, span)
        if len(sentence.split()) >= 3 and sentence not in asked:
            return quoted(sentence, 200)
    return ""
