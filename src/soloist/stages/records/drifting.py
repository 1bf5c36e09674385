"""Steps for evidence that no longer fits: an address, a domain or a phone that now speaks for somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapidfuzz import fuzz

from soloist.engine.store import merges, records, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.kernel import identity, likeness
from soloist.kernel.ids import derived
from soloist.stages.records import matching, merging

SUBJECT = "drift"
MOST = 10
"""Cards about people and companies on one day from which on nothing more is asked; it is seen again next time."""
_MOVED = {"name": "other", "label": "Somebody else", "consequence": "It stands for the other from now on."}
OPTIONS: list[dict[str, Any]] = [
    {"name": "same", "label": "Still the same", "consequence": "Nothing moves; this is not asked about again."},
    {**_MOVED, "consequence": "A new record gets it from now on; what was before stays where it is."},
    dict(merging.OPTIONS[-1]),
]
SHARED: list[dict[str, Any]] = [
    {"name": "same", "label": "Both use it", "consequence": "Nothing moves; this is not asked about again."},
    dict(_MOVED),
    dict(merging.OPTIONS[-1]),
]


def watch(tx: Tx, record: str, told: Mapping[str, Any], *, message: str, run: str = "") -> str:
    """Ask when a known address or domain signs as somebody else; answers the card's id, "" when all fits.

    Once for each other name; an answer is remembered by the card. ``told``: what the message says of its sender.
    """
    known = records.get(tx.conn, record)
    ours, theirs = (likeness.read(known["kind"], body) for body in (known["body"], told))
    against = _other_company(ours, theirs) if known["kind"] == "company" else _other_person(ours, theirs)
    if not against:
        return ""
    said, key = str(told.get("name", "")), ", ".join(told.get("emails") or [str(told.get("domain", ""))])
    detail = {"record": record, "message": message, "told": dict(told)}
    return _ask(
        tx,
        derived("drift", record, theirs.title or " ".join((*theirs.name.given, *theirs.name.family))),
        f"Is this still {known['title']}? It is signed {said}",
        f"{key} is known as {known['title']}; now it is signed {said}: {against}.",
        {**detail, "evidence": merging.evidence(matching.score(ours, theirs), against)},
        options=OPTIONS,
        run=run,
    )


def _other_person(ours: likeness.Subject, theirs: likeness.Subject) -> str:
    """Why a name cannot be the one that is known, "" when it can."""
    if not ours.name or len(theirs.name.given + theirs.name.family) < 2:
        return ""
    return next((veto for veto in matching.score(ours, theirs).hard if veto.startswith(("another", "a man"))), "")


def _other_company(ours: likeness.Subject, theirs: likeness.Subject) -> str:
    """The same for companies: no word in common, and the new name is not what the domain says."""
    label = "".join(host.partition(".")[0] for host in theirs.domains).replace("-", "")
    if not ours.title or not theirs.title or not label or fuzz.token_set_ratio(ours.title, theirs.title) >= 55:
        return ""
    ours_told, theirs_told = (fuzz.partial_ratio(one.title.replace(" ", ""), label) for one in (ours, theirs))
    return "another company" if ours_told >= 70 > theirs_told and theirs_told < 50 else ""


def moved(tx: Tx, scheme: str, value: str, to: str, *, message: str, run: str = "") -> str:
    """Ask when somebody else gives a phone that was another's; answers the card's id, "" when it is nobody else's."""
    owner = records.identified(tx.conn, scheme, value)
    if owner is None or owner == merges.root(tx.conn, to):
        return ""
    first, second = records.get(tx.conn, owner), records.get(tx.conn, to)
    match = merging.compare(tx.conn, first, second)
    if not match.hard or match.zone != "new":  # a namesake is asked about as a pair
        return ""
    detail = {"record": owner, "to": to, "scheme": scheme, "value": value, "message": message}
    return _ask(
        tx,
        derived("drift", value, to),
        f"Whose is {value}? {second['title']} gives it too",
        f"{value} is known as the {scheme} of {first['title']}; now {second['title']} gives it as theirs.",
        {**detail, "evidence": merging.evidence(match)},
        options=SHARED,
        run=run,
    )


def _ask(
    tx: Tx, ident: str, title: str, why: str, detail: Mapping[str, Any], *, options: list[dict[str, Any]], run: str
) -> str:
    """One card, unless the day has enough of them; answers its id."""
    if merges.cards_since(tx.conn, tx.now[:10]) >= MOST:
        return ""
    return tasks.open_card(
        tx,
        ident,
        "merge",
        title,
        subject=detail["record"],
        subject_kind=SUBJECT,
        record=detail["record"],
        run=run,
        why=why,
        detail=dict(detail),
        options=[dict(option) for option in options],
        estimate=45,
        judgement=1,
        deadline=later(tx.now, 30 * merging.DAY),
        at_expiry="Everything stays with whom it is with.",
    )


def part(tx: Tx, card: Mapping[str, Any], *, who: str) -> str:
    """Let the identifier stand for the other one, made when unknown; what was before stays. Answers the record."""
    detail = card["detail"] or {}
    proof = {"card": card["id"]}
    if detail.get("to"):
        records.relink(tx, detail["scheme"], detail["value"], detail["to"], rule="confirmed", evidence=proof, actor=who)
        return str(detail["to"])
    told, kind = dict(detail["told"]), records.get(tx.conn, detail["record"])["kind"]
    why = "another one by your word"  # what is said of them is still the message's word
    made = records.create(tx, kind, str(told.get("name", "")), told, why=why, actor=who, by="outside")
    keys = [("email", identity.normal_address(str(one))) for one in told.get("emails") or []]
    keys += [("domain", str(told["domain"]))] if told.get("domain") else []
    for scheme, value in keys:
        records.relink(tx, scheme, value, made, rule="confirmed", evidence=proof, actor=who)
    merging.settle_apart(tx, detail["record"], made, who=who)
    return made
