"""Cells of a foreign table as values of a kind's fields; what does not fit is told and left out; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from soloist.kernel import kind as kinds
from soloist.kernel import money
from soloist.kernel.kind import Kind

_SEPARATED = re.compile(r"\s*(?:[;\n|]|:::|,(?=\s|$))\s*")
_ADDRESS = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]+\.[^@\s<>\"',;]{2,}")
_MONEY = {"€": "EUR", "$": "USD", "£": "GBP", "chf": "CHF", "fr.": "CHF", "¥": "JPY", "zł": "PLN", "kr": "SEK"}
_DATES = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%b %d, %Y")
_YES = frozenset("1 true yes ja oui sí si x wahr vrai".split())


@dataclass
class Read:
    """One row as fields: ``names`` are references by their text, ``notes`` say what was left out and why."""

    body: dict[str, Any] = field(default_factory=dict)
    state: str = ""
    external: str = ""
    names: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"body": self.body, "state": self.state, "external": self.external, "names": self.names}


@dataclass(frozen=True)
class Terms:
    """How cells are understood: where the business is, its currency, day or month first; how the columns are called."""

    zone: ZoneInfo
    currency: str = "EUR"
    month_first: bool = False
    heads: tuple[str, ...] = ()


def read(kind: Kind, columns: Mapping[int, str], cells: Sequence[str], terms: Terms) -> Read:
    """The fields that a row gives."""
    found, given = Read(), dict[str, list[str]]()
    for place, name in sorted(columns.items()):
        text = cells[place].strip() if place < len(cells) else ""
        if text and name == "as_note":
            given.setdefault("note", []).append(f"{terms.heads[place] if place < len(terms.heads) else ''}: {text}")
        elif text and name:
            given.setdefault(name, []).append(text)
    found.external = "".join(given.pop("external_id", [])[:1])[:300]
    found.state = _state(kind, " ".join(given.pop("state", [])), found)
    currency = _currency(" ".join(given.pop("currency", []))) or terms.currency
    whole = " ".join(part for name in ("first_name", "last_name") for part in given.pop(name, []))
    if whole and "name" not in given:
        given["name"] = [whole]
    for name, texts in given.items():
        known = kind.fields.get(name)
        if known is None:
            continue
        if known.item == "record":
            found.names[name] = [part for text in texts for part in _parts(text)] if known.type == "list" else texts[:1]
            continue
        value = _value(known, texts, Terms(terms.zone, currency, terms.month_first))
        if kinds.fault(known, value):
            found.notes.append(f"{known.said}: {' '.join(texts)[:80]!r} is not {kinds.TYPES[known.item]}; left out.")
        elif value not in kinds.EMPTY:
            found.body[name] = value
    return found


def as_company(read: Read, company: Kind) -> Read | None:
    """The same row as a company when it names one and nobody who works there; None when it names a person or nothing.

    Address books of bookkeeping programs hold both in one table.
    """
    body = read.body
    if body.get("name") or not body.get("company_name"):
        return None
    kept = {name: value for name, value in body.items() if name in company.fields}
    names = {name: texts for name, texts in read.names.items() if name in company.fields}
    return Read({**kept, "name": body["company_name"]}, read.state, read.external, names, read.notes)


def _value(known: kinds.Field, texts: Sequence[str], terms: Terms) -> Any:
    """Texts of one or several columns as one value."""
    if known.type == "list":
        items = [_one(known.item, part, terms) for text in texts for part in _split(known.item, text)]
        return [one for place, one in enumerate(items) if one not in kinds.EMPTY and one not in items[:place]]
    if known.type == "long_text":
        return (", " if known.name == "address" else "\n").join(dict.fromkeys(texts))
    if known.type == "choice":
        low = {choice.casefold(): choice for choice in known.choices}
        return low.get(texts[0].casefold(), texts[0])
    return _one(known.item, texts[0], terms)


def _split(item: str, text: str) -> list[str]:
    if item == "email":
        return [one.casefold() for one in _ADDRESS.findall(text)] or [text]
    return [part for part in _SEPARATED.split(text) if part and not part.startswith("* ")]  # Google's own groups


def _parts(text: str) -> list[str]:
    return [part for part in _SEPARATED.split(text) if part]


def _one(item: str, text: str, terms: Terms) -> Any:
    """One text as a value of a type; the text itself when it is none, so that the check can say so."""
    ways: dict[str, Callable[[], Any]] = {
        "money": lambda: _money(text, terms.currency),
        "date": lambda: _day(text, terms),
        "instant": lambda: _instant(text, terms),
        "number": lambda: _number(text),
        "boolean": lambda: text.casefold() in _YES,
        "url": lambda: text if "://" in text else f"https://{text}",
        "text": lambda: " ".join(text.split()),
        "phone": lambda: re.sub(r"[^\d+() ./\-]", "", text.split(";")[0]).strip() or text,
        "data": lambda: text,
    }
    convert = ways.get(item)
    try:
        return convert() if convert else text
    except (ValueError, ArithmeticError, OverflowError):
        return text


def _state(kind: Kind, text: str, found: Read) -> str:
    """A state of the kind by its name, "" for others (told)."""
    low = {state.casefold().replace("_", " "): state for state in kind.states}
    plain = text.casefold().replace("_", " ").strip()
    meant = _MEANT.get(plain, plain)
    if plain and meant not in low:
        found.notes.append(f"State: {text[:60]!r} is none of {', '.join(kind.states) or 'its states'}; left out.")
    return low.get(meant, "")


_MEANT = {"planned": "confirmed", "tentative": "proposed", "bezahlt": "paid", "offen": "sent", "entwurf": "draft",
          "storniert": "cancelled", "versendet": "sent", "kunde": "client", "customer": "client", "open": "sent",
          "won": "accepted", "canceled": "cancelled", "überfällig": "overdue", "payée": "paid"}  # fmt: skip


def _currency(text: str) -> str:
    found = re.search(r"\b([A-Z]{3})\b", text.upper())
    return found[1] if found else next((code for sign, code in _MONEY.items() if sign in text.casefold()), "")


def _money(text: str, currency: str) -> Any:
    """An amount in minor units; both "1.234,50 €" and "USD 1,234.50" are understood."""
    code = _currency(re.sub(r"[\d.,'\s]", " ", text)) or currency
    return {"minor": int(_decimal(text).scaleb(money.digits(code)).to_integral_value()), "currency": code}


def _number(text: str) -> Any:
    number = _decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)


def _decimal(text: str) -> Decimal:
    """A number as people write it: the last separator that is followed by one or two digits parts the decimals."""
    plain = re.sub(r"[^\d.,\-]", "", text.replace("\u2212", "-"))
    if not re.search(r"\d", plain) or len(plain) > 20:
        raise ValueError(text)
    last = max(plain.rfind("."), plain.rfind(","))
    tail = plain[last + 1 :]
    alone = last >= 0 and plain.count(plain[last]) == 1
    other = {".", ","} & set(plain[:last]) if last >= 0 else set()
    if last >= 0 and alone and (len(tail) != 3 or (other and plain[last] not in other)):
        return Decimal(re.sub(r"[.,]", "", plain[:last]) + "." + (tail or "0"))
    try:
        return Decimal(re.sub(r"[.,]", "", plain))
    except InvalidOperation as error:
        raise ValueError(text) from error


def _day(text: str, terms: Terms) -> str:
    """A day as ISO text; "03/04/2026" is the third of April unless the file shows months first."""
    text = text.strip()
    if found := re.match(r"(\d{4})-(\d\d)-(\d\d)", text):
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    forms = [*_DATES]
    if terms.month_first:
        forms.insert(0, "%m/%d/%Y")
    for form in forms:
        for part in (text, text.split(" ")[0]):
            try:
                return datetime.strptime(part, form).date().isoformat()  # a day has no zone
            except ValueError:
                continue
    raise ValueError(text)


def _instant(text: str, terms: Terms) -> str:
    """An instant in UTC; a day is its midnight, a time without a zone is the home's."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        day, _, clock = text.strip().partition(" ")
        found = datetime.fromisoformat(f"{_day(day, terms)}T{clock.strip() or '00:00'}")
    found = found if found.tzinfo else found.replace(tzinfo=terms.zone)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def months_first(columns: Sequence[Sequence[str]]) -> bool:
    """Whether dates with slashes in a file can only be read with the month before the day."""
    pairs = [found for cells in columns for text in cells if (found := re.match(r"(\d\d?)/(\d\d?)/\d{4}", text))]
    return any(int(p[2]) > 12 for p in pairs) and not any(int(p[1]) > 12 for p in pairs)
