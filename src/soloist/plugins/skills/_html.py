"""HTML of a mail as readable plain text: what a person would see; it is no sanitiser."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

MAX_INPUT = 1_000_000
MAX_QUOTE_DEPTH = 20
MAX_BROKEN = 20  # tags with a quote that is never closed: as many are left out, what follows is read

_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
_HIDDEN = re.compile(
    r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden"
    r"|(?:font-size|opacity)\s{0,5}:\s{0,5}0(?:\.0+)?(?:px|pt|em|rem|%)?\s{0,5}(?:;|!|$)",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[ \t\n\r\f\u00a0\u200b\u200c\u034f\ufeff\u00ad]+")
_BLANKS = re.compile(r"\n{3,}")

_SKIPPED = {"script", "style", "head", "title", "template", "object", "svg", "math", "select", "textarea", "noscript"}
_VOID = {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "wbr", "source", "track", "embed"}
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "dl", "hr"}
_LINES = {"div", "tr", "li", "section", "article", "header", "footer", "address", "form", "center", "dt", "dd", "body"}


def to_text(source: str) -> tuple[str, bool]:
    """Plain text of an HTML body (quotes as ``> `` lines) and whether text hidden by its style was left out."""
    writer = _Writer()
    # "<![" of an unknown kind makes the parser raise; with the blank it is a comment, as in browsers.
    writer.feed(_LONG_NUMBER.sub("\ufffd", source[:MAX_INPUT]).replace("<![", "<! ["))
    # No close(): it looks at every tag of an unfinished end once more, which takes time squared in its length.
    for _ in range(MAX_BROKEN):
        broken, closed, rest = writer.rawdata.partition(">")
        if not closed or not broken.startswith("<") or writer.hides_rest():
            break
        writer.reset()
        writer.feed(rest)
    if not writer.hides_rest():
        writer.handle_data(unescape(writer.rawdata))
    return writer.result(), writer.hid or writer.hides_rest()


class _Writer(HTMLParser):
    """Collects lines; ``depth`` counts quotes, ``unseen`` the open elements of the kind that is not shown."""

    RCDATA_CONTENT_ELEMENTS = ()  # type: ignore[misc]  # later Pythons take all behind an open title for its text

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.current: list[str] = []
        self.depth = 0
        self.preformatted = 0
        self.unseen: tuple[str, int] = ("", 0)
        self.hid = False
        self.link: tuple[str, int] | None = None

    def hides_rest(self) -> bool:
        """Whether what could not be read to its end is an open comment or script, which nobody sees."""
        return self.rawdata.startswith("<!") or self.cdata_elem is not None

    def handle_data(self, data: str) -> None:
        """Add text between tags."""
        if self.unseen[1]:
            self.hid = self.hid or (self.unseen[0] not in _SKIPPED and bool(_SPACE.sub("", data)))
        elif self.preformatted:
            first, *rest = data.replace("\r\n", "\n").split("\n")
            self.current.append(first)
            for one in rest:
                self._break(keep=True)
                self.current.append(one)
        else:
            self.current.append(_SPACE.sub(" ", data))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A slash at the end closes nothing, but drawings."""
        if tag not in {"svg", "math"}:
            self.handle_starttag(tag, attrs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if self.unseen[1] and not (tag == "body" and self.unseen[0] in {"head", "title"}):
            if tag == self.unseen[0]:
                self.unseen = (tag, self.unseen[1] + 1)
            return
        self.unseen = ("", 0)
        attributes = {name: value or "" for name, value in reversed(attrs)}
        if tag in _SKIPPED or "hidden" in attributes or _HIDDEN.search(attributes.get("style", "")):
            if tag not in _VOID:
                self.unseen = (tag, 1)
            return
        self._open(tag, attributes)

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "br":
            self._break(keep=True)
        elif tag in _PARAGRAPHS:
            self._blank()
        elif tag in _LINES:
            self._break()
        elif tag in {"td", "th"}:
            self.current.append(" ")
        elif tag == "img" and attributes.get("alt", "").strip():
            self.current.append(f"[{_SPACE.sub(' ', attributes['alt'])[:200].strip()}]")
        elif tag == "a":
            self.link = (attributes.get("href", "").strip()[:500], len(self.current))
        if tag == "li":
            self.current.append("- ")
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "blockquote":
            self.depth = min(self.depth + 1, MAX_QUOTE_DEPTH)

    def handle_endtag(self, tag: str) -> None:
        """Close an element; a closing tag without its opening one does no harm."""
        if self.unseen[1]:
            if tag == self.unseen[0]:
                self.unseen = (tag, self.unseen[1] - 1)
            return
        if tag == "a" and self.link:
            self._follow(*self.link)
        if tag in _PARAGRAPHS:
            self._break()
            if tag == "blockquote":
                self.depth = max(0, self.depth - 1)
            elif tag == "pre":
                self.preformatted = max(0, self.preformatted - 1)
            self._blank()
        elif tag in _LINES:
            self._break()

    def _follow(self, target: str, since: int) -> None:
        """Show where a link leads, unless its words say so already."""
        shown = "".join(self.current[since:]).strip()
        bare = re.sub(r"^(?:mailto:|tel:|https?://(?:www\.)?)", "", target, flags=re.IGNORECASE).rstrip("/")
        if re.match(r"https?://|mailto:", target, re.IGNORECASE) and bare and bare.lower() not in shown.lower():
            self.current.append(f" <{''.join(target.split())}>")
        self.link = None

    def _break(self, *, keep: bool = False) -> None:
        """End the line; an empty one is only written when ``keep`` says that a person would see it."""
        text = "".join(self.current)
        text = text.rstrip() if self.preformatted else _SPACE.sub(" ", text).strip()
        if text or keep:
            self.lines.append("> " * self.depth + text)
        self.current = []
        self.link = (self.link[0], 0) if self.link else None

    def _blank(self) -> None:
        self._break()
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append("> " * self.depth)

    def result(self) -> str:
        """The text so far, with at most one blank line in a row."""
        self._break()
        return _BLANKS.sub("\n\n", "\n".join(one.rstrip() for one in self.lines)).strip("\n")
