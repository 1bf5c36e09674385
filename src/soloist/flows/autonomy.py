"""Autonomy: what every word of a person does to trust; grants are offered when it is earned and lost at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from soloist.config import Rule
from soloist.engine.store import autonomy, effects, grants, proposals, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.kernel.confidence import wilson_lower
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.ids import derived
from soloist.stages import policy
from soloist.stages.policy import ladder

DAY = 86400.0
SUBJECT = "grant"
LOST = {
    "edited": "you changed a proposal before you approved it",
    "rejected": "you rejected a proposal",
    "corrected": "you took something back or did it yourself",
}


class Autonomy:
    """The ladder of one home; every pair of an agent and a class of operations stands on its own rung."""

    def __init__(self, desk: Desk) -> None:
        """Hears of decisions and takes the options of its cards from now on."""
        self._desk = desk
        desk.approvals.learned = self.learned
        desk.takers[SUBJECT] = self.answer
        desk.takers["audit card"] = self.audited

    # ----- what is learned

    def learned(self, tx: Tx, proposal: Mapping[str, Any], said: str, who: str) -> None:
        """A person approved, edited, rejected or corrected a proposal; in the transaction of that word."""
        facts, _ = self._desk.judging.facts(tx.conn, proposal, proposal["payload"])
        if not facts.agent:
            return
        row = autonomy.get(tx.conn, facts.agent, ladder.class_of(facts))
        row["decided"] += said != "corrected"
        row["edited"] += said == "edited"
        if said == "approved":
            row["straight"] += 1
            autonomy.put(tx, row, who=who)
            self._offer(tx, row, proposal, facts)
        else:
            self._fall(tx, row, LOST[said], who)

    def _fall(self, tx: Tx, row: dict[str, Any], why: str, who: str) -> None:
        """One correction: the count begins anew, what was earned is lost, what was offered is taken off the table."""
        row["straight"], row["why"] = 0, why
        if row["level"] in ("limited", "full"):
            row["level"] = "propose"
        autonomy.put(tx, row, who=who)
        grants.lose(tx, row["agent"], row["operations"], why=why)
        for ident in grants.offered(tx.conn, row["agent"], row["operations"]):
            grants.move(tx, ident, "declined", who="soloist", why=why)
            if card := tasks.open_for(tx.conn, ident):
                tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": why}, actor="soloist")

    def _offer(self, tx: Tx, row: Mapping[str, Any], proposal: Mapping[str, Any], facts: policy.Facts) -> None:
        """Offer a grant when enough straight approvals are there: first a limited one, then a full one."""
        needed = ladder.needed(row["operations"], row["offered"])
        if not needed or row["straight"] < needed or row["level"] == "observe":
            return
        standing = grants.standing(tx.conn, facts.agent, facts.connector, facts.operation)
        if any(grant["state"] == "offered" or grant["level"] == "full" for grant in standing):
            return
        level, offer = "full" if standing else "limited", ladder.offer(row["operations"], facts.operation)
        bound = wilson_lower(row["straight"], row["straight"])
        back = facts.held or facts.undo == "exact"
        given = {
            "title": f"{offer.title} ({facts.agent})",
            "connector": facts.connector,
            "operation": facts.operation,
            "agent": facts.agent,
            "level": level,
            "gates": list(offer.gates),
            "when": offer.when,
            "mode": "revert" if back else "audit",
            "window": offer.window if back else "",
            "per_day": ladder.PER_DAY if level == "limited" else 0,
            "source": "earned",
            "proposal": proposal["id"],
            "basis": {"operations": row["operations"], "straight": row["straight"], "bound": round(bound, 4)},
            "who": "soloist",
            "why": f"{row['straight']} straight approvals without an edit",
            "until": later(tx.now, ladder.DAYS * DAY),
        }
        ident = grants.insert(tx, given, state="offered")
        tasks.open_card(tx, derived("grant", ident), "grant", f"Let it go alone? {given['title']}", **_card(tx, ident))

    # ----- what a person says on the cards

    def answer(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """An offered grant is given or put off; "not now" doubles the number before it is offered again."""
        grant = grants.get(tx.conn, card["subject"])
        operations = str((grant["basis"] or {}).get("operations", ""))
        row = autonomy.get(tx.conn, grant["agent"], operations)
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        if option != "grant":
            grants.move(tx, grant["id"], "declined", who=who, why="not now")
            row["offered"] = str(2 * max(ladder.needed(operations, row["offered"]), row["straight"]))
            autonomy.put(tx, row, who=who)
            return {"state": "declined"}
        for other in grants.standing(tx.conn, grant["agent"], grant["connector"], grant["operation"]):
            if other["state"] == "live":
                grants.move(tx, other["id"], "revoked", who=who, why="a wider grant takes its place")
        grants.move(tx, grant["id"], "live", who=who, until=later(tx.now, ladder.DAYS * DAY))
        row |= {"level": grant["level"], "straight": 0, "offered": "", "why": "you gave a grant"}
        autonomy.put(tx, row, who=who)
        return {"state": "live", "grant": grant["id"]}

    def audited(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Something unusual went alone: it is fine, it is taken back, or its like asks from now on."""
        if card["state"] != "open":
            raise Conflict(f"This card is {card['state']} already; nothing was changed.")
        proposal = proposals.get(tx.conn, card["subject"])
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        if option == "ask":
            return self._ask_next_time(tx, proposal, who)
        if option == "undo":
            rows = effects.of_proposal(tx.conn, proposal["id"])
            if not rows:
                why = "You took it back before it was sent."
                return {"again": self._desk.approvals.supersede(tx, proposal["id"], actor=who, why=why)}
            done = [row for row in rows if row["state"] in ("succeeded", "resolved_done") and not row["undoes"]]
            return [self._desk.undo_in(tx, row["id"], who=who) for row in done or rows[:1]][-1]
        return {"state": "closed"}

    def _ask_next_time(self, tx: Tx, proposal: Mapping[str, Any], who: str) -> dict[str, Any]:
        """The grant that let it go ends; where a rule did, one that asks about its like is written beside it."""
        let = [verdict["grant"] for verdict in proposals.verdicts_of(tx.conn, proposal["id"]) if verdict["grant"]]
        if let and grants.get(tx.conn, let[-1])["state"] == "live":
            grants.revoke(tx, let[-1], who, "you want to be asked next time")
            return {"state": "asks", "grant": let[-1]}
        connector, operation = proposal["connector"], proposal["operation"]
        names = sorted({flag["name"] for flag in proposal["flags"] or ()})
        like = " || ".join(f'"{name}" in proposal.unusual' for name in names)
        where = f"proposal.connector == {json.dumps(connector)} && proposal.operation == {json.dumps(operation)}"
        when = f"{where} && ({like})"
        rule = Rule(name=f"ask about unusual {connector} {operation}: {', '.join(names)}", when=when, then="ask")
        if rule.name not in {known.name for known in self._desk.judging.rules.written}:
            self._desk.judging.add_rule_in(tx, rule, who=who, why="you wanted to be asked next time")
        return {"state": "asks", "rule": rule.name}

    # ----- what a person sets

    async def set_level(self, agent: str, operations: str, level: str, *, who: str, why: str = "") -> dict[str, Any]:
        """Let an agent only observe a class of operations, or propose again; higher rungs are earned (BadInput).

        What was earned is lost. Answers the row.
        """
        if level not in ("observe", "propose"):
            raise BadInput("level: observe or propose; limited and full come with a grant.", field="level")

        def work(tx: Tx) -> dict[str, Any]:
            row = autonomy.get(tx.conn, agent, operations)
            self._fall(tx, row, why or "you set it", who)
            row["level"] = level
            autonomy.put(tx, row, who=who)
            return autonomy.get(tx.conn, agent, operations)

        return await self._desk.store.write(work)


