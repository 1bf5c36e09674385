"""Large: whether the large tier may be asked for a kind of work: it has shown its worth, or the operator validates.

Pure rules over figures, and the look at rows, grants and the ledger that they need; it asks no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from soloist.engine.store import grants, spent, tasks, worth
from soloist.engine.store.base import Connection
from soloist.engine.store.clock import iso, later
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.confidence import FEWEST, wilson_lower
from soloist.kernel.ids import derived
from soloist.kernel.model import TIERS
from soloist.kernel.money import digits
from soloist.kernel.spend import Cap
from soloist.stages.spend.words import amount

TIER = 4
"""The tier that needs a reason."""
CONNECTOR, OPERATION = "models", "large"
"""What a grant names that lets an agent ask it: it lets nothing leave the house."""
SUBJECT = "large"
"""Kind of the subject of the card that offers such a grant."""
DAYS = 90 * 86400.0
LIGHT = 100
"""Thousandths of a letter that may be changed and it still counts as little."""
SPARED = 1_000_000
"""Most that it may cost more, in millionths of the currency, for each letter that it spares much editing."""
OFFER_DAYS, OFFER_MINOR = 30, 200
"""How long a trial from the card lasts, and what it may cost altogether, in minor units."""
LETTERS = "draft_reply"
"""The skill whose output the operator decides on letter by letter; for others no worth is measured."""
By = Literal["", "worth", "grant", "held"]
"""Why it may be asked: worth that was shown, a grant of the operator, or that its result waits for their word."""
Letter = tuple[int, int]
"""Thousandths of a decided letter that were changed (1000 for a rejected one), and what models cost for it."""


@dataclass(frozen=True)
class Work:
    """A question of an agent's, before it is asked.

    ``sort`` is the kind of message; ``held``: what comes of it is a proposal that waits for the operator; ``micro``
    is the most that asking ``model`` may cost.
    """

    agent: str
    skill: str
    sort: str = ""
    held: bool = False
    micro: int = 0
    model: str = ""


@dataclass(frozen=True)
class Leave:
    """Whether the large tier may be asked, by what, and why or why not in a sentence; ``grant`` is the id of one."""

    by: By
    said: str
    grant: str = ""
    most_micro: int = 0


def shown(lower: Sequence[Letter], upper: Sequence[Letter], name: str, currency: str) -> tuple[bool, str]:
    """Whether letters of the large tier are worth more than those of the tier below (called ``name``), and why.

    Better is what is better with 95 % certainty: the lower end of Wilson's interval is above the other's share. More
    letters that go as they are is worth as such; less editing is, as far as it costs no more than ``SPARED`` each.
    """
    if min(len(lower), len(upper)) < FEWEST:
        return (
            False,
            f"{len(upper)} letters of it and {len(lower)} of {name} were decided; {FEWEST} of each are needed.",
        )
    for what, most in (("go as they are", 0), ("need little change", LIGHT)):
        less, more = (sum(far <= most for far, _ in rows) for rows in (lower, upper))
        share, bound = less / len(lower), wilson_lower(more, len(upper))
        told = f"{more} of {len(upper)} {what}, against {less} of {len(lower)} with {name}"
        if bound <= share:
            continue
        if not most:
            return True, f"{told}: better with 95 % certainty."
        dearer = sum(cost for _, cost in upper) / len(upper) - sum(cost for _, cost in lower) / len(lower)
        each = int(max(0.0, dearer) / (more / len(upper) - share))
        price = amount("money", each, currency)
        if each <= SPARED:
            return True, f"{told}: better with 95 % certainty, at {price} for each that it spares."
        return False, f"{told}, but each that it spares costs {price}; {amount('money', SPARED, currency)} is the most."
    return False, f"They go out no better than with {name}, as far as {len(upper)} letters can say."


def by_tier(conn: Connection, now: str) -> dict[str, dict[int, list[Letter]]]:
    """The letters decided in 90 days: {kind of message: {tier: letters}}; 0 is a template."""
    found: dict[str, dict[int, list[Letter]]] = {}
    for row in worth.drafts(conn, "mail.send", later(now, -DAYS)):
        evidence = row["evidence"] or {}
        tier = 0 if evidence.get("template") else row["tier"]
        far = 1000 if row["state"] in ("rejected", "withdrawn") else int(row["distance"] or 0)
        sort = str(evidence.get("kind") or "")
        found.setdefault(sort, {}).setdefault(tier, []).append((far, row["cost_micro"]))
    return found


def worth_of(tiers: Mapping[int, Sequence[Letter]], currency: str) -> tuple[bool, str]:
    """The same for the letters of one kind: beside the next tier below that has enough, else that has most."""
    below = {tier: rows for tier, rows in tiers.items() if tier < TIER}
    enough = [tier for tier, rows in below.items() if len(rows) >= FEWEST]
    beside = max(enough) if enough else max(below, key=lambda tier: len(below[tier]), default=0)
    return shown(below.get(beside, ()), tiers.get(TIER, ()), TIERS[beside], currency)


def lines(conn: Connection, now: str, currency: str) -> list[str]:
    """For each kind of letter that the large tier wrote any of: whether it may be asked by its worth, and why."""
    found = []
    for sort, tiers in sorted(by_tier(conn, now).items()):
        if TIER in tiers:
            may, why = worth_of(tiers, currency)
            start = "it may be asked, and the rules decide" if may else "its letters wait for your word"
            found.append(f"{(sort or 'other').capitalize()}: {start}. {why}")
    return found


def cap_of(grant: str, most: int, currency: str) -> Cap:
    """What a grant allows altogether, as a cap of the ledger with a row of sums of its own."""
    return Cap("run", f"{SUBJECT}/{grant}", "total", "money", most, currency, alerts=(), source="your grant")


def _micro(minor: int, currency: str) -> int:
    """Minor units of a currency in millionths."""
    return int(minor) * int(10 ** (6 - digits(currency)))


class Large:
    """Looks at the figures, the grants and the ledger of one home."""

    def __init__(self, store: Store, currency: str) -> None:
        """``currency`` is that of the books."""
        self._store, self._currency = store, currency

    async def look(self, run: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Leave for one question ({by, said, grant, most_micro}; ``by`` "" for none), with a card that offers some."""
        work = Work(**asked)
        found = await self._store.read(lambda conn: self.leave(conn, work))
        if not found.by:
            await self._store.write(lambda tx: self._offer(tx, run, work, found.said))
        return dict(vars(found))

    def leave(self, conn: Connection, work: Work) -> Leave:
        """By worth, else by a grant, else because its result is held; else none."""
        now, why = iso(self._store.clock()), "No worth of it is measured for such work."
        if work.skill == LETTERS:
            may, why = worth_of(by_tier(conn, now).get(work.sort, {}), self._currency)
            if may:
                return Leave("worth", f"The large model may write {work.sort or 'such'} letters: {why}")
        for row in grants.applying(conn, connector=CONNECTOR, operation=OPERATION, agent=work.agent, now=now):
            most = _micro(row["limit_minor"], self._currency)
            if not most or row["currency"] != self._currency:
                continue
            key = ("run", cap_of(row["id"], most, self._currency).subject, "")
            sums = spent.read(conn, [key]).get(key)
            used = sums.spent_micro + sums.held_micro if sums else 0
            if used + work.micro <= most:
                said = f"You allowed it until {row['until'][:10]}: {row['title']}."
                return Leave("grant", said, str(row["id"]), most)
            why = f'What the grant "{row["title"]}" allows is used up. {why}'
        if work.held:
            return Leave("held", f"The large model was asked because the letter waits for your word. {why}")
        said = f"The large model was not asked for {work.skill.replace('_', ' ')}: its worth is not shown, nothing of "
        return Leave("", f"{said}it waits for your word, and you allowed no trial. {why} A smaller one does it.")

    def _offer(self, tx: Tx, run: str, work: Work, why: str) -> None:
        """One card for each kind of work, ever: a trial with an end and a cap."""
        most = amount("money", _micro(OFFER_MINOR, self._currency), self._currency)
        options = [
            {
                "name": "allow",
                "label": f"Allow {OFFER_DAYS} days, {most}",
                "consequence": f"{work.agent} may ask the large model until then, for {most} at the most.",
            },
            {
                "name": "no",
                "label": "Stay with the smaller",
                "consequence": "Nothing changes, and you are not asked again.",
            },
        ]
        tasks.open_card(
            tx,
            derived("large", f"{work.agent}|{work.skill}|{work.sort}"),
            "grant",
            f"Try the large model for {work.agent}?",
            subject=work.agent,
            subject_kind=SUBJECT,
            run=run,
            why=why,
            detail={"agent": work.agent, "skill": work.skill, "sort": work.sort, "model": work.model},
            options=options,
            estimate=20,
            judgement=1,
            deadline=later(tx.now, 14 * 86400),
            at_expiry="A smaller model goes on doing it.",
        )

    def answer(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Carry out an option of that card."""
        tasks.close(tx, card["id"], "done", {"option": option, "reason": ""}, actor=who)
        if option != "allow":
            return {"state": "kept"}
        given: dict[str, Any] = {
            "connector": CONNECTOR,
            "operation": OPERATION,
            "agent": str(card["subject"]),
            "who": who,
        }
        given |= {"title": f"The large model for {card['subject']}", "until": later(tx.now, OFFER_DAYS * 86400)}
        given |= {"limit_minor": OFFER_MINOR, "currency": self._currency, "source": "card"}
        return {"state": "allowed", "grant": grants.insert(tx, given)}
