"""Steps of intake: accept (commit before answering), receive (read in the limited worker, put on a thread)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from soloist.config import Home, Settings
from soloist.engine import failpoint
from soloist.engine.store import assets, codes, conversations, effects, events, streams
from soloist.engine.store.clock import later
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel import inbound
from soloist.kernel.errors import BadInput, SoloistError, TooLarge
from soloist.kernel.event import MAX_PAYLOAD, Event, body_text, check_from_outside
from soloist.kernel.hashing import sha256
from soloist.kernel.message import ParsedMail
from soloist.kernel.origin import OPERATOR, OUTSIDE, Origin
from soloist.sdk import Arrival, Page, Stream
from soloist.sdk.folders import BEGINNING, TOO_LARGE
from soloist.stages.intake import decide

RETURNED = 1024 * 1024
"""How much of a bounce is looked through, in bytes."""
AT_ONCE = 25
"""Mails that the worker reads in one call."""


class Reads(Protocol):
    """The limited worker process."""

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run a skill on text or bytes from outside."""

    async def call_many(
        self, skill: str, values: Sequence[dict[str, Any]], blobs: Sequence[bytes], *, timeout: float = 60.0
    ) -> list[dict[str, Any] | SoloistError]:
        """The same for several at once; one that fails is its error, and its neighbours are read."""


