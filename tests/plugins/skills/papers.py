"""Files made for tests: a PDF with words at places and attached files, an office file; all invented."""

from __future__ import annotations

import ctypes
import io
import zipfile


def pdf(lines: list[tuple[float, float, str]], attached: dict[str, bytes] | None = None) -> bytes:
    """One page of A4 with words at (x, y) in points from the lower left corner; no words make a scan."""
    import pypdfium2
    from pypdfium2 import raw

    document = pypdfium2.PdfDocument.new()
    page = document.new_page(595, 842)
    font = raw.FPDFText_LoadStandardFont(document, b"Helvetica")
    for x, y, words in lines:
        one = raw.FPDFPageObj_CreateTextObj(document, font, 10)
        held = ctypes.create_string_buffer((words + "\0").encode("utf-16-le"))
        raw.FPDFText_SetText(one, ctypes.cast(held, raw.FPDF_WIDESTRING))
        raw.FPDFPageObj_Transform(one, 1, 0, 0, 1, x, y)
        raw.FPDFPage_InsertObject(page, one)
    page.gen_content()
    for name, data in (attached or {}).items():
        document.new_attachment(name).set_data(data)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def packed(parts: dict[str, str | bytes]) -> bytes:
    """A zip of parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


UBL = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:x-cac" xmlns:cbc="urn:x-cbc"><cbc:ID>RE-7</cbc:ID><cbc:IssueDate>2026-03-05</cbc:IssueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:PaymentMeans><cac:PayeeFinancialAccount><cbc:ID>{iban}</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
<cac:PaymentTerms><cbc:Note>Zahlbar innerhalb 14 Tagen</cbc:Note></cac:PaymentTerms>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">19.00</cbc:TaxAmount></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount currencyID="EUR">100.00</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">119.00</cbc:TaxInclusiveAmount></cac:LegalMonetaryTotal></Invoice>"""
