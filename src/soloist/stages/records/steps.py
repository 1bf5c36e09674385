"""Steps of records: find out whose message it is, write leads, carry out approved changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import conversations, events, records
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel import identity
from soloist.kernel.errors import Conflict
from soloist.kernel.ids import derived
from soloist.kernel.message import Qualified, Understanding
from soloist.stages.records import decide

CONFIRMED = "you confirmed them from your mailbox"


class Records:
    """Owns every write to a record."""

    def __init__(self, store: Store) -> None:
        """The store is given."""
        self._store = store

    async def identify(self, run: str, message_id: str) -> dict[str, Any]:
        """Link a message to a person and company, new or known.

        Answers {person, company, new, change}: ``change`` holds what the message would overwrite, by proposal only.
        """
        return await self._store.write(lambda tx: self._identify(tx, run, message_id))

    def _identify(self, tx: Tx, run: str, message_id: str) -> dict[str, Any]:
        """The whole identification in one transaction, once."""
        message = conversations.message(tx.conn, message_id)
        understanding = Understanding.model_validate(message["understanding"])
        detail: dict[str, Any] = {}

        def work() -> dict[str, Any]:
            company = self._company(tx, run, message, understanding)
            person, rule, change = self._person(tx, run, message, understanding, company)
            detail.update(rule=rule, sender=message["sender"])
            conversations.assign(tx, message["conversation"], person or company)
            return {"person": person, "company": company, "new": rule == "new", "change": change}

        given = {"message": message_id, "sender": message["sender"]}
        return dict(once(tx, run, "identify", work, given=given, detail=lambda: detail))

    def _company(self, tx: Tx, run: str, message: Mapping[str, Any], understanding: Understanding) -> str:
        """The company of the sender's domain, "" for mailboxes anybody can have."""
        domain = identity.company_domain(message["sender"])
        if not domain:
            return ""
        found = records.identified(tx.conn, "domain", domain)
        if found is None:
            title = decide.company_title(message["sender"], understanding)
            body = {"name": title, "domain": domain, "origin": "outside"}
            found = records.create(tx, "company", title, body, why="first message from this domain", run=run)
            records.link(tx, "domain", domain, found, rule="domain", evidence={"message": message["id"]}, run=run)
        return found

    def _person(
        self, tx: Tx, run: str, message: Mapping[str, Any], understanding: Understanding, company: str
    ) -> tuple[str, str, dict[str, Any]]:
        """The person behind a message: (record, rule that found them, proposed change). A role address is nobody."""
        address = message["sender"]
        phones = [phone.e164 for phone in understanding.contact.phones]
        event = events.get(tx.conn, message["event"])
        keys = identity.keys(address, phones, event["source"], str((event["payload"] or {}).get("sender_id", "")))
        if not keys or not address or (identity.is_role(address) and keys[0].scheme == "phone"):
            return "", "role address", {}
        for key in keys:
            if found := records.identified(tx.conn, key.scheme, key.value):
                change = self._learn(tx, run, found, message, understanding)
                self._link(tx, run, found, keys[:1], message["id"])
                return found, key.scheme, change
        name = understanding.contact.name or message["sender_name"]
        body = decide.new_person(address, message["sender_name"], understanding, company)
        person = records.create(tx, "person", name or address, body, why="first message from this address", run=run)
        self._link(tx, run, person, keys, message["id"])
        return person, "new", {}

    def _link(self, tx: Tx, run: str, person: str, keys: Sequence[identity.Key], message: str) -> None:
        """Link keys to a person; a key that is somebody's already stays theirs."""
        for key in keys:
            records.link(tx, key.scheme, key.value, person, rule=key.scheme, evidence={"message": message}, run=run)

    def _learn(
        self, tx: Tx, run: str, person: str, message: Mapping[str, Any], understanding: Understanding
    ) -> dict[str, Any]:
        """Fill empty fields at once; answer what would overwrite something as a change to propose."""
        record = records.get(tx.conn, person)
        found = decide.additions(record["body"], message["sender"], message["sender_name"], understanding)
        version = record["version"]
        if found.fill:
            version = records.write(tx, person, version, found.fill, why="empty fields filled from a message", run=run)[
                "version"
            ]
        if not found.conflict:
            return {}
        return {"record": person, "version": version, "fields": found.conflict, "title": record["title"]}

    def known_client(self, tx: Tx, given: Mapping[str, Any], *, actor: str) -> list[str]:
        """A client the operator confirmed from their mailbox: {address, name, company}. The records that are new.

        Somebody who is known already is left as they are. A role address (info@) becomes a company only.
        """
        address = str(given["address"])
        made: list[str] = []
        domain = identity.company_domain(address)
        company = records.identified(tx.conn, "domain", domain) if domain else None
        evidence = {"mailbox": given.get("mailbox", ""), "count": given.get("count", 0)}
        if domain and company is None:
            title = str(given.get("company") or domain)
            about = {"name": title, "domain": domain, "origin": "mailbox"}
            company = records.create(tx, "company", title, about, why=CONFIRMED, actor=actor, state="client")
            records.link(tx, "domain", domain, company, rule="confirmed", evidence=evidence)
            made.append(company)
        mailbox = identity.normal_address(address)
        if identity.is_role(address) or records.identified(tx.conn, "email", mailbox):
            return made
        name = str(given.get("name", ""))
        body: dict[str, Any] = {"name": name, "emails": [address], "phones": [], "company": company or ""}
        body |= {"company_name": str(given.get("company", "")), "language": "", "origin": "mailbox"}
        title = name or address
        person = records.create(tx, "person", title, body, why=CONFIRMED, actor=actor, state="client")
        records.link(tx, "email", mailbox, person, rule="confirmed", evidence=evidence)
        return [*made, person]

    async def write_lead(self, run: str, message_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Write the lead of a conversation: new, or a new version when the conversation has one already.

        ``given`` is {person, company, answers, verdict}. Answers {lead, version}.
        """
        return await self._store.write(lambda tx: self._lead(tx, run, message_id, given))

    def _lead(self, tx: Tx, run: str, message_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The lead record of a conversation has an id made from the conversation, so there is one."""
        message = conversations.message(tx.conn, message_id)
        understanding = Understanding.model_validate(message["understanding"])
        answers = [Qualified.model_validate(answer) for answer in given["answers"]]
        body = decide.lead_body(
            understanding, answers, person=given["person"], company=given["company"], message=message_id
        )
        body["conversation"], body["verdict"] = message["conversation"], given["verdict"]
        ident = derived("lead", message["conversation"])
        title = message["sender_name"] or message["sender"]

        def work() -> dict[str, Any]:
            known = records.history(tx.conn, ident)[:1]
            if not known:
                records.create(
                    tx, "lead", title, body, ident=ident, state=given["verdict"], why="qualified enquiry", run=run
                )
                return {"lead": ident, "version": 1}
            version = known[0]["version"]
            new = records.write(
                tx, ident, version, body, why="another message on the same thread", run=run, state=given["verdict"]
            )
            return {"lead": ident, "version": new["version"]}

        return dict(once(tx, run, "lead", work, given={"message": message_id}, detail={"answers": body["answers"]}))

    async def apply(self, run: str, change: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
        """Carry out an approved change: {record, version, fields}. A record that moved meanwhile is left alone.

        Answers {ok, version} or {ok: False, why}.
        """

        def work(tx: Tx) -> dict[str, Any]:
            def write() -> dict[str, Any]:
                now = records.get(tx.conn, change["record"])
                if now["version"] != change["version"]:
                    return {"ok": False, "why": f"the record is at version {now['version']} by now"}
                title = change["fields"].get("name")
                new = records.write(
                    tx,
                    change["record"],
                    change["version"],
                    change["fields"],
                    why="approved change",
                    run=run,
                    actor=actor,
                    title=title,
                )
                return {"ok": True, "version": new["version"]}

            return dict(once(tx, run, "apply", write, given=dict(change)))

        return await self._store.write(work)

    def take_back_in(self, tx: Tx, change: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
        """Write again what a change {record, version, fields} replaced: exact, as long as nobody changed it since.

        Answers {record, version}; Conflict names the field that was changed afterwards.
        """
        now = records.get(tx.conn, change["record"])
        before = records.version(tx.conn, change["record"], change["version"])
        if now["version"] == change["version"]:
            raise Conflict("This change is being carried out; nothing was changed.")
        body, old = dict(now["body"]), before["body"] if before else {}
        for name, value in change["fields"].items():
            if body.get(name) != value:
                raise Conflict(f"{name} was changed again since; nothing was taken back.", field=name)
            body.pop(name)
            body |= {name: old[name]} if name in old else {}
        title = body.get("name")
        written = records.write(
            tx,
            change["record"],
            now["version"],
            body,
            why="taken back",
            actor=actor,
            title=title if isinstance(title, str) and title else None,
            replace=True,
        )
        return {"record": change["record"], "version": written["version"]}

    async def put(self, kind: str, ident: str, expected: int, body: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
        """Replace the fields of a record on the operator's word; StaleVersion carries both versions."""

        def work(tx: Tx) -> dict[str, Any]:
            records.get(tx.conn, ident, kind)
            title = body.get("name")
            return records.write(
                tx,
                ident,
                expected,
                body,
                why="changed by hand",
                actor=actor,
                title=title if isinstance(title, str) and title else None,
                replace=True,
            )

        return await self._store.write(work)
