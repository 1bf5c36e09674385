"""Words of people one already works with: bills, dates, faults, drafts; what they lead to is decided in kind."""

from __future__ import annotations

from soloist.plugins.skills._words import rules

BILLING = rules(
    (
        "invoice",
        3,
        r"\b(?:invoices?|rechnung(?:en|snummer|sadresse|sdatum|sbetrag)?|\w+rechnung(?:en)?|factures?|facturation"
        r"|facturas?|facturaci[óo]n|receipt for|credit note|gutschrift|avoir n|billing (?:address|department"
        r"|details))\b",
    ),
    (
        "payment",
        2,
        r"\b(?:payment|paid|pay you|bank (?:details|transfer|account)|iban|wire|transfer(?:red)?|überweis\w+"
        r"|überwiesen|bezahl\w+|zahlung\w*|bankverbindung|kontodaten|paiement|virement|pay[ée]e?|r[èe]gl[ée]\w*"
        r"|rib|pago|pagad\w+|pagar|transferencia|datos bancarios|refund|erstattung|remboursement|reembolso"
        r"|vat (?:id|number)|ust-?id(?:nr)?|tva|nif|steuernummer)\b",
    ),
    (
        "reminder",
        2,
        r"\b(?:overdue|payment reminder|past due|outstanding (?:amount|balance|payment)|due date|mahnung"
        r"|zahlungserinnerung|fällig\w*|offene[nrs]? (?:betrag|posten)|rappel de paiement|impay[ée]\w*"
        r"|[ée]ch[ée]ance|vencid\w+|vencimiento|recordatorio de pago|pendiente de pago|importe pendiente)\b",
    ),
)

SCHEDULING = rules(
    (
        "proposes a day",
        2,
        r"(?:klappt|passt|geht) (?:es )?(?:\w+ ){0,2}(?:montag|dienstag|mittwoch|donnerstag|freitag|morgen|heute"
        r"|um|bei dir|bei ihnen)"
        r"|running (?:\w+ ){0,3}late|komme (?:\w+ ){0,4}sp[äa]ter|(?:monday|tuesday|wednesday|thursday|friday"
        r"|tomorrow) (?:would |could )?(?:works?|suits?|is fine)",
    ),
    (
        "meeting",
        2,
        r"\b(?:meeting|appointment|(?:video|phone|zoom|intro) ?calls?|our call|the call|a call|call with you"
        r"|kick-?off|termins?|terminvorschl[äa]ge|besprechung|gespr[äa]ch|telefontermin|telefonat|telefonieren"
        r"|videocall|rendez-?vous|rdv|r[ée]union|visio|entretien|cita|reuni[óo]n|videollamada|llamada)\b",
    ),
    (
        "moves a date",
        3,
        r"\b(?:reschedul\w+|postpone\w*|(?:move|push|shift|cancel) (?:our|the|my|this|tomorrow|today|monday"
        r"|tuesday|wednesday|thursday|friday)\b[^.!?\n]{0,30}|verschieben|verlegen|absagen|d[ée]caler|d[ée]placer"
        r"|reporter|annuler (?:le|notre|mon) (?:rendez|rdv|r[ée]union)|aplazar|cambiar la (?:cita|reuni[óo]n|hora"
        r"|fecha)|cancelar la (?:cita|reuni[óo]n|llamada)|mover la (?:cita|reuni[óo]n|llamada))\b",
    ),
    (
        "asks for a time",
        2,
        r"(?:(?:are you|when are you|would you be) (?:free|available|around)|does (?:\w+ ){1,4}(?:work|suit)"
        r"|(?:what|which|any) (?:time|day)s? (?:work|suit|would)|can we (?:meet|talk|speak|chat|catch up)"
        r"|could we (?:meet|talk|speak|find a time|have a call|move|do|schedule)|find a time|pick a (?:slot|time)"
        r"|wann (?:haben sie|h[äa]tten sie|passt|k[öo]nnen wir|k[öo]nnten wir|hast du|h[äa]ttest)"
        r"|passt (?:es )?(?:ihnen|dir|euch|der|am|ihnen der|dir der)|k[öo]nnen wir uns|k[öo]nnten wir (?:uns|kurz"
        r"|mal)|quand (?:[êe]tes|seriez|pouvons|pourrions)|(?:[êe]tes|seriez)[- ]vous (?:disponible|libre)"
        r"|est-ce que (?:lundi|mardi|mercredi|jeudi|vendredi)|vous convien\w+|cu[áa]ndo (?:podemos|podr[íi]amos"
        r"|le viene|te viene|pueden)|(?:le|te|os|les) (?:viene|va|vendr[íi]a|ir[íi]a) bien|podemos (?:vernos"
        r"|hablar|quedar)|podr[íi]amos (?:vernos|hablar|quedar)|confirm(?:ing)? (?:our|the|for|tomorrow|monday"
        r"|tuesday|wednesday|thursday|friday))",
    ),
    (
        "clock time",
        1,
        r"\b(?:\d{1,2}[:.]\d\d ?(?:uhr|h|am|pm)?|\d{1,2} ?(?:am|pm|uhr)|\d{1,2}h(?:\d\d)?|a las \d{1,2})\b",
    ),
)

