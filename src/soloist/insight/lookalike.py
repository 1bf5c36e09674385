"""What cannot be seen in text from outside: hidden characters, addresses that imitate others; judges nothing."""

from __future__ import annotations

import re
import unicodedata

HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
"""Characters without a shape of their own: bidirectional controls, zero-width ones, soft hyphens, tag characters."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def odd(character: str) -> str:
    """A hidden character by code point and name, as "U+202E right-to-left override"."""
    name = unicodedata.name(character, "control character").lower()
    return f"U+{ord(character):04X} {name}"


def parts(text: str) -> list[tuple[str, str]]:
    """The text cut at hidden and control characters: (text, "") and ("U+202E", its name) in order."""
    out: list[tuple[str, str]] = []
    last = 0
    for match in re.finditer(f"{HIDDEN.pattern}|{_CONTROL.pattern}", text):
        if match.start() > last:
            out.append((text[last : match.start()], ""))
        out.append((f"U+{ord(match[0]):04X}", odd(match[0])))
        last = match.end()
    if last < len(text):
        out.append((text[last:], ""))
    return out


def address_warning(address: str) -> str:
    """One plain sentence when an address could be mistaken for another one; "" when nothing is odd."""
    if HIDDEN.search(address):
        return "This address contains characters that cannot be seen."
    domain = address.rpartition("@")[2].strip().lower()
    shown = _decoded(domain)
    if shown != domain:
        return f"The domain {domain} is displayed as {shown}: check that it is the one you know."
    scripts = {_script(char) for char in shown if char.isalpha()}
    if len(scripts) > 1:
        return f"The domain {shown} mixes letters of {' and '.join(sorted(scripts))}: it may imitate another one."
    if scripts - {"Latin"}:
        return f"The domain {shown} is written in {scripts.pop()} letters: check that it is the one you know."
    return ""


def _decoded(domain: str) -> str:
    """Punycode labels as they are displayed; left as they are when they cannot be decoded."""
    labels = []
    for label in domain.split("."):
        try:
            labels.append(label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label)
        except (UnicodeError, ValueError):
            labels.append(label)
    return ".".join(labels)


def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").split(" ")[0].capitalize()
