"""Marks in text from outside, in words: what cannot be seen, what looks like something else, where a link leads.

Pure: it removes nothing and judges nothing, it only cuts a text into what is shown and what is said beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from rapidfuzz.distance import DamerauLevenshtein

from soloist.insight import lookalike

_EXTRA = (
    "\u034f\u115f\u1160\u17b4\u17b5\u2028\u2029\u2065\u206a-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff9-\ufffc"
    "\U0001d173-\U0001d17a\U000e0100-\U000e01ef\ue000-\uf8ff\ud800-\udfff"
)
_UNSEEN = re.compile(f"{lookalike.HIDDEN.pattern}|[\x00-\x08\x0b-\x1f\x7f-\x9f]|[{_EXTRA}]|[\u0300-\u036f]{{4,}}")
"""Hidden and control characters, fillers, private use, and marks stacked so high that they cover other lines."""

_FALSE_SIGNS = re.compile(
    "[\u2024\u2044\u2215\u29f8\uff0f\uff0e\u3002\uff61\ua789\u0589\uff1a\uff20\ufe6b\u2236\u0338]"
)
"""Signs that look like the dot, slash, colon or @ of an address and are none."""

_GAP = re.compile(r"\n(?:[ \t\r\u00a0]*\n){7,}|[ \u00a0\u2000-\u200a\u3000\t]{24,}")
_LINK = re.compile(r"(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,20}):/?/([^\s<>\"'()\[\]]+)", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w@/.-])(?:[\w-]+\.)+[^\W\d_][\w-]+", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>,;:()\[\]\"]{1,64}@([^\s@<>,;:()\[\]\"/]{1,253}\.[^\s@<>,;:()\[\]\"/.]{1,63})")
_NOT_WEB = re.compile(r"\b(javascript|data|vbscript|file|blob):(?=\S)", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\d.,])\d[\d.,]{0,30}[OolI]{1,30}[\d.,OolI]{0,30}\b")
_MEANT = re.compile(r"\d[.,]?[OolI]+[\d.,]|\d[Oo]|\d[.,][OolI]{2,}")
_WORTH_A_LOOK = re.compile(r"://|:/|@|xn--|\]\(|href|[a-z]:\S|\d[\d.,]{0,30}[OolI]", re.IGNORECASE)
_SCRIPTS = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN", "LISU", "DESERET", "HEBREW"}
_DRESSED = ("MATHEMATICAL", "FULLWIDTH", "CIRCLED", "PARENTHESIZED", "SQUARED", "NEGATIVE", "DOUBLE-STRUCK", "SCRIPT")
_TWINS = dict(
    zip(
        "асеорхуѕіјӏԁһԛԝкмнвтгпзбАВЕКМНОРСТХУЅІЈαοερνικτυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aceopxysijldhqwkmhbtrnz6abekmhopctxysijaoepviktuabezhikmnoptyx",
        strict=True,
    )
)
_PROGRAMS = set(
    "exe com scr bat cmd ps1 vbs vbe js jse wsf wsh msi msp hta cpl jar lnk pif reg scf apk app dmg".split()
)
_PROGRAMS |= set("deb rpm run sh py pl iso img vhd vhdx chm gadget inf sct url xll appx msix command workflow".split())
_MACROS = set("docm dotm xlsm xltm xlam pptm potm ppam sldm".split())
_PAGES = set("htm html xhtml shtml mht mhtml svg xml".split())
_LOOKS = set("pdf doc docx xls xlsx ppt pptx jpg jpeg png gif txt csv odt ods zip mp3 mp4".split())


@dataclass(frozen=True)
class Recipient:
    """One who gets it: the address itself, the name beside it, the field it stands in, and what is odd about it."""

    address: str
    role: str
    name: str = ""
    warning: str = ""


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """A text as (shown, "") and ("", words): the words stand where something cannot be seen, or right behind it."""
    latin = text.isascii() or sum(char.isascii() and char.isalpha() for char in text) * 2 >= sum(map(str.isalpha, text))
    last = 0
    for gap in _GAP.finditer(text):
        yield from _words(text[last : gap.start()], latin)
        many = gap[0].count("\n") - 1
        yield "", f"{many} empty lines" if many > 0 else f"{len(gap[0])} spaces"
        yield gap[0] if many <= 0 else "\n\n", ""
        last = gap.end()
    yield from _words(text[last:], latin)


def _words(text: str, latin: bool) -> Iterator[tuple[str, str]]:
    """Word by word; runs without anything odd stay whole."""
    plain: list[str] = []
    for token in re.split(r"(\s+)", text):
        odd = not token.isascii() or bool(_WORTH_A_LOOK.search(token)) or bool(_UNSEEN.search(token))
        cut, notes = (list(_cut(token)), notes_on(token, latin)) if odd else ([(token, "")], [])
        if not notes and len(cut) == 1 and not cut[0][1]:
            plain.append(token)
            continue
        yield "".join(plain), ""
        plain = []
        yield from cut
        yield from (("", note) for note in notes)
    yield "".join(plain), ""


def _cut(token: str) -> Iterator[tuple[str, str]]:
    """A word with every character that cannot be seen replaced by its name."""
    last = 0
    for match in _UNSEEN.finditer(token):
        if _joins(token, match.start()):
            continue
        if match.start() > last:
            yield token[last : match.start()], ""
        many = f", {len(match[0])} times" if len(match[0]) > 1 else ""
        yield "", lookalike.odd(match[0][0]) + many
        last = match.end()
    if last < len(token) or not token:
        yield token[last:], ""


def _joins(token: str, at: int) -> bool:
    """Whether a joiner or a form selector only holds a picture sign together."""
    before = token[at - 1] if at else ""
    kind = unicodedata.category(before) if before else ""
    if token[at] == "\ufe0f":
        return kind in ("So", "Sm", "Po", "Nd", "Sk")
    after = token[at + 1 : at + 2]
    return (
        token[at] == "\u200d"
        and (kind in ("So", "Sk") or before == "\ufe0f")
        and unicodedata.category(after or " ") == "So"
    )


def notes_on(token: str, latin: bool = True) -> list[str]:
    """What is odd about one word, each as a few plain words."""
    bare = _UNSEEN.sub("", token)
    found = [lookalike.odd(char) + ", not the plain sign" for char in dict.fromkeys(_FALSE_SIGNS.findall(bare))]
    found += _of_links(bare)
    if not found:
        found += _of_letters(bare, latin)
    if match := _DIGITS.search(bare):
        found += ["letters among the digits"] if _MEANT.search(match[0]) else []
    return list(dict.fromkeys(found))


def _of_links(token: str) -> list[str]:
    """Where the addresses in a word lead when that is not what they look like."""
    found = [f"{match[1].lower()}: is no web address" for match in _NOT_WEB.finditer(token)]
    dressed = "](" in token or "href" in token.lower()
    for match in _LINK.finditer(token):
        rest = match[2]
        host = _host(f"{match[1]}://{rest}")
        before = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[0]
        if before:
            found.append(f"leads to {host}, not to {before.partition(':')[0]}")
        elif dressed:
            found.append(f"leads to {host}")
        found += _of_host(host)
    for match in _ADDRESS.finditer(token):
        found += _of_host(match[1])
    if "://" not in token and "@" not in token:
        for match in _HOST.finditer(token):
            found += [note for note in _of_host(match[0]) if not match[0].isascii() or "xn--" in match[0].lower()]
    return found


def _host(link: str) -> str:
    """The host of a link as a browser reads it: a backslash is a slash, what stands before @ is a name."""
    try:
        return (urlsplit(link.replace("\\", "/")).hostname or "").strip(".")
    except ValueError:
        return link.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _of_host(host: str) -> list[str]:
    """What is odd about a host name."""
    if re.fullmatch(r"[\d.]+|0x[0-9a-f.x]+|\[?[0-9a-f:]*:[0-9a-f:.]+\]?", host, re.IGNORECASE):
        return [f"{host} is a number, not a name"]
    warning = lookalike.address_warning(f"x@{host}")
    return [warning[:1].lower() + warning[1:].rstrip(".")] if warning else []


def _of_letters(token: str, latin: bool) -> list[str]:
    """Letters of several scripts in one word, letters in disguise, digits of another script."""
    found = []
    for word in re.findall(r"[^\W_]+", token):
        if word.isascii():
            continue
        names = [unicodedata.name(char, "") for char in word]
        scripts = {name.partition(" ")[0] for name in names} & _SCRIPTS
        if len(scripts) > 1:
            found.append(f"mixes {' and '.join(sorted(script.capitalize() for script in scripts))} letters")
        elif latin and scripts - {"LATIN"} and all(char in _TWINS for char in word if char.isalpha()):
            found.append(f"{scripts.pop().capitalize()} letters that look like {twin(word)}")
        if any(name.startswith(_DRESSED) for name in names):
            found.append(f"look-alike characters for {unicodedata.normalize('NFKC', word)}")
        elif any(char.isdigit() and not char.isascii() and unicodedata.category(char) == "Nd" for char in word):
            found.append(f"digits of another script: {''.join(_digit(char) for char in word)}")
    return found


def _digit(char: str) -> str:
    return str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char


def twin(text: str) -> str:
    """A text with letters of other scripts as the Latin ones they look like, in small letters."""
    return "".join(_TWINS.get(char, char) for char in unicodedata.normalize("NFKC", text)).lower()


def spelled(text: str) -> str:
    """The same as one plain line, for places that take no markup: what is odd stands in brackets."""
    return " ".join("".join(f" [{note}] " if note else shown for shown, note in pieces(text)).split())


def hosts(text: str) -> tuple[str, ...]:
    """The hosts that the links of a text really lead to, each once, in their order."""
    found = (_host(f"{match[1]}://{match[2]}") for match in _LINK.finditer(_UNSEEN.sub("", text)))
    return tuple(dict.fromkeys(host for host in found if host))[:50]


def attachment_note(name: str) -> str:
    """What a file is when its name says something else, or when opening it runs something; "" when nothing is odd."""
    bare = _UNSEEN.sub("", name).rstrip(" .")
    parts = [part.strip().lower() for part in re.split(r"[/\\]", bare)[-1].split(".")]
    ending = parts[-1] if len(parts) > 1 else ""
    looks = next((part for part in reversed(parts[1:-1]) if part in _LOOKS), "")
    if _UNSEEN.search(name) and ending:
        looks = looks or "another kind of file"
    if ending in _PROGRAMS:
        return f"it is a program (.{ending})" + (f", though it looks like {looks}" if looks else "")
    if ending in _MACROS:
        return f"it can hold a program (.{ending})"
    if ending in _PAGES:
        return f"it opens as a web page (.{ending})"
    if looks and ending not in _LOOKS:
        return f"it ends in .{ending}, though it looks like {looks}"
    return "its name holds a path" if re.search(r"[/\\]", bare) else ""


def attachments(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the files a payload carries."""
    found = payload.get("attachments")
    return tuple(_name(item) for item in found) if isinstance(found, list) else ()


