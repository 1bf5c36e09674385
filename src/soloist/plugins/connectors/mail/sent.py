"""The folder of sent mail: which one it is, the copy put into it, and the look-up of a mail by its Message-ID."""

from __future__ import annotations

from soloist.plugins.connectors.mail.imap import Line

_NAMES = (
    "sent", "sent items", "sent mail", "sent messages", "gesendet", "gesendete elemente", "gesendete objekte",
    "gesendete nachrichten", "envoyés", "messages envoyés", "éléments envoyés", "courrier envoyé", "objets envoyés",
    "enviados", "elementos enviados", "mensajes enviados", "correo enviado", "itens enviados", "mensagens enviadas",
    "posta inviata", "inviati", "inviata", "messaggi inviati", "verzonden", "verzonden items", "verzonden berichten",
    "wysłane", "elementy wysłane", "skickat", "skickade objekt", "sendt", "sendte elementer", "lähetetyt",
    "отправленные",
)  # fmt: skip
"""What mail programs call it where the server does not mark it, in the order of preference."""


def sent_folder(line: Line, given: str) -> str:
    """The folder's name: the operator's own, the marked one, or the first with a usual name; "" when there is none."""
    if given:
        return given
    folders = [found for found in line.folders() if not any(m.lower() == b"\\noselect" for m in found[0])]
    for marks, _, name in folders:
        if any(mark.lower() == b"\\sent" for mark in marks):
            return name
    usual = [
        (_NAMES.index(last), len(name), name)
        for _, separator, name in folders
        if (last := (name.rsplit(separator, 1)[-1] if separator else name).casefold()) in _NAMES
    ]
    return min(usual)[2] if usual else ""


def look_up(line: Line, folder: str, message_id: str) -> str:
    """The place of a mail in the folder, or "" when it is not there."""
    opened = line.examine(folder)
    found = line.with_header("Message-ID", message_id)
    return f"{folder}/{opened.uidvalidity}/{max(found)}" if found else ""


def keep(line: Line, folder: str, message: bytes, message_id: str) -> str:
    """Put a copy there unless one is there already; what was done, in words."""
    if look_up(line, folder, message_id):
        return f"it is in {folder}"
    line.append(folder, message)
    return f"a copy is in {folder}"
