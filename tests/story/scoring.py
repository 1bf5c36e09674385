"""Scores reading on our own measured set: each message as real bytes, read, judged and qualified as the product does.

Definitions. *Lead recall*: enquiries whose kind is told as "enquiry"; *lead precision*: messages told as "enquiry" that
are one. *Kind right*: the told kind is the labelled one; "other" (no kind of ours fits) is right when it becomes a card
that is no enquiry. *Unwanted cards*: bulk, automatic and spam whose kind is not set aside ("unsure" is a card too).

*Fields*: name, company, phone, budget and each date, micro-averaged over the messages of PERSONAL kinds. What is read
counts once for each distinct value, what is labelled once; they match when they are equal after lower case, single
spaces and dropped titles (Dr., Me). A budget is (low, high, currency) in minor units, a date its ISO day, a phone
E.164. Every value read that is not labelled counts against precision.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from typing import Any

from soloist import config
from soloist.cli import sample
from soloist.engine import registry
from soloist.engine.local import serve
from soloist.kernel.message import ParsedMail, Qualified, Understanding
from soloist.plugins.skills.qualify import qualify
from soloist.plugins.skills.read_mail import read_mail
from soloist.plugins.skills.understand import understand
from soloist.stages.runtime import decide, kinds

FOLDER = Path(__file__).parent / "messages"
NOW = "2026-11-20T09:30:00+01:00"
LANGUAGES = ("en", "de", "fr", "es")
KINDS = ("enquiry", "client", "support", "billing", "scheduling", "bulk", "automatic", "spam", "other")
PERSONAL = frozenset({"enquiry", "client", "support", "billing", "scheduling", "other"})
FIELDS = ("name", "company", "phone", "budget", "dates")
STUDIO = config.read(sample.HERE / "soloist.toml")


@dataclass(frozen=True)
class Case:
    """One labelled message of the set."""

    id: str
    lang: str
    kind: str
    split: str
    subject: str
    text: str
    from_name: str
    from_address: str
    headers: dict[str, str]
    known: bool = False
    reply: bool = False
    fields: dict[str, Any] = field(default_factory=dict)
    criteria: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What was told about one message, and the processor time of telling it."""

    case: Case
    told: Understanding
    answers: list[Qualified]
    milliseconds: float


def judge(given: dict[str, Any]) -> Understanding:
    """The understanding that the product acts on, from the input of the skill ``understand``: rules, then the model."""
    found = Understanding.model_validate(understand.call(given))
    facts = kinds.Facts(known=given["known_client"], thread=given["thread_known"])
    if kinds.exact(found.kind, found.kind_rule, facts):
        return found
    told = local().classify(serve.Message.model_validate(decide.classify_input(given, found, "")))
    choice = kinds.choose(found.kind, found.kind_rule, told.model_dump(), facts)
    return found.model_copy(update={"kind": choice.kind, "kind_rule": choice.rule})


@cache
def local() -> serve.Local:
    """The local model as the worker process has it."""
    return serve.Local(registry.load())


@cache
def cases() -> tuple[Case, ...]:
    """The whole set in the order of its files."""
    lines = [line for lang in LANGUAGES for line in (FOLDER / f"{lang}.jsonl").read_text("utf-8").splitlines()]
    return tuple(Case(**json.loads(line)) for line in lines)


@cache
def results() -> tuple[Result, ...]:
    """Every message read once; the first one twice, so that loading counts for none."""
    read(cases()[0])
    return tuple(read(case) for case in cases())


def raw(case: Case) -> bytes:
    """The message as it would arrive, with CRLF line ends."""
    mail = EmailMessage(policy=SMTP)
    mail["Message-ID"] = f"<{case.id}@{case.from_address.partition('@')[2]}>"
    mail["Date"] = "Fri, 20 Nov 2026 09:30:00 +0100"
    mail["From"] = f'"{case.from_name}" <{case.from_address}>' if case.from_name else case.from_address
    mail["To"] = f"{STUDIO.business.owner} <{STUDIO.business.email}>"
    mail["Subject"] = case.subject
    if case.reply:
        mail["In-Reply-To"] = mail["References"] = "<one-of-ours@studio-linde.example>"
    for name, value in case.headers.items():
        mail[name] = value
    mail.set_content(case.text)
    return mail.as_bytes()


def read(case: Case) -> Result:
    """The way of one message through the product's own steps."""
    data, wanted = raw(case), decide.criteria(STUDIO.qualification)
    started = time.process_time()
    mail = ParsedMail.model_validate(read_mail.call({}, data))
    message = {
        **mail.model_dump(include={"subject", "text", "automatic", "attachments"}),
        "sender_name": mail.sender.name if mail.sender else "",
        "sender": mail.sender.address if mail.sender else "",
        "at": NOW,
    }
    told = judge(decide.understand_input(message, STUDIO, known=case.known, thread=case.reply))
    answers = []
    if "enquiry" in (case.kind, told.kind):
        given = {"text": told.own_text, "understanding": told.model_dump(), "now": NOW}
        given |= {"criteria": [item.model_dump() for item in wanted], "timezone": STUDIO.business.timezone}
        answers = [Qualified.model_validate(item) for item in qualify.call(given)["answers"]]
    return Result(case, told, answers, (time.process_time() - started) * 1000)


