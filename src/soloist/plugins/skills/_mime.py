"""The parts of a raw mail, taken apart by the standard library under limits; it judges nothing.

The parser has no limits of its own, so what would cost too much is cut from the raw bytes before it sees them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.errors import (
    CloseBoundaryNotFoundDefect,
    MessageError,
    MissingHeaderBodySeparatorDefect,
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
)
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import Compat32
from itertools import islice
from mimetypes import MimeTypes
from typing import Any

from soloist.kernel.errors import BadInput
from soloist.plugins.skills import _headers

MAX_DEPTH = 30
MAX_PARTS = 1000
MAX_HEADERS = 1000
MAX_HEADER = 65_536
MAX_MARKS = 20_000
MAX_LINES = 1_000_000
MAX_WORK = 12_000_000  # lines times the boundaries each is compared with: about two seconds
MAX_PARAMETERS = 100  # the standard parser takes time squared in the semicolons of a header

FAULTS = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, MessageError)
"""What the standard library is known to raise on broken mail."""

_TYPE = re.compile(r"\s*([\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100})", re.ASCII)
_HEAD = re.compile(rb"\r?\n\r?\n|\Z")
_MARK = re.compile(rb"[\r\n]--")
_MARK_OR_BLANK = re.compile(rb"[\r\n]--|\n\r?\n|\r\r")
_BOUNDARY = re.compile(rb"boundary[\s*0-9]*=", re.IGNORECASE)
_SPACED = re.compile(rb"^([!-9;-~]{1,200})[ \t]+:")  # RFC 5322 lets old mail do so, the parser does not know it
_STRAY = re.compile(rb"\r(?!\n|\Z)")  # the parser would end a line here, and mail servers do not
_STATUS = re.compile(rb"message/delivery-status", re.IGNORECASE)
_MESSAGES = {"message/rfc822", "message/global", "message/news"}
_ENDINGS = MimeTypes()  # of its own: the same on every machine
_NOT_APART = "The mail says that it has several parts, but they cannot be told apart; it was read as text."
_TOLD = {
    NoBoundaryInMultipartDefect: _NOT_APART,
    StartBoundaryNotFoundDefect: _NOT_APART,
    CloseBoundaryNotFoundDefect: "The last part has no end mark; the mail may have been cut off.",
    MissingHeaderBodySeparatorDefect: "A line among the headers is not one; the text was read from there on.",
}


class _Policy(Compat32):
    """Headers come as unfolded text without lone surrogates, undecoded words and all, at most MAX_HEADER long."""

    verify_generated_headers = False  # later Pythons else refuse to write out an inner mail with an odd header

    def header_fetch_parse(self, name: str, value: str) -> str:
        """The value of a header as it is asked for."""
        text = _headers.decode(value[:MAX_HEADER].encode("ascii", "surrogateescape"))[0]
        if name.lower().startswith("content-"):
            text = ";".join(text.split(";", MAX_PARAMETERS)[:MAX_PARAMETERS])
        return text.replace("\r", "").replace("\n", "").strip()


_POLICY = _Policy()
_AS_SENT = _Policy(max_line_length=0, linesep="\r\n")


@dataclass
class Part:
    """One part by its place in a depth-first walk; ``mime`` is what it is read as, ``declared`` what it says it is."""

    index: int
    headers: Message
    declared: str
    mime: str
    children: list[Part] = field(default_factory=list)

    @property
    def main(self) -> str:
        """The type before the slash."""
        return self.mime.partition("/")[0]

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or what else is written; may be empty."""
        return self.headers.get("content-disposition", "").partition(";")[0].strip().lower()

    @property
    def given_name(self) -> str:
        """The file name the sender gave, made safe; may be empty."""
        try:
            return _headers.file_name(self.headers.get_filename(""))
        except FAULTS:
            return ""

    @property
    def name(self) -> str:
        """A file name to show: the given one, or one made from index and type."""
        return self.given_name or f"part-{self.index}{_ENDINGS.guess_extension(self.mime) or ''}"

    def parameter(self, name: str) -> str:
        """A parameter of the content type; empty when there is none that can be read."""
        return _headers.parameter(self.headers, name)

    def content(self) -> bytes:
        """The body with its transfer encoding removed, what can be had of a broken one; inner mail is written out."""
        held: Any = self.headers.get_payload()
        try:
            if isinstance(held, list):
                return b"\r\n".join(one.as_bytes(policy=_AS_SENT) for one in held)
            return bytes(self.headers.get_payload(decode=True) or b"")
        except FAULTS:
            return b"" if isinstance(held, list) else str(held).encode("ascii", "surrogateescape")


@dataclass
class Tree:
    """All parts in walk order, what was wrong, and whether a limit cut something off."""

    parts: list[Part] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    cut: bool = False

    def defect(self, sentence: str, *, cut: bool = False) -> None:
        """Note a fault once."""
        self.cut = self.cut or cut
        if sentence not in self.defects:
            self.defects.append(sentence)


def parse(raw: bytes, max_parts: int = MAX_PARTS) -> Tree:
    """Take a raw mail apart; the first part is the mail itself, and there is always one."""
    tree = Tree()
    _walk(tree, _parsed(tree, raw), max_parts, depth=0)
    return tree


