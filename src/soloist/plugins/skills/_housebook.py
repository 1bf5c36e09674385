"""The house book: the operator's Markdown file as a list of quotable lines; it chooses nothing and writes nothing.

Level-2 headings (English, German, French or Spanish) name the section. A line is quotable when it is a list item, a
table row, a paragraph or the answer to a question; its text is the words of the file without list marks and emphasis.
Everything under another heading is kept as section "other" and is never quoted.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Section = Literal["services", "prices", "terms", "faq", "tone", "other"]

MAX_CHARS = 2_000_000
"""Longest house book that is read, in characters; the rest is left out and said so."""

_MAX_FAULTS = 10

_NAMES: dict[Section, str] = {
    "services": "services|service|our services|what i do|leistungen|leistung|angebot|dienstleistungen"
    "|prestations|offre|mes services|servicios|servicio|oferta",
    "prices": "prices|price|pricing|price list|rates|preise|preisliste|honorar|honorare|tarife"
    "|prix|tarif|tarifs|precios|precio|tarifas",
    "terms": "terms|conditions|terms and conditions|bedingungen|konditionen|agb|geschaftsbedingungen"
    "|conditions generales|modalites|condiciones|terminos",
    "faq": "faq|faqs|questions|questions and answers|frequent questions|fragen|haufige fragen"
    "|fragen und antworten|questions frequentes|preguntas|preguntas frecuentes",
    "tone": "tone|tone of voice|style|ton|tonfall|tonalitat|stil|anrede|tono|estilo",
}
_HEADINGS: dict[str, Section] = {name: section for section, names in _NAMES.items() for name in names.split("|")}
_LANGUAGES = {
    **dict.fromkeys(("en", "english", "englisch", "anglais", "ingles"), "en"),
    **dict.fromkeys(("de", "german", "deutsch", "allemand", "aleman"), "de"),
    **dict.fromkeys(("fr", "french", "franzosisch", "francais", "frances"), "fr"),
    **dict.fromkeys(("es", "spanish", "spanisch", "espagnol", "espanol"), "es"),
}
_INFORMAL = {"informal", "informell", "du", "tu", "informel", "tutoiement", "duzen"}
_FORMAL = {"formal", "formell", "sie", "vous", "usted", "formel", "siezen", "vouvoiement"}
_GREETING = {"greeting", "anrede", "begrussung", "salutation", "saludo"}
_CLOSING = {"closing", "gruss", "grussformel", "schluss", "formule", "despedida", "cierre"}

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)$")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-[ \t:|-]*\|?[ \t]*$")
_BOLD_QUESTION = re.compile(r"(\*\*|__)(?P<q>[^*_]{1,400}\?)\s*\1[ \t]*(?P<a>.*)$")
_Q = re.compile(r"(?:q|question|f|frage|p|pregunta)\s*:\s*(?P<q>.+)$", re.IGNORECASE)
_A = re.compile(r"(?:a|answer|antwort|r|reponse|réponse|respuesta)\s*:\s*(?P<a>.*)$", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\(([^()\s]{0,500})\)")
_EMPHASIS = re.compile(r"(\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))")


@dataclass(frozen=True, slots=True)
class Fact:
    """One quotable line: ``line`` counts from 1, ``keys`` are the words it is filed under (a FAQ entry's question).

    ``heading`` is the level-2 heading it stands below, as written.
    """

    line: int
    section: Section
    text: str
    keys: tuple[str, ...] = ()
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Tone:
    """How the operator wants to sound: informal per language, and greeting or closing words per language ("" = all)."""

    informal: dict[str, bool] = field(default_factory=dict)
    greeting: dict[str, str] = field(default_factory=dict)
    closing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Book:
    """A house book that was read; ``faults`` are sentences for the operator, and never a reason to stop."""

    facts: tuple[Fact, ...] = ()
    tone: Tone = field(default_factory=Tone)
    faults: tuple[str, ...] = ()

    @property
    def quotable(self) -> tuple[Fact, ...]:
        """The facts a draft may use: services, prices, terms and answers."""
        return tuple(f for f in self.facts if f.section in ("services", "prices", "terms", "faq"))


def fold(text: str) -> str:
    """Lower case without accents, for comparing words across spellings."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@lru_cache(maxsize=4)
def parse(text: str) -> Book:
    """Read a house book; never raises, whatever the text is. What was not understood is a sentence in ``faults``."""
    reader = _Reader()
    if len(text) > MAX_CHARS:
        reader.faults.append(f"The house book is longer than {MAX_CHARS:,} characters; only the beginning was read.")
    lines = re.split(r"\r\n|\r|\n", text[:MAX_CHARS].lstrip("\ufeff"))
    for number, line in enumerate(lines, 1):
        reader.take(number, line, lines[number] if number < len(lines) else "")
    return reader.finish()


def clean(text: str) -> str:
    """The words of a Markdown line: links as "text (address)", no emphasis marks, single spaces."""
    text = _LINK.sub(lambda m: m[1] if m[1] == m[2] or not m[2] else f"{m[1]} ({m[2]})", text)
    text = "".join(c for c in _EMPHASIS.sub("", text) if c.isprintable() or c == "\t")
    return " ".join(text.split())


class _Reader:
    """Walks the lines once and keeps where it is: section, sub-heading, open question, open fact."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.faults: list[str] = []
        self.tone = Tone()
        self.section: Section = "other"
        self.title = ""
        self.sub = ""
        self.question = ""
        self.open: tuple[int, list[str], str] | None = None
        self.fence = ""
        self.comment = False
        self.skip = False
        self.in_table = False

    def take(self, number: int, line: str, following: str) -> None:
        """One line with its number from 1 and the line after it."""
        if self._hidden(line):
            return
        if heading := _HEADING.match(line):
            self._heading(number, len(heading[1]), clean((heading[2] or "").rstrip().rstrip("#")))
        elif not line.strip():
            self._close()
            self.in_table = False
        elif self.open is None and _UNDERLINE.match(following) and not _ITEM.match(line) and "|" not in line:
            self._heading(number, 1 if "=" in following else 2, clean(line))
            self.skip = True
        elif line.lstrip().startswith("|") or (self.in_table and "|" in line):
            self._table(number, line, following)
        else:
            self._words(number, line)

    def _hidden(self, line: str) -> bool:
        """Code fences, HTML comments, rules under headings and of tables: seen, not read."""
        if self.skip:
            self.skip = False
            return True
        if self.comment:
            self.comment = "-->" not in line
            return True
        if fence := _FENCE.match(line):
            self._close()
            self.fence = "" if self.fence else fence[1]
            return True
        if self.fence:
            return True
        if line.lstrip().startswith("<!--"):
            self._close()
            self.comment = "-->" not in line
            return True
        return False

    def _heading(self, number: int, level: int, title: str) -> None:
        self._close()
        self.question = ""
        if level <= 2:
            self.sub, self.title = "", title
            name = fold(re.sub(r"\(.*?\)|^[\d.\s]+|[:#]", "", title)).strip()
            self.section = "other" if level == 1 else _HEADINGS.get(name, "other")
            if level == 2 and self.section == "other":
                self.faults.append(
                    f"Line {number} of the house book: the heading {title[:60]!r} is none of Services, Prices, Terms, "
                    "FAQ, Tone, so the lines below it are never quoted."
                )
        elif self.section == "faq":
            self.question = title
        else:
            self.sub = title

    def _table(self, number: int, line: str, following: str) -> None:
        self._close()
        first, self.in_table = not self.in_table, True
        if first and _TABLE_RULE.match(following) and "|" in following:
            self.skip = True
            return
        cells = [clean(c) for c in line.strip().strip("|").split("|")]
        filled = [c for c in cells if c]
        if filled:
            self._add(number, filled[0] + (": " + ", ".join(filled[1:]) if filled[1:] else ""), "")

    def _words(self, number: int, line: str) -> None:
        """An item, a question, an answer or a paragraph line."""
        item = _ITEM.match(line)
        text = (item[1] if item else line).strip().removeprefix("> ").strip()
        if self.section == "faq" and (bold := _BOLD_QUESTION.match(text)):
            self._close()
            self._ask(number, clean(bold["q"]), bold["a"])
        elif self.section == "faq" and (asked := _Q.match(clean(text))):
            self._close()
            self._ask(number, asked["q"], "")
        elif self.question and self.open is None and (answer := _A.match(clean(text))):
            if answer["a"]:
                self.open = (number, [answer["a"]], self.question)
        elif item or self.open is None:
            self._close()
            self.open = (number, [text], self.question)
        else:
            self.open[1].append(text)

    def _ask(self, number: int, question: str, answer: str) -> None:
        self.question = question
        if answer.strip():
            self.open = (number, [answer], question)

    def _close(self) -> None:
        """The open fact is complete."""
        if self.open is None:
            return
        number, parts, question = self.open
        self.open = None
        self._add(number, clean(" ".join(parts)), question)

    def _add(self, number: int, text: str, question: str) -> None:
        if not text or not any(c.isalnum() for c in text):
            return
        if self.section == "tone":
            _take_tone(self.tone, text)
        if self.section == "faq" and not question:
            self.faults.append(
                f"Line {number} of the house book: this answer has no question above it, so it is unused."
            )
        section: Section = "other" if self.section == "faq" and not question else self.section
        head = text.partition(":")[0] if ":" in text[:60] else ""
        self.facts.append(Fact(number, section, text, tuple(k for k in (question, head, self.sub) if k), self.title))

    def finish(self) -> Book:
        """Close what is open and say what is missing."""
        self._close()
        if self.fence or self.comment:
            self.faults.append("The house book ends inside a code block or a comment, so its last part was not read.")
        book = Book(tuple(self.facts), self.tone, ())
        if not book.quotable:
            self.faults.append(
                "The house book has no line a reply could quote. Write lines below the headings Services, Prices, "
                "Terms and FAQ."
            )
        shown, more = self.faults[:_MAX_FAULTS], len(self.faults) - _MAX_FAULTS
        if more > 0:
            shown.append(f"The house book has {more} more such places.")
        return Book(book.facts, book.tone, tuple(shown))


def _take_tone(tone: Tone, text: str) -> None:
    """Read a line such as "German: formal", "Greeting (French): Bonjour {name}" or "Closing: Best regards"."""
    head, _, value = text.partition(":")
    words = set(re.findall(r"\w+", fold(head)))
    language = next((_LANGUAGES[w] for w in sorted(words) if w in _LANGUAGES), "")
    if words & _GREETING and value.strip():
        tone.greeting[language] = value.strip()
    elif words & _CLOSING and value.strip():
        tone.closing[language] = value.strip()
    else:
        said = set(re.findall(r"\w+", fold(value or head)))
        if said & (_FORMAL | _INFORMAL):
            tone.informal[language] = bool(said & _INFORMAL) and not said & {"formal", "formell", "formel"}
