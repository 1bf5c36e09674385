"""Facts: which statements a message or a record makes, by exact rules, and how one is written with its memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import facts, memories, records
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.kernel import money
from soloist.kernel.errors import NotFound
from soloist.kernel.fact import NewFact, same_value
from soloist.kernel.memory import NewMemory
from soloist.kernel.message import Understanding

YEAR = 365 * 86400
TOLD = frozenset({"enquiry", "client", "support", "billing", "scheduling"})
"""Kinds of messages that tell something of their sender."""
PLAIN = frozenset({"name", "contact", "email", "language", "domain", "company"})
"""Attributes that stand on the record anyway; from outside they make no item of memory."""
_OF_FIELD = {"phones": "phone", "emails": "email", "company_name": "company", "address": "postal address"}
_SILENT = frozenset(
    "language origin message conversation verdict answers dates budgets questions person company".split()
)
_STATEFUL = frozenset({"invoice", "offer", "project", "appointment", "publication"})
_TRUST = {"operator": "confirmed", "system": "rule"}


@dataclass(frozen=True)
class Changed:
    """A version of a record beside the one before it: bodies, states, who wrote it and who owns which field."""

    record: str
    kind: str
    version: int
    actor: str
    at: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    state_before: str = ""
    state_after: str = ""
    owners: Mapping[str, Any] | None = None


def of_message(message: Mapping[str, Any], record: str, kind: str = "person") -> Iterator[NewFact]:
    """What an inbound message says of its sender: name, company, phones, budget, dates still to come.

    ``kind`` is the record's: who writes from a company's own address is one of its people.
    """
    if message["direction"] != "in" or message["kind"] not in TOLD or not message["understanding"] or not record:
        return
    read = Understanding.model_validate(message["understanding"])
    sender, at = str(message["sender"]), str(message["at"])
    base: dict[str, Any] = {
        "record": record,
        "valid_from": at,
        "source": "message",
        "ref": f"message:{message['id']}",
        "origin": (f"outside:{sender}",),
        "actor": sender,
    }
    if read.contact.name:
        yield NewFact(attribute="name" if kind == "person" else "contact", value=read.contact.name, **base)
    if read.contact.company and kind == "person":
        yield NewFact(attribute="company", value=read.contact.company, **base)
    for phone in read.contact.phones:
        yield NewFact(attribute="phone", value=phone.e164, quote=phone.span.text, confidence="stated", **base)
    if read.budgets:
        best = max(read.budgets, key=lambda budget: budget.high.minor)
        value = {"low": best.low.model_dump(), "high": best.high.model_dump()}
        more = {"quote": _around(read.own_text, best.span.start, best.span.end), "expires": later(at, YEAR)}
        yield NewFact(attribute="budget", value=value, confidence="stated", **base, **more)
    for date in read.dates:
        if date.day >= at[:10]:
            more = {"quote": _around(read.own_text, date.span.start, date.span.end)}
            expires = later(f"{date.day}T00:00:00.000000Z", 86400 * {"day": 1, "week": 7, "month": 31}[date.precision])
            yield NewFact(attribute="named date", value=date.day, expires=expires, **base, **more)


def _around(text: str, start: int, end: int) -> str:
    """The words of a line around a place, verbatim."""
    begin = max(text.rfind("\n", 0, start) + 1, start - 80)
    stop = text.find("\n", end)
    return text[begin : min(stop if stop >= 0 else len(text), end + 80)].strip()


def of_record(changed: Changed) -> tuple[list[NewFact], list[tuple[str, Any]]]:
    """What a written version states on the operator's word or by a rule, and which values of lists are gone.

    Fields that came from outside state nothing here: the message they came with did.
    """
    stated: list[NewFact] = []
    gone: list[tuple[str, Any]] = []
    for name in sorted({*changed.before, *changed.after}):
        was, now = changed.before.get(name), changed.after.get(name)
        trust = _trust(changed, name)
        if was == now or not trust or name in _SILENT:
            continue
        attribute = _OF_FIELD.get(name, name.replace("_", " "))
        if isinstance(was, list) or isinstance(now, list):
            lists = [value if isinstance(value, list) else [] for value in (was, now)]
            gone += [(attribute, value) for value in lists[0] if value not in lists[1] and _plain(value)]
            values = [value for value in lists[1] if _plain(value)]
        else:
            values = [now] if _plain(now) else []
        stated += [_of_field(changed, attribute, value, trust) for value in values if value not in ("", None)]
    if changed.kind in _STATEFUL and changed.state_after and changed.state_before != changed.state_after:
        stated.append(_of_field(changed, "state", changed.state_after.replace("_", " "), "rule"))
    return stated, gone


def _trust(changed: Changed, name: str) -> str:
    """With what trust a field states something, "" for one that came from outside."""
    owner = (changed.owners or {}).get(name)
    if isinstance(owner, Mapping):
        owner = owner.get("owner")
    if owner:
        return _TRUST.get(str(owner), "")
    return "confirmed" if changed.actor == "operator" else ""


def _of_field(changed: Changed, attribute: str, value: Any, trust: str) -> NewFact:
    actor = "operator" if trust == "confirmed" else changed.actor
    return NewFact(
        record=changed.record,
        attribute=attribute,
        value=value,
        valid_from=changed.at,
        source="record",
        ref=f"record:{changed.record}#{changed.version}",
        origin=(actor,),
        trust=trust,
        confidence="stated",
        actor=actor,
    )


def _plain(value: Any) -> bool:
    """Whether a value is one that can be said in a line."""
    if isinstance(value, str):
        return 0 < len(value) <= 300 and not (len(value) == 36 and value.count("-") == 4)
    return isinstance(value, bool | int | float) or (isinstance(value, dict) and {"minor", "currency"} <= value.keys())


def state(tx: Tx, new: NewFact) -> facts.Stated:
    """Write a statement with its item of memory; the items of those it replaced end (BadInput).

    One that was known already writes nothing.
    """
    done = facts.state(tx, new)
    if done.new:
        _follow(tx, facts.get(tx.conn, done.id), done.replaced)
    return done


def confirm(tx: Tx, ident: str, *, actor: str) -> facts.Stated:
    """The operator says that a statement is right; the same with its item of memory."""
    done = facts.confirm(tx, ident, actor=actor)
    if done.new:
        _follow(tx, facts.get(tx.conn, done.id), done.replaced)
    return done


def end(tx: Tx, ident: str, *, why: str, actor: str) -> dict[str, Any]:
    """A statement is taken back; its item of memory ends with it (NotFound)."""
    row = facts.end(tx, ident, why=why, actor=actor)
    _forget(tx, [ident], why=why, by="", actor=actor)
    return row


def end_value(tx: Tx, record: str, attribute: str, value: Any, *, actor: str) -> None:
    """A value of a list is gone from its record: the statements that named it end."""
    for row in facts.live(tx.conn, record, attribute):
        if same_value(row["value"], value):
            end(tx, row["id"], why="gone from the record", actor=actor)


def _follow(tx: Tx, row: Mapping[str, Any], replaced: Sequence[str]) -> None:
    """The item of a new statement takes the place of the items of those it replaced."""
    made = ""
    if item := memory_of(row, _title(tx, row["record"])):
        made = memories.add(tx, [item], actor=facts.by(row["actor"]), run=row["run"])[0]
    _forget(tx, replaced, why="superseded", by=made, actor=facts.by(row["actor"]))


def _forget(tx: Tx, idents: Sequence[str], *, why: str, by: str, actor: str) -> None:
    """End the items that stand for these facts."""
    items = [item["id"] for ident in idents for item in memories.of_ref(tx.conn, f"fact:{ident}")]
    memories.end(tx, items, why=why, actor=actor, superseded_by=by)


def _title(tx: Tx, record: str) -> str:
    try:
        return str(records.get(tx.conn, record)["title"]) or "No name"
    except NotFound:
        return "No name"


def memory_of(row: Mapping[str, Any], title: str) -> NewMemory | None:
    """A statement as an item that can be found; None for what stands on the record anyway and came from outside."""
    if row["attribute"] in PLAIN and row["trust"] == "unverified":
        return None
    doubt = " (disputed)" if row["state"] == "disputed" else ""
    quote = f' "{row["quote"]}"' if row["quote"] else ""
    return NewMemory(
        text=f"{title}: {row['attribute']} {told(row['value'])}{doubt}{quote}",
        tier="session" if row["trust"] == "unverified" else "canonical",
        kind="fact",
        source="fact",
        ref=f"fact:{row['id']}",
        at=row["valid_from"],
        actor=title if row["trust"] == "unverified" else "you" if row["trust"] == "confirmed" else "",
        record=row["record"],
        origin=row["origin"] or (),
        trust=row["trust"],
        importance=2,
        tags=[row["attribute"], row["state"]],
        expires=row["expires"],
    )


def told(value: Any) -> str:
    """A value in plain words that can be searched for."""
    if money.is_amount(value):
        amount = money.plain(value["minor"], value["currency"], grouped=True)
        return f"{amount.removesuffix('.00')} {value['currency']}"
    if isinstance(value, dict) and {"low", "high"} <= value.keys():
        low, high = told(value["low"]), told(value["high"])
        return low if low == high else f"{low} to {high}"
    return str(value)
