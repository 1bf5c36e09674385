"""Fixing: what a person decides about a difference, carried out through the doors there are: proposals, undo, notes.

Nothing is written outside from here. What would change the outside is a fresh proposal or a declared way back; what no
connector can do is a task for hands, marked as one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from soloist.engine.store import effects, mismatches, proposals, records, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.marking import digest
from soloist.flows.proving import proven
from soloist.kernel import origin as origins
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.ids import derived
from soloist.kernel.mismatch import COPY, INSIDE, KINDS, MEANING, OUTSIDE, UNATTRIBUTED, options
from soloist.kernel.proposal import CHANGE_CONNECTOR, CHANGE_FACTS, CHANGE_OPERATION, NewProposal

HANDS = "manual"
"""Type of the cards that say: this needs a person's hands outside."""
SUBJECT = "mismatch"
SOURCE = "soloist:reconcile"
_COPIES = 50

Row = Mapping[str, Any]


class Fixing:
    """Carries out what is decided about differences, and takes what is said on their cards."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process; cards about mismatches are taken from now on."""
        self._desk = desk
        desk.takers[SUBJECT] = self.take

    async def decide(
        self, ident: str, option: str, *, who: str, fields: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Carry out one option of a mismatch: {id, option, state, proposals, card, effect}.

        BadInput names the options or the fields, Conflict when it is being mended or gone already.
        """

        def work(tx: Tx) -> dict[str, Any]:
            row = mismatches.get(tx.conn, ident)
            names = [choice.name for choice in options(row)]
            if option not in names:
                raise BadInput(f"option: one of {', '.join(names)}.", field="option")
            if row["state"] not in ("open", "accepted"):
                said = "it no longer shows" if row["state"] == "gone" else "it is being mended already"
                raise Conflict(f"Nothing was changed: {said}.")
            if row["state"] == "accepted":
                mismatches.move(tx, row, "open", actor=who)
                row = mismatches.get(tx.conn, ident)
            tx.append("mismatch.decided", subject=ident, payload={"option": option}, actor=who)
            made = self._acts()[option](tx, row, who, dict(fields or {}))
            empty = {"proposals": [], "card": "", "effect": ""}
            return {"id": ident, "option": option, "state": mismatches.get(tx.conn, ident)["state"], **empty, **made}

        return await self._desk.store.write(work)

    def _acts(self) -> dict[str, Callable[[Tx, Row, str, dict[str, str]], dict[str, Any]]]:
        return {
            "accept": self._accept,
            "mine": self._accept,
            "record": self._record,
            "send_again": self._send_again,
            "take_as_done": self._take_as_done,
            "take_back": self._take_back,
            "choose": self._choose,
            "by_hand": self._by_hand,
            "investigate": self._by_hand,
        }

    # ----- nothing changes outside

    def _accept(self, tx: Tx, row: Row, who: str, _fields: Mapping[str, str]) -> dict[str, Any]:
        """It stays as it is, until it looks otherwise."""
        self._accepted(tx, row, who, {})
        return {}

    @staticmethod
    def _accepted(tx: Tx, row: Row, who: str, more: Mapping[str, Any]) -> None:
        decision = {"who": who, "at": tx.now, "seen": digest(row), **more}
        mismatches.move(tx, row, "accepted", actor=who, decision=decision)

    def _record(self, tx: Tx, row: Row, who: str, _fields: Mapping[str, str]) -> dict[str, Any]:
        """A note with what was found."""
        said = json.dumps(row["outside"] or {}, ensure_ascii=False, sort_keys=True)
        tasks.annotate(tx, row["id"], "note", f"Found at {row['connector']}: {said}", actor=who)
        return self._accept(tx, row, who, {})

    def _take_as_done(self, tx: Tx, row: Row, who: str, _fields: Mapping[str, str]) -> dict[str, Any]:
        """The effect happened: your word, with what was found."""
        ref = str((row["outside"] or {}).get("ref") or "")
        why = f"your word: it is there ({row['connector']} {ref})"
        if not proven(tx, row["effect"], ref, why, actor=who):
            raise Conflict("This effect moved on meanwhile; nothing was changed.")
        mismatches.move(tx, row, "gone", actor=who)
        return {"effect": row["effect"]}

    # ----- what changes something comes back as a proposal

    def _send_again(self, tx: Tx, row: Row, who: str, _fields: Mapping[str, str]) -> dict[str, Any]:
        """A fresh copy of the proposal; earlier copies that came to nothing are not taken up again."""
        effect = effects.get(tx.conn, row["effect"])
        only, current = ("" if effect["group"] == "all" else effect["group"]), effect["proposal"]
        for _ in range(_COPIES):
            current = self._desk.approvals.propose_again(
                tx,
                current,
                actor=who,
                why=f"It is no longer there at {row['connector']}; you asked for it again.",
                only=only,
            )
            if proposals.get(tx.conn, current)["state"] == "waiting":
                break
            only = ""
        self._fixing(tx, row, who, option="send_again", proposal=current)
        return {"proposals": [current]}

    def _take_back(self, tx: Tx, row: Row, who: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """The second one becomes an effect of ours and is taken back by the declared way; else hands are needed."""
        whole = mismatches.with_proposal(tx.conn, row["effect"])
        if not self._reaches(whole, row["ref"]):
            return self._by_hand(tx, row, who, fields)
        adopted = self._adopt(tx, whole, row["ref"], who)
        made = self._desk.effects.undo_in(tx, adopted, who=who)
        counter = ""
        if made["kind"] != "exact":  # money does not come back by itself: a proposal of its own says how
            counter = str(self._desk.takers["undo"](tx, {"subject": adopted}, made["kind"], who)["proposal"])
        self._fixing(tx, row, who, option="take_back", effect=adopted, proposal=counter)
        return {"effect": adopted, "proposals": [counter] if counter else []}

    def _reaches(self, effect: Row, ref: str) -> bool:
        """Whether the way back means the thing with this id and not whatever carries our key."""
        half = self._desk.connections.get(effect["connector"])
        if half is None:
            return False
        given = {"key": effect["key"], "created_at": effect["created"]}
        backs = [
            half.way_back(effect["operation"], effect["payload"], ref=one, **given)
            for one in (ref, effect["provider_ref"])
        ]
        return bool(backs[0]) and backs[0] != backs[1]

    def _adopt(self, tx: Tx, effect: Row, ref: str, who: str) -> str:
        """The thing outside as an effect that happened, so that it has a way back of its own."""
        ident = derived("effect", effect["proposal"], f"{COPY}{ref}")
        known = {row["id"]: row for row in effects.of_proposal(tx.conn, effect["proposal"])}
        if ident in known:  # taking it back came to nothing before
            return ident
        columns = ("proposal", "source_ref", "connector", "operation", "class", "payload_hash")
        row = {name: effect[name] for name in columns}
        row["undo_plan"] = {**(effect["undo_plan"] or {}), "request": ""}  # that one was made out for another key
        row |= {"id": ident, "group": f"{COPY}{ref}", "run": f"effect:{ident}", "key": self._desk.effects.key_of(ident)}
        effects.insert(tx, {**row, "not_before": tx.now, "undoes": "", "evidence": []}, actor=who)
        why = f"taken over from outside: {effect['connector']} shows it a second time ({ref})"
        proven(tx, ident, ref, why, actor=who)
        return ident

    def _choose(self, tx: Tx, row: Row, who: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Each field that differs has a winner; what the outside wins is written here, what we win is proposed."""
        wanted = [line["field"] for line in row["fields"] or []]
        wrong = [name for name in wanted if fields.get(name) not in (INSIDE, OUTSIDE)]
        if wrong or set(fields) - set(wanted):
            raise BadInput(f'fields: say "inside" or "outside" for each of {", ".join(wanted)}.', field="fields")
        lines = {side: [one for one in row["fields"] if fields[one["field"]] == side] for side in (INSIDE, OUTSIDE)}
        made = [*self._outside_wins(tx, row, lines[OUTSIDE], who)]
        if not lines[INSIDE]:
            self._accepted(tx, row, who, {"option": "choose", "fields": dict(fields)})
            return {"proposals": made}
        update = self._update(tx, row, lines[INSIDE], who)
        if not update:
            return {**self._by_hand(tx, row, who, fields), "proposals": made}
        self._fixing(tx, row, who, option="choose", fields=dict(fields), proposal=update)
        return {"proposals": [*made, update]}

    def _outside_wins(self, tx: Tx, row: Row, lines: list[dict[str, Any]], who: str) -> list[str]:
        """A change of the record where it has these fields, proposed; for the others a note on the effect."""
        if not lines:
            return []
        record = records.get(tx.conn, row["record"]) if row["record"] else None
        held = {one["field"]: one["outside"] for one in lines if record and one["field"] in record["body"]}
        noted = [
            f"{one['field']} is {one['outside']!r} (sent: {one['inside']!r})"
            for one in lines
            if one["field"] not in held
        ]
        if noted:
            body = f"Taken over from {row['connector']}: {'; '.join(noted)}"
            tasks.annotate(tx, row["effect"], "note", body, actor=who)
        if record is None or not held:
            return []
        payload = {"record": record["id"], "version": record["version"], "fields": held}
        names = ", ".join(sorted(held)).replace("_", " ")
        new = NewProposal(
            id=derived("proposal", SOURCE, row["id"], "record", record["version"]),
            connector=CHANGE_CONNECTOR,
            operation=CHANGE_OPERATION,
            payload=payload,
            noun="change",
            reason=f"{row['connector']} has another {names}, and you let it win.",
            source=SOURCE,
            record=record["id"],
            title=f"Change {record['title']}: {names}",
            new_recipient=False,
            origin=origins.OUTSIDE,
        )
        return [str(self._desk.approvals.propose(tx, new, CHANGE_FACTS, actor=who)["id"])]

    def _update(self, tx: Tx, row: Row, lines: list[dict[str, Any]], who: str) -> str:
        """A proposal of the connector's own operation that updates a thing, "" when it declares none that fits."""
        half = self._desk.connections.get(row["connector"])
        ref = str((row["outside"] or {}).get("ref") or "")
        payload: dict[str, Any] = {"ref": ref}
        whole = mismatches.with_proposal(tx.conn, row["effect"])["payload"]
        for line in lines:
            _put(payload, line["field"], whole)
        own = str((row["inside"] or {}).get("operation"))
        for name, operation in half.operations().items() if half else ():
            if (
                name == own
                or operation.primitive != "update"
                or not half
                or not _sets(half.check_payload, name, payload)
            ):
                continue
            new = NewProposal(
                id=derived("proposal", SOURCE, row["id"], name, tx.now),
                connector=row["connector"],
                operation=name,
                payload=payload,
                reason=f"It differs at {row['connector']}, and you let what is here win.",
                source=SOURCE,
                record=row["record"],
                title=f"Set right at {row['connector']}: {row['title']}",
                new_recipient=False,
                origin=origins.OPERATOR,
            )
            self._desk.approvals.propose(tx, new, self._desk.facts(row["connector"], name), actor=who)
            return new.id
        return ""

    # ----- hands

    def _by_hand(self, tx: Tx, row: Row, who: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """A task for a person's hands outside, marked as one and listed until it is done."""
        card = derived("hands", row["id"], tx.now)
        tasks.open_card(
            tx,
            card,
            HANDS,
            f"By hand at {row['connector']}: {row['title']}",
            subject=row["id"],
            subject_kind=SUBJECT,
            record=row["record"],
            why=f"{MEANING[row['kind']]} This needs your hands: {todo(row, fields)}",
            detail={"todo": todo(row, fields), "inside": row["inside"], "outside": row["outside"]},
            options=[
                {"name": "done", "label": "Done by hand", "consequence": "The two sides are compared once more."},
                {"name": "leave", "label": "Leave it", "consequence": "Nothing is done; the mismatch is open again."},
            ],
            estimate=300,
            judgement=1,
            deadline=later(tx.now, 30 * 86400),
            at_expiry="Nothing is done; the mismatch is open again.",
        )
        self._fixing(tx, row, who, option="by_hand", card=card, **({"fields": dict(fields)} if fields else {}))
        return {"card": card}

    @staticmethod
    def _fixing(tx: Tx, row: Row, who: str, **made: Any) -> None:
        mismatches.move(tx, row, "fixing", actor=who, decision={"who": who, "at": tx.now, **made})

    def take(self, tx: Tx, card: Row, option: str, who: str) -> dict[str, Any]:
        """What was said on a card for hands: done (the sides are compared again) or left."""
        tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        row = mismatches.find(tx.conn, card["subject"])
        if row is None or row["state"] != "fixing":
            return {"state": "closed"}
        if option == "done" and row["kind"] != UNATTRIBUTED:
            run = f"reconcile:{row['connector']}:{tx.now}"
            tx.start(run, "reconcile", row["connector"], subject=row["connector"])
            return {"state": "done by hand", "run": run}
        mismatches.move(tx, row, "open", actor=who)
        if option == "done":
            self._accepted(tx, mismatches.get(tx.conn, row["id"]), who, {"option": "investigate"})
        return {"state": "closed"}


def todo(row: Row, fields: Mapping[str, str] | None = None) -> str:
    """What hands have to do, in words."""
    where, ref = row["connector"], str((row["outside"] or {}).get("ref") or row["ref"] or "")
    named = f"“{row['title']}”{f' ({ref})' if ref else ''}"
    if row["kind"] == "differs":
        chosen = fields or {}
        lines = [one for one in row["fields"] or [] if chosen.get(one["field"], INSIDE) == INSIDE]
        return f"At {where}, in {named}, set " + "; ".join(f"{one['field']} to {one['inside']}" for one in lines) + "."
    said = {
        "missing_outside": f"Put {named} there again at {where}, or find out where it went.",
        "missing_inside": f"Find out how {named} came to be at {where}; remove it there if it is wrong.",
        "duplicate": f"Remove one of the two at {where}: {named}.",
    }
    return said.get(row["kind"], f"Find out who wrote {named} at {where}.")


def named(kind: str) -> str:
    """A kind as a person reads it."""
    return KINDS.get(kind, kind)


def _put(payload: dict[str, Any], place: str, whole: Mapping[str, Any]) -> None:
    """Copy what stands at a dotted place of a payload."""
    parts, into, source = place.split("."), payload, whole
    for part in parts[:-1]:
        into, source = into.setdefault(part, {}), source[part]
    into[parts[-1]] = source[parts[-1]]


def _sets(check: Callable[[str, Mapping[str, Any]], str], operation: str, payload: Mapping[str, Any]) -> bool:
    """Whether an operation takes these fields for the thing with this id, and cannot do without the id."""
    return _fits(check, operation, payload) and not _fits(
        check, operation, {k: v for k, v in payload.items() if k != "ref"}
    )


def _fits(check: Callable[[str, Mapping[str, Any]], str], operation: str, payload: Mapping[str, Any]) -> bool:
    try:
        check(operation, payload)
    except (BadInput, ValueError, KeyError):
        return False
    return True
