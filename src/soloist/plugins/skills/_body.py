"""Which parts of a mail are its text and which are attachments; it judges no meaning."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from soloist.kernel.message import Attachment
from soloist.plugins.skills import _headers, _html
from soloist.plugins.skills._mime import Part, Tree

_ENCRYPTED = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}


@dataclass
class Body:
    """The readable text, and the parts it came from."""

    text: str = ""
    used: set[int] = field(default_factory=set)
    cut: bool = False


def read(tree: Tree, max_text: int) -> Body:
    """The text of a mail, at most ``max_text`` characters; the text of an attached mail when it has none of its own."""
    found = _Reader(tree)
    text = found.of(tree.parts[0])
    if not text.strip():
        inner = next((part for part in tree.parts if part.mime.startswith("message/") and part.children), None)
        text = found.of(inner.children[0]) if inner else ""
        if text.strip():
            tree.defect("The mail has no text of its own; the text shown is that of the attached mail.")
    if any(part.mime in _ENCRYPTED for part in tree.parts[:5]):
        tree.defect("The mail is encrypted; its text cannot be read here.")
    text = text.strip("\n")
    return Body(text=text[:max_text].rstrip(), used=found.used, cut=len(text) > max_text)


def attachments(tree: Tree, used: set[int]) -> list[Attachment]:
    """Every part that is not the text, by pointer and hash; parts of an attached mail belong to that mail."""
    out: list[Attachment] = []
    todo = [tree.parts[0]]
    while todo:
        part = todo.pop(0)
        if part.main == "multipart":
            todo = part.children + todo
        elif part.index not in used and (part.index or part.given_name or part.main != "text"):
            out.append(_attachment(tree, part))
    return out


def _attachment(tree: Tree, part: Part) -> Attachment:
    data = part.content()
    name = part.name
    if part.children and not part.given_name:
        subject = _headers.words(part.children[0].headers.get("subject", ""))
        name = _headers.file_name(subject.replace("/", "-").replace("\\", "-")[:80]) or name.removesuffix(".eml")
        name += ".eml"
    if part.mime in {"application/ms-tnef", "application/vnd.ms-tnef"}:
        tree.defect("The attachment winmail.dat is an Outlook container; what is inside it is not shown.")
    return Attachment(
        name=name, mime=part.mime, size=len(data), sha256=hashlib.sha256(data).hexdigest(), part=part.index
    )


class _Reader:
    """Walks the parts as a mail program does: the best alternative, and every text shown inline."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.used: set[int] = set()

    def of(self, part: Part) -> str:
        """The text of a part and of what is inside it."""
        if part.main != "multipart":
            return self._leaf(part) if _shown(part) else ""
        kind = part.mime.partition("/")[2]
        if kind == "alternative":
            return self._best(part.children)
        if kind in {"related", "report", "signed", "encrypted"}:
            return next((text for text in map(self.of, part.children) if text.strip()), "")
        return "\n\n".join(text for text in map(self.of, part.children) if text.strip())

    def _best(self, choices: list[Part]) -> str:
        """Plain text when there is any, otherwise the last (richest) version; the others are no attachments."""
        plain = [part for part in choices if part.mime == "text/plain"]
        for part in plain + [part for part in reversed(choices) if part not in plain]:
            text = self.of(part)
            if text.strip():
                for other in choices:
                    self._skip(other)
                return text
        return ""

    def _skip(self, part: Part) -> None:
        """The same words in another form are no attachment."""
        if part.main == "text" and _shown(part):
            self.used.add(part.index)
        for child in part.children if part.main == "multipart" else ():
            self._skip(child)

    def _leaf(self, part: Part) -> str:
        """The text of one part."""
        self.used.add(part.index)
        text, sure = _headers.decode(part.content(), part.parameter("charset"))
        if not sure:
            self.tree.defect("Some characters do not fit the stated character set and were replaced or guessed.")
        text = _headers.clean(text)
        if part.mime == "text/html":
            if len(text) > _html.MAX_INPUT:
                self.tree.defect(f"The HTML text is longer than {_html.MAX_INPUT} characters and was cut.", cut=True)
            text, hid = _html.to_text(text)
            if hid:
                self.tree.defect("Some text is hidden from view by its style; it was left out.")
            return _headers.clean(text)
        if part.parameter("format").lower() == "flowed":
            return _unfold(text, delete=part.parameter("delsp").lower() == "yes")
        return text


def _shown(part: Part) -> bool:
    """Whether a mail program shows this part as text: plain or HTML, and not sent as a file."""
    if part.mime not in {"text/plain", "text/html", "text/enriched"} and not (part.index == 0 and part.main == "text"):
        return False
    return part.disposition != "attachment" and not (part.given_name and part.index)


def _unfold(text: str, *, delete: bool) -> str:
    """Join the soft line breaks of ``format=flowed`` (RFC 3676) within one depth of quoting."""
    out: list[list[str]] = []
    open_depth = -1
    for written in text.split("\n"):
        depth = len(written) - len(written.lstrip(">"))
        words = written[depth:].removeprefix(" ")
        soft = words.endswith(" ") and words != "-- "
        kept = words[:-1] if soft and delete else words
        if depth == open_depth and words != "-- ":
            out[-1].append(kept)
        else:
            out.append([">" * depth + " " if depth else "", kept])
        open_depth = depth if soft else -1
    return "\n".join("".join(pieces) for pieces in out)
