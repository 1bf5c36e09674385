"""The words that make a sentence of a meeting a decision, a task, an open question or the next meeting; no reading."""

from __future__ import annotations

import re

LABELS: dict[str, str] = {
    "decision": "decision|decisions|decided|agreed|agreement|agreements|resolution|resolved|beschluss|beschlüsse"
    "|entscheidung|entscheidungen|beschlossen|vereinbart|vereinbarung|décision|décisions|décidé|accord|decisión"
    "|decisiones|decidido|acuerdo|acuerdos",
    "task": "task|tasks|action|actions|action item|action items|actionable|todo|to-do|to do|todos|to-dos|next steps"
    "|next step|follow-up|follow-ups|aufgabe|aufgaben|offene aufgaben|nächste schritte|zu tun|maßnahmen|massnahmen"
    "|tâche|tâches|à faire|actions à mener|prochaines étapes|tarea|tareas|acciones|acción|pendiente|pendientes"
    "|próximos pasos|por hacer",
    "question": "question|questions|open question|open questions|open point|open points|open issues|open|unclear"
    "|frage|fragen|offene frage|offene fragen|offene punkte|offen|ungeklärt|zu klären|question ouverte"
    "|questions ouvertes|points ouverts|à clarifier|en suspens|pregunta|preguntas|pregunta abierta"
    "|preguntas abiertas|dudas|duda|por aclarar|temas abiertos",
    "next": "next meeting|next call|next appointment|next date|nächstes treffen|nächster termin|nächste sitzung"
    "|nächstes gespräch|nächster jour fixe|prochaine réunion|prochain rendez-vous|prochain point|próxima reunión"
    "|próxima cita|próximo encuentro",
    "people": "attendees|participants|present|people|attending|who|teilnehmer|teilnehmende|teilnehmerinnen|anwesend"
    "|anwesende|dabei|présents|participants|présentes|présent|asistentes|participantes|presentes",
    "": "notes|note|agenda|topic|topics|date|time|place|subject|meeting|minutes|summary|budget|discussion|location"
    "|status|info|notizen|notiz|thema|themen|datum|zeit|ort|betreff|protokoll|besprechung|zusammenfassung|diskussion"
    "|ordre du jour|sujet|sujets|lieu|compte|résumé|objet|orden del día|tema|temas|fecha|lugar|asunto|acta|resumen"
    "|hinweis|update|updates|background|hintergrund|contexte|contexto|ziel|goal|objectif|objetivo|re|fyi|http|https"
    "|ps|nb|excused|entschuldigt|excusés|ausentes|points|punkte|risiken|risks|price|preis|prix|precio|deadline|frist",
}
KIND_OF = {word: kind for kind, words in LABELS.items() for word in words.split("|")}
NO_PERSON = frozenset(KIND_OF)

