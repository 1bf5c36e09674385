"""Subscribing: who takes back that they get the newsletter, and an issue all of whose mails have left; nobody is ever
added here."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from soloist.engine.store import conversations, effects, proposals, records, tasks
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.ids import derived

MAIL = "issue mail"
"""What the id of the mail to one reader is derived from, with the card of the issue and the reader's record."""
WORDS = re.compile(
    r"(?:please )?unsubscribe(?: me)?|opt out|(?:bitte )?(?:newsletter )?(?:abmelden|abbestellen)"
    r"|(?:se |me )?d[eé]s(?:inscrire|abonner)|d[eé]s(?:inscription|abonnement)|dar(?:se|me) de baja|baja"
    r"|cancelar (?:la )?suscripci[oó]n",
    re.IGNORECASE,
)
"""The whole of a subject or of a message, nothing beside it."""
DECLINED = "no"
OPEN = frozenset({"intended", "claimed", "attempting", "refused", "unknown", "reconciling", "needs_human"})
"""States of an effect that has not ended."""
LEFT = frozenset({"succeeded", "resolved_done"})


def takes_back(subject: str, text: str) -> tuple[bool, bool]:
    """Whether a mail says exactly that somebody wants no newsletter any more, and whether it says nothing else."""
    lines = [" ".join(part.split()).strip(" .!") for part in (subject, text)]
    said, whole = (WORDS.fullmatch(line) is not None for line in lines)
    return said or whole, whole or (said and not lines[1])


async def heard(desk: Desk, message_id: str) -> dict[str, Any]:
    """{} unless a message takes that back; then {people, whole}: records from whose own address it came."""

    def read(conn: Any) -> dict[str, Any]:
        row = conversations.message(conn, message_id)
        own = (row["understanding"] or {}).get("own_text", row["text"])
        said, whole = takes_back(str(row["subject"]), str(own))
        people = _of_address(conn, str(row["sender"])) if said else []
        return {"people": people, "whole": whole} if people else {}

    return await desk.store.read(read)


def _of_address(conn: Any, address: str) -> list[str]:
    """Persons that have an address."""
    wanted = address.strip().casefold()
    return [
        row["id"]
        for row in records.listed(conn, "person", before=None, limit=10_000)
        if not row["merged_into"] and wanted in [str(one).casefold() for one in row["body"].get("emails") or []]
    ]


def declining(desk: Desk) -> Callable[[str, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]:
    """The step that writes that somebody wants no newsletter, each record once; answers {declined}."""

    async def decline(run: str, message_id: str, said: Mapping[str, Any]) -> dict[str, Any]:
        def work(tx: Tx) -> dict[str, Any]:
            done = []
            for ident in said["people"]:
                row = records.standing(tx.conn, ident)
                if row is None or row["body"].get("newsletter") == DECLINED:
                    continue
                why = f"said so in the message {message_id}"
                records.write(tx, row["id"], row["version"], {"newsletter": DECLINED}, why=why, run=run)
                done.append(row["id"])
            if done:
                note = "Wants no newsletter any more; the record says so, and nothing is to be answered."
                tasks.annotate(tx, message_id, "newsletter", note, actor="soloist")
            return {"declined": done}

        return await desk.store.write(work)

    return decline


Sent = Callable[[str, str], Awaitable[dict[str, Any]]]


def then_published(desk: Desk) -> Sent:
    """What left is put on its thread; after the last mail of an issue its publication is published."""

    async def sent(run: str, effect_id: str) -> dict[str, Any]:
        done = await desk.conversation.record_sent(run, effect_id)
        if issue := await desk.store.read(lambda conn: _issue(conn, effect_id)):
            await desk.store.write(lambda tx: _published(tx, issue, run))
        return done

    return sent


def _issue(conn: Any, effect_id: str) -> str:
    """The card of the issue that a mail belongs to, "" for any other."""
    evidence = proposals.get(conn, effects.get(conn, effect_id)["proposal"])["evidence"] or {}
    return str(evidence.get("issue") or "") if evidence.get("kind") == "newsletter" else ""


def _published(tx: Tx, issue: str, run: str) -> None:
    """Publish when no mail of it is on its way any more; what policy or a bounce stopped does not hold it up."""
    card = tasks.get(tx.conn, issue)
    row = records.standing(tx.conn, str(card["record"]))
    if row is None or row["state"] not in ("planned", ""):
        return
    mails = [
        proposals.find(tx.conn, derived(MAIL, issue, one["record"])) for one in card["detail"]["issue"]["recipients"]
    ]
    made = [mail for mail in mails if mail is not None]
    ways = [(mail, effects.of_proposal(tx.conn, mail["id"])) for mail in made]
    going = [m for m, left in ways if m["state"] == "waiting" or (m["state"] == "approved" and not left)]
    states = [effect["state"] for _, left in ways for effect in left]
    if going or OPEN & set(states) or not LEFT & set(states):
        return
    fields = {"published_on": tx.now}
    why = f"{sum(state in LEFT for state in states)} mails left, none is on its way"
    records.write(tx, row["id"], row["version"], fields, why=why, run=run, state="published")
