"""Steps of intake: accept (commit before answering), receive (read in the limited worker, put on a thread)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from soloist.config import Home, Settings
from soloist.engine import failpoint
from soloist.engine.store import assets, conversations, events
from soloist.engine.store.clock import later
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel import inbound
from soloist.kernel.errors import BadInput, TooLarge
from soloist.kernel.event import MAX_PAYLOAD, Event, body_text, check_from_outside
from soloist.kernel.hashing import sha256
from soloist.kernel.message import ParsedMail
from soloist.stages.intake import decide


class Reads(Protocol):
    """The limited worker process."""

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run a skill on text or bytes from outside."""


class Intake:
    """The front door: sources, forms, hooks and the API all come through ``accept`` or ``accept_mail``."""

    def __init__(self, store: Store, home: Home, settings: Settings, worker: Reads) -> None:
        """All collaborators are given; the stage owns none of them."""
        self._store, self._home, self._settings, self._worker = store, home, settings, worker

    async def accept(
        self, source: str, external_id: str, kind: str, payload: Mapping[str, Any], *, actor: str
    ) -> tuple[Event, bool]:
        """Commit an event from outside; True when it is new. BadInput, SameIdOtherBody or TooLarge store nothing."""
        check_from_outside(source, external_id, kind)
        if kind == inbound.MAIL:
            raise BadInput(f"kind: {kind} is for mail folders; send {inbound.MESSAGE} instead.", field="kind")
        if len(body_text(dict(payload)).encode()) > MAX_PAYLOAD:
            raise TooLarge(f"payload: at most {MAX_PAYLOAD} bytes; send larger things as a mail or a file.")
        inbound.check(kind, payload)
        taken = await self._store.write(lambda tx: self._take(tx, source, external_id, kind, payload, actor=actor))
        failpoint.hit("accepted")
        return taken

    async def accept_mail(self, source: str, raw: bytes, *, origin: str, cut: bool = False) -> tuple[Event, bool]:
        """Keep the raw bytes of a mail and commit its event; the same bytes again are the same event.

        ``cut`` says that ``raw`` is only the beginning of a mail over the limit, whose file stays where it came from.
        """
        payload: dict[str, Any] = {"asset": sha256(raw), "size": len(raw), "origin": origin}
        if cut:
            payload["cut"] = True
        path = assets.write_file(self._home.assets, raw)
        name = f"raw@{payload['asset']}"

        def work(tx: Tx) -> tuple[Event, bool]:
            assets.keep(tx, raw, "message/rfc822", path)
            found = events.named(tx.conn, source, name)
            if found is not None:
                return found, False
            return self._take(tx, source, name, inbound.MAIL, payload, actor="outside")

        taken = await self._store.write(work)
        failpoint.hit("accepted")
        return taken

    def _take(
        self, tx: Tx, source: str, external_id: str, kind: str, payload: Mapping[str, Any], *, actor: str
    ) -> tuple[Event, bool]:
        """The event and, for a message, its intake run, in one transaction."""
        event, new = events.accept(tx, source, external_id, kind, payload, actor=actor)
        if new and kind in inbound.KINDS:
            tx.start(f"intake:{event.id}", "intake", event.id, subject=event.id, fresh=True)
        return event, new

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
            if known is not None:
                return {"message": known, "duplicate": True}
            thread = decide.threading(mail)
            conversation = self._thread(tx, thread, event["at"])
            new = conversation is None
            conversation = conversation or conversations.open_new(tx, event["source"], thread.subject)
            message = conversations.add(tx, decide.message_row(mail, event, conversation))
            tx.append(
                "message.read", subject=message, payload={"conversation": conversation, "event": event["id"]}, run=run
            )
            return {
                "message": message,
                "conversation": conversation,
                "duplicate": False,
                "new_thread": new,
                "automatic": mail.automatic is not None,
            }

        shown = {"subject": mail.subject[:200], "attachments": len(mail.attachments), "defects": mail.defects[:5]}
        return dict(once(tx, run, "receive", work, given={"event": event["id"]}, detail=shown))

    @staticmethod
    def _placed(tx: Tx, message: Mapping[str, Any]) -> dict[str, Any]:
        """The same answer as when the message was placed."""
        return {
            "message": message["id"],
            "conversation": message["conversation"],
            "duplicate": False,
            "new_thread": conversations.of(tx.conn, message["conversation"])[0]["id"] == message["id"],
            "automatic": message["automatic"] is not None,
        }

    def _thread(self, tx: Tx, thread: decide.Threading, at: str) -> str | None:
        """An existing conversation for a message, or None."""
        found = conversations.by_message_ids(tx.conn, thread.message_ids)
        if found or not thread.subject or not thread.is_reply:
            return found
        since = later(at, -decide.ALIVE_DAYS * 86400)
        return conversations.by_sender_and_subject(tx.conn, thread.sender, thread.subject, since)