def _name(item: Any) -> str:
    if isinstance(item, Mapping):
        return str(item.get("name") or item.get("filename") or item.get("asset") or "unnamed")
    return str(item)


def recipients(payload: Mapping[str, Any], stored: Sequence[str], known: Iterable[str]) -> tuple[Recipient, ...]:
    """Everybody a payload reaches, none left out: to, cc, bcc, and what the operation declares (``stored``).

    ``known`` are addresses the operator has written with; one that imitates them is warned of.
    """
    domains = frozenset(address.rpartition("@")[2].strip(" >").casefold() for address in known if "@" in address)
    found: dict[tuple[str, str], Recipient] = {}
    fields = [(role, payload.get(role)) for role in ("to", "cc", "bcc")]
    given = [(role, item) for role, value in fields for item in (value if isinstance(value, list) else [value])]
    given += [("", address) for address in stored]
    for role, item in given:
        name, address = _parted(item)
        if address and (role or not any(address == one.address for one in found.values())):
            found[role, address + name] = Recipient(address, role, name, _doubt(name, address, domains))
    return tuple(found.values())


def _parted(item: Any) -> tuple[str, str]:
    """Name and address of one recipient however it is written."""
    if isinstance(item, Mapping):
        return str(item.get("name") or ""), str(item.get("address") or item.get("email") or "")
    text = str(item or "").strip()
    name, angle, address = text.removesuffix(">").rpartition("<")
    return (name.strip(' "'), address.strip()) if angle and text.endswith(">") else ("", text)


