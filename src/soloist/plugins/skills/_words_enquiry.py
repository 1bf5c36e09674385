"""Words of people who ask for work, in four languages, with weights; what they lead to is decided in kind."""

from __future__ import annotations

from soloist.plugins.skills._words import rules

_THING = (
    r"(?:web\s?-?sites?|web\s?-?pages?|landing\s?pages?|web\s?-?shops?|online\s?-?shops?|stores?|shops?"
    r"|logos?|brand(?:ing|s)?|(?:re)?design\w*|corporate design|identit[yé]\w*"
    r"|re-?launch|redesign|flyers?|brochures?|posters?|menus?|packaging|webseiten?|website|homepage"
    r"|internetauftritt|auftritt|site(?: internet| web)?|boutique(?: en ligne)?"
    r"|p[áa]gina(?: web)?|sitio(?: web)?|web|tienda(?: online)?|carte[s]?|charte graphique|identidad"
    r"|visitenkarten|speisekarte|verpackung|projekts?|project|projet|proyecto|illustrations?|photos?"
    r"|app|booking|photograph\w*|translat\w*|consult\w*|designer(?:in)?|developer|diseñador[a]?|graphiste"
    r"|webdesigner(?:in)?|freelancer(?:in)?|agency|agentur|studio|help|hilfe|support for|someone|jemand\w*"
    r"|quelqu.un|alguien|newsletter design|templates?|labels?|etiketten|etiquetas|rebrand\w*)"
)

