"""Who sells and who buys, from the words on an invoice: only what a label or a second trace in the paper confirms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from soloist.plugins.skills import _invoice_words as words
from soloist.plugins.skills._ids import Identifier
from soloist.plugins.skills._invoice import Party, Source, Text
from soloist.plugins.skills._invoice_cells import Cell, Paper

_NAME = re.compile(r"(?:Name|Nom|Nombre|Firma|Company)\s*:\s*", re.IGNORECASE)
_ADDRESS_LABEL = re.compile(r"(?:Anschrift|Adresse?|Address|Direcci[óo]n|Adres)\s*:\s*", re.IGNORECASE)
_NO_NAME = re.compile(
    r"^[(*\d]|\d{4,}|@|www\.|https?:|:$|\b(?:datum|date|nummer|number|seite|page|address|adresse|total|id)\b|^(?:firma|kunde|herrn?|frau|information(?:en)?|an|to|from|von|para|de)$|^inh(?:aber(?:in)?)?[.:]",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"(?<![\w.+-])(?P<l>[\w.+-]{1,64})@(?P<d>[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})|(?<!\w)www\.(?P<w>[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})",
    re.IGNORECASE,
)
_PART = r"\s*(?:[·|•,]| [-–] )\s*"
_RETURN = re.compile(
    rf"^(?P<n>[^·|•,\n]{{3,60}}?){_PART}(?:[^·|•,\d\n]{{3,40}}?{_PART})?(?P<s>[^·|•,\n]{{3,60}}?){_PART}"
    r"(?=\S{0,4}\s?-?\d{4,5})"
)
_DEEP = 9
_TO = re.compile(r"(?:ATTN|z\. ?Hd\.|T\.a\.v\.|c/o|[ÀA] l.attention de)\s*:?\s*", re.IGNORECASE)
_YOURS = re.compile(
    r"(?:client|customer|buyer|k[äa]ufer|ihre|kunden|votre|your|\bsu|\buw|cliente"
    r"|acheteur)\W*[\w.°º -]{0,25}\W*\Z",
    re.IGNORECASE,
)


def parties(paper: Paper, numbers: list[Identifier]) -> tuple[Party, Party]:
    """Seller and buyer."""
    buyer, block = _block(paper, words.BUYER[0])
    seller, _ = _block(paper, words.SELLER[0])
    if seller.name is None:
        seller = (
            _returned(paper)
            or _corroborated(paper, block, buyer)
            or _owned(paper)
            or _held(paper)
            or _alone(paper, block, buyer)
        )
    others = [*_own(numbers, "vat", paper, block)]
    ids = {
        "vat": next((_number(one) for one, theirs in others if not theirs), None),
        "tax_number": next((_number(one) for one, _ in _own(numbers, "tax_number", paper, block)), None),
    }
    buyer_vat = next((_number(one) for one, theirs in others if theirs), None)
    if buyer.name is None and seller.name:
        buyer = _addressed(paper, seller) or buyer
    return seller.model_copy(update=ids), buyer.model_copy(update={"vat": buyer_vat})


def _own(numbers: list[Identifier], kind: str, paper: Paper, block: set[int]) -> Iterator[tuple[Identifier, bool]]:
    """Numbers of a kind, and whether each is the buyer's: in the buyer's lines, or behind words like "your"."""
    for one in numbers:
        if one.kind == kind:
            inside = any(start <= one.span.start < end for start, end in _ranges(block))
            before = paper.text[max(0, one.span.start - 40) : one.span.start].rpartition("\n")[2]
            yield one, inside or _YOURS.search(before) is not None


def _number(one: Identifier) -> Text:
    return _text(one.span.text, one.span.start, value=one.value)


def _ranges(block: set[int]) -> list[tuple[int, int]]:
    return [(place >> 32, place & 0xFFFFFFFF) for place in block]


def _block(paper: Paper, label: re.Pattern[str]) -> tuple[Party, set[int]]:
    """The party behind a label: its name in the cell, beside or below, then its address; and which cells it took."""
    for cell, match in paper.labelled(label, whole=True):
        rest = cell.text[match.end() :]
        clean = rest.lstrip(" :.#-")
        if rest and not rest.startswith((":", " :", ",")) and clean:
            continue
        cells = _column(paper, cell)
        if clean:
            cells.insert(0, Cell(cell.end - len(clean), cell.end, cell.line, cell.column, clean))
        party = _party(cells)
        if party.name:
            return party, {(one.start << 32) + one.end for one in cells}
    return Party(), set()


def _column(paper: Paper, cell: Cell) -> list[Cell]:
    """The cells below a heading in its column; of a list of labels the name and the address."""
    found: list[Cell] = []
    values: int | None = None
    line = paper.lines[cell.line]
    right = line[line.index(cell) + 1 :] if cell in line else []
    if right and cell.text.endswith(":") and not right[0].text.endswith(":"):
        found.append(right[0])
        values = right[0].column
    for below in paper.lines[cell.line + 1 : cell.line + 1 + _DEEP]:
        near = next((one for one in below if abs(one.column - cell.column) <= 6), None)
        beside = below[below.index(near) + 1 :] if near else below
        if near and near.text.endswith(":") and beside and not beside[0].text.endswith(":"):
            if _NAME.match(near.text + " ") or _ADDRESS_LABEL.match(near.text + " "):
                found.append(beside[0])
                values = beside[0].column
            elif values is None:
                values = beside[0].column
        elif values is not None:
            more = next((one for one in beside if abs(one.column - values) <= 2), None)
            if near or more is None:
                break
            if found:
                found.append(more)
        elif near:
            found.append(near)
        elif found and not below:
            break
    return found


def _party(cells: list[Cell]) -> Party:
    """Name, street and town out of the cells of an address."""
    name = street = postcode = city = email = None
    for cell in cells:
        text, start = cell.text, cell.start
        for label in (_NAME, _ADDRESS_LABEL):
            if match := label.match(text):
                text, start = text[match.end() :], start + match.end()
        if match := _TO.match(text):
            text, start = text[match.end() :], start + match.end()
        numbered = (
            name is not None
            and street is None
            and re.match(r"\d{1,5}\w? [^\W\d]", text) is not None
            and not re.match(r"\d{5} ", text)
        )
        town = None if numbered else words.TOWN_FIRST.search(text) or words.TOWN.search(text)
        if name is None and not _NO_NAME.search(text) and len(text) < 70 and re.search(r"[^\W\d]{2}", text):
            name = _text(text.rstrip(" ,;"), start)
        elif town and postcode is None:
            postcode = _text(town["z"], start + town.start("z"))
            city = _text(town["t"].rstrip(), start + town.start("t"))
        elif name and street is None and postcode is None and _is_street(text):
            street = _text(text.rstrip(" ,;"), start)
        elif (
            name
            and email is None
            and (mail := re.search(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,80}\.\w{2,10}", text[:200]))
        ):
            email = _text(mail[0], start + mail.start())
        if postcode:
            break
    return Party(name=name, street=street, postcode=postcode, city=city, email=email)


def _is_street(text: str) -> bool:
    """Whether words read like a street: no label, no date."""
    return (
        words.STREET.search(text) is not None and ":" not in text and not re.search(r"\d{2}[-./]\d{2}[-./]\d{2}", text)
    )


def _addressed(paper: Paper, seller: Party) -> Party | None:
    """The block of name, street and town at the head of a letter that is not the seller's."""
    for line in paper.lines[:18]:
        for cell in line:
            if (
                _NO_NAME.search(cell.text)
                or len(cell.text) > 50
                or ":" in cell.text
                or words.KINDS[-1][1].search(cell.text)
            ):
                continue
            party = _party([cell, *_column(paper, cell)[:5]])
            if party.name is None or party.postcode is None or seller.name is None:
                continue
            near = paper.text[party.name.source.start :][:80].casefold()
            ours = party.postcode == seller.postcode or seller.name.value.casefold() in near
            if party.street and not ours and _called(party.name.value):
                return party
    return None


