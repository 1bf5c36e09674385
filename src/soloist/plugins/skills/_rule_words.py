"""The forms in which people say a standing rule, in four languages; it decides nothing.

Each form is a pattern over a sentence whose quoted texts were put aside: ``§0`` stands for the first, ``§1`` for the
second. ``{x}`` is the quoted text that is meant, ``{y}`` the one to be replaced, ``{who}`` somebody in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

X, Y = r"§(?P<x>\d)", r"§(?P<y>\d)"
WHO = r"(?P<who>[^§]{2,80}?)"
_FILL = {"x": X, "y": Y, "who": WHO}

_TO_EN = r"(?: (?:in (?:mails?|replies|letters) )?(?:to|for|with|in) (?P<to>[^§]{2,80}?))?"
_TO_DE = r"(?: (?:in mails )?(?:an|für|bei|in) (?P<to>[^§]{2,80}?))?"
_TO_FR = r"(?: (?:à|pour|avec|dans) (?P<to>[^§]{2,80}?))?"
_TO_ES = r"(?: (?:a|para|con|en) (?P<to>[^§]{2,80}?))?"

FORMS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "en": {
        "replace": (
            rf"(?:write|say|use|put) {X} (?:instead of|rather than|and not|not|never) {Y}{_TO_EN}",
            rf"(?:replace|change) {Y} (?:with|by|to) {X}{_TO_EN}",
            rf"instead of {Y},? (?:write|say|use|put) {X}{_TO_EN}",
        ),
        "avoid": (
            rf"(?:never|don't|do not|stop) (?:ever )?(?:writ(?:e|ing)|say(?:ing)?|us(?:e|ing)|mention(?:ing)?)"
            rf"(?: the words?)? {X}(?: again| any ?more)?{_TO_EN}",
            rf"avoid (?:the words? )?{X}{_TO_EN}",
        ),
        "sign": (
            rf"sign(?: off)?(?: (?:my )?(?:mails?|replies|letters))?{_TO_EN} (?:as|with) {X}",
            rf"sign(?: off)?(?: (?:my )?(?:mails?|replies|letters))? (?:as|with) {X}{_TO_EN}",
        ),
        "greet": (
            rf"(?:greet|address) (?P<to>[^§]{{2,80}}?) (?:as|with) {X}",
            rf"(?:start|begin) (?:mails?|replies|letters|every mail)(?: (?:to|for) (?P<to>[^§]{{2,80}}?))? with {X}",
        ),
        "include": (
            rf"(?:add|include|append|mention|write) {X}(?: (?:at the end(?: of)?|to|in|under|below))*"
            rf"(?: (?:every|each|all|my) (?:reply|replies|mails?|letters?))?{_TO_EN}",
            rf"(?:end|finish|close) (?:every|each|all|my)? ?(?:reply|replies|mails?|letters?){_TO_EN} with {X}",
        ),
        "language": (
            r"(?:answer|write|reply|speak)(?: to)? (?P<to>[^§]{2,80}?) in (?P<tongue>\w+)",
            r"(?:answer|write|reply) in (?P<tongue>\w+) to (?P<to>[^§]{2,80}?)",
        ),
        "above": (
            r"ask me (?:first )?(?:before|about|for) (?:\w+ ){0,5}?(?:above|over|more than|from) "
            r"(?P<amount>[^§]{2,24})",
        ),
        "ask": (
            rf"ask me (?:first )?before (?:anything |something |a (?:mail|reply|letter) |you )?"
            rf"(?:goes|is sent|write|send(?: anything| a mail)?|reply|answer)(?: to)? {WHO}",
            r"ask me (?:first )?before (?:writing|replying|sending (?:anything|mails?|a mail)|answering)(?: to)? "
            rf"{WHO}",
        ),
        "aside": (
            rf"(?:never|don't|do not) (?:ever )?(?:answer|reply to) (?:the |any )?"
            rf"(?:mails?|messages?|letters?|everything|anything) from {WHO}",
            rf"(?:ignore|file(?: away)?|put aside|set aside|skip) (?:the |all |any )?"
            rf"(?:mails?|messages?|letters?|everything|anything) (?:from|by) {WHO}",
        ),
        "never": (
            rf"never (?:write|send|mail)(?: anything| a mail| mails?)? to {WHO}",
            rf"(?:don't|do not) (?:ever )?(?:write|send)(?: anything| a mail| mails?)? to {WHO}(?: again| any ?more)?",
        ),
        "kind": (
            rf"(?:the |all )?(?:mails?|messages?|letters?|everything) from {WHO} (?:is|are|counts? as|belongs? to) "
            r"(?:a |an |for )?(?P<kind>[\w ]+?)",
            rf"treat (?:the |all )?(?:mails?|messages?|letters?|everything) from {WHO} as (?:a |an )?(?P<kind>[\w ]+?)",
        ),
    },
    "de": {
        "replace": (
            rf"(?:schreibe?|sage?|verwende|nimm|benutze) {X} (?:statt|anstatt|anstelle von|und nicht) {Y}{_TO_DE}",
            rf"(?:statt|anstatt|anstelle von) {Y} (?:\w+ ){{0,3}}?{X}(?: schreiben| sagen| verwenden)?{_TO_DE}",
            rf"ersetze {Y} durch {X}{_TO_DE}",
        ),
        "avoid": (
            rf"(?:schreibe?|sage?|verwende|benutze|erwähne) (?:nie|niemals|nicht|kein)(?: wieder| mehr)? {X}{_TO_DE}",
            rf"(?:nie|niemals|nicht|kein)(?: wieder| mehr)? {X} "
            rf"(?:schreiben|sagen|verwenden|benutzen|erwähnen){_TO_DE}",
            rf"vermeide {X}{_TO_DE}",
        ),
        "sign": (
            rf"unterschreibe?(?: (?:mails?|antworten|briefe))?{_TO_DE} (?:mit|als) {X}",
            rf"unterschreibe?(?: (?:mails?|antworten|briefe))? (?:mit|als) {X}{_TO_DE}",
        ),
        "greet": (
            rf"(?:sprich|rede) (?P<to>[^§]{{2,80}}?) mit {X} an",
            rf"begrüße? (?P<to>[^§]{{2,80}}?) (?:mit|als) {X}",
            rf"beginne? (?:mails?|antworten|briefe)(?: an (?P<to>[^§]{{2,80}}?))? mit {X}",
        ),
        "include": (
            rf"(?:füge?|schreibe?|setze?|erwähne|ergänze)(?: (?:am ende|unter|in)(?: jeder?n?)?"
            rf"(?: (?:antwort(?:en)?|mails?|briefe?))?)? {X}(?: (?:hinzu|an|dazu|dran|darunter))?{_TO_DE}",
            rf"beende (?:jede |alle )?(?:antwort(?:en)?|mails?|briefe?){_TO_DE} mit {X}",
        ),
        "language": (r"(?:antworte|schreibe?) (?:an )?(?P<to>[^§]{2,80}?) auf (?P<tongue>\w+)",),
        "above": (r"frage? mich (?:\w+,? ){0,6}?(?:ab|über|mehr als) (?P<amount>[^§]{2,24})",),
        "ask": (
            rf"frage? mich,? (?:vorher,? )?(?:be)?vor (?:du )?(?:etwas |eine mail )?an {WHO}"
            r"(?: geht| gesendet wird| geschickt wird| schreibst| schickst)?",
        ),
        "aside": (
            rf"(?:beantworte|beachte) (?:nie|niemals|keine) (?:mails?|nachrichten|briefe|alles) von {WHO}",
            rf"(?:ignoriere|lege?) (?:alle )?(?:mails?|nachrichten|briefe|alles) von {WHO}(?: ab| beiseite| weg)?",
        ),
        "never": (rf"(?:schreibe?|schicke?|sende) (?:nie|niemals|nichts)(?: etwas| mehr)? an {WHO}",),
        "kind": (
            rf"(?:alle )?(?:mails?|nachrichten|briefe|alles) von {WHO} (?:ist|sind|gehört zu|gehören zu) "
            r"(?:eine? )?(?P<kind>[\w ]+?)",
        ),
    },
    "fr": {
        "replace": (
            rf"(?:écri[st]|écrivez|dis|dites|utilise[rz]?) {X} (?:au lieu de|plutôt que|et non) {Y}{_TO_FR}",
            rf"remplace[rz]? {Y} par {X}{_TO_FR}",
        ),
        "avoid": (
            rf"(?:n'écri[st]|n'écrivez|ne dis|ne dites|n'utilise[rz]?) (?:jamais|pas|plus) {X}{_TO_FR}",
            rf"évite[rz]? {X}{_TO_FR}",
        ),
        "sign": (rf"signe[rz]?(?: les mails| les réponses)?{_TO_FR} (?:avec|comme|par) {X}",),
        "greet": (rf"(?:salue[rz]?|commence[rz]? les mails à) (?P<to>[^§]{{2,80}}?) (?:avec|par) {X}",),
        "include": (rf"(?:ajoute[rz]?|mentionne[rz]?) {X}(?: (?:à la fin|à|dans)(?: chaque réponse)?)?{_TO_FR}",),
        "language": (r"(?:réponds|répondez|écris|écrivez) à (?P<to>[^§]{2,80}?) en (?P<tongue>\w+)",),
        "above": (r"demande[rz]?(?:-moi)? (?:\w+ ){0,5}?(?:au-dessus de|plus de|à partir de) (?P<amount>[^§]{2,24})",),
        "ask": (rf"demande[rz]?(?:-moi)? avant (?:d'écrire|d'envoyer|de répondre)(?: quoi que ce soit)? à {WHO}",),
        "aside": (
            r"(?:ignore[rz]?|classe[rz]?|ne réponds? (?:jamais|pas) (?:à|aux)) (?:les )?"
            rf"(?:mails?|messages?|tout) de {WHO}",
        ),
        "never": (rf"n'(?:écris|écrivez|envoie[sz]?) (?:jamais|rien)(?: rien)? à {WHO}",),
        "kind": (rf"(?:les )?(?:mails?|messages?) de {WHO} (?:sont|est) (?:du |de la |des |une? )?(?P<kind>[\w ]+?)",),
    },
    "es": {
        "replace": (
            rf"(?:escribe|escriba|di|diga|usa|use) {X} (?:en lugar de|en vez de|y no) {Y}{_TO_ES}",
            rf"(?:reemplaza|cambia|sustituye) {Y} por {X}{_TO_ES}",
        ),
        "avoid": (
            rf"(?:nunca|no) (?:escribas|escriba|digas|diga|uses|use|menciones)(?: más)? {X}{_TO_ES}",
            rf"evita {X}{_TO_ES}",
        ),
        "sign": (rf"firma(?: los correos| las respuestas)?{_TO_ES} (?:con|como) {X}",),
        "greet": (rf"(?:saluda a|empieza los correos a) (?P<to>[^§]{{2,80}}?) con {X}",),
        "include": (rf"(?:añade|agrega|menciona) {X}(?: (?:al final|a|en)(?: cada respuesta)?)?{_TO_ES}",),
        "language": (r"(?:responde|escribe) a (?P<to>[^§]{2,80}?) en (?P<tongue>\w+)",),
        "above": (r"pregúntame (?:\w+ ){0,5}?(?:por encima de|más de|a partir de) (?P<amount>[^§]{2,24})",),
        "ask": (rf"pregúntame antes de (?:escribir|enviar(?: nada| algo)?|responder) a {WHO}",),
        "aside": (rf"(?:ignora|archiva|no respondas(?: nunca)? a) (?:los )?(?:correos|mensajes|todo) de {WHO}",),
        "never": (rf"(?:nunca|no) (?:escribas|envíes)(?: nada)? a {WHO}",),
        "kind": (rf"(?:los )?(?:correos|mensajes) de {WHO} (?:son|es) (?:de |una? )?(?P<kind>[\w ]+?)",),
    },
}
"""By language, by sort, in the order they are tried."""

SOFT = re.compile(
    r"^(?:please|bitte|s'il (?:te|vous) plaît|por favor)[, ]+|"
    r"\b(?:please|bitte|always|immer|toujours|siempre|from now on|ab jetzt|künftig|désormais|a partir de ahora)\b[, ]*"
)
"""Words that a rule is said with and that mean nothing of their own."""

TONGUES: Mapping[str, Sequence[str]] = {
    "en": ("english", "englisch", "anglais", "inglés"),
    "de": ("german", "deutsch", "allemand", "alemán"),
    "fr": ("french", "französisch", "français", "francés"),
    "es": ("spanish", "spanisch", "espagnol", "español"),
}
KINDS: Mapping[str, Sequence[str]] = {
    "enquiry": ("enquiry", "enquiries", "inquiry", "inquiries", "anfrage", "anfragen", "demande", "consulta"),
    "client": ("client", "clients", "client work", "client mail", "kunde", "kunden", "cliente"),
    "support": ("support", "help", "hilfe", "soporte"),
    "billing": ("billing", "invoice", "invoices", "rechnung", "rechnungen", "facturation", "factures", "facturas"),
    "scheduling": ("scheduling", "appointment", "appointments", "termin", "termine", "rendez-vous", "citas"),
    "bulk": ("bulk", "newsletter", "newsletters", "werbung", "publicité", "publicidad"),
    "spam": ("spam", "junk"),
}
EVERYBODY = frozenset(
    "everybody;everyone;anybody;anyone;all;clients;all clients;my clients;every mail;each mail;every reply;each reply;"
    "all mails;all replies;mails;replies;alle;allen;kunden;jede mail;jeder mail;jeder antwort;tous;toutes;todos".split(
        ";"
    )
)
"""Words for whoever it is: the rule holds for the whole house."""
