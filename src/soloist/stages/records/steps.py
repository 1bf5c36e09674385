"""Steps of records: find out whose message it is, write leads, carry out approved changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.store import conversations, events, kinds, records, relations
from soloist.engine.store import settings as switches
from soloist.engine.store.runs import once
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel import identity
from soloist.kernel.agent import AgentSpec
from soloist.kernel.errors import BadInput, Conflict, NotFound
from soloist.kernel.ids import derived
from soloist.kernel.kind import EMPTY, Kind
from soloist.kernel.message import Qualified, Understanding
from soloist.stages.records import decide, drifting, merging, owners, threeway
from soloist.stages.records import kinds as kind_files

DECLARED = "records.declared"
"""The switch that keeps the fingerprint of the schemas that were declared last."""
CONFIRMED = "you confirmed them from your mailbox"


class Records:
    """Owns every write to a record."""

    def __init__(self, store: Store) -> None:
        """The store is given."""
        self._store = store
        self.under: Callable[[], AgentSpec] | None = None

    def _held(self, kind: str, body: Iterable[str]) -> None:
        """NotAllowed unless the role that reads messages may write these fields; where it came from is the house's."""
        if self.under is not None:
            self.under().may_write(kind, [name for name in body if name != "origin"])

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
            self._held("company", body)
            found = records.create(
                tx, "company", title, body, why="first message from this domain", run=run, by="outside"
            )
            records.link(tx, "domain", domain, found, rule="domain", evidence={"message": message["id"]}, run=run)
        elif told := understanding.contact.company:
            drifting.watch(tx, found, {"name": told, "domain": domain}, message=message["id"], run=run)
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
        name = understanding.contact.name or message["sender_name"]
        body = decide.new_person(address, message["sender_name"], understanding, company)
        for key in keys:  # a phone alone is nobody's key: it is weighed below with the name
            if key.scheme != "phone" and (found := records.identified(tx.conn, key.scheme, key.value)):
                change = self._learn(tx, run, found, message, understanding)
                self._link(tx, run, found, keys[:1], message["id"])
                drifting.watch(tx, found, body, message=message["id"], run=run)
                return found, key.scheme, change
        alike = merging.resolve(tx.conn, "person", body)
        if alike.zone == "merge":
            change = self._learn(tx, run, alike.record, message, understanding)
            for key in keys[:1]:
                proof = {"message": message["id"], "score": round(alike.score, 3), "strong": list(alike.strong)}
                proof["margin"] = alike.margin
                records.link(tx, key.scheme, key.value, alike.record, rule=alike.rule, evidence=proof, run=run)
            return alike.record, "matched", change
        self._held("person", body)
        person = records.create(
            tx, "person", name or address, body, why="first message from this address", run=run, by="outside"
        )
        self._link(tx, run, person, keys, message["id"])
        if alike.zone == "review":
            why = "They wrote from an address that was not known."
            merging.propose(tx, alike.closest, person, why=why, margin=alike.margin)
            merging.open_cards(tx)
        for phone in phones:
            drifting.moved(tx, "phone", phone, person, message=message["id"], run=run)
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
            self._held(record["kind"], found.fill)
            why = "empty fields filled from a message"
            version = records.write(tx, person, version, found.fill, why=why, run=run, by="outside")["version"]
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
            kept = records.standing(tx.conn, ident)
            if kept is None:
                records.create(
                    tx, "lead", title, body, ident=ident, state=given["verdict"], why="qualified enquiry", run=run
                )
                return {"lead": ident, "version": 1}
            why = "another message on the same thread"
            fields = body if kept["id"] == ident else {**body, "conversation": kept["body"].get("conversation", "")}
            new = records.write(tx, kept["id"], kept["version"], fields, why=why, run=run, state=given["verdict"])
            return {"lead": kept["id"], "version": new["version"]}

        return dict(once(tx, run, "lead", work, given={"message": message_id}, detail={"answers": body["answers"]}))

    async def apply(self, run: str, change: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
        """Carry out an approved change: {record, version, fields}. A record that moved meanwhile is left alone.

        Answers {ok, version} or {ok: False, why}.
        """

        def work(tx: Tx) -> dict[str, Any]:
            def write() -> dict[str, Any]:
                now = records.get(tx.conn, change["record"])
                if now["version"] != change["version"] or now["merged_into"]:
                    told = "was merged into another" if now["merged_into"] else f"is at version {now['version']}"
                    return {"ok": False, "why": f"the record {told} by now"}
                schema, after = kinds.current(tx.conn, now["kind"]), {**now["body"], **change["fields"]}
                try:
                    new = records.write(
                        tx,
                        change["record"],
                        change["version"],
                        change["fields"],
                        why="approved change",
                        run=run,
                        actor=actor,
                        title=_title(schema, now["body"], after),
                    )
                except BadInput as error:  # the schema has changed since it was proposed
                    return {"ok": False, "why": error.detail}
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
        held, former = records.inferred(tx.conn, now), (before["owners"] if before else None) or {}
        for name, value in change["fields"].items():
            if body.get(name) != value:
                raise Conflict(f"{name} was changed again since; nothing was taken back.", field=name)
            body.pop(name)
            body |= {name: old[name]} if name in old else {}
            held |= {name: former[name]} if name in former else {}
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
            restored=True,
            owners=held,
        )
        return {"record": change["record"], "version": written["version"]}

    # ----- by hand, by programs, by imports

    async def create(self, new: NewRecord, *, actor: str) -> dict[str, Any]:
        """A new record on somebody's word (BadInput names the field and what would be right); its row."""
        return await self._store.write(lambda tx: self.create_in(tx, new, actor=actor))

    def create_in(self, tx: Tx, new: NewRecord, *, actor: str) -> dict[str, Any]:
        """The same inside a transaction."""
        owners.rank(new.by)
        if kinds.current(tx.conn, new.kind, new=True) is None:
            raise BadInput(f"kind: there is no kind of record {new.kind[:60]!r}.", field="kind")
        why = new.why or "entered by hand"
        body = {name: value for name, value in new.body.items() if value not in EMPTY}
        ident = records.create(tx, new.kind, new.title, body, state=new.state, why=why, actor=actor, by=new.by)
        return _published_once(tx, records.get(tx.conn, ident))

    async def put(
        self,
        kind: str,
        ident: str,
        expected: int,
        body: Mapping[str, Any],
        *,
        actor: str,
        by: str = "operator",
        state: str | None = None,
        why: str = "",
    ) -> dict[str, Any]:
        """Replace the fields of a record on the operator's word; StaleVersion carries both versions.

        ``by`` system or outside writes only what it may: the answer's ``kept`` holds what was left as it is.
        """
        owners.rank(by)
        return await self._store.write(
            lambda tx: self._put(tx, kind, ident, expected, _Said(body, actor, by, state, why, replace=True))
        )

    async def change(
        self,
        ident: str,
        expected: int,
        fields: Mapping[str, Any],
        *,
        actor: str,
        state: str | None = None,
        why: str = "",
    ) -> dict[str, Any]:
        """Change some fields on the operator's word and leave the rest; as ``put``."""
        said = _Said(fields, actor, "operator", state, why, replace=False)
        return await self._store.write(lambda tx: self._put(tx, "", ident, expected, said))

    def _put(self, tx: Tx, kind: str, ident: str, expected: int, said: _Said) -> dict[str, Any]:
        """One write by hand or by a program, with the rules of owners and of fields that need a reason."""
        now = records.get(tx.conn, ident, kind)
        schema = kinds.current(tx.conn, now["kind"])
        fields, kept = dict(said.fields), {}
        if said.by != "operator":
            parted = owners.split(now["body"], records.inferred(tx.conn, now), fields, said.by, schema)
            fields, kept = parted.written, parted.kept
        if said.by == "system" and now["kind"] == "draft" and "text" in said.fields:
            fields, kept = {**fields, **_regenerated(now["body"], str(said.fields["text"]))}, {}
        _reasons(schema, now["body"], fields, said)
        after = fields if said.replace and said.by == "operator" else {**now["body"], **fields}
        new = records.write(
            tx,
            ident,
            expected,
            fields,
            why=said.why or ("changed by hand" if said.by == "operator" else f"written by the {said.by}"),
            actor=said.actor,
            title=_title(schema, now["body"], after),
            state=said.state,
            replace=said.replace and said.by == "operator",
            by=said.by,
            owners=_draft_owners(tx, now, fields, said) if "base" in fields else None,
        )
        return {**_published_once(tx, new), "kept": kept}

    async def restore(
        self, kind: str, ident: str, expected: int, number: int, *, actor: str, why: str = ""
    ) -> dict[str, Any]:
        """Write an old version again as the newest one: fields, title, state and owners (NotFound, StaleVersion)."""

        def work(tx: Tx) -> dict[str, Any]:
            now = records.get(tx.conn, ident, kind)
            old = records.version(tx.conn, ident, number)
            if old is None:
                raise NotFound(
                    f"{now['title']!r} has no version {number}; its newest is {now['version']}.", field="from"
                )
            then = records.forwarded(tx.conn, records.as_record(now, old))
            schema = kinds.current(tx.conn, now["kind"])
            once = [name for name in now["body"] if schema and schema.may_change(name) == "once"]
            return records.write(
                tx,
                ident,
                expected,
                {**then["body"], **{name: now["body"][name] for name in once}},
                why=why or f"version {number} again",
                actor=actor,
                title=then["title"],
                state=then["state"] if old["schema"] else None,
                replace=True,
                restored=True,
                owners=records.inferred(tx.conn, now) if old["owners"] is None else old["owners"],
            )

        return await self._store.write(work)

    async def own(self, ident: str, expected: int, field: str, by: str, *, actor: str) -> dict[str, Any]:
        """Say who owns a field from now on (BadInput, NotFound, StaleVersion); a version of its own."""
        owners.rank(by)

        def work(tx: Tx) -> dict[str, Any]:
            now = records.get(tx.conn, ident)
            if now["body"].get(field) in EMPTY:
                raise BadInput(f"field: {now['title']!r} has no {field[:60]!r}.", field="field")
            held = {**records.inferred(tx.conn, now), field: by}
            why = f"{field} belongs to {owners.SAID[by]} from now on"
            return records.write(tx, ident, expected, {}, why=why, actor=actor, owners=held)

        return await self._store.write(work)

    def resolve(self, tx: Tx, kind: str, fields: Mapping[str, Any]) -> merging.Resolved:
        """Whose these fields are: zone "merge" (write into ``record``), "review" (ask; new until then) or "new"."""
        return merging.resolve(tx.conn, kind, fields)

    def merge_in(
        self,
        tx: Tx,
        kind: str,
        ident: str | None,
        fields: Mapping[str, Any],
        *,
        by: str = "outside",
        why: str,
        run: str = "",
        actor: str = "soloist",
        state: str = "",
    ) -> dict[str, Any]:
        """Write what somebody else tells of a record: a new one without ``ident``, else what owners allow.

        Answers {record, version, new, written, kept, change}: ``kept`` by field {mine, offered, owner}; ``change`` is
        the same as a change to propose ({record, version, fields, title}), empty when nothing was kept. An empty value
        clears nothing; lists from outside grow. BadInput names a field that does not fit; then nothing is written.
        """
        if ident is None:
            body = {name: value for name, value in fields.items() if value not in EMPTY}
            made = records.create(tx, kind, "", body, state=state, why=why, run=run, actor=actor, by=by)
            told = {"written": sorted(body), "kept": {}, "change": {}}
            return {"record": made, "version": 1, "new": True, **told}
        now = records.get(tx.conn, ident, kind)
        schema = kinds.current(tx.conn, now["kind"])
        parted = owners.split(now["body"], records.inferred(tx.conn, now), fields, by, schema)
        version = now["version"]
        moved = bool(state) and state != now["state"] and not now["state"]
        if parted.written or moved:
            title = _title(schema, now["body"], {**now["body"], **parted.written})
            version = records.write(
                tx,
                ident,
                version,
                parted.written,
                why=why,
                run=run,
                actor=actor,
                by=by,
                title=title,
                state=state if moved else None,
            )["version"]
        offered = {name: one["offered"] for name, one in parted.kept.items()}
        change = {"record": ident, "version": version, "fields": offered, "title": now["title"]} if offered else {}
        told = {"written": sorted(parted.written), "kept": parted.kept, "change": change}
        return {"record": ident, "version": version, "new": False, **told}

    async def settle(self, ident: str, expected: int, number: int, pick: str, *, actor: str) -> dict[str, Any]:
        """Settle one passage of a draft that was changed on both sides: "yours", "new" or "both" (Conflict)."""
        if pick not in ("yours", "new", "both"):
            raise BadInput('pick: "yours", "new" or "both".', field="pick")

        def work(tx: Tx) -> dict[str, Any]:
            now = records.get(tx.conn, ident, "draft")
            open_ones = list(now["body"].get("conflicts") or [])
            if not 0 <= number < len(open_ones):
                raise NotFound("This passage was settled already.", field="number")
            text = threeway.choose(str(now["body"].get("text", "")), open_ones.pop(number), pick)
            if text is None:
                raise Conflict("The passage has been edited since; change the text by hand and keep yours here.")
            held = {**records.inferred(tx.conn, now), "text": "operator"}
            fields = {"text": text, "conflicts": open_ones}
            return records.write(tx, ident, expected, fields, why=f"passage settled: {pick}", actor=actor, owners=held)

        return await self._store.write(work)

    # ----- schemas

    def declare(self, home: Home, settings: Settings) -> list[str]:
        """Keep the schemas that are shipped or stand in soloist.toml, where they changed (BadConfig names the line)."""
        mark = kind_files.fingerprint(home.toml)
        if self._store.read_now(lambda conn: switches.value(conn, DECLARED)) == mark:
            return []
        found = kind_files.declared(settings.records, home.toml)

        def work(tx: Tx) -> list[str]:
            switches.put(tx, DECLARED, mark)
            return kinds.declare(tx, found)

        return self._store.write_now(work)

    async def catch_up(self, limit: int = 500) -> int:
        """Bring records of an older schema forward, as versions where the body changes; how many were looked at."""
        rows = await self._store.read(lambda conn: records.behind(conn, limit))
        if rows:
            await self._store.write(lambda tx: [self._forward(tx, row["id"]) for row in rows], full=False)
        return len(rows)

    @staticmethod
    def _forward(tx: Tx, ident: str) -> None:
        """One record: a body that reads otherwise today becomes a version; owners and relations are filled in."""
        raw, now = records.raw(tx.conn, ident), records.get(tx.conn, ident)
        if raw["owners"] is None:
            relations.rebuild(tx, ident, raw["kind"])
        if now["body"] == raw["body"]:
            records.stamp(tx, now)
            return
        why = "brought to the newest schema of its kind"
        held = records.inferred(tx.conn, raw)
        records.write(
            tx,
            ident,
            now["version"],
            now["body"],
            why=why,
            replace=True,
            restored=True,
            owners=_carried(raw, now, held),
        )


