"""Words that label the fields of an invoice, strongest first, in four languages and a little of two more;"
" data only."""

from __future__ import annotations

import re

_NO = r"(?:\s?-?\s?(?:(?:nummer|nr|no|num(?:ber|[ée]ro)?|id)\b\.?|n?[°º#№]))"


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w-])(?:" + "|".join(words) + r")(?![^\W\d_])", re.IGNORECASE)


NUMBER = (
    _any(
        rf"Rechnungs?{_NO}", rf"(?:Invoice|Bill){_NO}", rf"(?:Tax|VAT) Invoice{_NO}", rf"Facture{_NO}",
        rf"Factura{_NO}", r"(?:Num[ée]ro|N[°ºo]\.?) (?:de )?(?:la )?(?:facture|factura|pi[èe]ce)",
        r"Factuurnummer", r"Faktura nr", r"Factuurnr\.?", rf"Gutschrift(?:s-?)?{_NO}", rf"Credit note{_NO}",
        rf"Avoir{_NO}", rf"Beleg{_NO}", rf"Storno(?:rechnungs)?{_NO}", rf"Document{_NO}", r"Numero fattura",
        r"\w*rechnung[^\n\d(]{0,30}(?:\(\d+\))? Nr\.?",
    ),
    _any(
        r"Handels?rechnung(?: \(\d+\))?", r"Rechnung", r"Invoice", r"Facture", r"Factura", r"Faktura",
        r"Factuur", r"Gutschrift", r"Credit note", r"Avoir",
    ),
    _any(r"(?:Nummer|Number|Num[ée]ro|N[úu]mero|Nr\.?|N[°º])(?=\s*:)"),
)  # fmt: skip
ISSUED = (
    _any(
        r"Rechnungs-?\s?datum", r"Belegdatum", r"Ausstellungsdatum", r"Invoice date", r"Date of issue",
        r"Issue date", r"Bill date", r"Date (?:de )?(?:la )?(?:facture|facturation|d.[ée]mission)",
        r"Factur[ée]e? le", r"Fecha (?:de )?(?:la )?(?:factura|emisi[óo]n|expedici[óo]n)", r"Factu+r\s?datum",
        r"Data wystawienia", r"Data fattura", r"Date de facture", r"Date d.[ée]mission", r"Gutschriftsdatum",
        r"Date issued", r"Dated",
    ),
    _any(
        r"Datum", r"Date", r"Fecha", r"vom", r"Data",
    ),
    _any(
        r"(?:Facture|Avoir|Rechnung|Gutschrift|Invoice|Factura)[^\n]{1,40}?\b(?:du|vom|of|del|dated|de)",
    ),
)  # fmt: skip
DUE = (
    _any(
        r"F[äa]llig(?:keitsdatum|keit)?(?: am| zum| bis)?", r"Zahlbar (?:bis|am)(?: zum| sp[äa]testens)?",
        r"Zahlungsziel", r"Zu zahlen bis", r"Due date", r"Payment due(?: date| by| on)?", r"Due (?:on|by)",
        r"Pay by", r"Date d.[ée]ch[ée]ance", r"[ÉE]ch[ée]ance(?: le)?", r"(?:Date )?limite de paiement(?: le)?",
        r"[AÀ] payer avant le", r"Payable le", r"(?:Fecha de )?vencimiento", r"Fecha l[íi]mite(?: de pago)?",
        r"Vervaldatum", r"Termin p[łl]atno[śs]ci", r"Scadenza", r"Date limite de r[èe]glement",
    ),
)  # fmt: skip
ORDER = (
    _any(
        rf"Bestell{_NO}", rf"Auftrags?{_NO}", r"Ihre Bestellung", rf"(?:Customer )?Order{_NO}",
        rf"Purchase order{_NO}?", rf"P\.?O\.?{_NO}", r"N[°º] de commande",
        r"(?:Num[ée]ro|R[ée]f(?:[ée]rence|\.)?) (?:de )?commande", rf"Commande{_NO}", rf"Pedido{_NO}",
        r"N[úu]mero de pedido", r"N[°º] de pedido", r"Ordernummer", r"Your (?:order|PO)", r"PO(?=:)",
    ),
    _any(
        r"Votre r[ée]f(?:[ée]rence|\.)?", r"Your ref(?:erence|\.)?", r"Su referencia", r"Ihre Referenz",
    ),
)  # fmt: skip
REFERENCE = (
    _any(
        r"Verwendungszweck", r"Zahlungsreferenz", r"Payment reference",
        r"(?:following )?communication for your payment", r"R[ée]f[ée]rence (?:de|du) (?:paiement|virement)",
        r"Referencia (?:de|del) pago", r"Concepto", r"Kassenzeichen", r"Betalingskenmerk", r"Please quote",
        r"Reference for payment",
    ),
)  # fmt: skip
GROSS = (
    _any(
        r"Rechnungs(?:gesamt)?betrag", r"(?:Rechnungs)?End(?:betrag|summe)", r"Gesamtbetrag(?: brutto)?",
        r"Brutto(?:betrag|summe|gesamt)", r"Gesamt(?:summe|preis)? ?\(?brutto\)?", r"Gesamtsumme",
        r"Summe brutto", r"Total TTC", r"Montant (?:total )?TTC", r"Total (?:toutes taxes comprises|T\.T\.C\.)",
        r"Grand total", r"(?:Invoice|Order) total", r"Total for this invoice",
        r"Total (?:amount|incl(?:uding|\.)?(?: VAT| tax)?|inc\.? VAT|gross)", r"Gross(?: amount| total)?",
        r"(?:Importe )?total (?:de la )?factura", r"Total (?:con IVA|IVA incluido)", r"Importe total",
        r"Factuur totaal", r"Totaal incl(?:usief|\.)?(?: BTW)?", r"Nale[żz]no[śs][ćc] og[óo][łl]em",
        r"Totale fattura", r"Total facture", r"Invoice amount",
    ),
    _any(
        r"Gesamt", r"Total", r"Totaal", r"Summe", r"Razem", r"Totale", r"Betrag",
    ),
)  # fmt: skip
PAYABLE = (
    _any(
        r"Zahlbetrag", r"Zahlungsbetrag", r"Zu zahlen(?:der Betrag)?", r"Zu [üu]berweisen(?:der Betrag)?",
        r"F[äa]lliger Betrag", r"Offener Betrag", r"Restbetrag", r"Noch zu zahlen", r"Amount (?:due|payable)",
        r"Balance(?: due)?", r"Total (?:amount )?due(?: on)?", r"Total to pay", r"Net [àa] payer",
        r"(?:Somme|Montant|Reste|Solde|Total) (?:[àa] payer|d[ûu])", r"Montant du pr[ée]l[èe]vement",
        r"Total a pagar", r"Importe a pagar", r"L[íi]quido a percibir", r"Te betalen", r"Do zap[łl]aty",
    ),
)  # fmt: skip
NET = (
    _any(
        r"Netto(?:betrag|summe|gesamt)", r"(?:Gesamt|Summe|Total|Rechnungssumme)[ -]?\(?netto\)?",
        r"Zwischensumme(?: netto)?", r"Rechnungssumme ohne (?:USt|MwSt)\.?", r"Summe ohne (?:USt|MwSt)\.?",
        r"Warenwert", r"Total (?:net )?(?:HT|H\.T\.|hors taxes?)", r"Montant (?:total )?HT",
        r"Sous-total(?: HT)?", r"Sub-?\s?total(?: excl\.?(?: VAT)?)?", r"Net (?:amount|total)",
        r"Total (?:net|before tax|excl(?:uding|\.)?(?: VAT| tax)?|ex\.? VAT)", r"Base imponible", r"Subtotal",
        r"Zwischentotal", r"Netto", r"Net",
        r"Total sin IVA", r"Exclusief BTW", r"Totaal excl(?:usief|\.)?(?: BTW)?", r"Subtotaal",
        r"Warto[śs][ćc] netto", r"Imponibile", r"Total bruto",
    ),
)  # fmt: skip
TAX = (
    _any(
        r"(?:zzgl\.? |zuz[üu]glich |\+ ?|plus )?(?:\d{1,2}(?:[.,]\d{1,2})? ?% ?)?(?:gesetzl\w*\.? )?(?:USt"
        r"|MwSt|Umsatzsteuer|Mehrwertsteuer)\.?",
        r"Steuerbetrag", r"(?:Montant |Total )?(?:de )?(?:la )?TVA", r"Total taxes?",
        r"(?:Total )?VAT(?: amount)?", r"(?:Sales )?Tax(?: amount| total)?", r"Total tax", r"GST",
        r"(?:Cuota |Importe |Total )?I\.?V\.?A\.?", r"BTW(?: bedrag)?", r"Kwota VAT", r"Impuestos?", r"Taxes",
    ),
)  # fmt: skip
SELLER = (
    _any(
        r"Verk[äa]ufer", r"Rechnungssteller", r"Lieferant", r"Seller", r"Sold by", r"Vendor", r"Supplier",
        r"From", r"Issued by", r"Service Provider", r"Vendeur", r"Fournisseur", r"[ÉE]metteur", r"Emisor",
        r"Vendedor", r"Proveedor", r"Sprzedawca",
    ),
)  # fmt: skip
HOLDER = re.compile(
    r"(?:(?:Konto)?inhaber|Titulaire(?: du compte)?|Account (?:name|holder)|Titular(?: de la cuenta)?"
    r"|Beg[üu]nstigter|Empf[äa]nger|B[ée]n[ée]ficiaire|Beneficiar(?:y|io))"
    r"\s*:\s*(?P<n>[^\n,;|]{3,60}?)(?= {2}| [-–] |[,;|\n]|\Z)",
    re.IGNORECASE,
)
BUYER = (
    _any(
        r"K[äa]ufer(?:/Leistungsempf[äa]nger)?", r"(?:Rechnungs|Leistungs)empf[äa]nger", r"Rechnungsadresse",
        r"Rechnung an", r"Bill(?:ed)? to(?: Address)?", r"Billing Address", r"Invoice(?:d)? to", r"Sold to",
        r"Buyer", r"Customer(?: name)?", r"Factur[ée] [àa]", r"Adresse de facturation", r"Acheteur",
        r"Factura(?:do)? a", r"Facturar a", r"Comprador", r"Destinatario", r"Datos del cliente", r"Factuuradres",
        r"Nabywca", r"Nom de l.abonn[ée]", r"Kunde", r"Client", r"Cliente",
    ),
)  # fmt: skip

