"""Saying it once: words of the operator become a standing rule, tried on the past, put in force, taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.config import Rule as PolicyRule
from soloist.engine.store import conversations, proposals, records, standing
from soloist.engine.store.tx import Tx
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.flows.ruling import Ruling
from soloist.kernel.errors import BadInput, Conflict
from soloist.kernel.hashing import json_hash
from soloist.kernel.origin import Origin
from soloist.kernel.work import WorkItem
from soloist.stages.policy import sentences
from soloist.stages.standing import decide

AGENT, SKILL = "supervisor", "read_rule"
LAST = 200
"""Proposals or messages of the past on which a rule is tried."""
SHOWN = 20
_DOMAIN = re.compile(r"@?((?:[a-z0-9-]+\.)+[a-z]{2,})\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Spoken:
    """What was said: the rule's number, its row, whether it was in force already, what it would have done."""

    rule: str
    row: Mapping[str, Any]
    again: bool = False


def equip(desk: Desk) -> None:
    """Let the runtime keep to the rules, and hear of edits that do what a rule should have done."""
    before = desk.approvals.learned
    desk.runtime.keep_to(desk.standing)

    def learned(tx: Tx, proposal: Mapping[str, Any], said: str, who: str) -> None:
        before(tx, proposal, said, who)
        if said == "edited" and proposal["agent"] and proposal["operation"] == MAIL_OPERATION:
            now = proposals.get(tx.conn, proposal["id"])["payload"]
            was = proposals.versions(tx.conn, proposal["id"])[0]["payload"]
            to = str((now.get("to") or [""])[0])
            desk.standing.edited(tx, str(was.get("body", "")), str(now.get("body", "")), to, who=who)

    desk.approvals.learned = learned


