"""Whether a machine wrote a mail, so that it is never answered by itself; rules over headers and wording."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

from soloist.kernel.message import Address, Automatic
from soloist.plugins.skills._mime import Tree

_DAEMON = re.compile(
    r"(?:^|[\s<\"(,;:])(?:mail(?:er|er-|er_| )?-?daemon|mdaemon|maildaemon|mail\.delivery\.system)(?:[@>\s\")]|$)", re.I
)
_POSTMASTER = re.compile(r"(?:^|[\s<\"(,;:])postmaster(?:[@>\s\")]|$)", re.I)
_BOUNCE_SUBJECT = re.compile(
    r"\s*(?:\[postmaster\]\s*|warning:\s*|\*+\s*|notice:\s*)?(?:"
    # English: Postfix, Sendmail, Exim, qmail, Exchange, Gmail, OpenSMTPD, Yahoo, Zoho, Messaging Server, Notes, Courier
    r"undeliver|non-?deliver|non delivery|delivery (?:status|fail|has failed|notification|report|problem|error)"
    r"|mail delivery|e?-?mail (?:delivery|could not be|failure|failed|error|system error|bounce)"
    r"|returned mail|return(?:ed)? to sender"
    r"|failure notice|failure delivery|message (?:delivery|could not be|undeliver|not delivered|status)|delayed mail"
    r"|postmaster notify|could not (?:be )?(?:send|deliver)|permanent delivery|there was an error sending|bounce"
    r"|sorry,? your (?:message|mail) could not|mail status report|rejected mail"
    r"|unzustellbar|nicht zustellbar|zustell(?:ung|fehler)|übermittlungsfehler"
    r"|fehler bei der (?:zustellung|übermittlung)"
    r"|e?-?mail konnte nicht|benachrichtigung (?:zum|über den) (?:übermittlungs|zustell)"
    r"|non remis|non distribué|(?:message|courrier) non (?:remis|distribué|délivré)|échec (?:de|d')|avis de non"
    r"|notification d.état de remise|no se (?:puede|pudo) entregar|(?:correo|mensaje) (?:no entregado|devuelto)"
    r"|notificación (?:de estado|sobre el estado)|non recapitabile|mancat[oa] (?:recapito|consegna)"
    r"|não (?:foi )?(?:possível entregar|entregue)|mensagem não entregue|onbestelbaar|niet (?:bezorgd|afgeleverd)"
    r"|недоставлен|ваше сообщение не доставлено|не удалось доставить|niedostarczon|nie można dostarczyć"
    r"|kunde inte levereras|kan ikke leveres|配信不能|配信できません|メール送受信エラー|退信|系统退信)",
    re.IGNORECASE,
)
_EVIDENCE = re.compile(
    r"\b[45]\.\d\.\d{1,3}\b|\b[45][0-5]\d[ -]|final-recipient|diagnostic-code|reporting-mta|remote host said|smtp error"
    r"|(?:could not|couldn't|cannot|can not|unable to|not) be(?:en)? delivered|user unknown|unknown user|mailbox"
    r"|this is the qmail|original message follows|nicht zugestellt|undeliverable",
    re.IGNORECASE,
)
# A client may well write that a parcel could not be delivered; only a mail server writes these.
_MTA = re.compile(
    r"\b[45]\d\d[ -]#?[45]\.\d{1,2}\.\d{1,3}\b|\(#[45]\.\d\.\d\)"
    r"|final-recipient:|diagnostic-code:|reporting-mta:"
    r"|remote host said|smtp error|user unknown|unknown user|no such user"
    r"|this is the qmail|mail delivery (?:software|agent|system)"
    r"|recipient(?: address)? rejected|mailbox (?:unavailable|full|not found|is full)"
    r"|copy of the (?:original )?message",
    re.IGNORECASE,
)
_AWAY_SUBJECT = re.compile(
    r"\s*(?:(?:automatic|automated|auto)[ -]?(?:reply|response)\b|autoreply|autoresponse"
    r"|out of (?:the )?office(?:\s*[:\-(]|\s*$|\s+(?:auto|re:|reply|message|notice))"
    r"|automatische (?:antwort|rückantwort)"
    r"|abwesenheits(?:notiz|nachricht|meldung)"
    r"|abwesend:|réponse automatique|absence du bureau|respuesta automática|fuera de (?:la )?oficina"
    r"|risposta automatica|resposta automática|automatisch antwoord|afwezig:|autosvar"
    r"|automatiskt svar|automaattinen vastaus|автоответ|automatyczna odpowiedź|自動応答|自动回复)",
    re.IGNORECASE,
)
_NO_REPLY = re.compile(
    r"(?:^|[-_.+])(?:no[-_.]?(?:reply|response|answer)|do[-_.]?not[-_.]?(?:reply|respond|answer)|nicht[-_.]?antworten"
    r"|keine?[-_.]?antwort|ne[-_.]?pas[-_.]?repondre|no[-_.]?responder|non[-_.]?rispondere|bounces?|notifications?|notify)"
    r"(?:[-_.+=\d]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Seen:
    """What the rules look at: the first header block, the parts, and what was read from them."""

    tree: Tree
    sender: Address | None
    reply_to: Address | None
    subject: str
    text: str

    @property
    def headers(self) -> Message:
        """The mail's own headers."""
        return self.tree.parts[0].headers

    def value(self, name: str) -> str:
        """A header in lower case without outer spaces."""
        return self.headers.get(name, "").strip().lower()


