"""UBL 2.1 invoices and credit notes: Peppol BIS Billing, XRechnung UBL; it checks no sums."""

from __future__ import annotations

from soloist.plugins.skills._invoice import KINDS, Account, Invoice, Line, Party, Tax, Text
from soloist.plugins.skills._invoice_xml import Taken, either, first
from soloist.plugins.skills._xmltree import Element


def read(root: Element) -> Invoice:
    """The invoice or credit note in a UBL document."""
    take = Taken()
    currency = take.text(root, "DocumentCurrencyCode")
    take.currency = currency.value if currency else ""
    credit = root.name == "CreditNote"
    kind = KINDS.get(root.value("CreditNoteTypeCode" if credit else "InvoiceTypeCode"), "unknown")
    line = "CreditNoteLine" if credit else "InvoiceLine"
    values = {
        "format": "ubl",
        "kind": "credit_note" if credit and kind in ("unknown", "invoice") else kind,
        "profile": root.value("CustomizationID"),
        "number": take.text(root, "ID"),
        "issued": take.day(root, "IssueDate"),
        "due": take.day(root, "DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/PaymentDueDate"),
        "currency": currency,
        "seller": _party(take, root.find("AccountingSupplierParty/Party")),
        "buyer": _party(take, root.find("AccountingCustomerParty/Party")),
        "accounts": _accounts(take, root),
        "lines": [_line(take, one, credit=credit) for one in root.every(line)],
        "taxes": _taxes(take, root),
        "payment_reference": take.text(root, "PaymentMeans/PaymentID"),
        "order_reference": take.text(root, "OrderReference/ID"),
        "buyer_reference": take.text(root, "BuyerReference"),
        "preceding": take.text(root, "BillingReference/InvoiceDocumentReference/ID"),
        "terms": take.text(root, "PaymentTerms/Note"),
        **_totals(take, root),
    }
    return Invoice.model_validate({**values, "faults": take.faults})


def _totals(take: Taken, root: Element) -> dict[str, object]:
    summed = either(root, "LegalMonetaryTotal", "RequestedMonetaryTotal")
    names = {
        "lines_total": "LineExtensionAmount", "allowances": "AllowanceTotalAmount", "charges": "ChargeTotalAmount",
        "net": "TaxExclusiveAmount", "gross": "TaxInclusiveAmount", "paid": "PrepaidAmount",
        "rounding": "PayableRoundingAmount", "payable": "PayableAmount",
    }  # fmt: skip
    found: dict[str, object] = {field: take.amount(summed, name) for field, name in names.items()}
    amounts = [one for one in root.every("TaxTotal/TaxAmount") if one.text.strip()]
    own = [one for one in amounts if one.attributes.get("currencyID", take.currency) == take.currency]
    found["tax"] = take.money(own[0]) if own else None
    return found


def _party(take: Taken, one: Element | None) -> Party:
    address = one.find("PostalAddress") if one else None
    numbers: dict[str, Text] = {}
    for scheme in one.every("PartyTaxScheme") if one else []:
        kind = "vat" if scheme.value("TaxScheme/ID").upper() in ("VAT", "VA", "") else "tax_number"
        if found := take.text(scheme, "CompanyID"):
            numbers.setdefault(kind, found)
    return Party(
        name=take.text(one, "PartyLegalEntity/RegistrationName", "PartyName/Name"),
        street=take.text(address, "StreetName", "AddressLine/Line"),
        postcode=take.text(address, "PostalZone"),
        city=take.text(address, "CityName"),
        country=take.text(address, "Country/IdentificationCode"),
        email=take.text(one, "Contact/ElectronicMail"),
        vat=numbers.get("vat"),
        tax_number=numbers.get("tax_number"),
    )


def _accounts(take: Taken, root: Element) -> list[Account]:
    found: list[Account] = []
    for means in root.every("PaymentMeans/PayeeFinancialAccount"):
        iban = take.text(means, "ID")
        if iban and all(iban.value != one.iban.value for one in found):
            branch = "FinancialInstitutionBranch"
            bic = take.text(means, f"{branch}/ID", f"{branch}/FinancialInstitution/ID")
            found.append(Account(iban=iban, bic=bic))
    return found


def _taxes(take: Taken, root: Element) -> list[Tax]:
    return [
        Tax(
            rate=one.value("TaxCategory/Percent") or one.value("Percent"),
            basis=take.amount(one, "TaxableAmount"),
            tax=take.amount(one, "TaxAmount"),
        )
        for one in root.every("TaxTotal/TaxSubtotal")
        if (own := first(one, "TaxAmount")) and own.attributes.get("currencyID", take.currency) == take.currency
    ]


def _line(take: Taken, one: Element, *, credit: bool) -> Line:
    billed = one.find("CreditedQuantity" if credit else "InvoicedQuantity")
    return Line(
        name=take.text(one, "Item/Name", "Item/Description"),
        quantity=take.own(billed),
        unit=billed.attributes.get("unitCode", "") if billed else "",
        price=take.text(one, "Price/PriceAmount"),
        rate=take.text(one, "Item/ClassifiedTaxCategory/Percent"),
        total=take.amount(one, "LineExtensionAmount"),
    )