_DECISIONS = {
    "en": r"\b(?:we(?: ?['’]ve| have| had)? (?:all )?(?:decided|agreed|settled|chosen|opted|resolved|approved"
    r"|concluded)"
    r"|(?:it (?:was|is|has been)|that['’]?s|that is|(?:is|are|was|were)(?: now)?) (?:decided|agreed|settled|approved)\b"
    r"|(?:we ?['’]ll|we will|we ?['’]re going to|let ?['’]?s|let us|we should just|we can just|i['’]d say we|so we)"
    r" (?:just |then )?(?:go (?:with|for|ahead)|stick (?:with|to)|keep (?:it|the)|drop (?:it|the)|leave (?:it|the)"
    r"|settle (?:on|for)|do it (?:that|this) way)"
    r"|the (?:final )?decision (?:is|was)|(?:final|unanimous) decision|we made the decision|(?:the )?motion (?:is )?"
    r"(?:carried|adopted|agreed)|decided (?:to|on|not|that|against|in favou?r)|agreed (?:to|on|that|upon)"
    r"|opted (?:for|to)|we(?:['’]re| are) (?:going|sticking) with|settled on)\b",
    "de": r"\b(?:(?:wir|man) (?:haben?|hat) (?:uns |sich |gemeinsam )?[^.!?\n]{0,80}?\b(?:beschlossen|entschieden"
    r"|geeinigt"
    r"|vereinbart|festgelegt|abgemacht|verständigt)|(?:wird|werden|wurde|wurden|ist"
    r"|sind) [^.!?\n]{0,60}?\b(?:beschlossen"
    r"|entschieden|vereinbart|festgelegt|genehmigt|abgesegnet|freigegeben)|haben wir [^.!?\n]{0,60}?\b(?:beschlossen"
    r"|entschieden|vereinbart|festgelegt)|wir (?:nehmen|bleiben bei|machen es so|gehen mit|verzichten auf|streichen"
    r"|behalten)|(?:die )?entscheidung (?:ist|lautet|fiel)|entscheiden uns (?:für|gegen)|einigen uns auf"
    r"|beschlossen, |vereinbart, |es bleibt bei|dann machen wir (?:das|es) so|alle sind sich einig)",
    "fr": r"\b(?:(?:nous avons|on a|ont|a été|il est|c['’]est|est|sont|ont été) (?:tous |donc "
    r"|finalement )?(?:décidée?s?"
    r"|convenue?s?|retenue?s?|choisie?s?|opté|validée?s?|approuvée?s?|actée?s?|tranchée?s?|arrêtée?s?)"
    r"|nous sommes d['’]accord|on est d['’]accord|on (?:part|reste|garde|abandonne|prend) (?:sur|avec|le|la|les)"
    r"|nous (?:partons sur|restons sur|gardons|retenons|optons)|la décision (?:est|a été)|décision prise"
    r"|d['’]un commun accord)",
    "es": r"\b(?:(?:hemos|se ha|se han|han) (?:decidido|acordado|aprobado|elegido|optado|convenido|quedado)"
    r"|(?:decidimos|acordamos|aprobamos|optamos|elegimos|quedamos en|nos quedamos con|vamos con|se decide|se acuerda"
    r"|se decidió|se acordó|se aprobó|se aprueba|queda (?:decidido|acordado|aprobado)|la decisión es"
    r"|estamos de acuerdo en))",
}
DECIDED = {code: re.compile(pattern, re.IGNORECASE) for code, pattern in _DECISIONS.items()}
UNDECIDED = re.compile(
    r"\b(?:not (?:yet )?(?:decided|agreed|settled)|(?:haven['’]?t|hasn['’]?t|have not|has not|didn['’]?t|don['’]?t"
    r"|never)"
    r"\b[^.!?]{0,30}\b(?:decided?|agreed?|settled?)|undecided|if we (?:decide|agree)|unless"
    r"|(?:noch )?nicht (?:entschieden|beschlossen|vereinbart|geklärt)|noch kein[^.!?]{0,40}(?:entscheid|beschl)"
    r"|(?:n['’]|ne )[^.!?]{0,30}pas (?:encore )?(?:été )?(?:décid|convenu|tranch)|pas encore (?:décid|tranch)"
    r"|(?:no|aún no|todavía no) (?:se ha|hemos|está|se) (?:decidi|acorda)|sin decidir)",
    re.IGNORECASE,
)

