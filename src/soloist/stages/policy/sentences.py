"""Sentences: rules and grants as fixed plain words that fit one proposal; each has CEL or a grant as its file form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from soloist.config import Rule
from soloist.kernel.errors import BadInput
from soloist.kernel.money import digits, plain
from soloist.stages.policy.facts import Facts
from soloist.stages.policy.gates import tripped

_AMOUNT = re.compile(r"\s*(\d[\d.,' ]*)\s*([A-Za-z]{3})?\s*\Z")
DAYS = 90
"""How long a grant is proposed for, in days."""

Kind = Literal["amount", "day", "address", "number", "hour"]


@dataclass(frozen=True)
class Blank:
    """A place in a sentence that the operator fills in, with what is proposed for it."""

    name: str
    kind: Kind
    value: str
    label: str


@dataclass(frozen=True)
class Sentence:
    """One sentence that can be said about a proposal; ``words`` has its blanks in braces."""

    name: str
    words: str
    does: Literal["ask", "deny", "allow", "grant"]
    consequence: str
    blanks: tuple[Blank, ...] = ()

    def filled(self, given: Mapping[str, str]) -> str:
        """The words with what was typed, or what is proposed, in their blanks; nothing is checked."""
        return self.words.format(**{blank.name: given.get(blank.name) or blank.value for blank in self.blanks})


@dataclass(frozen=True)
class Said:
    """A sentence with its blanks filled in: the rule or the grant it stands for."""

    words: str
    rule: Rule | None = None
    grant: Mapping[str, Any] | None = None


def fitting(facts: Facts, today: date, bulk: int) -> list[Sentence]:
    """The sentences that can be said about a proposal, the careful ones first.

    One that holds what only words from outside name is offered no leave: it would not let it go, and the next who
    writes such words would find the door open.
    """
    found = [_always()]
    if facts.amount_minor:
        found.append(_above(facts))
    if facts.recipients:
        found += _about_people(facts.recipients[0])
    found.append(_hours())
    return found if facts.doubts else found + _leave(facts, today, bulk)


def _always() -> Sentence:
    return Sentence("always", "Always ask me before these.", "ask", "No grant lets one of these go alone any more.")


def _above(facts: Facts) -> Sentence:
    blank = Blank("amount", "amount", money(facts.amount_minor, facts.currency), "Amount")
    return Sentence("above", "Always ask me above {amount}.", "ask", "Also where a grant would let it go.", (blank,))


def _about_people(first: str) -> list[Sentence]:
    who = (Blank("to", "address", first, "Address"),)
    never = "Proposals to them are refused, and nobody is asked."
    return [
        Sentence("always_to", "Always ask me before anything goes to {to}.", "ask", "Whatever else allows it.", who),
        Sentence("never_to", "Never let anything go to {to}.", "deny", never, who),
    ]


def _hours() -> Sentence:
    blanks = (Blank("begin", "hour", "20", "From"), Blank("end", "hour", "7", "To"))
    words = "Always ask me between {begin} and {end} o'clock."
    return Sentence("hours", words, "ask", "These wait for you at that time of the day.", blanks)


def _leave(facts: Facts, today: date, bulk: int) -> list[Sentence]:
    """Leave to go alone: a rule where nothing is at stake, else a grant that names what it opens, and for how long."""
    gates = tripped(facts, bulk)
    if not gates and facts.undo == "exact":
        words = "Let these go alone; each can be taken back for {minutes} minutes."
        blank = Blank("minutes", "number", "10", "Minutes")
        return [Sentence("alone", words, "allow", "They are logged, and what is unusual is flagged.", (blank,))]
    opens = (
        f"It opens: {', '.join(gates)}. You can revoke it at any time." if gates else "You can revoke it at any time."
    )
    until = Blank("until", "day", (today + timedelta(days=DAYS)).isoformat(), "Last day")
    if "money" in gates:
        most = Blank("amount", "amount", money(facts.amount_minor, facts.currency), "At most")
        day = Blank("per_day", "number", "3", "A day")
        words = "Let these go up to {amount} each, {per_day} a day, until {until}."
        return [Sentence("until_money", words, "grant", opens, (most, day, until))] if facts.amount_minor else []
    found = [Sentence("until", "Let these go until {until}.", "grant", opens, (until,))]
    if facts.recipients:
        to = Blank("to", "address", facts.recipients[0], "Address")
        found.append(Sentence("until_to", "Let these go to {to} until {until}.", "grant", opens, (to, until)))
    day = Blank("per_day", "number", "5", "A day")
    return [
        *found,
        Sentence("until_day", "Let {per_day} of these a day go until {until}.", "grant", opens, (day, until)),
    ]


def say(name: str, given: Mapping[str, str], facts: Facts, today: date, bulk: int) -> Said:
    """The rule or grant of a sentence with its blanks filled in (BadInput names the blank)."""
    known = {sentence.name: sentence for sentence in fitting(facts, today, bulk)}
    if name not in known:
        raise BadInput(f"sentence: one of {', '.join(known)}.", field="sentence")
    sentence = known[name]
    values = {blank.name: _filled(blank, given.get(blank.name, ""), today) for blank in sentence.blanks}
    words = sentence.words.format(**{key: _shown(value) for key, value in values.items()})
    if sentence.does == "grant":
        return Said(words, grant=_grant(words, values, facts, tripped(facts, bulk)))
    return Said(words, rule=_rule(sentence, words, values, facts))


def _rule(sentence: Sentence, words: str, values: Mapping[str, Any], facts: Facts) -> Rule:
    """The rule of a sentence."""
    kind = f"proposal.connector == {_quoted(facts.connector)} && proposal.operation == {_quoted(facts.operation)}"
    parts = {"always": kind, "alone": kind}
    if "amount" in values:
        minor, currency = values["amount"]
        parts["above"] = f"{kind} && (proposal.amount_minor > {minor} || proposal.currency != {_quoted(currency)})"
    if "to" in values:
        parts["always_to"] = parts["never_to"] = also_to(values["to"])
    if "begin" in values:
        joined = "&&" if values["begin"] < values["end"] else "||"
        parts["hours"] = f"{kind} && (now.hour >= {values['begin']} {joined} now.hour < {values['end']})"
    about = "" if "to" in values else f" ({facts.connector}: {facts.operation})"
    more: dict[str, Any] = {"mode": "revert", "window": f"{values['minutes']}m"} if "minutes" in values else {}
    then = "allow" if sentence.does == "allow" else sentence.does
    return Rule.model_validate(
        {"name": f"{words.rstrip('.')}{about}", "when": parts[sentence.name], "then": then, **more}
    )


def _grant(words: str, values: Mapping[str, Any], facts: Facts, gates: Sequence[str]) -> dict[str, Any]:
    """The grant of a sentence; it opens exactly the gates that this proposal trips."""
    minor, currency = values.get("amount", (0, ""))
    who = f" ({facts.agent})" if facts.agent else ""
    return {
        "title": f"{words.rstrip('.')}: {facts.connector}, {facts.operation}{who}",
        "connector": facts.connector,
        "operation": facts.operation,
        "agent": facts.agent,
        "gates": list(gates),
        "when": _to(values["to"]) if "to" in values else "",
        "limit_minor": minor,
        "currency": currency,
        "per_day": int(values.get("per_day", 0)),
        "until": f"{values['until']}T23:59:59+00:00",
        "source": "card",
    }


def also_to(address: str) -> str:
    """Whether an address is among the recipients, as CEL; "@example.com" is everybody of a domain."""
    if address.startswith("@"):
        return f"{_quoted(address[1:].casefold())} in proposal.domains"
    return f"proposal.recipients.exists(one, one.matches({_quoted(_exactly(address))}))"


def _exactly(address: str) -> str:
    """An address in any spelling of its letters, as a pattern."""
    return f"(?i)^{re.escape(address)}$"


def _to(address: str) -> str:
    """Whether an address is the only recipient, as CEL; "@example.com" is everybody of a domain."""
    if address.startswith("@"):
        return f"proposal.domains == [{_quoted(address[1:].casefold())}]"
    return f"proposal.recipients.size() > 0 && proposal.recipients.all(one, one.matches({_quoted(_exactly(address))}))"


def _quoted(text: str) -> str:
    """A text as a CEL literal."""
    return json.dumps(text, ensure_ascii=False)


def _shown(value: Any) -> str:
    return money(*value) if isinstance(value, tuple) else str(value)


def money(minor: int, currency: str) -> str:
    """An amount as it is typed: "1,250.00 EUR"."""
    return f"{plain(minor, currency, grouped=True)} {currency}".strip()


def _filled(blank: Blank, text: str, today: date) -> Any:
    """What the operator typed, checked: (minor units, currency), an ISO day, an address or a whole number."""
    text = (text or blank.value).strip()
    if blank.kind == "amount":
        return _amount(blank, text)
    if blank.kind == "day":
        return _day(blank, text, today)
    if blank.kind == "address":
        if "@" not in text or any(c.isspace() or not c.isprintable() for c in text) or len(text) > 254:
            raise BadInput(f"{blank.name}: an address, or @example.com for everybody there.", field=blank.name)
        return text
    most = 23 if blank.kind == "hour" else 1000
    least = 0 if blank.kind == "hour" else 1
    if not text.isdecimal() or not least <= int(text) <= most:
        raise BadInput(f"{blank.name}: a whole number from {least} to {most}.", field=blank.name)
    return int(text)


def _amount(blank: Blank, text: str) -> tuple[int, str]:
    return amount_of(blank.name, text, blank.value[-3:] if blank.value[-3:].isalpha() else "")


def amount_of(name: str, text: str, usual: str) -> tuple[int, str]:
    """An amount as it was typed ("500 EUR", "1.250,50"), in minor units and currency (BadInput names the field)."""
    match = _AMOUNT.match(text)
    typed = re.sub(r"[' ]", "", match[1]) if match else ""
    currency = ((match[2] if match else "") or usual).upper()
    try:
        dots_are_decimals = digits(currency) > 2  # "2.500" are two and a half dinars, as we write them ourselves
        value = Decimal(typed.replace(",", "") if dots_are_decimals else _english(typed)).scaleb(digits(currency))
        minor = int(value)
    except (InvalidOperation, ValueError) as error:
        raise BadInput(f"{name}: an amount like 500 EUR.", field=name) from error
    if value != minor or minor <= 0 or not currency:
        raise BadInput(f"{name}: an amount like 500 EUR.", field=name)
    return minor, currency


def _english(number: str) -> str:
    """A number with a point before its cents and nothing between its thousands."""
    last = max(number.rfind(","), number.rfind("."))
    if last < 0 or (len(number) - last - 1 == 3 and number[0] != "0"):
        return number.replace(",", "").replace(".", "")
    return re.sub("[.,]", "", number[:last]) + "." + number[last + 1 :]


def _day(blank: Blank, text: str, today: date) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{blank.name}: a day like {today.isoformat()}.", field=blank.name) from error
    if not today <= day <= today + timedelta(days=365):
        raise BadInput(f"{blank.name}: from today to a year ahead.", field=blank.name)
    return day.isoformat()