def _card(tx: Tx, ident: str) -> dict[str, Any]:
    """The card of an offered grant, with what each answer leads to."""
    grant = grants.get(tx.conn, ident)
    basis = grant["basis"]
    what = ladder.CLASSES[basis["operations"]][0]
    often = f"at most {grant['per_day']} in 24 hours" if grant["per_day"] else "without a daily limit"
    back = f" You can take each one back for {grant['window']}." if grant["window"] else ""
    again = 2 * max(basis["straight"], ladder.CLASSES[basis["operations"]][2])
    return {
        "subject": ident,
        "subject_kind": SUBJECT,
        "why": (
            f"You approved {basis['straight']} of {basis['straight']} in a row without a change ({what}). "
            f"With 95 % certainty at least {basis['bound']:.0%} of them are right."
        ),
        "detail": {"grant": ident, **basis},
        "options": [
            {
                "name": "grant",
                "label": f"Grant for {ladder.DAYS} days",
                "consequence": f"{grant['connector']} {grant['operation']} by {grant['agent']} goes alone, {often}, "
                f"until {grant['until'][:10]}.{back} One correction ends it.",
            },
            {
                "name": "not_now",
                "label": "Not now",
                "consequence": f"Everything goes on asking; it is offered again after {again} straight approvals.",
            },
        ],
        "estimate": 60,
        "judgement": 1,
        "deadline": later(tx.now, 30 * DAY),
        "at_expiry": "Nothing changes; everything goes on asking.",
    }
