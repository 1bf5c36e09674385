"""Reply drafts: every fact in them is a line of the house book, and what the book lacks is asked.

It invents nothing: a question without a matching line becomes a question to the operator. With ``prose`` a model may
write the words around those lines; without an answer that holds, the template stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from soloist.kernel.errors import BadInput
from soloist.kernel.message import Citation, Draft, Frozen, Qualified, Question, Span, Understanding
from soloist.plugins.skills import _reply_prose as prose_of
from soloist.plugins.skills import _reply_templates as templates_of
from soloist.plugins.skills import _reply_topics as topics_of
from soloist.plugins.skills import _reply_words as words_of
from soloist.plugins.skills._housebook import Fact, Tone, fold, parse
from soloist.plugins.skills._reply_topics import Line
from soloist.plugins.skills._tone import form_of
from soloist.sdk import skill
from soloist.sdk.asking import Ask

_MAX_FACTS, _MAX_ASKS, _MAX_QUESTIONS = 4, 3, 5
_NEVER = {"bulk": "a mailing", "automatic": "an automatic message", "spam": "unwanted advertising"}
_ASKS = {"services": "scope", "minimum_budget": "budget", "earliest_start": "start", "regions": "region"}
_MISSES = {"services": "services", "minimum_budget": "budget", "earliest_start": "start", "regions": "region"}
_SPEAKS_OF = {
    "minimum_budget": [{"minimum"}, {"budget"}],
    "earliest_start": [{"start"}, {"availability"}],
    "regions": [{"place"}, {"travel"}],
}
_CRITERION = {
    "services": "what they need",
    "minimum_budget": "the minimum budget",
    "earliest_start": "the start",
    "regions": "the region",
}


class Business(BaseModel):
    """Who answers; further keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = ""
    owner: str = ""
    email: str = ""
    language: str = "en"
    currency: str = "EUR"


class In(Frozen):
    """What a reply is written from. ``templates`` are the operator's own by name ("enquiry.de"), ``earlier`` says that
    there was a conversation before this message, ``now`` is an ISO instant that own templates may show as ``today``.

    With ``prose`` the output carries the question for a model; ``remembered`` is what is known of the sender, as data,
    ``answer`` what a model said to it. ``template`` names the operator's own that an intent leads to."""

    house_book: str
    templates: dict[str, str] = Field(default={})
    understanding: Understanding
    qualification: list[Qualified] = Field(default=[])
    subject: str = ""
    sender_name: str = ""
    business: Business = Business()
    now: str = ""
    earlier: bool = False
    prose: bool = False
    remembered: str = ""
    answer: dict[str, object] | None = None
    template: str = Field(default="", max_length=60)


class Drafted(Draft):
    """A draft; ``ask`` is what a model may be asked for its words, ``faults`` what was wrong with an answer."""

    faults: list[str] = Field(default=[])
    ask: Ask | None = None


class FollowUpIn(Frozen):
    """What a reminder is written from; ``first_sent`` is the ISO instant of our unanswered reply."""

    templates: dict[str, str] = Field(default={})
    language: str = "en"
    sender_name: str = ""
    subject: str = ""
    business: Business = Business()
    first_sent: str = ""
    house_book: str = ""


