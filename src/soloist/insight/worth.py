"""Worth: the month as it will come out, what each outcome cost in calls of models, and what could be spared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from soloist.engine.store import model_calls, worth
from soloist.engine.store.clock import later
from soloist.engine.store.reading import Connection
from soloist.kernel.model import TIERS
from soloist.stages.spend import Forecast, amount

DAY = 86_400.0
GREW = 1.5
"""How much longer prompts of a skill must be than in the two weeks before to be told."""
ENOUGH = 10
"""Letters of like kinds that each of two tiers must have before they are compared."""
FEW = 5
"""Calls below which nothing is said of a skill's prompts."""


@dataclass(frozen=True)
class Outcome:
    """What one kind of outcome cost: how many there were in 30 days, millionths altogether and for each."""

    name: str
    many: int
    cost_micro: int

    @property
    def each(self) -> int:
        """Millionths for one; all of them while there is none."""
        return self.cost_micro // self.many if self.many else self.cost_micro


@dataclass(frozen=True)
class Waste:
    """Something that cost and need not: what it was, what it came to in 30 days, and what to do."""

    what: str
    cost_micro: int
    do: str


@dataclass(frozen=True)
class TierWorth:
    """What letters of one tier were worth in 90 days: ``as_was`` of ``many`` went as they were, ``far`` percent of a
    text were changed (a rejected one counts 100), millionths for each, and what the tier is worth in a sentence.
    """

    tier: int
    name: str
    many: int
    as_was: int
    far: float
    each: int
    said: str = ""


def tiers(conn: Connection, now: str) -> list[TierWorth]:
    """Letters that were decided, by who wrote them, each compared with the next tier below on kinds both wrote."""
    by: dict[int, dict[str, list[tuple[int, int]]]] = {}
    for row in worth.drafts(conn, "mail.send", later(now, -90 * DAY)):
        evidence = row["evidence"] or {}
        tier = 0 if evidence.get("template") else row["tier"]
        far = 1000 if row["state"] in ("rejected", "withdrawn") else int(row["distance"] or 0)
        sort = str(evidence.get("kind") or "")
        by.setdefault(tier, {}).setdefault(sort, []).append((far, row["cost_micro"]))
    found: list[TierWorth] = []
    for tier in sorted(by):
        said = _compared(by[found[-1].tier], by[tier], TIERS[found[-1].tier]) if found else ""
        whole = [one for part in by[tier].values() for one in part]
        found.append(replace(_tier(tier, whole), said=said))
    return found


def _tier(tier: int, rows: Sequence[tuple[int, int]]) -> TierWorth:
    """The figures of some letters (thousandths changed, millionths)."""
    far = sum(one for one, _ in rows) / len(rows) / 10
    as_was = sum(not one for one, _ in rows)
    return TierWorth(tier, TIERS[tier], len(rows), as_was, round(far, 1), sum(cost for _, cost in rows) // len(rows))


def _compared(lower: Mapping[str, list[tuple[int, int]]], upper: Mapping[str, list[tuple[int, int]]], name: str) -> str:
    """What the upper tier is worth beside the lower one, by letters of the kinds both wrote."""
    alike = [sort for sort in upper if sort in lower]
    less, more = (_tier(0, rows) if (rows := [one for sort in alike for one in side[sort]]) else None
                  for side in (lower, upper))  # fmt: skip
    if less is None or more is None or min(less.many, more.many) < ENOUGH:
        return f"Too few letters of the same kind by {name} to say what it is worth; {ENOUGH} of each are needed."
    gain = less.far - more.far
    went = more.as_was * 100 // more.many - less.as_was * 100 // less.many
    told = f"{abs(gain):.0f} % of a text {'less' if gain >= 0 else 'more'} to change than with {name}"
    told = f"{told}, {abs(went)} of a hundred {'more' if went >= 0 else 'fewer'} go as they are"
    if gain > 0 or went > 0:
        return f"On the same kinds of letters: {told}."
    return (
        f"On the same kinds of letters: {told}. It shows no worth; a smaller tier in the agent's contract does as well."
    )


def outcomes(conn: Connection, now: str) -> list[Outcome]:
    """Accepted replies, enquiries and paid invoices of 30 days, with what models cost on the way to them.

    What was rejected is carried by what was accepted.
    """
    since = later(now, -30 * DAY)
    proposed, asked = worth.of_proposals(conn, since), worth.cost_of(conn, "flow", ("intake", "reply"), since)
    accepted = sum(proposed.get(state, (0, 0))[0] for state in worth.ACCEPTED)
    found = [
        Outcome("accepted reply", accepted, sum(cost for _, cost in proposed.values())),
        Outcome("enquiry", worth.records_in(conn, "lead", (), since), asked),
        Outcome("paid invoice", worth.records_in(conn, "invoice", ("paid",), since),
                worth.cost_of(conn, "agent", ("billing",), since)),
    ]  # fmt: skip
    return [one for one in found if one.many or one.cost_micro]


def waste(conn: Connection, now: str) -> list[Waste]:
    """What could be spared, the dearest first."""
    since, middle = later(now, -30 * DAY), later(now, -15 * DAY)
    found = [
        Waste(
            f"{row['agent'] or row['skill'] or 'Somebody'} asked the same {row['paid']} times and paid each time",
            int(row["cost_micro"]) * (row["paid"] - 1) // row["paid"],
            "The recording answers for nothing; whoever asks afresh on purpose should not.",
        )
        for row in model_calls.repeated(conn, since)
        if row["paid"] > 1
    ]
    found += [
        Waste(
            f"{row['calls']} answers of {row['provider']} for {row['skill'] or 'questions'} could not be used "
            f"({row['fault'].replace('_', ' ')})",
            row["cost_micro"],
            f"Try another model on your own cases: soloist models try {row['provider']}",
        )
        for row in worth.fruitless(conn, since)
    ]
    proposed = worth.of_proposals(conn, since)
    many, cost = (sum(proposed.get(state, (0, 0))[n] for state in worth.IN_VAIN) for n in (0, 1))
    if many:
        do = "Say once what was wrong, as a standing rule, or leave such messages to the templates."
        found.append(Waste(f"{many} prepared letters were never used", cost, do))
    found += _grown(worth.lengths(conn, since, middle), worth.lengths(conn, middle, now))
    return sorted((one for one in found if one.cost_micro), key=lambda one: -one.cost_micro)


def _grown(before: Mapping[str, tuple[int, int, int]], lately: Mapping[str, tuple[int, int, int]]) -> Sequence[Waste]:
    """Skills whose questions have become longer."""
    found = []
    for skill, (many, tokens, cost) in lately.items():
        old = before.get(skill, (0, 0, 0))
        if min(many, old[0]) >= FEW and tokens > GREW * old[1]:
            said = f"Questions of {skill} grew from {old[1]} to {tokens} tokens"
            do = "Look at what it is given: rules, examples and remembered things add up."
            found.append(Waste(said, cost * (tokens - old[1]) // tokens, do))
    return found


def month_said(seen: Forecast, currency: str) -> str:
    """The forecast in a sentence."""
    likely, low, high = (amount("money", micro, currency) for micro in (seen.likely, seen.low, seen.high))
    if not seen.days:
        return "Nothing was spent on any day before today, so nothing can be said of the month yet."
    span = f"between {low} and {high}" if seen.low < seen.high else f"about {likely}"
    few = f"; only {seen.days} days are known, so this is a guess" if seen.days < seen.enough else ""
    return f"about {likely}, {span}{few}" if seen.low < seen.high else f"{span}{few}"