class StandingRules:
    """Standing rules as the operator handles them."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk = desk

    async def say(self, said: str, *, who: str, rule: str = "") -> Spoken:
        """Read what was said, try it on the past and keep it, not in force yet; ``rule`` is one that it replaces.

        BadInput when nobody is meant or several are. A rule that is in force already is counted as repeated.
        """
        said = " ".join(said.split())
        if not 3 <= len(said) <= 600:
            raise BadInput("said: a sentence of at most 600 letters.", field="said")
        reading = await self._read(said)
        scope, subject = await self._desk.store.read(lambda conn: about(conn, str(reading["who"])))
        row = {"rule": rule, "said": said, "reading": reading, "scope": scope, "subject": subject}
        row["tried"] = await self._try(row)
        row["hash"] = json_hash({"said": said, "reading": reading, "scope": scope, "subject": subject})

        def work(tx: Tx) -> Spoken:
            if rule:
                standing.get(tx.conn, rule)
            for known in standing.live(tx.conn):
                if not rule and decide.same(reading, scope, subject, known):
                    standing.repeated(tx, known, f"said again: {said}", who=who)
                    return Spoken(known["rule"], standing.get(tx.conn, known["rule"]), again=True)
            made = standing.add(tx, row, who=who)
            return Spoken(made["rule"], made)

        return await self._desk.store.write(work)

    async def try_again(self, rule: str) -> dict[str, Any]:
        """What the newest version of a rule would have done to the past, as of now (NotFound)."""
        row = await self._desk.store.read(lambda conn: standing.get(conn, rule))
        result = await self._try(row)
        await self._desk.store.write(lambda tx: standing.tried(tx, row["id"], result))
        return result

    async def use(self, rule: str, *, who: str) -> dict[str, Any]:
        """Put the newest version of a rule in force, in place of the one before (NotFound, Conflict)."""

        def work(tx: Tx) -> dict[str, Any]:
            row = standing.get(tx.conn, rule)
            if row["state"] == standing.LIVE:
                raise Conflict(f"Rule {rule} is in force already.")
            for older in standing.versions(tx.conn, rule):
                if older["state"] == standing.LIVE:
                    self._take_out(tx, older, who)
                    standing.move(tx, older, standing.REPLACED, who=who, why=f"version {row['version']}")
            if row["reading"]["sort"] in decide.POLICY:
                why = f"standing rule {rule}, version {row['version']}"
                self._desk.judging.add_rule_in(tx, _policy(tx.conn, row), who=who, why=why)
            standing.move(tx, row, standing.LIVE, who=who)
            return standing.get(tx.conn, rule)

        return await self._desk.store.write(work)

    async def end(self, rule: str, *, who: str, why: str = "") -> dict[str, Any]:
        """Take a rule back (NotFound, Conflict); what it did stays listed."""

        def work(tx: Tx) -> dict[str, Any]:
            row = standing.get(tx.conn, rule)
            if row["state"] in (standing.ENDED, standing.REPLACED):
                raise Conflict(f"Rule {rule} is over already.")
            for version in standing.versions(tx.conn, rule):
                if version["state"] == standing.LIVE:
                    self._take_out(tx, version, who)
                if version["state"] in (standing.LIVE, standing.SAID):
                    standing.move(tx, version, standing.ENDED, who=who, why=why)
            return standing.get(tx.conn, rule)

        return await self._desk.store.write(work)

    # ----- how

    async def _read(self, said: str) -> dict[str, Any]:
        """The reading of a sentence, by the rules, else by a model where one is set."""
        item = WorkItem(
            run=f"rule:{json_hash(said)[:24]}",
            step="read",
            agent=AGENT,
            skill=SKILL,
            input={"said": said, "currency": self._desk.settings.business.currency},
            wanted="a standing rule in a form that can be kept to and tried",
            sla="now",
            origin=Origin(frozenset({"operator"})),
            flow="standing",
        )
        worked = await self._desk.runtime.work(item)
        return {name: value for name, value in worked.value.items() if name != "ask"} | {"author": worked.author}

    def _take_out(self, tx: Tx, row: Mapping[str, Any], who: str) -> None:
        """A rule of policy that was put in force leaves policy.toml again, where it still stands there."""
        if row["reading"]["sort"] not in decide.POLICY:
            return
        name = _name(row)
        if any(rule.name == name for rule in self._desk.judging.rules.written):
            self._desk.judging.remove_rule_in(tx, name, who=who, why=f"standing rule {row['rule']} is over")

    async def _try(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """{looked, count, unit, changed: [{object, title, before, after}]}; nothing is changed by it."""
        sort = str(row["reading"]["sort"])
        if sort in decide.POLICY:
            ruling = Ruling(self._desk.store, self._desk.judging, self._desk.settings.business.timezone)
            rule = await self._desk.store.read(lambda conn: _policy(conn, {"rule": "0", "version": 0, **row}))
            trial = await ruling.try_rule(rule, last=LAST)
            changed = [
                {"object": one.proposal, "title": one.title, "before": one.now, "after": one.then}
                for one in trial.changes
            ]
            return _told(changed, trial.tried, "proposals")
        meant = decide.of_row({"id": "", "rule": str(row.get("rule", "")), **row})
        if sort in decide.ROUTES:
            return await self._desk.store.read(lambda conn: _messages(conn, meant))
        return await self._desk.store.read(lambda conn: _drafts(conn, meant))


def _told(changed: Sequence[Mapping[str, Any]], looked: int, unit: str) -> dict[str, Any]:
    return {"looked": looked, "count": len(changed), "unit": unit, "changed": [dict(one) for one in changed[:SHOWN]]}


def about(conn: Any, who: str) -> tuple[str, str]:
    """Whom a rule is about: (house, ""), (address, x), (domain, x) or (record, id). BadInput when that is not clear."""
    if not who:
        return "house", ""
    if "@" in who.strip("@") and " " not in who:
        return "address", who.casefold()
    if match := _DOMAIN.match(who):
        return "domain", match[1].casefold()
    named = [
        row for kind in ("person", "company") for row in records.listed(conn, kind, before=None, limit=9, text=who)
    ]
    words = set(who.casefold().split())
    found = [row for row in named if words <= set(str(row["title"]).casefold().split())]
    if len(found) == 1:
        return "record", str(found[0]["id"])
    if found:
        names = ", ".join(sorted(str(row["title"]) for row in found)[:5])
        raise BadInput(f"Several are called “{who}”: {names}. Write the whole name, or the address.", field="said")
    raise BadInput(f"Nobody called “{who}” is in the records. Write the address, or @ and the domain.", field="said")


def facts_of(conn: Any, records_: Sequence[str], addresses: Sequence[str]) -> decide.Facts:
    """Whom a draft is about, from what is known: its records, and the addresses it goes to."""
    return decide.Facts([one for one in records_ if one], [one for one in addresses if one])


def _name(row: Mapping[str, Any]) -> str:
    return f"Your rule {row['rule']}, version {row['version']}: {row['said'][:120]}"


def _policy(conn: Any, row: Mapping[str, Any]) -> PolicyRule:
    """The rule of policy that a sentence stands for; it only ever asks or denies."""
    reading = row["reading"]
    if reading["sort"] == "above":
        currency = json.dumps(reading["currency"])
        when = f"proposal.amount_minor > {int(reading['amount_minor'])} || "
        when += f"(proposal.amount_minor > 0 && proposal.currency != {currency})"
        return PolicyRule(name=_name(row), when=when, then="ask")
    if row["scope"] == "record":
        addresses = [one["value"] for one in records.identities_of(conn, row["subject"]) if one["scheme"] == "email"]
        if not addresses:
            raise BadInput("No address of theirs is known. Write the address into the sentence.", field="said")
    else:
        addresses = [row["subject"] if row["scope"] == "address" else f"@{row['subject']}"]
    when = " || ".join(sentences.also_to(address) for address in addresses)
    return PolicyRule(name=_name(row), when=when, then="deny" if reading["sort"] == "never" else "ask")


def _drafts(conn: Any, rule: decide.Rule) -> dict[str, Any]:
    """What a rule of wording would have made of the newest mails that agents proposed."""
    changed: list[dict[str, Any]] = []
    rows = proposals.newest(conn, MAIL_OPERATION, LAST)
    for row in rows:
        facts = facts_of(conn, [row["record"]], row["payload"].get("to") or [])
        if not decide.fits(rule, facts):
            continue
        title, body = str(row["payload"].get("subject", "")), str(row["payload"].get("body", ""))
        if rule.sort == "language":
            changed.append({"object": row["id"], "title": title, "before": "", "after": f"in {rule.language}"})
            continue
        dressed = decide.dress(body, [rule], facts)
        if dressed.used:
            after = dressed.body if dressed.body != body else "; ".join(what for _, what in dressed.used)
            changed.append({"object": row["id"], "title": title, "before": body[:2000], "after": after[:2000]})
    return _told(changed, len(rows), "drafts")


def _messages(conn: Any, rule: decide.Rule) -> dict[str, Any]:
    """Which of the newest messages a rule about their sender would have taken for something else."""
    changed: list[dict[str, Any]] = []
    rows = conversations.newest_inbound(conn, LAST)
    for row in rows:
        found = decide.route([rule], str(row["sender"]))
        if found and found[0] != row["kind"]:
            title = f"{row['sender']}: {row['subject']}"
            changed.append({"object": row["id"], "title": title, "before": row["kind"], "after": found[0]})
    return _told(changed, len(rows), "messages")