def kind_right(result: Result) -> bool:
    """Whether the kind told is the one labelled, or a card that is no enquiry for "other"."""
    if result.case.kind == "other":
        return is_card(result) and result.told.kind != "enquiry"
    return result.told.kind == result.case.kind


def is_card(result: Result) -> bool:
    """Whether the operator would see a card."""
    return result.told.kind not in decide.SET_ASIDE


def plain(text: str) -> str:
    """Lower case, single spaces, no title."""
    return re.sub(r"\A(?:dr\.|prof\.|me) ", "", " ".join(text.lower().split()))


def labelled(case: Case) -> Counter[tuple[str, Any]]:
    """The fields that stand in the message, as (field, value)."""
    given, found = case.fields, Counter[tuple[str, Any]]()
    found.update((name, plain(given[name])) for name in ("name", "company") if name in given)
    found.update(("phone", value) for value in [given.get("phone")] if value)
    found.update(("budget", (v["low"], v["high"], v["currency"])) for v in [given.get("budget")] if v)
    found.update(("dates", day) for day in given.get("dates", []))
    return found


def told_fields(told: Understanding) -> Counter[tuple[str, Any]]:
    """The fields that were read, as (field, value), each distinct value once."""
    contact = told.contact
    found = {("name", plain(contact.name)), ("company", plain(contact.company))} - {("name", ""), ("company", "")}
    found |= {("phone", phone.e164) for phone in contact.phones}
    found |= {("budget", (b.low.minor, b.high.minor, b.low.currency)) for b in told.budgets}
    found |= {("dates", mention.day) for mention in told.dates}
    return Counter(found)


@dataclass(frozen=True)
class Score:
    """Figures of some messages; shares are between 0 and 1, and 1 where there is nothing to count."""

    messages: int
    lead_recall: float
    lead_precision: float
    kind_accuracy: float
    unwanted_cards: float
    unsure: int
    field_precision: float
    field_recall: float
    field_f1: float
    by_field: dict[str, float]
    without_words: int
    criteria_accuracy: float
    milliseconds: float
    longest: float


def score(found: Iterable[Result]) -> Score:
    """All figures of the results given."""
    rows = list(found)
    leads = [row for row in rows if row.case.kind == "enquiry"]
    called = [row for row in rows if row.told.kind == "enquiry"]
    unwanted = [row for row in rows if row.case.kind in decide.SET_ASIDE]
    marks = [item for row in leads for item in marked(row)]
    precision, recall, f1 = field_score(rows)
    times = [row.milliseconds for row in rows]
    return Score(
        messages=len(rows),
        lead_recall=share(row.told.kind == "enquiry" for row in leads),
        lead_precision=share(row.case.kind == "enquiry" for row in called),
        kind_accuracy=share(map(kind_right, rows)),
        unwanted_cards=1 - share(not is_card(row) for row in unwanted),
        unsure=sum(row.told.kind == "unsure" for row in rows),
        field_precision=precision,
        field_recall=recall,
        field_f1=f1,
        by_field={name: field_score(rows, name)[2] for name in FIELDS},
        without_words=sum(baseless(row, answer) for row in rows for answer in row.answers),
        criteria_accuracy=share(given == wanted for _, given, wanted in marks),
        milliseconds=sum(times) / len(times),
        longest=max(times),
    )


def field_score(rows: Sequence[Result], only: str = "") -> tuple[float, float, float]:
    """(precision, recall, F1) over the fields of personal messages, of one field when ``only`` is given."""
    right = said = wanted = 0
    for row in rows:
        if row.case.kind not in PERSONAL:
            continue
        gold, told = (
            Counter({key: n for key, n in part.items() if only in ("", key[0])})
            for part in (labelled(row.case), told_fields(row.told))
        )
        right, said, wanted = right + (gold & told).total(), said + told.total(), wanted + gold.total()
    precision, recall = right / said if said else 1.0, right / wanted if wanted else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def marked(row: Result) -> list[tuple[str, str, str]]:
    """(criterion, answer, label) of every labelled criterion."""
    told = {answer.criterion: answer.answer for answer in row.answers}
    return [(name, told.get(name, "unknown"), wanted) for name, wanted in row.case.criteria.items()]


def baseless(row: Result, answer: Qualified) -> bool:
    """Whether met or not met was said without words that really stand in the message."""
    if answer.answer == "unknown":
        return False
    return not answer.words or any(
        not words.text.strip() or words.text not in row.told.own_text + "\n" + row.told.signature
        for words in answer.words
    )


def share(answers: Iterable[bool]) -> float:
    """The share of yes; 1 of nothing."""
    values = list(answers)
    return sum(values) / len(values) if values else 1.0


def faults(row: Result) -> list[str]:
    """What is wrong about one message, a line each, for people who look into it."""
    case, lines = row.case, []
    if not kind_right(row):
        lines.append(f"{case.id} {case.split} kind: told {row.told.kind} ({row.told.kind_rule}), is {case.kind}")
    if case.kind in PERSONAL:
        gold, told = labelled(case), told_fields(row.told)
        lines += [f"{case.id} {case.split} {key[0]}: missing {key[1]}" for key in gold - told]
        lines += [f"{case.id} {case.split} {key[0]}: wrong {key[1]}" for key in told - gold]
    lines += [
        f"{case.id} {case.split} criterion {name}: told {given}, is {wanted}"
        for name, given, wanted in (marked(row) if case.kind == "enquiry" else [])
        if given != wanted
    ]
    return lines