@dataclass(frozen=True)
class NewRecord:
    """A record before it is written; an empty ``title`` is made by the kind's rule."""

    kind: str
    body: Mapping[str, Any]
    title: str = ""
    state: str = ""
    by: str = "operator"
    why: str = ""


@dataclass(frozen=True)
class _Said:
    """What somebody wants written, on whose word, why."""

    fields: Mapping[str, Any]
    actor: str
    by: str
    state: str | None
    why: str
    replace: bool


def _title(schema: Kind | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """The title a changed body asks for; None leaves it: also when the rule gives the same as before."""
    if schema is None:
        name = new.get("name")
        return name if isinstance(name, str) and name else None
    titled = schema.titled(new)
    return titled if titled and titled != schema.titled(old) else None


def _reasons(schema: Kind | None, old: Mapping[str, Any], fields: Mapping[str, Any], said: _Said) -> None:
    """BadInput when a field that is audited changes without a reason."""
    if schema is None or said.why.strip():
        return
    gone = [name for name in old if name not in fields] if said.replace and said.by == "operator" else []
    for name in [*fields, *gone]:
        changes = old.get(name) not in EMPTY and old.get(name) != fields.get(name)
        if changes and name in schema.fields and schema.may_change(name) == "audit":
            raise BadInput(f"{name}: changes only with a reason; say it as why. Nothing was written.", field=name)


def _regenerated(body: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The fields of a draft after it was generated again: the operator's words stay, conflicts are listed."""
    base = threeway.unsettled(str(body.get("base") or ""), body.get("conflicts") or ())
    merged = threeway.merge(base, str(body.get("text") or ""), text)
    return {"text": merged.text, "base": text, "conflicts": threeway.listed(merged)}


def _draft_owners(tx: Tx, now: Mapping[str, Any], fields: Mapping[str, Any], said: _Said) -> dict[str, str]:
    """A draft that says more than what was generated stays the operator's."""
    held = {**records.inferred(tx.conn, now), **dict.fromkeys(fields, said.by)}
    return {**held, "text": "system" if fields["text"] == fields["base"] else "operator"}


def _published_once(tx: Tx, row: dict[str, Any]) -> dict[str, Any]:
    """The row; Conflict when its draft is planned or public on the same channel by another publication already."""
    draft, live = row["body"].get("draft"), ("", "planned", "published")
    if row["kind"] != "publication" or not draft or row["state"] not in live:
        return row
    for other in relations.about(tx.conn, draft, role="draft", kind="publication"):
        same = other["body"].get("channel", "") == row["body"].get("channel", "")
        if other["id"] != row["id"] and same and other["state"] in live:
            raise Conflict(
                f"{other['title']!r} says where this draft stands on that channel already; change that one. "
                "Nothing was written.",
                field="draft",
                publication=other["id"],
            )
    return row


def _carried(raw: Mapping[str, Any], now: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, str]:
    """Owners after fields were renamed: who owned a value owns it under its new name."""
    found = {name: held[name] for name in now["body"] if name in held}
    for name, value in now["body"].items():
        if name not in found:
            was = next((old for old, same in raw["body"].items() if same == value and old not in now["body"]), "")
            found[name] = held.get(was, "system")
    return found
