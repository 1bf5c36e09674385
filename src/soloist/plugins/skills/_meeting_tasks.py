"""Tasks: who said or was told to do what, and until which day, in one sentence of a meeting; it assigns nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from soloist.kernel.message import DateMention
from soloist.plugins.skills._dates import find_dates

_NAME = r"(?-i:[A-ZÄÖÜÉÈÁÍÓÚÑÇ][\w'’-]+(?:[ ][A-ZÄÖÜÉÈÁÍÓÚÑÇ][\w'’-]+){0,2})"
_EN = (
    "send|prepare|write|call|check|draft|update|fix|book|order|review|share|create|make|set up|look (?:into|at|up)|ask"
    "|contact|finish|deliver|test|design|organi[sz]e|schedule|arrange|invite|collect|provide|confirm|get back|follow up"
    "|come up with|investigate|talk to|speak (?:to|with)|email|e-mail|mail|post|publish|upload|forward|circulate"
    "|compile"
    "|find|research|propose|revise|rework|translate|print|buy|pay|sign|clarify|document|put together|work (?:on|out)"
    "|take care|handle|bring|do|give|add|remove|change|move|run|build|present|report|summari[sz]e|estimate|install"
    "|transcribe|distribute|chase|approve|hand|ship|register|reserve|replace|measure|sort out|plan|start|pick|return"
)
_DE = (
    "schick|send|mach|erstell|prüf|klär|bereite|kümmer|übernimm|übernehm|organisier|buch|ruf|schreib|liefer|meld|frag"
    "|besorg|hol|aktualisier|überarbeite|bestell|plan|teste|lad|läd|leg|stell|gib|geb|soll|muss|informier|koordinier"
    "|entwirf|entwerf|dokumentier|reich|richte|such|sammel|druck|teil|mail|fass|kontaktier|vereinbar|reservier"
    "|unterschreib|bezahl|zahl|bring|baue|baut|passe|passt|setz|übersetz|veröffentlich|verschick|kalkulier|recherchier"
)
_FR = (
    "envo|enver|prépar|rédig|transm|rappel|appel|vérifi|contact|réserv|organis|relanc|finalis|command|corrig|test"
    "|partag|confirm|mets?\\b|mettra|fai[st]\\b|fer|demand|propos|cherch|publi|planifi|trouv|imprim|factur|livr|modifi"
    "|ajout|tradui|invit|pai|pay|sign|dois|doit|devra|va\\b|vais|crée|créer|met\\b|regard|fourni|install|termin|mesur"
    "|s['’]occup|m['’](?:en )?occup|se charg|m['’](?:en )?charg|prend|prépare"
)
_ES = (
    "enví|envi|mand|prepar|revis|contact|llam|redact|reserv|organiz|confirm|busc|hac|har|pid|pregunt|propon|public"
    "|imprim|factur|entreg|modific|añad|traduc|invit|pag|firm|deb|tiene que|tengo que|va a|voy a|cre[ao]|actualiz"
    "|corrig|prueb|prob|compr|termin|me encarg|se encarg|se ocup|me ocup|compart|ped|present|instal|pas|escrib|dise"
)
_WILL = (
    r"(?:will|to|is going to|should|shall|has to|needs to|must|agreed to|offered to|promised to|volunteered to|is to"
    r"|can|takes care of|is responsible for|handles|owns)"
)
_OWN = {
    "en": rf"\b(?:i ?['’]ll|i will|i shall|i am going to|i ?['’]m going to|i can|let me|i(?: ?['’]ve got| have"
    rf"| need) to)\s+"
    rf"(?:also |just |then |try (?:to|and) |go and )*(?P<what>(?:{_EN})\b.+)",
    "de": rf"\b(?:(?:ich)\s+(?:werde\s+)?(?P<what>(?:[\w-]+\s+){{0,6}}?(?:{_DE})\w*.*)|(?P<what2>(?:{_DE})\w*\s+ich\b.+"
    r"|das (?:mache|übernehme) ich\b.*))",
    "fr": rf"\b(?:je|j['’])\s*(?P<what>(?:(?:te|vous|lui|leur|t['’]|le|la|les|l['’]|m['’]en|me)\s*)*(?:{_FR})\w*.*)",
    "es": r"(?:\byo\s+)?(?:\b(?:te|os|le|les|lo|la|se lo)\s+)?(?P<what>\b(?:voy a|me encargo|me ocupo|tengo que"
    r"|(?:enviar|mandar|preparar|revisar|llamar|redactar|reservar|organizar|confirmar|buscar|har|pedir|preguntar"
    r"|publicar|entregar|pasar|escribir|actualizar|comprar|compartir|contactar|terminar)é)\b.*)",
}
_THEIRS = {
    "en": rf"(?:^|[\s(,;])@?(?P<who>{{0}})\s+{_WILL}\s+(?:also |then |try to )*(?P<what>(?:be |the |a )?(?:\w+ly )?"
    rf"(?:{_EN}|[a-z]\w+)\b.+)",
    "de": rf"(?:^|[\s(,;])@?(?P<who>{{0}})\s+(?:wird\s+)?(?P<what>(?:{_DE})\w*\b.+)"
    rf"|(?:^|[\s(,;])@?(?P<who2>{{0}})\s+wird\s+(?P<what2>.+)",
    "fr": rf"(?:^|[\s(,;])@?(?P<who>{{0}})\s+(?:(?:nous|vous|lui|leur|le|la|les)\s+)?(?P<what>(?:{_FR})\w*.+)",
    "es": rf"(?:^|[\s(,;])@?(?P<who>{{0}})\s+(?:(?:nos|os|le|les|lo|la)\s+)?(?P<what>(?:{_ES})\w*.+)",
}
_ASKED = {
    "en": rf"(?:^|\b)(?:(?P<who>{{0}}),?\s+(?:can|could|would|will) you|(?:can|could|would) (?P<who2>{{0}})|(?:can"
    rf"|could"
    rf"|would|will) you)\s+(?:also |please |maybe |just )*(?P<what>(?:{_EN})\b.+)",
    "de": r"(?:^|\b)(?:(?P<who>{0}),?\s+(?:kannst du|könntest du|können Sie|könnten Sie)|(?:kann|könnte) (?P<who2>{0})"
    r"|(?:kannst du|könntest du|können Sie|könnten Sie))\s+(?P<what>(?:bitte\s+)?.+)",
    "fr": r"(?:^|\b)(?:(?P<who>{0}),?\s+(?:peux-tu|tu peux|pourrais-tu|pouvez-vous|pourriez-vous)|(?:peux-tu|tu peux"
    r"|pourrais-tu|pouvez-vous|pourriez-vous))\s+(?P<what>.+)",
    "es": r"(?:^|\b|¿)(?:(?P<who>{0}),?\s+¿?(?:puedes|podrías|puede|podría)|(?:puedes|podrías|puede usted|podría))\s+"
    r"(?P<what>.+)",
}
_GOES_TO = re.compile(
    rf"(?:[\s,;]*[(\[]\s*(?:@|→|->|owner:?\s*|who:?\s*|wer:?\s*)?(?P<paren>{_NAME})\s*(?:,[^()\[\]]{{1,40}})?[)\]]"
    rf"|\s*(?:→|->|=>|–|—|\|)\s*@?(?P<arrow>{_NAME})\b|\s@(?P<at>{_NAME}))\s*"
)
_FIRST = re.compile(rf"@?(?P<who>{_NAME})(?:\s*[:–—|]\s+|\s+-\s+)")
_DUE = re.compile(
    r"(?:[\s,;(–—|-]*\b(?:by|until|till|before|no later than|not later than|due(?: date)?(?: by| on)?|deadline|latest"
    r"|bis(?: spätestens)?(?: zum| am)?|spätestens(?: bis)?(?: zum| am)?|fällig(?: am)?|frist|avant(?: le)?|d['’]ici"
    r"(?: le| au| à)?|pour(?: le)?|au plus tard(?: le)?|échéance|antes del?|para(?: el)?|hasta(?: el)?"
    r"|a más tardar(?: el)?|como muy tarde(?: el)?|plazo|límite)\s*:?\s*(?:the |den |dem |le |la |el |end of "
    r"|fin )?)\Z",
    re.IGNORECASE,
)
_ON = re.compile(r"[\s,;(–—|-]*(?:\b(?:on|am|zum|le|el|ab|in der|in|der|die|la)\s*)?\Z", re.IGNORECASE)
_STARTS_DUE = re.compile(
    r"(?:by|until|till|before|due|bis|vor|avant|d['’]ici|pour|antes|para|hasta|for)\b", re.IGNORECASE
)
_NOT_NOW = re.compile(
    r"^\W*(?:if|when|should|once|falls|wenn|sobald|quand|lorsque|si|cuando)\b|\b(?:i (?:think|guess|mean|do ?n?['’]?t)"
    r"|i can(?: ?['’]t| ?not)|i (?:wouldn['’]t|won['’]t))\b",
    re.IGNORECASE,
)
_NOBODY = frozenset(
    "i we you he she it they this that there what who the a an and or but so if then also no yes ok okay well not "
    "is are"
    " ich wir ihr sie er es das die der dies wer was und oder aber so wenn dann auch ja nein je nous vous tu il elle on"
    " ils elles ce cela ça qui que et ou mais si donc oui non yo nosotros tú usted él ella eso esto quien y o pero sí"
    " team everyone everybody alle todos tous next need everything nothing please bitte merci gracias um uh hmm".split()
)


class Job(NamedTuple):
    """What is to be done as offsets ``start`` to ``end`` of the sentence; ``who`` and ``day`` are "" when not said."""

    start: int
    end: int
    who: str
    day: str


class Names:
    """The people of one meeting, and the patterns that name them."""

    def __init__(self, people: Iterable[str], language: str) -> None:
        """``people`` as written; ``language`` one of en, de, fr, es, others are read as English."""
        self.people = [name.strip() for name in dict.fromkeys(people) if name.strip()]
        self.language = language if language in _OWN else "en"
        known = {part for name in self.people for part in (name, name.split()[0]) if len(part) > 1}
        either = "|".join([*(re.escape(name) for name in sorted(known, key=len, reverse=True)), _NAME])
        self.own = re.compile(_OWN[self.language], re.IGNORECASE | re.DOTALL)
        self.theirs = re.compile(_THEIRS[self.language].replace("{0}", either), re.IGNORECASE | re.DOTALL)
        self.asked = re.compile(_ASKED[self.language].replace("{0}", either), re.IGNORECASE | re.DOTALL)

    def whole(self, written: str) -> str:
        """The full name of a person whose first name was written; as written when nobody or several fit."""
        fits = [name for name in self.people if written.casefold() in (name.casefold(), name.split()[0].casefold())]
        return fits[0] if len(fits) == 1 else written

    def knows(self, written: str) -> bool:
        """Whether a name is one of the people."""
        return any(written.casefold() in (name.casefold(), name.split()[0].casefold()) for name in self.people)


def listed(words: str, names: Names, assignee: str, today: date | None) -> Job:
    """The job of an item that stands in a list of tasks: whatever it says is to be done."""
    who, start, end = assignee, 0, len(words)
    first = _FIRST.match(words)
    goes = None if who else _GOES_TO.search(words)
    theirs = names.theirs.match(words)
    if not who and first:
        who, start = first["who"], first.end()
    elif not who and theirs and (names.knows(_group(theirs, "who")) or not names.people):
        who, start = _group(theirs, "who"), _where(theirs, "what")[0]
    elif goes:
        who = goes["paren"] or goes["arrow"] or goes["at"]
        end = goes.start() if not words[goes.end() :].strip(" .;,") or goes.start() > 12 else end
    day, cut, lead = _until(words, start, end, names.language, today)
    if goes and goes.start() > start and cut > goes.start():
        cut = goes.start()
    return _job(words, max(start, lead), cut, names.whole(who), day)


def said(words: str, speaker: str, names: Names, today: date | None, *, strict: bool) -> Job | None:
    """The job in a sentence that was said; ``strict`` takes names of known people only."""
    if _NOT_NOW.search(words):
        return None
    question = words.rstrip().endswith("?")
    found = None if question else names.theirs.search(words)
    who = _group(found, "who") if found else ""
    if found and not (names.knows(who) if strict else _is_person(who, names)):
        found = None
    if not found and not question and speaker:
        found, who = names.own.search(words), speaker
    if not found:
        found = names.asked.search(words) if question else None
        who = _group(found, "who") if found else ""
        if not found or not (names.knows(who) if strict else _is_person(who, names)):
            return None
    start, end = _where(found, "what")
    day, end, lead = _until(words, start, end, names.language, today)
    job = _job(words, max(start, lead), end, names.whole(who), day)
    return job if job.end - job.start >= 6 else None


def asks(words: str, names: Names, today: date | None) -> Job | None:
    """The job of a request to "you"; whoever agrees next takes it."""
    found = names.asked.search(words) if words.rstrip().endswith("?") else None
    if not found or _group(found, "who"):
        return None
    day, end, _ = _until(words, *_where(found, "what"), names.language, today)
    return _job(words, _where(found, "what")[0], end, "", day)


def _is_person(written: str, names: Names) -> bool:
    """Whether a capitalised word may be a name."""
    return bool(written) and (names.knows(written) or written.casefold().split()[0] not in _NOBODY)


def _group(found: re.Match[str], name: str) -> str:
    """A group or its second form."""
    groups = found.groupdict()
    return groups.get(name) or groups.get(name + "2") or ""


def _where(found: re.Match[str], name: str) -> tuple[int, int]:
    """Offsets of a group or its second form."""
    return found.span(name if found.groupdict().get(name) else name + "2")


def _until(words: str, start: int, end: int, language: str, today: date | None) -> tuple[str, int, int]:
    """The day until when, where the words before it end, and where those after a leading day begin.

    A day after "by" or "until" counts before others; without such a word only a day at either end of the sentence.
    """
    days = find_dates(words, today, language) if today else []
    due = [day for day in days if _begins(words, day) is not None]
    for day in due or days[-1:]:
        begin = _begins(words, day)
        at_end = not words[day.span.end : end].strip(" .;,!)]|–-")
        if begin is None:
            before = _ON.search(words, max(0, day.span.start - 20), day.span.start)
            begin = before.start() if before else day.span.start
        if at_end and begin > start:
            return day.day, begin, start
        if day in due or at_end or begin <= start + 2:
            lead = day.span.end if begin <= start + 1 else start
            return day.day, end, lead
    return "", end, start


def _begins(words: str, day: DateMention) -> int | None:
    """Where "by" before a day begins; None when there is no such word."""
    before = _DUE.search(words, max(0, day.span.start - 40), day.span.start)
    if before:
        return before.start()
    return day.span.start if _STARTS_DUE.match(day.span.text) else None


def _job(words: str, start: int, end: int, who: str, day: str) -> Job:
    """A job without white space and stops at its ends."""
    while start < end and words[start] in " \t,;:–—|-→@":
        start += 1
    while end > start and words[end - 1] in " \t\r\n,;:.!?–—|-→([":
        end -= 1
    return Job(start, end, who, day)
