"""Gates: what no rule can let go without an explicit grant; code, not configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.stages.policy.facts import Facts

GATES: Mapping[str, str] = {
    "money": "money moves",
    "irreversible": "it cannot be taken back",
    "new recipient": "somebody who was never written to receives it",
    "bulk": "it reaches many at once",
    "newsletter": "it goes to a list or to the public",
    "client contact": "it is a message to somebody other than you",
    "unsure": "the draft leaves a question open",
    "distrusted": "your decisions say that what wrote it is wrong too often",
    "new skill": "your decisions do not prove yet what wrote it",
    "identity": "it changes who somebody is, how they are reached or how they are paid",
    "own words": "it overwrites what you entered yourself",
}
"""Every gate with the words that say why it asks; "unsure" is low confidence, the last two are of record changes."""

SHUT: Mapping[str, str] = {
    "outside words": "words from outside name what it does or whom it reaches",
    "large model": "a large model wrote it that has not shown its worth on such letters",
}
"""Gates that nothing but a person's word on this one proposal opens: no rule, no grant, no earned autonomy."""

NEVER_EARNED = frozenset({"money", "irreversible"})
"""Gates that no straight row of approvals opens; only the operator's own explicit grant does."""

NEW_SKILL = "new skill"
"""The gate of what nobody has judged yet: it opens by enough right decisions, or by a grant that names it."""

BULK = 5
"""More recipients, or proposals in one bundle, than this are bulk unless soloist.toml says otherwise."""

GUARDED = frozenset(
    "account address addresses bank bank_account bic birthday card city country domain email emails iban identifiers "
    "legal_name payment payment_terms phone phones postcode registration routing sort_code street swift tax tax_id "
    "tax_number vat vat_id zip".split()
)
"""Fields of records by which somebody is known, reached or paid: mail that changes them is how fraud begins."""

_OTHERS = ("client", "list", "public")


def tripped(facts: Facts, bulk: int = BULK) -> tuple[str, ...]:
    """The gates a proposal trips, in the order of ``GATES``.

    What can be taken back exactly, moves no money and leaves no question open trips none, unless it is declared for a
    list or the public.
    """
    shut = (*(("outside words",) if facts.doubts else ()), *(("large model",) if facts.unshown else ()))
    if facts.kind == "change":
        return _of_change(facts) + shut
    found = {"money"} if _money(facts) else set()
    if facts.audience in ("list", "public") or _list_headers(facts.payload):
        found.add("newsletter")
    if facts.unsure:
        found.add("unsure")
    if facts.distrusted and not facts.to_operator:
        found.add("distrusted")
    if facts.unproved and not facts.to_operator:
        found.add(NEW_SKILL)
    if facts.undo != "exact":
        found |= _of_effect(facts, bulk)
    return tuple(name for name in GATES if name in found) + shut


def because(gates: Sequence[str]) -> str:
    """Why these gates ask, as the middle of a sentence."""
    words = [GATES.get(name) or SHUT[name] for name in gates]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _of_change(facts: Facts) -> tuple[str, ...]:
    """A record change asks where somebody's identity or the operator's own words are at stake."""
    found = []
    if any(guarded(name) for name in facts.fields):
        found.append("identity")
    if facts.own_fields:
        found.append("own words")
    return tuple(found)


def guarded(field: str) -> bool:
    """Whether a field of a record is about identity or payment, also as a part of a dotted or longer name."""
    name = field.casefold().replace("-", "_").replace(".", "_").replace(" ", "_")
    return name in GUARDED or any(part in GUARDED for part in name.split("_"))


def _money(facts: Facts) -> bool:
    """Whether money moves, or an amount is named that nobody can read."""
    return facts.risk == "financial" or facts.amount_minor != 0 or facts.odd_amount


def _of_effect(facts: Facts, bulk: int) -> set[str]:
    """The gates of what cannot be taken back exactly."""
    found = set()
    outside = not facts.to_operator and (
        facts.audience in _OTHERS or bool(facts.recipients) or (facts.message and facts.audience == "")
    )
    if facts.undo in ("none", "apology") and not facts.message:
        found.add("irreversible")
    if outside:
        found.add("client contact")
    if outside and facts.recipients and facts.new_recipient:
        found.add("new recipient")
    if len(facts.recipients) > bulk or facts.bundle_size > bulk:
        found.add("bulk")
    return found


def _list_headers(payload: Mapping[str, Any]) -> bool:
    """Whether a message carries the headers of a list."""
    headers = payload.get("headers")
    named = headers if isinstance(headers, Mapping) else payload
    return any(str(name).casefold().replace("_", "-").startswith("list-") for name in named)
