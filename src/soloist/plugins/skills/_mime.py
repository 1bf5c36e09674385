"""The parts of a raw mail as offsets into its bytes, under limits; it decodes a part on request and judges nothing.

The standard parser has no limits of its own (depth, parts, header size) and builds the whole tree first, so the
splitting is done here; every step is linear in the size of the mail.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from soloist.kernel.errors import BadInput
from soloist.plugins.skills import _headers

MAX_DEPTH = 30
MAX_PARTS = 1000
MAX_HEADERS = 1000
MAX_HEADER = 65_536

_NAME = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_BLANK = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_TYPE = re.compile(r"\s*([\w!#$&^.+-]{1,100})/([\w!#$&^.+-]{1,100})", re.ASCII)
_MESSAGES = {"message/rfc822", "message/global", "message/news"}
_ENDINGS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "message/rfc822": ".eml",
}


@dataclass
class Headers:
    """Header lines in their order: lower-case name and unfolded raw value."""

    items: list[tuple[str, bytes]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Every value of a header, undecoded words and all, as text."""
        return [_headers.decode(value)[0] for key, value in self.items if key == name]

    def get(self, name: str) -> str:
        """The first value, empty when there is none."""
        return next(iter(self.all(name)), "")

    def has(self, name: str) -> bool:
        """Whether the header is there at all."""
        return any(key == name for key, _ in self.items)

    def latin(self, name: str) -> str:
        """The first value, one character a byte (for boundaries)."""
        return next((value.decode("latin-1") for key, value in self.items if key == name), "")


@dataclass
class Node:
    """One part: its place in a depth-first walk, its headers, and where its body lies in ``source``.

    ``mime`` is what it is read as, ``declared`` what it says it is.
    """

    index: int
    headers: Headers
    source: bytes
    start: int
    end: int
    mime: str
    parameters: dict[str, str]
    declared: str = ""
    children: list[Node] = field(default_factory=list)

    @property
    def main(self) -> str:
        """The type before the slash."""
        return self.mime.partition("/")[0]

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or what else is written; may be empty."""
        return self.headers.get("content-disposition").partition(";")[0].strip().lower()

    @property
    def given_name(self) -> str:
        """The file name the sender gave, made safe; may be empty."""
        written = _headers.parameters(self.headers.latin("content-disposition")).get("filename", "")
        return _headers.file_name(written or self.parameters.get("name", ""))

    @property
    def name(self) -> str:
        """A file name to show: the given one, or one made from index and type."""
        return self.given_name or f"part-{self.index}{_ENDINGS.get(self.mime, '')}"

    def content(self) -> bytes:
        """The body with its transfer encoding removed; broken encodings give what can be had."""
        return _decoded(self.source[self.start : self.end], self.headers.get("content-transfer-encoding"))


@dataclass
class Tree:
    """All parts in walk order, what was wrong, and whether a limit cut something off."""

    nodes: list[Node] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    cut: bool = False

    def defect(self, sentence: str, *, cut: bool = False) -> None:
        """Note a fault once."""
        self.cut = self.cut or cut
        if sentence not in self.defects:
            self.defects.append(sentence)


def parse(raw: bytes, max_parts: int = MAX_PARTS) -> Tree:
    """Split a raw mail; the first node is the mail itself, and there is always one."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    start = len(raw) - len(raw.lstrip(b"\r\n"))
    for mark in (b"From ", b">From "):  # the envelope line of mbox files is no header
        if raw.startswith(mark, start):
            start = raw.find(b"\n", start) + 1 or len(raw)
    tree = Tree()
    _Splitter(tree, max_parts).node(raw, start, len(raw), depth=0)
    return tree


def part_bytes(raw: bytes, index: int) -> tuple[str, str, bytes]:
    """File name, media type and decoded bytes of one part (index in a depth-first walk), else BadInput."""
    nodes = parse(raw).nodes
    if not 0 <= index < len(nodes):
        raise BadInput(f"This mail has no part {index}; it has parts 0 to {len(nodes) - 1}.", field="part")
    node = nodes[index]
    if node.main == "multipart" and node.children:
        raise BadInput(f"Part {index} only holds other parts and has no content of its own.", field="part")
    return node.name, node.mime, node.content()