ENQUIRY = rules(
    (
        "call for tenders",
        3,
        r"\b(?:rfp|request for proposals?|call for (?:proposals|tenders)|invitation to tender|ausschreibung"
        r"|appel d.offres|licitaci[óo]n|pliego)\b",
    ),
    (
        "what they have is dated",
        2,
        r"\b(?:our|my|unser[em]?n?|meine?|notre|mon|ma|nuestr[oa]|mi) (?:\w+ ){1,3}(?:feels?|looks?|is|are|wirkt"
        r"|ist|sieht"
        r"|est|fait|se ve|est[áa]|ha quedado) (?:\w+ ){0,3}(?:dated|old|outdated|ugly|awful|tired|veraltet|alt"
        r"|altbacken"
        r"|h[äa]sslich|vieux|vieille|d[ée]pass[ée]e?|d[ée]mod[ée]e?|anticuad[oa]|viej[oa]|obsolet[oa])",
    ),
    (
        "wants something made",
        2,
        rf"\b\w*{_THING} (?:need|must|should|has to|have to|m[üu]ss|muss|soll|doit|doivent|tiene que|debe)"
        rf"|\bno {_THING} yet|(?:wollen|m[öo]chten|will|br[äa]uchten?) [^.!?\n]{{0,60}}(?:seite|shop|logo|auftritt"
        rf"|netz)"
        r"|(?:bringen|haben) [^.!?\n]{0,60}(?:heraus|raus|bedarf)|il (?:me|nous) faut|j.ai un projet|(?:tenemos"
        r"|tengo) un proyecto"
        r"|(?:quiero|queremos|quisiera) (?:renovar|cambiar|mejorar|actualizar|rehacer)|algo (?:parecido"
        r"|similar) para|something similar for"
        r"|quelque chose de similaire|so etwas (?:auch )?f[üu]r (?:uns|mich|meine|unsere)",
    ),
    (
        "asks if we would",
        2,
        r"machen sie (?:so ?)?(?:et)?was|gestaltest (?:du )?auch|machst du (?:so ?)?(?:et)?was|vous faites [çc]a"
        r"|hac[ée]is (?:esto|algo as[íi])"
        r"|trabajas con|room for (?:us|me|a)|fit us in|you in\?|(?:are|be|if we[’']re) a (?:good )?fit"
        r"|something you (?:can|could|would) do"
        r"|would it (?:run|cost)|in welchem (?:preis)?rahmen|[àa] partir de combien|preis\s*\?|prix\s*\?|precio\s*\?",
    ),
    (
        "asks for a quote",
        3,
        r"\b(?:quote|quotation|estimate|proposal|cost estimate)\b(?=[^.!?\n]{0,60}\b(?:for|on|from you|please"
        r"|\?))|(?:ask(?:ing)?|request(?:ing)?|send|give|get|like|need|want|provide)(?: \w+){0,4} (?:a |an "
        r"|your )?(?:rough )?(?:quote|quotation|estimate)\b",
    ),
    (
        "asks for an offer",
        3,
        r"\b(?:kostenvoranschlag|preisanfrage|angebotsanfrage|offerte)\b|(?:um|über|für|wegen|mir|uns|ihnen|ein"
        r"|unverbindliches) angebot(?! (?:von|der) uns)\b(?=[^.!?\n]{0,80}(?:machen|erstellen|schicken|senden"
        r"|zukommen|unterbreiten|bitte|für|\?|$|\.))",
    ),
    ("demande de devis", 3, r"\bdevis\b(?!\s+(?:n[°o]|sign|ci-joint|valid))|\bdemande de (?:prix|tarif|renseignement)"),
    (
        "pide presupuesto",
        3,
        r"(?:presupuesto (?:para|de una?|por)|(?:pedir|solicitar|enviar|mandar|hacer|dar|darnos|enviarme"
        r"|enviarnos|hacernos|pasarme|pasarnos|un) (?:un )?presupuesto|cotizaci[óo]n)",
    ),
    (
        "asks the price",
        3,
        r"how much (?:would|do|does|is|will|might|you charge|for)|what (?:would|do|does|are"
        r"|is)(?: \w+){0,3} (?:cost|charge|your (?:rates|prices|fees|pricing))|what (?:are|is) your (?:rate|price"
        r"|fee|pricing)s?\b|ballpark|price (?:list|range|idea|indication)\?|(?:idea of|know) (?:the "
        r"|your )?(?:costs?|prices?|pricing|rates)",
    ),
    (
        "fragt nach dem preis",
        3,
        r"was (?:würde|w[üu]rde|kostet|kosten|koste|nehmen sie|nimmst du|verlang)|wie ?viel (?:würde|kostet"
        r"|kosten|nehmen|verlang|nimmst)|welche kosten|preisvorstellung|was (?:sind|wären) ihre preise"
        r"|ihre (?:preise|tarife|stundens[äa]tze)|mit welchen kosten|preisliste",
    ),
    (
        "demande le prix",
        3,
        r"combien (?:co[ûu]te|[çc]a co[ûu]te|demandez|prenez|faut|serait|pour)|quel(?:s|le)? (?:est|sont|serait"
        r"|seraient)(?: \w+){0,2} (?:tarif|prix|co[ûu]t)|vos (?:tarifs|prix)|quel (?:prix|budget|tarif)",
    ),
    (
        "pregunta el precio",
        3,
        r"cu[áa]nto (?:cuesta|costar[íi]a|cobra|cobr[áa]is|cobras|valdr[íi]a|vale|ser[íi]a|saldr[íi]a)"
        r"|qu[ée] (?:precio|coste|tarifa)|sus (?:precios|tarifas)|vuestr[ao]s (?:precios|tarifas)",
    ),
    (
        "is looking for someone",
        3,
        rf"(?:we|i|we[’']re|i[’']m|who (?:is|are))(?: are| am| is)?(?: currently| now| also| still| both"
        rf"| actively)? (?:looking|searching|hunting) for\b[^.!?\n]{{0,60}}"
        rf"\b{_THING}|in search of [^.!?\n]{{0,30}}{_THING}|looking for [^.!?\n]{{0,60}}(?:to|who can"
        rf"|that can) (?:build|design|create|make|help|redo|redesign|refresh|develop|take)",
    ),
    (
        "sucht jemanden",
        3,
        rf"(?:suchen?|suche ich|suchen wir|bin auf der suche nach"
        rf"|sind auf der suche nach)\b[^.!?\n]{{0,70}}\b\w*{_THING}",
    ),
    (
        "cherche quelqu'un",
        3,
        rf"(?:cherch(?:e|ons)|recherch(?:e|ons)|à la recherche d[e’']u?n?e?)\b[^.!?\n]{{0,70}}{_THING}",
    ),
    ("busca a alguien", 3, rf"(?:busc(?:o|amos)|estamos buscando|estoy buscando)\b[^.!?\n]{{0,70}}{_THING}"),
    (
        "needs work done",
        2,
        rf"\b(?:we|i|our \w+(?: \w+)?|my \w+|she|he|they)(?:[’']d| would| am| are| do)?(?: really| also| urgently"
        rf"| just| now| finally| desperately| currently)? (?:need|needs|want|wants|like to have|love to have"
        rf"|in need of|planning|plan|about to launch|opening|thinking about|thinking of|interested in"
        rf"|require)\b[^.!?\n]{{0,70}}{_THING}",
    ),
    (
        "wants us to work",
        3,
        r"(?:could|can|would|might) you (?:\w+ )?(?:help (?:us|me)(?: \w+){0,3} (?:with (?:our|my|a|an"
        r"|the) (?:new |online |old )?(?:website|site|logo|brand|shop|store|design|menu|rebrand|launch|project)"
        r"|design|build|creat|redesign|redo|brand|launch|set up)|design|redesign|build|create|make|redo"
        r"|take (?:this|it) on|take on)",
    ),
    (
        "hire",
        3,
        r"(?:like|want|love|wish|hoping|interested|keen) (?:to|in) (?:hire|hiring|commission\w*|engag\w+|book"
        r"|work(?:ing)? with) you|do you (?:do|offer|also|design|build|make|take on|work with|have (?:capacity"
        r"|availability|time)|ever)\b|are you (?:available|taking on|free|currently taking|open) (?:for|to|new|in"
        r"|a|on)?|(?:availability|capacity) (?:for|in)\b|taking (?:on )?(?:new )?(?:clients|projects|work)",
    ),
    (
        "braucht arbeit",
        2,
        rf"\b(?:wir|ich)\s+(?:brauchen?|ben[öo]tigen?|m[öo]chten?|w[üu]rden?|planen?|wollen|w[üu]nschen?|haben vor"
        rf"|habe vor|er[öo]ffnen?|gr[üu]nden?)\b[^.!?\n]{{0,110}}\w*{_THING}|(?:brauche|ben[öo]tige|brauchen"
        rf"|m[öo]chten?) (?:ich|wir)?[^.!?\n]{{0,60}}\w*{_THING}",
    ),
    (
        "will uns beauftragen",
        3,
        r"(?:k[öo]nn(?:t?en|test) (?:sie|du|ihr)|h[äa]tten sie|haben sie|h[äa]ttest du|hast du|w[üu]rden sie"
        r"|bieten sie|machen sie|machst du|gestalten sie|entwerfen sie|erstellen sie"
        r"|übernehmen sie)\b[^.!?\n]{0,80}(?:\bauch\b|gestalt|entwerf|entwickel|erstell|[üu]bernehm|umsetz"
        r"|kapazit[äa]t|zeit f[üu]r|designen|überarbeit|helfen|neue kunden|bauen|an\?|unterst[üu]tz)"
        r"|zusammenarbeit(?:en)?|beauftragen|(?:ist|sind|wäre) (?:bei ihnen|das) (?:noch )?(?:m[öo]glich|machbar"
        r"|frei)|interesse an (?:ihren?|einer|einem|eurer)",
    ),
    (
        "a besoin",
        2,
        rf"(?:nous|j[e’']|on)\s?(?:avons|ai|aurions|aurais|a|souhaite\w*|souhaiterions|voudr\w+|aimer\w+"
        rf"|envisage\w*|pr[ée]voyons|ouvr\w+|lan[çc]\w+|besoin)\b[^.!?\n]{{0,9"
        rf"0}}{_THING}|besoin d.une? [^.!?\n]{{0,50}}{_THING}",
    ),
    (
        "veut confier",
        3,
        r"(?:pou(?:vez|rriez|rrais)[- ]vous|seriez[- ]vous|proposez[- ]vous|faites[- ]vous|r[ée]alisez[- ]vous"
        r"|[êe]tes[- ]vous|avez[- ]vous|est-ce que vous)\b[^.!?\n]{0,60}(?:faire|cr[ée]er|refaire|r[ée]aliser"
        r"|concevoir|disponible|aussi|logo|site|charte|nous aider|disponibilit|prendre en charge|int[ée]ress[ée])"
        r"|vous confier|travailler avec vous",
    ),
    (
        "necesita",
        2,
        rf"(?:necesit(?:o|amos|ar[íi]amos|ar[íi]a)|quer(?:emos|r[íi]amos|r[íi]a|emos)|quiero|nos gustar[íi]a"
        rf"|me gustar[íi]a|estamos pensando en|vamos a abrir|abrimos|voy a abrir"
        rf"|queremos)\b[^.!?\n]{{0,90}}{_THING}",
    ),
    (
        "quiere encargar",
        3,
        r"(?:podr[íi]a[ns]?|pod[ée]is|puede[ns]?|podr[íi]ais|hac[ée]is|hacen|ofrec[ée]is|ofrecen|dise[ñn]a[ns]?"
        r"|ten[ée]is|tienen|est[áa]is|est[áa]n)\b[^.!?\n]{0,60}(?:dise[ñn]|hacer(?:me|nos|la|lo)?|crear|logo"
        r"|p[áa]gina|web|tienda|disponib|ayudar(?:me|nos) con (?:la|el|una?|nuestr|mi)|encarg|trabaj)"
        r"|trabajar con (?:usted|vosotr|ustedes|tigo)|contratar",
    ),
    (
        "names a budget",
        2,
        r"\b(?:our|my|the|a|rough|total|unser|mein|das|ein|notre|mon|un|nuestro|mi|el) (?:\w+ )?(?:budget"
        r"|presupuesto|enveloppe)\b|budget(?: is|:| of| von| liegt| est| de| around| ca)|presupuesto (?:es"
        r"|de unos|aproximado)|k[öo]nnen [^.!?\n]{0,30}ausgeben",
    ),
    (
        "found us",
        1,
        r"(?:found|saw|seen|came across|discovered|love[d]?|like[d]?|admire) (?:you|your (?:work|portfolio|site"
        r"|website|name))|(?:recommended|referred|suggested|gave me your|told (?:me|us) about you"
        r"|passed (?:on )?your)|(?:empfohlen|empfehlung|auf ihre (?:seite|website|arbeit)|ihre arbeiten"
        r"|ihr portfolio)|(?:recommand[ée]|votre (?:travail|portfolio|contact))|(?:recomend(?:ado|ó|aron)"
        r"|vuestro (?:trabajo|portfolio)|su (?:trabajo|portafolio))",
    ),
    (
        "needs, said shortly",
        2,
        rf"(?:^|[,.!?;]\s*|\band )(?:hey |hi |hello )?(?:need|needing|want|brauche|suche|necesito|cherche) (?:an? "
        rf"|new |some(?:one)? |help |a new |neue[snr]? |ein\w* |une? |una? )[^.!?\n]{{0,50}}{_THING}",
    ),
    (
        "asks how much",
        2,
        r"\bhow much\s*\?|price and time|say (?:the )?price|was kostet (?:so ?was|das|es)|[çc]a co[ûu]te combien"
        r"|cu[áa]nto ser[íi]a",
    ),
    (
        "starts something",
        2,
        r"\b(?:we|i)(?: am| are|[’']m|[’']re|[’']ll| will| just| have just|[’']ve just)* (?:starting|opening"
        r"|reopening|launching|founding|setting up|about to open|opened|founded) (?:an? |our |my |the |in )"
        r"|\b(?:wir|ich) (?:er[öo]ffnen?|gr[üu]nden?)\b|mache mich [^.!?\n]{0,30}selbstst?[äa]ndig"
        r"|(?:nous (?:ouvrons|lan[çc]ons|cr[ée]ons)|j[’']ouvre|je (?:lance|cr[ée]e)) (?:une?|mon|ma|notre)"
        r"|(?:abrimos|voy a abrir|vamos a abrir|lanzamos|estoy montando|estamos montando|abro) ",
    ),
    (
        "asks for our time",
        2,
        r"h[äa]tten (?:sie|du) (?:\w+ ){0,3}(?:lust|zeit|interesse|kapazit)|h[äa]ttest du (?:\w+ ){0,3}(?:lust"
        r"|zeit)|w[äa]re das (?:et)?was f[üu]r (?:sie|dich)|prenez(?:-| )vous de nouveaux"
        r"|vous prenez (?:de nouveaux|encore des)|(?:c.est|exactement) (?:\w+ ){0,4}que je (?:cherche|recherche)"
        r"|est[áa]is cogiendo|acept(?:a|an|[áa]is) (?:nuevos )?(?:clientes|encargos|proyectos)|would (?:you|this"
        r"|that) be (?:interested|something)|is (?:this|that) something you|your availability|how you(?:[’']d"
        r"| would) approach|take (?:this|it|that|us) on\b",
    ),
    (
        "says enquiry",
        2,
        r"\b(?:enquir(?:y|ies|ing)|inquir(?:y|ing)|project (?:request|idea)|new project|anfrage|projektanfrage"
        r"|neues projekt|demande de (?:projet|site|cr[ée]ation)|nouveau projet|consulta sobre|nuevo proyecto"
        r"|solicitud de)\b",
    ),
    (
        "tells own business",
        1,
        r"\b(?:we are|we[’']re|i am|i[’']m|i run|we run|i own|we own|i just opened|we just|wir sind|ich bin"
        r"|ich betreibe|ich f[üu]hre|nous sommes|je suis|je tiens|somos|soy|tengo|regento) (?:an? |the |ein\w* "
        r"|une? |una? |el |la )?(?:\w+ ){0,3}(?:bakery|caf[ée]|restaurant|practice|clinic|shop|store|startup"
        r"|start-up|start up|charity|non-?profit|yoga|school|hotel|winery|family|law|firm|practi\w+|b[äa]ckerei"
        r"|praxis|laden|verein|kanzlei|hotel|weingut|boulangerie|cabinet|association|panader[íi]a|cl[íi]nica"
        r"|bodega|tienda|restaurante|studio|physio\w*|architects?|architekt\w*|photograph\w*|coach|therapist"
        r"|museum|small)",
    ),
    (
        "their own thing",
        1,
        r"\b(?:our|my|unser[em]?n?|meine?[mnr]?|notre|mon|ma|nuestr[oa]|mi) (?:new |old |current |neue[nr]? "
        r"|alte[nr]? |nouve\w+ |nuev[oa] |online )?(?:website|site|web|logo|brand|shop|webshop|store|webseite"
        r"|homepage|auftritt|boutique|page|p[áa]gina|tienda|menu|speisekarte|bakery|caf[ée]|practice|praxis"
        r"|b[äa]ckerei|restaurant|firma|company|business|entreprise|empresa|negocio|startup|verein|projekt"
        r"|project|projet|proyecto)",
    ),
)
