"""Mail rendering shared by connectors that send: payload, key and time in, the exact RFC 5322 bytes out; sends nothing.

The result is seven-bit throughout (quoted-printable body, encoded words in headers), so no server needs 8BITMIME, and
it depends on nothing but its arguments: the bytes that were approved are the bytes that leave.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.quoprimime import body_encode
from email.utils import format_datetime
from typing import Any

from soloist.kernel.origin import Sort

OPERATION = "mail.send"
FIELDS = ("to", "cc", "subject", "body", "in_reply_to", "references", "from", "all_to", "envelope_to")
"""Fields of a payload; any other is refused, so that nothing is silently left out of an approved mail."""

CONTROL: Mapping[str, Sort] = {
    **dict.fromkeys(("to", "cc", "from", "all_to", "envelope_to"), "recipient"),
    **dict.fromkeys(("in_reply_to", "references"), "thread"),
}
WORDS = ("subject", "body")
"""Fields of a mail that steer where it goes, and fields that hold text for a person."""

MAX_RECIPIENTS = 100
MAX_SUBJECT = 400
MAX_BODY = 1024 * 1024
"""Characters of subject and body."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\Z"
)
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{3,250}>")
_BARE_ID = re.compile(r"[\x21-\x3b\x3d\x3f\x41-\x7e]{1,250}@[\x21-\x3b\x3d\x3f\x41-\x7e]{1,250}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,127}\Z")


@dataclass(frozen=True)
class Rendered:
    """A mail ready to leave: envelope sender and recipients, the message with CRLF line ends, its Message-ID."""

    sender: str
    recipients: tuple[str, ...]
    message: bytes
    message_id: str
    preview: str


def render(
    payload: Mapping[str, Any], key: str, created_at: str, *, sender: Mapping[str, str], domain: str
) -> Rendered:
    """Render a ``mail.send`` payload; ValueError begins with the name of the field at fault.

    ``to`` holds the recipients of this mail; when the core sends one copy to each, it narrows ``to`` to one and passes
    the whole list as ``all_to`` for the header. ``envelope_to`` overrides who gets this copy; by default it is ``to``,
    and ``cc`` too, except that only the first of ``all_to`` brings the ``cc`` along. ``created_at`` is ISO 8601.
    """
    _refuse_unknown(payload)
    to, cc = mailboxes(payload, "to"), mailboxes(payload, "cc")
    all_to = mailboxes(payload, "all_to") or to
    if not to:
        raise ValueError("to: name at least one recipient")
    envelope = mailboxes(payload, "envelope_to") or (to + cc if to[0][1] == all_to[0][1] else to)
    if len(all_to) + len(cc) > MAX_RECIPIENTS:
        raise ValueError(f"to: at most {MAX_RECIPIENTS} recipients, this has {len(all_to) + len(cc)}")
    name, address = _sender(payload, sender)
    message_id = f"<{safe_key(key)}@{_ascii_domain(domain, 'domain')}>"
    body = _text(payload, "body", MAX_BODY)
    headers = [
        ("From", _mailbox_header([(name, address)])),
        ("To", _mailbox_header(all_to)),
        ("Cc", _mailbox_header(cc)),
        ("Subject", _words(_line(payload, "subject", MAX_SUBJECT), len("Subject: "))),
        ("Date", format_datetime(_instant(created_at))),
        ("Message-ID", message_id),
        ("In-Reply-To", " ".join(_message_ids(payload, "in_reply_to")[:1])),
        ("References", "\r\n ".join(_message_ids(payload, "references")[-30:])),
        ("MIME-Version", "1.0"),
        ("Content-Type", 'text/plain; charset="utf-8"'),
        ("Content-Transfer-Encoding", "quoted-printable"),
    ]
    head = "".join(f"{field}: {value}\r\n" for field, value in headers if value or field == "Subject")
    return Rendered(
        sender=address,
        recipients=tuple(dict.fromkeys(mailbox for _, mailbox in envelope)),
        message=(head + "\r\n").encode("ascii") + _quoted_printable(body),
        message_id=message_id,
        preview=_preview(payload, all_to, cc, body),
    )


def safe_key(key: str) -> str:
    """The key, when it can stand in a Message-ID and a file name; ValueError otherwise."""
    if not _KEY.match(key):
        raise ValueError(f"key: 8 to 128 letters, digits, dots, hyphens or underscores, not {key[:60]!r}")
    return key


def mailboxes(payload: Mapping[str, Any], field: str) -> list[tuple[str, str]]:
    """(display name, address) pairs of a field that holds one address or a list of them; ValueError names the field."""
    value = payload.get(field)
    if value is None or value == "":
        return []
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{field}: a list of addresses is needed")
    return [mailbox(text, field) for text in texts]


