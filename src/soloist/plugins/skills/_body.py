"""Which parts of a mail are its text and which are attachments; it judges no meaning."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from soloist.kernel.message import Attachment
from soloist.plugins.skills import _headers, _html
from soloist.plugins.skills._mime import Node, Tree

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
    text = found.of(tree.nodes[0])
    if not text.strip():
        inner = next((node for node in tree.nodes if node.mime.startswith("message/") and node.children), None)
        text = found.of(inner.children[0]) if inner else ""
        if text.strip():
            tree.defect("The mail has no text of its own; the text shown is that of the attached mail.")
    if any(node.mime in _ENCRYPTED for node in tree.nodes[:5]):
        tree.defect("The mail is encrypted; its text cannot be read here.")
    text = text.strip("\n")
    return Body(text=text[:max_text].rstrip(), used=found.used, cut=len(text) > max_text)


def attachments(tree: Tree, used: set[int]) -> list[Attachment]:
    """Every part that is not the text, by pointer and hash; parts of an attached mail belong to that mail."""
    out: list[Attachment] = []
    todo = [tree.nodes[0]]
    while todo:
        node = todo.pop(0)
        if node.main == "multipart":
            todo = node.children + todo
        elif node.index not in used and (node.index or node.given_name or node.main != "text"):
            out.append(_attachment(tree, node))
    return out


def _attachment(tree: Tree, node: Node) -> Attachment:
    data = node.content()
    name = node.name
    if node.children and not node.given_name:
        subject = _headers.words(node.children[0].headers.get("subject"))
        name = _headers.file_name(subject.replace("/", "-").replace("\\", "-")[:80]) or name.removesuffix(".eml")
        name += ".eml"
    if node.mime in {"application/ms-tnef", "application/vnd.ms-tnef"}:
        tree.defect("The attachment winmail.dat is an Outlook container; what is inside it is not shown.")
    return Attachment(
        name=name, mime=node.mime, size=len(data), sha256=hashlib.sha256(data).hexdigest(), part=node.index
    )


class _Reader:
    """Walks the parts as a mail program does: the best alternative, and every text shown inline."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.used: set[int] = set()

    def of(self, node: Node) -> str:
        """The text of a part and of what is inside it."""
        if node.main != "multipart":
            return self._leaf(node) if _shown(node) else ""
        kind = node.mime.partition("/")[2]
        if kind == "alternative":
            return self._best(node.children)
        if kind in {"related", "report", "signed", "encrypted"}:
            return next((text for text in map(self.of, node.children) if text.strip()), "")
        return "\n\n".join(text for text in map(self.of, node.children) if text.strip())

    def _best(self, choices: list[Node]) -> str:
        """Plain text when there is any, otherwise the last (richest) version; the others are no attachments."""
        plain = [node for node in choices if node.mime == "text/plain"]
        for node in plain + [node for node in reversed(choices) if node not in plain]:
            text = self.of(node)
            if text.strip():
                for other in choices:
                    self._skip(other)
                return text
        return ""

    def _skip(self, node: Node) -> None:
        """The same words in another form are no attachment."""
        if node.main == "text" and _shown(node):
            self.used.add(node.index)
        for child in node.children if node.main == "multipart" else ():
            self._skip(child)

    def _leaf(self, node: Node) -> str:
        """The text of one part."""
        self.used.add(node.index)
        text, sure = _headers.decode(node.content(), node.parameters.get("charset", ""))
        if not sure:
            self.tree.defect("Some characters do not fit the stated character set and were replaced or guessed.")
        text = _headers.clean(text)
        if node.mime == "text/html":
            if len(text) > _html.MAX_INPUT:
                self.tree.defect(f"The HTML text is longer than {_html.MAX_INPUT} characters and was cut.", cut=True)
            text, hid = _html.to_text(text)
            if hid:
                self.tree.defect("Some text is hidden from view by its style; it was left out.")
            return _headers.clean(text)
        if node.parameters.get("format", "").strip().lower() == "flowed":
            return _unfold(text, delete=node.parameters.get("delsp", "").strip().lower() == "yes")
        return text


def _shown(node: Node) -> bool:
    """Whether a mail program shows this part as text: plain or HTML, and not sent as a file."""
    if node.mime not in {"text/plain", "text/html", "text/enriched"} and not (node.index == 0 and node.main == "text"):
        return False
    return node.disposition != "attachment" and not (node.given_name and node.index)


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
