"""Words of sales pitches, scams, mailings and machines, in four languages; what they lead to is decided in kind."""

from __future__ import annotations

from soloist.plugins.skills._words import rules

PITCH = rules(
    (
        "offers own hands",
        3,
        r"\bi (?:am|[’']m) an? (?:\w+ ){0,2}(?:freelance\w*|experienced|professional|seo|web ?designer"
        r"|web developer|developer"
        r"|copywriter|marketer|consultant)\b[^?]{0,200}\b(?:i can|i could|i offer|my (?:services|portfolio|rates"
        r"|work|cv)|years)"
        r"|(?:i|we) can (?:re)?(?:design|build|develop|improve|increase|boost|optimi[sz]e|grow) your"
        r"|are you looking for (?:an? )?(?:\w+ ){0,3}(?:to support|for your|website|designer|developer|partner"
        r"|agency|team)"
        r"|(?:can|may|shall|could) i send you (?:my|our|some|a few|over)|ich biete|je propose|ofrezco",
    ),
    (
        "offers a product",
        3,
        r"\bour (?:ai |new |own )*(?:tool|platform|software|solution|app|plugin|system|service)s? (?:that |which "
        r"|can |will |lets? "
        r"|helps? |automates?|makes?|saves?)|free trial|unsere? (?:software|plattform|tool|l[öo]sung)|kostenlos testen"
        r"|notre (?:logiciel|plateforme|solution|outil)|essai gratuit|nuestr[oa] (?:plataforma|software"
        r"|herramienta|soluci[óo]n)|prueba gratis",
    ),
    (
        "sells to people like us",
        3,
        r"(?:like|such as) (?:yours|you|studio)\b|wie (?:ihres|ihre[nms]?|sie|deines)\b(?=[^?]{0,80}(?:helfen"
        r"|bieten|unterst|mehr|anbiet))"
        r"|comme (?:la v[ôo]tre|le v[ôo]tre)|como (?:la suya|el suyo|la tuya|el tuyo|la vuestra)|(?:interested in"
        r"|interesse an|"
        r"int[ée]ress[ée]e? par) (?:seeing|hearing|learning|our|some|unser|un devis|une d[ée]mo|nos)"
        r"|devis gratuit|site(?:s)? internet cl[ée] en main"
        r"|nous (?:r[ée]alisons|cr[ée]ons|concevons) (?:des|vos|votre)|we (?:create|make|produce|build|design"
        r"|develop) (?:\w+ ){1,4}for (?:\w+ )?"
        r"(?:companies|studios|agencies|businesses|brands|freelancers|people)|creamos (?:p[áa]ginas|webs)"
        r"|agendamos|wir (?:erstellen|gestalten|entwickeln) "
        r"(?:\w+ )?f[üu]r (?:unternehmen|firmen|kunden)|verkauf ihre[sr]|solvente k[äa]ufer|provision\b"
        r"|commission of \d",
    ),
    (
        "wants an interview",
        3,
        r"\b(?:bachelor|master|doktor)arbeit|\b(?:thesis|dissertation|research (?:study|project)|survey|umfrage"
        r"|sondage|encuesta|podcast)\b",
    ),
    (
        "offers search ranking",
        4,
        r"\b(?:seo|search engine optimi[sz]ation|suchmaschinenoptimierung"
        r"|r[ée]f[ée]rencement)\b(?=[^.!?\n]{0,80}(?:service|offer|package|audit|agency|expert|specialist|agentur"
        r"|audit|leistung|paket|angebot|expert|agence|servicio|agencia|posicion))|(?:rank(?:ing)?s?|page one"
        r"|first page|top|seite 1|erste seite|premi[èe]re page|primera p[áa]gina)\b[^.!?\n]{0,30}\b(?:google|bing"
        r"|search)|backlinks?|guest ?posts?|gastartikel|gastbeitrag|link ?(?:building|insertion|exchange)"
        r"|dofollow|do-follow|domain authority|(?:angebot|leistung\w*|paket\w*) (?:f[üu]r|zur|im bereich) (?:seo"
        r"|suchmaschinenoptimierung)|(?:angebot|leistung\w*|paket\w*) (?:f[üu]r|zur|im bereich) (?:seo"
        r"|suchmaschinenoptimierung)|article invit[ée]|sponsored (?:post|article|content)"
        r"|art[íi]culo (?:patrocinado|invitado)|intercambio de enlaces|[ée]change de liens|linktausch"
        r"|posicionamiento (?:seo|web)",
    ),
    (
        "offers to us",
        2,
        r"\b(?:we|i|our (?:company|team|agency|firm)) (?:\w+ )?(?:offer|provide|speciali[sz]e|deliver"
        r"|help (?:companies|businesses|agencies|brands|freelancers|studios|firms|founders|designers|people"
        r"|entrepreneurs|small)|work with (?:companies|agencies|businesses|brands|studios|freelancers))"
        r"|wir (?:bieten|helfen (?:unternehmen|firmen|agenturen|selbst)|sind spezialisiert"
        r"|unterst[üu]tzen (?:unternehmen|firmen|agenturen|selbst))|(?:nous|notre (?:[ée]quipe|agence"
        r"|soci[ée]t[ée])) (?:proposons|offrons|aidons|accompagnons|propose|aide|accompagne)|(?:ofrecemos"
        r"|ayudamos a|nos especializamos|somos una (?:empresa|agencia) (?:de|especializada|l[íi]der))",
    ),
    (
        "speaks of your traffic",
        2,
        r"(?:your|ihre[rmn]?|votre|vos|(?:su|tu|vuestr[oa])) (?:\w+ )?(?:traffic|leads?|sales|revenue|rankings?"
        r"|visibility|conversions?|online presence|besucherzahlen|umsatz|sichtbarkeit|trafic|visibilit[ée]|ventes"
        r"|chiffre d.affaires|tr[áa]fico|ventas|visibilidad|posicionamiento)\b|(?:more|qualified|new|mehr|neue"
        r"|plus de|nouveaux|m[áa]s) (?:leads|clients (?:for|per|every) |customers (?:for|per|every) "
        r"|kunden gewinnen|kundenanfragen|clients (?:qualifi|potentiels)|clientes potenciales)",
    ),
    (
        "audited our site",
        3,
        r"(?:i|we)(?:[’']ve| have| was| were)? ?(?:just )?(?:noticed|found|reviewed|analy[sz]ed|checked|audited"
        r"|looking at|went through|ran)\b[^.!?\n]{0,40}\b(?:your (?:web)?site|errors|issues on)|(?:free"
        r"|kostenlose[rsn]?|gratuit|gratis|gratuita) (?:\w+[- ])?(?:audit|analysis|analyse|consultation|beratung"
        r"|strategy call|seo|website check|report|auditor[íi]a)|(?:ihre (?:web)?seite|ihre webseite"
        r"|ihre website) (?:analysiert|gepr[üu]ft|angesehen und (?:fest|einige))"
        r"|(?:votre site)[^.!?\n]{0,40}(?:erreurs|analys|audit)|(?:analizado|revisado|auditado) (?:su|tu"
        r"|vuestra) (?:web|p[áa]gina|sitio)",
    ),
    (
        "outsourcing",
        3,
        r"\b(?:outsourc\w+|white[- ]?label|offshore|nearshore|dedicated (?:developers?|team|designers?)"
        r"|hire (?:our|dedicated|remote)|staff augmentation|(?:web|app|software|mobile) development (?:company"
        r"|services|agency)|virtual assistants?|lead generation|appointment setting|data entry|email lists?"
        r"|b2b (?:leads|list|data)|kaltakquise|leadgenerierung|g[ée]n[ée]ration de leads|generaci[óo]n de leads"
        r"|externaliz\w+|externalis\w+)\b",
    ),
    (
        "asks for a sales call",
        2,
        r"(?:book|schedule|grab|jump on|hop on|have|worth|open to|up for|set up|do) (?:a |an )?(?:quick |short "
        r"|brief |free |\d+[- ]?min(?:ute)?s? )+(?:call|chat|demo|meeting|conversation)|\b(?:book|request|see"
        r"|schedule|live) a? ?demo\b|calendly|(?:kurzes|unverbindliches|kostenloses) (?:gespr[äa]ch|telefonat"
        r"|erstgespr[äa]ch|kennenlerngespr[äa]ch)|\d+[- ]?min[üu]tige|(?:un )?(?:appel|[ée]change) (?:rapide"
        r"|de \d+ min)|(?:llamada|reuni[óo]n) (?:r[áa]pida|breve|corta|de \d+ min)|15 minutos|15 minutes"
        r"|15[- ]min\b",
    ),
    (
        "follows up a pitch",
        2,
        r"(?:did you (?:get|have) (?:a chance|time) to|bumping this|following up on my (?:previous|last|earlier)"
        r"|circling back|just checking if you (?:saw|received)|are you the right person|right person to"
        r"|who handles|(?:meine letzte|meine vorherige) (?:e-?)?mail (?:gesehen|erhalten|gelesen)|relance"
        r"|mon (?:pr[ée]c[ée]dent|dernier) (?:mail|message)|mi (?:correo|mensaje) anterior)",
    ),
    (
        "boasts",
        1,
        r"(?:our clients (?:include|see|get)|case stud(?:y|ies)|years of experience|trusted by|\d+\+ (?:companies"
        r"|clients|brands|projects|customers|businesses)|award[- ]winning team|roi\b|affordable (?:price|rate)s?"
        r"|cost[- ]effective|competitive (?:price|rate)s?|money[- ]back|guarantee[ds]?|garantiert"
        r"|garantie de r[ée]sultat|garantizad\w+|über \d+ kunden|\d+ (?:zufriedene|satisfied|happy)|expertise"
        r"|portfolio (?:of ours|attached|below)|unsere referenzen|nos r[ée]f[ée]rences|limited time|special offer"
        r"|discount|rabatt|sonderangebot|promotion|offre sp[ée]ciale|oferta especial|descuento|% off)",
    ),
    (
        "opens like a mailing",
        1,
        r"^(?:\s*)(?:dear (?:sir|madam|business owner|site owner|website owner|webmaster|friend|owner|beneficiary"
        r"|customer|valued)|hello (?:sir|website owner|there, i am|webmaster|dear)|greetings of the day"
        r"|hi there,? hope|sehr geehrter (?:website|seiten|shop)|cher (?:propri[ée]taire|webmaster)"
        r"|estimado propietario)|hope (?:this (?:email|message|mail) finds you|you are doing well"
        r"|you[’']re doing well)|(?:i|we) (?:recently )?(?:came|stumbled) (?:across|upon) your (?:web)?site",
    ),
    (
        "opt-out line",
        1,
        r"(?:not interested|reply (?:with )?[\"“']?(?:stop|no|remove)|opt[- ]?out|unsubscribe|remove you from"
        r"|kein interesse|nicht mehr kontaktier|d[ée]sabonn|d[ée]sinscri|no desea recibir|darse de baja"
        r"|dar de baja)",
    ),
    (
        "sells goods or space",
        3,
        r"(?:advertis(?:e|ing) (?:space|on)|sponsorship|media kit|anzeigenplatz|werbefl[äa]che|brancheneintrag"
        r"|branchenbuch|business directory|annuaire (?:professionnel|des entreprises)|directorio de empresas"
        r"|domain (?:name )?(?:is )?(?:for sale|zu verkaufen|expir)|office supplies|printer cartridges"
        r"|instagram followers|(?:buy|kaufen) followers|influencer package|business loans?|funding for your"
        r"|credit line|merchant cash|gesch[äa]ftskredit|pr[êe]t professionnel|pr[ée]stamos?)",
    ),
    (
        "job seeker",
        2,
        r"(?:my (?:cv|resume|résumé)|(?:cv|resume) (?:attached|is attached)|apply(?:ing)? for (?:a|the|any)"
        r"|bewerb(?:e|ung)\b|initiativbewerbung|praktikum|internship|ma candidature|candidature spontan[ée]e"
        r"|stage de|mi curr[íi]culum|(?:currículum|curriculum) (?:adjunto|vitae)|job (?:opening|opportunit)"
        r"|stellenangebot)",
    ),
)

