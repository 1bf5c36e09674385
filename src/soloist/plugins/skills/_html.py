"""HTML of a mail as readable plain text: what a person would see, in one linear pass; it is no sanitiser.

The standard library's parser takes quadratic time on unclosed tags and comments, so tags are found here.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

MAX_INPUT = 2_000_000
MAX_QUOTE_DEPTH = 20

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>")
_LOOSE_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})([^<>]*)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,40})\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
_HIDDEN = re.compile(
    r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden"
    r"|(?:font-size|opacity)\s{0,5}:\s{0,5}0(?:\.0+)?(?:px|pt|em|rem|%)?\s{0,5}(?:;|!|$)",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[ \t\n\r\f\u00a0\u200b\u200c\u034f\ufeff\u00ad]+")
_BLANKS = re.compile(r"\n{3,}")

_SKIPPED = {"script", "style", "head", "title", "template", "object", "svg", "math", "select", "textarea", "noscript"}
_SKIP_END = {name: re.compile(rf"</{name}\b[^<>]*>", re.IGNORECASE) for name in _SKIPPED}
_BODY = re.compile(r"<body\b", re.IGNORECASE)
_VOID = {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "wbr", "source", "track", "embed"}
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "dl"}
_LINES = {"div", "tr", "li", "section", "article", "header", "footer", "address", "form", "center", "dt", "dd", "body"}


def to_text(source: str) -> tuple[str, bool]:
    """Plain text of an HTML body (quotes as ``> `` lines) and whether text hidden by its style was left out."""
    writer = _Writer()
    source = _LONG_NUMBER.sub("\ufffd", source[:MAX_INPUT])
    position = 0
    while True:
        opened = source.find("<", position)
        writer.words(source[position : opened if opened >= 0 else None])
        if opened < 0:
            break
        position = _step(writer, source, opened)
    return writer.result(), writer.hid


def _step(writer: _Writer, source: str, opened: int) -> int:
    """Handle what begins at a ``<``; the offset behind it."""
    following = source[opened + 1 : opened + 2]
    if following and following in "!?":
        mark = "-->" if source.startswith("<!--", opened) else ">"
        closed = source.find(mark, opened + 2)
        return closed + len(mark) if closed >= 0 else len(source)
    match = _TAG.match(source, opened) or _LOOSE_TAG.match(source, opened)
    if not match:
        writer.words("<")
        return opened + 1
    name = match[2].lower()
    if match[1]:
        writer.end(name)
        return match.end()
    if name in _SKIPPED and not (name in {"svg", "math"} and match[3].endswith("/")):
        return _behind(source, name, match.end())
    writer.start(name, match[3])
    return match.end()


def _behind(source: str, name: str, position: int) -> int:
    """The offset behind an element whose content is not shown; an unclosed head ends where the body begins."""
    closed = _SKIP_END[name].search(source, position)
    if closed:
        return closed.end()
    body = _BODY.search(source, position) if name in {"head", "title"} else None
    return body.start() if body else len(source)


def _attributes(text: str) -> dict[str, str]:
    found = _ATTRIBUTE.findall(text[:5000])
    return {name.lower(): html.unescape(a or b or c) for name, a, b, c in reversed(found)}


@dataclass
class _Writer:
    """Collects lines; ``depth`` counts quotes, ``hidden`` the open elements of a hidden one's kind."""

    lines: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)
    depth: int = 0
    preformatted: int = 0
    hidden: tuple[str, int] = ("", 0)
    hid: bool = False
    links: list[tuple[str, int]] = field(default_factory=list)

    def words(self, text: str) -> None:
        """Add text between tags."""
        if not text:
            return
        if self.hidden[1]:
            self.hid = self.hid or bool(_SPACE.sub("", html.unescape(text)))
            return
        text = html.unescape(text)
        if self.preformatted:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self.current.append(first)
            for one in rest:
                self._break(keep=True)
                self.current.append(one)
            return
        self.current.append(_SPACE.sub(" ", text))

    def start(self, name: str, written: str) -> None:
        """Open an element."""
        if self.hidden[1]:
            if name == self.hidden[0]:
                self.hidden = (name, self.hidden[1] + 1)
            return
        attributes = _attributes(written) if "=" in written else {}
        style = attributes.get("style", "")
        if (style and _HIDDEN.search(style)) or re.search(r"\shidden(?:\s|$)", written):
            if name not in _VOID:
                self.hidden = (name, 1)
            return
        self._open(name, attributes)

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        if name == "br":
            self._break(keep=True)
        elif name in _PARAGRAPHS or name == "hr":
            self._break()
            self._blank()
        elif name in _LINES:
            self._break()
        elif name in {"td", "th"}:
            self.current.append(" ")
        elif name == "img" and attributes.get("alt", "").strip():
            self.current.append(f"[{_SPACE.sub(' ', attributes['alt'])[:200].strip()}]")
        elif name == "a":
            self.links.append((attributes.get("href", "").strip()[:500], len(self.current)))
        if name == "li":
            self.current.append("- ")
        elif name == "pre":
            self.preformatted += 1
        elif name == "blockquote":
            self.depth = min(self.depth + 1, MAX_QUOTE_DEPTH)

    def end(self, name: str) -> None:
        """Close an element; a closing tag without its opening one does no harm."""
        if self.hidden[1]:
            if name == self.hidden[0]:
                self.hidden = (name, self.hidden[1] - 1)
            return
        if name == "a" and self.links:
            self._link(*self.links.pop())
        if name in _PARAGRAPHS:
            self._break()
            if name == "blockquote":
                self.depth = max(0, self.depth - 1)
            elif name == "pre":
                self.preformatted = max(0, self.preformatted - 1)
            self._blank()
        elif name in _LINES:
            self._break()

    def _link(self, target: str, since: int) -> None:
        """Show where a link leads, unless its words say so already."""
        shown = "".join(self.current[since:]).strip()
        bare = re.sub(r"^(?:mailto:|tel:|https?://(?:www\.)?)", "", target, flags=re.IGNORECASE).rstrip("/")
        if re.match(r"https?://|mailto:", target, re.IGNORECASE) and bare and bare.lower() not in shown.lower():
            self.current.append(f" <{''.join(target.split())}>")

    def _break(self, *, keep: bool = False) -> None:
        """End the line; an empty one is only written when ``keep`` says that a person would see it."""
        text = "".join(self.current)
        text = text.rstrip() if self.preformatted else _SPACE.sub(" ", text).strip()
        if text or keep:
            self.lines.append("> " * self.depth + text)
        self.current = []
        self.links = [(target, 0) for target, _ in self.links[-5:]]

    def _blank(self) -> None:
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append("> " * self.depth)

    def result(self) -> str:
        """The text so far, with at most one blank line in a row."""
        self._break()
        return _BLANKS.sub("\n\n", "\n".join(one.rstrip() for one in self.lines)).strip("\n")
