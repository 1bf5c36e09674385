"""Take-over: after a mailbox was read back, clients, open threads and promises are put together for one review."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import assets, calendars, conversations, events, records, runs, tasks
from soloist.engine.store import takeover as questions
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.calendars import KIND, Calendars
from soloist.flows.desk import Desk
from soloist.insight import takeover as lists
from soloist.kernel import identity
from soloist.kernel.errors import Conflict, NotFound, SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.origin import OUTSIDE, OWN
from soloist.sdk.flow import Flow, Verbs

DAY = 86400.0
FRESH = 45 * DAY
"""Seconds after which a thread nobody answered is no longer brought up."""
MOST_CLIENTS, MOST_THREADS, MOST_PROMISES = 500, 100, 100
LOOKED_AT = 300
"""Unanswered threads whose last message is read for what it is, newest first."""
WORTH = frozenset({"enquiry", "client", "support", "billing", "scheduling"})
SUBJECT = "takeover"


def takeover(desk: Desk) -> Flow:
    """Look once, then leave one card."""
    review = Review(desk)

    async def body(do: Verbs, connection: str) -> None:
        await do.step("look", review.look, connection)

    return Flow("takeover", body)


class Review:
    """Finds what the mailbox says about clients, threads and promises, and carries out what the operator chose."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process; the card of a review is decided here."""
        self._desk = desk
        desk.takers[SUBJECT] = self.decide_in

    # ----- finding

    async def look(self, run: str, connection: str) -> dict[str, Any]:
        """Everything found is kept as one asset and told on one card; answers the counts."""
        found: dict[str, list[dict[str, Any]]] = {
            "clients": await self._clients(connection),
            "threads": [],
            "promises": await self._promises(connection),
        }
        known = {client["address"] for client in found["clients"]}
        found["threads"] = await self._threads(run, connection, known)
        counts = {name: len(items) for name, items in found.items()}
        data = json.dumps(found, ensure_ascii=False, sort_keys=True).encode()
        path = assets.write_file(self._desk.home.assets, data)

        def work(tx: Tx) -> dict[str, Any]:
            def keep() -> dict[str, Any]:
                digest = assets.keep(tx, data, "application/json", path, origin=OWN | OUTSIDE)
                tx.append(lists.FOUND, subject=connection, payload={"asset": digest, **counts}, run=run)
                if any(counts.values()):
                    self._card(tx, run, connection, digest, counts)
                return counts

            return dict(runs.once(tx, run, "look", keep, given={"connection": connection}, detail=counts))

        return await self._desk.store.write(work)

    async def _clients(self, connection: str) -> list[dict[str, Any]]:
        """People who wrote and were answered, most mail first."""
        own = self._own()

        if self._is_calendar(connection):
            return await self._met(connection)

        def read(conn: Any) -> list[dict[str, Any]]:
            sent = questions.sent_to(conn, connection)
            return [{**row, "sent": sent.get(row["sender"], 0)} for row in questions.senders(conn, connection)]

        rows = [row for row in await self._desk.store.read(read) if row["sent"] and row["sender"] not in own]
        rows.sort(key=lambda row: (-(row["count"] + row["sent"]), row["sender"]))
        return [_client(row, connection) for row in rows[:MOST_CLIENTS]]

    def _is_calendar(self, connection: str) -> bool:
        half = self._desk.connections.get(connection)
        return half is not None and half.kind == KIND

    async def _met(self, connection: str) -> list[dict[str, Any]]:
        """People at appointments of the last 90 days who are no record yet."""
        now = self._now()

        def read(conn: Any) -> list[dict[str, Any]]:
            rows = calendars.met(conn, connection, later(now, -90 * DAY), later(now, 0))
            new = [row for row in rows if not records.identified(conn, "email", identity.normal_address(row["sender"]))]
            return [{**row, "sent": 0, "met": True} for row in new if not identity.is_role(row["sender"])]

        own = self._own()
        rows = [row for row in await self._desk.store.read(read) if row["sender"] not in own]
        return [_client(row, connection) for row in rows[:MOST_CLIENTS]]

    def _own(self) -> set[str]:
        """The operator's own addresses."""
        links = [half.address for half in self._desk.connections.values()]
        return {address.casefold() for address in (self._desk.settings.business.email, *links) if address}

    async def _threads(self, run: str, connection: str, known: set[str]) -> list[dict[str, Any]]:
        """Threads on which a person waits for an answer; strangers only when their message is worth one."""
        since, own = later(self._now(), -FRESH), self._own()
        rows = await self._desk.store.read(lambda c: questions.unanswered(c, connection, since, LOOKED_AT))
        found: list[dict[str, Any]] = []
        for row in rows:
            if len(found) >= MOST_THREADS:
                break
            if row["sender"] in own:
                continue
            kind = await self._kind(run, row["id"])
            if kind in WORTH:
                sure = row["sender"] in known or kind == "enquiry"
                found.append({**row, "message": row["id"], "kind": kind, "ticked": sure})
        return found

    async def _kind(self, run: str, message: str) -> str:
        """What a message is, by rules and the local classifier; "unsure" when it cannot be read."""
        try:
            meaning = await self._desk.runtime.understand(f"{run}:{message}", message)
        except SoloistError:
            return "unsure"
        return str(meaning["kind"])

    async def _promises(self, connection: str) -> list[dict[str, Any]]:
        """What the operator promised in the last mail of a thread and wrote nothing after."""
        since = later(self._now(), -FRESH)
        found: list[dict[str, Any]] = []
        zone = self._desk.settings.business.timezone
        self._desk.runtime.roster.under("planner", "promises")
        batches = await self._desk.store.read(lambda c: list(questions.last_words(c, connection, since)))
        for rows in batches:
            given = [{"text": row["text"][:20_000], "now": row["at"], "timezone": zone} for row in rows]
            answers = await self._desk.intake.ask_many("promises", given, [b""] * len(given), timeout=60.0)
            for row, answer in zip(rows, answers, strict=True):
                if not isinstance(answer, SoloistError):
                    found += [_promise(row, one) for one in answer["promises"][:2]]
        found.sort(key=lambda one: (one["day"] or "9999", one["at"]))
        return found[:MOST_PROMISES]

    def _now(self) -> str:
        """The instant of looking."""
        return str(self._desk.store.clock().isoformat())

    def _card(self, tx: Tx, run: str, connection: str, digest: str, counts: Mapping[str, int]) -> None:
        """One card for everything, never a pile."""
        tasks.open_card(
            tx,
            derived("takeover", connection),
            "review",
            f"Your {'calendar' if self._is_calendar(connection) else 'mailbox'} was read: {said(counts)}",
            subject=connection,
            subject_kind=SUBJECT,
            run=run,
            why="Nothing of it was added yet. Look through the lists and take what is right.",
            detail={"asset": digest, "counts": dict(counts)},
            options=[
                {"name": "all", "label": "Take what is ticked", "consequence": "Clients are added, drafts are made."},
                {"name": "leave", "label": "Leave it", "consequence": "Nothing is added; the lists stay readable."},
            ],
            estimate=120,
            judgement=1,
            deadline=later(tx.now, 30 * DAY),
            at_expiry="Nothing is added; the lists stay readable.",
        )

    # ----- taking over

    def decide_in(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """An option of the card: take what the review ticked, or leave it."""
        connection = str(card["subject"])
        if option == "all":
            found = findings(tx.conn, self._desk, connection)
            return {"state": "taken", **self.accept_in(tx, connection, found, None, who=who)}
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        return {"state": "closed"}

    async def accept(self, connection: str, chosen: Mapping[str, Sequence[str]] | None, *, who: str) -> dict[str, Any]:
        """Add the chosen clients, draft answers on the chosen threads, note the chosen promises; once.

        ``chosen`` maps clients (addresses), threads and promises (messages) to what was ticked; None takes what the
        review itself ticked. Answers how many of each. NotFound without a review, Conflict when it was taken already.
        """
        found = await self._desk.store.read(lambda conn: findings(conn, self._desk, connection))
        return await self._desk.store.write(lambda tx: self.accept_in(tx, connection, found, chosen, who=who))

    def accept_in(
        self,
        tx: Tx,
        connection: str,
        found: Mapping[str, Any],
        chosen: Mapping[str, Sequence[str]] | None,
        *,
        who: str,
    ) -> dict[str, Any]:
        """The same inside a transaction."""
        if events.newest_of(tx.conn, lists.TAKEN, connection) is not None:
            raise Conflict("This review was taken over already; nothing was added twice.")
        clients = _picked(found["clients"], chosen, "clients", "address")
        threads = _picked(found["threads"], chosen, "threads", "message")
        promises = _picked(found["promises"], chosen, "promises", "id")
        made = [record for client in clients for record in self._add(tx, connection, client, who)]
        if made and self._is_calendar(connection):
            Calendars(self._desk).relink(tx, connection)
        for thread in threads:
            kind = thread["kind"] if thread["kind"] == "enquiry" else "client"
            ident = f"reply:{kind}:{thread['message']}"
            tx.start(ident, "reply", f"{kind}:{thread['message']}", subject=thread["message"])
        for promise in promises:
            self._remind(tx, promise)
        counts = {"clients": len(clients), "threads": len(threads), "promises": len(promises), "records": len(made)}
        tx.append(lists.TAKEN, subject=connection, payload={**counts, "made": made[:200]}, actor=who)
        if card := tasks.open_for(tx.conn, connection):
            tasks.close(tx, card["id"], "done", {"option": "taken", "reason": said(counts)}, actor=who)
        return counts

    def _add(self, tx: Tx, connection: str, client: Mapping[str, Any], who: str) -> list[str]:
        """One client, and the threads that are theirs."""
        made = self._desk.records.known_client(tx, {**client, "mailbox": connection}, actor=who)
        address = str(client["address"])
        owner = records.identified(tx.conn, "email", identity.normal_address(address))
        owner = owner or records.identified(tx.conn, "domain", identity.company_domain(address))
        for conversation in questions.conversations_with(tx.conn, connection, address) if owner else []:
            conversations.assign(tx, conversation, str(owner))
        return made

    @staticmethod
    def _remind(tx: Tx, promise: Mapping[str, Any]) -> None:
        """A promise becomes a card with the day it names."""
        message = conversations.message(tx.conn, promise["message"])
        deadline = f"{promise['day']}T23:00:00.000000Z" if promise["day"] else later(tx.now, 7 * DAY)
        tasks.open_card(
            tx,
            derived("promise", promise["id"]),
            "task",
            f"You promised: {promise['words']}"[:160],
            subject=promise["message"],
            subject_kind="message",
            conversation=message["conversation"],
            record=conversations.get(tx.conn, message["conversation"])["record"],
            why=f"You wrote it to {', '.join(message['recipients'] or [])} on {promise['at'][:10]}.",
            options=[
                {"name": "done", "label": "It is done", "consequence": "The card is closed."},
                {"name": "drop", "label": "Drop it", "consequence": "The card is closed; nothing is sent."},
            ],
            estimate=300,
            deadline=max(deadline, later(tx.now, DAY)),
            at_expiry="The card is closed; nothing is sent.",
        )


def findings(conn: Any, desk: Desk, connection: str) -> dict[str, Any]:
    """What the last look at a mailbox found (NotFound before there was one)."""
    found = lists.findings(conn, desk.home.assets, connection)
    if found is None:
        raise NotFound(f"There is no review of {connection}: its mail is still being read, or it was never connected.")
    return found


def said(counts: Mapping[str, int]) -> str:
    """The counts in words."""
    names = [("clients", "client", "clients"), ("threads", "open thread", "open threads")]
    names.append(("promises", "promise", "promises"))
    parts = [f"{counts[key]} {one if counts[key] == 1 else many}" for key, one, many in names if counts.get(key)]
    return ", ".join(parts) or "nothing to take over"


def _client(row: Mapping[str, Any], connection: str) -> dict[str, Any]:
    """One row of the list of clients; two mails each way are enough to be ticked."""
    return {
        "address": row["sender"],
        "name": row["name"],
        "company": identity.company_domain(row["sender"]),
        "count": row["count"] + row["sent"],
        "first": row["first"],
        "last": row["last"],
        "mailbox": connection,
        "ticked": True,
        **({"met": True} if row.get("met") else {}),
    }


def _promise(row: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """One row of the list of promises; those that name a day are ticked."""
    words = str(found["words"]["text"]).strip()
    return {
        "id": derived("promise", row["id"], words),
        "message": row["id"],
        "words": words,
        "day": found["day"],
        "at": row["at"],
        "subject": row["subject"],
        "to": ", ".join(row["recipients"] or []),
        "ticked": bool(found["day"]),
    }


def _picked(
    items: Sequence[Mapping[str, Any]], chosen: Mapping[str, Sequence[str]] | None, group: str, key: str
) -> list[Mapping[str, Any]]:
    """The items of a list that were ticked."""
    if chosen is None:
        return [item for item in items if item["ticked"]]
    wanted = set(chosen.get(group, ()))
    return [item for item in items if item[key] in wanted]