@skill("draft_reply", version="2")
def draft_reply(value: In) -> Drafted:
    """Write a reply with facts of the house book only; BadInput for mail that is never answered."""
    read = value.understanding
    if read.kind in _NEVER:
        raise BadInput(f"This message is {_NEVER[read.kind]}; such messages get no reply.", field="understanding.kind")
    missed = [q for q in value.qualification if q.answer == "not_met"] if read.kind == "enquiry" else []
    usual = "acknowledgement" if read.kind != "enquiry" else "enquiry_poor" if missed else "enquiry"
    kind = value.template or usual
    language, notes = _language(kind, value)
    book = parse(value.house_book)
    found = _Found(language, value.business.language, topics_of.lines_of(book), _about(value))
    _answer(found, read.questions)
    if missed:
        _cite_conditions(found, missed)
    elif kind == "enquiry":
        _cite_offer(found)
    tone = _tone(book.tone, language, read.own_text)
    values: dict[str, Any] = _frame(tone, language, value.business, value.sender_name, read.contact.name)
    values |= {
        "words": _mirror(value),
        "earlier": value.earlier,
        "asks": _asks(value.qualification) if kind == "enquiry" else [],
        "misses": [_MISSES.get(q.criterion, "") for q in missed],
        "today": words_of.day(value.now, language),
        "subject": words_of.bare_subject(value.subject),
    }
    body, used, rendering = _write(f"{kind}.{language}", value.templates, values, found)
    cited = [fact for fact in used if fact.text in body]
    said = [*notes, *_reasons(missed), *found.notes, *book.faults]
    # A thank-you without an answer, and a refusal, say all there is to say in the operator's own template.
    worth = bool(cited) or (read.kind == "enquiry" and not missed)
    plan = _plan(found, values, missed, [fact for fact in used if fact in cited]) if value.prose and worth else None
    if plan is not None and value.answer is not None:
        return _prose(value, plan, values, (found.questions, said))
    return Drafted(
        subject=words_of.reply_subject(value.subject, language),
        body=body,
        language=language,
        template=f"{kind}.{language}",
        citations=[Citation(line=f.line, text=f.text) for f in cited],
        questions=found.questions,
        notes=[*said, *_language_notes(found, cited), *rendering],
        ask=prose_of.ask(plan, f"{value.subject}\n\n{read.own_text}", value.remembered) if plan else None,
    )


def _plan(
    found: _Found, values: dict[str, Any], missed: Sequence[Qualified], used: Sequence[Fact]
) -> prose_of.Plan | None:
    """What a model would have to say: every line that the template uses, and which others it may."""
    first = {fact.line for fact in used}
    others = [
        line.fact for line in found.lines if line.language in (found.language, "") and line.fact.line not in first
    ]
    return prose_of.Plan(
        language=found.language,
        informal=bool(values["informal"]),
        must=tuple(used),
        may=tuple([*used, *others][: prose_of.MOST_LINES]),
        open=tuple(found.open),
        asks=tuple(values["asks"]),
        missed=tuple(missed),
    )


def _prose(value: In, plan: prose_of.Plan, values: dict[str, Any], kept: tuple[list[Question], list[str]]) -> Drafted:
    """The draft in a model's words, between the operator's own greeting and closing."""
    questions, notes = kept
    found = prose_of.read(plan, value.answer or {}, parse(value.house_book).quotable)
    body = f"{values['greeting']}\n\n{found.text}\n\n{values['closing']}\n{values['signature']}"
    return Drafted(
        subject=words_of.reply_subject(value.subject, plan.language),
        body=templates_of.tidy(body),
        language=plan.language,
        template="",
        citations=list(found.citations),
        questions=questions,
        notes=notes,
        faults=list(found.faults),
    )


@skill("draft_follow_up", version="1")
def draft_follow_up(value: FollowUpIn) -> Draft:
    """Write a short reminder for a reply that nobody answered; it states no facts of the house book."""
    book, notes = parse(value.house_book), []
    language = value.language
    if language not in templates_of.languages("follow_up", value.templates) & words_of.LANGUAGE_NAMES.keys():
        language = _known(value.business.language)
        notes.append(_fallback(value.language, language))
    values: dict[str, Any] = _frame(book.tone, language, value.business, value.sender_name)
    sent = words_of.day(value.first_sent, language)
    if not sent:
        notes.append(f"The day of the first reply is not known ({value.first_sent[:40]!r}), so it is not named.")
    values |= {"topic": words_of.quoted(words_of.bare_subject(value.subject), 100), "sent": sent}
    body, trouble = templates_of.render(f"follow_up.{language}", value.templates, values)
    if len(body.split()) > templates_of.MAX_WORDS:
        body, _ = templates_of.render(f"follow_up.{language}", {}, values)
        trouble.append(_too_long(f"follow_up.{language}"))
    return Draft(
        subject=words_of.reply_subject(value.subject, language),
        body=body,
        language=language,
        template=f"follow_up.{language}",
        notes=[*notes, *trouble],
    )