SCAM = rules(
    (
        "coins",
        3,
        r"\b(?:bitcoin|crypto(?:currenc\w+)?|btc|usdt|forex|trading (?:signals|bot|platform)|kryptow[äa]hrung\w*"
        r"|cryptomonnaie\w*|criptomoneda\w*|passive income|passives einkommen|make \$?\d+[\d,.k]* (?:a"
        r"|per) (?:day|week)|double your (?:money|income)|geld verdienen|ganar dinero|gagner de l.argent)\b",
    ),
    (
        "prize or inheritance",
        3,
        r"\b(?:lottery|lotterie|loter[íi]a|loterie|you (?:have )?won|jackpot|inheritance|next of kin|beneficiary"
        r"|unclaimed (?:funds?|assets?)|million (?:dollars|usd|euros?|pounds)|erbschaft|sie haben gewonnen"
        r"|h[ée]ritage|vous avez gagn[ée]|herencia|ha ganado|has ganado|atm card|western union"
        r"|compensation fund)\b",
    ),
    (
        "account threat",
        3,
        r"(?:your|ihr|votre|su) (?:\w+ )?(?:account|mailbox|e-?mail|konto|postfach|compte|bo[îi]te|cuenta"
        r"|buz[óo]n|paypal|apple id|amazon|parcel|paket|colis|paquete|domain"
        r"|package)\b[^.!?\n]{0,50}\b(?:suspend\w*|limited|locked|deactivat\w*|verif(?:y|ied|ication)|gesperrt"
        r"|eingeschr[äa]nkt|best[äa]tigen|suspendu|bloqu[ée]\w*|expire\w*|suspendida|bloqueada|verificar|quota"
        r"|full|on hold|customs|zoll|douane|aduana)|(?:click|klicken sie|cliquez"
        r"|haga clic)\b[^.!?\n]{0,40}(?:verify|confirm|unlock|update your|best[äa]tigen|verifizieren|v[ée]rifier"
        r"|confirmer|d[ée]bloquer|verificar|confirmar|desbloquear)",
    ),
    (
        "pills or dating",
        3,
        r"\b(?:viagra|cialis|casino|online[- ]?poker|betting|sex(?:y)?|hot (?:girls|singles)|dating|weight loss"
        r"|abnehmen ohne|replica watches|potenzmittel|cbd oil|apuestas|paris sportifs)\b",
    ),
    (
        "blackmail",
        3,
        r"(?:hacked your|recorded you|your webcam|ihre webcam|votre webcam|su c[áa]mara|i have full access to your)",
    ),
    (
        "gift cards",
        3,
        r"\b(?:gift ?cards?|google play cards?|itunes cards?|geschenkkarten kaufen)\b[^.!?\n]{0,60}(?:buy"
        r"|purchase|urgent|send|codes?|scratch|dringend|besorg)|(?:buy|purchase|urgent\w*|besorg\w*"
        r"|pick up)\b[^.!?\n]{0,60}\b(?:gift ?cards?|geschenkkarten)\b",
    ),
)