WITHHELD = re.compile(r"(?<!\w)(?:Retenci[óo]n|I\.?R\.?P\.?F|Withholding|Retenue)", re.IGNORECASE)
"""Tax that the buyer keeps back and pays for the seller."""
TOWN_AND_DAY = re.compile(r"(?P<l>[^\W\d][^\d,\n]{1,30},? (?:den |le |the |a )?)(?=\d|[^\W\d]{3,9} \d)", re.IGNORECASE)
"""How letters begin: "Hamburg, den 3. März 2026"."""

KINDS = (
    ("reminder", re.compile(r"\b(?:Mahnung|Zahlungserinnerung|payment reminder|overdue notice"
    r"|past due notice|(?:lettre de )?relance|rappel de paiement|mise en demeure|recordatorio de pago"
    r"|reclamaci[óo]n de pago)\b", re.IGNORECASE)),
    ("credit_note", re.compile(r"\b(?:Gutschrift|Rechnungskorrektur|Storno(?:rechnung)?|credit (?:note"
    r"|memo)|avoir|nota de (?:cr[ée]dito|abono)|factura (?:rectificativa|de abono)|creditnota)\b", re.IGNORECASE)),
    ("invoice", re.compile(r"\b(?:\w*Rechnung|(?:tax |retail )?invoices?|factures?|facturas?|factuur"
    r"|faktura|fattura|bill)\b", re.IGNORECASE)),
)  # fmt: skip

