"""Morning: one short mail to the operator, in their language: what waits, what was done, what is wrong; words only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from soloist.engine.store import events, reading
from soloist.engine.store import streams as rows
from soloist.engine.store.reading import Connection
from soloist.insight import objectives, ranking, safety, words

MOST = 7
"""Cards that are named; the others are counted."""

COUNTED = (
    "message.read",
    "effect.succeeded",
    "proposal.withdrawn",
    "effect.failed",
    "run.failed",
    "record.created",
)


@dataclass(frozen=True)
class Letter:
    """A brief: subject and plain text."""

    subject: str
    body: str


@dataclass(frozen=True)
class State:
    """What a brief is made of: ranked open cards, events counted since the last one, troubles of sources."""

    cards: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    troubles: Sequence[str]
    mark: str = ""
    """The newest signed end of the journal: in the operator's mailbox it is out of the house."""
    report: Sequence[str] = ()
    """On a Monday the lines of the report of the week."""
    bills: str = ""
    """What is to be paid within a week, in one line."""


def state(conn: Connection, *, now: str, since: str) -> State:
    """What there is to tell at ``now`` about the time from ``since`` (UTC ISO 8601)."""
    cards = ranking.ranked(objectives.waiting(conn, now, reading.CAP), now)
    troubles = [f"{row['connection']}: {row['trouble']}" for row in rows.of(conn) if row["trouble"]]
    counts = events.counted(conn, COUNTED, since)
    return State(cards, counts, list(dict.fromkeys(troubles)), safety.journal_line(conn))


def letter(
    found: State, *, now: str, zone: str, language: str, address: str, by_mail: Sequence[str] = ()
) -> Letter | None:
    """The mail, or None when nothing waits and nothing happened. ``address`` is where the console is served.

    ``by_mail`` are the lines about cards that can be decided by answering, with their whole content.
    """
    if (
        not found.cards
        and not found.troubles
        and not found.report
        and not found.bills
        and not any(found.counts.values())
    ):
        return None
    say = WORDS.get(language, WORDS["en"])
    waiting = len(found.cards)
    day = words.instant(now) or datetime.now(ZoneInfo(zone))
    lines = [say["waits"].format(count=waiting) if waiting else say["nothing"], ""]
    for place, card in enumerate(found.cards[:MOST], 1):
        lines += [f"{place}. {card['title']}", *(f"   {why}" for why in _why(card, now, zone, say))]
    if waiting > MOST:
        lines.append(say["more"].format(count=waiting - MOST))
    if address:
        lines += ["", f"{say['open']} {address}"]
    done = [say[kind].format(count=count) for kind, count in found.counts.items() if count]
    if done:
        lines += ["", say["done"], *(f"- {line}" for line in done)]
    if found.troubles:
        lines += ["", say["wrong"], *(f"- {line}" for line in found.troubles)]
    if by_mail:
        lines += ["", say["by mail"], *by_mail]
    if found.report:
        lines += ["", "-" * 20, *found.report]
    if found.bills:
        lines += ["", say["bills"].format(line=found.bills)]
    if found.mark:
        lines += ["", say["mark"], found.mark]
    local = day.astimezone(ZoneInfo(zone))
    return Letter(say["subject"].format(day=f"{local:%Y-%m-%d}", count=waiting), "\n".join(lines).strip() + "\n")


def _why(card: Mapping[str, Any], now: str, zone: str, say: Mapping[str, str]) -> list[str]:
    """One line: worth and time box."""
    parts = []
    if card["value_minor"]:
        parts.append(words.money(int(card["value_minor"]), str(card["currency"] or "")).strip())
    if end := words.instant(str(card["deadline"] or "")):
        parts.append(say["until"].format(when=f"{end.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"))
    return [", ".join(parts)] if parts else []


WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "subject": "Your desk on {day}: {count} waiting",
        "waits": "Waiting for you: {count}",
        "nothing": "Nothing waits for you.",
        "more": "and {count} more",
        "until": "until {when}",
        "open": "Open the inbox:",
        "done": "Since the last brief",
        "by mail": "These can be decided by answering this mail",
        "mark": "The signed end of the journal (soloist verify --checkpoints):",
        "wrong": "What does not work",
        "bills": "To pay within a week: {line}",
        "message.read": "messages read: {count}",
        "effect.succeeded": "sent or done: {count}",
        "proposal.withdrawn": "withdrawn because you answered yourself: {count}",
        "effect.failed": "failed: {count}",
        "run.failed": "runs that stopped: {count}",
        "record.created": "new records: {count}",
    },
    "de": {
        "subject": "Ihr Schreibtisch am {day}: {count} wartet",
        "waits": "Auf Sie wartet: {count}",
        "nothing": "Nichts wartet auf Sie.",
        "more": "und {count} weitere",
        "until": "bis {when}",
        "open": "Zum Eingang:",
        "done": "Seit dem letzten Überblick",
        "by mail": "Diese lassen sich mit einer Antwort auf diese Mail entscheiden",
        "mark": "Das signierte Ende des Journals (soloist verify --checkpoints):",
        "wrong": "Was nicht funktioniert",
        "bills": "Binnen einer Woche zu zahlen: {line}",
        "message.read": "gelesene Nachrichten: {count}",
        "effect.succeeded": "gesendet oder erledigt: {count}",
        "proposal.withdrawn": "zurückgezogen, weil Sie selbst geantwortet haben: {count}",
        "effect.failed": "fehlgeschlagen: {count}",
        "run.failed": "abgebrochene Läufe: {count}",
        "record.created": "neue Einträge: {count}",
    },
    "fr": {
        "subject": "Votre bureau le {day} : {count} en attente",
        "waits": "En attente de votre décision : {count}",
        "nothing": "Rien ne vous attend.",
        "more": "et {count} de plus",
        "until": "jusqu'au {when}",
        "open": "Ouvrir la boîte :",
        "done": "Depuis le dernier point",
        "by mail": "Ceux-ci peuvent être décidés en répondant à ce courriel",
        "mark": "La fin signée du journal (soloist verify --checkpoints) :",
        "wrong": "Ce qui ne fonctionne pas",
        "bills": "À payer dans la semaine : {line}",
        "message.read": "messages lus : {count}",
        "effect.succeeded": "envoyés ou faits : {count}",
        "proposal.withdrawn": "retirés car vous avez répondu vous-même : {count}",
        "effect.failed": "échoués : {count}",
        "run.failed": "traitements arrêtés : {count}",
        "record.created": "nouvelles fiches : {count}",
    },
    "es": {
        "subject": "Su mesa el {day}: {count} en espera",
        "waits": "Le esperan: {count}",
        "nothing": "Nada le espera.",
        "more": "y {count} más",
        "until": "hasta {when}",
        "open": "Abrir la bandeja:",
        "done": "Desde el último resumen",
        "by mail": "Estos se pueden decidir respondiendo a este correo",
        "mark": "El final firmado del diario (soloist verify --checkpoints):",
        "wrong": "Lo que no funciona",
        "bills": "Por pagar en una semana: {line}",
        "message.read": "mensajes leídos: {count}",
        "effect.succeeded": "enviados o hechos: {count}",
        "proposal.withdrawn": "retirados porque usted mismo respondió: {count}",
        "effect.failed": "fallidos: {count}",
        "run.failed": "procesos detenidos: {count}",
        "record.created": "fichas nuevas: {count}",
    },
}