def mailbox(text: str, field: str) -> tuple[str, str]:
    """``mara@studio-linde.example`` or ``Mara Linde <mara@...>`` taken apart; ValueError for anything else."""
    _no_controls(text, field)
    match = re.fullmatch(r'\s*(?:"?(?P<name>[^"<>]*?)"?\s*)<(?P<in>[^<>\s]+)>\s*|\s*(?P<bare>[^<>\s"]+)\s*', text)
    if not match:
        raise ValueError(f"{field}: {text[:100]!r} is not one mail address")
    address = match["in"] or match["bare"]
    local, at, domain = address.rpartition("@")
    if not at or len(local) > 64:
        raise ValueError(f"{field}: {address[:100]!r} is not a mail address")
    if not local.isascii():
        raise ValueError(f"{field}: {address[:100]!r} has letters before the @ that mail servers do not all accept")
    if not _LOCAL.match(local):
        raise ValueError(f"{field}: {address[:100]!r} is not a mail address")
    return (match["name"] or "").strip(), f"{local}@{_ascii_domain(domain, field)}"


def _ascii_domain(domain: str, field: str) -> str:
    """A domain in its ASCII (punycode) form."""
    try:
        plain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{field}: {domain[:100]!r} is not a domain") from error
    if not _DOMAIN.match(plain):
        raise ValueError(f"{field}: {domain[:100]!r} is not a domain")
    return plain


def _sender(payload: Mapping[str, Any], sender: Mapping[str, str]) -> tuple[str, str]:
    """The operator's own mailbox; a ``from`` may change the display name but never the address."""
    own = mailbox(sender["address"], "from")[1]
    name = sender.get("name", "")
    _no_controls(name, "from")
    given = payload.get("from")
    if given:
        if not isinstance(given, str):
            raise ValueError("from: one address is needed")
        name, address = mailbox(given, "from")
        if address.lower() != own.lower():
            raise ValueError(f"from: mail leaves from {own} only, not from {address}")
    return name, own


def _refuse_unknown(payload: Mapping[str, Any]) -> None:
    for field in payload:
        if field not in FIELDS:
            raise ValueError(f"{field}: not a field of a mail; it may have {', '.join(FIELDS)}")


def _text(payload: Mapping[str, Any], field: str, limit: int) -> str:
    value = payload.get(field, "")
    if not isinstance(value, str):
        raise ValueError(f"{field}: text is needed")
    if len(value) > limit:
        raise ValueError(f"{field}: at most {limit} characters, this has {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{field}: contains half a character (a lone surrogate)") from error
    return value


def _line(payload: Mapping[str, Any], field: str, limit: int) -> str:
    value = _text(payload, field, limit)
    _no_controls(value, field)
    return value.strip()


def _no_controls(value: str, field: str) -> None:
    """Line breaks in a header would add headers or recipients of someone else's choosing."""
    if any(ord(c) < 32 or ord(c) == 127 or c in "\x85\u2028\u2029" for c in value):
        raise ValueError(f"{field}: a line break or control character is not allowed here")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{field}: contains half a character (a lone surrogate)") from error


def _message_ids(payload: Mapping[str, Any], field: str) -> list[str]:
    """Well-formed ids only, whatever stands around them: a stranger's broken id never costs the reply."""
    value = payload.get(field) or ""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{field}: message ids are needed")
    framed = (f"<{text}>" if _BARE_ID.fullmatch(text) else text for text in texts)  # records keep ids without brackets
    return [found for text in framed for found in _MESSAGE_ID.findall(text)]


def _instant(created_at: str) -> datetime:
    try:
        instant = datetime.fromisoformat(created_at)
    except ValueError as error:
        raise ValueError(f"created_at: an ISO 8601 instant is needed, not {created_at[:60]!r}") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _words(text: str, taken: int) -> str:
    """A header text in encoded words where it needs them, folded; ``taken`` characters stand before it."""
    plain = text.isascii() and "=?" not in text and all(len(word) < 70 for word in text.split(" "))
    charset = "us-ascii" if plain else "utf-8"
    return Header(text, charset, maxlinelen=76, header_name="x" * (taken - 2)).encode(linesep="\r\n")


def _mailbox_header(pairs: Sequence[tuple[str, str]]) -> str:
    return ",\r\n ".join(_one_mailbox(name, address) for name, address in pairs)


def _one_mailbox(name: str, address: str) -> str:
    if not name:
        return address
    if name.isascii() and "=?" not in name and len(name) < 60:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + f'" <{address}>'
    return f"{_words(name, 12)}\r\n <{address}>"


def _quoted_printable(body: str) -> bytes:
    text = re.sub(r"\r\n|\r|\n", "\n", body)
    encoded = body_encode(text.encode().decode("latin-1"), eol="\r\n")
    return (encoded if encoded.endswith("\r\n") else encoded + "\r\n").encode("ascii")


def _preview(
    payload: Mapping[str, Any], to: Sequence[tuple[str, str]], cc: Sequence[tuple[str, str]], body: str
) -> str:
    """What a person reads before deciding."""
    lines = ["To: " + ", ".join(address for _, address in to)]
    if cc:
        lines.append("Cc: " + ", ".join(address for _, address in cc))
    return "\n".join([*lines, f"Subject: {payload.get('subject', '')}", "", body])