_OPEN = {
    "en": r"\b(?:open question|still (?:open|unclear|undecided|unknown|to be (?:decided|clarified|confirmed))"
    r"|(?:it(?:['’]s| is)|is|remains?) (?:not (?:yet )?(?:clear|decided|known)|unclear|undecided)|not yet (?:clear"
    r"|decided"
    r"|agreed|settled)|(?:we|i) (?:still )?(?:need|have) to (?:clarify|find out|figure out|decide|work out)"
    r"|to be (?:clarified|confirmed|decided)|tbd|tbc|(?:we|i) (?:don['’]?t|do not) (?:yet )?know (?:yet )?(?:if"
    r"|whether|who"
    r"|what|when|how|which)|nobody knows (?:if|whether|who|what|when|how|which))\b",
    "de": r"\b(?:offene frage|noch (?:offen|unklar|ungeklärt|nicht (?:klar|geklärt|entschieden))|(?:ist|bleibt|sind) "
    r"(?:noch )?(?:offen|unklar|ungeklärt|zu klären)|(?:muss|müssen) (?:\w+ ){0,3}(?:noch )?(?:geklärt|entschieden) "
    r"werden|müssen wir (?:noch )?(?:klären|entscheiden)|(?:wir|ich) wissen? (?:noch )?nicht, (?:ob|wer|was|wann|wie"
    r"|welche))\b",
    "fr": r"\b(?:question ouverte|reste(?:nt)? (?:ouverte?s?|à (?:décider|clarifier|définir|confirmer|trancher|savoir))"
    r"|(?:ce n['’]est|n['’]est) pas (?:encore )?(?:clair|décidé|défini)|pas encore (?:clair|décidé|défini|tranché)"
    r"|on ne sait pas (?:encore )?(?:si|qui|quand|comment|quel)|nous ne savons pas (?:encore )?(?:si|qui|quand|comment)"
    r"|à (?:clarifier|confirmer|définir))\b",
    "es": r"\b(?:pregunta abierta|queda(?:n)? (?:abiert[oa]s?|pendientes?|por (?:decidir|aclarar|definir|confirmar"
    r"|ver))"
    r"|(?:falta|hay que|tenemos que) (?:decidir|aclarar|definir|confirmar|saber) (?:si|quién|cuándo|cómo|qué|cuál)"
    r"|(?:no está|aún no está|todavía no está) (?:claro|decidido|definido)|(?:aún |todavía )?no sabemos (?:si|quién"
    r"|cuándo|cómo|qué|cuál)|por (?:aclarar|confirmar|definir))\b",
}
OPEN = {code: re.compile(pattern, re.IGNORECASE) for code, pattern in _OPEN.items()}
NO_ANSWER = re.compile(
    r"\b(?:(?:i|we) (?:don['’]?t|do not) know|no idea|not sure|good question|hard to say|have to (?:ask|check|find out)"
    r"|need to (?:ask|check|find out)|let me (?:check|ask)|we['’]ll see|(?:weiß|wissen) (?:ich|wir) (?:noch )?nicht"
    r"|keine ahnung|gute frage|muss ich (?:fragen|prüfen|nachsehen)|müssen wir (?:fragen|prüfen|klären)|mal sehen"
    r"|(?:je ne|on ne|nous ne) sa(?:is|it|vons) pas|aucune idée|bonne question|à voir|il faut (?:demander|vérifier)"
    r"|no (?:lo )?s(?:é|abemos)|ni idea|buena pregunta|habrá que (?:ver|preguntar)|hay que (?:preguntar|ver))\b",
    re.IGNORECASE,
)

NEXT = re.compile(
    r"\b(?:next (?:meeting|call|session|appointment|check-?in|catch-?up|jour fixe|sync)|(?:we(?:['’]ll| will)?"
    r"|let['’]?s) "
    r"(?:meet|talk|speak|reconvene) (?:again|next|on)|meet again|see you (?:all )?(?:on|next|again|tomorrow|at)"
    r"|nächste[srn]? (?:treffen|termin|sitzung|gespräch|besprechung|meeting|jour fixe|call)|(?:wir )?(?:treffen|sehen"
    r"|sprechen) (?:wir )?uns (?:wieder|am|nächste|das nächste)|(?:treffen|sehen|sprechen) wir uns|prochaine? "
    r"(?:réunion|rendez-vous|séance|point|appel)|on se (?:revoit|retrouve|reparle|rappelle)|nous nous (?:revoyons"
    r"|retrouvons|reverrons)|próxim[oa] (?:reunión|cita|encuentro|sesión|llamada)|nos (?:vemos|volvemos a ver|reunimos"
    r"|volvemos a reunir))\b",
    re.IGNORECASE,
)
CLOCK = re.compile(
    r"(?<![\d.,:/])(?:(?:at|um|à|a las|ab|gegen|from|a la)\s+)?(?P<h>[01]?\d|2[0-3])(?:(?P<sep>[:.h])(?P<m>[0-5]\d))?"
    r"\s?(?P<half>a\.?m\b\.?|p\.?m\b\.?)?(?:\s?(?P<unit>Uhr|h\b|heures|o['’]clock|horas))?(?![\d:/]|[.,]\d)",
    re.IGNORECASE,
)
