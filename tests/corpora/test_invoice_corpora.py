"""Invoices of the corpora: exact fields and coverage by set, files that must not pass in silence, and hostile bytes."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from soloist.plugins.skills import _invoice_text, _pdf
from soloist.plugins.skills.read_document import read_document
from soloist.plugins.skills.read_invoice import read_invoice
from tests.corpora import invoicing

pytestmark = pytest.mark.corpora


def whole(path: Path) -> dict[str, Any]:
    return invoicing.flat(read_invoice.call({}, path.read_bytes())["invoice"])


def paper(path: Path) -> dict[str, Any]:
    """What the words alone say, as if no XML were there."""
    if path.suffix == ".txt":
        return invoicing.flat(read_invoice.call({"text": path.read_text(encoding="utf-8")}, b"")["invoice"])
    pages = _pdf.read(path.read_bytes(), layout=True).pages
    return invoicing.flat(_invoice_text.read("\n\n".join(pages)).model_dump(mode="json"))


def test_fields_of_invoices_by_set(corpora: Path):
    started = time.process_time()
    found = invoicing.measured(corpora, whole, paper)
    spent = time.process_time() - started
    print(f"\ninvoices, {spent:.2f} s of CPU", *(invoicing.line(*one) for one in found.items()), sep="\n  ")
    print(*(fault for counts in found.values() for fault in counts.faults), sep="\n  ")
    electronic = [found[name] for name in invoicing.SETS]
    assert [counts.exact for counts in electronic] == [1.0] * len(electronic)
    assert [counts.extra for counts in electronic] == [0] * len(electronic)
    assert found["papers with XML beside"].exact >= 0.85
    assert found["papers with XML beside"].accuracy >= 0.93
    assert found["invoice2data"].exact >= 0.85


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("FNFE-factur-x-examples__Avoir_FR_type380_MINIMUM.pdf", {"kind"}),
        ("ZUGFeRD_2.0_fully_compliant_complete.pdf", {"gross", "currency"}),
    ],
)
def test_a_paper_that_says_otherwise_than_its_xml_is_named(corpora: Path, name: str, fields: set[str]):
    found = read_invoice.call({}, (corpora / "corpora/invoices/facturx_fail" / name).read_bytes())
    assert {one["field"] for one in found["conflicts"]} == fields


def test_papers_that_agree_with_their_xml_raise_no_alarm(corpora: Path):
    files = sorted((corpora / "corpora/invoices/facturx_pdf").glob("*.pdf"))
    assert [read_invoice.call({}, file.read_bytes())["conflicts"] for file in files] == [[]] * len(files)


def test_damaged_invoices_never_raise(corpora: Path):
    chance = random.Random(7)
    files = [path for path in sorted((corpora / "corpora/invoices").rglob("*.*")) if path.suffix in (".pdf", ".xml")]
    for path in files:
        data = bytearray(path.read_bytes())
        for _ in range(20):
            data[chance.randrange(len(data))] = chance.randrange(256)
        assert read_invoice.call({}, bytes(data))["invoice"]["format"]
        assert read_document.call({}, bytes(data[: len(data) // 2]))["kind"]
