"""XML from outside as a tree, with declarations, entities and sizes refused; it knows no format and opens nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

MOST_BYTES = 20_000_000
MOST_ELEMENTS = 300_000
MOST_DEPTH = 100
_GAP = "}"


@dataclass
class Element:
    """One element: local name, namespace, attributes by local name, own text, children, and its path by local names."""

    name: str
    space: str
    attributes: dict[str, str]
    path: str
    text: str = ""
    children: list[Element] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)

    def find(self, way: str) -> Element | None:
        """The first element down a way of local names ("Party/PostalAddress"); looks into every branch."""
        return next(iter(self.every(way)), None)

    def every(self, way: str) -> list[Element]:
        """All elements down a way of local names, in document order."""
        found = [self]
        for step in way.split("/"):
            found = [child for one in found for child in one.children if child.name == step]
        return found

    def value(self, way: str) -> str:
        """The text of ``find(way)`` without white space at its ends, "" when there is none."""
        one = self.find(way)
        return one.text.strip() if one else ""


class Refused(ValueError):
    """The bytes are no XML that is read here; its words say why."""


def parse(data: bytes) -> Element:
    """The root of a document. Refused for a DTD, an entity, broken XML, and more than the limits of this module."""
    if len(data) > MOST_BYTES:
        raise Refused(f"The XML has {len(data)} bytes; at most {MOST_BYTES} are read.")
    data = data.lstrip(b"\xef\xbb\xbf \t\r\n") if not data.startswith((b"\xff\xfe", b"\xfe\xff")) else data
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=_GAP)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    parser.ExternalEntityRefHandler = builder.refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"The XML cannot be read ({str(error)[:120]}).") from error
    if builder.root is None:
        raise Refused("There is no element in this XML.")
    return builder.root


class _Builder:
    """Builds the tree while expat reads."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.open: list[Element] = []
        self.parts: list[list[str]] = []
        self.count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.count += 1
        if self.count > MOST_ELEMENTS or len(self.open) >= MOST_DEPTH:
            raise Refused(f"The XML has more than {MOST_ELEMENTS} elements or is nested deeper than {MOST_DEPTH}.")
        space, _, name = tag.rpartition(_GAP)
        path = f"/{name}"
        if self.open:
            above = self.open[-1]
            place = above.seen[name] = above.seen.get(name, 0) + 1
            path = f"{above.path}/{name}[{place}]"
        plain = {key.rpartition(_GAP)[2]: value for key, value in attributes.items()}
        one = Element(name, space, plain, path)
        if self.open:
            self.open[-1].children.append(one)
        elif self.root is None:
            self.root = one
        self.open.append(one)
        self.parts.append([])

    def end(self, _tag: str) -> None:
        """An element ends."""
        self.open.pop().text = "".join(self.parts.pop())

    def data(self, text: str) -> None:
        """Text of the open element."""
        if self.parts:
            self.parts[-1].append(text)

    def refuse(self, *_: object) -> int:
        """A DTD or an entity, which no document that is read here needs."""
        raise Refused("The XML declares a document type or an entity; such files are not read, because they can lie.")
