"""Tidying: what the house already holds fills empty fields of people; what may be one record is said, not joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import clients, conversations, records, runs
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.giving import Done, Way, use
from soloist.kernel.agent import AgentSpec
from soloist.kernel.errors import BadInput
from soloist.kernel.identity import company_domain
from soloist.kernel.kind import EMPTY
from soloist.kernel.message import Understanding
from soloist.kernel.work import Worked, WorkItem
from soloist.sdk.flow import Verbs
from soloist.stages.records import merging

MOST = 50
"""People that one run looks at."""
COMPARED = 500
"""People that one person is compared with."""
WORDS = 4000
"""Characters of own words from which the language of a person is told."""


async def keep(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """The crm keeper's way: {message} and {records}, either or both."""
    spec, parts, found = desk.runtime.roster.working(item.agent), list[Worked](), list[dict[str, Any]]()
    if message := str(item.input.get("message", "")):
        found += await _signature(desk, do, item, message, parts)
    people = [str(one) for one in item.input.get("records", ())][:MOST]
    pairs = [pair for n, ident in enumerate(people) for pair in await _alike(desk, do, item, ident, n=n, parts=parts)]
    if not message and not people:
        raise BadInput("input: name a message or records of people. Nothing was begun.", field="input")
    written = await do.step("write", _writing(desk, spec, found, pairs))
    said = f"{len(written['written'])} records filled, {len(written['pairs'])} pairs that may be one."
    return Done(said, {**written, "found": found}, tuple(parts), records=tuple(written["written"]))


async def enrich(desk: Desk, do: Verbs, item: WorkItem) -> Done:
    """The enrichment's way: {records}, people whose empty fields the house can fill."""
    spec, parts, found = desk.runtime.roster.working(item.agent), list[Worked](), list[dict[str, Any]]()
    for n, ident in enumerate([str(one) for one in item.input["records"]][:MOST]):
        known = await desk.store.read(lambda conn, who=ident: _known(conn, spec, who))  # type: ignore[misc]  # bound at once
        if known is None:
            continue
        fields = dict(known["fields"])
        if known["text"]:
            own = await use(desk, do, item, "strip_reply", {"text": known["text"]}, n=n)
            tongue = await use(desk, do, item, "language", {"text": own.value["own_text"][:WORDS]}, n=n)
            parts += [own, tongue]
            fields |= {"language": tongue.value["language"]} if tongue.value["sure"] else {}
        if known["phones"]:
            region = desk.settings.business.phone_region
            numbers = await use(desk, do, item, "phones", {"text": "\n".join(known["phones"]), "region": region}, n=n)
            parts.append(numbers)
            fields |= _normal(known["phones"], numbers.value["phones"])
        found += [{"record": ident, "fields": fields, "why": "filled from what the house holds"}] if fields else []
    written = await do.step("write", _writing(desk, spec, found, []))
    said = f"{len(written['written'])} records filled from what the house holds."
    return Done(said, {**written, "found": found}, tuple(parts), records=tuple(written["written"]))


async def _signature(desk: Desk, do: Verbs, item: WorkItem, message: str, parts: list[Worked]) -> list[dict[str, Any]]:
    """What a sender tells of themselves, for a person who is known and lacks it."""
    spec = desk.runtime.roster.working(item.agent)
    row, person = await desk.store.read(lambda conn: _sender(conn, spec, message))
    if not person or not row["understanding"]:
        return []
    read = Understanding.model_validate(row["understanding"])
    asked = {
        "text": read.own_text,
        "signature": read.signature,
        "sender_name": row["sender_name"],
        "sender_address": row["sender"],
        "region": desk.settings.business.phone_region,
        "language": read.language,
    }
    worked = await use(desk, do, item, "contact", asked)
    parts.append(worked)
    told, body = worked.value["contact"], person["body"]
    fields: dict[str, Any] = {}
    if not body.get("website") and told["urls"]:
        fields["website"] = told["urls"][0]
    if not body.get("company_name") and told["company"]:
        fields["company_name"] = told["company"]
    if not body.get("phones") and told["phones"]:
        fields["phones"] = [one["e164"] for one in told["phones"]]
    return (
        [{"record": person["id"], "fields": fields, "why": "read in a signature of theirs", "by": "outside"}]
        if fields
        else []
    )