BULK = rules(
    (
        "newsletter",
        3,
        r"view (?:this (?:email|mail|message) )?in (?:your )?browser|im browser (?:ansehen|[öo]ffnen|anzeigen)"
        r"|online(?:-?version)? (?:ansehen|anzeigen)|voir (?:ce (?:message|mail) )?(?:dans|en ligne|la version)"
        r"|ver (?:este (?:correo|mensaje) )?en (?:el|tu|su) navegador|newsletter abbestellen"
        r"|manage (?:your )?(?:preferences|subscription)|you (?:are|[’']re) receiving this (?:e-?mail|message"
        r"|because|newsletter)|sie erhalten diese (?:e-?mail|nachricht|newsletter)|vous recevez (?:ce"
        r"|cet) (?:e-?mail|message|courriel)|(?:recibes|recibe|ha recibido) este (?:correo|mensaje|email) porque"
        r"|update your preferences|abbestellen|se d[ée]sabonner|cancelar (?:la )?suscripci[óo]n",
    ),
    (
        "unsubscribe line",
        2,
        r"\bunsubscribe\b|\babmelden\b(?= ?[:.|\n]|.{0,20}http)|vom newsletter ab|d[ée]sinscri\w+|darse de baja"
        r"|darte de baja|cancelar suscripci[óo]n",
    ),
    (
        "issue or digest",
        2,
        r"\b(?:newsletter|weekly digest|daily digest|monthly (?:digest|roundup|update)|this week in|issue #?\d+"
        r"|ausgabe \d+|wochenr[üu]ckblick|edition #?\d+|lettre d.information|infolettre|bolet[íi]n"
        r"|resumen semanal|black friday|cyber monday|webinar|save the date|early bird|jetzt sichern|nur heute"
        r"|only today|shop now|jetzt kaufen|register now|jetzt anmelden|inscrivez-vous|reg[íi]strate"
        r"|[uú]ltimas plazas)\b",
    ),
)