@dataclass
class _Splitter:
    tree: Tree
    max_parts: int

    def node(self, source: bytes, start: int, end: int, *, depth: int, default: str = "text/plain") -> Node:
        """Read the part that lies between two offsets, and those inside it."""
        headers, body = self._headers(source, start, end)
        written = headers.latin("content-type")
        match = _TYPE.match(written)
        mime = f"{match[1]}/{match[2]}".lower() if match else default
        if written and not match:
            self.tree.defect("A part names no usable content type and was read as plain text.")
        node = Node(len(self.tree.nodes), headers, source, body, end, mime, _headers.parameters(written), mime)
        self.tree.nodes.append(node)
        if node.main == "multipart" or mime in _MESSAGES:
            if depth >= MAX_DEPTH:
                self.tree.defect(
                    f"Parts are nested deeper than {MAX_DEPTH} levels; what is deeper was not read.", cut=True
                )
            elif node.main == "multipart":
                self._multipart(node, depth)
            else:
                self._message(node, depth)
        return node

    def _headers(self, source: bytes, start: int, end: int) -> tuple[Headers, int]:
        """The header block at ``start`` and the offset of the body behind it."""
        headers, position = Headers(), start
        while position < end:
            stop = _line_end(source, position, end)
            if source[position:stop].strip(b"\r\n") == b"":
                return headers, stop
            match = _NAME.match(source, position, stop)
            if not match:
                if headers.items:
                    self.tree.defect("A line among the headers is not one; the text was read from there on.")
                return headers, position
            while stop < end and source[stop : stop + 1] in (b" ", b"\t"):
                stop = _line_end(source, stop, end)
            if len(headers.items) >= MAX_HEADERS:
                self.tree.defect(f"There are more than {MAX_HEADERS} header lines; the rest was not read.", cut=True)
                blank = _BLANK.search(source, position, end)
                return headers, blank.end() if blank else end
            if stop - match.end() > MAX_HEADER:
                self.tree.defect(f"A header is longer than {MAX_HEADER} bytes and was cut.", cut=True)
            value = source[match.end() : min(stop, match.end() + MAX_HEADER)]
            headers.items.append((match[1].decode("ascii").lower(), _FOLD.sub(b"", value).strip()))
            position = stop
        return headers, end

    def _message(self, node: Node, depth: int) -> None:
        """A mail inside the mail."""
        source, start, end = node.source, node.start, node.end
        if node.headers.get("content-transfer-encoding").strip().lower() in {"base64", "quoted-printable"}:
            source = node.content()
            start, end = 0, len(source)
        if self._room():
            node.children.append(self.node(source, start, end, depth=depth + 1))

    def _multipart(self, node: Node, depth: int) -> None:
        """Cut the body at its boundary lines; without usable ones the part is plain text."""
        boundary = node.parameters.get("boundary", "").rstrip().encode("latin-1", "ignore")
        default = "message/rfc822" if node.mime == "multipart/digest" else "text/plain"
        opened, closed = -1, False
        if boundary:
            mark = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
            for match in mark.finditer(node.source, node.start, node.end):
                if opened >= 0 and not self._part(node, opened, match.start(), depth, default):
                    return
                opened, closed = min(match.end() + 1, node.end), bool(match[1])
                if closed:
                    break
        if opened < 0:
            if node.source[node.start : node.end].strip():
                self.tree.defect(
                    "The mail says that it has several parts, but they cannot be told apart; it was read as text."
                )
            node.mime = "text/plain"
        elif not closed:
            self.tree.defect("The last part has no end mark; the mail may have been cut off.")
            self._part(node, opened, node.end, depth, default)

    def _part(self, node: Node, start: int, end: int, depth: int, default: str) -> bool:
        """Read one part without the line end that belongs to the boundary; False when no more parts are allowed."""
        if not self._room():
            return False
        if end < node.end:
            end -= 1 if end > start else 0
            end -= 1 if end > start and node.source[end - 1 : end] == b"\r" else 0
        node.children.append(self.node(node.source, start, max(start, end), depth=depth + 1, default=default))
        return True

    def _room(self) -> bool:
        if len(self.tree.nodes) < self.max_parts:
            return True
        self.tree.defect(f"The mail has more than {self.max_parts} parts; the rest was not read.", cut=True)
        return False


def _line_end(source: bytes, position: int, end: int) -> int:
    """The offset behind the line that starts at ``position``."""
    return source.find(b"\n", position, end) + 1 or end


def _decoded(data: bytes, encoding: str) -> bytes:
    encoding = encoding.partition(";")[0].strip().strip("\"'").lower()
    if encoding == "base64":
        try:
            return binascii.a2b_base64(data)
        except binascii.Error:
            letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
            letters = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
            return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        return _uudecoded(data)
    return data


def _uudecoded(data: bytes) -> bytes:
    """What the lines between ``begin`` and ``end`` hold; unreadable lines are left out."""
    out: list[bytes] = []
    for text in data.partition(b"begin ")[2].splitlines()[1:]:
        if text.strip() == b"end":
            break
        try:
            out.append(binascii.a2b_uu(text))
        except binascii.Error:
            continue
    return b"".join(out)