class Intake:
    """The front door: sources, forms, hooks and the API all come through ``accept`` or a page."""

    def __init__(self, store: Store, home: Home, settings: Settings, worker: Reads) -> None:
        """All collaborators are given; the stage owns none of them."""
        self._store, self._home, self._settings, self._worker = store, home, settings, worker
        self.ask_many = worker.call_many
        self.starts: Callable[[str, str], str] = lambda _source, _kind: ""
        """The flow that another event of a source and kind begins, "" for none."""
        self.pages: dict[str, Callable[[str, Stream, Page], Awaitable[int]]] = {}
        """Who takes the pages of connections of a kind that brings no mail."""
        self._readers = decide.readers(settings)

    async def accept(
        self, source: str, external_id: str, kind: str, payload: Mapping[str, Any], *, actor: str
    ) -> tuple[Event, bool]:
        """Commit an event from outside; True when it is new. BadInput, SameIdOtherBody or TooLarge store nothing."""
        check_from_outside(source, external_id, kind)
        if kind in inbound.MAILS:
            raise BadInput(f"kind: {kind} is for mail folders; send {inbound.MESSAGE} instead.", field="kind")
        if len(body_text(dict(payload)).encode()) > MAX_PAYLOAD:
            raise TooLarge(f"payload: at most {MAX_PAYLOAD} bytes; send larger things as a mail or a file.")
        inbound.check(kind, payload)
        taken = await self._store.write(lambda tx: self._take(tx, source, external_id, kind, payload, actor=actor))
        failpoint.hit("accepted")
        return taken

    def _take(
        self, tx: Tx, source: str, external_id: str, kind: str, payload: Mapping[str, Any], *, actor: str
    ) -> tuple[Event, bool]:
        """The event and, for a message, its intake run, in one transaction."""
        event, new = events.accept(tx, source, external_id, kind, payload, actor=actor)
        flow = inbound.STARTS.get(kind) or self.starts(source, kind)
        if new and flow:
            tx.start(f"{flow}:{event.id}", flow, event.id, subject=event.id, fresh=True)
        return event, new

    async def accept_page(self, source: str, stream: Stream, page: Page) -> int:
        """Commit a page of a live stream and its cursor in one transaction; returns how many arrivals were new."""
        paths = await asyncio.to_thread(self._write_files, page.arrivals)
        kind = inbound.MAIL_SENT if stream.direction == "out" else inbound.MAIL

        def work(tx: Tx) -> int:
            fresh = 0
            for arrival, path in zip(page.arrivals, paths, strict=True):
                fresh += self._arrived(tx, source, kind, arrival, path) is not None
            self._advance(tx, source, stream, page, fresh)
            return fresh

        fresh = await self._store.write(work, full=bool(page.arrivals))
        failpoint.hit("accepted")
        return fresh

    async def observe_page(self, source: str, stream: Stream, page: Page) -> int:
        """Read a page of mail from before Soloist and put it on its threads: no run, no card, nothing proposed.

        A mail that cannot be read is kept with its bytes and says so; its neighbours are read.
        """
        paths = await asyncio.to_thread(self._write_files, page.arrivals)
        known = await self._store.read(lambda conn: [self._known(conn, source, a) for a in page.arrivals])
        todo = [arrival for arrival, there in zip(page.arrivals, known, strict=True) if not there]
        mails = dict(zip((a.external_id for a in todo), await self._read_many(todo), strict=True))

        def work(tx: Tx) -> int:
            fresh = 0
            for arrival, path in zip(page.arrivals, paths, strict=True):
                event = self._arrived(tx, source, inbound.MAIL_SEEN, arrival, path)
                if event is not None:
                    fresh += 1
                    self._place_past(tx, event, mails[arrival.external_id], stream.direction)
            self._advance(tx, source, stream, page, fresh)
            return fresh

        return await self._store.write(work, full=False)

    def _write_files(self, arrivals: Sequence[Arrival]) -> list[str]:
        """Put large mails into their files before the transaction that names them."""
        return [assets.write_file(self._home.assets, arrival.raw) for arrival in arrivals]

    @staticmethod
    def _known(conn: Any, source: str, arrival: Arrival) -> bool:
        return events.named(conn, source, arrival.external_id) is not None

    def _arrived(self, tx: Tx, source: str, kind: str, arrival: Arrival, path: str) -> Event | None:
        """The event of one arrival, None when the same bytes came before; flags and place come from outside."""
        name = arrival.external_id
        if (source, name) in tx.batch.pending or events.named(tx.conn, source, name) is not None:
            return None
        whose = OPERATOR if kind == inbound.MAIL_SENT else OUTSIDE
        written = whose | Origin(sources=frozenset({f"stream:{source}"}))
        digest = assets.keep(tx, arrival.raw, "message/rfc822", path, origin=written)
        payload: dict[str, Any] = {"asset": digest, "size": len(arrival.raw), "origin": arrival.origin}
        payload |= {"place": arrival.place} if arrival.place else {}
        payload |= {"flags": list(arrival.flags)} if arrival.flags else {}
        payload |= {"cut": True} if arrival.kind == TOO_LARGE else {}
        return self._take(tx, source, name, kind, payload, actor="outside")[0]

    @staticmethod
    def _advance(tx: Tx, source: str, stream: Stream, page: Page, fresh: int) -> None:
        """The cursor moves with its page; a note of the adapter is told in the journal."""
        row = streams.get(tx.conn, source, stream.name)
        done = row["done"] + len(page.arrivals)
        total = max(page.total if page.total is not None else row["total"], done if stream.past else 0)
        if page.arrivals or page.cursor != row["cursor"] or row["trouble"] or not row["state"]:
            state = "done" if stream.past and page.complete else "reading"
            values = {"cursor": page.cursor, "state": state, "done": done, "total": total, "trouble": ""}
            streams.put(tx, source, stream.name, **values)
        if page.note:
            payload = {"stream": stream.name, "note": page.note, "new": fresh}
            tx.append("stream.read_again", subject=source, payload=payload)

    async def _read_many(self, arrivals: Sequence[Arrival]) -> list[ParsedMail]:
        """Several mails in one call of the worker."""
        raws = [a.raw if a.kind != TOO_LARGE else a.raw[:BEGINNING] for a in arrivals]
        found: list[ParsedMail] = []
        for start in range(0, len(raws), AT_ONCE):
            part = raws[start : start + AT_ONCE]
            answers = await self._worker.call_many("read_mail", [{} for _ in part], part, timeout=120.0)
            found += [_parsed(answer) for answer in answers]
        return found

    def _place_past(self, tx: Tx, event: Event, mail: ParsedMail, direction: str) -> None:
        """Put one mail from before Soloist on its thread, unless it is there."""
        text_hash = sha256(mail.text.encode())
        there = conversations.sent_before(tx.conn, mail.message_id)
        if there or (direction == "in" and conversations.duplicate(tx.conn, mail.message_id, text_hash)):
            return
        thread = decide.threading(mail)
        conversation = self._thread(tx, thread, event.at) or conversations.open_new(tx, event.source, thread.subject)
        conversations.point(tx, conversation, decide.refs(mail))
        shown = {"id": event.id, "at": event.at, "payload": event.payload}
        conversations.add_past(tx, decide.message_row(mail, shown, conversation, direction=direction, past=True))

    async def read_bounce(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What a bounce says: {recipients: [{address, status, reason}], original_message_id, permanent}."""
        if not message["asset"]:
            return {}
        raw = await self._store.read(lambda conn: assets.load(conn, self._home.assets, message["asset"]))
        return await self._worker.call("bounce", {}, raw[:RETURNED])

    async def receive_sent(self, run: str, event_id: str) -> dict[str, Any]:
        """Read a mail the operator sent from a mail program and put it on its thread.

        Answers {message, conversation, duplicate}; a copy of what we sent ourselves is a duplicate.
        """
        event = await self._store.read(lambda conn: events.get(conn, event_id))
        mail = await self._read(event)

        def work(tx: Tx) -> dict[str, Any]:
            def place() -> dict[str, Any]:
                known = conversations.sent_before(tx.conn, mail.message_id)
                if known is not None or self._own(tx, mail.message_id):
                    return {"message": known or "", "duplicate": True}
                if self._answers_letter(tx, event, mail):
                    return {"message": "", "conversation": "", "duplicate": False, "answers_letter": True}
                thread = decide.threading(mail)
                found = self._thread(tx, thread, event["at"])
                conversation = found or conversations.open_new(tx, event["source"], thread.subject)
                conversations.point(tx, conversation, decide.refs(mail))
                row = decide.message_row(mail, event, conversation, direction="out")
                message = conversations.add(tx, row)
                payload = {"conversation": conversation, "event": event["id"]}
                tx.append("message.sent_elsewhere", subject=message, payload=payload, run=run)
                return {"message": message, "conversation": conversation, "duplicate": False}

            shown = {"subject": mail.subject[:200]}
            return dict(once(tx, run, "receive", place, given={"event": event_id}, detail=shown))

        return await self._store.write(work)

    @staticmethod
    def _own(tx: Tx, message_id: str) -> bool:
        """Whether a mail is one that an effect of ours sends or has sent, although it is not on its thread yet."""
        return bool(message_id) and effects.by_message_id(tx.conn, message_id) is not None

    async def receive(self, run: str, event_id: str) -> dict[str, Any]:
        """Read the message of an event and put it on its thread.

        Answers {message, conversation, duplicate, automatic, new_thread}.
        """
        event = await self._store.read(lambda conn: events.get(conn, event_id))
        mail = await self._read(event)
        return await self._store.write(lambda tx: self._place(tx, run, event, mail))

    async def _read(self, event: Mapping[str, Any]) -> ParsedMail:
        """The message of an event; a mail is read in the worker, never here."""
        payload = event["payload"]
        if "asset" not in payload:
            return inbound.as_mail(payload)
        raw = await self._store.read(lambda conn: assets.load(conn, self._home.assets, payload["asset"]))
        note = ""
        if payload.get("cut") or len(raw) > self._settings.mail.max_bytes:
            limit = self._settings.mail.max_bytes // (1024 * 1024)
            note = f"The mail is larger than {limit} MB; only its beginning was read."
            raw = raw[:65536]
        mail = ParsedMail.model_validate(await self._worker.call("read_mail", {}, raw))
        return mail.model_copy(update={"defects": [*mail.defects, note], "truncated": True}) if note else mail

    def _place(self, tx: Tx, run: str, event: Mapping[str, Any], mail: ParsedMail) -> dict[str, Any]:
        """Commit the message on its conversation, once."""

        def work() -> dict[str, Any]:
            if placed := conversations.of_event(tx.conn, event["id"]):
                return self._placed(tx, placed)  # by an earlier run of this event, which failed later
            known = conversations.duplicate(tx.conn, mail.message_id, sha256(mail.text.encode()))
            if known is None and self._letter_of_ours(tx, mail.message_id):
                return {"message": "", "duplicate": True}
            if known is not None:
                return {"message": known, "duplicate": True}
            if self._answers_letter(tx, event, mail):
                return {"message": "", "duplicate": False, "answers_letter": True}
            thread = decide.threading(mail)
            conversation = self._thread(tx, thread, event["at"])
            new = conversation is None
            conversation = conversation or conversations.open_new(tx, event["source"], thread.subject)
            conversations.point(tx, conversation, decide.refs(mail))
            row = decide.message_row(mail, event, conversation)
            message = conversations.add(tx, row)
            tx.append(
                "message.read", subject=message, payload={"conversation": conversation, "event": event["id"]}, run=run
            )
            return {
                "message": message,
                "conversation": conversation,
                "duplicate": False,
                "new_thread": new,
                "files": len(mail.attachments),
                "automatic": mail.automatic is not None,
                "answerable": bool(decide.answer_address(mail)),
                "to_self": new and event["kind"] == inbound.MAIL and decide.to_self(row),
            }

        shown = {"subject": mail.subject[:200], "attachments": len(mail.attachments), "defects": mail.defects[:5]}
        return dict(once(tx, run, "receive", work, given={"event": event["id"]}, detail=shown))

    @staticmethod
    def _letter_of_ours(tx: Tx, message_id: str) -> bool:
        """Whether a mail is a letter of ours to the operator, come back through their own inbox."""
        return bool(codes.letters(tx.conn, [message_id]))

    def _answers_letter(self, tx: Tx, event: Mapping[str, Any], mail: ParsedMail) -> bool:
        """Whether a mail is an answer to a letter of ours by somebody who may get such letters.

        Only mail counts: a form, a hook or a program that names a Message-ID answers nothing.
        """
        sender = mail.sender.address.casefold() if mail.sender else ""
        if event["kind"] not in (inbound.MAIL, inbound.MAIL_SENT) or sender not in self._readers:
            return False
        return bool(codes.letters(tx.conn, decide.refs(mail)))

    async def read_answer(self, event_id: str) -> tuple[ParsedMail, str, str]:
        """A mail that answers a letter: the mail, its newly written words, why its sender is not proven ("" if not)."""
        event = await self._store.read(lambda conn: events.get(conn, event_id))
        mail = await self._read(event)
        raw = await self._store.read(lambda conn: assets.load(conn, self._home.assets, event["payload"]["asset"]))
        name = mail.sender.name if mail.sender else ""
        told = await self._worker.call("strip_reply", {"text": mail.text, "sender_name": name})
        doubt = "" if event["kind"] == inbound.MAIL_SENT else decide.not_authenticated(raw[: decide.MOST_HEAD])
        return mail, str(told["own_text"]), doubt

    @staticmethod
    def _placed(tx: Tx, message: Mapping[str, Any]) -> dict[str, Any]:
        """The same answer as when the message was placed."""
        return {
            "message": message["id"],
            "conversation": message["conversation"],
            "duplicate": False,
            "new_thread": conversations.of(tx.conn, message["conversation"])[0]["id"] == message["id"],
            "files": len(message["attachments"] or []),
            "automatic": message["automatic"] is not None,
            "answerable": bool(message["answer_to"]),
            "to_self": decide.to_self(message),
        }

    def _thread(self, tx: Tx, thread: decide.Threading, at: str) -> str | None:
        """An existing conversation for a message, or None."""
        found = conversations.by_message_ids(tx.conn, thread.message_ids)
        if found or not thread.subject or not thread.is_reply:
            return found
        since = later(at, -decide.ALIVE_DAYS * 86400)
        return conversations.by_sender_and_subject(tx.conn, thread.sender, thread.subject, since)


def _parsed(answer: dict[str, Any] | SoloistError) -> ParsedMail:
    """A read mail, or an empty one that says why it could not be read."""
    if isinstance(answer, SoloistError):
        return ParsedMail(defects=[f"This mail could not be read: {answer.detail}"])
    return ParsedMail.model_validate(answer)