def _doubt(name: str, address: str, known: frozenset[str]) -> str:
    """What is odd about a recipient, as one sentence."""
    if warning := lookalike.address_warning(address) or _letters_of(address):
        return warning
    if (said := _ADDRESS.search(name)) and said[0].casefold() != address.casefold():
        return f"The name beside it is another address: it goes to {address}."
    return imitates(address.rpartition("@")[2].casefold(), known)


def _letters_of(address: str) -> str:
    odd = _of_letters(address, True)
    return f"This address {odd[0] if odd[0].startswith('mixes') else 'has ' + odd[0]}." if odd else ""


@lru_cache(maxsize=4096)
def imitates(domain: str, known: frozenset[str]) -> str:
    """A sentence when a domain could be taken for a known one; "" for the known one itself and for a stranger."""
    names = sorted(known - {""})
    if domain in names or not domain:
        return ""
    for name in names:
        label, other = name.rpartition(".")[0], domain.rpartition(".")[0]
        near = abs(len(name) - len(domain)) < 2
        close = near and len(name) > 7 and DamerauLevenshtein.distance(domain, name) == 1
        if domain.startswith(f"{name}.") or domain.startswith(f"{name}-"):
            return f"{domain} begins like {name}, but it is another domain."
        if _skeleton(domain) == _skeleton(name) or close:
            return f"{domain} looks like {name}, but it is another domain."
        if len(label) > 3 and label == other:
            return f"{domain} is not {name}: only the ending differs."
    return ""


@lru_cache(maxsize=8192)
def _skeleton(domain: str) -> str:
    """A domain as a hurried eye reads it."""
    text = twin(domain).replace("-", "")
    for seen, like in (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s")):
        text = text.replace(seen, like)
    return text