def part_bytes(raw: bytes, index: int) -> tuple[str, str, bytes]:
    """File name, media type and decoded bytes of one part (index in a depth-first walk), else BadInput."""
    parts = parse(raw).parts
    if not 0 <= index < len(parts):
        raise BadInput(f"This mail has no part {index}; it has parts 0 to {len(parts) - 1}.", field="part")
    part = parts[index]
    if part.main == "multipart":
        raise BadInput(f"Part {index} only holds other parts and has no content of its own.", field="part")
    return part.name, part.mime, part.content()


def _parsed(tree: Tree, raw: bytes) -> Message:
    raw = _within_limits(tree, raw)
    try:
        return BytesParser(policy=_POLICY).parsebytes(raw)
    except FAULTS:
        tree.defect(_NOT_APART)
        return BytesHeaderParser(policy=_POLICY).parsebytes(raw)


def _within_limits(tree: Tree, raw: bytes) -> bytes:
    """The mail from its first header on, without what would cost the parser too much."""
    raw = (raw if b"\n" in raw else raw.replace(b"\r", b"\n")).lstrip(b"\r\n")
    if raw.startswith((b"From ", b">From ")):  # the envelope line of mbox files is no header
        raw = raw.partition(b"\n")[2]
    found = _HEAD.search(raw)
    end = found.start() if found else len(raw)
    lines = raw[:end].split(b"\n", MAX_HEADERS)
    if len(lines) > MAX_HEADERS:
        tree.defect(f"There are more than {MAX_HEADERS} header lines; the rest was not read.", cut=True)
    if any(len(line) > MAX_HEADER for line in lines[:MAX_HEADERS]):
        tree.defect(f"A header is longer than {MAX_HEADER} bytes and was cut.", cut=True)
    lines = [_SPACED.sub(rb"\1:", _STRAY.sub(b" ", line[:MAX_HEADER])) for line in lines[:MAX_HEADERS]]
    raw = b"\n".join(lines) + raw[end:]
    marks = _MARK_OR_BLANK if _STATUS.search(raw) else _MARK  # delivery reports have a block behind each blank line
    mark = next(islice(marks.finditer(raw), MAX_MARKS, None), None)
    if mark:
        tree.defect(f"The mail has more than {MAX_MARKS} lines that may divide parts; the rest was not read.", cut=True)
        raw = raw[: mark.start()]
    return _short_enough(tree, raw)


def _short_enough(tree: Tree, raw: bytes) -> bytes:
    """Every line is compared with the boundary of every part it lies in: deep nesting allows fewer lines."""
    allowed = min(MAX_LINES, MAX_WORK // (5 + len(_BOUNDARY.findall(raw))))
    if raw.count(b"\n") + raw.count(b"\r") <= allowed:
        return raw
    last = next(islice(re.finditer(rb"\r\n?|\n", raw), allowed, None), None)
    if last:
        tree.defect(f"The mail has more than {allowed} lines; the rest was not read.", cut=True)
        raw = raw[: last.start()]
    return raw


def _walk(tree: Tree, message: Message, max_parts: int, *, depth: int) -> Part:
    """Note a part and those inside it."""
    written = message.get("content-type", "")
    match = _TYPE.match(written)
    if written and not match:
        tree.defect("A part names no usable content type and was read as plain text.")
    declared = match[1].lower() if match else "text/plain" if written else message.get_content_type()
    holds = declared in _MESSAGES or declared.startswith("multipart/")
    readable = message.is_multipart() or not declared.startswith("multipart/")
    part = Part(len(tree.parts), message, declared, declared if readable else "text/plain")
    tree.parts.append(part)
    for defect in message.defects:
        sentence = _TOLD.get(type(defect))
        if sentence and len(message) and (readable or sentence != _NOT_APART or part.content().strip()):
            tree.defect(sentence)
    encoding = message.get("content-transfer-encoding", "").lower()
    if declared in _MESSAGES and encoding == "base64" and message.is_multipart():
        _unpack(tree, message)
    for one in _inside(message) if holds else ():
        if depth >= MAX_DEPTH:
            tree.defect(f"Parts are nested deeper than {MAX_DEPTH} levels; what is deeper was not read.", cut=True)
            message.set_payload("")  # so that it is not written out either
            break
        if len(tree.parts) >= max_parts:
            tree.defect(f"The mail has more than {max_parts} parts; the rest was not read.", cut=True)
            break
        part.children.append(_walk(tree, one, max_parts, depth=depth + 1))
    return part


def _unpack(tree: Tree, message: Message) -> None:
    """A mail in the mail must not be encoded, and sometimes is: the parser leaves it as the text of an empty mail."""
    inner = _inside(message)[0]
    inner["content-transfer-encoding"] = "base64"
    data = inner.get_payload(decode=True)
    if isinstance(data, bytes):
        message.set_payload([_parsed(tree, data)])


def _inside(message: Message) -> list[Message]:
    """The parts or mails a part holds."""
    held: Any = message.get_payload()
    return held if isinstance(held, list) else []