@dataclass
class _Found:
    """What the house book gives for one message, collected while it is read."""

    language: str
    house: str
    lines: list[Line]
    about: frozenset[str]
    facts: list[Line] = field(default_factory=list)
    answers: list[tuple[str, Line]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Use a line once, whether as a fact or as an answer."""
        if line not in self.facts and all(line != used for _, used in self.answers) and len(self.facts) < _MAX_FACTS:
            self.facts.append(line)

    def ranked(self, lines: Sequence[Line]) -> list[Line]:
        """Lines in the reply's language; without one, those in the business's, else in that of the first."""
        for language in (self.language, self.house, lines[0].language if lines else ""):
            if fitting := [line for line in lines if line.language in (language, "")]:
                return fitting
        return []


def _language(kind: str, value: In) -> tuple[str, list[str]]:
    """The language of the message when there is a template for it, else that of the business."""
    read = value.understanding
    able = templates_of.languages(kind, value.templates) & words_of.LANGUAGE_NAMES.keys()
    if read.language in able:
        sure = read.language_sure
        name = words_of.LANGUAGE_NAMES[read.language]
        return read.language, [] if sure else [f"The message's language is not certain; {name} was assumed."]
    language = _known(value.business.language)
    return language, [_fallback(read.language, language)]


def _known(language: str) -> str:
    return language if language in words_of.LANGUAGE_NAMES else "en"


def _fallback(wanted: str, language: str) -> str:
    name = words_of.LANGUAGE_NAMES[language]
    return f"There is no template for the language {wanted[:20]!r}, so this draft is in {name}."


def _tone(tone: Tone, language: str, message: str) -> Tone:
    """The operator's tone; where the house book leaves the form of address open, the one their message uses."""
    if "" in tone.informal or language in tone.informal or form_of(message, language) != "informal":
        return tone
    return replace(tone, informal={**tone.informal, language: True})


def _frame(tone: Tone, language: str, business: Business, *names: str) -> dict[str, str | bool]:
    """Greeting, closing and signature: the same for every template."""
    signature = dict.fromkeys(part.strip() for part in (business.owner, business.name) if part.strip())
    return {
        "greeting": words_of.greeting(tone, language, words_of.person(*names)),
        "closing": words_of.closing(tone, language),
        "signature": "\n".join(signature),
        "informal": words_of.is_informal(tone, language),
        "business": business.name,
    }


def _service_spans(value: In) -> list[Span]:
    return [w for q in value.qualification if q.criterion == "services" and q.answer == "met" for w in q.words]


def _about(value: In) -> frozenset[str]:
    """The subjects of the message: the services they name, with the operator's synonyms, else what they write."""
    spans = _service_spans(value)
    about = {t for span in spans for t in topics_of.subjects(span.text)}
    for qualified in value.qualification:
        if qualified.criterion == "services" and qualified.answer == "met":
            for group in _groups(qualified.wanted):
                if any(fold(span.text).strip() in group for span in spans):
                    about |= {t for synonym in group for t in topics_of.subjects(synonym)}
    if not about:
        about = set(topics_of.subjects(f"{words_of.bare_subject(value.subject)} {_mirror(value)}"))
    return frozenset(about)


def _groups(wanted: str) -> list[set[str]]:
    """The operator's services as sets of words: "Website: web site, Webseite" is one service, an item without a
    name before a colon belongs to the service before it."""
    groups: list[set[str]] = []
    for item in re.split(r"[,;\n]", wanted):
        name, colon, word = fold(item).partition(":")
        if colon or not groups or ":" not in wanted:
            groups.append(set())
        groups[-1] |= {part.strip() for part in (name, word) if part.strip()}
    return groups


def _mirror(value: In) -> str:
    """Their words on what they want; for a meeting the sentence with the day."""
    read = value.understanding
    preferred = [d.span for d in read.dates] if read.kind == "scheduling" else _service_spans(value)
    return words_of.mirrored(read, preferred)


def _answer(found: _Found, spans: Sequence[Span]) -> None:
    """Answer each question with a line of the book, or ask the operator."""
    for span in spans[:_MAX_QUESTIONS]:
        for part in topics_of.parts(span.text):
            line = topics_of.best(part, found.lines, language=found.language, about=found.about)
            shown = words_of.quoted(part, 120)
            if line is not None:
                if all(line != used for _, used in found.answers):
                    found.answers.append((shown, line))
            elif topics_of.topics(part):
                found.open.append(shown)
                found.questions.append(_missing(part, span))
            else:
                found.notes.append(f"They also ask: '{shown}' The draft does not answer this with yes or no.")
    for span in spans[_MAX_QUESTIONS:]:
        found.questions.append(_missing(span.text, span))


def _missing(part: str, span: Span) -> Question:
    asked = words_of.quoted(part, 200)
    return Question(
        text=f"They ask: '{asked}' Your house book has no line on this; write the answer into the reply or add it "
        "to the house book.",
        words=span,
    )


def _cite_offer(found: _Found) -> None:
    """What the book says of the services they name, and their prices."""
    for section in ("services", "prices"):
        shares = {
            line: topics_of.share(line, found.about)
            for line in found.lines
            if line.fact.section == section and line.fact.keys
        }
        closest = max(shares.values(), default=0.0)
        for line in found.ranked([line for line, share in shares.items() if 0 < share == closest])[:2]:
            found.add(line)


def _cite_conditions(found: _Found, missed: Sequence[Qualified]) -> None:
    """The book's own line on each condition that is not met; without one the operator is asked."""
    for qualified in missed:
        lines = _condition_lines(found, qualified.criterion)
        for line in lines:
            found.add(line)
        if not lines:
            found.questions.append(
                Question(
                    text=f"The enquiry misses {_CRITERION.get(qualified.criterion, qualified.criterion)} "
                    f"({qualified.reason}) Your house book has no line that says so; the draft only asks back.",
                    words=qualified.words[0] if qualified.words else None,
                )
            )


def _condition_lines(found: _Found, criterion: str) -> list[Line]:
    if criterion == "services":
        return found.ranked([line for line in found.lines if line.fact.section == "services"])[:_MAX_FACTS]
    for wanted in _SPEAKS_OF.get(criterion, []):
        if lines := [line for line in found.lines if wanted <= line.keys]:
            return found.ranked(lines)[:1]
    return []


def _asks(qualification: Sequence[Qualified]) -> list[str]:
    """At most three short asks for what the message leaves open."""
    unknown = {q.criterion for q in qualification if q.answer == "unknown"}
    return [ask for criterion, ask in _ASKS.items() if criterion in unknown][:_MAX_ASKS]


def _write(name: str, own: dict[str, str], values: dict[str, Any], found: _Found) -> tuple[str, list[Fact], list[str]]:
    """Body, the facts given to it and notes; facts are left out from the end until the body is short enough."""
    facts, cut = list(found.facts), 0
    while True:
        values |= {
            "facts": [line.fact.text for line in facts],
            "answers": [{"question": asked, "answer": line.fact.text} for asked, line in found.answers],
            "open": found.open,
        }
        body, notes = templates_of.render(name, own, values)
        if len(body.split()) <= templates_of.MAX_WORDS:
            break
        if facts:
            facts.pop()
            cut += 1
        elif found.answers:
            asked, _ = found.answers.pop()
            found.notes.append(f"The answer to '{asked}' was left out to keep the reply short.")
        elif name in own:
            own, facts, cut = {}, list(found.facts), 0
            found.notes.append(_too_long(name))
        else:
            found.notes.append(f"The reply has {len(body.split())} words; please shorten it.")
            break
    if cut:
        notes.append(f"{cut} fitting line(s) of the house book were left out to keep the reply short.")
    used = [line.fact for _, line in found.answers] + [line.fact for line in facts]
    return body, used, notes


def _too_long(name: str) -> str:
    return (
        f"The template {name}.j2 gives more than {templates_of.MAX_WORDS} words. The shipped template was used instead."
    )


def _reasons(missed: Sequence[Qualified]) -> list[str]:
    return [f"Not met: {_CRITERION.get(q.criterion, q.criterion)}. {q.reason}" for q in missed]


def _language_notes(found: _Found, cited: Sequence[Fact]) -> list[str]:
    """Lines quoted in another language than the reply's: a translation would be an invention."""
    names = words_of.LANGUAGE_NAMES
    return [
        f"The house book has line {line.fact.line} only in {names[line.language]}; it is quoted as it is."
        for line in found.lines
        if line.fact in cited and line.language not in ("", found.language)
    ]
