"""Electronic invoices as XML: which format a document is, and what both formats share; it reads no PDF."""

from __future__ import annotations

import re
from datetime import date

from soloist.plugins.skills import _xmltree
from soloist.plugins.skills._invoice import Amount, Day, Source, Text, minor
from soloist.plugins.skills._xmltree import Element

CII = {"CrossIndustryInvoice", "CrossIndustryDocument", "SCRDMCCBDACIOMessageStructure", "CrossIndustryOrder"}
UBL = {"Invoice", "CreditNote"}
_SPACES = ("urn:oasis:names:specification:ubl:schema:xsd:", "urn:un:unece:uncefact:", "urn:ferd:")


def family(root: Element) -> str:
    """ "cii", "ubl", or "" for anything else."""
    if not root.space.startswith(_SPACES):
        return ""
    return "cii" if root.name in CII else "ubl" if root.name in UBL else ""


def looks_like(blob: bytes) -> bool:
    """Whether bytes begin like XML."""
    head = blob[:200].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith((b"<?xml", b"<!--")) or re.match(rb"<[A-Za-z][\w.-]*:?\w*[\s>]", head) is not None


def open_xml(blob: bytes) -> tuple[Element | None, str]:
    """The root of an electronic invoice; else None and why it is not read as one."""
    try:
        root = _xmltree.parse(blob)
    except _xmltree.Refused as refused:
        return None, str(refused)
    if not family(root):
        return None, f"The XML is no invoice that is known here: it begins with {root.name[:60]}."
    return root, ""


class Taken:
    """Takes values out of elements with their source; ``faults`` collects what stands there and cannot be read."""

    def __init__(self, currency: str = "") -> None:
        self.currency = currency
        self.faults: list[str] = []

    def text(self, one: Element | None, *ways: str) -> Text | None:
        """The first of several ways that has text."""
        return self.own(first(one, *ways))

    def own(self, one: Element | None) -> Text | None:
        """The text of an element itself."""
        said = one.text.strip() if one else ""
        return Text(value=re.sub(r"\s+", " ", said), source=source(one)) if one and said else None

    def day(self, one: Element | None, *ways: str) -> Day | None:
        """A date: ISO (UBL), YYYYMMDD (CII, format 102) or with a time behind it."""
        found = first(one, *ways)
        if found is None:
            return None
        said = found.text.strip()
        match = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", said)
        try:
            value = date(*map(int, match.groups())) if match else None
        except ValueError:
            value = None
        if value is None:
            self.faults.append(f"{found.path}: {said[:40]!r} is no date.")
            return None
        return Day(value=value.isoformat(), source=source(found))

    def amount(self, one: Element | None, *ways: str) -> Amount | None:
        """An amount in the document's currency, or the one that its attribute names."""
        found = first(one, *ways)
        return None if found is None else self.money(found)

    def money(self, found: Element) -> Amount | None:
        """The amount of one element."""
        currency = found.attributes.get("currencyID", "").strip() or self.currency
        value = minor(found.text, currency)
        if value is None:
            self.faults.append(f"{found.path}: {found.text.strip()[:40]!r} is no amount of {currency or 'money'}.")
            return None
        return Amount(minor=value, currency=currency, source=source(found))


def first(one: Element | None, *ways: str) -> Element | None:
    """The first element with text down one of several ways."""
    if one is None:
        return None
    return next((found for way in ways for found in one.every(way) if found.text.strip()), None)


def either(one: Element | None, *names: str) -> Element | None:
    """The first child with one of several names."""
    return next((found for name in names if one and (found := one.find(name))), None)


def source(one: Element) -> Source:
    """Where an element stands and what it says."""
    return Source(where="xml", path=one.path, said=one.text.strip())
