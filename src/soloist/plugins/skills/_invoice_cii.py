"""Cross Industry Invoices: Factur-X, ZUGFeRD 1 and 2, XRechnung CII, all profiles; it checks no sums."""

from __future__ import annotations

from soloist.plugins.skills._invoice import KINDS, Account, Invoice, Line, Party, Tax, Text
from soloist.plugins.skills._invoice_xml import Taken, either
from soloist.plugins.skills._xmltree import Element

_DATE = "DateTimeString"


def read(root: Element) -> Invoice:
    """The invoice in a CII document; for an order, only what orders share with invoices."""
    head = either(root, "ExchangedDocument", "HeaderExchangedDocument")
    trade = either(root, "SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction")
    agreed = either(trade, "ApplicableHeaderTradeAgreement", "ApplicableSupplyChainTradeAgreement")
    settled = either(trade, "ApplicableHeaderTradeSettlement", "ApplicableSupplyChainTradeSettlement")
    context = either(root, "ExchangedDocumentContext", "SpecifiedExchangedDocumentContext")
    take = Taken()
    currency = take.text(settled, "InvoiceCurrencyCode") or take.text(settled, "OrderCurrencyCode")
    take.currency = currency.value if currency else ""
    code = head.value("TypeCode") if head else ""
    order = "ORDER" in root.name.upper() or root.name == "SCRDMCCBDACIOMessageStructure"
    values = {
        "format": "zugferd-1" if root.name == "CrossIndustryDocument" else "cii",
        "kind": "order" if order else KINDS.get(code, "unknown"),
        "profile": context.value("GuidelineSpecifiedDocumentContextParameter/ID") if context else "",
        "number": take.text(head, "ID"),
        "issued": take.day(head, f"IssueDateTime/{_DATE}"),
        "due": take.day(settled, f"SpecifiedTradePaymentTerms/DueDateDateTime/{_DATE}"),
        "currency": currency,
        "seller": _party(take, either(agreed, "SellerTradeParty")),
        "buyer": _party(take, either(agreed, "BuyerTradeParty")),
        "accounts": _accounts(take, settled),
        "lines": [_line(take, one) for one in (trade.every("IncludedSupplyChainTradeLineItem") if trade else [])],
        "taxes": _taxes(take, settled),
        "payment_reference": take.text(settled, "PaymentReference"),
        "order_reference": take.text(agreed, *_reference("BuyerOrderReferencedDocument")),
        "buyer_reference": take.text(agreed, "BuyerReference"),
        "preceding": take.text(settled, *_reference("InvoiceReferencedDocument")),
        "terms": take.text(settled, "SpecifiedTradePaymentTerms/Description"),
        **_totals(take, settled),
    }
    return Invoice.model_validate({**values, "faults": take.faults})


def _reference(name: str) -> tuple[str, str]:
    return f"{name}/IssuerAssignedID", f"{name}/ID"


def _totals(take: Taken, settled: Element | None) -> dict[str, object]:
    summed = either(
        settled,
        "SpecifiedTradeSettlementHeaderMonetarySummation",
        "SpecifiedTradeSettlementMonetarySummation",
    )
    names = {
        "lines_total": "LineTotalAmount", "allowances": "AllowanceTotalAmount", "charges": "ChargeTotalAmount",
        "net": "TaxBasisTotalAmount", "gross": "GrandTotalAmount", "paid": "TotalPrepaidAmount",
        "rounding": "RoundingAmount", "payable": "DuePayableAmount",
    }  # fmt: skip
    found: dict[str, object] = {field: take.amount(summed, name) for field, name in names.items()}
    totals = summed.every("TaxTotalAmount") if summed else []
    own = [one for one in totals if one.attributes.get("currencyID", take.currency) == take.currency]
    found["tax"] = take.money(own[0]) if own and own[0].text.strip() else None
    return found


def _party(take: Taken, one: Element | None) -> Party:
    address = either(one, "PostalTradeAddress")
    numbers: dict[str, Text | None] = {}
    for each in one.every("SpecifiedTaxRegistration/ID") if one else []:
        kind = "vat" if each.attributes.get("schemeID", "VA").upper() in ("VA", "VAT") else "tax_number"
        if each.text.strip():
            numbers.setdefault(kind, take.own(each))
    return Party(
        name=take.text(one, "Name"),
        street=take.text(address, "LineOne", "StreetName"),
        postcode=take.text(address, "PostcodeCode"),
        city=take.text(address, "CityName"),
        country=take.text(address, "CountryID"),
        email=take.text(one, "DefinedTradeContact/EmailURIUniversalCommunication/URIID"),
        vat=numbers.get("vat"),
        tax_number=numbers.get("tax_number"),
    )


def _accounts(take: Taken, settled: Element | None) -> list[Account]:
    found: list[Account] = []
    for means in settled.every("SpecifiedTradeSettlementPaymentMeans") if settled else []:
        iban = take.text(means, "PayeePartyCreditorFinancialAccount/IBANID")
        if iban and all(iban.value != one.iban.value for one in found):
            found.append(Account(iban=iban, bic=take.text(means, "PayeeSpecifiedCreditorFinancialInstitution/BICID")))
    return found


def _taxes(take: Taken, settled: Element | None) -> list[Tax]:
    return [
        Tax(
            rate=one.value("RateApplicablePercent") or one.value("ApplicablePercent"),
            basis=take.amount(one, "BasisAmount"),
            tax=take.amount(one, "CalculatedAmount"),
        )
        for one in (settled.every("ApplicableTradeTax") if settled else [])
    ]


def _line(take: Taken, one: Element) -> Line:
    agreed = either(one, "SpecifiedLineTradeAgreement", "SpecifiedSupplyChainTradeAgreement")
    delivered = either(one, "SpecifiedLineTradeDelivery", "SpecifiedSupplyChainTradeDelivery")
    settled = either(one, "SpecifiedLineTradeSettlement", "SpecifiedSupplyChainTradeSettlement")
    summed = either(
        settled, "SpecifiedTradeSettlementLineMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"
    )
    billed = either(delivered, "BilledQuantity", "RequestedQuantity")
    names = ("SpecifiedTradeProduct/Name", "SpecifiedTradeProduct/Description")
    note = take.text(one, *names, "AssociatedDocumentLineDocument/IncludedNote/Content")
    line = either(one, "AssociatedDocumentLineDocument")
    status = line.value("LineStatusReasonCode").upper() if line else ""
    return Line(
        name=note,
        quantity=take.own(billed),
        unit=billed.attributes.get("unitCode", "") if billed else "",
        price=take.text(agreed, "NetPriceProductTradePrice/ChargeAmount"),
        rate=take.text(settled, "ApplicableTradeTax/RateApplicablePercent", "ApplicableTradeTax/ApplicablePercent"),
        total=take.amount(summed, "LineTotalAmount"),
        counts=status not in ("GROUP", "INFORMATION"),
    )