LEGAL = re.compile(
    r"(?<!\w)(?:GmbH(?: & Co\.? KGa?A?)?|gGmbH|AG|UG(?: \(haftungsbeschr[äa]nkt\))?|KG|OHG|GbR|e\. ?[KU]\."
    r"|eG|EI|(?:PartG ?)?mbB"
    r"|e\. ?V\.|SE|Ltd\.?|Limited|LLP|LLC|PLC|Inc\.?|Corp\.?|S\.?A\.?R\.?L\.?"
    r"|SARL|SASU?|EURL|S\.A\.S?\.?|S\.?L\.?U?\.?|B\.?V\.?|N\.?V\.?|Sp\. z o\.o\.|S\.r\.l\.|Pty|a\.G\.|Oy|AB"
    r"|ApS)(?!\w)"
)
STREET = re.compile(
    r"(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|damm|ring|ufer|straat)(?!\w)"
    r"|(?<!\w)(?:street|st\.?|road|rd\.?|avenue|ave\.?|lane|drive|rue|boulevard|bd|chemin|place|quai|all[ée]e"
    r"|calle|c/|avenida|avda\.?|plaza|paseo)(?!\w)"
    r"|(?<!\w)\d{1,4} ?[a-z]?(?:-\d{1,4})?\s*\Z|\A\d{1,5}\w? ", re.IGNORECASE,
)  # fmt: skip
TOWN = re.compile(
    r"(?<!\w)(?P<c>[A-Z]{1,3}[- ])?"
    r"(?P<z>\d{4,5}(?: ?(?-i:[A-Z]{2}))?(?=\s)|\d{2}-\d{3}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})\s+"
    r"(?P<t>[^\W\d](?:(?! [-–] | cedex)[^\d,|·;]){1,40}(?: cedex \d{1,2})?)", re.IGNORECASE,
)  # fmt: skip
"""A postcode and a town in the order of the continent."""
TOWN_FIRST = re.compile(r"(?P<t>[A-Z][A-Za-z .'-]{1,40}?),? (?:[A-Z]{2}),? (?P<z>\d{5}(?:-\d{4})?)(?!\d)")
"""A town, a state and a postcode in the American order."""

HEADER = re.compile(
    r"(?<!\w)(?:pos(?:ition)?\.?|beschreibung|bezeichnung|artikel|leistung|menge|anzahl|einzelpreis|preis"
    r"|betrag|gesamt(?:preis)?|nettobetrag|zeilenbetrag"
    r"|item|description|qty|quantity|unit price|rate|price|amount|total|product|d[ée]signation|libell[ée]"
    r"|quantit[ée]|qt[ée]|p\.? ?u\.?(?: ht)?|prix(?: unitaire)?|montant(?: ht)?|nombre"
    r"|descripci[óo]n|concepto|cantidad|uds\.?|precio|importe|omschrijving|aantal|bedrag|prijs|hoeveelheid"
    r"|menge|title)(?!\w)",
    re.IGNORECASE,
)  # fmt: skip
