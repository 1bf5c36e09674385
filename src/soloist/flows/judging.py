"""Judging: policy with the operator's clock, files and history; asked when something is proposed and when it leaves."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from typing import Any

from soloist.config import Home, Rule, Settings
from soloist.engine import calls
from soloist.engine.store import autonomy, grants, history, policies, proposals, samples, tasks, thresholds
from soloist.engine.store import calls as kept
from soloist.engine.store.clock import Clock, from_iso, iso, later
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.flows.trusting import Trusting, doubted, steering
from soloist.kernel.confidence import wilson_lower
from soloist.kernel.errors import BadConfig, NotFound, SoloistError
from soloist.kernel.ids import derived
from soloist.kernel.proposal import CHANGE_FACTS, OperationFacts
from soloist.stages import policy
from soloist.stages.approvals import facts_for_policy
from soloist.stages.policy import ladder, rulebook, unusual

LOOK_EVERY = 2.0
"""Seconds between two looks at the dates of the files with rules."""
FILE = "policy.toml"
"""The file in the home that holds the rules made from cards and pages."""
DAY = 86400.0


class Judging:
    """The operator's rules in force. ``trouble`` says why a changed file was refused, "" when none was."""

    def __init__(self, home: Home, settings: Settings, clock: Clock) -> None:
        """Read the rules of soloist.toml and policy.toml; a fault in them is told by ``attach``."""
        self._home, self._zone, self._clock = home, settings.business.zone, clock
        self._targets = settings.confidence.of
        self._own = settings.business.email.casefold()
        self._trusting = Trusting(home, settings)
        self.observe_only: Callable[[str], bool] = lambda _connector: False
        self._declared: Callable[[str, str], OperationFacts] | None = None
        self._store: Store | None = None
        self.trouble, self._fault, self._seen = "", None, self._dates()
        self.rules = policy.compile_rules([])
        try:
            self.rules = rulebook.load(self._files())
        except BadConfig as error:
            self.trouble, self._fault = error.detail, error

    def attach(self, store: Store, declared: Callable[[str, str], OperationFacts]) -> None:
        """Give it the store and what connectors declare. With a fault in a file the last valid rules stay in force.

        BadConfig when there are none.
        """
        self._store, self._declared = store, declared
        if self._fault is None:
            return
        stored = store.read_now(policies.current)
        if stored is None:
            raise self._fault
        self.rules = _from_store(stored["rules"])

    # ----- asked by the stages

    def judge(self, tx: Tx, row: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
        """The verdict on a proposal that is made or edited, with ``flags``: what is unusual about it.

        ``control`` says which trusted source names each value that steers it.
        """
        self._keep(tx, "read from the files", who="soloist")
        proposed = payload is row.get("payload")
        verdict = self._judged(tx.conn, row, payload, asked=True, tx=tx if proposed else None)
        declared = CHANGE_FACTS if row["noun"] == "change" else self._operation(row)
        return {**verdict, "control": steering(tx.conn, self._trusting, row, payload, declared)}

    def would_deny(self, conn: Any, row: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
        """Why policy would deny a proposal that nobody has made yet, "" when it would not; nothing is kept."""
        verdict = self._judged(conn, row, payload, asked=True)
        return str(verdict["reason"]) if verdict["answer"] == "deny" else ""

    def still_allowed(self, proposal: Mapping[str, Any]) -> str:
        """Policy once more, right before something leaves: "" or why not. ``approved_by`` is "approve" or "allow".

        ``tx`` is the transaction that writes ``attempting``, so that a grant revoked in the same instant counts; it
        keeps the verdict when it differs from the last. A person's approval stays valid unless policy denies by now.
        """
        if why := self.hindered(proposal["connector"]):
            return why
        ask = partial(self._judged, row=proposal, payload=proposal["payload"], asked=False)
        tx: Tx | None = proposal.get("tx")
        verdict = ask(tx.conn) if tx is not None else self._opened().read_now(ask)
        if tx is not None:
            self._note(tx, proposal, verdict)
        if verdict["answer"] == "deny":
            return f"Policy denies it by now: {verdict['reason']}"
        if verdict["answer"] == "ask" and proposal["approved_by"] == "allow":
            return f"Policy asks for your word by now: {verdict['reason']}"
        return ""

    @staticmethod
    def _note(tx: Tx, proposal: Mapping[str, Any], verdict: Mapping[str, Any]) -> None:
        """Keep a verdict at the door that is not the one already kept."""
        known = [(v["answer"], v["policy_version"], v["grant"]) for v in proposals.verdicts_of(tx.conn, proposal["id"])]
        if (verdict["answer"], verdict["policy_version"], verdict["grant"]) not in known[-1:]:
            proposals.add_verdict(tx, proposal["id"], proposal["payload_hash"], verdict, "attempting")

    def hindered(self, connector: str) -> str:
        """Why nothing may leave by a connection although a person approves, "" when it may."""
        if not self.observe_only(connector):
            return ""
        return (
            f"{connector} only reads for now, so nothing can be sent by it and the card stays open. "
            f"Allow it under Settings, Mailboxes, or run: soloist connect allow-sending {connector}"
        )

    def _judged(
        self, conn: Any, row: Mapping[str, Any], payload: Mapping[str, Any], asked: bool, tx: Tx | None = None
    ) -> dict[str, Any]:
        """Rules, gates and grants on the facts of this instant; ``asked`` is False when it is about to leave.

        With ``tx`` what was looked at is kept with the calls of its run, so that the verdict can be given again.
        """
        facts, rows = self.facts(conn, row, payload)
        now = iso(self._clock())
        flags: list[unusual.Flag] = []
        if "proposal.unusual" in self.rules.uses:
            facts, flags = self._flagged(conn, row, facts)
        live = [{**g, "used": grants.used(conn, g, later(now, -DAY), but=row["id"])} for g in rows]
        may = {"observes": asked and self._observes(conn, facts), "reads_only": self.observe_only(facts.connector)}
        looked = policy.Looked(facts, live, asked, **may)
        verdict = policy.looked.verdict(self.rules, looked)
        if tx is not None and row.get("run"):
            given, said = policy.looked.kept(looked), policy.looked.told(verdict)
            made = calls.Call(policy.looked.SKILL, policy.looked.version(self.rules), given, "", said)
            kept.keep(tx, row["run"], f"{made.skill}:{row['id']}", [made])
        if verdict["answer"] == "allow" and asked and not flags and not facts.to_operator:
            facts, flags = self._flagged(conn, row, facts)
        figures = {"amount_minor": facts.amount_minor, "currency": facts.currency, "recipients": list(facts.recipients)}
        return {**verdict, "flags": [asdict(flag) for flag in flags], "figures": figures}

    @staticmethod
    def _observes(conn: Any, facts: policy.Facts) -> bool:
        """Whether the operator lets this agent only watch operations of this kind."""
        return bool(facts.agent) and autonomy.get(conn, facts.agent, ladder.class_of(facts))["level"] == "observe"

    # ----- what policy looks at

    def facts(
        self, conn: Any, row: Mapping[str, Any], payload: Mapping[str, Any], moment: datetime | None = None
    ) -> tuple[policy.Facts, list[dict[str, Any]]]:
        """What a rule may look at now (or at ``moment``), and the grants that speak of it.

        History is read only as far as a rule or a grant asks for it.
        """
        given = facts_for_policy(row, payload, self._operation(row))
        at = (moment or self._clock()).astimezone(self._zone)
        now, but = iso(at), row["id"]
        where = (given["connector"], given["operation"])
        rows = grants.applying(conn, connector=where[0], operation=where[1], agent=given["agent"], now=now)
        uses = self.rules.uses | policy.grants.speaks_of(rows)
        if given["kind"] == "change":
            given["record_kind"] = history.record_kind(conn, str(payload.get("record", "")))
            given["own_fields"] = history.set_by_hand(conn, str(payload.get("record", "")), given["fields"])
        skilled = given["kind"] != "change" and row.get("agent")
        if skilled and (rows or any(rule.then == "allow" for rule in self.rules.written)):
            state = thresholds.get(conn, *samples.place_of(conn, row)).state
            given |= {"distrusted": state == "asks", "unproved": state != "alone"}
        if row.get("bundle"):
            given["bundle_size"] = 1 + history.in_bundle(conn, row["bundle"], but)
        if uses & policy.RATES:
            given["sent_hour"], given["sent_day"] = history.sent(conn, *where, now=now, but=but)
        if "proposal.to_recipient_day" in uses:
            given["to_recipient_day"] = history.to_one(conn, *where, given["recipients"], now=now, but=but)
        if given["new_recipient"] and (rows or "proposal.new_recipient" in uses):
            known = _addresses(history.past(conn, *where, now=now, but=but, limit=1000))
            given["new_recipient"] = not {address.casefold() for address in given["recipients"]} <= known
        declared = CHANGE_FACTS if row["noun"] == "change" else self._operation(row)
        given |= doubted(conn, self._trusting, row, payload, declared)
        to = {str(address).casefold() for address in given["recipients"]}
        found = policy.Facts(**given, now=at, to_operator=to == {self._own})
        return replace(found, unproved=found.unproved and not self._proved(conn, row, found)), rows

    def _proved(self, conn: Any, row: Mapping[str, Any], facts: policy.Facts) -> bool:
        """Whether the operator's decisions on what the same skill wrote reach the bound of its class of operations."""
        skill = samples.skill_of(row)
        right, of, straight = samples.proof(conn, skill)
        least = ladder.bound(ladder.class_of(facts), self._targets(skill))
        return max(wilson_lower(right, of), wilson_lower(straight, straight)) >= least

    def _operation(self, row: Mapping[str, Any]) -> OperationFacts | None:
        """What the connector declares now, None for record changes and for connectors that are gone."""
        if row["noun"] == "change" or self._declared is None:
            return None
        try:
            return self._declared(row["connector"], row["operation"])
        except NotFound:
            return None

    def _flagged(
        self, conn: Any, row: Mapping[str, Any], facts: policy.Facts
    ) -> tuple[policy.Facts, list[unusual.Flag]]:
        """What is unusual about a proposal against the history of its own operation."""
        where, now = (facts.connector, facts.operation), iso(facts.now)
        rows = history.past(conn, *where, now=now, but=row["id"])
        if facts.kind == "change" or len(rows) < unusual.ENOUGH:
            return facts, []
        texts = history.payloads(conn, *where, now=now, but=row["id"], limit=unusual.TEXTS)
        found = unusual.flags(
            self._past(rows, texts, facts),
            amount=facts.amount_minor,
            currency=facts.currency,
            recipients=facts.recipients,
            hour=facts.now.hour,
            text=unusual.text_of(facts.payload),
        )
        return replace(facts, unusual=[flag.name for flag in found]), found

    def _past(self, rows: list[dict[str, Any]], texts: list[Any], facts: policy.Facts) -> unusual.Past:
        """Rows of the history as the figures that flags are made from."""
        hour_ago = later(iso(facts.now), -3600)
        moments = [from_iso(one["approved"]).astimezone(self._zone) for one in rows]
        rates: dict[str, int] = {}
        for one in rows:
            if one["approved"] < hour_ago:
                rates[one["approved"][:13]] = rates.get(one["approved"][:13], 0) + 1
        same = [one["amount_minor"] for one in rows if one["amount_minor"] and one["currency"] == facts.currency]
        return unusual.Past(
            count=len(rows),
            amounts=same,
            recipients=_addresses(rows),
            hours=[moment.hour for moment in moments],
            rates=list(rates.values()),
            last_hour=sum(1 for one in rows if one["approved"] >= hour_ago),
            texts=[unusual.text_of(payload or {}) for payload in texts],
        )

    def past(self, conn: Any, limit: int = 200) -> list[policy.Former]:
        """The newest proposals with their facts, recomputed from the rows, and what policy answered; for replaying.

        Copies of decided proposals always ask and are left out.
        """
        found = []
        for row in history.recent(conn, limit):
            said = [v for v in proposals.verdicts_of(conn, row["id"]) if v["when"] in ("proposed", "edited")]
            if not said or (row["evidence"] or {}).get("copy_of"):
                continue
            facts, _ = self.facts(conn, row, row["payload"] or {}, from_iso(row["created"]))
            facts = replace(facts, unusual=[flag["name"] for flag in row["flags"] or ()])
            title = f"{row['connector']}: {row['operation']}"
            found.append(policy.Former(row["id"], title, row["created"], facts, said[-1]["answer"]))
        return found

    # ----- the rules as files

    async def add_rule(self, rule: Rule, *, who: str, why: str) -> str:
        """Write a rule into policy.toml and put it in force at once; answers the new version.

        BadConfig (unknown field, contradiction, a name that is taken) changes nothing.
        """
        return await self._opened().write(lambda tx: self.add_rule_in(tx, rule, who=who, why=why))

    def add_rule_in(self, tx: Tx, rule: Rule, *, who: str, why: str) -> str:
        """The same inside a transaction."""
        comment = f"{tx.now[:10]}, {who}: {why}"
        return self._rewrite(tx, rulebook.added(self._text(FILE), rule, comment), who=who, why=why)

    async def remove_rule(self, name: str, *, who: str, why: str) -> str:
        """Take a rule out of policy.toml; answers the new version. NotFound for rules that stand in soloist.toml."""
        return await self._opened().write(lambda tx: self.remove_rule_in(tx, name, who=who, why=why))

    def remove_rule_in(self, tx: Tx, name: str, *, who: str, why: str) -> str:
        """The same inside a transaction."""
        text = rulebook.removed(self._text(FILE), name)
        if text is None:
            raise NotFound(f"{FILE} has no rule {name!r}; rules of soloist.toml are taken out there.", field="name")
        return self._rewrite(tx, text, who=who, why=why)

    def trial(self, text: str) -> policy.Rules:
        """The policy as it would be with another policy.toml; nothing is changed (BadConfig with the place)."""
        return rulebook.load([*self._files(but=FILE), rulebook.Written(FILE, text)])

    def _rewrite(self, tx: Tx, text: str, *, who: str, why: str) -> str:
        """Check, write and take over another policy.toml."""
        rules = self.trial(text)
        path = self._home.root / FILE
        fresh = path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)
        self.rules, self._seen, self.trouble = rules, self._dates(), ""
        self._keep(tx, why, who=who)
        return rules.version

    def file_text(self) -> str:
        """The text of policy.toml, "" without one."""
        return self._text(FILE)

    def _files(self, but: str = "") -> list[rulebook.Written]:
        """The files that hold rules and exist."""
        names = [name for name in (self._home.toml.name, FILE) if name != but and (self._home.root / name).exists()]
        return [rulebook.Written(name, self._text(name)) for name in names]

    def _text(self, name: str) -> str:
        """The text of a file of the home, "" without one."""
        path = self._home.root / name
        try:
            return path.read_text(encoding="utf-8") if path.exists() else ""
        except UnicodeDecodeError as error:
            raise BadConfig(f"{name}, line 1, column 1: it is not UTF-8 text.", field=name) from error

    def _dates(self) -> tuple[int, ...]:
        """When the files were written last."""
        paths = (self._home.toml, self._home.root / FILE)
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)

    # ----- versions

    def _keep(self, tx: Tx, why: str, *, who: str) -> None:
        """The rules in force as a row, so that they can be used again when a file is refused."""
        if not self.trouble and policies.in_force(tx.conn) != self.rules.version:
            rules = {"rules": [rule.model_dump(mode="json") for rule in self.rules.written], "bulk": self.rules.bulk}
            policies.keep(tx, self.rules.version, rules, source="files", who=who, why=why)

    def reread(self) -> bool:
        """Take over the files as they are now; a fault is told and changes nothing. True when the rules changed."""
        self._seen = self._dates()
        try:
            rules = rulebook.load(self._files())
        except (BadConfig, OSError) as error:
            self.trouble = getattr(error, "detail", str(error))
            return False
        changed, self.rules, self.trouble = rules.version != self.rules.version, rules, ""
        return changed

    async def follow(self, kind: str = "server") -> None:
        """Look at the files' dates for as long as the process runs; the server keeps what follows from a change."""
        log, turn = logging.getLogger("soloist.policy"), 0
        who = "soloist"
        while True:
            try:
                changed = turn > 0 and self._dates() != self._seen
                if changed and not await asyncio.to_thread(self.reread) and self.trouble:
                    log.warning("the changed rules were not taken over: %s", self.trouble)
                if kind == "server" and (changed or turn % 15 == 0):
                    await self._opened().write(partial(self.settle, who="file" if changed else who))
            except (SoloistError, OSError) as error:
                log.warning("the rules were not looked after: %s", error)
            await asyncio.sleep(LOOK_EVERY)
            turn, who = turn + 1, "file"

    def settle(self, tx: Tx, *, who: str) -> None:
        """Keep the version in force, end grants whose time is over, open or close the card about a refused file."""
        self._keep(tx, "the files changed" if who == "file" else "read at the start", who=who)
        grants.expire(tx)
        card = tasks.open_for(tx.conn, FILE)
        if card and card["why"] != self.trouble:
            tasks.close(tx, card["id"], "withdrawn", {"option": "", "reason": "the file was changed"}, actor="soloist")
        if self.trouble and not (card and card["why"] == self.trouble):
            self._tell(tx)

    def _tell(self, tx: Tx) -> None:
        """A card about a file that was refused."""
        left = "The file stays as it is and the former rules stay in force."
        tasks.open_card(
            tx,
            derived("policy refused", self.trouble, tx.now),
            "question",
            "Changed rules were not taken over",
            subject=FILE,
            subject_kind="policy",
            why=self.trouble,
            options=[{"name": "seen", "label": "I will look at it", "consequence": left}, tasks.LATER],
            estimate=120,
            judgement=1,
            deadline=later(tx.now, 7 * DAY),
            at_expiry=left,
        )

    def _opened(self) -> Store:
        """The store, once it was given."""
        if self._store is None:
            raise RuntimeError("Judging.attach was not called")
        return self._store


def _from_store(kept: Mapping[str, Any]) -> policy.Rules:
    """A stored version, compiled."""
    return policy.compile_rules([Rule.model_validate(rule) for rule in kept["rules"]], bulk=kept["bulk"])


def _addresses(rows: list[dict[str, Any]]) -> frozenset[str]:
    """Every address that rows of the history went to."""
    return frozenset(str(address).casefold() for row in rows for address in row["recipients"] or ())
