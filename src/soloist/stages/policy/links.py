"""Links: every link and account number a text holds, however it is written; it fetches and judges nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

_HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_ENDS = r"\s<>\"'`|^{}"
_SCHEME = re.compile(rf"(?<![\w@])(?:[a-z][a-z0-9+.-]{{0,20}}:)?[/\\]{{2,}}([^{_ENDS}]+)", re.I)
_SCRIPT = re.compile(r"(?<![\w-])(javascript|data|vbscript|file|blob)\s*:(?=\S)", re.I)
_TLDS = (
    "com|net|org|info|biz|io|co|ai|app|dev|me|xyz|top|shop|site|online|link|click|club|store|tech|live|page|cloud|"
    "de|at|ch|fr|es|it|nl|be|uk|ie|eu|us|ca|au|nz|in|cn|ru|jp|br|pl|se|no|dk|fi|cz|pt|gr|tv|cc|to|ly|gg|test|example"
)
_BARE = re.compile(
    rf"(?<![\w@./\\-])((?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.)+(?:(?:{_TLDS})(?![\w-])|[^\W\d_][\w-]{{0,61}}(?=[/?#:\\])))"
    rf"([/?#:\\][^{_ENDS}]*)?",
    re.I,
)
_WORDS = frozenset("In To Me Be At It No Us Es Live Page Click Top Online Link".split())
"""Ends of hosts that are words: so written after a full stop they begin a sentence."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ .-]?\d{2}(?:[ .-]?[A-Za-z0-9]){10,30}(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![\d+])\d(?:[ -]?\d){12,18}(?!\d)")
_SPACES = re.compile(r"[\s.-]+")


@dataclass(frozen=True)
class Link:
    """A link of a text: its host in ASCII, and what follows the host, with query and fragment."""

    host: str
    rest: str

    @property
    def query(self) -> bool:
        """Whether it carries anything beside a path."""
        return "?" in self.rest or "#" in self.rest or ";" in self.rest

    @property
    def whole(self) -> str:
        """Host and rest, as one text that two spellings of the same link share."""
        return self.host + self.rest.rstrip("/")


def plain(text: str) -> str:
    """A text as a person sees it: composed, wide letters narrow, nothing invisible in it."""
    return _HIDDEN.sub("", unicodedata.normalize("NFKC", text))


def host_of(authority: str) -> str:
    """The host a browser would go to: after the last @, without port, in ASCII; "?" for what is no host."""
    bare = unquote(authority.rpartition("@")[2]).strip("[]").partition(":")[0].strip(".").casefold()
    try:
        return bare if bare.isascii() else bare.encode("idna").decode("ascii")
    except UnicodeError:
        return bare or "?"


def links(text: str) -> list[Link]:
    """Every link of a text, also without a scheme, with a user's name before the host, or in another alphabet."""
    found: dict[Link, None] = {}
    for seen in dict.fromkeys((plain(text), unquote(plain(text)))):
        for link in (*_whole(seen), *_bare(seen)):
            found.setdefault(link)
        for match in _SCRIPT.finditer(seen):
            if not seen[match.end() :].startswith("//"):
                found.setdefault(Link(f"{match[1].casefold()}:", ""))
    return list(found)


def _whole(text: str) -> Iterator[Link]:
    for match in _SCHEME.finditer(text):
        given = match[1].replace("\\", "/").lstrip("/").rstrip(".,;:!?)]*_")
        cut = re.search(r"[/?#]", given)
        authority, rest = (given[: cut.start()], given[cut.start() :]) if cut else (given, "")
        host = host_of(authority.split(")")[0].split("]")[0] if not authority.startswith("[") else authority)
        if host and (rest or "." in host or host.isalnum()):
            yield Link(host, rest)


def _bare(text: str) -> Iterator[Link]:
    for match in _BARE.finditer(text):
        rest = (match[2] or "").replace("\\", "/").rstrip(".,;:!?)]*_")
        if not rest and match[1].rpartition(".")[2] in _WORDS:
            continue
        yield Link(host_of(match[1]), "" if rest.startswith(":") and not rest[1:2].isdigit() else rest)


def accounts(text: str) -> list[str]:
    """Every number of an account (IBAN) or a card, without spaces and in capitals, whether or not its check digits fit.

    A word that only looks like one (two letters, two digits, then letters alone) is left out.
    """
    seen = plain(text)
    found = (*_IBAN.findall(seen), *_CARD.findall(_IBAN.sub(" ", seen)))
    return list(dict.fromkeys(one for one in map(account, found) if sum(c.isdigit() for c in one) >= 10))


def account(text: str) -> str:
    """An account number as it is compared."""
    return _SPACES.sub("", plain(text)).upper()