NOTICE = rules(
    (
        "receipt or order",
        3,
        r"(?:your (?:receipt|order)\b|order (?:confirmation|confirmed|#\d|number)|receipt (?:from|for your|#)"
        r"|thanks? (?:you )?for your (?:order|purchase|payment|subscription)|payment (?:received|successful"
        r"|confirmation) (?:from|for|to)|bestellbest[äa]tigung|ihre bestellung|ihre quittung"
        r"|vielen dank f[üu]r ihre (?:bestellung|zahlung|buchung)|confirmation de (?:commande|paiement)"
        r"|votre (?:commande|re[çc]u)|merci pour votre (?:commande|achat|paiement)|confirmaci[óo]n de (?:pedido"
        r"|pago|compra)|su pedido|tu pedido|gracias por (?:su|tu) (?:compra|pedido|pago)|has (?:been )?shipped"
        r"|wurde versandt|a [ée]t[ée] exp[ée]di[ée]e?|ha sido enviado|out for delivery|tracking number"
        r"|sendungsnummer|num[ée]ro de suivi|n[úu]mero de seguimiento)",
    ),
    (
        "sign-in or code",
        3,
        r"(?:verification code|security code|one-time (?:code|password)|login code|new (?:sign-?in|login|device)"
        r"|password (?:reset|was changed|has been)|reset your password|best[äa]tigungscode|sicherheitscode"
        r"|neue anmeldung|passwort zur[üu]cksetzen|code de (?:v[ée]rification|s[ée]curit[ée])|nouvelle connexion"
        r"|r[ée]initialis\w+ (?:votre|de) mot de passe|c[óo]digo de (?:verificaci[óo]n|seguridad)"
        r"|nuevo inicio de sesi[óo]n|restablec\w+ (?:su|tu|la) contrase[ñn]a|confirm your e-?mail)",
    ),
    (
        "do not reply",
        3,
        r"(?:do not reply|don[’']t reply|no-?reply|this is an auto(?:mated|matic)|automatically generated"
        r"|diese (?:e-?mail|nachricht) wurde automatisch|automatisch (?:generiert|erstellt)"
        r"|bitte antworten sie nicht|nicht auf diese|ne pas r[ée]pondre|message automatique"
        r"|g[ée]n[ée]r[ée] automatiquement|no responda|no respondas|mensaje autom[áa]tico"
        r"|generado autom[áa]ticamente)",
    ),
    (
        "away note",
        3,
        r"(?:out of (?:the )?office|i am (?:currently )?(?:away|on (?:vacation|leave|holiday))|abwesenheits\w+"
        r"|bin (?:derzeit |bis |vom |ab )?[^.!?\n]{0,40}(?:nicht im b[üu]ro|im urlaub|abwesend)|absen(?:ce"
        r"|t) du bureau|je suis (?:actuellement )?(?:absent|en cong[ée])|fuera de la oficina"
        r"|estoy (?:de vacaciones|ausente)|respuesta autom[áa]tica|r[ée]ponse automatique|automatische antwort"
        r"|auto-?reply)",
    ),
    (
        "delivery failed",
        3,
        r"(?:delivery (?:status notification|has failed|failure)|undeliver(?:able|ed)|mailer-daemon|unzustellbar"
        r"|konnte nicht zugestellt|non remis|no se ha podido entregar)",
    ),
    (
        "tool notice",
        3,
        r"(?:commented on|mentioned you|assigned (?:to )?you|invited you to|shared (?:a |the )?(?:file|document"
        r"|folder) with you|hat (?:sie|dich) (?:erw[äa]hnt|eingeladen)|a partag[ée] |vous a (?:invit[ée]"
        r"|mentionn[ée])|te ha (?:invitado|mencionado)|build (?:failed|passed)|backup (?:completed|failed|report)"
        r"|uptime|ssl certificate (?:renew|expir)|your (?:subscription|plan|trial) (?:will|has|is)|weekly report"
        r"|statement is (?:ready|available)|kontoauszug)",
    ),
)