def _held(paper: Paper) -> Party | None:
    """Whoever the account belongs to."""
    match = words.HOLDER.search(paper.text)
    if match is None or _NO_NAME.search(match["n"]):
        return None
    return Party(name=_text(match["n"].strip(), match.start("n")))


def _returned(paper: Paper) -> Party | None:
    """The seller in the small line above the address: name, street, postcode and town."""
    for line in paper.lines[:25]:
        for cell in line:
            match = _RETURN.match(cell.text)
            if not match or re.search(r"\d", match["n"]) or not words.STREET.search(match["s"]):
                continue
            town = words.TOWN.search(cell.text, match.end() - 1)
            return Party(
                name=_text(match["n"].strip(), cell.start + match.start("n")),
                street=_text(match["s"].strip(), cell.start + match.start("s")),
                postcode=_text(town["z"], cell.start + town.start("z")) if town else None,
                city=_text(town["t"].rstrip(), cell.start + town.start("t")) if town else None,
            )
    return None


def _corroborated(paper: Paper, block: set[int], buyer: Party) -> Party | None:
    """A firm that has a second trace: its name again, or in an address of mail or web."""
    traces = {part for match in _MAIL.finditer(paper.text) for part in _parts(match)}
    folded = paper.text.casefold()
    for cell in paper.cells():
        if (cell.start << 32) + cell.end in block or len(cell.text) > 60 or _NO_NAME.search(cell.text):
            continue
        legal = words.LEGAL.search(cell.text)
        name = cell.text[: legal.end()].strip() if legal else cell.text.strip()
        if ":" in name or (buyer.name and buyer.name.value.casefold() == name.casefold()):
            continue
        joined = re.sub(r"[^a-z0-9]", "", name.casefold())
        own = [word for word in re.findall(r"[^\W\d_]+", name.casefold()) if len(word) >= 5]
        traced = any(
            part in joined or (len(joined) >= 6 and joined in part) or any(w in part for w in own) for part in traces
        )
        again = folded.count(name.casefold()) > 1 or any(folded.count(word) > 1 for word in own[:1])
        if (legal and (traced or again)) or (traced and cell.line < 12 and _plain(name)):
            head = Cell(cell.start, cell.start + len(name), cell.line, cell.column, name)
            below = _party([head, *_column(paper, cell)])
            return below.model_copy(update={"name": _text(name, cell.start + cell.text.index(name))})
    return None


