"""The words of discounts, guarantees, titles and durations in a draft; it judges nothing."""

from __future__ import annotations

import re

_DISCOUNTS = {
    "en": r"discount(?:s|ed)?|free of charge|for free|at no (?:extra )?(?:cost|charge)|complimentary|half price"
    r"|on the house"
    r"|rebate|waive[sd]?|special price|reduced price|no charge",
    "de": r"rabatt\w*|kostenlos\w*|kostenfrei\w*|gratis|umsonst|nachlass|skonto|sonderpreis|geschenkt|halber preis"
    r"|ohne (?:aufpreis|mehrkosten|berechnung)|gutschein\w*|vergünstig\w*",
    "fr": r"remise|réduction|gratuit(?:e|s|es|ement)?|offerte?s?|rabais|sans (?:frais|supplément)|prix spécial"
    r"|moitié prix"
    r"|ristourne|bon de réduction",
    "es": r"descuentos?|gratis|gratuit[oa]s?|sin (?:coste|costo|cargo|recargo)|rebajas?|precio especial|mitad de precio"
    r"|regalad[oa]|de regalo|cupón",
}
DISCOUNT = {code: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for code, words in _DISCOUNTS.items()}
_GUARANTEES = {
    "en": r"guarantee[sd]?|money[- ]back|full refund|refund(?:s|ed)?|warrant(?:y|ies)|unlimited|lifetime|risk[- ]free"
    r"|100 ?%|without (?:any )?(?:risk|exception)|no matter what|exclusive rights?|free revisions?",
    "de": r"garanti\w+|geld[- ]zurück\w*|rückerstatt\w+|erstatten wir|unbegrenzt\w*|lebenslang\w*|risikofrei|100 ?%"
    r"|ohne (?:jedes )?risiko|in jedem fall|gewährleist\w+|exklusivrechte?|auf jeden fall pünktlich",
    "fr": r"garanti\w*|rembours\w+|illimitée?s?|à vie|sans (?:aucun )?risque|100 ?%|quoi qu['’]il arrive"
    r"|droits? exclusifs?",
    "es": r"garantiz\w+|garantía|reembols\w+|devol(?:vemos|veremos|ución) (?:el|del) dinero|ilimitad[oa]s?|de por vida"
    r"|sin (?:ningún )?riesgo|100 ?%|pase lo que pase|derechos exclusivos",
}
GUARANTEE = {code: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for code, words in _GUARANTEES.items()}
VAGUE = re.compile(
    r"\b(?:get back|let you know|come back|follow up|be in touch|check|clarify|melde\w* (?:mich|uns|ich|wir)|gebe \w+ "
    r"bescheid|prüf\w*|klär\w*|schau\w*|reviens|reviendr\w+|tiens? (?:vous|te) (?:au courant|informé)|vérifi\w*"
    r"|me pondré|aviso|avisaré|digo|diré|revisar\w*|nos pondremos)\b",
    re.IGNORECASE,
)
"""Promises to answer or look, which bind to little."""
DURATION = (
    r"(?<![\w.,])(?:\d{1,3}|two|three|four|five|six|zwei|drei|vier|fünf|sechs|deux|trois|quatre|cinq|dos|tres"
    r"|cuatro|cinco"
    r")(?:\s?[-–]\s?\d{1,3})?[\s-](?:working |business |calendar )?(?:hours?|minutes?|days?|weeks?|months?|years?"
    r"|stunden?|minuten?|(?:werk|arbeits|kalender)?tag(?:e|en)?|wochen?|monat(?:e|en)?|jahre?n?|heures?|minutes?|jours?"
    r"|semaines?|mois|ans?|années?|horas?|minutos?|d[íi]as?|semanas?|mes(?:es)?|años?)(?:[ ](?:ouvr[ée]s?|ouvrables?"
    r"|hábiles|laborables))?(?!\w)"
)
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][\w’'-]+"
TITLED = re.compile(
    r"(?<!\w)(?:(?:Mrs?|Ms|Dr|Prof|Mme|Mlle|M|Sra?|Srta|Hr|Fr)\.?|Herrn?|Frau|Madame|Monsieur|Señora?|Don|Doña|Mister"
    r"|[Ll]iebe[rs]?|[Hh]allo|[Hh]ello|[Hh]i|[Dd]ear|[Bb]onjour|[Cc]hère?s?|[Hh]ola|[Qq]uerid[oa]s?|[Ee]stimad[oa]s?"
    r"|[Cc]olleague|[Pp]artner|[Kk]ollegin|[Kk]ollege|[Pp]artnerin|[Cc]ollègue|[Cc]olega|[Cc]ompañer[oa])[ \t]+"
    r"(?:(?:Mrs?|Ms|Dr|Prof|Mme|Sra?|Frau|Herrn?|Madame|Monsieur)\.?[ \t]+)*"
    rf"(?P<name>{_CAPITAL}(?:[ ]{_CAPITAL})?)"
)
"""A title, a greeting or a role, and the name behind it."""
EVERYDAY = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday"
    " thursday friday saturday sunday januar februar marz mai juni juli oktober dezember montag dienstag mittwoch"
    " donnerstag freitag samstag sonntag english german french spanish deutsch deutsche englisch franzosisch spanisch"
    " europe european euro euros germany france spain i ok pdf seo css html faq vat mwst tva iva eur usd gbp chf "
    "english"
    " french internet web website email e-mail wordpress shopify google instagram facebook linkedin team all alle"
    " zusammen together everyone everybody there tous toutes todos todas equipo equipe sie ihnen ihr ihre ihren ihrem"
    " best kind warm regards viele grusse gruss mit freundlichen freundliche beste liebe herzliche herzlichen dank"
    " vielen guten tag morgen abend sincerely yours cordialement bien saludos cordiales atentamente thank you thanks"
    " sir madam madame monsieur damen herren sehr geehrte geehrter dear re aw fwd ps".split()
)
SMALL = frozenset(
    "will with that this from your have been they them then than when what which would could should about there their"
    " werde werden wird wurde sind haben habe hatte ihnen ihre ihren eine einen einer einem nicht auch noch dann dass"
    " diese dieser dieses uber nach beim fur vous votre nous notre avec pour dans cette sera serai etre avoir plus tres"
    " usted para como este esta estos estas sera estar haber desde sobre nuestro nuestra tambien muy".split()
)
