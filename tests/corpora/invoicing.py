"""How well invoices are read: flat fields of ours, the labels they are held against, and the counts; it reads no files.

invoices.json holds for every electronic invoice of the corpora the fields on which our reader and factur-x 7.8 agree;
where they differed (3 fields) or factur-x failed (5 files), the XML was looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

LABELS = Path(__file__).parent / "invoices.json"
SETS = {"facturx": "*.xml", "xrechnung_cii": "*.xml", "xrechnung_ubl": "*.xml", "facturx_pdf": "*.pdf"}
FROM_PAPER = ("number", "issued", "due", "kind", "currency", "seller", "seller_vat", "seller_tax", "seller_street",
              "seller_postcode", "seller_city", "buyer", "buyer_street", "buyer_postcode", "buyer_city", "iban", "bic",
              "net", "tax", "gross", "payable", "lines")  # fmt: skip
"""Fields that the PDF beside an XML also shows."""
APART = {"ZUGFeRD_2.0_fully_compliant_complete.pdf"}
"""Its paper is an invoice over marks, its XML one over euros: the XML says nothing about the paper."""


@dataclass
class Counts:
    """``right`` and ``wrong`` of the ``labels`` labelled fields, those left empty, and values where no label is."""

    labels: int = 0
    right: int = 0
    wrong: int = 0
    extra: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        """Share of the labelled fields that were answered."""
        return (self.right + self.wrong) / self.labels if self.labels else 0.0

    @property
    def exact(self) -> float:
        """Share of the labelled fields that were answered exactly."""
        return self.right / self.labels if self.labels else 0.0

    @property
    def accuracy(self) -> float:
        """Share of the answers that are exact."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0


def labels() -> dict[str, dict[str, Any]]:
    """The labels by file name."""
    found: dict[str, dict[str, Any]] = json.loads(LABELS.read_text(encoding="utf-8"))
    return found


def flat(invoice: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of our output as they are labelled: text, ISO days, minor units."""
    one = invoice
    account = (one["accounts"] or [{}])[0]
    found: dict[str, Any] = {
        "kind": one["kind"] if one["kind"] != "unknown" else None,
        "order": _value(one["order_reference"]),
        "reference": _value(one["payment_reference"]),
        "iban": _value(account.get("iban")),
        "bic": _value(account.get("bic")),
        "lines": [line["total"]["minor"] for line in one["lines"] if line["total"]] or None,
    }
    found |= {name: _value(one[name]) for name in ("number", "issued", "due", "currency")}
    found |= {name: one[name] and one[name]["minor"] for name in ("net", "tax", "gross", "payable")}
    for who in ("seller", "buyer"):
        names = {"": "name", "_vat": "vat", "_tax": "tax_number", "_street": "street"}
        names |= {"_postcode": "postcode", "_city": "city"}
        found |= {who + end: _value(one[who][name]) for end, name in names.items()}
    if one["due"] and one["due"]["computed"] and one["format"] != "text":
        found["due"] = None  # a labelled due day is one that the XML names
    return {name: value for name, value in found.items() if value not in (None, "")}


def _value(one: Any) -> Any:
    return one["value"] if one else None


def supplied(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of invoice2data's expectations that have a place in ours."""
    names = {"invoice_number": "number", "date": "issued", "date_due": "due", "currency": "currency", "iban": "iban",
             "bic": "bic", "vat": "seller_vat", "order_id": "order", "payment_reference": "reference"}  # fmt: skip
    found = {ours: raw[theirs] for theirs, ours in names.items() if raw.get(theirs)}
    money = {"amount": "gross", "amount_untaxed": "net", "amount_tax": "tax"}
    found |= {ours: int(Decimal(str(raw[name])).scaleb(2)) for name, ours in money.items() if raw.get(name) is not None}
    for name in ("issued", "due"):
        if isinstance(found.get(name), datetime):
            found[name] = found[name].date().isoformat()
    return {name: str(value)[:10] if name in ("issued", "due") else value for name, value in found.items()}


def count(counts: Counts, name: str, gold: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Hold one file's fields against its labels."""
    for key, wanted in gold.items():
        counts.labels += 1
        if key not in found:
            counts.faults.append(f"{name} {key}: nothing, {wanted!r} is there")
        elif _same(key, wanted, found[key]):
            counts.right += 1
        else:
            counts.wrong += 1
            counts.faults.append(f"{name} {key}: {found[key]!r} instead of {wanted!r}")
    counts.extra += len(set(found) - set(gold))


def _same(key: str, wanted: Any, found: Any) -> bool:
    """Equal but for blanks, and for punctuation in numbers of firms, accounts and invoices."""
    if isinstance(wanted, list) or isinstance(found, list):
        return wanted == found
    a, b = (" ".join(str(value).split()) for value in (wanted, found))
    if key in ("iban", "bic", "seller_vat", "buyer_vat", "seller_tax", "buyer_tax"):
        a, b = (re.sub(r"[^A-Z0-9]", "", value.upper()) for value in (a, b))
    return a.lstrip("#") == b.lstrip("#")


def measured(corpora: Path, read: Any, paper: Any) -> dict[str, Counts]:
    """Counts by set: ``read(path)`` answers flat fields of a file, ``paper(path)`` those of a PDF's words alone."""
    folder, gold = corpora / "corpora" / "invoices", labels()
    found: dict[str, Counts] = {}
    for name, pattern in SETS.items():
        counts = found[name] = Counts()
        for path in sorted((folder / name).glob(pattern)):
            count(counts, path.name, gold[path.name], read(path))
    words = found["papers with XML beside"] = Counts()
    for path in sorted([*folder.glob("facturx_*/*.pdf"), folder / "invoice2data/AzureInterior.pdf"]):
        if path.name not in APART:
            shown = {key: value for key, value in gold[path.name].items() if key in FROM_PAPER}
            count(words, path.name, shown, paper(path))
    supplier = found["invoice2data"] = Counts()
    for path in sorted((folder / "invoice2data").glob("*.json")):
        wanted = supplied(json.loads(path.read_text(encoding="utf-8"))[0])
        source = next(one for one in (path.with_suffix(".pdf"), path.with_suffix(".txt")) if one.is_file())
        count(supplier, path.stem, wanted, paper(source))
    return found


def line(name: str, counts: Counts) -> str:
    """One set as a line for people."""
    return (
        f"{name:<24}{counts.labels:>5} fields, exact {counts.exact:>6.1%}, coverage {counts.coverage:>6.1%},"
        f" accuracy of answers {counts.accuracy:>6.1%}, {counts.extra} beyond the labels"
    )