def _owned(paper: Paper) -> Party | None:
    """The firm right above the line that names its owner."""
    for cell in paper.cells():
        if cell.line and re.match(r"Inh(?:aber(?:in)?)?[.:]", cell.text):
            above = paper.under(cell, paper.lines[cell.line - 1])
            if above and abs(above.column - cell.column) <= 2 and not _NO_NAME.search(above.text):
                return _party([above, *_column(paper, cell)])
    return None


def _alone(paper: Paper, block: set[int], buyer: Party) -> Party:
    """The only firm that a paper names beside the buyer."""
    found: dict[str, Cell] = {}
    for cell in paper.cells():
        legal = words.LEGAL.search(cell.text)
        if legal and (cell.start << 32) + cell.end not in block and len(cell.text) < 60 and ":" not in cell.text:
            name = cell.text[: legal.end()].strip()
            if not _NO_NAME.search(name) and not (buyer.name and buyer.name.value == name) and name[0].isupper():
                found.setdefault(name, Cell(cell.start, cell.start + len(name), cell.line, cell.column, name))
    if len(found) != 1:
        return Party()
    head = next(iter(found.values()))
    return _party([head, *_column(paper, head)])


def _parts(match: re.Match[str]) -> list[str]:
    """The telling parts of an address of mail or web."""
    domain = (match["d"] or match["w"]).casefold().split(".")
    parts = [re.sub(r"[^a-z0-9]", "", part) for part in [*domain[:-1], (match["l"] or "").casefold()]]
    return [
        part
        for part in parts
        if len(part) >= 4 and part not in ("info", "mail", "office", "service", "billing", "contact")
    ]


def _called(name: str) -> bool:
    """Whether words may be a name that no label confirms: no sentence, no heading."""
    return bool(words.LEGAL.search(name)) or (not name.endswith(".") and name[0].isupper())


def _plain(name: str) -> bool:
    """Whether words look like a name: few, capital letters, no figures."""
    parts = name.split()
    return 1 <= len(parts) <= 5 and all(part[0].isupper() for part in parts) and not re.search(r"\d", name)


def _text(said: str, start: int, *, value: str = "") -> Text:
    source = Source(where="text", said=said, start=start, end=start + len(said))
    return Text(value=value or re.sub(r"\s+", " ", said), source=source)