SUPPORT = rules(
    (
        "is gone or wrong",
        3,
        r"(?:site|seite|page|shop|form\w*|web|mails?|correos?|orders|bestellungen|bilder|logo) (?:is|are|ist|sind"
        r"|est|sont|ha|han)"
        r" (?:all |\w+ )?(?:gone|weg|verschwunden|disparu|desaparecido|nicht gefunden)|page not found"
        r"|seite nicht gefunden"
        r"|(?:haven[’']t|have not|not) (?:received|been getting|had) any|something (?:must be|is|seems"
        r"|went) wrong|stimmt (?:etwas|was) nicht",
    ),
    (
        "is broken",
        3,
        r"\b(?:(?:is|are|seems?|stopped|got|still|it[’']s|completely) (?:\w+ )?(?:broken|down|offline|not working"
        r"|hacked|missing|unreachable|not loading|stuck)|(?:does|do|did|is|are|can|could|will|would|has)(?:n[’']t"
        r"| not)(?: \w+)? (?:work(?:ing)?|load(?:ing)?|open(?:ing)?|show(?:ing)?(?: up)?|log ?in|send(?:ing)?"
        r"|display(?:ing)?|appear\w*|arriv\w+|access)|no longer (?:works?|loads?|shows?|sends?)"
        r"|stopped (?:working|loading|sending)|cannot (?:log ?in|open|access|send|see|upload|edit)"
        r"|can[’']t (?:log ?in|open|access|send|see|upload|edit)|crash\w*|(?<!0 )(?<!no )error(?: message)?s?"
        r"|bugs?|glitch\w*"
        r"|(?:404|500|502|503)(?: error)?)\b",
    ),
    (
        "ist kaputt",
        3,
        r"(?:\bfehler(?:meldung|haft)?\b|funktionier(?:t|en) (?:\w+ ){0,5}nicht|geht (?:\w+ ){0,3}nicht(?: mehr)?"
        r"|l[äa]dt (?:\w+ ){0,3}nicht|nicht (?:mehr )?(?:erreichbar|einloggen|anmelden|aufrufen|öffnen|angezeigt)"
        r"|kaputt|offline|gehackt|abgest[üu]rzt|st[öo]rung|\bproblem(?:e)? mit (?:der|dem|unser|mein)"
        r"|kommen (?:\w+ ){0,4}nicht an)",
    ),
    (
        "est en panne",
        3,
        r"(?:ne (?:fonctionne(?:nt)?|marche(?:nt)?|s.affiche(?:nt)?|charge(?:nt)?|s.ouvre) (?:plus|pas)|en panne"
        r"|\berreurs?\b|bug(?:s|ue)?\b|hors ligne|n.(?:arrive|arrivons) (?:plus|pas) à|inaccessible"
        r"|probl[èe]me (?:avec|sur) (?:le|la|notre|mon)|pirat[ée])",
    ),
    (
        "no funciona",
        3,
        r"(?:no (?:nos |me |se )?(?:funciona[n]?|carga[n]?|abre[n]?|ve[n]?|muestra[n]?|llega[n]?|puedo (?:entrar"
        r"|acceder|abrir|editar|subir)|podemos (?:entrar|acceder|abrir|editar|subir))|ha dejado de funcionar"
        r"|dej[óo] de funcionar|\berror(?:es)?\b|ca[íi]da\b|fallo|roto|hackead\w+|problema con (?:la|el|nuestra"
        r"|mi))",
    ),
    (
        "asks for help with ours",
        2,
        r"(?:how (?:do|can) (?:i|we) (?:change|edit|update|upload|add|replace|log|reset|export|remove)"
        r"|help (?:me |us )?with (?:the )?(?:login|password|upload|cms|editor|form|contact form|site you"
        r"|website you|plugin|update)|forgot (?:my|the) password|wie (?:kann|k[öo]nnen|[äa]ndere"
        r"|[äa]ndern) (?:ich|wir)[^.!?\n]{0,50}(?:[äa]ndern|hochladen|bearbeiten|einloggen|austauschen"
        r"|hinzuf[üu]gen)|passwort vergessen|comment (?:puis-je|faire pour|peut-on|modifier|changer|ajouter)"
        r"|mot de passe (?:oubli[ée]|perdu)|c[óo]mo (?:puedo|podemos|cambio|edito|subo)|(?:olvid[ée]"
        r"|perdido) (?:la|mi) contrase[ñn]a)",
    ),
)

CONTINUES = rules(
    (
        "goes on with work",
        2,
        r"\b(?:feedback|revision|approved?|the (?:draft|mock-?ups?|proofs?|version|files?|design|homepage"
        r"|colou?rs?|photos?|texts?|copy)|go ahead|looks (?:great|good)|as (?:discussed|agreed)|attached"
        r"|the contract|signed|(?:der|die|das|den) (?:entwurf|entw[üu]rfe|version|texte|fotos|bilder|farben"
        r"|startseite|vertrag)|freigabe|freigegeben|gef[äa]llt uns|wie besprochen|im anhang|anbei|la (?:maquette"
        r"|version|page d.accueil)|les (?:textes|photos|couleurs)|valid(?:é|ons|e)|ci-joint|comme convenu"
        r"|en pi[èe]ce jointe|el (?:borrador|boceto|dise[ñn]o|contrato)|los (?:textos|colores)|las fotos"
        r"|adjunt\w+|aprobad\w+|como acordamos|nos gusta)\b",
    ),
)
