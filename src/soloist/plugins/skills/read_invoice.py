"""The skill ``read_invoice``: an invoice as data, from XML, from a PDF with XML in it, or by rules from its words.

Every value names the place it was read at; what is not found is absent, and trust comes from checks that are listed.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills import (
    _invoice_checks,
    _invoice_cii,
    _invoice_text,
    _invoice_ubl,
    _invoice_xml,
    _mime,
    _pdf,
    _terms,
)
from soloist.plugins.skills._invoice import Check, Conflict, Day, Invoice
from soloist.sdk import skill

PAGES = 30
_NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml", "order-x.xml")


class In(Frozen):
    """A text to read when there is no file; else the file is the blob: PDF, XML or plain text.

    ``part`` is the file's place in a raw mail when the mail is given, -1 when the file itself is.
    """

    text: str = Field(default="", description="the words of an invoice, when there is no file")
    part: int = Field(default=-1, ge=-1)


class Out(Frozen):
    """The invoice, its checks, where data and paper differ, and the text that places of the paper point into."""

    invoice: Invoice
    checks: list[Check] = Field(default=[])
    conflicts: list[Conflict] = Field(default=[])
    faults: list[str] = Field(default=[])
    text: str = ""


@skill("read_invoice", version="1")
def read_invoice(value: In, blob: bytes) -> Out:
    """Read an invoice: Factur-X, ZUGFeRD, XRechnung, UBL, or a paper in German, English, French or Spanish."""
    if value.part >= 0:
        blob = _mime.part_bytes(blob, value.part)[2]
    if blob[:1024].lstrip().startswith(b"%PDF-") or b"%PDF-" in blob[:1024]:
        return _of_pdf(blob)
    if _invoice_xml.looks_like(blob):
        root, why = _invoice_xml.open_xml(blob)
        return _of_xml(root) if root else Out(invoice=Invoice(format="none"), faults=[why])
    if b"\x00" in blob[:4096]:
        return Out(invoice=Invoice(format="none"), faults=["This is no PDF, no XML and no text; it was not read."])
    return _of_text(value.text or blob[:4_000_000].decode("utf-8", "replace"))


def _of_pdf(blob: bytes) -> Out:
    """XML of the PDF when there is some that can be read, compared with the paper; else the paper."""
    pdf = _pdf.read(blob, layout=True, most_pages=PAGES, attachments=True)
    text = "\n\n".join(pdf.pages)[: _invoice_text.LIMIT]
    faults = list(pdf.faults)
    for name in sorted(pdf.attached, key=lambda name: (name.lower() not in _NAMES, name)):
        if not name.lower().endswith(".xml"):
            continue
        root, why = _invoice_xml.open_xml(pdf.attached[name])
        if root is None:
            faults.append(f"{name}: {why}")
            continue
        found = _of_xml(root)
        known = "factur-x" if found.invoice.format == "cii" else found.invoice.format
        invoice = found.invoice.model_copy(update={"format": known})
        apart = _invoice_checks.conflicts(invoice, _invoice_text.read(text), text) if text.strip() else []
        return found.model_copy(
            update={"invoice": invoice, "conflicts": apart, "faults": [*faults, *found.faults], "text": text}
        )
    if not text.strip():
        faults = faults or ["The PDF has no text."]
        return Out(invoice=Invoice(format="none"), faults=faults)
    found = _of_text(text)
    return found.model_copy(update={"faults": [*faults, *found.faults]})


def _of_xml(root: Any) -> Out:
    """An invoice in XML, with the due day from its terms when it names none."""
    reader = _invoice_cii if _invoice_xml.family(root) == "cii" else _invoice_ubl
    invoice = reader.read(root)
    if invoice.due is None and invoice.terms:
        issued = date.fromisoformat(invoice.issued.value) if invoice.issued else None
        last = _terms.due(_terms.find(invoice.terms.source.said, issued))
        if last:
            invoice = invoice.model_copy(
                update={"due": Day(value=last.day, source=invoice.terms.source, computed=True)}
            )
    return Out(invoice=invoice, checks=_invoice_checks.checks(invoice), faults=invoice.faults)


def _of_text(text: str) -> Out:
    text = text.replace("\r\n", "\n").replace("\r", "\n")[: _invoice_text.LIMIT]
    invoice = _invoice_text.read(text)
    return Out(invoice=invoice, checks=_invoice_checks.checks(invoice), faults=invoice.faults, text=text)
