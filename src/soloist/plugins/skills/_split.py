"""Splits a message into own words, quoted words and signature, line by line; it does not judge what is said."""

from __future__ import annotations

import re

from soloist.kernel.message import Frozen

_FORWARD = re.compile(
    r"^[\s>*]*(?:[-_]{2,}\s*(?:original message|forwarded message|urspr[üu]ngliche nachricht|original[- ]nachricht"
    r"|weitergeleitete nachricht|message d.origine|message original|message transf[ée]r[ée]|mensaje original"
    r"|mensaje reenviado|reply message|forwarded by)\b.*"
    r"|(?:begin forwarded message|anfang der weitergeleiteten nachricht"
    r"|d[ée]but du message (?:transf[ée]r[ée]|r[ée]exp[ée]di[ée])"
    r"|inicio del mensaje reenviado)\s*:?\s*)$",
    re.IGNORECASE,
)
_FROM_KEY = re.compile(r"^[\s>*]*(?:from|von|de|exp[ée]diteur|remitente)\s*:\**\s*\S", re.IGNORECASE)
_HEAD_KEY = re.compile(
    r"^[\s>*]*(?:from|sent|to|subject|date|cc|reply-to|organization|von|gesendet|an|betreff|datum|kopie|de"
    r"|envoy[ée](?: le)?|[àa]"
    r"|objet|exp[ée]diteur|destinataire|enviado(?: el)?|para|asunto|fecha|remitente)\s*:\**(?:\s|$)",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    r"^[\s>]*(?:(?:on|am|le|el|il|op|den|em)\b.{6,260}?\b(?:wrote|schrieb[^:\n]{0,120}|a [ée]crit|escribi[óo]"
    r"|ha scritto|schreef"
    r"|skrev|escreveu)\s*:"
    r"|.{3,160}\bschrieb (?:am|on)\b.{4,80}:|.{3,160}\b(?:escribi[óo] el|a [ée]crit le)\b.{4,80}:)\s*$",
    re.IGNORECASE | re.DOTALL,
)
_STARTS = re.compile(r"^[\s>]*(?:on|am|le|el|il|op|den|em)\s", re.IGNORECASE)
_WEAK = re.compile(r"^(?=.*\d)(?=.*(?:<\S+@\S+>|\d[:h.]\d\d|\bwrites?\b|\bwrote\b|\b\d{4}\b)).{8,260}:\s*$", re.DOTALL)
_RULE = re.compile(r"^\s*[-_=*]{8,}\s*$")
_DEVICE = re.compile(
    r"^\s*[*_]?(?:sent from (?:my|a|an|mail|outlook|yahoo|gmail|proton|samsung)\b[\w ’'.-]{0,50}"
    r"|sent with [\w ().:/?-]{2,60}"
    r"|sent via [\w .]{2,40}|get outlook for .{2,40}|von meinem [\w ./-]{2,40} gesendet"
    r"|(?:diese nachricht wurde |dies(?:e e-?mail)? wurde )?von meinem [\w ./-]{2,60} gesendet"
    r"|gesendet (?:von|mit|aus|über)\s.{2,60}|envoy[ée] (?:de|depuis|[àa] partir de) (?:mon|ma|l.|outlook"
    r"|mail|yahoo).{0,50}"
    r"|enviado (?:desde|con|de) (?:mi|outlook|mail|yahoo|el).{0,50}|outlook f[üu]r (?:ios|android) .{0,60})[*_.]?\s*$",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^\s*(?:(?:many |kind |best |warm |warmest |kindest |with kind |with best )?(?:regards|wishes|greetings)"
    r"|all the best|best|sincerely|yours"
    r"|yours (?:sincerely|faithfully|truly)|cheers|(?:many |kind )?thanks(?: again| so much| a lot"
    r"| in advance| and (?:best|kind) regards)?|thank you"
    r"(?: so much| very much| in advance)?|thx|take care|talk soon|speak soon|br|kr|xo"
    r"|(?:mit )?(?:freundliche[nmr]?|beste[nr]?|viele[n]?|liebe[nr]?|herzliche[nr]?|sch[öo]ne[nr]?"
    r"|sonnige[nr]?) (?:gr(?:ü|ue|u)(?:ß|ss)(?:e[n]?)?)"
    r"(?: aus \w+)?|gr(?:ü|ue)(?:ß|ss)e|(?:viele|liebe|beste) gr(?:ü|ue)(?:ß|ss)e|mfg|lg|vg|bg"
    r"|hochachtungsvoll|besten dank|vielen dank|danke"
    r"(?: (?:im voraus|schon mal|dir|ihnen))?|(?:bien )?cordialement|bien [àa] (?:vous|toi)"
    r"|(?:tr[èe]s )?cordialement|salutations(?: distingu[ée]es)?"
    r"|sinc[èe]res salutations|meilleures salutations|bonne journ[ée]e|belle journ[ée]e|merci(?: (?:beaucoup"
    r"|d.avance|par avance))?|amicalement|[àa] bient[ôo]t"
    r"|(?:un (?:cordial )?)?saludos?(?: cordiales)?|(?:muchos |cordiales )?saludos|atentamente|un abrazo"
    r"|(?:muchas )?gracias"
    r"(?: (?:de antemano|por adelantado))?|cordialmente)"
    r"(?:\s*[,.!:–-]*\s*(?P<name>[^\W\d_][\w.’'-]*(?: [^\W\d_][\w.’'-]*){0,3})?)?\s*[,.!]*\s*$",
    re.IGNORECASE,
)
_DASH_NAME = re.compile(r"^[-–—]{1,2}\s?(?:[A-ZÀ-ÞŁŚŽ][\w.’'-]+)(?: [A-ZÀ-ÞŁŚŽ][\w.’'-]*){0,3}\s*$")
_POSTSCRIPT = re.compile(r"^\s*(?:n\.?b|p\.?\s?p?\.?\s?s)\b[.:]*", re.IGNORECASE)
_MAX_SIGNATURE_LINES = 14
_TAIL = 80
"""Lines at the end in which a signature without a mark is looked for."""


class In(Frozen):
    """A message's text as read, and the sender's display name (may be empty), which helps to see a signature."""

    text: str
    sender_name: str = ""


class Out(Frozen):
    """The three parts, each with white space at the ends removed; ``forwarded`` when nothing but a forward i"
    "s there."""

    own_text: str
    quoted: str
    signature: str
    forwarded: bool = False


def split(text: str, sender_name: str = "") -> Out:
    """The same as a plain function; linear in the length of the text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u200b", "").split("\n")
    quoted = _quoted(lines)
    own = [line for line, is_quoted in zip(lines, quoted, strict=True) if not is_quoted]
    rest = "\n".join(line for line, is_quoted in zip(lines, quoted, strict=True) if is_quoted).strip()
    start, end = _signature(own, sender_name)
    own_text = "\n".join([*own[:start], *own[end:]]).strip()
    signature = "\n".join(own[start:end]).strip()
    return Out(own_text=own_text, quoted=rest, signature=signature, forwarded=not own_text and bool(rest))


def _quoted(lines: list[str]) -> list[bool]:
    """For each line, whether it is a quotation or introduces one."""
    quoted = [line.lstrip().startswith(">") for line in lines]
    index = 0
    while index < len(lines):
        if quoted[index]:
            index += 1
            continue
        if _FORWARD.match(lines[index][:200]) or _header_block(lines, index):
            first = index
            while first and (_RULE.match(lines[first - 1]) or not lines[first - 1].strip()):
                first -= 1
            return [*quoted[:first], *[True] * (len(lines) - first)]
        length = _attribution(lines, index)
        if length:
            quoted[index : index + length] = [True] * length
            following = next((line for line in lines[index + length :] if line.strip()), "")
            if not following.lstrip().startswith(">"):
                return [*quoted[:index], *[True] * (len(lines) - index)]
        index += max(length, 1)
    return quoted


def _header_block(lines: list[str], index: int) -> bool:
    """Whether an Outlook-style header (who, when, to whom, what) begins here, in one of four languages."""
    if not _HEAD_KEY.match(lines[index][:200]):
        return False
    window = [line[:200] for line in lines[index : index + 9]]
    keys, sender = 0, False
    for line in window:
        if _HEAD_KEY.match(line):
            keys += 1
            sender = sender or bool(_FROM_KEY.match(line))
    return sender and keys >= 3


def _attribution(lines: list[str], index: int) -> int:
    """Number of lines (0 to 4) of an introduction such as "On ... wrote:" that begins here."""
    for length in range(1, 5):
        block = lines[index : index + length]
        if len(block) < length or not block[-1].strip() or sum(map(len, block)) > 400:
            return 0
        if length > 1 and _STARTS.match(block[-1]):
            return 0
        if length > 1 and not _STARTS.match(block[0]) and not (length == 2 and "<" in block[0]):
            return 0
        joined = " ".join(part.strip() for part in block)
        if not joined.endswith(":"):
            continue
        if _ATTRIBUTION.match(joined) and any(c.isdigit() for c in joined):
            return length
        after = next((line for line in lines[index + length :] if line.strip()), "")
        if length <= 2 and after.lstrip().startswith(">") and _WEAK.match(joined):
            return length
    return 0


def _signature(own: list[str], sender_name: str) -> tuple[int, int]:
    """First and last+1 line of the signature in the own lines; both at the end when there is none."""
    count = len(own)
    start = min(_delimited(own), _closed(own, sender_name))
    if start == count:
        return count, count
    for index in range(start + 1, count):
        if _POSTSCRIPT.match(own[index][:20]):
            return start, index
    return start, count


def _delimited(own: list[str]) -> int:
    """Line of a signature mark: "-- ", a device line, a long rule with a footer after it, or a dash and a name."""
    for index, line in enumerate(own):
        bare = line.rstrip()
        if bare in {"--", "—", "__"}:
            return index
        if index < len(own) - _TAIL:
            continue
        below = [other for other in own[index + 1 :] if other.strip()]
        if _RULE.match(line) and index and len(below) <= _MAX_SIGNATURE_LINES:
            return index
        if len(bare) <= 120 and _DEVICE.match(bare) and _short(below):
            return index
        if index and len(bare) <= 50 and _DASH_NAME.match(bare) and not own[index - 1].strip() and _ends_here(below):
            return index
    return len(own)


def _ends_here(below: list[str]) -> bool:
    """Whether only a short block or a footer behind a long rule follows."""
    return (not below) or bool(_RULE.match(below[0])) or (len(below) <= 3 and _short(below))


def _closed(own: list[str], sender_name: str) -> int:
    """Line of a closing formula, or of the sender's bare name, with only short lines after it."""
    found = len(own)
    words = [part.casefold() for part in re.findall(r"[^\W\d_]{3,}", sender_name)]
    for index in range(len(own) - 1, max(len(own) - _TAIL, 0) - 1, -1):
        below = [line for line in own[index + 1 :] if line.strip() and not _POSTSCRIPT.match(line[:20])]
        if len(below) > _MAX_SIGNATURE_LINES:
            break
        line = own[index].strip()
        if not line or len(line) > 70 or not _short(below):
            continue
        if _CLOSING.match(line) and (index or not below):
            found = index
        elif words and index and line.casefold().strip(" ,.-") in {sender_name.casefold(), words[0]}:
            found = min(found, index)
    return found


def _short(lines: list[str]) -> bool:
    """Whether these lines look like a name block or disclaimer and not like prose or questions."""
    prose = 0
    for line in lines[:_MAX_SIGNATURE_LINES]:
        if line.rstrip().endswith("?") and "http" not in line:
            return False
        prose += len(line) > 90 or (len(line.split()) > 7 and "|" not in line and not re.search(r"\d{4,}", line))
    return prose <= 1