def _sender(conn: Any, spec: AgentSpec, message: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    spec.may_read("conversation")
    row = conversations.message(conn, message)
    whose = conversations.get(conn, row["conversation"])["record"]
    found = records.standing(conn, whose) if whose else None
    return row, spec.sees(found) if found and found["kind"] == "person" else None


async def _alike(
    desk: Desk, do: Verbs, item: WorkItem, ident: str, *, n: int, parts: list[Worked]
) -> list[dict[str, Any]]:
    """Records of people that may be this one, with every likeness."""
    spec = desk.runtime.roster.working(item.agent)
    new, known = await desk.store.read(lambda conn: _things(conn, spec, ident))
    if new is None or not known:
        return []
    worked = await use(desk, do, item, "duplicates", {"kind": "person", "new": new, "known": known}, n=n)
    parts.append(worked)
    return [
        {"one": ident, "two": match["ref"], "why": "; ".join(one["words"] for one in match["evidence"])[:300]}
        for match in worked.value["matches"]
        if match["verdict"] in ("same", "likely")
    ]


def _things(conn: Any, spec: AgentSpec, ident: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    row = records.standing(conn, ident)
    if row is None or row["kind"] != "person":
        return None, []
    others = records.listed(conn, "person", before=None, limit=COMPARED)
    rest = [one for one in others if one["id"] != row["id"] and not one["merged_into"]]
    return _thing(spec.sees(row)), [_thing(spec.sees(one)) for one in rest]


def _thing(row: Mapping[str, Any]) -> dict[str, Any]:
    """A person as the skill compares people."""
    body = row["body"]
    first = {key: next(iter(body.get(name) or []), "") for key, name in (("email", "emails"), ("phone", "phones"))}
    fields = {"name": str(body.get("name") or ""), "company": str(body.get("company_name") or ""), **first}
    return {"ref": row["id"], "fields": {name: str(value) for name, value in fields.items() if value}}


def _known(conn: Any, spec: AgentSpec, ident: str) -> dict[str, Any] | None:
    """What the house holds of a person: {fields, text, phones}; None when nothing of it could fill anything."""
    row = records.standing(conn, ident)
    if row is None or row["kind"] != "person":
        return None
    body, fields = spec.sees(row)["body"], dict[str, Any]()
    if not row["body"].get("company"):
        fields |= _company(conn, body.get("emails") or [])
    text = ""
    if not row["body"].get("language"):
        spec.may_read("conversation")
        mine = {str(one).casefold() for one in body.get("emails") or []}
        rows = [
            one
            for one in clients.messages_of(conn, [ident], before=None, limit=50)
            if one["direction"] == "in" and str(one["sender"]).casefold() in mine
        ]
        text = "\n".join(str(one["text"]) for one in reversed(rows[:5]))[:20_000]
    phones = [str(one) for one in body.get("phones") or []]
    return {"fields": fields, "text": text, "phones": phones if any(not one.startswith("+") for one in phones) else []}


def _company(conn: Any, emails: Sequence[str]) -> dict[str, Any]:
    """The company whose domain the addresses have, when it is one and the same."""
    domains = Counter(domain for one in emails if (domain := company_domain(str(one))))
    found = {records.identified(conn, "domain", domain) for domain in domains} - {None}
    return {"company": found.pop()} if len(found) == 1 else {}


def _normal(phones: Sequence[str], numbers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The numbers in international form; one that could not be read stays as it is."""
    by_words = {str(one["span"]["text"]).strip(): one["e164"] for one in numbers if one["valid"]}
    made = list(dict.fromkeys(by_words.get(one.strip(), one) for one in phones))
    return {"phones": made} if made != list(phones) else {}


def _writing(
    desk: Desk, spec: AgentSpec, found: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]]
) -> Any:
    """The step that writes: empty fields by a version that can be taken back, pairs onto the page of such pairs."""

    async def step(run: str) -> dict[str, Any]:
        def work(tx: Tx) -> dict[str, Any]:
            def write() -> dict[str, Any]:
                written = [one["record"] for one in found if _fill(desk, tx, run, spec, one)]
                noted = [merging.propose(tx, one["one"], one["two"], why=one["why"], run=run) for one in pairs]
                return {"written": written, "pairs": [ident for ident in noted if ident]}

            return dict(runs.once(tx, run, "write", write, given={"records": [one["record"] for one in found]}))

        return await desk.store.write(work)

    return step


def _fill(desk: Desk, tx: Tx, run: str, spec: AgentSpec, one: Mapping[str, Any]) -> bool:
    """Fill empty fields of one record, and numbers that say the same in another form; whether anything was written."""
    row = records.standing(tx.conn, str(one["record"]))
    if row is None:
        return False
    fields = {k: v for k, v in one["fields"].items() if row["body"].get(k) in EMPTY or k == "phones"}
    spec.may_write(row["kind"], fields)
    if not fields or all(row["body"].get(name) == value for name, value in fields.items()):
        return False
    held = records.inferred(tx.conn, row)
    by = held.get("phones") if [*fields] == ["phones"] else ""  # the same number in another form stays whose it was
    said: dict[str, Any] = {"why": str(one["why"]), "run": run, "actor": spec.name}
    records.write(tx, row["id"], row["version"], fields, by=by or one.get("by") or "system", **said)
    return True


KEEPING, ENRICHING = Way(keep), Way(enrich)