def classify(seen: Seen) -> Automatic | None:
    """The strongest sign that no person wrote this, None when there is none."""
    for rule in (_bounce, _answered_by_machine, _list, _bulk, _no_reply):
        found = rule(seen)
        if found:
            return found
    return None


def _bounce(seen: Seen) -> Automatic | None:
    root = seen.tree.parts[0]
    if root.declared == "multipart/report" and root.parameter("report-type").lower() == "delivery-status":
        return Automatic(kind="bounce", why="It is a delivery report (multipart/report, delivery-status).")
    if any(child.mime.endswith("delivery-status") for child in root.children):
        return Automatic(kind="bounce", why="It holds a delivery report (delivery-status).")
    if "x-failed-recipients" in seen.headers:
        return Automatic(kind="bounce", why="It names recipients that were not reached (X-Failed-Recipients).")
    written = seen.headers.get("from", "")
    if _DAEMON.search(written):
        return Automatic(kind="bounce", why="A mail server wrote it (mailer-daemon).")
    like = bool(_BOUNCE_SUBJECT.match(seen.subject))
    if _POSTMASTER.search(written) and (like or _null_path(seen) or _EVIDENCE.search(seen.text[:5000])):
        return Automatic(kind="bounce", why="A mail server wrote it (postmaster) about a mail that was not delivered.")
    if like and _null_path(seen):
        return Automatic(kind="bounce", why="Its subject is that of a bounce and its return path is empty.")
    if like and _MTA.search(seen.text[:5000]) and "in-reply-to" not in seen.headers:
        return Automatic(kind="bounce", why="Its subject and text are those of a bounce.")
    return None


def _null_path(seen: Seen) -> bool:
    """Whether the envelope sender is empty, which only reports and automatic answers have."""
    return any(
        re.fullmatch(r"<\s*>|<?mailer-daemon(?:@[^>]*)?>?", value.strip(), re.IGNORECASE)
        for value in seen.headers.get_all("return-path", [])
    )


def _answered_by_machine(seen: Seen) -> Automatic | None:
    submitted = seen.value("auto-submitted").partition(";")[0].strip()
    if submitted and submitted != "no":
        return Automatic(
            kind="auto_reply", why=f"It says itself that a machine sent it (Auto-Submitted: {submitted[:40]})."
        )
    for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-autogenerated", "x-auto-reply-from"):
        if name in seen.headers and seen.value(name) not in {"no", "false", "0"}:
            return Automatic(kind="auto_reply", why=f"It says itself that it is an automatic answer ({name}).")
    if seen.value("precedence") in {"auto_reply", "auto-reply"}:
        return Automatic(kind="auto_reply", why="It says itself that it is an automatic answer (Precedence).")
    root = seen.tree.parts[0]
    if root.declared == "multipart/report":
        kind = root.parameter("report-type") or "unknown"
        return Automatic(kind="auto_reply", why=f"It is a report by a machine ({kind[:40].lower()}).")
    suppressed = seen.value("x-auto-response-suppress")
    if suppressed and suppressed != "none":
        return Automatic(kind="auto_reply", why="It asks for no automatic answers (X-Auto-Response-Suppress).")
    if _AWAY_SUBJECT.match(seen.subject):
        return Automatic(kind="auto_reply", why="Its subject is that of an automatic answer.")
    if _null_path(seen):
        return Automatic(kind="auto_reply", why="Its return path is empty, so a machine sent it.")
    return None


def _list(seen: Seen) -> Automatic | None:
    for name in ("list-id", "list-post", "mailing-list", "x-mailing-list", "x-beenthere", "x-mailman-version"):
        if name in seen.headers:
            return Automatic(kind="list", why=f"It came over a mailing list ({name}).")
    if seen.value("precedence") == "list":
        return Automatic(kind="list", why="It came over a mailing list (Precedence: list).")
    return None


def _bulk(seen: Seen) -> Automatic | None:
    if "list-unsubscribe" in seen.headers:
        return Automatic(kind="bulk", why="It was sent to many and can be unsubscribed (List-Unsubscribe).")
    precedence = seen.value("precedence")
    if precedence in {"bulk", "junk"}:
        return Automatic(kind="bulk", why=f"It says itself that it was sent to many (Precedence: {precedence}).")
    if seen.sender and re.search(r"^newsletters?@|@newsletters?\.", seen.sender.address, re.IGNORECASE):
        return Automatic(kind="bulk", why=f"The address {seen.sender.address} is that of a newsletter.")
    return None


def _no_reply(seen: Seen) -> Automatic | None:
    if seen.sender is None or not _unanswerable(seen.sender):
        return None
    # A contact form sends from noreply@ and names the person who wrote in Reply-To: that one can be answered.
    if seen.reply_to is not None and not _unanswerable(seen.reply_to):
        return None
    return Automatic(kind="no_reply", why=f"The address {seen.sender.address} takes no answers.")


def _unanswerable(address: Address) -> bool:
    return bool(_NO_REPLY.search(address.address.rpartition("@")[0]))
