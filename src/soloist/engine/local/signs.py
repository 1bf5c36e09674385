"""Signs: what plain patterns of four languages see in a text, as numbers for the model; no single one decides."""

from __future__ import annotations

import re

_READ = 1_500
_MOST = 3
"""How often a sign counts."""

_SIGNS: dict[str, str] = {
    # who writes needs something
    "need": (
        r"\b(?:we|i)(?:'d| would| am|'m|'re| are)? (?:need|want|like|looking|love|wonder)\w*|\bneed (?:a|"
        r"an|some|somebody|help)\b|\b(?:wir|ich) (?:brauchen?|suchen?|möchten?|hätten? gern|wünschen?|"
        r"wollen|will|würden?)\b|\b(?:brauche|suche|bräuchte)n? (?:wir|ich)\b|\b(?:nous|je) (?:cherch|"
        r"voudr|souhait|voul|aimer|reprenons|avons besoin|veux|désir)\w*|j'(?:aimerais|ai besoin)|"
        r"il (?:nous|me|lui) faut(?:drait)?|\b(?:necesit(?:o|amos)|busc(?:o|amos)|quer(?:emos|ría|íamos)|"
        r"quisi(?:era|éramos)|quiero|me gustaría|nos gustaría|hace falta)\b"
    ),
    # the reader is asked whether they need something
    "you_need": (
        r"\b(?:do|does|did|would|are|have) you(?:r \w+)? (?:need|looking|want|interested|struggl|know that"
        r"|open to|like to|have capacity)\w*|\b(?:benötigen|brauchen|suchen|möchten|wollen|wünschen|hätten"
        r"|wussten|haben) sie\b|\b(?:brauchst|suchst|willst|möchtest) du\b|avez-vous besoin|besoin d['e]|"
        r"cherchez-vous|souhaitez-vous|voulez-vous|seriez-vous intéress|\bvous (?:cherchez|souhaitez|"
        r"voulez|méritez|perdez)|¿?(?:necesita|busca|quiere|le interesa|le gustaría|quieres|necesitas|"
        r"buscas|te gustaría|sabía)\b"
    ),
    # who writes offers or praises themselves
    "we_offer": (
        r"\bwe (?:offer|provide|help|specialis|specializ|deliver|design|develop|build|guarantee|sell|"
        r"produce|print|manufacture|can (?:bring|grow|help|offer))\w*|\bour (?:team|agency|company|system|"
        r"package|service|software|experts|developers|platform|clients|programme|designers)|"
        r"we are an? [\w ]{0,30}(?:agency|company|team|manufacturer|supplier)|\bwir (?:bieten|helfen|"
        r"erstellen|entwickeln|verkaufen|liefern|fertigen|vermitteln|bringen|unterstützen|"
        r"sind ein\w* [\w ]{0,30}(?:team|agentur|unternehmen|firma|anbieter|hersteller))|"
        r"\bunser\w* (?:team|agentur|system|paket|software|experten|angebot|lösung|methode|plattform|"
        r"programm)|\bnous (?:offrons|proposons|aidons|créons|garantissons|réalisons|vendons|fabriquons|"
        r"accompagnons|sommes une? [\w ]{0,30}(?:agence|société|équipe|entreprise))|\bnotre (?:équipe|"
        r"agence|système|méthode|forfait|logiciel|solution|offre|plateforme)|\b(?:ofrecemos|ayudamos|"
        r"creamos|hacemos|vendemos|garantizamos|fabricamos|diseñamos|desarrollamos)\b|"
        r"\bnuestr[oa] (?:equipo|agencia|sistema|método|plan|programa|solución|plataforma)|"
        r"somos una (?:empresa|agencia)"
    ),
    # the reader's site or business
    "your_business": (
        r"\byour (?:website|web ?site|site|business|company|brand|domain|store|competitors?|sales|"
        r"customers|revenue|listing|social|online|rankings?|account|mailbox|profile|industry|clients)|"
        r"\bihr(?:e|en|er|em)? (?:website|webseite|seite|unternehmen|firma|geschäft|domain|konto|postfach|"
        r"mitbewerber|umsatz|branche|eintrag|auftritt|betrieb|kunden)|\bdein(?:e|en)? (?:website|webseite|"
        r"profil|business|auftritt)|\bvotre (?:site|entreprise|activité|société|compte|domaine|boîte|"
        r"profil|secteur|visibilité|inscription)|\bvos (?:concurrents|ventes|clients)|\b(?:su|tu) (?:web|"
        r"página|sitio|negocio|empresa|cuenta|dominio|buzón|perfil|sector|marca)\b|\bsus (?:competidores|"
        r"ventas|clientes)"
    ),
    # the writer's own site, house or family
    "our_own": (
        r"\b(?:our|my) (?:website|web ?site|site|shop|company|practice|business|logo|team|budget|house|"
        r"wedding|daughter|son|mother|father|husband|wife|kitchen|roof|flat|charity|club|menu|office|"
        r"guests)|\b(?:unser|mein)(?:e|en|er|em|es)? (?:website|webseite|seite|laden|firma|praxis|betrieb|"
        r"logo|team|budget|haus|hochzeit|tochter|sohn|mutter|vater|mann|frau|küche|dach|wohnung|verein|"
        r"büro|rahmen|geschäft|partner)|\b(?:notre|mon|ma) (?:site|boutique|société|cabinet|entreprise|"
        r"logo|équipe|budget|maison|mariage|fille|fils|mère|père|mari|femme|cuisine|toit|appartement|"
        r"association|bureau|domaine)|\b(?:nuestr[oa]|mi) (?:web|página|tienda|empresa|clínica|negocio|"
        r"logotipo|logo|equipo|presupuesto|casa|boda|hija|hijo|madre|padre|marido|mujer|cocina|tejado|piso"
        r"|asociación|oficina)"
    ),
    # what the reader asks for their work
    "price": (
        r"how much|what (?:do|would|is|are) (?:you|your|it|that|this)[\w ]{0,12}(?:charge|cost|price|rate|"
        r"fee|ask)|your (?:price|rate|fee|hourly)|\b(?:a|your|written) quote\b|was (?:kostet|würde|nehmen|"
        r"verlangen)|angebot (?:machen|schicken|zukommen)|kostenvoranschlag|ihr(?:e|en)? preis|combien|"
        r"quels? (?:sont vos|est votre|serait) \w+|un devis|votre tarif|cuánto|qué (?:precio|cobra)|"
        r"presupuesto|su tarifa"
    ),
    # free, guaranteed, discounted
    "free": (
        r"\bfree (?:audit|trial|sample|check|draft|consult|month|entry|demo|of charge)|guarantee|"
        r"money back|risk|no obligation|discount|kostenlos|gratis|unverbindlich|garantiert|rabatt|gratuit|"
        r"offert|sans engagement|garanti|remise|gratuit[oa]|garantiz|descuento|sin compromiso"
    ),
    "percent": r"\d ?%",
    "link": r"https?://|www\.",
    "bang": r"!",
    "money_offer": r"\b(?:from|only|just|ab|nur|schon ab|dès|à partir de|seulement|desde|solo) (?:€ ?|\$ ?|£ ?)?\d",
    "phone": r"(?:\+\d|\b0\d)[\d /.-]{6,}\d",
    # a call of some minutes
    "call": (
        r"\b(?:15|20|30|ten|fifteen)[ -]?min|quick call|short call|kurzes (?:gespräch|telefonat)|"
        r"court appel|llamada|pick a (?:time|slot)|calendar|kalender|agenda"
    ),
    # to many readers
    "bulk": (
        r"newsletter|unsubscribe|abmelden|abbestellen|désinscri|désabonn|darse de baja|you(?:'re|"
        r" are) (?:receiving|getting)|sie erhalten dies|vous recevez (?:ce|cet|cette)|recibe[s]? este|"
        r"preferences|read online|online lesen|lire en ligne|leer en línea|\b(?:dear|liebe|chers?|"
        r"queridos?) (?:all|members|readers|customers|mitglieder|leser|kund|membres|lecteurs|clients|"
        r"socios|lectores|clientes)|subscribers|register (?:now|here)|jetzt (?:anmelden|sichern|"
        r"aktualisieren)|inscrivez-vous|inscríbete|update now|mettez à jour|actualiza|\b(?:version|"
        r"versión) \d"
    ),
    # by a machine
    "auto": (
        r"automatic|automatisch|automatique|automátic|do not reply|nicht (?:auf diese|antworten)|"
        r"ne pas répondre|no responda|unattended|tracking|sendungsnummer|numéro de suivi|"
        r"número de seguimiento|has been (?:shipped|confirmed|received|completed)|wurde (?:versandt|"
        r"bestätigt|erfolgreich)|ticket|reference number|vorgangsnummer|verification code|bestätigungscode"
    ),
    # somebody who looks for a place
    "job": (
        r"internship|praktik|\bstage\b|prácticas|my cv|lebenslauf|curriculum|currículum|\bcv\b|application"
        r"|bewerb|candidature|thesis|abschlussarbeit|bachelorarbeit|mémoire|tesis|portfolio|mappe|\bbook\b"
    ),
    # a date that is there already
    "appoint": (
        r"appointment|\btermin|rendez-vous|\bcita\b|reschedul|verschieb|déplacer|aplaz|postpone|move our|"
        r"absagen|annuler|cancel"
    ),
    # an answer to something the reader asked for
    "quote_reply": (
        r"as (?:requested|agreed|discussed)|thank you for (?:your (?:request|enquiry|inquiry|order)|"
        r"asking)|vielen dank für ihre (?:anfrage|bestellung)|gern bieten wir|suite à votre demande|"
        r"tal como nos pidió|según lo solicitado|incl\.? vat|zzgl|mwst|\bht\b|\biva\b|invoice|rechnung|"
        r"facture|factura|überweis|virement|transferencia"
    ),
}
NAMES = tuple(_SIGNS)
_PATTERNS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _SIGNS.values())


def signs(subject: str, text: str) -> list[float]:
    """One number between 0 and 1 for each of NAMES."""
    read = f"{subject}\n{text[:_READ]}"
    return [min(len(pattern.findall(read)), _MOST) / _MOST for pattern in _PATTERNS]
