"""Steps of identity: who a description is of, pairs to propose, merging two records and taking that back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from soloist.engine.store import matching as keyed
from soloist.engine.store import merges, records, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.kernel import likeness
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.ids import derived
from soloist.kernel.merging import check_choices, digest
from soloist.stages.records import matching

DAY = 86400.0
CARDS_A_DAY = 5
"""Cards about pairs that are opened on one day; the rest wait on the page of merges, the most certain first."""
COMPARED = 30
"""Candidates that are compared in full; those that share the most telling keys."""
CROWDED = 3
"""Records from which on a phone or an address stands for several people."""
SUBJECT = "merge"
_WEIGHT = {"e": 100, "i": 100, "x": 100, "d": 60, "t": 50, "b": 30, "a": 20, "n": 20, "p": 15, "y": 8, "f": 8, "s": 6}
OPTIONS: list[dict[str, Any]] = [
    {
        "name": "merge",
        "label": "They are one: merge",
        "consequence": "One page shows both; neither is rewritten, and it can be taken back.",
    },
    {"name": "apart", "label": "Keep them apart", "consequence": "You are not asked again unless something changes."},
    {"name": "defer", "label": "Later", "consequence": "The card comes back tomorrow morning."},
]


@dataclass(frozen=True)
class Resolved:
    """Who a description is of: the zone, the kept record ("" when new), the score 0..1, the margin, the evidence.

    ``closest`` is the record itself where that was merged into another.
    """

    zone: matching.Zone
    record: str = ""
    score: float = 0.0
    margin: float = 0.0
    evidence: tuple[matching.Evidence, ...] = ()
    strong: tuple[str, ...] = ()
    vetoes: tuple[str, ...] = ()
    others: tuple[tuple[str, float], ...] = ()
    closest: str = ""
    rule: str = matching.RULE


def resolve(conn: Any, kind: str, fields: Mapping[str, Any], *, without: Collection[str] = ()) -> Resolved:
    """Who these fields are of; ``without`` are records not to look at. A kind that stands for nobody is always new."""
    if kind not in likeness.ALIKE:
        return Resolved("new")
    subject = likeness.read(kind, fields)
    held = keyed.holders(conn, likeness.keys(subject))
    best: dict[str, tuple[matching.Match, str]] = {}
    likely = keyed.candidates(conn, _likely(held, without))
    shared = crowded(held, likely)
    for one in likely:
        if one.kind != kind or one.state == "retired":
            continue
        match = matching.score(subject, one.subject, shared)
        root = merges.root(conn, one.merged_into) if one.merged_into else one.id
        if root not in without and (root not in best or match.bits > best[root][0].bits):
            best[root] = (match, one.id)
    found = matching.decide([(root, match) for root, (match, _) in best.items()])
    return Resolved(
        found.zone,
        found.record,
        found.score,
        found.margin,
        found.evidence,
        found.strong,
        found.vetoes,
        found.others,
        best[found.record][1] if found.record else "",
    )


def _likely(held: Mapping[str, Sequence[str]], without: Collection[str]) -> list[str]:
    """The records that share the most telling keys; a key that a crowd has is not followed."""
    told: dict[str, float] = {}
    for key, idents in held.items():
        if len(idents) <= keyed.CROWD:
            weight = _WEIGHT.get(key.split(":", 2)[1], 4) + 1.0 / len(idents)
            for ident in idents:
                told[ident] = told.get(ident, 0.0) + weight
    order = sorted((ident for ident in told if ident not in without), key=lambda ident: (-told[ident], ident))
    return order[:COMPARED]


def crowded(held: Mapping[str, Sequence[str]], known: Sequence[keyed.Candidate]) -> set[str]:
    """Addresses and phones (by their last digits) that people of several names have, and so identify nobody."""
    names = {one.id: (one.subject.name, one.subject.title) for one in known}
    found = set()
    for key, idents in held.items():
        sort, _, value = key.partition(":")[2].partition(":")
        if sort in "et" and len({names.get(ident, ident) for ident in idents}) >= CROWDED:
            found.add(value)
    return found


# ----- pairs


def compare(conn: Any, kept: Mapping[str, Any], other: Mapping[str, Any]) -> matching.Match:
    """How alike two records are; ``here`` in the evidence is the kept one."""
    subject = likeness.read(kept["kind"], kept["body"])
    held = keyed.holders(conn, (key for key in likeness.keys(subject) if key.split(":", 2)[1] in "et"))
    known = keyed.candidates(conn, {ident for idents in held.values() for ident in idents[:COMPARED]})
    return matching.score(subject, likeness.read(other["kind"], other["body"]), crowded(held, known))


def evidence(match: matching.Match, why: str = "") -> dict[str, Any]:
    """What a pair rests on, as it is kept and shown."""
    fields = [asdict(one) for one in match.evidence]
    vetoes = {"strong": list(match.strong), "vetoes": list(match.vetoes)}
    return {"why": why, "zone": match.zone, "fields": fields, "digest": digest(fields), **vetoes}


def propose(tx: Tx, one: str, two: str, *, why: str, run: str = "", margin: float = 0.0) -> str:
    """Note that two records may be one; answers the pair's id, "" when that is settled or says nothing new.

    The older record would be kept. A pair that was kept apart or unmerged comes back only with other evidence.
    """
    first, second = (records.get(tx.conn, merges.root(tx.conn, ident)) for ident in (one, two))
    if first["id"] == second["id"] or first["kind"] != second["kind"]:
        return ""
    kept, other = sorted((first, second), key=lambda row: (row["created"], row["id"]))
    match = compare(tx.conn, kept, other)
    told = evidence(match, why)
    known = merges.pair(tx.conn, kept["id"], other["id"])
    if known and (known["state"] == "proposed" or (known["evidence"] or {}).get("digest") == told["digest"]):
        return ""
    values = {"score": round(match.score * 1000), "margin": round(margin * 10), "rule": matching.RULE}
    values |= {"kept": kept["id"], "other": other["id"], "kind": kept["kind"], "evidence": told}
    return merges.insert(tx, {**values, "state": "proposed", "why": why, "who": "soloist"})


def alike(conn: Any, row: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """The record that may be one with this one, if there is any: [(that one, this one, margin)]."""
    if row["merged_into"] or row["state"] == "retired":
        return []
    found = resolve(conn, row["kind"], row["body"], without=merges.family(conn, row["id"]))
    return [(found.closest, row["id"], found.margin)] if found.zone != "new" else []


def open_cards(tx: Tx, room: int = CARDS_A_DAY) -> int:
    """Open cards for the most certain pairs that wait, as many as the day has room for; answers how many."""
    opened = 0
    busy = merges.asked(tx.conn)
    today = merges.cards_since(tx.conn, tx.now[:10])
    for row in merges.waiting(tx.conn, 200):
        if today + opened >= room:
            break
        if row["kept"] in busy:  # one question about somebody at a time
            continue
        busy.add(row["kept"])
        _card(tx, row)
        opened += 1
    return opened


def _card(tx: Tx, row: Mapping[str, Any]) -> None:
    """One pair as a card."""
    kept, other = records.get(tx.conn, row["kept"]), records.get(tx.conn, row["other"])
    told = row["evidence"] or {}
    agree, differ = (_named(told, verdicts) for verdicts in (("agrees", "close"), ("differs",)))
    why = f"{told.get('why') or 'They look alike.'} It is {row['score'] / 10:.0f} % likely."
    why += f" The same: {agree}." if agree else ""
    why += f" Different: {differ}." if differ else ""
    card = tasks.open_card(
        tx,
        derived("merge", row["id"], row["created"]),
        "merge",
        f"The same {row['kind']}? {kept['title']} and {other['title']}",
        subject=row["id"],
        subject_kind=SUBJECT,
        record=row["kept"],
        why=why,
        detail={"kept": row["kept"], "other": row["other"], "evidence": told},
        options=[dict(option) for option in OPTIONS],
        estimate=45,
        judgement=1,
        deadline=later(tx.now, 30 * DAY),
        at_expiry="Both stay as they are; the pair stays on the page of merges.",
    )
    merges.note(tx, row["id"], card=card)


def _named(told: Mapping[str, Any], verdicts: tuple[str, ...]) -> str:
    """The fields with these verdicts, in words."""
    return ", ".join(str(one["field"]) for one in told.get("fields", []) if one["verdict"] in verdicts)


# ----- merging and taking it back


def merge(tx: Tx, kept: str, other: str, choices: Mapping[str, str], *, who: str, why: str = "") -> dict[str, Any]:
    """Let two records be one: the row of the merge. BadInput for one record or two kinds, Conflict when already merged.

    Neither record is rewritten; the other leads to the kept one until ``unmerge``.
    """
    if kept == other:
        raise BadInput("other: a record cannot be merged with itself.", field="other")
    first, second = records.get(tx.conn, kept), records.get(tx.conn, other)
    if first["kind"] != second["kind"]:
        told = f"other: {second['title']!r} is a {second['kind']}, {first['title']!r} is a {first['kind']}"
        raise BadInput(f"{told}; only records of one kind can be merged.", field="other")
    for name, row in (("kept", first), ("other", second)):
        if row["merged_into"]:
            into = records.get(tx.conn, merges.root(tx.conn, row["id"]))
            told = f"{row['title']!r} is merged already, into {into['title']!r} ({into['id']}). Nothing was changed."
            raise Conflict(told, field=name, kept=into["id"])
    check_choices(choices, first["body"], second["body"])
    match = compare(tx.conn, first, second)
    before = {row["id"]: {"version": row["version"], "updated": row["updated"]} for row in (first, second)}
    payload = {"other": other, "kind": first["kind"], "score": round(match.score * 1000), "rule": matching.RULE}
    event = tx.append("record.merged", subject=kept, payload={**payload, "choices": dict(choices)}, actor=who)
    values = {"kept": kept, "other": other, "choices": dict(choices), "before": before, "who": who, "why": why}
    values |= {"event": event.id, "ended": "", "closed": "", "score": payload["score"], "rule": matching.RULE}
    known = merges.pair(tx.conn, kept, other)
    values["evidence"] = evidence(match, ((known or {}).get("evidence") or {}).get("why", ""))
    if known is not None and known["state"] in ("proposed", "apart"):
        merges.change(tx, known, "merged", **values)
        _close(tx, known, {"option": "merge", "reason": why}, who)
        ident = str(known["id"])
    else:
        ident = merges.insert(tx, {**values, "kind": first["kind"], "state": "merged"})
    merges.point(tx, other, kept)
    for row in merges.of(tx.conn, other):  # what was asked about it is asked about the kept one from now on
        if row["state"] == "proposed":
            merges.change(tx, row, "gone", closed=tx.now, who=who)
            _close(tx, row, {"option": "", "reason": "one of the two was merged elsewhere"}, who, "withdrawn")
    return merges.get(tx.conn, ident)


def unmerge(tx: Tx, ident: str, *, who: str, why: str = "") -> dict[str, Any]:
    """Take a merge back: both records are what they were, with what was written to each since; the row.

    Conflict when it is not merged now.
    """
    row = merges.get(tx.conn, ident)
    if row["state"] != "merged":
        raise Conflict(f"These two are not merged; the pair is {row['state']}. Nothing was changed.")
    payload = {"other": row["other"], "merge": ident}
    event = tx.append("record.unmerged", subject=row["kept"], payload=payload, actor=who)
    merges.change(tx, row, "unmerged", ended=event.id, closed=tx.now, who=who, why=why or row["why"])
    merges.point(tx, row["other"], "")
    return merges.get(tx.conn, ident)


def keep_apart(tx: Tx, ident: str, *, who: str, why: str = "") -> dict[str, Any]:
    """Remember that two records are two; they are not proposed again unless their evidence changes."""
    row = merges.get(tx.conn, ident)
    tx.append("record.kept_apart", subject=row["kept"], payload={"other": row["other"]}, actor=who)
    merges.change(tx, row, "apart", closed=tx.now, who=who, why=why or row["why"])
    _close(tx, row, {"option": "apart", "reason": why}, who)
    return merges.get(tx.conn, ident)


def settle_apart(tx: Tx, kept: str, other: str, *, who: str) -> None:
    """Note that two records are two by a person's word, so that nobody asks."""
    first, second = records.get(tx.conn, kept), records.get(tx.conn, other)
    match = compare(tx.conn, first, second)
    values = {"kept": kept, "other": other, "kind": first["kind"], "state": "apart", "closed": tx.now, "who": who}
    values |= {"score": round(match.score * 1000), "rule": matching.RULE, "evidence": evidence(match)}
    merges.insert(tx, {**values, "why": "another one by your word"})


def _close(tx: Tx, row: Mapping[str, Any], decision: Mapping[str, Any], who: str, state: str = "done") -> None:
    """Close the card of a pair if it is open."""
    card = merges.card(tx.conn, row["card"]) if row["card"] else None
    if card is not None and card["state"] == "open":
        tasks.close(tx, row["card"], state, decision, actor=who)
