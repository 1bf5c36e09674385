"""Sixty payloads made to deceive the person who approves them, and a checker that knows nothing of our own marking."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

ADA = "ada@okafor-ceramics.example"
BODY = "Dear Ada,\nthe shop starts at EUR 3,800.\nMara"
FILLERS = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(n) for n in range(0xE0100, 0xE01F0)}


@dataclass(frozen=True)
class Deception:
    """A payload, the title its author gave the card, and what an honest page has to say in words."""

    name: str
    says: tuple[str, ...]
    payload: dict[str, Any]
    title: str = "Reply to Ada"
    amount: int = 0
    stored: tuple[str, ...] = field(default=())


def mail(name: str, *says: str, title: str = "Reply to Ada", **values: Any) -> Deception:
    """A mail to Ada with some fields replaced."""
    return Deception(name, says, {"to": [ADA], "subject": "Your shop", "body": BODY, **values}, title)


def charge(name: str, *says: str, title: str = "Charge", minor: int, **values: Any) -> Deception:
    """A charge with an amount in minor units."""
    return Deception(name, says, {"amount": minor, "currency": "EUR", **values}, title, minor)


RLO, LRO, RLI, PDF, RLM = "\u202e", "\u202d", "\u2067", "\u202c", "\u200f"
TAGS = "".join(chr(0xE0000 + ord(char)) for char in "send it to victor")
MANY = [f"guest{n}@quick-offers.example" for n in range(60)]

HIDDEN = [
    mail("override in the text", "right-to-left override", body=f"Pay {RLO}008,3 RUE{PDF} now"),
    mail("override in the subject", "right-to-left override", subject=f"Offer {RLO}fdp.exe"),
    mail("override in the title", "right-to-left override", title=f"Reply to {RLO}adA"),
    mail("override in the address", "cannot be seen", to=[f"ada@{RLO}elpmaxe.ecilav{PDF}.example"]),
    mail("left-to-right override", "left-to-right override", body=f"{LRO}EUR 3,800{PDF}"),
    mail("isolate", "right-to-left isolate", body=f"Account {RLI}0123 4567\u2069"),
    mail("direction mark", "right-to-left mark", body=f"EUR 1{RLM}0"),
    mail("arabic letter mark", "arabic letter mark", body="EUR 1\u061c0"),
    mail("zero-width space", "zero width space", body="Do not\u200b pay"),
    mail("zero-width joiner", "zero width joiner", body="pay\u200dpal"),
    mail("zero-width non-joiner", "zero width non-joiner", subject="pay\u200cpal"),
    mail("byte order mark", "zero width no-break space", body="pay\ufeffpal"),
    mail("word joiner", "word joiner", body="pay\u2060pal"),
    mail("soft hyphen in the address", "cannot be seen", to=["ada@okafor\u00ad-ceramics.example"]),
    mail("tag characters carry a text", "tag latin small letter", body=f"Hello{TAGS}"),
    mail("hangul filler", "hangul filler", body="EUR\u31643,800"),
    mail("braille blank", "braille pattern blank", body="not\u2800EUR 10"),
    mail("variation selectors carry a text", "variation selector", body="Hello" + "\U000e0120\U000e0121"),
    mail("combining grapheme joiner", "combining grapheme joiner", body="no\u034ft"),
    mail("control characters", "U+0008", body="EUR 9\b\b\b1,000"),
    mail("line separator", "line separator", body="EUR 10\u2028000"),
    mail("stacked marks cover lines", "combining acute accent", body="EUR 10" + "\u0301" * 40),
    mail("private use", "U+E000", body="EUR \ue0003,800"),
]
LOOKS = [
    mail("cyrillic letter in a word", "mixes Cyrillic and Latin letters", body="Pay by p\u0430ypal"),
    mail(
        "cyrillic word",
        "Cyrillic letters that look like",
        body="Pay by \u0440\u0430\u0443\u0440\u0430\u04cf please, dear Ada",
    ),
    mail("greek letter in a word", "mixes Greek and Latin letters", body="Amaz\u03bfn"),
    mail(
        "mathematical letters",
        "look-alike characters for invoice",
        body="\U0001d422\U0001d427\U0001d42f\U0001d428\U0001d422\U0001d41c\U0001d41e",
    ),
    mail("full-width digits", "look-alike characters for 3800", body="EUR \uff13\uff18\uff10\uff10"),
    mail("arabic digits", "digits of another script: 3800", body="EUR \u0663\u0668\u0660\u0660"),
    mail("letters for noughts", "letters among the digits", body="EUR 1,OOO"),
    mail("letter between digits", "letters among the digits", body="EUR 1O0"),
    mail("cyrillic letter in the address", "mixes letters", to=["ada@ok\u0430for-ceramics.example"]),
    mail("cyrillic letter before the @", "mixes Cyrillic and Latin letters", to=["\u0430da@okafor-ceramics.example"]),
    mail("punycode in the address", "is displayed as", to=["ada@xn--okfor-ceramics-ykj.example"]),
    mail("punycode in a link", "is displayed as", body="See https://xn--pypal-4ve.com/login"),
    mail("cyrillic host in a link", "mixes letters", body="See https://p\u0430ypal.com/login"),
    mail("full-width stop in a host", "fullwidth full stop", body="See https://bank.example\uff0eevil.example/"),
    mail("fraction slash in a host", "fraction slash", body="https://bank.example\u2044login.evil.example/a"),
    mail("full-width at sign", "fullwidth commercial at", body="ada\uff20okafor-ceramics.example"),
    mail("rn for m", "looks like okafor-ceramics.example", to=["ada@okafor-cerarnics.example"]),
    mail("a letter more", "looks like okafor-ceramics.example", to=["ada@okafor-ceramicss.example"]),
    mail("another ending", "only the ending differs", to=["ada@okafor-ceramics.com"]),
    mail(
        "a known name as the beginning",
        "begins like okafor-ceramics.example",
        to=["ada@okafor-ceramics.example.evil.example"],
    ),
]
LINKS = [
    mail(
        "a name before the host",
        "leads to evil.example, not to bank.example",
        body="https://bank.example@evil.example/x",
    ),
    mail("a link under other words", "leads to evil.example", body="[https://bank.example](https://evil.example)"),
    mail("an anchor in markup", "leads to evil.example", html='<a href="https://evil.example/">bank.example</a>'),
    mail("a number for a host", "is a number, not a name", body="https://203.0.113.9/login"),
    mail("a long number for a host", "is a number, not a name", body="https://3405803785/login"),
    mail("a script for a link", "is no web address", body="Click javascript:alert(1)"),
    mail("a backslash for a slash", "Links lead to evil.example", body="https://evil.example\\@bank.example/"),
    mail(
        "a long path hides the host", "Links lead to evil.example", body="https://evil.example/" + "bank.example/" * 20
    ),
]
SUMS = [
    charge(
        "the title says less",
        "The title says EUR 10",
        "EUR 10,000.00 (ten thousand euros)",
        minor=1_000_000,
        title="Refund EUR 10",
    ),
    charge(
        "a separator is moved", "The title says EUR 1.000", "EUR 1.00 (one euro)", minor=100, title="Charge EUR 1.000"
    ),
    charge("minor units look like whole ones", "EUR 120,000.00 (one hundred twenty thousand euros)", minor=12_000_000),
    charge("a minus", "EUR -50.00 (minus fifty euros)", minor=-5000),
    charge("a field called like another", "EUR 90.00 (ninety euros)", "Amount EUR 5", minor=9000, note="Amount EUR 5"),
]
REACH = [
    mail(
        "a name that is an address",
        "The name beside it is another address",
        to=['"ada@okafor-ceramics.example" <v@evil.example>'],
    ),
    mail("sixty people", "Goes to 61", *MANY, cc=MANY),
    mail("a hidden copy", "victor@evil.example", "hidden copy", bcc=["victor@evil.example"]),
    mail("a second text under the same label", "Text (text)", "Pay Victor", text="Pay Victor"),
    mail("text below eighty empty lines", "empty lines", "P.S. Pay Victor", body=BODY + "\n" * 80 + "P.S. Pay Victor"),
    mail("text far to the right", "spaces", "Pay Victor", body="Hello" + " " * 300 + "Pay Victor"),
    mail(
        "a program as an attachment", "it is a program (.exe), though it looks like pdf", attachments=["offer.pdf.exe"]
    ),
    mail("a turned name", "it is a program (.exe)", attachments=[{"name": f"offer{RLO}fdp.exe"}]),
    mail("a document with macros", "it can hold a program (.docm)", attachments=["offer.docm"]),
    mail("deep in the structure", "right-to-left override", extra={"a": [{"b": f"x{RLO}y"}]}),
]
ALL = [*HIDDEN, *LOOKS, *LINKS, *SUMS, *REACH]


class Seen(HTMLParser):
    """What a person sees of a page without opening anything: its text, its title, and where its links lead."""

    EMPTY = frozenset({"input", "meta", "link", "br", "img", "hr", "use", "path"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.title, self.links = "", "", list[str]()
        self._stack: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag not in self.EMPTY:
            closed = tag in ("script", "style", "textarea", "dialog", "nav") or "hidden" in given
            shut = tag == "details" and "open" not in given
            self._stack.append((tag, closed or shut or bool(self._stack and self._stack[-1][1])))
        if tag in ("p", "li", "div", "dd", "dt", "h2", "h3", "section"):
            self.text += " "

    def handle_endtag(self, tag: str) -> None:
        while self._stack:
            if self._stack.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._stack and self._stack[-1][0] == "title":
            self.title += data
        elif not (self._stack and self._stack[-1][1]):
            self.text += data


def faults(page: str, case: Deception) -> list[str]:
    """What a page does not say, or shows in a way that deceives."""
    seen = Seen()
    seen.feed(page)
    shown = seen.text + seen.title
    unseen = [char for char in shown if _cannot_be_seen(char)]
    found = [f"raw U+{ord(char):04X}" for char in dict.fromkeys(unseen)]
    words = " ".join(seen.text.split())
    found += [f"does not say: {said}" for said in case.says if said not in words]
    found += [f"live link: {href}" for href in seen.links if re.match(r"[a-z]+:|//", href, re.IGNORECASE)]
    return found


def _cannot_be_seen(char: str) -> bool:
    kind = unicodedata.category(char)
    return char in FILLERS or (kind in ("Cf", "Cc", "Co", "Cs", "Zl", "Zp") and char not in "\n\t\r")
